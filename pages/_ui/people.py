"""Accounts as administrators see and change them. Passwords of people's own never come here: a first password is made
by the program, shown once and must be changed."""

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts, identities, passwords, precautions, sessions
from data_access.state.accounts import ROLES, Account, Rights, Role
from data_access.state.identities import Identity
from data_access.state.rules import Rule
from data_access.state.store import opened
from pages._gate import places as known_places
from pages._ui import format as fmt
from pages._ui import freshness, head, load, session
from pages._ui.attempt import attempt
from pages._ui.i18n import localized_text, t
from pages._ui.literal import literal

# What an account needs or is, the worst first, in its colour.
STATES: Mapping[str, str] = {
    "expired": "red",
    "no_factor": "orange",
    "unlinked": "orange",
    "invited": "blue",
    "disabled": "gray",
    "ok": "green",
}
_SAID, _GIVEN, _MADE = "accounts_said", "accounts_given", "accounts_made"


def everyone() -> pd.DataFrame:
    """One row per account: account_id, display_name, sign_in_name, role, state, places in words, signed_in_at on the
    reader's clock, open_sessions."""
    engine, now = opened(), utc_now()
    linked = identities.everybodys(engine)
    open_now = [one.actor for one in sessions.active(engine, now)]
    rows = [
        {
            "account_id": known.account_id,
            "display_name": known.display_name,
            "sign_in_name": known.sign_in_name,
            "role": known.role,
            "state": state(known, is_linked=known.account_id in linked),
            "places": None if known.role == "administrator" else session.in_words(session.person(known)),
            "signed_in_at": freshness.local(known.signed_in_at) if known.signed_in_at else None,
            "open_sessions": open_now.count(known.account_id),
        }
        for known in accounts.everyone(engine)
    ]
    columns = ("account_id", "display_name", "sign_in_name", "role", "state", "places", "signed_in_at", "open_sessions")
    return pd.DataFrame(rows, columns=list(columns))


def state(known: Account, *, is_linked: bool) -> str:
    """The key of ``STATES`` for an account. Where people sign in with a provider, most have no use for a password."""
    if known.disabled:
        return "disabled"
    if settings().with_provider and not known.break_glass:
        return "ok" if is_linked else "unlinked"
    if known.initial_until is not None:
        return "expired" if known.initial_until <= utc_now() else "invited"
    return "no_factor" if known.needs_totp and not known.has_totp else "ok"


def figures(frame: pd.DataFrame) -> list[tuple[str, str, str | None]]:
    """Cards: how many accounts, who is signed in now, who waits for what."""
    count = frame["state"].value_counts()

    def people(*states: str) -> str:
        return fmt.count(sum(int(count.get(name, 0)) for name in states))

    return [
        (t("accounts.count"), fmt.count(len(frame)), None),
        (t("accounts.signed_in"), fmt.count(int((frame["open_sessions"] > 0).sum())), t("accounts.signed_in_help")),
        (t("accounts.invited"), people("invited", "expired"), t("accounts.invited_help")),
        (t("accounts.no_factor"), people("no_factor"), t("accounts.no_factor_help")),
        (t("accounts.disabled"), people("disabled"), None),
    ]


def say_what_is_missing() -> None:
    """What whoever keeps the accounts should see to before it is needed."""
    for missing in precautions.missing(opened()):
        st.warning(t(f"accounts.missing.{missing}"), icon=":material/shield:")


def say_what_was_done() -> None:
    """After a change: that it was made, and a first password this once."""
    given = st.session_state.pop(_GIVEN, None)
    said = st.session_state.pop(_SAID, None)
    if said:
        st.success(said, icon=":material/check:")
    if given:
        with st.container(border=True):
            st.markdown(f"**{t('accounts.given', name=literal(given[0]))}**")
            st.code(given[1], language=None)
            st.caption(t("accounts.given_note", days=accounts.INITIAL_LIVES.days))


def new(actor: str) -> None:
    """The form for a new account."""
    with st.expander(t("accounts.new"), icon=":material/person_add:", key="accounts_new"):
        # Fresh fields for the next one: Streamlit keeps what stands under a key.
        wish = _wish(f"new{st.session_state.get(_MADE, 0)}", None)
        if st.button(t("accounts.create"), type="primary", key="accounts_create"):
            password = passwords.generated()

            def create() -> None:
                name, shown, rights = wish()
                accounts.create(
                    opened(),
                    actor,
                    name,
                    shown,
                    rights,
                    password,
                    utc_now(),
                    initial=True,
                    words=known_places.guessable(),
                )
                if not settings().with_provider:
                    st.session_state[_GIVEN] = (shown, password)
                st.session_state[_MADE] = st.session_state.get(_MADE, 0) + 1

            _do(create, t("accounts.created_to_link" if settings().with_provider else "accounts.created"))


def one(account_id: str, actor: str) -> None:
    """Everything that can be changed of one account."""
    engine = opened()
    known = accounts.find(engine, account_id)
    if known is None:
        return
    now = utc_now()
    with st.container(border=True):
        head.block(literal(known.display_name), literal(known.sign_in_name))
        wish = _wish(known.account_id, known)
        if st.button(t("accounts.save"), type="primary", key="accounts_save"):

            def change() -> None:
                name, shown, rights = wish()
                accounts.change(engine, actor, account_id, now, sign_in_name=name, display_name=shown, rights=rights)

            _do(change, t("accounts.changed"))
    if settings().with_provider:
        _identity(known, actor)
    with st.container(border=True):
        head.block(t("accounts.more"))
        with st.container(horizontal=True, gap="small"):
            _sure("password", lambda: _new_password(known, actor))
            _sure("end", lambda: sessions.end_all(engine, actor, account_id, now))
            if known.has_totp:
                _sure("totp", lambda: accounts.reset_totp(engine, actor, account_id, now))
            if known.disabled:
                _sure("enable", lambda: accounts.enable(engine, actor, account_id, now))
            else:
                _sure("disable", lambda: accounts.disable(engine, actor, account_id, now))


