"""The batch beside the server: a process of its own, with low priority, after each newer generation of the facts."""

import logging
import subprocess
import sys
from pathlib import Path

from data_access.errors import Problem
from data_access.settings import settings
from data_access.snapshot import current_snapshot
from data_access.state import event_changes, overrides
from data_access.state.store import opened

_ROOT = Path(__file__).resolve().parents[2]
_STOP_WITHIN = 5.0
LOG = "batch.log"  # what the last one said, in the home

_log = logging.getLogger(__name__)


class BackgroundBatch:
    """Starts ``python -m models batch`` and notices its end; at most one at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        # What the last one was started for: the facts, what people expect to sell, and the events they changed.
        self._known: tuple[int, int, int] | None = None

    def look(self) -> None:
        """Starts a batch when none was started for the facts in use, or since people expected something else to sell or
        changed an event; one at work is left to finish first."""
        if settings().batch == "never" or self._at_work():
            return
        home = settings().home
        try:
            facts = current_snapshot(home).info.generation
        except Problem:  # nothing to compute from yet
            return
        known = facts, overrides.newest_number(opened()), event_changes.newest_number(opened())
        if known != self._known:
            self._known = known
            command = [sys.executable, "-m", "models", "batch", "--background", "--home", str(home.resolve())]
            with (home / LOG).open("wb") as said:
                self._process = subprocess.Popen(command, cwd=_ROOT, stdout=said, stderr=subprocess.STDOUT)
            _log.info("batch for facts %s started", facts)

    def stop(self) -> None:
        """Ends the batch with the server; the next one takes over what it had finished."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _at_work(self) -> bool:
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        if code:
            _log.warning("the batch failed: %s says why", settings().home / LOG)
        self._process = None
        return False
