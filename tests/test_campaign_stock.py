"""The stock of a campaign: days on which its shelves were empty and what will be missing, on the tiny chain by hand."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from models.reports import tables
from models.reports.campaign_stock import CampaignStockReport, Uplift, _lost_variance, _uplift, campaign_stock
from models.reports.shelves import lost_units
from tests import tiny, two_chains
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A

# K1 (1 to 12 March) promotes P1, of which A sold its last 8 on the 9th and got 4 on the 12th. K6
# runs from 25 to 31 March in A alone.
PROMOTED = [{"campaign_id": campaign, "product_id": "P1"} for campaign in ("K1", "K6")]
NEXT = {"campaign_id": "K6", "name": "Next", "starts_on": date(2026, 3, 25), "ends_on": date(2026, 3, 31),
        "window_days": 0, "window_last": date(2026, 3, 31), "is_planned": True}  # fmt: skip


# The two of P1 that A sold on 2 March (O7), brought back on that day.
CANCELLED = tiny.Return("R9", "A", 1, datetime(2026, 3, 2, 11), "P1", 2, "190", of=("O7", 1))


def chain(snapshot: Snapshot, folder: Path, *returns: tiny.Return) -> Snapshot:
    content = tiny._rows()
    content["campaign"].append(NEXT)
    content["campaign_product"] = PROMOTED
    content["campaign_store"] = [{"campaign_id": "K6", "store_id": "A"}]
    content["return_line"] += tiny._returns(returns)
    return replace(snapshot, engine=two_chains.build(folder / "f.duckdb", content))


@pytest.fixture(scope="module")
def promoted(tiny_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return chain(tiny_snapshot, tmp_path_factory.mktemp("promoted"))


@pytest.fixture(scope="module")
def cancelled(tiny_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return chain(tiny_snapshot, tmp_path_factory.mktemp("cancelled"), CANCELLED)


def sums(report: CampaignStockReport) -> dict[str, float]:
    return dict(zip(report.summary["key"], report.summary["value"], strict=True))


def test_empty_days_are_those_of_the_campaign(promoted: Snapshot) -> None:
    report = campaign_stock(promoted, CHAIN, "K1")
    days = dict(zip(report.empty_shelves["store_id"], report.empty_shelves["empty_days"], strict=True))
    assert days == {"A": 11 - 9}  # 10 and 11 March; in B no receipt has it, so nobody knows that it is on sale there
    found = sums(report)
    assert (found["shelves"], found["days"], found["shelf_days"], found["empty_days"]) == (2, 12, 2 * 12, 2)
    assert "needed" not in found  # it is over


def test_a_store_sees_its_own_shelves(promoted: Snapshot) -> None:
    assert set(campaign_stock(promoted, ONLY_A, "K1").empty_shelves["store_id"]) == {"A"}
    assert all(frame.empty for frame in tables(campaign_stock(promoted, NOTHING, "K1")).values())
    assert all(frame.empty for frame in tables(campaign_stock(promoted, CHAIN, "nothing")).values())


def test_lost_units_are_the_mean_of_the_other_days_for_each_empty_one() -> None:
    # Two shelves over 6 days: 3 + 1 + 2 sold on 4 known days, 2 of the last 3 empty; never empty.
    empty = np.array([[False, False, False, True, False, True], [False] * 6])
    sold = np.array([[3.0, 1.0, 0.0, np.nan, 2.0, np.nan], [1.0] * 6])
    days, lost = lost_units(sold, empty, 3)
    assert days.tolist() == [2, 0]
    assert lost.tolist() == [2 * (3 + 1 + 0 + 2) / 4, 0]


def test_what_is_needed_until_the_end_stands_against_what_is_there(promoted: Snapshot) -> None:
    # Without a forecast P1 goes on as in the last 56 days. Of 5 on hand 2 are reserved; 6 + 2 + 0 more are on order.
    sold = {"A": 0.0}
    with promoted.engine.connect() as connection:
        query = "SELECT sum(units) FROM product_store_day WHERE store_id = 'A' AND product_id = 'P1' AND day > ?"
        sold["A"] = float(connection.exec_driver_sql(query, (AS_OF - pd.Timedelta(days=56),)).scalar_one() or 0)
    found = sums(campaign_stock(promoted, CHAIN, "K6"))
    assert found["needed"] == pytest.approx(sold["A"] / 56 * 7)  # 25 to 31 March; too few past campaigns tell more
    assert (found["uplift"], found["short_units"]) == (1, 0)


def test_a_shelf_runs_short_when_nothing_is_there(promoted: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    # 2 units a day from 21 to 31 March: 11 days need 22, there are 3 and 8 come on the 24th and 25th.
    monkeypatch.setattr(
        "models.reports.campaign_stock._ahead",
        lambda _s, _c, frame, days: np.full((len(frame), len(days)), 2.0),
    )
    (row,) = campaign_stock(promoted, CHAIN, "K6").short_shelves.to_dict("records")
    assert (row["store_id"], row["units_needed"], row["on_hand"], row["coming"]) == ("A", 2 * 11, 5 - 2, 6 + 2)
    assert row["short_units"] == 2 * 11 - 3 - 8
    assert row["runs_out_on"] == pd.Timestamp(2026, 3, 22)  # 3 do for one day and a half, the next come on the 24th


def test_uplift_is_the_median_of_past_campaigns_beside_everything_else() -> None:
    past = pd.DataFrame(
        {
            "during": [20.0, 30.0, 40.0, 5.0],
            "earlier": [10.0, 10.0, 10.0, 0.0],  # what did not sell before tells nothing
            "all_during": [100.0, 100.0, 200.0, 100.0],
            "all_earlier": [100.0] * 4,
        }
    )
    found = _uplift(past)  # 2, 3 and 4 / 2
    assert (found.value, found.campaigns) == (2.0, 3)
    # Over three logarithms Student's t has two degrees of freedom: 1.8856 leaves a tenth on each side.
    reach = np.exp(1.8856181 * np.log([2.0, 3.0, 2.0]).std(ddof=1) * np.sqrt(1 + 1 / 3))
    assert (found.lo, found.hi) == (pytest.approx(2 / reach), pytest.approx(2 * reach))
    assert _uplift(past.head(2)) == Uplift(1.0, 1.0, 1.0, 2)


def test_what_came_back_on_the_day_of_its_sale_was_no_demand(promoted: Snapshot, cancelled: Snapshot) -> None:
    # In the year before the 12th A sold P1 once on 9 February and twice on 2 March; the two came back.
    lost, without = (sums(campaign_stock(each, CHAIN, "K1"))["lost_units"] for each in (promoted, cancelled))
    assert without == pytest.approx(lost * 1 / (1 + 2))
    needed, without = (sums(campaign_stock(each, CHAIN, "K6"))["needed"] for each in (promoted, cancelled))
    assert (needed, without) == (pytest.approx((1 + 2) / 56 * 7), pytest.approx(1 / 56 * 7))


def test_what_was_lost_varies_by_the_days_and_by_the_mean_they_are_estimated_by() -> None:
    # 3, 1, 0 and 2 on the known days: mean 1.5, variance (2.25 + .25 + 2.25 + .25) / 3; 2 days are estimated by 4.
    sold = np.array([[3.0, 1.0, 0.0, np.nan, 2.0, np.nan], [1.0] * 6])
    assert _lost_variance(sold, np.array([2, 0])).tolist() == pytest.approx([5 / 3 * (2 + 2**2 / 4), 0])


def test_estimated_lost_sales_lie_in_their_range_as_often_as_it_says() -> None:
    """600 chains of 30 shelves that sell by chance and were empty on 0 to 9 of 100 days: what they would have sold."""
    rng, inside = np.random.default_rng(3), 0
    for _ in range(600):
        rate, many = rng.gamma(1.0, 1.5, (30, 1)), rng.integers(0, 10, 30)
        day = np.arange(100)[None, :]
        all_days = rng.poisson(rate, (30, 100)).astype(np.float64)
        empty = day >= 100 - many[:, None]
        sold = np.where(empty, np.nan, all_days)
        days, lost = lost_units(sold, empty, 100)
        reach = 1.96 * _lost_variance(sold, days).sum() ** 0.5
        inside += abs(all_days[empty].sum() - lost.sum()) <= reach
    assert inside / 600 == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / 600) ** 0.5)


def test_a_shelf_that_will_do_may_run_short_where_the_campaign_sells_as_the_best_did(
    promoted: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1 unit a day needs 4 before the campaign and 7 in it: 3 and 8 on the way do for that, not for three times as much.
    monkeypatch.setattr(
        "models.reports.campaign_stock._ahead",
        lambda _s, _c, frame, days: np.full((len(frame), len(days)), 1.0),
    )
    monkeypatch.setattr("models.reports.campaign_stock._uplift", lambda _: Uplift(1.0, 0.5, 3.0, 5))
    report = campaign_stock(promoted, CHAIN, "K6")
    (row,) = report.short_shelves.to_dict("records")
    assert (row["short_units_lo"], row["short_units"], row["short_units_hi"]) == (0, 0, 4 + 3 * 7 - 11)
    assert pd.isna(row["runs_out_on"])
    found = sums(report)
    assert (found["needed_lo"], found["needed"], found["needed_hi"]) == (7 / 2, 7, 7 * 3)
