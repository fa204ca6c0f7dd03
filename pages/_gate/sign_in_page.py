"""The sign-in page: name and password, then the code where one is needed; one-click entry to the demo chain."""

from html import escape

from babel.dates import format_skeleton
from starlette.requests import Request
from starlette.responses import Response

from data_access.settings import settings
from data_access.snapshot import current_snapshot
from data_access.state.accounts import ROLES, Role
from data_access.state.sign_in import Refused
from pages._gate import forms
from pages._gate.look import chosen_language
from pages._gate.page import answer, brand, say
from pages._gate.places import Entries

# 24 x 24, drawn with strokes in the text colour.
_ICONS: dict[Role, str] = {
    "manager": "M4 10v9h16v-9M3 10l2-5h14l2 5M3 10a3 3 0 0 0 6 0 3 3 0 0 0 6 0 3 3 0 0 0 6 0M10 19v-5h4v5",
    "regional": "M9 4 3 6.5v13L9 17l6 3 6-2.5v-13L15 7 9 4zM9 4v13M15 7v13",
    "marketing": "M4 10v4a1 1 0 0 0 1 1h3l8 4V5L8 9H5a1 1 0 0 0-1 1zM19 9.5a3.5 3.5 0 0 1 0 5M8 15l1 5h2",
    "administrator": "M12 3 5 6v5c0 4.5 2.9 8 7 10 4.1-2 7-5.5 7-10V6l-7-3zM9 12l2.2 2.2L15.2 10",
}


def sign_in(
    request: Request,
    entries: Entries | None,
    target: str,
    *,
    with_accounts: bool,
    refused: Refused | None = None,
    name: str = "",
) -> Response:
    """One-click entry where ``entries`` are offered, the form for accounts where there are any.

    ``refused``: the attempt that led here; ``name``: what was typed as name in it.
    """
    language = chosen_language(request)
    title = say(language, "gate.title")
    query = {"next": target} if target != "/" else {}
    status = 200
    if refused is not None:
        status = 503 if refused.reason == "busy" else 403
    if refused is not None and refused.ticket:
        # The password was right: that a code is asked for is no secret to whoever knows it.
        status = 200 if refused.reason == "code_needed" else 403
        body = brand(language) + _code(language, target, refused)
        return answer(request, language, title, body, width="slim", status=status, here="/sign-in", query=query)
    account = _account(language, target, name, refused) if with_accounts else ""
    if entries is None:
        body = brand(language) + f'<section class="card">{account}</section>'
        width = "slim"
    else:
        body = brand(language) + _one_click(language, entries, target)
        if account:
            is_open = " open" if refused is not None else ""
            body += (
                f'<details class="card"{is_open}><summary>{say(language, "sign_in.with_account")}</summary>'
                f"{account}</details>"
            )
        width = ""
    return answer(
        request,
        language,
        title,
        body,
        width=width,
        status=status,
        script=bool(account),
        here="/sign-in",
        query=query,
    )


def _account(language: str, target: str, name: str, refused: Refused | None) -> str:
    trouble = ""
    if refused is not None:
        trouble = say(language, "sign_in.busy" if refused.reason == "busy" else "sign_in.refused")
    focus = " autofocus" if not name else ""
    again = " autofocus" if name else ""
    return (
        f'<form method="post" action="/sign-in" class="stack"><h2>{say(language, "sign_in.title")}</h2>'
        + forms.alert(trouble)
        + forms.hidden(next=target)
        + forms.field(
            language,
            "name",
            label="form.name",
            autocomplete="username",
            value=name,
            more=f' maxlength="200"{focus}',
        )
        + forms.password(language, "password", label="form.password", autocomplete="current-password", more=again)
        + f'<button class="main">{say(language, "sign_in.go")}</button>'
        f'<p class="soft">{say(language, "sign_in.forgotten")}</p></form>'
    )


def _code(language: str, target: str, refused: Refused) -> str:
    trouble = "" if refused.reason == "code_needed" else say(language, "sign_in.code_refused")
    return (
        f'<section class="card"><form method="post" action="/sign-in" class="stack">'
        f"<h2>{say(language, 'sign_in.code_title')}</h2>"
        + forms.alert(trouble)
        + forms.hidden(next=target, ticket=refused.ticket)
        + forms.code(language, hint="sign_in.code_hint", recovery=True, focus=True)
        + f'<button class="main">{say(language, "sign_in.go")}</button>'
        f'<p class="soft"><a href="/sign-in">{say(language, "sign_in.start_again")}</a></p></form></section>'
    )


def _one_click(language: str, entries: Entries, target: str) -> str:
    cards = "".join(_role_card(role, entries, target, language) for role in ROLES)
    as_of = format_skeleton("yMMMd", current_snapshot(settings().home).info.last_day, locale=language)
    return (
        f"<h2>{say(language, 'gate.choose')}</h2>"
        f'<div class="roles">{cards}</div><p class="note">{say(language, "gate.note", day=as_of)}</p>'
    )


def _role_card(role: Role, entries: Entries, target: str, language: str) -> str:
    name, sees = say(language, f"role.{role}"), say(language, f"gate.sees.{role}")
    picture = f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{_ICONS[role]}"/></svg>'
    return (
        f'<form class="role" method="post" action="/sign-in" aria-label="{name}">'
        f'<input type="hidden" name="role" value="{role}"><input type="hidden" name="next" value="{escape(target)}">'
        f'<div class="who"><span class="icon">{picture}</span><div><h3>{name}</h3><p>{sees}</p></div></div>'
        f'<div class="go">{_homes(role, entries, language)}<button>{say(language, "gate.enter")}</button></div></form>'
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
    return f'<select name="home" aria-label="{say(language, f"gate.home.{role}")}">{options}</select>'


def _options(homes: tuple[tuple[str, str], ...], entries: Entries, language: str) -> str:
    return "".join(
        f'<option value="{escape(key)}">{escape(entries.name(name, language))}</option>' for key, name in homes
    )
