"""Where a budget earns most: ranges put together by hand, queries and report on the tiny chain."""

import math
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data_access.queries import allocation as queries
from data_access.snapshot import Snapshot
from models.calc.allocation import Arms, added, caused, cost_of_one, moved, per_unit
from models.calc.lift import Estimate, share_difference
from models.reports.allocation import allocation, cost_each, earned
from pages._ui.allocation_views import most_given
from tests import tiny, two_chains
from tests.tiny import CHAIN


def test_ranges_of_a_sum_add_up_end_by_end() -> None:
    found = added(pd.DataFrame({"value": [100.0, 50.0], "lo": [97.0, 46.0], "hi": [106.0, 58.0]}))
    assert (found.value, found.lo, found.hi) == (150, 150 - math.hypot(3, 4), 150 + math.hypot(6, 8))


def test_a_sum_with_an_end_that_is_not_known_is_not_known() -> None:
    for rows in (pd.DataFrame({"value": [1.0, 2.0], "lo": [0.0, np.nan], "hi": [2.0, 3.0]}), pd.DataFrame()):
        assert math.isnan(added(rows).value)


def test_moving_money_changes_what_both_earned_per_unit() -> None:
    giver, taker = Estimate(2.0, 1.0, 5.0), Estimate(6.0, 2.0, 7.0)
    found = moved(1_000, giver, taker)
    assert found.value == 1_000 * (6 - 2)
    assert found.lo == 1_000 * (4 - math.hypot(6 - 2, 5 - 2))
    assert found.hi == 1_000 * (4 + math.hypot(7 - 6, 2 - 1))
    assert per_unit(Estimate(30.0, 10.0, 40.0), 20.0) == Estimate(1.5, 0.5, 2.0)
    assert math.isnan(per_unit(Estimate(30.0, 10.0, 40.0), 0.0).value)


def test_a_caused_buyer_is_one_beyond_those_of_the_holdout() -> None:
    found = caused(Arms(120, 1_000, 50, 500))
    newcombe = share_difference(120, 1_000, 50, 500)
    assert found.value == pytest.approx(120 - 1_000 * 50 / 500)
    assert (found.lo, found.hi) == (1_000 * newcombe.lo, 1_000 * newcombe.hi)
    assert cost_of_one(400.0, Estimate(20.0, 10.0, 40.0)) == Estimate(400 / 20, 400 / 40, 400 / 10)
    assert cost_of_one(400.0, Estimate(20.0, -1.0, 40.0)).hi == math.inf
    assert math.isnan(cost_of_one(400.0, Estimate(-2.0, -9.0, 4.0)).value)


def test_new_buyers_had_no_order_before_the_campaign(tiny_snapshot: Snapshot) -> None:
    rows = queries.people(CHAIN, tiny_snapshot.engine)
    k1 = rows[rows["campaign_id"] == "K1"].set_index(["is_control", "is_new"])[["customers", "buyers"]]
    # treated 1, 2, 4 and 6, of whom 6 first bought after K1 began, and after its window; held back 3
    assert k1.loc[(False, True)].tolist() == [1, 0]
    assert k1.loc[(False, False)].tolist() == [3, 2]  # 1 on 2 March, 4 on 10 March
    assert k1.loc[(True, False)].tolist() == [1, 1]  # 3 on 12 March


def test_who_attended_and_bought_soon_after(tiny_snapshot: Snapshot) -> None:
    (row,) = queries.events(CHAIN, tiny_snapshot.engine).to_dict("records")
    counts = {name: row[name] for name in ("invited", "attended", "attended_bought", "absent", "absent_bought")}
    # customer 1 attended on 2 March at 17:00, and had bought first that morning; of the others 4 bought on 10 March
    assert counts == {"invited": 4, "attended": 1, "attended_bought": 0, "absent": 3, "absent_bought": 1}
    assert (row["attended_new"], row["attended_first"]) == (0, 0)  # who came had bought before


