"""Price bands and advisers, by hand."""

import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from models.reports import spending as report
from models.reports.spending import spending
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A


def pairs(*rows: tuple[int, str, int, int]) -> pd.DataFrame:
    """Customers and categories with the band of the year before and of this one."""
    table = pd.DataFrame(rows, columns=["customer_no", "category", "band_before", "band"])
    return table.assign(step=table["band"] - table["band_before"])


BOTH = pairs((1, "cream", 0, 1), (1, "scent", 2, 1), (2, "cream", 0, 2), (3, "cream", 1, 1), (4, "scent", 2, 0))


def test_a_third_of_the_prices_is_a_band() -> None:
    assert report._band(pd.Series([0.0, 0.33, 0.34, 0.67, 1.0, float("nan")])).tolist() == [0, 0, 1, 2, 2, -1]


def test_a_customer_goes_up_by_the_sum_of_the_steps() -> None:
    table = report._direction(BOTH).set_index("direction")
    assert table["customers"].to_dict() == {"up": 1, "same": 2, "down": 1}  # 1: one up, one down
    assert table.loc["up", "share"] == 1 / 4
    assert table.loc["up", "lo95"] < 1 / 4 < table.loc["up", "hi95"]


def test_bands_of_the_year_before_and_now() -> None:
    table = report._migration(BOTH).set_index(["band_before", "band"])
    assert table.loc[("entry", "premium"), ["pairs", "share"]].tolist() == [1, 1 / 2]
    assert table["pairs"].sum() == len(BOTH)


def test_categories_by_themselves() -> None:
    table = report._by_category(BOTH).set_index("category")
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


@pytest.mark.parametrize("rank", [0.1, 0.5, 0.9])
def test_the_band_over_all_categories_weighs_lines(rank: float) -> None:
    rows = pd.DataFrame(
        {
            "customer_no": [1, 1],
            "rank_now": [rank, 1.0],
            "lines": [9, 0],
            "discounted": [3, 0],
            "net_sales": [90.0, 0.0],
        }
    )
    table = report._bands(rows).set_index("band")
    name = report.BANDS[int(rank * 3)]
    assert table.loc[name, ["customers", "lines", "discounted_share"]].tolist() == [1, 9, 3 / 9]
