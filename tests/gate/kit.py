"""An app with our gate and routes in front of a stand-in for Streamlit, and people who visit it."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import sessions
from data_access.state.accounts import Account
from data_access.state.sessions import Visitor as Demo
from data_access.state.store import opened
from pages._gate import identity
from pages._gate.gate import SIGN_IN_ID, Gate
from pages._gate.headers import SecurityHeaders
from pages._gate.identity import COOKIE, Person
from pages._gate.routes import ROUTES
from tests.visitor import Visitor

ORIGIN = "http://localhost"
HTML = {"accept": "text/html"}
STREAM = "/_stcore/stream"
BEHIND = "the app behind the gate"
_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]


async def behind(request: object) -> PlainTextResponse:
    return PlainTextResponse(BEHIND)


async def stream(websocket: WebSocket) -> None:
    """Says what the gate calls the visitor's sign-in, then repeats what it hears, as Streamlit's binary frames."""
    await websocket.accept()
    await websocket.send_text(websocket.headers.get(SIGN_IN_ID, ""))
    try:
        while True:
            await websocket.send_bytes(await websocket.receive_bytes())
    except WebSocketDisconnect:
        return


def app() -> Starlette:
    return Starlette(
        routes=[*ROUTES, WebSocketRoute(STREAM, stream), Route("/{path:path}", behind, methods=_METHODS)],
        middleware=[Middleware(SecurityHeaders), Middleware(Gate)],
    )


def visitor(who: Account | Demo | None = None, **at: str) -> Visitor:
    """Somebody at an app of their own, signed in as ``who``."""
    return Visitor(app(), cookies={COOKIE: begin(who)} if who else {}, **at)


def beside(other: Visitor, who: Account | Demo) -> Visitor:
    """Somebody else at the same app as ``other``."""
    return Visitor(other.app, cookies={COOKIE: begin(who)})


def begin(who: Account | Demo) -> str:
    """The token of a new session."""
    return sessions.begin(opened(), who, utc_now(), address="127.0.0.1", device="Chrome · Linux")


def who_is(guest: Visitor) -> Person | None:
    """Whom the gate takes ``guest`` for, read afresh."""
    token = identity.token(guest.cookies)
    identity.forget(token)
    session = identity.look(token)
    return None if session is None else identity.person_of(session)


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes ``folder`` the home of this process for the rest of the test."""
    monkeypatch.setenv("MIRROR_HOME", str(folder))
    settings.cache_clear()