def test_an_event_leads_people_to_their_first_purchase(tiny_snapshot: Snapshot, tmp_path: Path) -> None:
    # Without O6 customer 4, who comes on 9 March, buys for the first time on the 10th.
    content = {name: [row for row in rows if row.get("order_id") != "O6"] for name, rows in tiny._rows().items()}
    came = {"event_id": "E-came", "customer_no": 4, "kind": "attended", "occurred_at": datetime(2026, 3, 9)}
    content["campaign_event"].append({**content["campaign_event"][0], **came})
    (row,) = queries.events(CHAIN, two_chains.build(tmp_path / "f.duckdb", content)).to_dict("records")
    assert (row["attended"], row["attended_bought"]) == (2, 1)  # customer 1 bought before coming
    assert (row["attended_new"], row["attended_first"]) == (1, 1)


def test_without_a_dated_and_costed_campaign_nothing_is_measured(tiny_snapshot: Snapshot) -> None:
    report = allocation(tiny_snapshot, CHAIN)
    known = report.summary.set_index("key")["value"].to_dict()
    assert known == {"ran": 2, "valid": 1}  # K1 and K4 have closed, and K1 held somebody back
    assert report.kinds.empty
    assert report.buyers.empty


def test_kinds_add_up_what_their_measured_campaigns_caused(
    tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = [math.nan] * 3
    rows = [
        ["A", "discount", "closed", 10, "worked", 100.0, 300.0, 200.0, 400.0, 40],
        ["B", "discount", "closed", 10, "cannot_tell", 50.0, 150.0, 50.0, 250.0, 30],
        ["C", "discount", "closed", 10, "cannot_tell", 70.0, 150.0, math.nan, math.nan, 30],  # too few for a range
        ["D", "event", "closed", 0, "no_control", 80.0, *nothing, 20],
        ["E", "event", "running", 10, "worked", 80.0, 900.0, 800.0, 990.0, 20],
    ]
    columns = "campaign_id type state held_back verdict cost incremental_margin incremental_lo incremental_hi buyers"
    listed = SimpleNamespace(campaigns=pd.DataFrame(rows, columns=columns.split()))
    monkeypatch.setattr("models.reports.allocation.campaigns", lambda snapshot, scope: listed)
    report = allocation(tiny_snapshot, CHAIN)
    assert report.summary["value"].tolist() == [4, 3]
    discount, event = report.kinds.to_dict("records")
    assert [discount[name] for name in ("type", "campaigns", "valid", "measured")] == ["discount", 3, 3, 2]
    assert [discount[name] for name in ("cost", "incremental_margin")] == [100 + 50, 300 + 150]
    assert earned(report.kinds, "discount") == Estimate(
        450 / 150, (450 - math.hypot(100, 100)) / 150, (450 + math.hypot(100, 100)) / 150
    )
    assert [event[name] for name in ("type", "campaigns", "valid", "measured")] == ["event", 1, 0, 0]
    assert math.isnan(event["earned_per_unit"])


def test_over_all_kinds_the_costs_and_the_buyers_are_added() -> None:
    buyers = pd.DataFrame(
        {
            "buyer_group": ["new", "new", "kept"],
            "caused": [10.0, 30.0, 100.0],
            "caused_lo": [7.0, 26.0, 80.0],
            "caused_hi": [13.0, 34.0, 125.0],
            "cost": [1_000.0, 3_000.0, 4_000.0],
        }
    )
    found = cost_each(buyers, "new")  # 40 buyers, the ends 3 and 4 to both sides: 5
    assert (found.value, found.lo, found.hi) == (4_000 / 40, 4_000 / 45, 4_000 / 35)
    assert cost_each(buyers, "kept").value == 4_000 / 100


def test_no_kind_gives_more_than_it_had() -> None:
    kinds = pd.DataFrame({"type": ["points", "discount"], "cost": [900.0, 400.5]})
    assert most_given(kinds, "discount") == 400
