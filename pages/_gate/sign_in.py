"""The routes before sign-in: with an account, with one click to the demo chain, sign-out, health.

However somebody comes in, it ends in a session of the app's own store and its token in a cookie.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.snapshot import current_snapshot
from data_access.state import sessions, sign_in
from data_access.state.accounts import Account
from data_access.state.rules import Rule
from data_access.state.sessions import Visitor
from data_access.state.sign_in import Refused
from data_access.state.store import opened
from pages._gate import identity, page, places, sign_in_page
from pages._gate.gate import FORM_SCRIPT, HEALTH, SIGN_IN, SIGN_OUT
from pages._gate.hosts import host_name
from pages._gate.index import START, START_SCRIPT
from pages._gate.look import asset
from pages._gate.state import State, any_account, one_click, state
from pages._gate.warm import warmed

Result = TypeVar("Result")

# Passwords take time and memory to compare. Threads of their own, so that a flood of attempts keeps nobody else
# waiting; more of them than ``passwords`` lets wait, so that it decides who is sent away.
_workers = ThreadPoolExecutor(24, "sign-in")


async def show(request: Request) -> Response:
    """The sign-in page."""
    return await _page(request)


async def enter(request: Request) -> Response:
    """Sign-in with a password, with the code that it asks for next, or with one click to the demo chain."""
    form = await read(request)
    if "role" in form:
        return await _enter_demo(request, form)
    if not await asyncio.to_thread(any_account):
        return RedirectResponse(SIGN_IN, status_code=303)
    address = address_of(request)
    if "ticket" in form:
        code = form.get("code", "")
        found = await apart(lambda: sign_in.with_code(opened(), form["ticket"], code, address, utc_now()))
    else:
        name, password = form.get("name", ""), form.get("password", "")
        found = await apart(lambda: sign_in.attempt(opened(), name, password, "", address, utc_now()))
    if isinstance(found, Account):
        return await _begin(request, found, form.get("next", ""))
    if "ticket" in form and found.reason != "busy":
        # The ticket is good for another code until it ends.
        found = replace(found, ticket=form["ticket"])
    return await _page(request, refused=found, form=form)


async def leave(request: Request) -> Response:
    """Sign-out: the session ends here and now, in every tab."""
    await end_session(request)
    answer = RedirectResponse(SIGN_IN, status_code=303)
    identity.take_back(answer, request)
    return answer


async def ask_to_leave(request: Request) -> Response:
    """Signing out changes something, so a link alone does not do it: a page with one button."""
    return page.sign_out(request)


async def start_script(_: Request) -> Response:
    """Where the server is, for Streamlit in the browser."""
    return Response(START_SCRIPT, media_type="text/javascript")


async def form_script(_: Request) -> Response:
    """Shows a password to the person who types it."""
    return Response(asset("form.js"), media_type="text/javascript")


async def healthz(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(_: Request) -> Response:
    """The process has its imports and first reports behind it and data to show."""
    now = await asyncio.to_thread(state)
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


async def read(request: Request) -> dict[str, str]:
    """The fields of a form. The gate has seen to its size."""
    form = await request.form(max_files=0, max_fields=10)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def apart(work: Callable[[], Result]) -> Result:
    """Does work that compares or makes passwords, in the threads for it."""
    return await asyncio.get_running_loop().run_in_executor(_workers, work)


async def begun(request: Request, who: Account | Visitor, target: str) -> Response:
    """On to ``target`` with a new session. The one this browser had ends: no token lives through a sign-in."""
    await end_session(request)
    address, device = address_of(request), device_of(request)
    token = await apart(lambda: sessions.begin(opened(), who, utc_now(), address=address, device=device))
    answer = RedirectResponse(target, status_code=303)
    identity.give(answer, request, token)
    return answer


async def end_session(request: Request) -> None:
    """Ends the session this browser has, if any."""
    token = identity.token_of(request)
    if token:
        await asyncio.to_thread(sessions.end, opened(), token, utc_now())
        identity.forget(token)


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy that uvicorn trusts, what the proxy says."""
    return request.client.host if request.client else ""


def device_of(request: Request) -> str:
    """Browser and system in two words, for the list of one's own sign-ins."""
    agent = request.headers.get("user-agent", "")
    browser = next((name for name, mark in _BROWSERS if mark in agent), "")
    system = next((name for name, mark in _SYSTEMS if re.search(mark, agent)), "")
    return " · ".join(filter(None, (browser, system)))


_BROWSERS = (
    ("WeChat", "MicroMessenger/"),
    ("Edge", "Edg/"),
    ("Firefox", "Firefox/"),
    ("Chrome", "Chrome/"),
    ("Safari", "Safari/"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("Linux", "Linux"),
)


async def _enter_demo(request: Request, form: dict[str, str]) -> Response:
    offered = await asyncio.to_thread(_entries, request)
    visitor = offered.visitor(form["role"], form.get("home", "")) if offered else None
    if visitor is None:
        return RedirectResponse(SIGN_IN, status_code=303)
    return await begun(request, visitor, safe_target(form.get("next")))


async def _begin(request: Request, account: Account, target: str) -> Response:
    try:
        return await begun(request, account, safe_target(target))
    except Rule:
        # Changed between the right password and now; the sign-in page again, and the new state decides.
        return RedirectResponse(SIGN_IN, status_code=303)


async def _page(request: Request, *, refused: Refused | None = None, form: dict[str, str] | None = None) -> Response:
    offered, with_accounts = await asyncio.to_thread(lambda: (_entries(request), any_account()))
    target = safe_target((form or {}).get("next") or request.query_params.get("next"))
    if offered is None and not with_accounts:
        return page.refused(request, State.NOT_LOCAL)
    return sign_in_page.sign_in(
        request, offered, target, with_accounts=with_accounts, refused=refused, name=(form or {}).get("name", "")
    )


def _entries(request: Request) -> places.Entries | None:
    """One-click entries, where they are offered."""
    if not one_click(request, host_name(request)):
        return None
    return places.entries(current_snapshot(settings().home))


ROUTES = [
    Route(SIGN_IN, show, methods=["GET"]),
    Route(SIGN_IN, enter, methods=["POST"]),
    Route(SIGN_OUT, ask_to_leave, methods=["GET"]),
    Route(SIGN_OUT, leave, methods=["POST"]),
    Route(START, start_script, methods=["GET"]),
    Route(FORM_SCRIPT, form_script, methods=["GET"]),
    Route(HEALTH[0], healthz, methods=["GET"]),
    Route(HEALTH[1], readyz, methods=["GET"]),
]
