"""The way to the first administrator: exists while a link from the command line is good and nobody keeps accounts."""

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from data_access.freshness import utc_now
from data_access.state import setup
from data_access.state.rules import Rule
from data_access.state.store import opened
from pages._gate import forms, places
from pages._gate.gate import ACCOUNT, FORM_SCRIPT, SETUP
from pages._gate.look import chosen_language
from pages._gate.page import answer, brand, say
from pages._gate.sign_in import apart, begun, read

_PASSWORDS_DIFFER = "passwords_differ"


async def show(request: Request) -> Response:
    """The form, for whoever brings the link."""
    token = request.query_params.get("token", "")
    if not await asyncio.to_thread(setup.fits, opened(), token, utc_now()):
        return _nothing()
    return _page(request, token)


async def finish(request: Request) -> Response:
    """Makes the first administrator and signs in; the second factor comes next."""
    form = await read(request)
    token = form.get("token", "")
    if not await asyncio.to_thread(setup.fits, opened(), token, utc_now()):
        return _nothing()
    name, shown, new = form.get("name", ""), form.get("display_name", ""), form.get("new", "")
    if new != form.get("again"):
        return _page(request, token, _PASSWORDS_DIFFER, name, shown)
    words = places.guessable()
    try:
        account = await apart(lambda: setup.finish(opened(), token, name, shown, new, utc_now(), words=words))
    except Rule as rule:
        return _page(request, token, rule.key, name, shown)
    return await begun(request, account, ACCOUNT)


def _nothing() -> Response:
    return PlainTextResponse("Not found", status_code=404)


def _page(request: Request, token: str, trouble: str = "", name: str = "", shown: str = "") -> Response:
    language = chosen_language(request)
    body = (
        brand(language)
        + '<section class="card"><form method="post" action="/setup" class="stack">'
        + f'<h2>{say(language, "setup.title")}</h2><p class="soft">{say(language, "setup.note")}</p>'
        + forms.alert(say(language, f"rule.{trouble}") if trouble else "")
        + forms.hidden(token=token)
        + forms.field(language, "name", label="form.name", autocomplete="username", value=name, hint="form.name_rules")
        + forms.field(language, "display_name", label="form.display_name", autocomplete="name", value=shown)
        + forms.new_password(language)
        + f'<button class="main">{say(language, "setup.go")}</button></form></section>'
    )
    status = 400 if trouble else 200
    title = say(language, "setup.head")
    return answer(
        request,
        language,
        title,
        body,
        width="slim",
        status=status,
        scripts=(FORM_SCRIPT,),
        here=SETUP,
        query={"token": token},
    )


ROUTES = [
    Route(SETUP, show, methods=["GET"]),
    Route(SETUP, finish, methods=["POST"]),
]
