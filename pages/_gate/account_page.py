"""What the pages of one's own account look like."""

from datetime import timedelta
from html import escape

import segno
from starlette.requests import Request
from starlette.responses import Response

from data_access.freshness import utc_now
from data_access.state.accounts import Account
from data_access.state.sessions import Session
from data_access.state.totp import Enrolment
from pages._gate import forms
from pages._gate.gate import ACCOUNT, FORM_SCRIPT, OIDC
from pages._gate.look import asset, chosen_language, instant
from pages._gate.page import answer, say
from pages._gate.sign_in_page import provider_name

FRESH = timedelta(minutes=10)  # how long it counts that somebody has shown the provider who they are

_DONE = ("password", "session")


def account(
    request: Request,
    session: Session,
    account: Account,
    open_sessions: tuple[Session, ...],
    codes_left: int,
    *,
    done: str = "",
    trouble: tuple[str, str] = ("", ""),
) -> Response:
    """Password, second factor and sign-ins; before the rest opens, only what has to be done first.

    done: what has just been changed. trouble: in which part something went wrong, and the rule that was broken.
    """
    language = chosen_language(request)
    where, rule = trouble
    wrong = {where: forms.alert(say(language, f"rule.{rule}"))} if where else {}
    parts = {
        "password": "" if session.issuer else _password(language, account, wrong.get("password", "")),
        "totp": _second_factor(language, session, account, codes_left, wrong.get("totp", "")),
        "sessions": _sessions(request, session, open_sessions),
    }
    first = session.todo[0] if session.todo else None
    if first is not None:
        steps = forms.notice(say(language, f"account.first_{first}"))
        body = _top(language, account, back=False) + steps + parts[first] + _sign_out(language)
    else:
        told = forms.notice(say(language, f"account.done_{done}")) if done in _DONE else ""
        body = _top(language, account) + told + "".join(parts.values())
    status = 400 if where else 200
    title = say(language, "account.head")
    return answer(
        request, language, title, body, width="narrow", status=status, scripts=(FORM_SCRIPT,), here=ACCOUNT, query={}
    )


def enrolment(request: Request, offered: Enrolment) -> Response:
    """The key of the second factor as a picture and as text, and the field for the first code."""
    language = chosen_language(request)
    picture = segno.make(offered.uri, error="m").svg_inline(
        border=2, omitsize=True, dark="#24212B", light="#FFFFFF", svgclass="qr", lineclass=None
    )
    body = (
        _top(language, None)
        + f'<section class="card"><h2>{say(language, "totp.title")}</h2><ol class="steps">'
        + f"<li>{say(language, 'totp.step_app')}</li>"
        + f"<li>{say(language, 'totp.step_scan')}"
        + f'<div class="scan">{picture}<div><p class="soft">{say(language, "totp.by_hand")}</p>'
        + f'<code class="key">{escape(offered.key)}</code></div></div></li>'
        + f"<li>{say(language, 'totp.step_code')}"
        + f'<form method="post" action="{ACCOUNT}/totp/confirm" class="stack">'
        + forms.code(language, focus=True)
        + f'<button class="main">{say(language, "totp.confirm")}</button></form></li></ol></section>'
    )
    return answer(request, language, say(language, "account.head"), body, width="narrow", here=None)


def recovery_codes(request: Request, codes: tuple[str, ...]) -> Response:
    """The recovery codes; nobody can show them again."""
    language = chosen_language(request)
    lines = "".join(f"<li><code>{escape(code)}</code></li>" for code in codes)
    body = (
        _top(language, None, back=False)
        + f'<section class="card"><h2>{say(language, "totp.codes_title")}</h2>'
        + f'<p>{say(language, "totp.codes_note")}</p><ul class="codes">{lines}</ul>'
        + f'<a class="button main" href="/">{say(language, "totp.codes_kept")}</a></section>'
    )
    return answer(request, language, say(language, "account.head"), body, width="narrow", here=None)


