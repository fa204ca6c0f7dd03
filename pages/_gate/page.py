"""The pages outside Streamlit: sign-in, sign-out, and why nothing is served. Self-contained HTML, no script."""

from html import escape
from urllib.parse import urlencode

from babel.dates import format_skeleton
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from data_access.settings import settings
from data_access.snapshot import current_snapshot
from pages._gate.identity import ROLES, Role
from pages._gate.look import LANGUAGE_COOKIE, asset, chosen_language, icon, tag
from pages._gate.places import Entries
from pages._gate.state import State
from pages._ui.i18n import LANGUAGES, text

_YEAR = 365 * 24 * 60 * 60

# 24 x 24, drawn with strokes in the text colour.
_ICONS: dict[Role, str] = {
    "manager": "M4 10v9h16v-9M3 10l2-5h14l2 5M3 10a3 3 0 0 0 6 0 3 3 0 0 0 6 0 3 3 0 0 0 6 0M10 19v-5h4v5",
    "regional": "M9 4 3 6.5v13L9 17l6 3 6-2.5v-13L15 7 9 4zM9 4v13M15 7v13",
    "marketing": "M4 10v4a1 1 0 0 0 1 1h3l8 4V5L8 9H5a1 1 0 0 0-1 1zM19 9.5a3.5 3.5 0 0 1 0 5M8 15l1 5h2",
    "administrator": "M12 3 5 6v5c0 4.5 2.9 8 7 10 4.1-2 7-5.5 7-10V6l-7-3zM9 12l2.2 2.2L15.2 10",
}


def sign_in(request: Request, entries: Entries, target: str) -> Response:
    """One-click entry to the demo chain, one form per role."""
    language = chosen_language(request)
    cards = "".join(_role_card(role, entries, target, language) for role in ROLES)
    as_of = format_skeleton("yMMMd", current_snapshot(settings().home).info.last_day, locale=language)
    body = (
        f"{_brand(language)}<h2>{_say(language, 'gate.choose')}</h2>"
        f'<div class="roles">{cards}</div><p class="note">{_say(language, "gate.note", day=as_of)}</p>'
    )
    return _answer(request, language, _say(language, "gate.title"), body)


def sign_out(request: Request) -> Response:
    """A page with the one button that signs out."""
    language = chosen_language(request)
    body = (
        f'{_brand(language)}<div class="message"><p>{_say(language, "gate.sign_out.question")}</p>'
        f'<form method="post" action="/sign-out"><button>{_say(language, "gate.sign_out")}</button>'
        f'<a class="back" href="/">{_say(language, "gate.sign_out.back")}</a></form></div>'
    )
    return _answer(request, language, _say(language, "gate.sign_out"), body, narrow=True)


def refused(request: Request, state: State) -> Response:
    """Why nothing is served and what to do, in both languages, the reader's first."""
    language = chosen_language(request)
    other = next(name for name in LANGUAGES if name != language)
    body = (
        f'{_brand(language)}<div class="message"><p>{_say(language, state.value)}</p>'
        f'<p class="other" lang="{tag(other)}">{_say(other, state.value)}</p>'
        f"<pre>{escape(commands(state))}</pre></div>"
    )
    return _answer(request, language, _say(language, "gate.title"), body, narrow=True, status=503)


def not_found(request: Request) -> Response:
    """There is no such page for this person; whether it exists for others is not said."""
    language = chosen_language(request)
    body = (
        f'{_brand(language)}<div class="message"><p>{_say(language, "gate.not_found")}</p>'
        f'<p><a href="/">{_say(language, "gate.first_page")}</a></p></div>'
    )
    return _answer(request, language, _say(language, "gate.not_found.title"), body, narrow=True, status=404)


def commands(state: State) -> str:
    """What to type to get on."""
    if state is State.NO_DATA:
        own = [] if settings().crm_url else ["python -m data_access demo"]
        return "\n".join([*own, "python -m data_access refresh"])
    if state is State.NO_ACCOUNTS:
        return "python -m models report --list\npython -m models report overview --format json"
    return "streamlit run app.py --server.address 127.0.0.1"


def _role_card(role: Role, entries: Entries, target: str, language: str) -> str:
    name, sees = _say(language, f"role.{role}"), _say(language, f"gate.sees.{role}")
    picture = f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{_ICONS[role]}"/></svg>'
    return (
        f'<form class="role" method="post" action="/sign-in" aria-label="{name}">'
        f'<input type="hidden" name="role" value="{role}"><input type="hidden" name="next" value="{escape(target)}">'
        f'<div class="who"><span class="icon">{picture}</span><div><h3>{name}</h3><p>{sees}</p></div></div>'
        f'<div class="go">{_homes(role, entries, language)}<button>{_say(language, "gate.enter")}</button></div></form>'
    )


def _homes(role: Role, entries: Entries, language: str) -> str:
    if role == "manager":
        options = "".join(
            f'<optgroup label="{escape(entries.name(region, language))}">'
            f"{_options(entries.stores[key], entries, language)}</optgroup>"
            for key, region in entries.regions
        )
    elif role == "regional":
        options = _options(entries.regions, entries, language)
    else:
        return ""
    return f'<select name="home" aria-label="{_say(language, f"gate.home.{role}")}">{options}</select>'


def _options(homes: tuple[tuple[str, str], ...], entries: Entries, language: str) -> str:
    return "".join(
        f'<option value="{escape(key)}">{escape(entries.name(name, language))}</option>' for key, name in homes
    )


def _brand(language: str) -> str:
    return (
        f'<div class="brand">{asset("mark.svg")}<div><h1>{_say(language, "app.name")}'
        f"<small>{_say(language, 'app.other_name')}</small></h1><p>{_say(language, 'app.promise')}</p></div></div>"
    )


def _answer(
    request: Request, language: str, title: str, body: str, *, narrow: bool = False, status: int = 200
) -> Response:
    switch = "".join(
        f'<a href="?{escape(urlencode({**request.query_params, "lang": name}))}" lang="{tag(name)}"'
        f"{' aria-current=true' if name == language else ''}>{_say(name, 'language.name')}</a>"
        for name in LANGUAGES
    )
    page = (
        f'<!doctype html><html lang="{tag(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{title}</title><link rel="icon" href="data:image/svg+xml,{icon()}">'
        f"<style>{asset('page.css')}</style></head><body>"
        f'<header><nav class="languages" aria-label="{_say(language, "language.label")}">{switch}</nav></header>'
        f"<main{' class=narrow' if narrow else ''}>{body}</main></body></html>"
    )
    answer = HTMLResponse(page, status_code=status)
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR, path="/", httponly=True, samesite="lax")
    return answer


def _say(language: str, key: str, **params: str) -> str:
    return escape(text(language, key, **params))
