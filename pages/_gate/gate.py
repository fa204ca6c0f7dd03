"""The gate in front of every route of the process: pages, static files, downloads and the websocket.

Deny by default. Without a session only the sign-in page, the setup page and the health routes answer. Who somebody is
comes from ``identity`` alone.
"""

import asyncio
from functools import partial
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from data_access.freshness import utc_now
from data_access.state import audit
from data_access.state.sessions import Session
from data_access.state.store import opened, writing
from pages._gate import ahead, begin_page, identity, index, page
from pages._gate.belongings import UPLOAD, Belongings
from pages._gate.hosts import SAFE_METHODS, host_name, is_private, is_served, same_origin
from pages._gate.look import chosen_language
from pages._gate.sockets import Line, Places
from pages._gate.state import State, any_account, one_click, state
from pages._ui import access

HEALTH = ("/healthz", "/readyz")
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
OIDC = "/sign-in/oidc"
OIDC_BACK = "/sign-in/oidc/callback"
OIDC_SIGN_OUT = "/sign-in/oidc/sign-out"
SETUP = "/setup"
BEGIN = "/begin"
ACCOUNT = "/account"
EXPORT = "/export"
FORM_SCRIPT = "/form.js"

_BEFORE_SIGN_IN = (SIGN_IN, OIDC, OIDC_BACK, OIDC_SIGN_OUT, SIGN_OUT, SETUP, BEGIN)

# Hold nothing of the chain, whatever state the app is in.
_OPEN = (FORM_SCRIPT, ahead.SCRIPT, ahead.SAMPLE)

LARGEST_FORM = 16 * 1024  # bytes

# Streamlit's routes that answer to anybody or say more about the process than a person needs.
_CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")

# Streamlit's own routes and files; every other path is a page.
_STREAMLIT = ("/_stcore/", "/media/", "/component/", "/static/", index.START)

# Streamlit takes this header for the user's identity (server.trustedUserHeaders) and compares it when a websocket asks
# to resume a session, so that one sign-in cannot take over the session of another by its id. Only the gate sets it.
SIGN_IN_ID = "x-mirror-sign-in"


class Gate:
    """Pure ASGI middleware; the outermost one after the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.belongings = Belongings()
        self.places = Places()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            # Whatever a client says of itself here, only the gate's word counts.
            del MutableHeaders(scope=scope)[SIGN_IN_ID]
        if scope["type"] == "http":
            answer = await self._answer(Request(scope))
            if answer is not None:
                await answer(scope, receive, send)
                return
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        """The gate's own answer to a request; None when it goes on to the routes behind."""
        if not is_served(request):
            return PlainTextResponse("This host name is not served here.", status_code=421)
        path = request.url.path
        if path in HEALTH:
            return None
        if path.startswith(_CLOSED):
            return PlainTextResponse("Not found", status_code=404)
        # Whatever changes something is asked for by our own pages only: signing in and out, uploads.
        # The provider signs people out with a signed word of its own instead; no cookie counts there.
        if request.method not in SAFE_METHODS and path != OIDC_SIGN_OUT and not same_origin(request):
            return PlainTextResponse("Refused: the request did not come from this site.", status_code=403)
        if not is_private(request):
            return page.refused(request, State.NOT_PRIVATE)
        if path in _OPEN or (path in ahead.files() and request.method in SAFE_METHODS):
            return None
        now = await run_in_threadpool(state)
        if now not in (State.OPEN, State.NO_DATA) and not (now is State.NO_ACCOUNTS and path == SETUP):
            return page.refused(request, now)
        if _is_ours(path) and not _is_small(request):
            return PlainTextResponse("Refused: this form is too large.", status_code=413)
        if path in _BEFORE_SIGN_IN:
            return None
        session = await _session(request)
        if now is State.NO_DATA and not _brings_data(session):
            return begin_page.show(request, with_accounts=await asyncio.to_thread(any_account))
        if session is None:
            return _strangers_answer(request)
        if session.todo and not _is_account(path):
            # Nothing else opens before the password is one's own and the second factor is there.
            return RedirectResponse(ACCOUNT, 303) if _opens_page(request) else PlainTextResponse("Later.", 403)
        if not self.belongings.allow(session.session_id, path) or (
            path.startswith(UPLOAD) and session.role != "administrator"
        ):
            return PlainTextResponse("Not found", status_code=404)
        if not _opens_page(request):
            return None
        key = path.strip("/")
        if key in access.BY_KEY and not access.may_open(session.role, key):
            await asyncio.to_thread(_log_denied, session.actor, key)
        return _page_answer(request, identity.person_of(session), now)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        refused = {"type": "websocket.close", "code": 1008}
        session = await _session(connection) if await self._may_connect(connection) else None
        if session is None or session.todo or not await run_in_threadpool(_may_look, session):
            await send(refused)
            return
        person = session.account.account_id if session.account else session.session_id
        with self.places.taken(person) as free:
            if not free:
                await send(refused)
                return
            # Streamlit compares it when a socket asks to resume a session.
            MutableHeaders(scope=scope)[SIGN_IN_ID] = session.session_id
            token = identity.token_of(connection)
            line = Line(
                receive,
                send,
                good=partial(_still_good, token, session.session_id),
                # What a click starts reads the rights of this moment.
                heard=partial(identity.forget, token),
                learn=partial(self.belongings.learn, session.session_id),
            )
            try:
                await self.app(scope, line.receive, line.send)
            finally:
                line.close()

    async def _may_connect(self, connection: HTTPConnection) -> bool:
        return (
            is_served(connection)
            and is_private(connection)
            and same_origin(connection)
            and await run_in_threadpool(state) in (State.OPEN, State.NO_DATA)
        )


