"""Process entry point: ``streamlit run app.py`` or ``uvicorn app:app``.

The script that Streamlit executes is ``pages/_shell.py``, not this file. A script that sits beside a folder named
``pages`` makes Streamlit serve every file in it by its URL until the router has run once, sign-in and roles included.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent
# Streamlit puts only the folder of the script it executes on the path.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from data_access import private, redact  # noqa: E402
from data_access.state import precautions  # noqa: E402
from data_access.state.store import opened  # noqa: E402
from pages._gate import hosts, incidents, wake, warm  # noqa: E402
from pages._gate.gate import Gate  # noqa: E402
from pages._gate.headers import SecurityHeaders  # noqa: E402
from pages._gate.page import commands  # noqa: E402
from pages._gate.routes import ROUTES  # noqa: E402
from pages._gate.state import State, state  # noqa: E402
from pages._ui.i18n import LANGUAGES, text  # noqa: E402

_log = logging.getLogger("mirror")


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Says why nothing will be served, where that is so; warms the process up and watches for newer data."""
    private.from_now_on()
    wake.once(asyncio.get_running_loop())
    now = state()
    if now is not State.OPEN:
        for language in LANGUAGES:
            _log.warning("%s [%s]", text(language, now.value), commands(now).replace("\n", "; "))
    for missing in precautions.missing(opened()) if now is State.OPEN else ():
        for language in LANGUAGES:
            _log.warning("%s", text(language, f"accounts.missing.{missing}"))
    watcher = warm.start()
    try:
        yield {}
    finally:
        watcher.stop()


hosts.tell_streamlit()
redact.in_logs()
app = st.App(
    ROOT / "pages" / "_shell.py",
    routes=ROUTES,
    middleware=[Middleware(SecurityHeaders), Middleware(Gate)],
    lifespan=lifespan,
    on_script_error=incidents.on_script_error,
)
