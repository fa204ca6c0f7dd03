"""The cookie that says who somebody is: a token that only the app's own store can tell the meaning of."""

from datetime import timedelta
from pathlib import Path

import pytest

from data_access.freshness import utc_now
from data_access.state import sessions
from pages._gate import identity
from pages._gate.identity import COOKIE, MAX_AGE, SECURE_COOKIE, Person
from tests.gate.kit import HTML, ORIGIN, Demo, begin, use, visitor, who_is
from tests.small_chain import build
from tests.visitor import Visitor


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "e30.aaaa.bbbb", "%00", "\ud800", "x" * 5_000])
def test_a_made_up_token_is_nobody(home: Path, value: str) -> None:
    assert identity.look(value) is None


def test_the_cookie_says_nothing_of_the_person(signed_in: Visitor) -> None:
    value = signed_in.cookies[COOKIE]
    assert len(value) == 43  # 256 bits, six to a character: there is room for the random draw and for nothing else
    again = begin(Demo("manager", "S1"))
    shared = sum(one == other for one, other in zip(value, again, strict=True))
    assert shared < 20  # the same person twice: about 43 / 64 of the characters agree by chance


@pytest.mark.parametrize(
    ("idle", "age", "valid"),
    [
        (timedelta(minutes=29), timedelta(hours=1), True),
        (timedelta(minutes=31), timedelta(hours=1), False),
        (timedelta(minutes=1), timedelta(hours=11, minutes=59), True),
        (timedelta(minutes=1), timedelta(hours=12, minutes=1), False),
    ],
    ids=str,
)
def test_a_session_ends_when_idle_and_in_any_case(
    home: Path, monkeypatch: pytest.MonkeyPatch, idle: timedelta, age: timedelta, valid: bool
) -> None:
    guest = visitor(Demo("marketing"))
    start = utc_now()
    seen = start
    while seen + timedelta(minutes=20) < start + age - idle:
        seen += timedelta(minutes=20)
        monkeypatch.setattr(identity, "utc_now", lambda seen=seen: seen)
        assert who_is(guest) is not None
    for at in (start + age - idle, start + age):
        monkeypatch.setattr(identity, "utc_now", lambda at=at: at)
        found = who_is(guest)
    assert (found is not None) is valid
    assert timedelta(seconds=MAX_AGE) == sessions.LONGEST


def test_a_look_of_the_program_keeps_nothing_alive(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = begin(Demo("marketing"))
    start = utc_now()
    for minutes, acted, valid in ((20, False, True), (31, False, False)):
        monkeypatch.setattr(identity, "utc_now", lambda minutes=minutes: start + timedelta(minutes=minutes))
        identity.forget(token)
        assert (identity.look(token, acted=acted) is not None) is valid


def test_a_cookie_of_another_installation_is_nobody(
    signed_in: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert who_is(signed_in) is not None
    build(tmp_path / "other")
    use(tmp_path / "other", monkeypatch)
    assert who_is(signed_in) is None
    assert signed_in.get("/", **HTML).status == 303


def test_over_tls_the_cookie_is_bound_to_the_host_and_never_travels_without(home: Path) -> None:
    guest = visitor(scheme="https")
    answer = guest.post("/sign-in", {"role": "marketing"}, origin="https://localhost")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SECURE_COOKIE}=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
        assert part in cookie
    assert "Domain" not in cookie
    assert who_is(guest) == Person("marketing", (), "demo:marketing:")


def test_over_tls_a_cookie_that_anybody_can_set_counts_for_nothing(home: Path) -> None:
    guest = visitor(Demo("marketing"), scheme="https")
    assert set(guest.cookies) == {COOKIE}
    assert guest.get("/", **HTML).status == 303
    assert guest.connect("/_stcore/stream", origin="https://localhost") is None


def test_nobody_keeps_a_token_through_a_sign_in(signed_in: Visitor) -> None:
    before = signed_in.cookies[COOKIE]
    signed_in.post("/sign-in", {"role": "marketing"}, origin=ORIGIN)
    assert signed_in.cookies[COOKIE] != before
    identity.forget(before)
    assert identity.look(before) is None
