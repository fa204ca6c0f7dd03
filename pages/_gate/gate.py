"""The gate in front of every route of the process: pages, static files, downloads and the websocket.

Deny by default. Without a valid identity only the sign-in page and the health routes answer. The checks that need no
accounts are final; who somebody is comes from ``identity`` alone, so that accounts can replace one-click entry there.
"""

from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pages._gate import identity, index, page
from pages._gate.look import chosen_language
from pages._gate.state import State, is_loopback, state
from pages._ui import access

HEALTH = ("/healthz", "/readyz")
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"

# Streamlit's routes that answer to anybody or say more about the process than a person needs.
_CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")

# Streamlit's own routes and files; every other path is a page.
_STREAMLIT = ("/_stcore/", "/media/", "/component/", "/static/", index.START)

# Streamlit compares this header when a websocket asks to resume a session (server.trustedUserHeaders), so that one
# sign-in cannot take over the session of another by its id. Only the gate sets it.
SIGN_IN_ID = "x-mirror-sign-in"


class Gate:
    """Pure ASGI middleware; the outermost one after the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            answer = await self._answer(Request(scope))
            if answer is not None:
                await answer(scope, receive, send)
                return
        elif scope["type"] == "websocket":
            connection = HTTPConnection(scope)
            if not await self._may_connect(connection):
                await send({"type": "websocket.close", "code": 1008})
                return
            _name_sign_in(scope, connection)
        await self.app(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        """The gate's own answer to a request; None when it goes on to the routes behind."""
        if not _is_local(request):
            return PlainTextResponse("This host name is not served here.", status_code=421)
        path = request.url.path
        if path in HEALTH:
            return None
        if path.startswith(_CLOSED):
            return PlainTextResponse("Not found", status_code=404)
        now = await run_in_threadpool(state)
        if now is not State.OPEN:
            return page.refused(request, now)
        if path in (SIGN_IN, SIGN_OUT):
            # Their POST changes who is signed in: only from our own pages.
            if request.method != "GET" and not same_origin(request.headers):
                return PlainTextResponse("Refused: the form did not come from this site.", status_code=403)
            return None
        person = identity.unseal(request.cookies.get(identity.COOKIE))
        opens_page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
        if person is not None:
            return _page_answer(request, person) if opens_page else None
        if opens_page:
            target = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(target, safe='')}", status_code=303)
        return PlainTextResponse("Sign in first.", status_code=401)

    async def _may_connect(self, connection: HTTPConnection) -> bool:
        return (
            _is_local(connection)
            and same_origin(connection.headers)
            and identity.unseal(connection.cookies.get(identity.COOKIE)) is not None
            and await run_in_threadpool(state) is State.OPEN
        )


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


def same_origin(headers: Headers) -> bool:
    """Whether the Origin is present and names the very host and port the request went to."""
    return bool(headers.get("host")) and urlsplit(headers.get("origin", "")).netloc == headers["host"]


def _is_local(connection: HTTPConnection) -> bool:
    """Whether both the name that was asked for and the peer are this machine."""
    try:
        host = urlsplit(f"//{connection.headers.get('host', '')}").hostname
    except ValueError:
        return False
    peer = connection.client
    return host is not None and is_loopback(host) and (peer is None or is_loopback(peer.host))


def _name_sign_in(scope: Scope, connection: HTTPConnection) -> None:
    headers = MutableHeaders(scope=scope)
    headers[SIGN_IN_ID] = identity.sign_in_id(connection.cookies[identity.COOKIE]) or ""
