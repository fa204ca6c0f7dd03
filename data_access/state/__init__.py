"""The app's own store: accounts, sessions, audit. Nothing of Streamlit or Starlette in it.

The signatures that other parts build on. Instants are naive UTC; ``now`` is passed in wherever time decides. Rules that
a person can mend are ``Problem`` with one sentence. ``actor`` is who does it: an account_id, or ``terminal:NAME`` for
the command line.

store       ``opened() -> Engine`` of settings().state, migrated, once per process;
            ``state_engine(url) -> Engine``; ``prepare(engine)``; ``writing(engine)`` is a transaction that may write
rules       ``Rule(Problem)`` with ``.key`` (one of ``KEYS``), so that a page can say it in its reader's language
accounts    ``Account``, ``Role``, ``ROLES``;
            ``Rights(role, stores=(), regions=(), may_reveal=False, may_export=False)`` (Rule when they do not fit)
            ``create(engine, actor, sign_in_name, display_name, rights, password, now, *, initial, words=())
            -> Account``
            ``find(engine, account_id) -> Account | None``; ``find_by_name(engine, sign_in_name) -> Account | None``;
            ``everyone(engine) -> tuple[Account, ...]``; ``any_account(engine) -> bool``;
            ``has_administrator(engine) -> bool``
            ``change(engine, actor, account_id, now, *, sign_in_name=None, display_name=None, rights=None) -> Account``
            ``set_password(engine, actor, account_id, password, now, *, initial, words=(), keep="") -> Account``
            ``disable`` / ``enable`` / ``reset_totp`` ``(engine, actor, account_id, now) -> Account``
            ``set_break_glass(engine, actor, account_id, now, *, on) -> Account``: an administrator whose password opens
            also where people sign in with the OpenID provider
            ``initial``: somebody else has chosen the password, so it must be changed at the first sign-in and ends
            after 7 days; ``words``: names of brands and stores no password may consist of; ``keep``: the session_id
            that goes on while the account's others end
passwords   ``check(password, own=(), words=())`` (Rule), ``generated() -> str`` (to hand over, with initial=True),
            ``SHORTEST``, ``LONGEST``
sign_in     ``attempt(engine, name, password, code, address, now) -> Account | Refused``
            ``with_code(engine, ticket, code, address, now) -> Account | Refused``
            ``change_own_password(engine, account_id, old, new, now, *, words=(), keep="") -> Account``
            ``Refused(reason, ticket="")``, reason in ``wrong, locked, busy, disabled, expired, code_needed, provider,
            unknown``. To the outside one sentence for all of them but ``code_needed`` (password right: ask for the code
            and send it with the ticket to ``with_code``; the ticket lives 5 minutes) and ``busy`` (try again in a
            moment). A recovery code is taken in the place of a code. Each waiting call of ``attempt`` is a thread: at
            most 18, and 16 more of people who come from where they signed in last.
            ``with_identity(engine, who: Identity, proof: Proof, address, now) -> Account | Refused`` for whoever comes
            from the OpenID provider; ``proof_of(engine, ticket) -> Proof | None``
            ``prove_password`` / ``prove_code`` ``(engine, account_id, text, now)`` (Rule): once more, for what matters
identities  ``Identity(issuer, subject)``; ``Proof(issuer, id_token, second_factor=False, proved_at=None)``;
            ``link(engine, actor, account_id, wanted, now) -> Account`` (Rule); ``unlink(engine, actor, account_id, now)
            -> bool``; ``of_account(engine, account_id) -> Identity | None``; ``everybodys(engine)`` by account_id
visits      browsers on their way to the provider: ``fresh(redirect_uri, target, *, fresh=False) -> Visit``;
            ``begin(engine, visit, address, now) -> (state, browser)`` (Rule); ``end(engine, state, browser, now)
            -> Visit | None``, once
sessions    ``begin(engine, who: Account | Visitor, now, *, address="", device="", proof=None) -> str`` (the token);
            Rule when the account has changed since ``who`` was read; ``Visitor(role, home="")`` is one-click entry
            ``find(engine, token, now, *, seen=True) -> Session | None``; seen=False: a look that is no sign of life
            ``renew(engine, token, now) -> str | None`` (a new token for the same person, after a password change or an
            enrolment: the old one is worth nothing)
            ``end(engine, token, now)``; ``end_all(engine, actor, account_id, now) -> int``;
            ``end_one(engine, actor, session_id, now, *, account_id=None) -> bool`` (account_id: only of that account);
            ``active(engine, now, account_id=None) -> tuple[Session, ...]``; ``sweep(engine, now)`` (begin does it, too)
            ``Session``: session_id (no secret), who, account (None: one-click entry), role, stores, regions, todo
            (what must be done before the rest opens: "password", "totp"), actor (for the audit log), begun_at,
            last_seen_at, ends_at, address, device
totp        ``enrol(engine, account_id, now) -> Enrolment(key, uri)``;
            ``confirm(engine, account_id, code, now, *, keep="") -> tuple[str, ...]`` (ten recovery codes, shown once);
            ``new_recovery_codes(engine, account_id, now) -> tuple[str, ...]``;
            ``recovery_codes_left(engine, account_id) -> int``
setup       ``make_token(engine, actor, now) -> str``; ``is_open(engine, now) -> bool``;
            ``fits(engine, token, now) -> bool``;
            ``finish(engine, token, sign_in_name, display_name, password, now, *, words=()) -> Account``
audit       ``append(connection, actor, action, subject="", detail=None, *, at)`` inside ``store.writing``;
            ``ACTIONS``; ``head(engine) -> Head(number, hash)``; ``verify(engine, kept=None) -> Broken | None``;
            ``search(engine, Filter(person="", action="", since=None, until=None), page=1) -> Found``
            (entries, page, pages, total)
exports     ``note(engine, actor, File, detail, now)`` before a file leaves; ``seen(engine, actor, since, until)`` whose
            data somebody saw; ``alerts(engine, first, last, zone)`` days unlike the others, by ``unusual``
"""
