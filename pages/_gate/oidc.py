"""Sign-in with the OpenID provider: to it and back, and out of it.

The browser carries a cookie of its own to the provider and back; everything else of the visit stays in the store
(``data_access.state.visits``). Whoever comes back ends in the same kind of session as with a password.
"""

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import audit, sign_in, sign_outs, visits
from data_access.state.accounts import Account
from data_access.state.identities import Identity, Proof
from data_access.state.rules import Rule
from data_access.state.store import opened
from data_access.state.visits import Visit
from pages._gate import identity, provider, sign_in_page
from pages._gate.gate import ACCOUNT, OIDC, OIDC_BACK, OIDC_SIGN_OUT, SIGN_IN
from pages._gate.hosts import is_secure
from pages._gate.provider import DownError, UntrueError
from pages._gate.sign_in import address_of, begun, here, read, safe_target, sign_in_again

COOKIE = "mirror_visit"
SECURE_COOKIE = "__Host-mirror-visit"

_log = logging.getLogger("mirror")


async def begin(request: Request) -> Response:
    """Sends the browser to the provider; ``again``: to show anew who they are, for what matters."""
    if not settings().with_provider:
        return PlainTextResponse("Not found", status_code=404)
    fresh = "again" in request.query_params
    target = ACCOUNT if fresh else safe_target(request.query_params.get("next"))
    visit = visits.fresh(here(request) + OIDC_BACK, target, fresh=fresh)
    try:
        known = await provider.known()
        state, browser = await asyncio.to_thread(visits.begin, opened(), visit, address_of(request), utc_now())
    except DownError as error:
        return await _failed(request, "down", error, target)
    except Rule:
        return await _failed(request, "busy", None, target)
    answer = RedirectResponse(provider.address(known, visit, state), status_code=303)
    _give(answer, request, browser)
    return answer


async def finish(request: Request) -> Response:
    """The browser is back: takes its code to the provider, and begins the session of whoever that is."""
    if not settings().with_provider:
        return PlainTextResponse("Not found", status_code=404)
    said = request.query_params
    state, browser = said.get("state", ""), request.cookies.get(_cookie(request), "")
    visit = await asyncio.to_thread(visits.end, opened(), state, browser, utc_now())
    if visit is None:
        answer = await _failed(request, "mixed", None)
    else:
        answer = await _finish(request, visit)
    answer.delete_cookie(_cookie(request), path="/", secure=is_secure(request), httponly=True, samesite="lax")
    return answer


async def _finish(request: Request, visit: Visit) -> Response:
    said = request.query_params
    try:
        known = await provider.known()
        if not provider.is_from(known, said.get("iss")):
            raise UntrueError("another provider answers")
        if "error" in said:
            raise UntrueError(f"its answer is {audit.plain(said['error'])!r}")
        who, proof = await provider.person(known, visit, said.get("code", ""))
    except DownError as error:
        return await _failed(request, "down", error, visit.target)
    except UntrueError as error:
        return await _failed(request, "refused", error, visit.target)
    return await _enter(request, visit, who, proof)


async def _enter(request: Request, visit: Visit, who: Identity, proof: Proof) -> Response:
    found = await asyncio.to_thread(sign_in.with_identity, opened(), who, proof, address_of(request), utc_now())
    target = safe_target(visit.target)
    if not isinstance(found, Account):
        if found.reason == "code_needed":
            return await sign_in_again(request, refused=found, form={"next": target})
        return sign_in_page.unknown(request, who.subject)
    try:
        return await begun(request, found, target, proof)
    except Rule:
        # Changed at this very moment; the sign-in page again, and the new state decides.
        return RedirectResponse(SIGN_IN, status_code=303)


async def _failed(request: Request, trouble: str, error: Exception | None, target: str = "/") -> Response:
    if error is not None:
        _log.warning("sign-in with the provider: %s", error)
    return await sign_in_again(request, trouble=trouble, form={"next": target})


async def sign_out(request: Request) -> Response:
    """The provider says, without a browser, that somebody has signed out there or may no longer come in."""
    if not settings().with_provider:
        return PlainTextResponse("Not found", status_code=404)
    if request.method != "POST":
        # Said here: a route for POST alone would leave the others to whatever answers to any path.
        return PlainTextResponse("Method not allowed", status_code=405)
    word = (await read(request)).get("logout_token", "")
    try:
        asked = await provider.sign_out(await provider.known(), word)
        ended = await asyncio.to_thread(sign_outs.end, opened(), asked, utc_now())
        if ended is None:
            raise UntrueError("the logout token was used before")
    except DownError as error:
        _log.warning("sign-out by the provider: %s", error)
        return JSONResponse({"error": "temporarily_unavailable"}, status_code=503)
    except UntrueError as error:
        _log.warning("sign-out by the provider: %s", audit.plain(str(error)))
        return JSONResponse({"error": "invalid_request"}, status_code=400)
    identity.forget_all()
    return Response(status_code=200)


def _cookie(request: Request) -> str:
    return SECURE_COOKIE if is_secure(request) else COOKIE


def _give(answer: Response, request: Request, browser: str) -> None:
    lives = int(visits.LIVES.total_seconds())
    answer.set_cookie(
        _cookie(request),
        browser,
        max_age=lives,
        path="/",
        secure=is_secure(request),
        httponly=True,
        # Lax, not strict: the browser comes back from another site.
        samesite="lax",
    )


ROUTES = [
    Route(OIDC, begin, methods=["GET"]),
    Route(OIDC_BACK, finish, methods=["GET"]),
    Route(OIDC_SIGN_OUT, sign_out, methods=["GET", "POST"]),
]
