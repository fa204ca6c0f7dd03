"""The sign-in page: the OpenID provider, or name and password, then the code where one is needed; one-click entry to
the demo chain."""

from html import escape
from urllib.parse import urlencode

from babel.dates import format_skeleton
from starlette.requests import Request
from starlette.responses import Response

from data_access.settings import settings
from data_access.snapshot import current_snapshot
from data_access.state.accounts import ROLES, Role
from data_access.state.sign_in import Refused
from pages._gate import ahead, forms
from pages._gate.gate import FORM_SCRIPT, OIDC
from pages._gate.look import chosen_language
from pages._gate.page import answer, brand, say
from pages._gate.places import Entries
from pages._ui.i18n import text

# 24 x 24, drawn with strokes in the text colour.
_ICONS: dict[Role, str] = {
    "manager": "M4 10v9h16v-9M3 10l2-5h14l2 5M3 10a3 3 0 0 0 6 0 3 3 0 0 0 6 0 3 3 0 0 0 6 0M10 19v-5h4v5",
    "regional": "M9 4 3 6.5v13L9 17l6 3 6-2.5v-13L15 7 9 4zM9 4v13M15 7v13",
    "marketing": "M4 10v4a1 1 0 0 0 1 1h3l8 4V5L8 9H5a1 1 0 0 0-1 1zM19 9.5a3.5 3.5 0 0 1 0 5M8 15l1 5h2",
    "staff": "M12 3.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M5 20a7 7 0 0 1 14 0M9.5 16l2 2 3-3.5",
    "administrator": "M12 3 5 6v5c0 4.5 2.9 8 7 10 4.1-2 7-5.5 7-10V6l-7-3zM9 12l2.2 2.2L15.2 10",
}


def sign_in(
    request: Request,
    entries: Entries | None,
    target: str,
    *,
    with_accounts: bool,
    refused: Refused | None = None,
    trouble: str = "",
    name: str = "",
    ended: bool = False,
) -> Response:
    """One-click entry where ``entries`` are offered; where there are accounts the form for them, or with an OpenID
    provider the way there, and the form for those whom it need not let in.

    ``refused``: the attempt that led here; ``name``: what was typed as name in it; ``trouble``: what went wrong with
    the provider ("down", "busy", "mixed", "refused"); ``ended``: a sign-in of this browser has.
    """
    language = chosen_language(request)
    title = say(language, "gate.title")
    query = {"next": target} if target != "/" else {}
    status = 200
    if refused is not None:
        status = 503 if refused.reason == "busy" else 403
    elif trouble:
        status = 503 if trouble in ("down", "busy") else 403
    if refused is not None and refused.ticket:
        # The password was right: that a code is asked for is no secret to whoever knows it.
        status = 200 if refused.reason == "code_needed" else 403
        body = brand(language) + _code(language, target, refused)
        return answer(request, language, title, body, width="slim", status=status, here="/sign-in", query=query)
    account = _account(language, target, name, refused) if with_accounts else ""
    provided = with_accounts and settings().with_provider
    body = brand(language) + (forms.notice(say(language, "session.expired")) if ended else "")
    if entries is not None:
        body += _one_click(language, entries, target)
    if provided:
        body += _provider(language, target, trouble)
    if provided or (entries is not None and account):
        is_open = " open" if refused is not None or (provided and trouble == "down") else ""
        summary = say(language, "oidc.password" if provided else "sign_in.with_account")
        body += f'<details class="card"{is_open}><summary>{summary}</summary>{account}</details>'
    elif account:
        body += f'<section class="card">{account}</section>'
    return answer(
        request,
        language,
        title,
        body,
        width="slim" if entries is None else "",
        status=status,
        scripts=(FORM_SCRIPT, ahead.SCRIPT) if account else (ahead.SCRIPT,),
        here="/sign-in",
        query=query,
    )


def unknown(request: Request, subject: str) -> Response:
    """Somebody the provider knows and we do not, with what an administrator needs to change that."""
    language = chosen_language(request)
    again = f'<a class="button main" href="{OIDC}?again">{say(language, "oidc.start_again")}</a>'
    body = (
        f'{brand(language)}<section class="card stack"><h2>{say(language, "oidc.unknown_title")}</h2>'
        f"<p>{say(language, 'oidc.unknown', name=provider_name(language))}</p>"
        f"<pre>{escape(subject)}</pre>{again}</section>"
    )
    title = say(language, "gate.title")
    return answer(request, language, title, body, width="slim", status=403, here="/sign-in", query={})


def signed_out(request: Request, elsewhere: str) -> Response:
    """Signed out here, and on to sign out of the provider: by itself, or with the link.

    Not as a redirect: forms may lead nowhere else than here (form-action), and browsers hold redirects to that.
    """
    language = chosen_language(request)
    body = (
        f'{brand(language)}<section class="card stack"><h2>{say(language, "oidc.left_title")}</h2>'
        f"<p>{say(language, 'oidc.left', name=provider_name(language))}</p>"
        f'<a class="button main" href="{escape(elsewhere)}">{say(language, "oidc.left_go")}</a></section>'
    )
    response = answer(request, language, say(language, "gate.title"), body, width="slim", here=None)
    response.headers["refresh"] = f"0; url={elsewhere}"
    return response


def provider_name(language: str) -> str:
    """What people call the provider."""
    return settings().oidc_name or text(language, "oidc.company")


def _provider(language: str, target: str, trouble: str) -> str:
    name = provider_name(language)
    said = ""
    if trouble:
        said = say(language, "sign_in.busy") if trouble == "busy" else say(language, f"oidc.{trouble}", name=name)
    query = f"?{urlencode({'next': target})}" if target != "/" else ""
    return (
        f'<section class="card stack"><h2>{say(language, "sign_in.title")}</h2>'
        + forms.alert(said)
        + f'<p class="soft">{say(language, "oidc.note")}</p>'
        f'<a class="button main" href="{OIDC}{escape(query)}">{say(language, "oidc.go", name=name)}</a></section>'
    )


def _account(language: str, target: str, name: str, refused: Refused | None) -> str:
    trouble = ""
    if refused is not None:
        trouble = say(language, "sign_in.busy" if refused.reason == "busy" else "sign_in.refused")
    focus = " autofocus" if not name else ""
    again = " autofocus" if name else ""
    return (
        f'<form method="post" action="/sign-in" class="stack"><h2>{say(language, "sign_in.title")}</h2>'
        + (
            f'<p class="soft">{say(language, "oidc.password_note", name=provider_name(language))}</p>'
            if settings().with_provider
            else ""
        )
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
    offered = [role for role in ROLES if role != "staff" or entries.staff]
    cards = "".join(_role_card(role, entries, target, language) for role in offered)
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
    elif role == "staff":
        options = "".join(
            f'<optgroup label="{escape(entries.name(name, language))}">'
            f"{_options(tuple((one, one) for one in entries.staff.get(key, ())), entries, language)}</optgroup>"
            for stores in entries.stores.values()
            for key, name in stores
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
