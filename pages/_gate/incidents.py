"""What a person sees when a page fails: a sentence and a number; the log has the rest under the same number."""

import logging
import secrets

import streamlit as st

from data_access.errors import Problem
from pages._ui.i18n import t

_log = logging.getLogger("mirror")


def on_script_error(error: Exception) -> bool:
    """Shows a failure of a page run. True tells Streamlit not to show the exception itself."""
    if isinstance(error, Problem):
        _log.warning("refused: %s", error)
        st.warning(t("shell.refused", reason=str(error)), icon=":material/info:")
        return True
    incident = secrets.token_hex(4).upper()
    _log.error("incident %s", incident, exc_info=error)
    st.error(t("shell.failed", incident=incident), icon=":material/error:")
    st.button(t("shell.retry"), key=f"retry_{incident}", icon=":material/refresh:")  # any click runs the page again
    return True
