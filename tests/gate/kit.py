"""An app with our gate and routes in front of a stand-in for Streamlit, and people who visit it."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from data_access.settings import settings
from pages._gate.gate import SIGN_IN_ID, Gate
from pages._gate.headers import SecurityHeaders
from pages._gate.identity import COOKIE, Person, seal
from pages._gate.sign_in import ROUTES
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


def visitor(person: Person | None = None, **at: str) -> Visitor:
    """Somebody at an app of their own, signed in as ``person``."""
    return Visitor(app(), cookies={COOKIE: seal(person)} if person else {}, **at)


def beside(other: Visitor, person: Person) -> Visitor:
    """Somebody else at the same app as ``other``."""
    return Visitor(other.app, cookies={COOKIE: seal(person)})


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes ``folder`` the home of this process for the rest of the test."""
    monkeypatch.setenv("MIRROR_HOME", str(folder))
    settings.cache_clear()
