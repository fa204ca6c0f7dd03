"""What a click asks to be written: with the rights of that moment, and where a rule stands against it, said so."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from data_access.scope import Scope
from data_access.state.rules import Rule
from pages._ui import session
from pages._ui.i18n import t

Result = TypeVar("Result")


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
