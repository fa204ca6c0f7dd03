"""Value: what the queries count by hand, the report over simulated customers, and intervals that hold their promise."""

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.queries import value as queries
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import concentration, purchases, spend
from models.calc.concentration import top_share
from models.calc.purchases import Purchases
from models.calc.value import Ahead, ranges, total_value, total_visits
from models.jobs.value import JOB
from models.reports import tables
from models.reports.value import (
    LOYALTIES,
    VALUE_CLASSES,
    Cell,
    ValueReport,
    check,
    holdout_start,
    member_count,
    members_of,
    outlook,
    people_in,
    value,
)
from tests import simulated_buyers, tiny
from tests.benchmarks.value import CASES, models
from tests.random_chain import LAST, RandomChain, random_chain
from tests.results_kit import one_job
from tests.simulated_buyers import PURCHASES, SPEND, draw
from tests.tiny import AS_OF, CHAIN, NORTH, NOTHING, ONLY_A, Order, Return, key

# --- what the queries count -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_gifts(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The tiny chain, where customer 1 also took home samples twice and customer 9 never anything else."""
    gifts = (
        Order("G1", "A", 1, datetime(2025, 2, 20, 10), (("P2", 1, "0"),), exclusion="zero_value"),
        Order("G2", "A", 1, datetime(2026, 3, 2, 11), (("P2", 1, "0"),), exclusion="zero_value"),  # with O7 and O8
        Order("G3", "B", 9, datetime(2026, 3, 1, 11), (("P2", 1, "0"),), exclusion="zero_value"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "ORDERS", (*tiny.ORDERS, *gifts))
        return tiny.snapshot(tmp_path_factory.mktemp("gifts") / "facts.duckdb")


def people(snapshot: Snapshot, scope: Scope, as_of: date = AS_OF) -> pd.DataFrame:
    return queries.customers(scope, snapshot.engine, as_of).set_index("customer_no")


def test_a_visit_is_a_day_with_an_order_one_of_zero_value_included(with_gifts: Snapshot) -> None:
    found = people(with_gifts, CHAIN)
    # 20 February, 1 and 20 March 2025, 2 and 5 March 2026
    assert found.loc[1, "repeat_visits"] == 4
    assert found.loc[1, "recency_days"] == (date(2026, 3, 5) - date(2025, 2, 20)).days
    assert found.loc[1, "age_days"] == (AS_OF - date(2025, 2, 20)).days
    # the first visit brought nothing, so all sales are those of repeat visits
    assert found.loc[1, "repeat_sales"] == found.loc[1, "gross_sales"] == 10_000 * (100 + 60 + 190 + 30 + 205)
    assert found.loc[9, ["repeat_visits", "recency_days", "gross_sales"]].tolist() == [0, 0, 0]
    # test orders are no visits, and nobody is a customer by a return
    assert sorted(found.index) == [1, 2, 3, 4, 6, 9]


def test_refunds_and_days_to_come_are_told_apart(with_gifts: Snapshot) -> None:
    found = people(with_gifts, CHAIN, date(2026, 3, 2))
    assert found.loc[2, "net_sales"] == 10_000 * (200 + 130 - 200)  # R1 comes back on the third
    assert found.loc[2, ["later_visits", "later_sales"]].tolist() == [1, 1_102_500]
    assert found.loc[1, ["later_visits", "later_sales"]].tolist() == [1, 10_000 * 205]
    assert 6 not in found.index  # who comes first on 15 March


def test_a_store_sees_its_own_visits(with_gifts: Snapshot) -> None:
    assert people(with_gifts, ONLY_A).loc[1, "repeat_visits"] == 3  # without 5 March, in B
    assert 9 not in people(with_gifts, ONLY_A).index
    assert people(with_gifts, NORTH).loc[1, "repeat_visits"] == 4
    assert people(with_gifts, NOTHING).empty


def test_some_customers_are_the_same_as_among_all(with_gifts: Snapshot) -> None:
    whole = queries.customers(CHAIN, with_gifts.engine, AS_OF)
    some = queries.customers(CHAIN, with_gifts.engine, AS_OF, [1, 9])
    pd.testing.assert_frame_equal(some, whole[whole["customer_no"].isin([1, 9])].reset_index(drop=True))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> RandomChain:
    return random_chain(tmp_path_factory.mktemp("random") / "facts.duckdb")


@pytest.mark.parametrize("as_of", [LAST, date(2025, 10, 15)])
@pytest.mark.parametrize(
    "scope", [CHAIN, NORTH, Scope("stores", ("A", "C")), ONLY_A], ids=["chain", "region", "two stores", "one store"]
)
def test_customers_agree_with_plain_pandas(chain: RandomChain, scope: Scope, as_of: date) -> None:
    events = chain.events[chain.events["store_id"].map(scope.allows)]
    days = events.groupby(["customer_no", "day"])[["orders", "gross_sales", "net_sales"]].sum().reset_index()
    past, later = days[days["day"] <= pd.Timestamp(as_of)], days[days["day"] > pd.Timestamp(as_of)]
    visits = past[past["orders"] > 0].groupby("customer_no")
    first = visits["day"].min()
    gross = past.groupby("customer_no")["gross_sales"].sum()
    expected = pd.DataFrame(
        {
            "repeat_visits": visits.size() - 1,
            "recency_days": (visits["day"].max() - first).dt.days,
            "age_days": (pd.Timestamp(as_of) - first).dt.days,
            "repeat_sales": (gross - visits["gross_sales"].first()) * 10_000,
            "gross_sales": gross * 10_000,
            "net_sales": past.groupby("customer_no")["net_sales"].sum() * 10_000,
            "later_visits": later[later["orders"] > 0].groupby("customer_no").size(),
            "later_sales": later.groupby("customer_no")["gross_sales"].sum() * 10_000,
        }
    )
    expected = expected.loc[first.index].fillna(0)
    found = people(chain.snapshot, scope, as_of)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


COSTS = {"O1": 40, "O4": 50, "O6": 90, "O15": 60.25}  # of the receipts whose cost is known


@pytest.fixture(scope="module")
def with_costs(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The tiny chain with costs of four receipts, of the line of O4 that comes back, and of one product."""
    real = tiny._rows

    def rows() -> dict[str, list[dict[str, object]]]:
        found = real()
        for order in found["sale_order"]:
            order["cost"] = COSTS.get(order["order_id"])
        for line in found["sale_line"]:
            line["cost"] = Decimal(9) if (line["order_id"], line["line_no"]) == ("O4", 2) else None
        for product in found["product"]:
            product["cost"] = Decimal(7) if product["product_id"] == "P3" else None
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "_rows", rows)
        return tiny.snapshot(tmp_path_factory.mktemp("costs") / "facts.duckdb")


def test_the_margin_is_sales_less_cost_less_refunds_plus_the_cost_of_what_came_back(with_costs: Snapshot) -> None:
    sums = queries.margin(CHAIN, with_costs.engine, AS_OF).iloc[0]
    assert sums["costed_sales"] == 10_000 * (100 + 130 + 210 + 110.25)
    # R1: a unit of O4's second line; R2 and R4: Perfume, whose receipts know no cost of the line
    back = (9 - 30) + (7 - 15.5) + (7 - 200)
    assert sums["margin"] == 10_000 * (60 + 80 + 120 + 50 + back)
    rows = queries.details(CHAIN, with_costs.engine, AS_OF, [2, 3]).set_index("customer_no")
    assert rows.loc[2, "margin"] == 10_000 * (80 + 50 + (9 - 30) + (7 - 200))
    assert rows.loc[3, ["costed_sales", "margin"]].tolist() == [0, 0]
    assert rows["store_id"].to_dict() == {2: "B", 3: "B"}
    assert queries.margin(NOTHING, with_costs.engine, AS_OF).empty


def test_the_first_customers_by_id(with_gifts: Snapshot) -> None:
    assert queries.by_id(CHAIN, with_gifts.engine, AS_OF, 3)["customer_no"].tolist() == [1, 2, 3]
    assert queries.by_id(Scope("stores", ("C",)), with_gifts.engine, AS_OF, 3)["customer_no"].tolist() == [4]


# --- the report -----------------------------------------------------------------------------------

END = date(2026, 6, 30)
AHEAD = 184  # days after END that the simulated chain goes on


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A store of 2,000 customers and one of 300, nobody in both."""
    rng = np.random.default_rng(11)
    age = rng.integers(0, 720, 2_300)
    age[:2] = 719, 0
    buyers = draw(rng, age, AHEAD, Purchases(0.9, 10.0, 0.8, 2.6))
    first = pd.Timestamp(END) - pd.to_timedelta(age[buyers.customer], unit="D")
    days = first + pd.to_timedelta(buyers.day, unit="D")
    visits = enumerate(zip(buyers.customer.tolist(), days, buyers.sales, strict=True))
    orders = tuple(
        Order(f"S{n}", "A" if who < 2_000 else "C", who + 1, day.to_pydatetime(), (("P1", 1, f"{sales:.2f}"),))
        for n, (who, day, sales) in visits
    )
    back = Return("R", "A", 1, datetime(2026, 1, 1), "P1", 1, "1", exclusion="test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "ORDERS", orders)
        patch.setattr(tiny, "RETURNS", (back,))
        found = tiny.snapshot(tmp_path_factory.mktemp("simulated") / "facts.duckdb")
    last = END + timedelta(days=AHEAD)
    return replace(found, info=replace(found.info, first_day=END - timedelta(days=719), last_day=last))


@pytest.fixture(scope="module")
def report(simulated: Snapshot) -> ValueReport:
    return value(simulated, CHAIN, END, members=2_300)


def figures(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["key"], table["value"], strict=True))


def test_the_report_fits_what_made_the_data(report: ValueReport) -> None:
    found = report.parameters.set_index(["model", "name"])
    truth = {**Purchases(0.9, 10.0, 0.8, 2.6)._asdict(), **SPEND._asdict()}
    for (_, name), row in found.iterrows():
        assert abs(row["value"] - truth[name]) < 4 * row["standard_error"]
        assert row["lo95"] < row["value"] < row["hi95"]
    assert report.readiness["met"].all()
    assert report.fit["customers"].tolist()[0] == 2_300


def test_the_holdout_holds_what_came_after(report: ValueReport) -> None:
    known = figures(report.holdout)
    assert known["days"] == AHEAD
    assert known["expected_visits_lo95"] < known["actual_visits"] < known["expected_visits_hi95"]
    assert known["actual_to_expected"] == known["actual_visits"] / known["expected_visits"]
    calibration = report.calibration
    assert calibration["customers"].sum() == 2_300
    for side in ("expected", "actual"):
        total = (calibration["customers"] * calibration[f"{side}_visits"]).sum()
        assert total == pytest.approx(known[f"{side}_visits"])


def test_members_and_cells_add_up_to_the_totals(report: ValueReport, simulated: Snapshot) -> None:
    members, summary = report.members, figures(report.summary)
    assert len(members) == summary["customers"] == 2_300
    for name in ("net_sales", "expected_value", "expected_visits"):
        assert members[name].sum() == pytest.approx(summary[name])
    assert members["expected_value"].is_monotonic_decreasing
    assert report.grid["customers"].sum() == 2_300
    assert report.grid["net_sales"].sum() == pytest.approx(summary["net_sales"])
    for row in report.grid.itertuples():
        cell = Cell(row.value_class, row.loyalty)
        inside = members[(members["value_class"] == row.value_class) & (members["loyalty"] == row.loyalty)]
        assert member_count(simulated, CHAIN, report, cell) == row.customers == len(inside)
        page = members_of(simulated, CHAIN, report, cell, offset=1, limit=3)
        pd.testing.assert_frame_equal(page, inside.iloc[1:4].reset_index(drop=True), check_dtype=len(page) > 0)


def test_the_rules_of_the_grid_hold_for_every_member(report: ValueReport) -> None:
    members, above = report.members, report.value_rule.set_index("value_class")["above"]
    assert above["top"] == pytest.approx(np.quantile(members["net_sales"], 0.8), abs=0.01)
    assert (members.loc[members["value_class"] == "top", "net_sales"] > above["top"]).all()
    assert (members.loc[members["value_class"] == "base", "net_sales"] <= above["middle"]).all()
    active = members[members["loyalty"] == "active"]
    assert (active["visits"] > 1).all()
    assert (active["probability_active"] >= 2 / 3).all()
    assert (members.loc[members["loyalty"] == "fading", "probability_active"] < 1 / 3).all()
    assert (members.loc[members["loyalty"] == "once", "visits"] == 1).all()
    assert set(members["value_class"]) == set(VALUE_CLASSES)
    assert set(members["loyalty"]) == set(LOYALTIES)


def test_a_range_lies_around_what_is_expected(report: ValueReport) -> None:
    members = report.members
    assert (members["lo95"] <= members["expected_value"] + 0.01).all()
    sure = members[members["loyalty"] == "active"]
    assert (sure["hi95"] > sure["expected_value"]).all()


def test_too_few_customers_get_facts_and_no_forecast(simulated: Snapshot) -> None:
    report = value(simulated, Scope("stores", ("C",)), END)
    assert not report.has_forecast
    lacking = report.readiness[~report.readiness["met"]]
    assert lacking[["requirement", "needed", "found"]].to_numpy().tolist() == [["buyers", 500, 300]]
    for table in (report.parameters, report.fit, report.holdout, report.calibration, report.grid, report.members):
        assert table.empty
    summary = figures(report.summary)
    assert summary["net_sales"] > 0
    assert math.isnan(summary["expected_value"])
    assert math.isnan(summary["expected_visits"])


@pytest.mark.parametrize(
    ("as_of", "requirement"),
    [
        (END - timedelta(days=560), "history_days"),
        (END + timedelta(days=AHEAD + 31), "days_since_last_visit"),
    ],
)
def test_a_short_or_stale_history_gets_no_forecast(simulated: Snapshot, as_of: date, requirement: str) -> None:
    report = value(simulated, CHAIN, as_of)
    assert not report.has_forecast
    assert requirement in report.readiness.loc[~report.readiness["met"], "requirement"].tolist()


def test_nobody_anywhere(tiny_snapshot: Snapshot) -> None:
    report = value(tiny_snapshot, NOTHING, AS_OF)
    assert not report.has_forecast
    assert people_in(report) == 0
    assert report.concentration.empty


def test_a_manager_sees_the_store_alone(simulated: Snapshot, report: ValueReport) -> None:
    alone = value(simulated, ONLY_A, END, members=10)
    assert alone.fit["customers"].iloc[0] == 2_000
    assert set(alone.members["store_id"]) == {"A"}
    assert alone.members["store"].tolist() == ["Alder Road"] * 10
    assert set(alone.members["customer_key"]) <= {key(n) for n in range(1, 2_001)}
    assert figures(alone.summary)["net_sales"] < figures(report.summary)["net_sales"]


@pytest.mark.parametrize("arguments", [{"horizon_days": 0}, {"members": 1_000_000}])
def test_wrong_parameters_are_named(simulated: Snapshot, arguments: dict[str, int]) -> None:
    with pytest.raises(Problem, match=next(iter(arguments)).split("_")[0]):
        value(simulated, CHAIN, END, **arguments)


def test_the_check_leaves_the_models_half_a_year_and_itself_a_month(simulated: Snapshot) -> None:
    assert holdout_start(simulated, END) == END - timedelta(days=182)
    assert holdout_start(simulated, END - timedelta(days=719 - 220)) == END - timedelta(days=719 - 180)
    assert holdout_start(simulated, END - timedelta(days=719 - 209)) is None


# --- how concentrated sales are -------------------------------------------------------------------


def test_the_share_of_the_best_tenth() -> None:
    amounts = np.array([50.0, *[5.0] * 9, 0.0, -3.0])
    share, low, high = top_share(amounts)  # one of the ten with net sales
    assert share == 50 / 95
    assert 0 <= low < share < high <= 1
    # of fifteen the best one and half of the second
    assert top_share(np.array([60.0, 40.0, *[4.0] * 13]))[0] == pytest.approx((60 + 40 / 2) / 152)
    assert top_share(np.full(20, 7.0)) == (0.1, 0.1, 0.1)
    assert all(math.isnan(figure) for figure in top_share(np.array([5.0])))


def test_the_curve_rises_to_everything() -> None:
    amounts = np.random.default_rng(2).lognormal(0, 1, 5_000)
    curve = concentration.curve(np.append(amounts, -1.0))
    assert len(curve) <= concentration.POINTS
    assert curve.iloc[-1].tolist() == pytest.approx([5_000, 1, amounts.sum(), 1])
    best = np.sort(amounts)[::-1].cumsum()
    assert curve["net_sales"].tolist() == pytest.approx([best[int(n) - 1] for n in curve["customers"]])


# --- intervals cover ------------------------------------------------------------------------------

REPLICATES = 240
NOMINAL, MARGIN = 0.95, 3 * math.sqrt(0.95 * 0.05 / REPLICATES)
# So slow that hardly anybody comes twice on one day, which the models do not know of.
SLOW = PURCHASES._replace(alpha=PURCHASES.alpha * 10)


def covered() -> dict[str, float]:
    """How often the truth lies in each interval, over replicates of 3,000 customers."""
    hits: dict[str, list[float]] = {}
    days = 3_650
    for number in range(REPLICATES):
        rng = np.random.default_rng(20_000 + number)
        buyers = draw(rng, rng.integers(3_650, 10_950, 3_000), days, SLOW)
        past = purchases.histories(buyers.repeats, buyers.recency_days, buyers.age_days)
        visits, amounts = purchases.fit(past), spend.fit(buyers.repeats, buyers.amount)
        assert visits is not None
        assert amounts is not None
        for found, truth in ((visits, SLOW), (amounts, SPEND)):
            for name, low, high, true in zip(truth._fields, *found.interval(), truth, strict=True):
                hits.setdefault(name, []).append(low <= true <= high)
        ahead = Ahead(visits, past, days)
        totals = {
            "total visits": (total_visits(ahead), buyers.later_visits.sum()),
            "total value": (total_value(ahead, amounts, buyers.amount), buyers.later_amount.sum()),
        }
        for name, (total, actual) in totals.items():
            hits.setdefault(name, []).append(total.low <= actual <= total.high)
        some = np.sort(rng.choice(3_000, 100, replace=False))
        low, high = ranges(visits.parameters, amounts.parameters, past.of(some), buyers.amount[some], days)
        actual = buyers.later_amount[some]
        hits.setdefault("one customer", []).append(float(((low <= actual) & (actual <= high)).mean()))
    return {name: float(np.mean(values)) for name, values in hits.items()}


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rates = covered()
    assert set(rates) == {"r", "alpha", "a", "b", "p", "q", "v", "total visits", "total value", "one customer"}
    outside = {name: rate for name, rate in rates.items() if abs(rate - NOMINAL) > MARGIN}
    assert not outside, rates


@pytest.mark.slow
def test_the_interval_of_the_best_tenth_covers_their_true_share() -> None:
    # of a lognormal with sigma 1: the normal distribution at 1 - its 90 % quantile
    true, hits = 0.3891436916, 0
    rng = np.random.default_rng(77)
    for _ in range(400):
        _, low, high = top_share(rng.lognormal(0, 1, 2_000))
        hits += low <= true <= high
    assert abs(hits / 400 - NOMINAL) <= 3 * math.sqrt(0.95 * 0.05 / 400)


@pytest.mark.slow
def test_a_million_customers_are_fitted_in_five_and_scored_in_one_second_of_cpu() -> None:
    seconds: dict[str, float] = {}
    for row in models():
        step = str(row["step"]).split()[0]
        seconds[f"{row['case']} {step}"] = seconds.get(f"{row['case']} {step}", 0.0) + float(str(row["cpu_s"]))
    for case in CASES:
        assert seconds[f"{case} count"] + seconds[f"{case} fit"] < 5
        assert seconds[f"{case} score"] < 1


def test_the_simulated_customers_are_what_they_say() -> None:
    buyers = simulated_buyers.draw(np.random.default_rng(1), np.full(4_000, 700), 365)
    assert (buyers.repeats[buyers.recency_days == 0] == 0).all()
    assert (buyers.recency_days <= buyers.age_days).all()
    again = (buyers.day > 0) & (buyers.day <= 700)
    assert buyers.repeats.sum() == again.sum()
    assert (buyers.repeats @ buyers.amount) == pytest.approx(buyers.sales[again].sum())
    assert buyers.later_amount.sum() == pytest.approx(buyers.sales[buyers.day > 700].sum())
    assert buyers.sales.mean() == pytest.approx(SPEND.p * SPEND.v / (SPEND.q - 1), rel=0.03)


# --- kept by a batch ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(simulated: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The simulated chain with what the job keeps of every place as of its last day."""
    with_results = one_job(simulated, JOB, tmp_path_factory.mktemp("kept"))
    return replace(with_results, info=simulated.info)


LAST_DAY = END + timedelta(days=AHEAD)


@pytest.mark.parametrize("scope", [CHAIN, ONLY_A, Scope("stores", ("C",))], ids=["chain", "store", "too few"])
def test_what_a_batch_kept_is_what_would_be_computed(kept: Snapshot, simulated: Snapshot, scope: Scope) -> None:
    found, expected = value(kept, scope, LAST_DAY, members=60), value(simulated, scope, LAST_DAY, members=60)
    assert found.ranking is None
    assert expected.ranking is not None
    for name, table in tables(expected).items():
        pd.testing.assert_frame_equal(tables(found)[name], table, check_dtype=False, rtol=1e-12, obj=name)
    past, truly = check(kept, scope, LAST_DAY), check(simulated, scope, LAST_DAY)
    assert past
    assert truly
    assert past.as_of == truly.as_of == holdout_start(simulated, LAST_DAY)
    pd.testing.assert_frame_equal(past.holdout, truly.holdout, check_dtype=False, rtol=1e-12)
    pd.testing.assert_frame_equal(past.calibration, truly.calibration, check_dtype=False, rtol=1e-12)


def test_pages_of_a_kept_list_are_those_of_a_computed_one(kept: Snapshot, simulated: Snapshot) -> None:
    found, expected = value(kept, CHAIN, LAST_DAY, members=0), value(simulated, CHAIN, LAST_DAY, members=0)
    wanted = Wanted(without=tuple(value(kept, CHAIN, LAST_DAY, members=2).members["customer_key"]))
    for cell in (None, Cell("top", "active"), Cell("base", "once")):
        for whom in (EVERYBODY, wanted):
            pages = [members_of(s, CHAIN, r, cell, 3, 5, whom) for s, r in ((kept, found), (simulated, expected))]
            pd.testing.assert_frame_equal(*pages, check_dtype=False, rtol=1e-12)
            counts = {member_count(s, CHAIN, r, cell, whom) for s, r in ((kept, found), (simulated, expected))}
            assert len(counts) == 1


def test_another_day_set_of_stores_or_horizon_is_computed(kept: Snapshot) -> None:
    assert value(kept, CHAIN, END).ranking
    assert value(kept, Scope("stores", ("B", "C")), LAST_DAY).ranking
    assert value(kept, CHAIN, LAST_DAY, horizon_days=30).ranking
    newer = replace(kept, info=replace(kept.info, generation=kept.info.generation + 1))
    assert value(newer, CHAIN, LAST_DAY).ranking


def test_the_scores_of_one_customer_are_those_of_the_place_that_asks(kept: Snapshot) -> None:
    assert kept.results
    somebody = value(kept, ONLY_A, LAST_DAY, members=1).members.iloc[0]
    found = queries.score(ONLY_A, kept.results, somebody["customer_key"]).iloc[0]
    assert found["expected_value"] == somebody["expected_value"]
    assert queries.score(Scope("stores", ("C",)), kept.results, somebody["customer_key"]).empty
    assert queries.score(CHAIN, kept.results, "no key").empty


def test_what_is_said_of_one_customer_is_the_same_from_a_batch_and_computed(
    kept: Snapshot, simulated: Snapshot
) -> None:
    row = value(kept, ONLY_A, LAST_DAY, members=1).members.iloc[0]
    said = [
        outlook(snapshot, ONLY_A, value(snapshot, ONLY_A, LAST_DAY, members=0), row["customer_key"])
        for snapshot in (kept, simulated)
    ]
    assert said[0] is not None
    assert said[1] is not None
    assert said[0].next_visit_days == pytest.approx(said[1].next_visit_days)
    assert said[0].probability_active == pytest.approx(said[1].probability_active)
    assert said[0].chances == pytest.approx(said[1].chances)
    assert said[0].chances[0] < said[0].chances[1] < said[0].chances[2] < said[0].probability_active
    assert said[0].expected_value == pytest.approx(said[1].expected_value)
    assert said[0].expected_value == pytest.approx((row["expected_value"], row["lo95"], row["hi95"]), abs=0.005)
    low, high = said[0].next_visit_days[1:]
    assert low < said[0].next_visit_days[0] < high
    whole = value(kept, CHAIN, LAST_DAY, members=0)
    assert outlook(kept, CHAIN, whole, "no key") is None
    assert outlook(kept, CHAIN, whole, key(9_999)) is None
