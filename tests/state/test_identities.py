"""Whose account a person of an OpenID provider is, visits there, and sessions that begin with one."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from data_access.settings import settings
from data_access.state import accounts, audit, identities, schema, sessions, sign_in, visits
from data_access.state.accounts import Account
from data_access.state.identities import Identity, Proof
from data_access.state.rules import Rule
from data_access.state.sign_in import Refused
from tests.state.people import ADMINISTRATOR, MANAGER, MINUTE, NOW, PASSWORD, person
from tests.state.test_totp import STEP, code, enrolled

ISSUER = "https://id.example.com"
ANN, BO = Identity(ISSUER, "sub-of-ann"), Identity(ISSUER, "sub-of-bo")
PROOF = Proof(ISSUER, "header.claims.signature", proved_at=NOW)


def enters(engine: Engine, who: Identity, proof: Proof = PROOF) -> Account | Refused:
    return sign_in.with_identity(engine, who, proof, "10.0.0.7", NOW)


def link(engine: Engine, account: Account, wanted: Identity = ANN) -> Account:
    return identities.link(engine, "terminal:test", account.account_id, wanted, NOW)


def actions(engine: Engine) -> list[str]:
    return [entry.action for entry in audit.search(engine, audit.Filter()).entries]


def test_a_linked_person_comes_in_as_the_account_and_nobody_else_does(engine: Engine) -> None:
    account = link(engine, person(engine, "ann"))
    found = enters(engine, ANN)
    assert isinstance(found, Account)
    assert found.account_id == account.account_id
    assert enters(engine, BO) == Refused("unknown")
    entry = audit.search(engine, audit.Filter(action="sign_in_refused")).entries[0]
    assert entry.detail == {"reason": "unknown", "address": "10.0.0.7", "issuer": ISSUER, "subject": "sub-of-bo"}


@pytest.mark.parametrize(
    "almost",
    [
        Identity(ISSUER + "/", "sub-of-ann"),
        Identity("https://other.example.com", "sub-of-ann"),
        Identity(ISSUER, "SUB-OF-ANN"),
        Identity(ISSUER, "sub-of-ann "),
        Identity(ISSUER, "ann"),  # the sign-in name
        Identity(ISSUER, "%"),
    ],
)
def test_an_identity_is_compared_to_the_letter(engine: Engine, almost: Identity) -> None:
    link(engine, person(engine, "ann"))
    assert enters(engine, almost) == Refused("unknown")


def test_an_identity_is_of_one_account_and_an_account_has_one(engine: Engine) -> None:
    ann, bo = person(engine, "ann"), person(engine, "bo")
    link(engine, ann)
    with pytest.raises(Rule, match="linked to ann") as refused:
        link(engine, bo)
    assert refused.value.key == "identity_taken"
    link(engine, ann, BO)
    assert identities.everybodys(engine) == {ann.account_id: BO}
    assert enters(engine, ANN) == Refused("unknown")
    link(engine, bo)
    assert identities.of_account(engine, bo.account_id) == ANN


@pytest.mark.parametrize(
    "wanted", [Identity("", "x"), Identity(ISSUER, ""), Identity(ISSUER, " x"), Identity(ISSUER, "x\n")]
)
def test_what_no_provider_says_is_refused(sqlite: Engine, wanted: Identity) -> None:
    with pytest.raises(Rule) as refused:
        link(sqlite, person(sqlite, "ann"), wanted)
    assert refused.value.key == "identity"
    for too_long in (Identity("https://" + "x" * 293, "x"), Identity(ISSUER, "x" * 256)):
        with pytest.raises(Rule):
            link(sqlite, accounts.find_by_name(sqlite, "ann"), too_long)  # type: ignore[arg-type]


def test_linking_again_changes_nothing_and_each_change_is_logged_once(engine: Engine) -> None:
    account = link(engine, person(engine, "ann"))
    assert link(engine, account).epoch == account.epoch
    assert identities.unlink(engine, "terminal:test", account.account_id, NOW)
    assert not identities.unlink(engine, "terminal:test", account.account_id, NOW)
    assert actions(engine) == ["identity_unlinked", "identity_linked", "account_created"]
    assert audit.verify(engine) is None


def test_unlinking_or_linking_somebody_else_ends_the_sessions(engine: Engine) -> None:
    account = link(engine, person(engine, "ann"))
    for change in (
        lambda: link(engine, account, BO),
        lambda: identities.unlink(engine, "terminal:test", account.account_id, NOW),
    ):
        known = accounts.find(engine, account.account_id)
        assert known is not None
        token = sessions.begin(engine, known, NOW, proof=PROOF)
        change()
        assert sessions.find(engine, token, NOW) is None


def test_a_session_knows_how_it_began_also_after_its_token_was_renewed(engine: Engine) -> None:
    account = link(engine, person(engine, "ann"))
    first = sessions.begin(engine, account, NOW, proof=Proof(ISSUER, "a.b.c", True, NOW - MINUTE))
    token = sessions.renew(engine, first, NOW + MINUTE)
    assert token is not None
    assert sessions.find(engine, first, NOW) is None
    session = sessions.find(engine, token, NOW + MINUTE)
    assert session is not None
    assert (session.issuer, session.second_factor, session.proved_at) == (ISSUER, True, NOW - MINUTE)
    assert session.begun_at == NOW
    assert sessions.id_token(engine, token, NOW) == "a.b.c"
    assert sessions.id_token(engine, "made-up", NOW) == ""
    with engine.connect() as connection:
        assert "a.b.c" not in str(connection.execute(select(schema.session)).all())


def test_what_must_be_done_first_depends_on_the_way_in(sqlite: Engine) -> None:
    chief = person(sqlite, "chief", ADMINISTRATOR, initial=True)

    def todo(proof: Proof | None) -> tuple[str, ...]:
        session = sessions.find(sqlite, sessions.begin(sqlite, chief, NOW, proof=proof), NOW)
        assert session is not None
        return session.todo

    assert todo(None) == ("password", "totp")
    assert todo(PROOF) == ("totp",)
    assert todo(Proof(ISSUER, "a.b.c", second_factor=True)) == ()


def test_only_an_administrator_gets_in_with_a_password_beside_the_provider(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, chief = person(sqlite, "ann", MANAGER), person(sqlite, "chief", ADMINISTRATOR)
    person(sqlite, "boss", ADMINISTRATOR)
    with pytest.raises(Rule) as refused:
        accounts.set_break_glass(sqlite, "terminal:test", ann.account_id, NOW, on=True)
    assert refused.value.key == "break_glass"
    accounts.set_break_glass(sqlite, "terminal:test", chief.account_id, NOW, on=True)
    monkeypatch.setenv("MIRROR_OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("MIRROR_OIDC_CLIENT_ID", "mirror")
    settings.cache_clear()

    def attempt(name: str) -> Account | Refused:
        return sign_in.attempt(sqlite, name, PASSWORD, "", "10.0.0.7", NOW)

    assert isinstance(attempt("chief"), Account)
    assert attempt("ann") == attempt("boss") == Refused("provider")
    # who is no longer an administrator is no longer the one who gets in
    accounts.change(sqlite, "terminal:test", chief.account_id, NOW, rights=MANAGER)
    assert attempt("chief") == Refused("provider")


def test_a_visit_is_over_with_the_first_who_brings_state_and_cookie(engine: Engine) -> None:
    visit = visits.fresh("https://crm.example.com/sign-in/oidc/callback", "/segments")
    state, browser = visits.begin(engine, visit, "10.0.0.7", NOW)
    assert visits.end(engine, "made-up", browser, NOW) is None
    assert visits.end(engine, state, browser, NOW) == visit
    assert visits.end(engine, state, browser, NOW) is None


def test_a_visit_ends_with_another_browser_and_after_ten_minutes(engine: Engine) -> None:
    visit = visits.fresh("https://crm.example.com/sign-in/oidc/callback", "/")
    state, browser = visits.begin(engine, visit, "10.0.0.7", NOW)
    assert visits.end(engine, state, "another", NOW) is None
    assert visits.end(engine, state, browser, NOW) is None
    state, browser = visits.begin(engine, visit, "10.0.0.7", NOW)
    assert visits.end(engine, state, browser, NOW + visits.LIVES) is None
    visits.begin(engine, visit, "10.0.0.7", NOW)
    visits.begin(engine, visit, "10.0.0.7", NOW + 2 * visits.LIVES)
    with engine.connect() as connection:
        assert len(connection.execute(select(schema.provider_visit)).all()) == 1


def test_visits_of_one_address_are_paced_apart_from_passwords(sqlite: Engine) -> None:
    visit = visits.fresh("https://crm.example.com/sign-in/oidc/callback", "/")
    for _ in range(60):
        visits.begin(sqlite, visit, "10.0.0.7", NOW)
    with pytest.raises(Rule) as refused:
        visits.begin(sqlite, visit, "10.0.0.7", NOW)
    assert refused.value.key == "busy"
    visits.begin(sqlite, visit, "10.0.0.8", NOW)
    visits.begin(sqlite, visit, "10.0.0.7", NOW + timedelta(seconds=3))
    person(sqlite, "ann")
    assert isinstance(sign_in.attempt(sqlite, "ann", PASSWORD, "", "10.0.0.7", NOW), Account)


def test_the_code_after_the_provider_is_bound_to_what_it_said(sqlite: Engine, home: Path) -> None:
    who, key, _ = enrolled(sqlite)
    known = link(sqlite, who)
    asked = enters(sqlite, ANN)
    assert isinstance(asked, Refused)
    assert asked.reason == "code_needed"
    assert sign_in.proof_of(sqlite, asked.ticket) == PROOF
    assert sign_in.proof_of(sqlite, "made-up") is None
    for file in home.glob("state.sqlite*"):
        assert PROOF.id_token.encode() not in file.read_bytes()
    found = sign_in.with_code(sqlite, asked.ticket, code(key, NOW + STEP), "10.0.0.7", NOW)
    assert isinstance(found, Account)
    assert found.account_id == known.account_id
    # a provider that vouches for a second factor is not asked for another one
    assert isinstance(enters(sqlite, ANN, Proof(ISSUER, "a.b.c", second_factor=True)), Account)
