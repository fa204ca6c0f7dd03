"""The gate in front of every route of the process: pages, static files, downloads and the websocket.

Deny by default. Without a valid identity only the sign-in page and the health routes answer. The checks that need no
accounts are final; who somebody is comes from ``identity`` alone, so that accounts can replace one-click entry there.
"""

from functools import partial
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pages._gate import identity, index, page
from pages._gate.belongings import Belongings
from pages._gate.hosts import SAFE_METHODS, is_served, same_origin
from pages._gate.look import chosen_language
from pages._gate.sockets import Line, Places
from pages._gate.state import State, state
from pages._ui import access

HEALTH = ("/healthz", "/readyz")
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"

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
        if request.method not in SAFE_METHODS and not same_origin(request):
            return PlainTextResponse("Refused: the request did not come from this site.", status_code=403)
        now = await run_in_threadpool(state)
        if now is not State.OPEN:
            return page.refused(request, now)
        if path in (SIGN_IN, SIGN_OUT):
            return None
        cookie = request.cookies.get(identity.COOKIE)
        person, sign_in = identity.unseal(cookie), identity.sign_in_id(cookie)
        opens_page = request.method in SAFE_METHODS and "text/html" in request.headers.get("accept", "")
        if person is not None and sign_in is not None:
            if not self.belongings.allow(sign_in, path):
                return PlainTextResponse("Not found", status_code=404)
            return _page_answer(request, person) if opens_page else None
        if opens_page:
            target = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(target, safe='')}", status_code=303)
        return PlainTextResponse("Sign in first.", status_code=401)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        cookie = connection.cookies.get(identity.COOKIE)
        sign_in = identity.sign_in_id(cookie)
        refused = {"type": "websocket.close", "code": 1008}
        if sign_in is None or not await self._may_connect(connection):
            await send(refused)
            return
        with self.places.taken(sign_in) as free:
            if not free:
                await send(refused)
                return
            # Streamlit compares it when a socket asks to resume a session.
            MutableHeaders(scope=scope)[SIGN_IN_ID] = sign_in

            async def good(acted: bool) -> bool:
                return identity.unseal(cookie) is not None

            line = Line(receive, send, good, partial(self.belongings.learn, sign_in))
            try:
                await self.app(scope, line.receive, line.send)
            finally:
                line.close()

    async def _may_connect(self, connection: HTTPConnection) -> bool:
        return is_served(connection) and same_origin(connection) and await run_in_threadpool(state) is State.OPEN


def _page_answer(request: Request, person: identity.Person) -> Response | None:
    """The answer to a visit: the page that starts Streamlit, or that there is no such page for this role.

    Streamlit alone would serve the former for any path and say only later, in English, that it knows no such page.
    None for its own files.
    """
    path = request.url.path
    if path.startswith(_STREAMLIT):
        return None
    key = path.strip("/")
    if key == access.first_page(person.role):
        # Streamlit serves the page a role lands on at the root only.
        return RedirectResponse("/" + (f"?{request.url.query}" if request.url.query else ""), status_code=303)
    if key and not access.may_open(person.role, key):
        return page.not_found(request)
    return HTMLResponse(index.index(chosen_language(request)))
