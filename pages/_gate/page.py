"""The frame of all pages outside Streamlit, and the plain ones: sign-out, no such page, no file, nothing served."""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from data_access.settings import settings
from data_access.snapshot import unusable
from pages._gate.look import LANGUAGE_COOKIE, asset, chosen_language, icon, tag
from pages._gate.state import State
from pages._ui.i18n import LANGUAGES, text

_YEAR = 365 * 24 * 60 * 60


def sign_out(request: Request) -> Response:
    """A page with the one button that signs out."""
    language = chosen_language(request)
    body = (
        f'{brand(language)}<div class="message"><p>{say(language, "gate.sign_out.question")}</p>'
        f'<form method="post" action="/sign-out"><button>{say(language, "gate.sign_out")}</button>'
        f'<a class="back" href="/">{say(language, "gate.sign_out.back")}</a></form></div>'
    )
    return answer(request, language, say(language, "gate.sign_out"), body, width="narrow")


def refused(request: Request, state: State) -> Response:
    """Why nothing is served and what to do, in both languages, the reader's first."""
    language = chosen_language(request)
    other = next(name for name in LANGUAGES if name != language)
    body = (
        f'{brand(language)}<div class="message"><p>{say(language, state.value)}</p>'
        f'<p class="other" lang="{tag(other)}">{say(other, state.value)}</p>'
        f"<pre>{escape(commands(state))}</pre></div>"
    )
    return answer(request, language, say(language, "gate.title"), body, width="narrow", status=503)


def not_found(request: Request) -> Response:
    """There is no such page for this person; whether it exists for others is not said."""
    language = chosen_language(request)
    body = (
        f'{brand(language)}<div class="message"><p>{say(language, "gate.not_found")}</p>'
        f'<p><a href="/">{say(language, "gate.first_page")}</a></p></div>'
    )
    return answer(request, language, say(language, "gate.not_found.title"), body, width="narrow", status=404)


def no_file(request: Request, language: str, key: str, back: str, status: int) -> Response:
    """Why a file did not come, and the way back to the page that offered it."""
    body = (
        f'{brand(language)}<div class="message"><p>{say(language, key)}</p>'
        f'<p><a href="{escape(back)}">{say(language, "export.back")}</a></p></div>'
    )
    return answer(request, language, say(language, "export.no_file"), body, width="narrow", status=status, here=None)


def commands(state: State) -> str:
    """What to type to get on."""
    if state is State.NO_DATA:
        own = [] if settings().crm_url or unusable(settings().home) else ["python -m data_access demo"]
        return "\n".join([*own, "python -m data_access refresh"])
    if state is State.NO_ACCOUNTS:
        return "python -m data_access accounts setup-link"
    if state is State.NO_STORE:
        return "python -m data_access accounts list"
    if state is State.NOT_PRIVATE:
        return "proxy_set_header Host $host;\nproxy_set_header X-Forwarded-Proto $scheme;"
    return "streamlit run app.py --server.address 127.0.0.1"


def brand(language: str) -> str:
    """The mark, the name and what the product is for."""
    return (
        f'<div class="brand">{asset("mark.svg")}<div><h1>{say(language, "app.name")}'
        f"<small>{say(language, 'app.other_name')}</small></h1><p>{say(language, 'app.promise')}</p></div></div>"
    )


def answer(
    request: Request,
    language: str,
    title: str,
    body: str,
    *,
    width: str = "",
    status: int = 200,
    scripts: tuple[str, ...] = (),
    here: str | None = "",
    query: Mapping[str, str] | None = None,
) -> Response:
    """A page; ``width`` is a class of the style sheet.

    scripts: paths of scripts of the gate that the page loads once it is read.
    here, query: where the same page is found in the other language, by default at the address that was asked for;
        None: nowhere, because it is shown once.
    """
    switch = "" if here is None else _languages(language, here, request.query_params if query is None else query)
    loaded = "".join(f'<script src="{path}" defer></script>' for path in scripts)
    page = (
        f'<!doctype html><html lang="{tag(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{title}</title><link rel="icon" href="data:image/svg+xml,{icon()}">'
        f"<style>{asset('page.css')}</style>{loaded}</head><body>"
        f"<header>{switch}</header>"
        f"<main{f' class={width}' if width else ''}>{body}</main></body></html>"
    )
    response = HTMLResponse(page, status_code=status)
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR, path="/", httponly=True, samesite="lax")
    return response


def _languages(language: str, here: str, query: Mapping[str, str]) -> str:
    links = "".join(
        f'<a href="{escape(here)}?{escape(urlencode({**query, "lang": name}))}" lang="{tag(name)}"'
        f"{' aria-current=true' if name == language else ''}>{say(name, 'language.name')}</a>"
        for name in LANGUAGES
    )
    return f'<nav class="languages" aria-label="{say(language, "language.label")}">{links}</nav>'


def say(language: str, key: str, **params: str) -> str:
    """A text of the catalogues, ready for HTML."""
    return escape(text(language, key, **params))
