"""Sign-out that the OpenID provider asks for, with the words of a real one; attacks, each with its guard taken out."""

import json
import time
from base64 import urlsafe_b64decode
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from joserfc.jws import extract_compact
from sqlalchemy import Table, delete, func, select

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts, audit, sessions
from data_access.state.accounts import Rights
from data_access.state.schema import one_time_token, provider_sign_out
from data_access.state.store import opened
from pages._gate import provider, sockets
from pages._gate.gate import OIDC_SIGN_OUT
from pages._gate.identity import COOKIE
from tests.gate.attacks import Attacks
from tests.gate.kit import HTML, ORIGIN, STREAM, visitor
from tests.gate.openid import Provider
from tests.gate.test_accounts import enrolled
from tests.gate.test_oidc import PASSWORD, comes, linked, somebody, who
from tests.visitor import Answer, Visitor


def comes_in(op: Provider, name: str = "ann") -> tuple[Visitor, str]:
    """Somebody who signed in with the provider, and what the provider calls that session."""
    op.user, op.changes = name, {}
    guest = visitor()
    comes(op, guest)
    word = sessions.id_token(opened(), guest.cookies[COOKIE], utc_now())
    payload = word.split(".")[1]
    return guest, json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sid"]


def says(word: str) -> Answer:
    """The provider sends a word: no cookie, no page of ours behind it."""
    return visitor().post(OIDC_SIGN_OUT, {"logout_token": word})


def subject(name: str) -> dict[str, Any]:
    """Changes that make a word one about a person and no session."""
    return {"sub": f"sub-of-{name}", "sid": None}


def rows_of(table: Table) -> int:
    with opened().connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_session_that_ended_there_ends_here_and_no_other_does(op: Provider) -> None:
    ann = linked(op)
    linked(op, "bo", Rights("manager", ("S2",)))
    at_work, session = comes_in(op)
    at_home, _ = comes_in(op)
    bo, _ = comes_in(op, "bo")
    answer = says(op.logout_token(session))
    assert (answer.status, answer.body, answer.headers["cache-control"]) == (200, b"", "no-store")
    assert [who(guest) for guest in (at_work, at_home, bo)] == [None, "ann", "bo"]
    entry = audit.search(opened(), audit.Filter(action="session_ended")).entries[0]
    assert (entry.actor, entry.subject) == ("provider", ann.account_id)
    assert entry.detail == {"sessions": 1, "issuer": op.issuer}


def test_a_person_who_signed_out_there_is_out_everywhere_here_and_a_waiting_code_is_worth_nothing(op: Provider) -> None:
    enrolled(visitor(linked(op)))
    linked(op, "bo", Rights("manager", ("S2",)))
    comes(op, visitor())  # the code is awaited
    bo = [comes_in(op, "bo")[0] for _ in range(2)]
    assert says(op.logout_token("", **subject("bo"))).status == 200
    assert [who(guest) for guest in bo] == [None, None]
    assert rows_of(one_time_token) == 1
    says(op.logout_token("", **subject("ann")))
    assert rows_of(one_time_token) == 0


def test_a_word_about_person_and_session_ends_that_session_and_those_the_provider_did_not_name(op: Provider) -> None:
    linked(op)
    named, session = comes_in(op)
    other, _ = comes_in(op)
    op.changes = {"sid": None}
    nameless = visitor()
    comes(op, nameless)
    assert says(op.logout_token(session, sub="sub-of-ann")).status == 200
    assert [who(guest) for guest in (named, other, nameless)] == [None, "ann", None]


def test_an_open_socket_ends_with_it(op: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(sockets, "LOOK_WHEN_QUIET", 0.02)
    linked(op)
    guest, session = comes_in(op)
    word = op.logout_token(session)
    talk = guest.talk(STREAM, [b"one", lambda: says(word), lambda: time.sleep(0.5)], origin=ORIGIN)
    assert talk.frames == [b"one"]
    assert talk.close_code == sockets.REVOKED


def test_whoever_came_with_a_password_stays(op: Provider) -> None:
    chief = linked(op, "chief", Rights("administrator"))
    accounts.set_break_glass(opened(), "terminal:test", chief.account_id, utc_now(), on=True)
    guest = visitor()
    guest.post("/sign-in", {"name": "chief", "password": PASSWORD}, origin=ORIGIN)
    assert says(op.logout_token("", **subject("chief"))).status == 200
    assert who(guest) == "chief"


def test_a_word_about_somebody_who_is_not_here_is_taken_and_nothing_happens(op: Provider) -> None:
    somebody()
    assert says(op.logout_token("of-nobody")).status == 200
    assert says(op.logout_token("", **subject("nobody"))).status == 200
    assert audit.search(opened(), audit.Filter(action="session_ended")).total == 0


def test_a_new_key_is_fetched_for_it_but_not_for_every_word(op: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    linked(op)
    guest, session = comes_in(op)
    op.new_keys()
    read = op.asked.count("jwks")
    assert says(op.logout_token(session)).status == 400
    assert op.asked.count("jwks") == read
    monkeypatch.setattr(provider, "KEYS_AGAIN", 0.0)
    assert says(op.logout_token(session)).status == 200
    assert op.asked.count("jwks") == read + 1
    assert who(guest) is None


def test_while_the_provider_is_away_nobody_can_say_so(op: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    linked(op)
    guest, session = comes_in(op)
    word = op.logout_token(session)
    monkeypatch.setattr(provider, "_known", {})
    monkeypatch.setenv("MIRROR_OIDC_ISSUER", "http://127.0.0.1:9")
    settings.cache_clear()
    assert says(word).status == 503
    assert who(guest) == "ann"


def test_without_a_provider_the_way_does_not_exist(op: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody()
    word = op.logout_token("x")
    for name in ("ISSUER", "CLIENT_ID"):
        monkeypatch.delenv(f"MIRROR_OIDC_{name}")
    settings.cache_clear()
    assert says(word).status == 404


def test_only_a_form_of_the_size_of_one_is_read_there(op: Provider) -> None:
    somebody()
    assert says("x" * 20_000).status == 413
    assert says("no word at all").status == 400
    assert visitor().post(OIDC_SIGN_OUT).status == 400
    assert visitor().get(OIDC_SIGN_OUT, **HTML).status == 405


def test_a_used_word_is_forgotten_when_it_would_be_too_old_anyway(op: Provider) -> None:
    somebody()
    says(op.logout_token("of-nobody"))
    with opened().connect() as connection:
        ends_at = connection.scalars(select(provider_sign_out.c.ends_at)).one()
    assert timedelta(minutes=10) < ends_at - utc_now() <= timedelta(minutes=11)


# ---- attacks: each fails, and works as soon as its one guard is taken out --------------------------------------------

ATTACKS = Attacks()
against = ATTACKS.against


class _Unchecked(provider.JWTClaims):  # type: ignore[misc]
    """Claims of which nothing is checked."""

    def validate(self, now: Any = None, leeway: int = 0) -> None:
        return


def decode(word: str, *_: object, **__: object) -> Any:
    """Reads a word without a look at its signature."""
    read = extract_compact(word.encode())
    return SimpleNamespace(claims=json.loads(read.payload), header=read.headers())


UNSIGNED = SimpleNamespace(decode=decode)


def anything(*_: object) -> None:
    return


def used_before(connection: Any, digest: str) -> bool:
    """Forgets that a word was used."""
    connection.execute(delete(provider_sign_out).where(provider_sign_out.c.digest == digest))
    return False


def throws_out(op: Provider, **changes: Any) -> bool:
    """Whether a word that says something else signs Ann out."""
    linked(op)
    guest, session = comes_in(op)
    says(op.logout_token(session, **changes))
    return who(guest) is None


@against(provider__JWTClaims=_Unchecked)
def a_word_says_it_is_of_another_issuer(op: Provider) -> bool:
    return throws_out(op, iss="https://id.example.com")


@against(provider__JWTClaims=_Unchecked)
def a_word_for_another_client_is_brought(op: Provider) -> bool:
    return throws_out(op, aud=["another-client"])


@against(provider__JWTClaims=_Unchecked)
def a_word_for_nobody_is_brought(op: Provider) -> bool:
    return throws_out(op, aud=None)


@against(provider__JWTClaims=_Unchecked)
def a_word_that_has_ended_is_brought(op: Provider) -> bool:
    return throws_out(op, exp=int(time.time()) - 120)


@against(provider__JWTClaims=_Unchecked)
def a_word_never_ends(op: Provider) -> bool:
    return throws_out(op, exp=None)


@against(provider__JWTClaims=_Unchecked)
def a_word_of_tomorrow_is_brought(op: Provider) -> bool:
    return throws_out(op, iat=int(time.time()) + 86_400)


@against(provider___wrong_with=anything)
def a_word_of_an_hour_ago_is_brought(op: Provider) -> bool:
    return throws_out(op, iat=int(time.time()) - 3600)


@against(provider___wrong_with=anything)
def a_word_about_something_else_signs_out(op: Provider) -> bool:
    return throws_out(op, events={"http://schemas.openid.net/event/other": {}})


@against(provider___wrong_with=anything)
def a_word_without_an_event_signs_out(op: Provider) -> bool:
    return throws_out(op, events=None)


@against(provider___wrong_with=anything)
def a_word_with_a_nonce_signs_out(op: Provider) -> bool:
    return throws_out(op, nonce="of a visit")


@against(provider___wrong_with=anything)
def an_id_token_signs_its_own_person_out(op: Provider) -> bool:
    """Whoever has read an ID token, in a log or of another app, cannot use it here."""
    linked(op)
    guest, _ = comes_in(op)
    word = sessions.id_token(opened(), guest.cookies[COOKIE], utc_now())
    says(op.sign(lambda: word))  # with a jti, as some providers put one in
    op.changes = {"jti": "one"}
    says(op.sign(lambda: word))
    return who(guest) is None


@against(provider__jwt=UNSIGNED)
def a_word_is_signed_with_a_key_of_somebody_else(op: Provider) -> bool:
    with Provider() as other:
        op.signs_with = other.keys
        linked(op)
        op.signs_with = op.keys
        guest, session = comes_in(op)
        op.signs_with = other.keys
        says(op.logout_token(session))
        return who(guest) is None


@against(provider__jwt=UNSIGNED)
def a_word_is_not_signed_at_all(op: Provider) -> bool:
    linked(op)
    guest, session = comes_in(op)
    op.algorithm = "none"
    says(op.logout_token(session))
    return who(guest) is None


@against(provider__jwt=UNSIGNED)
def a_word_is_signed_with_the_secret_of_the_client(op: Provider) -> bool:
    linked(op)
    guest, session = comes_in(op)
    op.algorithm = "HS256"
    says(op.logout_token(session))
    return who(guest) is None


@against(oidc__sign_outs__is_used=used_before)
def a_word_that_was_overheard_is_brought_again_and_again(op: Provider) -> bool:
    linked(op)
    word = op.logout_token("", **subject("ann"))
    says(word)
    guest, _ = comes_in(op)
    says(word)
    return who(guest) is None


@against(oidc__sign_outs__identities__account_of=lambda connection, wanted: accounts.by_name(connection, "ann"))
def a_person_of_the_same_name_signs_out(op: Provider) -> bool:
    """The subject decides, nothing a person may choose."""
    linked(op)
    guest, _ = comes_in(op)
    says(op.logout_token("", **subject("ann-too")))
    return who(guest) is None


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_sign_out_by_the_provider_fails(op: Provider, name: str) -> None:
    assert not ATTACKS.works(name, op)


@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_guard_the_attack_on_sign_out_works(
    op: Provider, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ATTACKS.works_without_guard(name, monkeypatch, op)


@pytest.mark.parametrize("wrong", [{"jti": None}, {"jti": 7}, {"sid": None}, {"sid": 7}, {"events": []}])
def test_a_word_with_something_missing_is_refused(op: Provider, wrong: dict[str, Any]) -> None:
    linked(op)
    guest, session = comes_in(op)
    assert says(op.logout_token(session, **wrong)).status == 400
    assert who(guest) == "ann"


def test_two_processes_that_hear_a_word_end_what_it_means_once(op: Provider) -> None:
    linked(op)
    _, session = comes_in(op)
    word = op.logout_token(session)
    assert [says(word).status for _ in range(2)] == [200, 400]
    assert rows_of(provider_sign_out) == 1
