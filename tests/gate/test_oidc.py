"""Sign-in with an OpenID provider, against a real one here; and attacks on it, each with its guard taken out.

The provider is a certified implementation (idpyoidc). Where it must lie, it signs the lie with its own key.
"""

import json
import re
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from joserfc.jws import extract_compact
from sqlalchemy import insert, select

from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts, audit, identities, sessions, visits
from data_access.state.accounts import Account, Rights
from data_access.state.identities import Identity
from data_access.state.schema import provider_visit
from data_access.state.store import opened, writing
from data_access.state.tokens import digest
from pages._gate import identity, oidc, provider
from pages._gate.gate import OIDC, OIDC_BACK
from pages._gate.identity import COOKIE
from tests.gate.attacks import Attacks, everybody
from tests.gate.kit import HTML, ORIGIN, visitor
from tests.gate.openid import CLIENT_ID, Provider
from tests.gate.test_accounts import enrolled
from tests.visitor import Answer, Visitor

PASSWORD = "purple-kettle-river-9"
HERE = "http://localhost"
ANN = "sub-of-ann"
OTHER = "https://id.example.com"


def somebody(name: str = "ann", rights: Rights | None = None, **more: Any) -> Account:
    chosen = rights or Rights("manager", ("S1",))
    options = {"initial": False, **more}
    return accounts.create(opened(), "terminal:test", name, name.title(), chosen, PASSWORD, utc_now(), **options)


def linked(op: Provider, name: str = "ann", rights: Rights | None = None, **more: Any) -> Account:
    """An account that the person of the same name at the provider signs in as."""
    made = somebody(name, rights, **more)
    return identities.link(opened(), "terminal:test", made.account_id, Identity(op.issuer, f"sub-of-{name}"), utc_now())


def goes(guest: Visitor, target: str = OIDC) -> str:
    """The address of the provider that a browser is sent to."""
    answer = guest.get(target, **HTML)
    assert answer.status == 303, answer.text
    return answer.headers["location"]


def comes(op: Provider, guest: Visitor, target: str = OIDC) -> Answer:
    """There and back."""
    return guest.get(op.back(goes(guest, target)), accept_language="en", **HTML)


def who(guest: Visitor) -> str | None:
    """The sign-in name of whoever the gate takes ``guest`` for."""
    token = guest.cookies.get(COOKIE)
    identity.forget(token)
    session = identity.look(token)
    return session.account.sign_in_name if session and session.account else None


def logged(action: str) -> list[dict[str, Any]]:
    return [dict(entry.detail) for entry in audit.search(opened(), audit.Filter(action=action)).entries]


def test_a_linked_person_comes_in_at_the_page_that_was_asked_for(op: Provider) -> None:
    linked(op)
    guest = visitor()
    answer = comes(op, guest, f"{OIDC}?next=/segments%3Fperiod%3D7d")
    assert (answer.status, answer.headers["location"]) == (303, "/segments?period=7d")
    assert who(guest) == "ann"
    assert guest.get("/segments", **HTML).status == 200
    assert oidc.COOKIE not in guest.cookies
    assert logged("sign_in") == [{"address": "127.0.0.1", "issuer": op.issuer}]


def test_the_way_there_carries_what_the_standard_asks_for(op: Provider) -> None:
    somebody()
    address = goes(visitor())
    asked = dict(parse_qsl(urlsplit(address).query))
    assert address.startswith(f"{op.issuer}/authorization?")
    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == HERE + OIDC_BACK
    assert asked["scope"] == "openid"
    assert asked["code_challenge_method"] == "S256"
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43}  # 256 bits each
    another = dict(parse_qsl(urlsplit(goes(visitor())).query))
    assert all(asked[name] != another[name] for name in ("state", "nonce", "code_challenge"))


def test_nothing_of_a_visit_is_kept_in_the_open(op: Provider, tmp_path: Path) -> None:
    somebody()
    guest = visitor()
    asked = dict(parse_qsl(urlsplit(goes(guest)).query))
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("state.sqlite*"))
    for secret in (asked["state"], asked["nonce"], guest.cookies[oidc.COOKIE]):
        assert secret.encode() not in kept


