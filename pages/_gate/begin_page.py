"""What an installation without data shows before sign-in: the demo chain at one click, or the way to one's own data."""

from starlette.requests import Request
from starlette.responses import Response

from data_access import beginning
from data_access.beginning import SIZES, Progress
from data_access.settings import settings
from data_access.snapshot import unusable
from pages._gate import forms
from pages._gate.hosts import host_name
from pages._gate.look import chosen_language
from pages._gate.page import answer, brand, commands, say
from pages._gate.state import State, from_this_machine, serves_this_machine

_AGAIN = "2"  # seconds until a page that waits looks again


def offers_demo(request: Request, *, with_accounts: bool) -> bool:
    """Whether the demo chain is offered: as one-click entry to it, and to an installation that nobody has begun."""
    own = settings()
    return (
        not with_accounts
        and own.keeps_crm
        and not own.crm_url
        and serves_this_machine()
        and from_this_machine(request, host_name(request))
    )


def show(request: Request, *, with_accounts: bool) -> Response:
    """The choices, or how far the chosen one is; that page looks again by itself."""
    language = chosen_language(request)
    now = beginning.progress(settings().home)
    waits = now is not None and now.at_work
    body = brand(language)
    if not waits and unusable(settings().home) is not None:
        body += _damaged(language)
    elif now is not None and waits:
        body += _waiting(language, now)
    else:
        offered = offers_demo(request, with_accounts=with_accounts)
        body += forms.alert(_trouble(language, now, here=offered) if now is not None and now.problem else "")
        body += _demo(language) if offered else ""
        body += _own(language, with_accounts=with_accounts)
    title = say(language, "begin.title")
    response = answer(request, language, title, body, width="narrow", status=200 if waits else 503, here="/")
    if waits:
        response.headers["refresh"] = f"{_AGAIN}; url=/"
    return response


def _damaged(language: str) -> str:
    """There were figures, and their file cannot be opened: what to run, and that nothing is lost."""
    return (
        f'<section class="card stack"><h2>{say(language, "begin.damaged")}</h2>'
        f'<p class="soft">{say(language, "begin.damaged_note")}</p><pre>{commands(State.NO_DATA)}</pre></section>'
    )


def _trouble(language: str, now: Progress, *, here: bool) -> str:
    """That the last order failed; why only to whoever may begin it, for the reason may name a server or an account."""
    if not here or now.what != "demo":
        return say(language, "begin.failed_own")
    return say(language, "begin.died" if now.problem == "died" else "begin.failed", reason=now.problem)


def _waiting(language: str, now: Progress) -> str:
    steps = "".join(
        f"<li{' aria-current=step' if step == now.step else ''}>{say(language, f'begin.{step}.{now.what}')}</li>"
        for step in ("write", "publish")
    )
    return (
        f'<section class="card stack" role="status"><h2>{say(language, "begin.waiting")}</h2>'
        f'<ol class="steps going">{steps}</ol><p class="soft">{say(language, "begin.waiting_note")}</p></section>'
    )


def _demo(language: str) -> str:
    options = "".join(f'<option value="{size}">{say(language, f"begin.size.{size}")}</option>' for size in SIZES[::-1])
    return (
        f'<section class="card"><form method="post" action="/begin" class="stack">'
        f'<h2>{say(language, "begin.demo")}</h2><p class="soft">{say(language, "begin.demo_note")}</p>'
        f'<div class="go"><select name="size" aria-label="{say(language, "begin.size")}">{options}</select>'
        f'<button class="main">{say(language, "begin.demo_go")}</button></div></form></section>'
    )


def _own(language: str, *, with_accounts: bool) -> str:
    head = f'<section class="card stack"><h2>{say(language, "begin.own")}</h2>'
    if with_accounts:
        return (
            f'{head}<p class="soft">{say(language, "begin.own_sign_in")}</p>'
            f'<a class="button main" href="/sign-in">{say(language, "begin.sign_in")}</a></section>'
        )
    return (
        f'{head}<p class="soft">{say(language, "begin.own_note")}</p>'
        f"<pre>{commands(State.NO_ACCOUNTS)}</pre>"
        f'<p class="soft">{say(language, "begin.by_hand")}</p><pre>{_by_hand()}</pre></section>'
    )


def _by_hand() -> str:
    """What to type for one's own data: never the demo chain, beside which they cannot lie."""
    own = [] if settings().crm_url else ["python -m data_access import MAPPING FILE..."]
    return "\n".join([*own, "python -m data_access refresh"])
