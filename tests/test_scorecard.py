"""The scorecard: what customers say and do month by month, and what the platform costs beside what it brings."""

from datetime import date, datetime

import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit, costs
from data_access.state.audit import Filter
from data_access.state.costs import Cost
from data_access.state.rules import Rule
from models.reports import scorecard as report_module
from models.reports.scorecard import scorecard
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A

NOW = datetime(2026, 3, 20, 9)
MARCH = date(2026, 3, 1)


def test_the_newest_cost_counts_and_is_in_the_audit_log(state: Engine) -> None:
    for amount in (500, 800):
        costs.put(state, CHAIN, "admin", MARCH, "software", amount, NOW)
    costs.put(state, CHAIN, "admin", MARCH, "storage", 10, NOW)
    costs.put(state, CHAIN, "admin", MARCH, "storage", None, NOW)
    assert costs.current(state, CHAIN) == (Cost(MARCH, "software", 800),)
    assert costs.current(state, ONLY_A) == ()
    assert len(audit.search(state, Filter(action="platform_cost_set")).entries) == 4


@pytest.mark.parametrize(
    ("scope", "month", "amount", "rule"),
    [
        (ONLY_A, MARCH, 5, "cost_place"),
        (CHAIN, date(2026, 3, 2), 5, "cost_month"),
        (CHAIN, date(2019, 3, 1), 5, "cost_month"),
        (CHAIN, MARCH, -1, "cost_amount"),
    ],
)
def test_what_makes_no_sense_is_refused(state: Engine, scope: Scope, month: date, amount: int, rule: str) -> None:
    with pytest.raises(Rule) as refused:
        costs.put(state, scope, "admin", month, "software", amount, NOW)
    assert refused.value.key == rule
    assert costs.current(state, CHAIN) == ()


def _months(report: report_module.ScorecardReport, measure: str) -> pd.DataFrame:
    return report.months[report.months["measure"] == measure].set_index("month")


def test_who_bought_again(tiny_snapshot: Snapshot) -> None:
    active = _months(scorecard(tiny_snapshot, CHAIN, AS_OF), "active_share")
    # first orders: 1 in March 2025, 2 in June, 3 and 4 in February 2026; all four came in March 2026
    assert active.loc["2026-03", ["value", "n"]].tolist() == [4 / 4, 4]
    assert active.loc["2026-02", ["value", "n"]].tolist() == [1 / 2, 2]
    assert scorecard(tiny_snapshot, NOTHING, AS_OF).months.empty


def test_satisfaction_and_recommendation_with_their_ranges() -> None:
    march = pd.Timestamp(MARCH)
    rows = pd.DataFrame(
        {
            "kind": ["csat", "nps", "nps"],
            "month": [march, march, pd.Timestamp("2026-02-01")],
            "answers": [20, 10, 9],
            "score": [80.0, 80.0, 60.0],
            "score_score": [339.0, 700.0, 500.0],
            "promoters": [0, 6, 9],
            "detractors": [0, 1, 0],
        }
    )
    csat, nps = report_module._csat(rows).iloc[0], report_module._nps(rows)
    assert csat["value"] == 80 / 20
    assert csat["hi95"] - csat["value"] == pytest.approx(1.96 * ((339 - 20 * 4**2) / 19 / 20) ** 0.5, rel=1e-3)
    assert nps["value"].tolist() == [6 / 10 - 1 / 10]  # nine answers are too few
    assert nps["lo95"].iloc[0] == pytest.approx(0.5 - 1.96 * ((0.7 - 0.25) / 10) ** 0.5, rel=1e-3)


def test_costs_are_the_chains(tiny_snapshot: Snapshot) -> None:
    entered = (Cost(MARCH, "storage", 5), Cost(MARCH, "software", 100))
    report = scorecard(tiny_snapshot, CHAIN, AS_OF, entered)
    assert report.costs["kind"].tolist() == ["software", "storage"]
    row = report.against.iloc[0]
    assert (row["cost"], row["campaigns"]) == (100 + 5, 0)
    assert pd.isna(row["balance"])  # nothing was measured: nothing to set against it
    assert scorecard(tiny_snapshot, ONLY_A, AS_OF, entered).costs.empty


def test_every_store_and_region_beside_its_year_before(
    tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_module, "LEAST_ANSWERS", 1)
    rows = scorecard(tiny_snapshot, CHAIN, AS_OF).places.set_index(["level", "place_id", "measure"])
    # the answer of 9 about a receipt of A; the one of nobody's receipt belongs to no place
    assert rows.loc[("store", "A", "nps"), ["value", "n"]].tolist() == [1 / 1, 1]
    assert ("store", "B", "nps") not in rows.index
    assert rows.loc[("region", "north", "net_sales"), "value"] == pytest.approx(
        rows.loc[[("store", "A", "net_sales"), ("store", "B", "net_sales")], "value"].sum()
    )
    assert rows["before"].isna().all()  # the data begin within the year before
    own = scorecard(tiny_snapshot, ONLY_A, AS_OF).places
    assert set(own["level"]) == {"store"}
    assert set(own["place_id"]) == {"A"}


def test_earlier_customers_are_added_over_twelve_whole_months() -> None:
    # two new in January 2025, one more in May; one of them came in each month of the rest of 2025
    months = [(660 + month, 2 if month == 0 else 1 if month == 4 else 0, int(month > 0)) for month in range(12)]
    rows = pd.DataFrame([("A", *row) for row in months], columns=["place_id", "month", "new", "came"])
    found = report_module._came(rows, [date(2025, 12, 31)]).iloc[0]
    assert found["n"] == 4 * 2 + 7 * 3
    assert found["value"] == 11 / (4 * 2 + 7 * 3)
    # on 30 December that month is not over
    assert report_module._came(rows, [date(2025, 12, 30)]).iloc[0]["n"] == 4 * 2 + 6 * 3
