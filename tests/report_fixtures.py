"""What tests of reports share: the tiny snapshot, and a figure by its key."""

import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from tests import tiny


@pytest.fixture(scope="session")
def tiny_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """An open snapshot over the receipts of tests.tiny."""
    return tiny.snapshot(tmp_path_factory.mktemp("tiny") / "facts.duckdb")


def figure(kpis: pd.DataFrame, key: str, column: str = "value") -> float:
    """One figure of a table of key figures."""
    return float(kpis.set_index("key").loc[key, column])
