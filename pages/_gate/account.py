"""One's own account: the password, the second factor, where one is signed in. Forms here, so that no password ever
travels through a page's session.

What decides how somebody signs in is changed only by who shows once more who they are: an open browser is not enough.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from data_access.freshness import utc_now
from data_access.state import sessions, sign_in, totp
from data_access.state.accounts import Account
from data_access.state.rules import Rule
from data_access.state.sessions import Session
from data_access.state.store import opened
from pages._gate import account_page, identity, places
from pages._gate.account_page import FRESH
from pages._gate.gate import ACCOUNT
from pages._gate.sign_in import apart, read


async def show(request: Request) -> Response:
    """The page; one-click entry to the demo chain has no account and goes to the first page."""
    session, account = await _signed_in(request)
    if account is None or session is None:
        return RedirectResponse("/", status_code=303)
    return await _page(request, session, account, done=request.query_params.get("done", ""))


async def change_password(request: Request) -> Response:
    """A new password for somebody who knows the present one; every other session of the account ends."""
    session, account = await _signed_in(request)
    if account is None or session is None or session.issuer:
        return _nothing()
    form = await read(request)
    if form.get("new", "") != form.get("again"):
        return await _page(request, session, account, trouble=("password", "passwords_differ"))
    words = places.guessable()
    try:
        await apart(
            lambda: sign_in.change_own_password(
                opened(),
                account.account_id,
                form.get("old", ""),
                form.get("new", ""),
                utc_now(),
                words=words,
                keep=session.session_id,
            )
        )
    except Rule as rule:
        return await _page(request, session, account, trouble=("password", rule.key))
    return await _renewed(request, RedirectResponse(f"{ACCOUNT}?done=password", status_code=303))


async def enrol(request: Request) -> Response:
    """Offers a key for an authenticator, to somebody who shows once more who they are."""
    session, account = await _signed_in(request)
    if account is None or session is None:
        return _nothing()
    form = await read(request)
    try:
        await apart(lambda: _prove(session, account, form.get("password", "")))
        offered = await asyncio.to_thread(totp.enrol, opened(), account.account_id, utc_now())
    except Rule as rule:
        return await _page(request, session, account, trouble=("totp", rule.key))
    return account_page.enrolment(request, offered)


async def confirm(request: Request) -> Response:
    """Puts the key in use when the first code of it is right, and shows the recovery codes, this once."""
    session, account = await _signed_in(request)
    if account is None or session is None:
        return _nothing()
    code = (await read(request)).get("code", "")
    try:
        codes = await asyncio.to_thread(
            lambda: totp.confirm(opened(), account.account_id, code, utc_now(), keep=session.session_id)
        )
    except Rule as rule:
        return await _page(request, session, account, trouble=("totp", rule.key))
    return await _renewed(request, account_page.recovery_codes(request, codes))


async def new_codes(request: Request) -> Response:
    """Ten new recovery codes for somebody who has a second factor, and shows it."""
    session, account = await _signed_in(request)
    if account is None or session is None:
        return _nothing()
    code = (await read(request)).get("code", "")
    try:
        await asyncio.to_thread(sign_in.prove_code, opened(), account.account_id, code, utc_now())
        codes = await asyncio.to_thread(totp.new_recovery_codes, opened(), account.account_id, utc_now())
    except Rule as rule:
        return await _page(request, session, account, trouble=("totp", rule.key))
    return account_page.recovery_codes(request, codes)


async def end_session(request: Request) -> Response:
    """Ends one of the person's own sessions."""
    session, account = await _signed_in(request)
    if account is None or session is None:
        return _nothing()
    wanted = (await read(request)).get("session", "")
    await asyncio.to_thread(
        lambda: sessions.end_one(opened(), account.account_id, wanted, utc_now(), account_id=_whose(account))
    )
    return RedirectResponse(f"{ACCOUNT}?done=session", status_code=303)


def _prove(session: Session, account: Account, password: str) -> None:
    """Rule unless the person has just shown who they are: with the password, or to the provider."""
    now = utc_now()
    if not session.issuer:
        sign_in.prove_password(opened(), account.account_id, password, now)
    elif session.proved_at is None or now - session.proved_at > FRESH:
        raise Rule("prove_again", "the provider was last shown too long ago who this is: sign in there again")


def _whose(account: Account) -> str:
    """Whose sessions somebody may end here: nobody else's, whatever id the form names."""
    return account.account_id


async def _signed_in(request: Request) -> tuple[Session | None, Account | None]:
    """The session of this request and its account, read at this moment."""
    token = identity.token_of(request)
    identity.forget(token)
    session = await asyncio.to_thread(identity.look, token)
    return session, session.account if session else None


async def _renewed(request: Request, answer: Response) -> Response:
    """``answer`` with a new token in the cookie: the old one is worth nothing after a change of rights."""
    old = identity.token_of(request)
    token = await asyncio.to_thread(sessions.renew, opened(), old or "", utc_now())
    identity.forget(old)
    if token is not None:
        identity.give(answer, request, token)
    return answer


async def _page(
    request: Request, session: Session, account: Account, *, done: str = "", trouble: tuple[str, str] = ("", "")
) -> Response:
    def read_rest() -> tuple[tuple[Session, ...], int]:
        left = totp.recovery_codes_left(opened(), account.account_id) if account.has_totp else 0
        return sessions.active(opened(), utc_now(), account.account_id), left

    others, left = await asyncio.to_thread(read_rest)
    return account_page.account(request, session, account, others, left, done=done, trouble=trouble)


def _nothing() -> Response:
    return PlainTextResponse("Not found", status_code=404)


ROUTES = [
    Route(ACCOUNT, show, methods=["GET"]),
    Route(f"{ACCOUNT}/password", change_password, methods=["POST"]),
    Route(f"{ACCOUNT}/totp", enrol, methods=["POST"]),
    Route(f"{ACCOUNT}/totp/confirm", confirm, methods=["POST"]),
    Route(f"{ACCOUNT}/codes", new_codes, methods=["POST"]),
    Route(f"{ACCOUNT}/sessions", end_session, methods=["POST"]),
]
