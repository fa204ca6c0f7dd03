"""Parts of the forms outside Streamlit: fields with their labels, passwords that can be shown, what went wrong."""

from html import escape

from data_access.state.passwords import LONGEST, SHORTEST
from pages._gate.page import say

_EYE = (
    '<svg viewBox="0 0 24 24" aria-hidden="true">'
    '<path d="M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12z"/>'
    '<circle cx="12" cy="12" r="2.8"/><path class="slash" d="M4 20 20 4"/></svg>'
)


def field(
    language: str, name: str, *, label: str, autocomplete: str, value: str = "", hint: str = "", more: str = ""
) -> str:
    """A line of text. ``label`` and ``hint`` are message keys; ``more``: further attributes."""
    return _labelled(
        language,
        name,
        label,
        hint,
        f'<input id="{name}" name="{name}" value="{escape(value)}" autocomplete="{autocomplete}" required'
        f' autocapitalize="none" autocorrect="off" spellcheck="false"{_described(name, hint)}{more}>',
    )


def password(language: str, name: str, *, label: str, autocomplete: str, hint: str = "", more: str = "") -> str:
    """A password; a button shows it while it is typed, where scripts run."""
    return _labelled(
        language,
        name,
        label,
        hint,
        f'<span class="secret"><input id="{name}" name="{name}" type="password" autocomplete="{autocomplete}" required'
        f' maxlength="{4 * LONGEST}"{_described(name, hint)}{more}>'
        f'<button type="button" class="peek" hidden aria-pressed="false" aria-controls="{name}"'
        f' aria-label="{say(language, "form.show_password")}">{_EYE}</button></span>',
    )


def new_password(language: str) -> str:
    """A new password and the same again."""
    least = f' minlength="{SHORTEST}"'
    return password(
        language, "new", label="form.new_password", autocomplete="new-password", hint="form.password_rules", more=least
    ) + password(language, "again", label="form.again", autocomplete="new-password", more=least)


def code(language: str, *, hint: str = "", recovery: bool = False, focus: bool = False) -> str:
    """A one-time code; with ``recovery`` a recovery code does as well, so letters are let through."""
    more = ' maxlength="32"' if recovery else ' inputmode="numeric" pattern="[0-9 ]*" maxlength="7"'
    return field(
        language,
        "code",
        label="form.code",
        autocomplete="one-time-code",
        hint=hint,
        more=f"{more} class=code{' autofocus' if focus else ''}",
    )


def hidden(**values: str) -> str:
    """Fields that nobody sees."""
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())


def alert(message: str) -> str:
    """What went wrong; read out at once. ``message`` is ready for HTML."""
    return f'<p class="alert" role="alert">{message}</p>' if message else ""


def notice(message: str) -> str:
    """What has been done. ``message`` is ready for HTML."""
    return f'<p class="notice" role="status">{message}</p>' if message else ""


def _labelled(language: str, name: str, label: str, hint: str, control: str) -> str:
    below = f'<small id="{name}-hint">{say(language, hint)}</small>' if hint else ""
    return f'<div class="field"><label for="{name}">{say(language, label)}</label>{control}{below}</div>'


def _described(name: str, hint: str) -> str:
    return f' aria-describedby="{name}-hint"' if hint else ""
