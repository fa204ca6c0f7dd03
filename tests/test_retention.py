"""Retention of five buyers, by hand, and on random histories against plain pandas."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.pseudonym import customer_key
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.queries.retention import cohort_months, second_visits
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.retention import (
    CohortCell,
    cohort_count,
    cohort_members,
    retention,
    without_order,
    without_order_count,
)
from tests.random_chain import FIRST, LAST, RandomChain, random_chain
from tests.report_fixtures import figure
from tests.tiny import AS_OF, CHAIN, NORTH, NOTHING, ONLY_A


def test_cohorts_by_month_of_the_first_order(tiny_snapshot: Snapshot) -> None:
    cohorts = retention(tiny_snapshot, CHAIN, AS_OF, months=None).cohorts.set_index(["cohort", "month_number"])
    assert cohorts.groupby("cohort")["size"].first().to_dict() == {
        "2025-03": 1,
        "2025-06": 1,
        "2026-02": 2,
        "2026-03": 1,
    }
    assert cohorts.loc[("2026-02", 1)].to_dict() == {"size": 2, "customers": 2, "rate": 1.0, "complete": False}
    assert cohorts.loc[("2025-03", 1), "customers"] == 0
    assert cohorts.loc["2025-03"].index.tolist() == list(range(13))  # March 2025 to March 2026
    assert cohorts.loc[("2025-06", 8), "customers"] == 1  # February 2026; the returns of that customer do not count


def test_the_last_month_is_flagged_and_later_months_are_absent(tiny_snapshot: Snapshot) -> None:
    report = retention(tiny_snapshot, CHAIN, date(2026, 6, 30))  # the data end on 20 March
    assert report.cohorts["complete"].sum() == len(report.cohorts) - 4
    assert report.new_returning["month"].max() == "2026-03"
    assert report.new_returning.set_index("month").loc["2026-03", "complete"] == np.False_
    ended = retention(tiny_snapshot, CHAIN, date(2026, 2, 28))
    assert ended.cohorts["complete"].all()


def test_the_summary(tiny_snapshot: Snapshot) -> None:
    summary = retention(tiny_snapshot, CHAIN, AS_OF).summary
    assert figure(summary, "customers") == 5
    assert figure(summary, "repeat_customers") == 4  # all but customer 6
    assert figure(summary, "repeat_purchase_rate") == 4 / 5
    assert figure(summary, "orders_per_customer") == (5 + 3 + 2 + 2 + 1) / 5
    net = 585 + 210.25 + 195 + 594.5 + 58
    assert figure(summary, "repeat_sales_rate") == pytest.approx((net - 58) / net)


def test_new_and_returning_by_month(tiny_snapshot: Snapshot) -> None:
    months = retention(tiny_snapshot, CHAIN, AS_OF).new_returning.set_index("month")
    assert months["new"].to_dict() == {"2025-03": 1, "2025-06": 1, "2026-02": 2, "2026-03": 1}
    assert months["returning"].to_dict() == {"2025-03": 0, "2025-06": 0, "2026-02": 1, "2026-03": 4}
    assert months.loc["2026-03", "new_net_sales"] == 58
    assert months.loc["2026-03", "returning_gross_sales"] == 190 + 30 + 205 + 400 + 105 + 110.25


def test_a_store_has_its_own_first_orders(tiny_snapshot: Snapshot) -> None:
    cohorts = retention(tiny_snapshot, ONLY_A, AS_OF, months=None).cohorts
    assert cohorts.groupby("cohort")["size"].first().to_dict() == {"2025-03": 1, "2026-02": 1, "2026-03": 1}


def test_the_latest_cohorts_are_shown(tiny_snapshot: Snapshot) -> None:
    report = retention(tiny_snapshot, CHAIN, AS_OF, months=2)
    assert set(report.cohorts["cohort"]) == {"2026-02", "2026-03"}
    assert set(report.new_returning["month"]) == {"2026-02", "2026-03"}
    assert figure(report.summary, "customers") == 5  # over all history
    with pytest.raises(Problem, match="months"):
        retention(tiny_snapshot, CHAIN, AS_OF, months=0)


def test_no_stores_no_cohorts(tiny_snapshot: Snapshot) -> None:
    report = retention(tiny_snapshot, NOTHING, AS_OF)
    assert report.cohorts.empty
    assert report.new_returning.empty
    assert figure(report.summary, "customers") == 0
    assert np.isnan(figure(report.summary, "repeat_purchase_rate"))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> RandomChain:
    return random_chain(tmp_path_factory.mktemp("random") / "facts.duckdb")


@pytest.mark.parametrize("as_of", [LAST, date(2025, 11, 15)])
@pytest.mark.parametrize(
    "scope", [CHAIN, NORTH, Scope("stores", ("A", "C")), ONLY_A], ids=["chain", "region", "two stores", "one store"]
)
def test_cohorts_agree_with_plain_pandas(chain: RandomChain, scope: Scope, as_of: date) -> None:
    frame = chain.events
    seen = frame[(frame["day"] <= pd.Timestamp(as_of)) & frame["store_id"].map(scope.allows)]
    seen = seen.assign(month=(seen["day"].dt.year - 1970) * 12 + seen["day"].dt.month - 1)
    orders = seen[seen["orders"] > 0]
    firsts, totals = orders.groupby("customer_no")["month"].min(), orders.groupby("customer_no")["orders"].sum()
    seen = seen.assign(
        cohort=seen["customer_no"].map(firsts).fillna(-1).astype(int),
        repeats=seen["customer_no"].map(totals).fillna(0) >= 2,
    )
    by = ["cohort", "month"]
    bought, repeats = seen[seen["orders"] > 0], seen[seen["repeats"]]
    expected = pd.DataFrame(
        {
            "customers": bought.groupby(by)["customer_no"].nunique(),
            "repeat_customers": bought[bought["repeats"]].groupby(by)["customer_no"].nunique(),
            **{name: seen.groupby(by)[name].sum() for name in ("orders", "gross_sales", "net_sales")},
            "repeat_net_sales": repeats.groupby(by)["net_sales"].sum(),
        }
    ).fillna(0)
    found = cohort_months(scope, chain.snapshot.engine, as_of).set_index(by)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_index_type=False)


# --- growth, waits and who is meant -----------------------------------------------------------------


def test_new_customers_grow_from_month_to_month(chain: RandomChain) -> None:
    report = retention(chain.snapshot, CHAIN, LAST, months=None)
    growth = report.growth.set_index("month")
    new = report.new_returning.set_index("month")["new"]
    assert growth.index[0] == "2025-01"
    assert growth.index[-1] == "2026-01"  # February has not ended
    assert np.isnan(growth.loc["2025-01", "growth"])  # there is no month before it
    assert growth.loc["2025-04", "growth"] == new["2025-04"] / new["2025-03"] - 1
    assert growth.loc["2025-04", "lo95"] < growth.loc["2025-04", "growth"] < growth.loc["2025-04", "hi95"]


def test_stores_and_regions_by_their_last_three_months(chain: RandomChain) -> None:
    places = retention(chain.snapshot, CHAIN, LAST).growth_by_place
    assert places[places["level"] == "region"]["place"].tolist() == ["north", "south"]
    store = places[(places["level"] == "store") & (places["place_id"] == "C")].iloc[0]
    firsts = _visits_of(chain, Scope("stores", ("C",))).groupby("customer_no")["day"].min().dt.to_period("M")
    assert store["new"] == firsts.between(pd.Period("2025-11"), pd.Period("2026-01")).sum()
    assert store["previous_new"] == firsts.between(pd.Period("2025-08"), pd.Period("2025-10")).sum()
    alone = retention(chain.snapshot, ONLY_A, LAST).growth_by_place
    assert alone["place_id"].tolist() == ["A"]
    assert alone["verdict"].tolist() == ["unclear"]  # nobody to compare with


@pytest.mark.parametrize("as_of", [LAST, date(2025, 11, 15)])
@pytest.mark.parametrize("scope", [CHAIN, Scope("stores", ("A", "C")), ONLY_A], ids=["chain", "two stores", "one"])
def test_waits_for_the_second_visit_agree_with_plain_pandas(chain: RandomChain, scope: Scope, as_of: date) -> None:
    visits = _visits_of(chain, scope)
    visits = visits[visits["day"] <= pd.Timestamp(as_of)]
    number = visits.groupby("customer_no").cumcount()
    first, second = (visits[number == n].set_index("customer_no")["day"] for n in (0, 1))
    end = second.reindex(first.index)
    days = (end.fillna(pd.Timestamp(as_of)) - first).dt.days
    expected = pd.DataFrame({"days": days, "happened": end.notna()}).value_counts(sort=False)
    found = second_visits(scope, chain.snapshot.engine, as_of).set_index(["days", "happened"])["customers"]
    assert found.to_dict() == expected.to_dict()


@pytest.mark.parametrize("scope", [CHAIN, Scope("stores", ("A", "C")), ONLY_A], ids=["chain", "two stores", "one"])
def test_who_registered_and_has_not_bought(chain: RandomChain, scope: Scope) -> None:
    report = retention(chain.snapshot, scope, LAST)
    homes = chain.homes[[scope.kind == "chain" or (home is not None and scope.allows(home)) for home in chain.homes]]
    firsts = _visits_of(chain, scope).groupby("customer_no")["day"].min().reindex(homes.index)
    source = report.first_order.iloc[0]
    assert (source["source"], source["joined"]) == ("unknown", len(homes))
    assert source["without_order"] == firsts.isna().sum()
    within = report.first_within.set_index("within_days")  # everybody joined on the first day
    for days in (30, 90):
        bought = ((firsts - pd.Timestamp(FIRST)).dt.days <= days).sum()
        assert within.loc[days, ["eligible", "bought"]].tolist() == [len(homes), bought]
    listed = without_order(chain.snapshot, scope, LAST, limit=1000)
    assert set(listed["customer_key"]) == {customer_key(number) for number in firsts[firsts.isna()].index}
    assert listed["days_since_joining"].eq((LAST - FIRST).days).all()
    first = str(listed["customer_key"].iloc[0])
    for wanted, many in ((EVERYBODY, len(listed)), (Wanted(without=(first,)), len(listed) - 1), (Wanted((first,)), 1)):
        assert without_order_count(chain.snapshot, scope, LAST, wanted) == many
        assert len(without_order(chain.snapshot, scope, LAST, limit=1000, wanted=wanted)) == many


@pytest.mark.parametrize("scope", [CHAIN, Scope("stores", ("A", "C")), ONLY_A], ids=["chain", "two stores", "one"])
def test_a_cell_of_the_cohorts_opens_its_customers(chain: RandomChain, scope: Scope) -> None:
    cohorts = retention(chain.snapshot, scope, LAST).cohorts.set_index(["cohort", "month_number"])
    cell = cohorts.loc[("2025-03", 4)]
    came = cohort_members(chain.snapshot, scope, LAST, CohortCell("2025-03", 4, came=True), limit=1000)
    others = cohort_members(chain.snapshot, scope, LAST, CohortCell("2025-03", 4, came=False), limit=1000)
    assert (len(came), len(came) + len(others)) == (cell["customers"], cell["size"])
    days = _visits_of(chain, scope)
    july = {customer_key(number) for number in days[days["day"].dt.to_period("M") == "2025-07"]["customer_no"]}
    assert set(came["customer_key"]) <= july
    assert not set(others["customer_key"]) & july
    assert came["net_sales"].is_monotonic_decreasing
    first = str(came["customer_key"].iloc[0])
    those = CohortCell("2025-03", 4, came=True)
    for wanted, many in ((EVERYBODY, len(came)), (Wanted(without=(first,)), len(came) - 1), (Wanted((first,)), 1)):
        assert cohort_count(chain.snapshot, scope, LAST, those, wanted) == many
        assert len(cohort_members(chain.snapshot, scope, LAST, those, limit=1000, wanted=wanted)) == many


def test_visits_in_a_month(chain: RandomChain) -> None:
    report = retention(chain.snapshot, ONLY_A, LAST)
    days = _visits_of(chain, ONLY_A)
    days = days[days["day"].between("2025-11-01", "2026-01-31")]
    per_month = days.groupby(["customer_no", days["day"].dt.to_period("M")]).size()
    assert report.visits_a_month.set_index("visits")["customer_months"].to_dict() == per_month.value_counts().to_dict()
    store = report.visits_by_store.iloc[0]
    assert store["visits_per_month"] == per_month.mean()
    assert store["twice_share"] == (per_month >= 2).mean()


def _visits_of(chain: RandomChain, scope: Scope) -> pd.DataFrame:
    """The days on which customers bought, each once."""
    orders = chain.events[(chain.events["orders"] > 0) & chain.events["store_id"].map(scope.allows)]
    return orders[["customer_no", "day"]].drop_duplicates().sort_values(["customer_no", "day"])


def test_members_who_bought_are_those_registered_before(tiny_snapshot: Snapshot) -> None:
    members = retention(tiny_snapshot, CHAIN, AS_OF).members.set_index(["level", "key"])
    # From December to February came 2 (O4), 3 (O5) and 4 (O6), of six who registered in January 2025.
    assert members.loc[("all", "all"), ["members", "bought", "rate"]].tolist() == [6, 3, 0.5]
    assert members.loc[("store", "Alder Road"), ["members", "bought"]].tolist() == [3, 1]
    assert members.loc[("store", "unknown"), ["members", "bought"]].tolist() == [1, 0]
    assert members.loc[("all", "all"), "lo95"] < 0.5 < members.loc[("all", "all"), "hi95"]
    # O5 was in B, where 3 is at home; 2 is at home in A and did not come to B.
    here = retention(tiny_snapshot, Scope("stores", ("B",)), AS_OF).members
    assert here.loc[here["level"] == "all", ["members", "bought"]].to_numpy().tolist() == [[1, 1]]


def test_the_wait_for_the_first_order_by_home_store(tiny_snapshot: Snapshot) -> None:
    rows = retention(tiny_snapshot, CHAIN, AS_OF).first_by_store.set_index("store")
    assert rows["joined"].to_dict() == {"Alder Road": 3, "Birch Mall": 1, "Cedar Square": 1}
    assert rows["without_order"].to_dict() == {"Alder Road": 1, "Birch Mall": 0, "Cedar Square": 0}
    assert rows.loc["Birch Mall", "median_days"] == (date(2026, 2, 20) - date(2025, 1, 1)).days
