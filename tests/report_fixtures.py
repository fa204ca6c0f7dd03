"""What tests of reports share: the tiny snapshot, an empty store of the app's own, and a figure by its key."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access.snapshot import Snapshot
from data_access.state.store import prepare, state_engine
from tests import tiny


@pytest.fixture(scope="session")
def tiny_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """An open snapshot over the receipts of tests.tiny."""
    return tiny.snapshot(tmp_path_factory.mktemp("tiny") / "facts.duckdb")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Engine]:
    """The app's own store, empty, in a SQLite file."""
    engine = state_engine(f"sqlite:///{tmp_path}/state.sqlite")
    prepare(engine)
    yield engine
    engine.dispose()


def figure(kpis: pd.DataFrame, key: str, column: str = "value") -> float:
    """One figure of a table of key figures."""
    return float(kpis.set_index("key").loc[key, column])
