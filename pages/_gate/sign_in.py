"""The routes before sign-in: one-click entry to the demo chain, sign-out, health.

This is the place for accounts: another way to find out who somebody is ends, like this one, in ``identity.seal``.
"""

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from data_access.settings import settings
from data_access.snapshot import current_snapshot
from pages._gate import identity, page, places
from pages._gate.gate import HEALTH, SIGN_IN, SIGN_OUT
from pages._gate.index import START, START_SCRIPT
from pages._gate.state import State, state
from pages._gate.warm import warmed


async def show(request: Request) -> Response:
    """The sign-in page, or straight on for somebody who is signed in and follows a link to it."""
    entries = await run_in_threadpool(_entries)
    return page.sign_in(request, entries, safe_target(request.query_params.get("next")))


async def enter(request: Request) -> Response:
    """One-click entry: a role and, for a manager or a regional head, the store or region it is for."""
    form = await request.form(max_files=0, max_fields=10)
    entries = await run_in_threadpool(_entries)
    person = entries.person(str(form.get("role", "")), str(form.get("home", "")))
    if person is None:
        return RedirectResponse(SIGN_IN, status_code=303)
    answer = RedirectResponse(safe_target(str(form.get("next", ""))), status_code=303)
    answer.set_cookie(
        identity.COOKIE, identity.seal(person), max_age=identity.MAX_AGE, path="/", httponly=True, samesite="lax"
    )
    return answer


async def leave(request: Request) -> Response:
    """Sign-out: the cookie goes, and its value is worth nothing from now on in this process."""
    identity.revoke(request.cookies.get(identity.COOKIE))
    answer = RedirectResponse(SIGN_IN, status_code=303)
    answer.delete_cookie(identity.COOKIE, path="/", httponly=True, samesite="lax")
    return answer


async def ask_to_leave(request: Request) -> Response:
    """Signing out changes something, so a link alone does not do it: a page with one button."""
    return page.sign_out(request)


async def start_script(_: Request) -> Response:
    """Where the server is, for Streamlit in the browser."""
    return Response(START_SCRIPT, media_type="text/javascript")


async def healthz(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(_: Request) -> Response:
    """The process has its imports and first reports behind it and data to show."""
    now = await run_in_threadpool(state)
    ready = now is State.OPEN and warmed.is_set()
    return JSONResponse({"ready": ready, "state": now.name.lower(), "warm": warmed.is_set()}, 200 if ready else 503)


def safe_target(target: str | None) -> str:
    """A path on this site to go on to; the first page when ``target`` leads anywhere else."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return "/"
    if any(ord(character) < 32 for character in target):
        return "/"
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path in (SIGN_IN, SIGN_OUT, *HEALTH):
        return "/"
    return target


def _entries() -> places.Entries:
    return places.entries(current_snapshot(settings().home))


ROUTES = [
    Route(SIGN_IN, show, methods=["GET"]),
    Route(SIGN_IN, enter, methods=["POST"]),
    Route(SIGN_OUT, ask_to_leave, methods=["GET"]),
    Route(SIGN_OUT, leave, methods=["POST"]),
    Route(START, start_script, methods=["GET"]),
    Route(HEALTH[0], healthz, methods=["GET"]),
    Route(HEALTH[1], readyz, methods=["GET"]),
]
