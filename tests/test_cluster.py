"""The batch on a Dask cluster of two workers: the same futures, the same rows."""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.results.tables import ResultTable
from data_access.settings import settings
from data_access.snapshot import Snapshot
from models.jobs import cluster, forecast
from tests.test_truth import build


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Problem, match=r"install them"), cluster.workers("tcp://127.0.0.1:1"):
        pass


@pytest.fixture
def scheduler() -> Iterator[str]:
    """Two workers of one thread each, on this machine."""
    if not find_spec("distributed"):
        if os.environ.get("CI"):
            pytest.fail("the extra cluster is not installed: `make test-slow` does it")
        pytest.skip("the extra cluster is not installed here: `make test-slow` installs it where it may")
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, protocol="tcp"
    ) as found:
        yield found.scheduler_address


def rows(snapshot: Snapshot) -> dict[str, pd.DataFrame]:
    written: dict[str, list[pd.DataFrame]] = {}

    def write(table: ResultTable, frame: pd.DataFrame) -> None:
        written.setdefault(table.name, []).append(frame)

    forecast._run(snapshot, (), write, lambda done, of: None)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in written.items()}


@pytest.mark.slow
def test_two_workers_forecast_what_this_machine_does(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # a page that a test left as the main program
    monkeypatch.setattr(forecast, "_AT_ONCE", 1)  # each store by itself
    snapshot = build(tmp_path, scale="tiny", seed=1).snapshot
    here = rows(snapshot)
    asked: list[str] = []
    real = cluster.workers
    monkeypatch.setattr(cluster, "workers", lambda address: (asked.append(address), real(address))[1])
    monkeypatch.setenv("MIRROR_CLUSTER", scheduler)
    settings.cache_clear()
    try:
        there = rows(snapshot)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert asked == [scheduler] * 2  # what shelves missed, and the products
    assert here.keys() == there.keys()
    for name, frame in here.items():
        pd.testing.assert_frame_equal(frame, there[name], check_exact=True)