async def _session(connection: HTTPConnection) -> Session | None:
    """The session behind a request or a new socket. One-click entry is worth nothing where it is not offered."""
    session = await asyncio.to_thread(identity.look, identity.token_of(connection))
    if session is not None and session.account is None and not one_click(connection, host_name(connection)):
        return None
    return session


async def _still_good(token: str | None, session_id: str, acted: bool) -> bool:
    """Whether the session of an open socket still is the one it was opened with, with nothing left to do first."""
    session = await asyncio.to_thread(partial(identity.look, token, acted=acted))
    return session is not None and session.session_id == session_id and not session.todo


def _brings_data(session: Session | None) -> bool:
    """Whether somebody may bring in the first data: an administrator with an account."""
    return session is not None and session.account is not None and session.role == "administrator"


def _may_look(session: Session) -> bool:
    return state() is State.OPEN or _brings_data(session)


def _strangers_answer(request: Request) -> Response:
    if _is_export(request.url.path):
        return RedirectResponse(SIGN_IN, status_code=303)  # what was offered ended with its session
    if _opens_page(request):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{SIGN_IN}?next={quote(target, safe='')}", status_code=303)
    return PlainTextResponse("Sign in first.", status_code=401)


def _log_denied(actor: str, page: str) -> None:
    with writing(opened()) as connection:
        audit.append(connection, actor, "denied", page, at=utc_now())


def _opens_page(request: Request) -> bool:
    return request.method in SAFE_METHODS and "text/html" in request.headers.get("accept", "")


def _is_account(path: str) -> bool:
    return path == ACCOUNT or path.startswith(f"{ACCOUNT}/")


def _is_export(path: str) -> bool:
    return path == EXPORT or path.startswith(f"{EXPORT}/")


def _is_ours(path: str) -> bool:
    """Whether the gate's own routes answer to ``path``, forms among them."""
    return path in _BEFORE_SIGN_IN or _is_account(path) or _is_export(path)


def _is_small(request: Request) -> bool:
    """Whether the body of a request has a length and it is one of a form."""
    if request.method in SAFE_METHODS:
        return True
    length = request.headers.get("content-length", "")
    return length.isascii() and length.isdigit() and int(length) <= LARGEST_FORM


def _page_answer(request: Request, person: identity.Person, now: State) -> Response | None:
    """The answer to a visit: the page that starts Streamlit, or that there is no such page for this role.

    Streamlit alone would serve the former for any path and say only later, in English, that it knows no such page.
    None for its own files.
    """
    path = request.url.path
    if path.startswith(_STREAMLIT) or _is_account(path) or _is_export(path):
        return None
    key = path.strip("/")
    if now is State.NO_DATA:
        return HTMLResponse(index.index(chosen_language(request))) if not key else RedirectResponse("/", 303)
    if key == access.first_page(person.role):
        # Streamlit serves the page a role lands on at the root only.
        return RedirectResponse("/" + (f"?{request.url.query}" if request.url.query else ""), status_code=303)
    if key and not access.may_open(person.role, key):
        return page.not_found(request)
    return HTMLResponse(index.index(chosen_language(request)))
