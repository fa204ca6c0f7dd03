"""What a click asks to be written: with the rights of that moment, where a rule stands against it said so, and what was
done said once the page is drawn again."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from data_access.scope import Scope
from data_access.state.rules import Rule
from pages._ui import session
from pages._ui.i18n import t

Result = TypeVar("Result")

_SAID = "attempt_said"


def writer() -> tuple[Scope, str]:
    """The scope of whoever clicked and their name in the log; rights are read anew."""
    session.look_again()
    return session.current_scope(), session.current_person().actor


def attempt(work: Callable[[], Result], then: Callable[[Result], object]) -> None:
    """Does it, then goes on with what came of it; a broken rule is said where the button is."""
    try:
        done = work()
    except Rule as rule:
        st.error(t(f"rule.{rule.key}"), icon=":material/error:")
    else:
        then(done)


def say_again(text: str) -> None:
    """Draws the page again, which then says ``text`` by ``tell``."""
    st.session_state[_SAID] = text
    st.rerun()


def tell() -> None:
    """What the click before came to, once."""
    if said := st.session_state.pop(_SAID, None):
        st.toast(said, icon=":material/check:")