def _top(language: str, account: Account | None, *, back: bool = True) -> str:
    who = ""
    if account is not None:
        role = say(language, f"role.{account.role}")
        who = f"<p>{escape(account.display_name)} · {escape(account.sign_in_name)} · {role}</p>"
    link = f'<a class="back" href="/">{say(language, "account.back")}</a>' if back else ""
    title = f"<div><h1>{say(language, 'account.title')}</h1>{who}</div>"
    return f'<div class="brand small">{asset("mark.svg")}{title}{link}</div>'


def _password(language: str, account: Account, wrong: str) -> str:
    # The hidden name lets password managers know whose password this is.
    return (
        f'<section class="card"><h2>{say(language, "account.password")}</h2>{wrong}'
        f'<form method="post" action="{ACCOUNT}/password" class="stack">'
        f'<input class="unseen" name="name" value="{escape(account.sign_in_name)}" autocomplete="username"'
        f' tabindex="-1" aria-hidden="true" readonly>'
        + forms.password(language, "old", label="form.old_password", autocomplete="current-password")
        + forms.new_password(language)
        + f'<button class="main">{say(language, "account.change_password")}</button></form></section>'
    )


def _second_factor(language: str, session: Session, account: Account, codes_left: int, wrong: str) -> str:
    head = f'<section class="card"><h2>{say(language, "account.second_factor")}</h2>{wrong}'
    if account.has_totp:
        left = say(language, "account.codes_left", left=str(codes_left))
        return (
            f'{head}<p class="state on">{say(language, "account.totp_on")}</p>'
            f'<p class="soft">{left}</p><details class="more"{" open" if wrong else ""}>'
            f"<summary>{say(language, 'account.new_codes')}</summary>"
            f'<form method="post" action="{ACCOUNT}/codes" class="stack">'
            f'<p class="soft">{say(language, "account.prove_code")}</p>'
            + forms.code(language, recovery=True)
            + f"<button>{say(language, 'account.new_codes')}</button></form></details></section>"
        )
    if session.second_factor:
        vouched = say(language, "oidc.factor_vouched", name=provider_name(language))
        return f'{head}<p class="state on">{vouched}</p></section>'
    off = f'{head}<p class="soft">{say(language, "account.totp_off")}</p>'
    begin = f'<button class="main">{say(language, "account.totp_begin")}</button></form></section>'
    form = f'<form method="post" action="{ACCOUNT}/totp" class="stack">'
    if not session.issuer:
        hint = "account.prove_password"
        return (
            off
            + form
            + forms.password(
                language, "password", label="form.old_password", autocomplete="current-password", hint=hint
            )
            + begin
        )
    if session.proved_at is not None and utc_now() - session.proved_at <= FRESH:
        return off + form + begin
    name = provider_name(language)
    return (
        f'{off}<p class="soft">{say(language, "oidc.prove", name=name)}</p>'
        f'<a class="button main" href="{OIDC}?again">{say(language, "oidc.prove_go", name=name)}</a></section>'
    )


def _sessions(request: Request, own: Session, open_sessions: tuple[Session, ...]) -> str:
    language = chosen_language(request)
    rows = "".join(_session(request, one, one.session_id == own.session_id) for one in open_sessions)
    return (
        f'<section class="card"><h2>{say(language, "account.sessions")}</h2>'
        f'<p class="soft">{say(language, "account.sessions_note")}</p><ul class="sessions">{rows}</ul></section>'
    )


def _session(request: Request, one: Session, is_own: bool) -> str:
    language = chosen_language(request)
    device = escape(one.device) or say(language, "account.device_unknown")
    since = say(language, "account.since", begun=instant(request, one.begun_at), address=one.address or "–")
    if is_own:
        right = f'<span class="state on">{say(language, "account.this_one")}</span>'
    else:
        right = (
            f'<form method="post" action="{ACCOUNT}/sessions">{forms.hidden(session=one.session_id)}'
            f"<button>{say(language, 'account.end')}</button></form>"
        )
    return f'<li><div><strong>{device}</strong><p class="soft">{since}</p></div>{right}</li>'


def _sign_out(language: str) -> str:
    return (
        f'<form method="post" action="/sign-out" class="leave"><button class="plain">'
        f"{say(language, 'gate.sign_out')}</button></form>"
    )