def _identity(known: Account, actor: str) -> None:
    """Whom the OpenID provider must name for this account, and whether the password opens without it."""
    engine, now = opened(), utc_now()
    linked = identities.of_account(engine, known.account_id)
    issuer = linked.issuer if linked else settings().oidc_issuer
    name = settings().oidc_name or t("oidc.company")
    with st.container(border=True):
        head.block(t("accounts.identity"), t("accounts.identity_note", name=name))
        left, right = st.columns(2)
        subject = left.text_input(
            t("accounts.subject"),
            linked.subject if linked else "",
            key=f"{known.account_id}_subject",
            help=t("accounts.subject_help"),
        )
        right.text_input(t("accounts.issuer"), issuer, disabled=True, key=f"{known.account_id}_issuer")
        with st.container(horizontal=True, gap="small"):
            if st.button(t("accounts.link"), type="primary", key="accounts_link"):
                wanted = Identity(settings().oidc_issuer, subject)
                _do(lambda: identities.link(engine, actor, known.account_id, wanted, now), t("accounts.linked"))
            if linked is not None:
                _sure("unlink", lambda: identities.unlink(engine, actor, known.account_id, now))
        if known.role == "administrator":
            on = st.checkbox(
                t("accounts.break_glass"),
                known.break_glass,
                key=f"{known.account_id}_break_glass",
                help=t("accounts.break_glass_help"),
            )
            if on != known.break_glass:
                _do(
                    lambda: accounts.set_break_glass(engine, actor, known.account_id, now, on=on),
                    t("accounts.changed"),
                )


def _new_password(known: Account, actor: str) -> None:
    password = passwords.generated()
    words = known_places.guessable()
    accounts.set_password(opened(), actor, known.account_id, password, utc_now(), initial=True, words=words)
    st.session_state[_GIVEN] = (known.display_name, password)


def _wish(key: str, known: Account | None) -> Callable[[], tuple[str, str, Rights]]:
    """The fields of an account; what they say when it is asked for. Rule then when they do not go together."""
    left, right = st.columns(2)
    shown = left.text_input(t("form.person_name"), known.display_name if known else "", key=f"{key}_name")
    name = right.text_input(
        t("form.name"), known.sign_in_name if known else "", key=f"{key}_sign_in", help=t("form.name_rules")
    )
    role: Role = left.selectbox(
        t("column.role"),
        ROLES,
        ROLES.index(known.role) if known else 0,
        format_func=lambda one: t(f"role.{one}"),
        key=f"{key}_role",
    )
    homes: tuple[str, ...] = ()
    staff_id = ""
    if role == "staff":
        staff_id = right.text_input(
            t("accounts.staff"), known.staff_id if known else "", key=f"{key}_staff", help=t("accounts.staff_help")
        ).strip()
    if role in ("manager", "regional"):
        kind = "store" if role == "manager" else "region"
        options = _options(kind)
        had = (known.stores if kind == "store" else known.regions) if known else ()
        # A place that the data no longer names stays until somebody takes it away.
        options.update({home: home for home in had if home not in options})
        homes = tuple(
            right.multiselect(
                t(f"accounts.{kind}s"),
                list(options),
                list(had),
                format_func=lambda home: options.get(home, home),
                placeholder=t(f"accounts.choose_{kind}s"),
                select_all=False,
                key=f"{key}_{kind}s",
            )
        )
    reveal = export = False
    with st.container(horizontal=True, gap="large"):
        if role in ("manager", "regional"):
            reveal = st.checkbox(
                t("accounts.may_reveal"), known is not None and known.may_reveal, key=f"{key}_reveal",
                help=t("accounts.needs_factor"),
            )  # fmt: skip
        if role not in ("administrator", "staff"):
            export = st.checkbox(
                t("accounts.may_export"), known is not None and known.may_export, key=f"{key}_export",
                help=t("accounts.needs_factor"),
            )  # fmt: skip

    def wish() -> tuple[str, str, Rights]:
        stores, regions = (homes, ()) if role == "manager" else ((), homes)
        if staff_id and load.works_in(session.system_scope(), staff_id, load.generation()) is None:
            raise Rule("staff_unknown", "the data know nobody of this id who works in a store")
        return name, shown, Rights(role, stores, regions, reveal, export, staff_id)

    return wish


def _options(kind: str) -> dict[str, str]:
    """Stores or regions by id, with their names in the language of this run."""
    frame = load.named_places(load.generation()).drop_duplicates(f"{kind}_id")
    return {
        str(key): localized_text(f"{kind}.name", name)
        for key, name in zip(frame[f"{kind}_id"], frame[kind], strict=True)
    }


def _sure(action: str, work: Callable[[], object]) -> None:
    """A button that asks once more before it acts."""
    with st.popover(t(f"accounts.{action}"), key=f"accounts_{action}_ask"):
        st.markdown(t(f"accounts.{action}_ask"))
        if st.button(t(f"accounts.{action}_yes"), type="primary", key=f"accounts_{action}"):
            _do(work, t(f"accounts.{action}_done"))


def _do(work: Callable[[], object], done: str) -> None:
    """Does what was asked and draws the page again; a broken rule is said where the button is."""

    def again(_: object) -> None:
        st.session_state[_SAID] = done
        st.rerun()

    attempt(work, again)
