"""The thread beside the server: warms the process up, then watches for newer generations and puts them in use warm.

It starts the batch for facts that are new, whose results are a newer generation in their turn.

A click never waits for a file to be verified or for the first report of a new generation: until both are done in
this thread, clicks are answered from the generation before.
"""

import gc
import logging
import threading
import time
from collections.abc import Iterator

from data_access import live
from data_access.errors import Problem
from data_access.settings import settings
from data_access.snapshot import Pointer, Snapshot, adopt, current_snapshot, held, pending, prepare
from pages._gate.batch import BackgroundBatch

# Set when the first visitor meets a warm process.
warmed = threading.Event()

LOOK_EVERY = 3.0  # seconds between two looks at CURRENT
_RELEASE_AFTER = 30.0  # seconds after a change until the generation before is let go: longer than any page takes
_STOP_WITHIN = 5.0

_log = logging.getLogger(__name__)


class Watcher:
    """The thread, from the start of the server to its end."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._adopted_at: float | None = None
        self._batch = BackgroundBatch()

    def start(self) -> None:
        """Begins, and returns at once, so that the sign-in page answers meanwhile."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a step that cannot be interrupted ends with the process."""
        self._stopped.set()
        self._thread.join(_STOP_WITHIN)
        self._batch.stop()

    def _run(self) -> None:
        home = settings().home
        with held(home):
            self._warm_up()
            while not self._stopped.wait(LOOK_EVERY):
                try:
                    self.look()
                    self._batch.look()
                except Exception:  # noqa: BLE001
                    # Whatever goes wrong with one generation or its batch, the next one must still be seen.
                    _log.exception("the look for a newer generation failed")

    def look(self) -> None:
        """Puts a newer generation in use, if there is one and it can be opened."""
        from pages._ui import load

        home = settings().home
        if self._adopted_at is not None and time.monotonic() - self._adopted_at > _RELEASE_AFTER:
            load.release_older()
            gc.collect()  # engines and their pools point at each other
            self._adopted_at = None
        pointer = pending(home)
        if pointer is None:
            return
        load.release_older()  # at most two generations are open: the one in use and the new one
        started = time.monotonic()
        snapshot = prepare(home, pointer)
        if snapshot is not None:
            self._put_in_use(pointer, snapshot, started)

    def _put_in_use(self, pointer: Pointer, snapshot: Snapshot, started: float) -> None:
        opened = time.monotonic()
        try:
            self._default_reports(snapshot)
        except Exception:  # noqa: BLE001
            # Only slower for its first reader; the page that needs this report says what is wrong with it.
            _log.exception("generation %s could not be warmed", snapshot.generation)
        adopt(settings().home, pointer, snapshot)
        self._adopted_at = time.monotonic()
        _log.info(
            "generation %s in use: opened in %.1f s, warmed in %.1f s",
            snapshot.generation,
            opened - started,
            self._adopted_at - opened,
        )

    def _warm_up(self) -> None:
        started = time.monotonic()
        try:
            _imports()
            self._default_reports(current_snapshot(settings().home))
        except Problem as problem:
            _log.warning("nothing to warm up: %s", problem)
        finally:
            # What is there by now stays: to look through all of it again and again took clicks a fifth of a second.
            gc.collect()
            gc.freeze()
            warmed.set()
        _log.info("warm after %.1f s", time.monotonic() - started)
        try:
            live.opened()
        except Problem as problem:
            # Pages open all the same, without what they ask the CRM itself for.
            _log.error("%s", problem)

    def _default_reports(self, snapshot: Snapshot) -> None:
        for _ in default_reports(snapshot):
            if self._stopped.is_set():
                return


def start() -> Watcher:
    """The running watcher of this process."""
    watcher = Watcher()
    watcher.start()
    return watcher


def _imports() -> None:
    import importlib
    import pkgutil

    import pandas  # noqa: F401
    import plotly.graph_objects as go
    import plotly.io  # noqa: F401

    import pages._ui
    from pages._gate import sample
    from pages._ui.i18n import LANGUAGES

    # What pages consist of: a third of what the very first visit cost.
    for module in pkgutil.iter_modules(pages._ui.__path__):
        importlib.import_module(f"pages._ui.{module.name}")
    # The first figure loads validators and the encoder.
    go.Figure(go.Bar(x=[1], y=["a"])).to_json()
    for language in LANGUAGES:
        sample.frames(language)


def default_reports(snapshot: Snapshot) -> Iterator[None]:
    """What each role sees first, one report a step: the default period for the chain and for every region."""
    from data_access.scope import Scope
    from pages._ui import filters, load
    from pages._ui.i18n import LANGUAGES

    generation = snapshot.generation
    first_day, last_day = snapshot.info.first_day, snapshot.info.last_day
    if first_day is None or last_day is None:
        return
    period = filters.default_period(first_day, last_day)
    stores = load.places(generation)
    for language in LANGUAGES:
        load.translations(language, generation)
    chain = Scope("chain")
    load.health(chain, generation)
    for scope in (chain, *(Scope("stores", tuple(part["store_id"])) for _, part in stores.groupby("region_id"))):
        yield
        load.overview(scope, period, None, generation)
    yield
    load.segments(chain, last_day, generation)
    yield
    load.retention(chain, last_day, generation)