def test_over_tls_the_cookie_of_the_visit_is_bound_to_the_host(op: Provider) -> None:
    somebody()
    header = visitor(scheme="https").get(OIDC, **HTML).headers["set-cookie"]
    assert header.startswith(f"{oidc.SECURE_COOKIE}=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"} <= set(header.split("; "))


@pytest.mark.parametrize("disabled", [False, True])
def test_somebody_without_an_account_gets_one_clear_sentence_and_no_session(op: Provider, disabled: bool) -> None:
    somebody("chief", Rights("administrator"))
    if disabled:
        accounts.disable(opened(), "terminal:test", linked(op).account_id, utc_now())
    guest = visitor()
    answer = comes(op, guest)
    assert answer.status == 403
    assert "Example ID knows you, but no account here is open to you." in answer.text
    assert ANN in answer.text
    assert COOKIE not in guest.cookies
    expected = {"reason": "disabled"} if disabled else {"reason": "unknown", "issuer": op.issuer, "subject": ANN}
    assert logged("sign_in_refused") == [{**expected, "address": "127.0.0.1"}]
    assert [known.sign_in_name for known in accounts.everyone(opened())] == ["ann", "chief"][1 - disabled :]


def test_passwords_are_off_except_for_administrators_who_were_chosen(op: Provider) -> None:
    somebody()
    chief = somebody("chief", Rights("administrator"))
    for name in ("ann", "chief"):
        answer = visitor().post("/sign-in", {"name": name, "password": PASSWORD}, origin=ORIGIN, accept_language="en")
        assert answer.status == 403
        assert "Name or password is not right" in answer.text
    assert {entry["reason"] for entry in logged("sign_in_refused")} == {"provider"}
    accounts.set_break_glass(opened(), "terminal:test", chief.account_id, utc_now(), on=True)
    guest = visitor()
    guest.post("/sign-in", {"name": "chief", "password": PASSWORD}, origin=ORIGIN)
    assert who(guest) == "chief"


def test_without_a_provider_its_routes_do_not_exist(op: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody()
    for name in ("ISSUER", "CLIENT_ID"):
        monkeypatch.delenv(f"MIRROR_OIDC_{name}")
    settings.cache_clear()
    assert visitor().get(OIDC, **HTML).status == 404
    assert visitor().get(f"{OIDC_BACK}?state=x&code=y", **HTML).status == 404
    assert OIDC not in visitor().get("/sign-in", **HTML).text


def test_settings_that_are_not_whole_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for issuer, client, scopes, said in (
        ("https://id.example.com", "", "openid", "belong together"),
        ("http://id.example.com", "x", "openid", "is not an https address"),
        ("https://id.example.com", "x", "profile", "must name openid"),
    ):
        for name, value in (("ISSUER", issuer), ("CLIENT_ID", client), ("SCOPES", scopes)):
            monkeypatch.setenv(f"MIRROR_OIDC_{name}", value)
        settings.cache_clear()
        with pytest.raises(Problem, match=said):
            settings()


def test_a_provider_that_is_away_is_said_and_the_password_of_the_chosen_still_opens(
    op: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chief = somebody("chief", Rights("administrator"))
    accounts.set_break_glass(opened(), "terminal:test", chief.account_id, utc_now(), on=True)
    monkeypatch.setenv("MIRROR_OIDC_ISSUER", "http://127.0.0.1:9")  # nobody listens there
    settings.cache_clear()
    guest = visitor()
    answer = guest.get(OIDC, accept_language="en", **HTML)
    assert answer.status == 503
    assert "Example ID does not answer at the moment." in answer.text
    assert '<details class="card" open>' in answer.text
    guest.post("/sign-in", {"name": "chief", "password": PASSWORD}, origin=ORIGIN)
    assert who(guest) == "chief"


def test_a_provider_that_never_answers_is_waited_for_a_few_seconds_and_nobody_else_waits(
    op: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MIRROR_OIDC_ISSUER", f"http://127.0.0.1:{silent.getsockname()[1]}")
        settings.cache_clear()
        monkeypatch.setattr(provider, "WITHIN", 1.0)
        guest, answers = visitor(), []
        waiting = threading.Thread(target=lambda: answers.append(guest.get(OIDC, **HTML)))
        began = time.monotonic()
        waiting.start()
        assert visitor().get("/healthz").status == 200
        waiting.join()
        took = time.monotonic() - began
    assert answers[0].status == 503
    assert took >= 1.0


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "https://id.example.com"}, "it calls itself"),
        ({"token_endpoint": "http://id.example.com/token"}, "is not https"),
        ({"authorization_endpoint": None}, "is not https"),
        ({"jwks_uri": "http://127.0.0.1:9/jwks"}, "ConnectError"),
    ],
    ids=["another issuer", "no tls", "no end", "no keys"],
)
def test_a_provider_that_does_not_say_what_it_should_is_as_good_as_away(
    op: Provider, metadata: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    somebody()
    op.metadata = metadata
    assert visitor().get(OIDC, **HTML).status == 503
    assert why in caplog.text


def test_a_new_key_of_the_provider_is_fetched_when_it_is_met(op: Provider) -> None:
    linked(op)
    guest = visitor()
    back = op.back(goes(guest))
    op.new_keys()
    guest.get(back, **HTML)
    assert who(guest) == "ann"
    assert op.asked.count("jwks") == 2


def test_a_second_factor_of_the_provider_counts_only_where_that_is_said(
    op: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked(op, rights=Rights("manager", ("S1",), may_export=True))
    op.changes = {"amr": ["pwd", "otp"]}
    guest = visitor()
    comes(op, guest)
    assert guest.get("/segments", **HTML).headers["location"] == "/account"
    monkeypatch.setenv("MIRROR_OIDC_SECOND_FACTOR", "mfa, otp")
    settings.cache_clear()
    guest = visitor()
    comes(op, guest)
    assert guest.get("/segments", **HTML).status == 200
    op.changes = {"amr": ["pwd"]}
    guest = visitor()
    comes(op, guest)
    assert guest.get("/segments", **HTML).headers["location"] == "/account"
    op.changes = {"acr": "mfa"}
    guest = visitor()
    comes(op, guest)
    assert guest.get("/segments", **HTML).status == 200


def test_a_code_of_our_own_is_asked_for_where_the_provider_vouches_for_none(op: Provider) -> None:
    account = linked(op)
    at_home = visitor(account)
    _, codes = enrolled(at_home)
    guest = visitor()
    page = comes(op, guest, f"{OIDC}?next=/segments").text
    assert COOKIE not in guest.cookies
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert ticket is not None
    wrong = guest.post("/sign-in", {"ticket": ticket[1], "code": "000000"}, origin=ORIGIN)
    assert wrong.status == 403
    form = {"ticket": ticket[1], "code": codes[0], "next": "/segments"}
    assert guest.post("/sign-in", form, origin=ORIGIN).headers["location"] == "/segments"
    session = identity.look(guest.cookies[COOKIE])
    assert session is not None
    assert session.issuer == op.issuer


def test_a_first_password_is_nothing_to_somebody_from_the_provider(op: Provider) -> None:
    linked(op, initial=True)
    guest = visitor()
    comes(op, guest)
    assert guest.get("/segments", **HTML).status == 200
    assert 'name="old"' not in guest.get("/account", **HTML).text


def test_a_second_factor_is_set_up_by_who_has_just_been_seen_by_the_provider(op: Provider) -> None:
    linked(op)
    op.changes = {"auth_time": int(time.time()) - 3600}
    guest = visitor()
    comes(op, guest)
    page = guest.get("/account", accept_language="en", **HTML).text
    assert "For this, show Example ID once more who you are." in page
    assert f'href="{OIDC}?again"' in page
    assert guest.post("/account/totp", {}, origin=ORIGIN).status == 400
    op.changes = {}
    assert comes(op, guest, f"{OIDC}?again").headers["location"] == "/account"
    assert 'class="key"' in guest.post("/account/totp", {}, origin=ORIGIN).text


def test_whoever_is_to_be_seen_anew_is_asked_for_it(op: Provider) -> None:
    somebody()
    asked = dict(parse_qsl(urlsplit(goes(visitor(), f"{OIDC}?again")).query))
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")


def test_unlinking_and_disabling_end_what_began_with_the_provider(op: Provider) -> None:
    account = linked(op)
    guest = visitor()
    comes(op, guest)
    identities.unlink(opened(), "terminal:test", account.account_id, utc_now())
    assert who(guest) is None


def test_signing_out_ends_the_session_here_and_goes_on_to_the_provider(op: Provider) -> None:
    linked(op)
    guest = visitor()
    comes(op, guest)
    token = guest.cookies[COOKIE]
    answer = guest.post("/sign-out", origin=ORIGIN)
    # 200 and not a redirect, which the content security policy would stop after a form
    assert answer.status == 200
    elsewhere = answer.headers["refresh"].removeprefix("0; url=")
    asked = parse_qs(urlsplit(elsewhere).query)
    assert elsewhere.startswith(f"{op.issuer}/session?")
    assert asked["post_logout_redirect_uri"] == [HERE + "/sign-in"]
    assert op.answer("session", urlsplit(elsewhere).query)[1]["location"] == HERE + "/sign-in"
    identity.forget(token)
    assert identity.look(token) is None
    # somebody with a password goes to the sign-in page at once
    with_password = visitor(somebody("bo"))
    assert with_password.post("/sign-out", origin=ORIGIN).headers["location"] == "/sign-in"


def test_the_word_of_the_provider_is_kept_encrypted(op: Provider, tmp_path: Path) -> None:
    linked(op)
    guest = visitor()
    comes(op, guest)
    word = sessions.id_token(opened(), guest.cookies[COOKIE], utc_now())
    assert word.count(".") == 2
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("state.sqlite*"))
    assert word.encode() not in kept
    assert word.split(".")[1].encode() not in kept


def test_signing_out_works_while_the_provider_is_away(op: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    linked(op)
    guest = visitor()
    comes(op, guest)
    monkeypatch.setattr(provider, "_known", {})
    monkeypatch.setenv("MIRROR_OIDC_ISSUER", "http://127.0.0.1:9")
    settings.cache_clear()
    assert guest.post("/sign-out", origin=ORIGIN).headers["location"] == "/sign-in"
    assert who(guest) is None


def test_one_address_begins_so_many_visits_and_then_waits(op: Provider) -> None:
    somebody()
    guest = visitor()
    answers = [guest.get(OIDC, **HTML).status for _ in range(61)]
    assert answers == [303] * 60 + [503]


def test_a_refusal_of_the_provider_says_nothing_of_its_making(op: Provider, caplog: pytest.LogCaptureFixture) -> None:
    somebody()
    guest = visitor()
    state = parse_qs(urlsplit(goes(guest)).query)["state"][0]
    said = "access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E"
    answer = guest.get(f"{OIDC_BACK}?state={state}&error={said}", accept_language="en", **HTML)
    assert answer.status == 403
    assert "Example ID did not confirm who you are." in answer.text
    assert "alert(1)" not in answer.text
    assert "access_denied" in caplog.text


# ---- attacks: each fails, and works as soon as its one guard is taken out --------------------------------------------

ATTACKS = Attacks()
against = ATTACKS.against


def got_in(op: Provider, **changes: Any) -> bool:
    """Whether somebody comes in with an ID token that says something else."""
    linked(op)
    op.changes = changes
    guest = visitor()
    comes(op, guest)
    return who(guest) is not None


class _Unchecked(provider.CodeIDToken):  # type: ignore[misc]
    """Claims of which nothing is checked."""

    def validate(self, now: Any = None, leeway: int = 0) -> None:
        return


def with_params(**replaced: Any) -> Any:
    """The claims class with some of what it compares them with taken away."""

    class Claims(provider.CodeIDToken):  # type: ignore[misc]
        def __init__(self, claims: Any, header: Any, options: Any, params: Any) -> None:
            kept = {name: option for name, option in options.items() if name not in replaced}
            super().__init__(claims, header, kept, {**params, **replaced})

    return Claims


@against(provider__CodeIDToken=with_params(nonce=None))
def an_id_token_of_another_visit_is_brought(op: Provider) -> bool:
    return got_in(op, nonce="of-another-visit")


@against(provider__CodeIDToken=with_params(nonce=None))
def an_id_token_without_a_nonce_is_brought(op: Provider) -> bool:
    return got_in(op, nonce=None)


@against(provider__CodeIDToken=with_params(iss=None))
def an_id_token_says_it_is_of_another_issuer(op: Provider) -> bool:
    return got_in(op, iss="https://id.example.com")


@against(provider__CodeIDToken=with_params(aud=None, client_id=None))
def an_id_token_for_another_client_is_brought(op: Provider) -> bool:
    return got_in(op, aud=["another-client"])


@against(provider__CodeIDToken=with_params(client_id=None))
def an_id_token_was_made_for_another_client_that_shares_it(op: Provider) -> bool:
    return got_in(op, aud=[CLIENT_ID, "another-client"], azp="another-client")


@against(provider__CodeIDToken=_Unchecked)
def an_id_token_of_yesterday_is_brought(op: Provider) -> bool:
    return got_in(op, iat=int(time.time()) - 90_000, exp=int(time.time()) - 86_400)


@against(provider__CodeIDToken=_Unchecked)
def an_id_token_never_ends(op: Provider) -> bool:
    return got_in(op, exp=None)


@against(provider__CodeIDToken=_Unchecked)
def an_access_token_of_another_answer_is_slipped_in(op: Provider) -> bool:
    return got_in(op, at_hash="AAAAAAAAAAAAAAAAAAAAAA")


def decode(word: str, *_: object, **__: object) -> Any:
    """Reads an ID token without a look at its signature."""
    read = extract_compact(word.encode())
    return SimpleNamespace(claims=json.loads(read.payload), header=read.headers())


UNSIGNED = SimpleNamespace(decode=decode)


@against(provider__jwt=UNSIGNED)
def an_id_token_is_signed_with_a_key_of_somebody_else(op: Provider) -> bool:
    with Provider() as other:
        op.signs_with = other.keys
        return got_in(op)


@against(provider__jwt=UNSIGNED)
def an_id_token_is_not_signed_at_all(op: Provider) -> bool:
    op.algorithm = "none"
    return got_in(op)


@against(provider__jwt=UNSIGNED)
def an_id_token_is_signed_with_the_secret_of_the_client(op: Provider) -> bool:
    op.algorithm = "HS256"
    return got_in(op)


@against(oidc__visits__is_same_browser=everybody)
def somebody_is_signed_in_as_the_attacker_by_a_link(op: Provider) -> bool:
    linked(op)
    attacker, victim = visitor(), visitor()
    link = op.back(goes(attacker))
    victim.get(link, **HTML)
    return who(victim) is not None


@against(oidc__visits__is_same_browser=everybody)
def a_way_back_that_was_overheard_is_used_in_another_browser(op: Provider) -> bool:
    linked(op)
    victim = visitor()
    overheard = op.back(goes(victim))
    thief = visitor()
    goes(thief)
    thief.get(overheard, **HTML)
    return who(thief) is not None


def keep(engine: Any, state: str, browser: str, now: Any) -> Any:
    """Ends a visit, and puts it back."""
    with engine.connect() as connection:
        row = connection.execute(select(provider_visit).where(provider_visit.c.digest == digest(state))).one()
    found = END(engine, state, browser, now)
    with writing(engine) as connection:
        connection.execute(insert(provider_visit).values(**row._mapping))
    return found


END = visits.end


# The provider takes a code once, too, so that guard is out of the way: the second time brings a new code of the visit.
@against(oidc__visits__end=keep)
def a_way_back_is_used_twice(op: Provider) -> bool:
    linked(op)
    guest = visitor()
    there = goes(guest)
    first, second = op.back(there), op.back(there)
    cookie = guest.cookies[oidc.COOKIE]
    guest.get(first, **HTML)
    guest.post("/sign-out", origin=ORIGIN)
    guest.cookies[oidc.COOKIE] = cookie
    guest.get(second, **HTML)
    return who(guest) is not None


@against(provider__is_from=everybody)
def another_provider_sends_the_browser_back(op: Provider) -> bool:
    linked(op)
    guest = visitor()
    back = op.back(goes(guest))
    mixed_up = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", back)
    assert mixed_up != back
    guest.get(mixed_up, **HTML)
    return who(guest) is not None


@against(oidc__safe_target=lambda target: target or "/")
def the_sign_in_leads_to_another_site(op: Provider) -> bool:
    linked(op)
    answer = comes(op, visitor(), f"{OIDC}?next=https%3A%2F%2Fevil.example%2F")
    return answer.headers["location"] == "https://evil.example/"


@against(sign_in_page__escape=str)
def a_subject_runs_as_a_script(op: Provider) -> bool:
    somebody()
    op.changes = {"sub": "<script>alert(1)</script>"}
    return "<script>alert" in comes(op, visitor()).text


def by_email(connection: Any, wanted: Identity) -> Account | None:
    return accounts.by_name(connection, wanted.subject)


@against(oidc__sign_in__identities__account_of=by_email)
def somebody_calls_themselves_as_the_administrator_does(op: Provider) -> bool:
    somebody("chief@example.com", Rights("administrator"))
    op.changes = {"sub": "chief@example.com", "email": "chief@example.com"}
    guest = visitor()
    comes(op, guest)
    return who(guest) == "chief@example.com"


@against(provider__Identity=lambda _, subject: Identity(OTHER, subject))
def a_person_of_another_provider_has_the_same_subject(op: Provider) -> bool:
    made = somebody()
    identities.link(opened(), "terminal:test", made.account_id, Identity(OTHER, ANN), utc_now())
    guest = visitor()
    comes(op, guest)
    return who(guest) is not None


@against(oidc__sign_in__settings=lambda: settings().model_copy(update={"oidc_issuer": ""}))
def a_password_goes_round_the_provider(op: Provider) -> bool:
    somebody()
    guest = visitor()
    guest.post("/sign-in", {"name": "ann", "password": PASSWORD}, origin=ORIGIN)
    return who(guest) is not None


@against(provider___is_fresh=everybody)
def somebody_at_an_open_browser_is_not_asked_who_they_are(op: Provider) -> bool:
    linked(op)
    op.changes = {"auth_time": int(time.time()) - 3600}
    guest = visitor()
    comes(op, guest, f"{OIDC}?again")
    return who(guest) is not None


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_sign_in_with_a_provider_fails(op: Provider, name: str) -> None:
    assert not ATTACKS.works(name, op)


@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_guard_the_attack_on_a_provider_works(
    op: Provider, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ATTACKS.works_without_guard(name, monkeypatch, op)


def test_a_code_is_good_once_at_the_provider_and_only_with_the_verifier(op: Provider) -> None:
    linked(op)
    guest = visitor()
    there = goes(guest)
    code = parse_qs(urlsplit(op.back(there)).query)["code"][0]
    # Who has read the code alone, from a log or a history, brings it with a visit of the own.
    thief = visitor()
    state = parse_qs(urlsplit(goes(thief)).query)["state"][0]
    answer = thief.get(f"{OIDC_BACK}?state={state}&code={code}&iss={op.issuer}", **HTML)
    assert answer.status == 403
    assert who(thief) is None
