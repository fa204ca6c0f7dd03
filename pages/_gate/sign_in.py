"""The routes before sign-in: with an account, with one click to the demo chain, sign-out, health.

However somebody comes in, it ends in a session of the app's own store and its token in a cookie.
"""

import asyncio
import logging
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
from data_access.state.identities import Proof
from data_access.state.rules import Rule
from data_access.state.sessions import Visitor
from data_access.state.sign_in import Refused
from data_access.state.store import opened
from pages._gate import ahead, begin_page, identity, page, places, provider, sign_in_page
from pages._gate.gate import FORM_SCRIPT, HEALTH, SIGN_IN, SIGN_OUT
from pages._gate.hosts import host_name, is_secure
from pages._gate.index import START, START_SCRIPT
from pages._gate.look import asset
from pages._gate.state import State, any_account, one_click, state
from pages._gate.warm import warmed

Result = TypeVar("Result")

_log = logging.getLogger("mirror")

# Passwords take time and memory to compare. Threads of their own, so that a flood of attempts keeps nobody else
# waiting; more of them than ``passwords`` lets wait, so that it decides who is sent away.
_workers = ThreadPoolExecutor(24, "sign-in")


async def show(request: Request) -> Response:
    """The sign-in page."""
    return await sign_in_again(request)


async def enter(request: Request) -> Response:
    """Sign-in with a password, with the code that it asks for next, or with one click to the demo chain."""
    form = await read(request)
    if "role" in form:
        return await _enter_demo(request, form)
    if not await asyncio.to_thread(any_account):
        return RedirectResponse(SIGN_IN, status_code=303)
    address = address_of(request)
    proof = None
    if "ticket" in form:
        code = form.get("code", "")
        proof = await asyncio.to_thread(sign_in.proof_of, opened(), form["ticket"])
        found = await apart(lambda: sign_in.with_code(opened(), form["ticket"], code, address, utc_now()))
    else:
        name, password = form.get("name", ""), form.get("password", "")
        found = await apart(lambda: sign_in.attempt(opened(), name, password, "", address, utc_now()))
    if isinstance(found, Account):
        return await _begin(request, found, form.get("next", ""), proof)
    if "ticket" in form and found.reason != "busy":
        # The ticket is good for another code until it ends.
        found = replace(found, ticket=form["ticket"])
    return await sign_in_again(request, refused=found, form=form)


async def leave(request: Request) -> Response:
    """Sign-out: the session ends here and now, in every tab; one of the provider's then goes on to sign out there."""
    elsewhere = await _goodbye(request)
    await end_session(request)
    answer = sign_in_page.signed_out(request, elsewhere) if elsewhere else RedirectResponse(SIGN_IN, status_code=303)
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
    if parts.scheme or parts.netloc or parts.path.startswith(f"{SIGN_IN}/"):
        return "/"
    if parts.path in (SIGN_IN, SIGN_OUT, *HEALTH):
        return "/"
    return target


async def read(request: Request) -> dict[str, str]:
    """The fields of a form. The gate has seen to its size."""
    form = await request.form(max_files=0, max_fields=10)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def apart(work: Callable[[], Result]) -> Result:
    """Does work that compares or makes passwords, in the threads for it."""
    return await asyncio.get_running_loop().run_in_executor(_workers, work)


async def begun(request: Request, who: Account | Visitor, target: str, proof: Proof | None = None) -> Response:
    """On to ``target`` with a new session. The one this browser had ends: no token lives through a sign-in.

    A document that can show the first page itself (``ahead``) is told that it may, and not sent away.
    """
    await end_session(request)
    address, device = address_of(request), device_of(request)
    token = await apart(lambda: sessions.begin(opened(), who, utc_now(), address=address, device=device, proof=proof))
    stays = target == "/" and ahead.STAY in request.headers and await asyncio.to_thread(_opens, token)
    answer = Response(status_code=204) if stays else RedirectResponse(target, status_code=303)
    identity.give(answer, request, token)
    return answer


def _opens(token: str) -> bool:
    """Whether a new session leads to the first page, with nothing to do before."""
    session = identity.look(token)
    return session is not None and not session.todo and state() is State.OPEN


async def end_session(request: Request) -> None:
    """Ends the session this browser has, if any."""
    token = identity.token_of(request)
    if token:
        await asyncio.to_thread(sessions.end, opened(), token, utc_now())
        identity.forget(token)


async def sign_in_again(
    request: Request, *, refused: Refused | None = None, trouble: str = "", form: dict[str, str] | None = None
) -> Response:
    """The sign-in page, with what led here: a refused password or code, or trouble with the provider."""
    offered, with_accounts = await asyncio.to_thread(lambda: (_entries(request), any_account()))
    target = safe_target((form or {}).get("next") or request.query_params.get("next"))
    if offered is None and not with_accounts:
        if await asyncio.to_thread(state) is State.NO_DATA:
            return begin_page.show(request, with_accounts=False)
        return page.refused(request, State.NOT_LOCAL)
    name, token = (form or {}).get("name", ""), identity.token_of(request)
    ended = form is None and not trouble and token is not None and await asyncio.to_thread(identity.look, token) is None
    return sign_in_page.sign_in(
        request, offered, target, with_accounts=with_accounts, refused=refused, trouble=trouble, name=name, ended=ended
    )


def here(request: Request) -> str:
    """This site as the browser calls it. The gate has compared the name with those it may have."""
    return f"{'https' if is_secure(request) else 'http'}://{request.headers['host']}"


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


async def _goodbye(request: Request) -> str:
    """Where a browser signs out of the provider that its session began with; empty for other sessions."""
    token = identity.token_of(request)
    word = await asyncio.to_thread(sessions.id_token, opened(), token, utc_now()) if token else ""
    if not word or not settings().with_provider:
        return ""
    try:
        return provider.goodbye(await provider.known(), word, here(request) + SIGN_IN)
    except provider.DownError as error:
        _log.warning("sign-out at the provider: %s", error)
        return ""


async def _begin(request: Request, account: Account, target: str, proof: Proof | None) -> Response:
    try:
        return await begun(request, account, safe_target(target), proof)
    except Rule:
        # Changed between the right password and now; the sign-in page again, and the new state decides.
        return RedirectResponse(SIGN_IN, status_code=303)


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
