"""Price bands and advisers, by hand."""

import pandas as pd

from data_access.snapshot import Snapshot
from models.reports import spending as report
from models.reports.spending import spending
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A


def steps(*rows: tuple[str, int, int, int]) -> pd.DataFrame:
    """Customers of a category by the band of the year before and of this one."""
    return pd.DataFrame(rows, columns=["category", "band_before", "band", "customers"])


STEPS = steps(("cream", 0, 1, 1), ("cream", 0, 2, 1), ("cream", 1, 1, 1), ("scent", 2, 0, 1), ("scent", 2, 1, 1))


def test_which_share_goes_up() -> None:
    found = pd.DataFrame({"direction": [-1, 1], "customers": [1, 3]})
    table = report._direction(found).set_index("direction")
    assert table["customers"].to_dict() == {"up": 3, "same": 0, "down": 1}
    assert table.loc["up", "share"] == 3 / 4
    assert table.loc["up", "lo95"] < 3 / 4 < table.loc["up", "hi95"]


def test_bands_of_the_year_before_and_now() -> None:
    table = report._migration(STEPS).set_index(["band_before", "band"])
    assert table.loc[("entry", "premium"), ["pairs", "share"]].tolist() == [1, 1 / 2]
    assert table["pairs"].sum() == STEPS["customers"].sum()


def test_categories_by_themselves() -> None:
    table = report._by_category(STEPS).set_index("category")
    assert table.loc["cream", ["customers", "up_share", "down_share"]].tolist() == [3, 2 / 3, 0]
    assert table.loc["scent", ["customers", "up_share", "down_share"]].tolist() == [2, 0, 1]


def test_whoever_nobody_looks_after_is_listed_by_value(tiny_snapshot: Snapshot) -> None:
    found = spending(tiny_snapshot, CHAIN, AS_OF)
    assert found.unassigned["net_sales"].is_monotonic_decreasing
    assert len(found.unassigned) == 5  # all but 5, who never bought; 6 has no home store: for the chain to see
    at_a = spending(tiny_snapshot, ONLY_A, AS_OF)
    assert set(at_a.unassigned["store_id"]) == {"A"}
    assert at_a.advisers["customers"].sum() == 3  # 1, 2 and 5
    assert spending(tiny_snapshot, NOTHING, AS_OF).unassigned.empty


def test_without_list_prices_there_are_no_bands(tiny_snapshot: Snapshot) -> None:
    found = spending(tiny_snapshot, NOTHING, AS_OF)
    assert found.bands["customers"].sum() == 0
    assert found.direction["share"].isna().all()
    assert found.ready.empty
