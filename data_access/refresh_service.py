"""Refresh again and again: the service behind ``python -m data_access refresh --every 5m``."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from data_access.assigned import Linked, nobody
from data_access.errors import Problem
from data_access.marts.build import BuildMarts, build_marts
from data_access.refresh import RefreshReport, refresh
from data_access.staging import Progress


def refresh_every(
    engine: Engine,
    home: Path,
    seconds: float,
    *,
    done: Callable[[RefreshReport], None],
    failed: Callable[[Problem], None],
    progress: Progress,
    stop: threading.Event,
    marts: BuildMarts = build_marts,
    linked: Linked = nobody,
) -> None:
    """Refreshes at once and then every ``seconds``, counted from start to start, until ``stop`` is set.

    A refresh that fails is reported and tried again at the next turn; the snapshot in force stays meanwhile. One that
    takes longer than a turn is followed by the next at once.
    """
    while not stop.is_set():
        began = time.monotonic()
        try:
            done(refresh(engine, home, marts=marts, progress=progress, linked=linked))
        except Problem as problem:
            failed(problem)
        stop.wait(max(0.0, seconds - (time.monotonic() - began)))


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and Ctrl+C set: a refresh at work is finished first, the second signal ends it at once."""
    stop = threading.Event()

    def ask(number: int, _: object) -> None:
        if stop.is_set():
            signal.default_int_handler(number, None)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop
