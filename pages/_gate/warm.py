"""Warm-up: the imports and first reports that the first visitor would otherwise wait for, in a background thread."""

import logging
import threading
import time

from data_access.errors import Problem

# Set when the first visitor meets a warm process.
warmed = threading.Event()

_log = logging.getLogger(__name__)


def start() -> None:
    """Begins the warm-up and returns at once, so that the sign-in page answers meanwhile."""
    threading.Thread(target=_warm, name="warm-up", daemon=True).start()


def _warm() -> None:
    started = time.monotonic()
    try:
        _imports()
        _default_reports()
    except Problem as problem:
        _log.warning("nothing to warm up: %s", problem)
    finally:
        warmed.set()
    _log.info("warm after %.1f s", time.monotonic() - started)


def _imports() -> None:
    import pandas  # noqa: F401
    import plotly.graph_objects as go
    import plotly.io  # noqa: F401

    import pages._ui.load  # noqa: F401

    # The first figure loads validators and the encoder.
    go.Figure(go.Bar(x=[1], y=["a"])).to_json()


def _default_reports() -> None:
    """What each role sees first: the default period for the chain and for every region."""
    from data_access.scope import Scope
    from pages._ui import filters, load

    snapshot = load.snapshot()
    first_day, last_day = snapshot.info.first_day, snapshot.info.last_day
    if first_day is None or last_day is None:
        return
    period = filters.default_period(first_day, last_day)
    stores = load.places(snapshot.generation)
    scopes = [Scope("chain")]
    scopes += [Scope("stores", tuple(part["store_id"])) for _, part in stores.groupby("region_id")]
    for scope in scopes:
        load.overview(scope, period, snapshot.generation)
    load.segments(Scope("chain"), last_day, snapshot.generation)
    load.retention(Scope("chain"), last_day, snapshot.generation)
