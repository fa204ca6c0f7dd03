"""Websockets: whose they are, how many, and when they end."""

import time
from pathlib import Path

import pytest

from pages._gate import identity, sockets
from pages._gate.gate import SIGN_IN_ID
from tests.gate.kit import HTML, ORIGIN, STREAM, Demo, beside, visitor
from tests.visitor import Visitor


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "null"},
        {"origin": "http://evil.example", "host": "evil.example"},
    ],
    ids=str,
)
def test_a_websocket_from_elsewhere_is_refused(signed_in: Visitor, headers: dict[str, str]) -> None:
    assert signed_in.connect("/_stcore/stream", **headers) is None


def test_a_websocket_needs_an_identity(home: Path) -> None:
    assert visitor().connect("/_stcore/stream", origin=ORIGIN) is None


def test_a_websocket_carries_its_own_sign_in_and_no_other(signed_in: Visitor) -> None:
    texts = signed_in.connect("/_stcore/stream", **{"origin": ORIGIN, SIGN_IN_ID: "somebody else's"})
    session = identity.look(signed_in.cookies[identity.COOKIE])
    assert session is not None
    assert texts == [session.session_id]


def test_a_socket_ends_by_itself_when_its_sign_in_does(signed_in: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(sockets, "LOOK_WHEN_QUIET", 0.02)
    cookie = dict(signed_in.cookies)
    # Nothing is said on the socket after the sign-out: no click, no frame.
    talk = signed_in.talk(
        STREAM, [b"one", lambda: signed_in.post("/sign-out", origin=ORIGIN), lambda: time.sleep(1)], origin=ORIGIN
    )
    assert talk.frames == [b"one"]
    assert talk.close_code == sockets.REVOKED == 4401
    assert cookie != signed_in.cookies


def test_a_sign_in_is_looked_up_at_most_once_a_second(signed_in: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str | None] = []
    signed_in.get("/", **HTML)
    find = identity.sessions.find
    monkeypatch.setattr(identity.sessions, "find", lambda *at, **how: looks.append(at[1]) or find(*at, **how))
    talk = signed_in.talk(STREAM, [b"1", b"2", b"3", b"4"], origin=ORIGIN)
    assert talk.frames == [b"1", b"2", b"3", b"4"]
    assert looks == []


def test_the_places_of_one_person_are_not_those_of_another(signed_in: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PER_PERSON", 1)
    other = beside(signed_in, Demo("manager", "S2"))
    tried: list[list[str] | None] = []

    def both() -> None:
        tried.append(signed_in.connect(STREAM, origin=ORIGIN))
        tried.append(other.connect(STREAM, origin=ORIGIN))

    signed_in.talk(STREAM, [both], origin=ORIGIN)
    assert tried[0] is None
    assert tried[1] is not None
    # and the place is free again
    assert signed_in.connect(STREAM, origin=ORIGIN) is not None


def test_all_people_together_have_so_many_places(signed_in: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (sockets.PER_PERSON, sockets.IN_TOTAL) == (20, 200)
    monkeypatch.setattr(sockets, "IN_TOTAL", 1)
    other = beside(signed_in, Demo("manager", "S2"))
    tried: list[list[str] | None] = []
    signed_in.talk(STREAM, [lambda: tried.append(other.connect(STREAM, origin=ORIGIN))], origin=ORIGIN)
    assert tried == [None]
