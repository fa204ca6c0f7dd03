"""Segments of five buyers and one person without an order, by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.marts.segment_rules import GRID, PROSPECT, RULES_FINGERPRINT, SEGMENTS, fingerprint
from data_access.queries import segments as queries
from data_access.queries.segments import Choice, Question
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.segments import SegmentsReport, chosen_count, members, named, segments
from tests.naive_segments import groups
from tests.random_chain import LAST as LAST_DAY
from tests.random_chain import RandomChain, random_chain
from tests.tiny import AS_OF, CHAIN, NORTH, NOTHING, ONLY_A, key

NET = {
    1: 100 + 60 + 190 + 30 + 205,
    2: 200 + 130 + 110.25 - 200 - 30,
    3: 90 + 105,
    4: 210 + 400 - 15.5,
    6: 58,
}
ORDERS = {1: 5, 2: 3, 3: 2, 4: 2, 6: 1}
LAST = {1: date(2026, 3, 5), 2: date(2026, 3, 20), 3: date(2026, 3, 12), 4: date(2026, 3, 10), 6: date(2026, 3, 15)}


@pytest.fixture
def report(tiny_snapshot: Snapshot) -> SegmentsReport:
    return segments(tiny_snapshot, CHAIN, AS_OF)


def member(report: SegmentsReport, customer: int) -> pd.Series:
    return report.members.set_index("customer_key").loc[key(customer)]


def test_the_members_are_the_buyers_and_who_never_bought(report: SegmentsReport) -> None:
    members = report.members.set_index("customer_key")
    assert members.index.tolist() == [key(4), key(1), key(2), key(3), key(6), key(5)]  # by net sales
    for customer, net in NET.items():
        row = member(report, customer)
        assert row["net_sales"] == net
        assert row["orders"] == ORDERS[customer]
        assert row["recency_days"] == (AS_OF - LAST[customer]).days
    assert member(report, 1)["visits"] == 4
    assert member(report, 1)["store"] == "Birch Mall"  # where the last order was
    prospect = member(report, 5)
    assert (prospect["segment"], prospect["stage"], prospect["abc"]) == ("prospect", "potential", "U")
    assert prospect[["r", "f", "m", "recency_days", "quadrant", "last_day"]].isna().all()
    assert prospect["store"] == "Alder Road"


def test_scores_under_both_rules_add_up_to_the_buyers(report: SegmentsReport) -> None:
    for tie_rule in ("equal_size", "keep_ties"):
        cells = report.rfm[report.rfm["tie_rule"] == tie_rule]
        assert cells["customers"].sum() == 5
        assert cells["net_sales"].sum() == sum(NET.values())
    equal = report.rfm[report.rfm["tie_rule"] == "equal_size"]
    # of five, one has each score; most recent is 2, most orders 1, most money 4
    assert equal[["r", "f", "m"]].apply(sorted).to_numpy().tolist() == [[i, i, i] for i in range(1, 6)]


def test_keep_ties_by_hand(report: SegmentsReport) -> None:
    # orders 1 2 2 3 5: cut points 1.8, 2, 2.4, 3.4; recency 0 5 8 10 15: 4, 6.8, 8.8, 11
    assert np.quantile([1, 2, 2, 3, 5], [0.2, 0.4, 0.6, 0.8]).tolist() == pytest.approx([1.8, 2, 2.4, 3.4])
    assert [member(report, c)["f"] for c in (6, 3, 4, 2, 1)] == [1, 2, 2, 4, 5]
    assert [member(report, c)["r"] for c in (2, 6, 3, 4, 1)] == [5, 4, 3, 2, 1]
    orders = report.cuts[report.cuts["measure"] == "orders"]
    assert orders["value"].tolist() == pytest.approx([1.8, 2, 2.4, 3.4])


def test_named_segments_list_every_name_and_everybody_once(report: SegmentsReport) -> None:
    assert report.named["segment"].tolist() == list(SEGMENTS)
    assert report.named["customers"].sum() == len(report.members)
    assert report.named["net_sales"].sum() == sum(NET.values())
    named = report.named.set_index("segment")["customers"]
    assert named["prospect"] == 1
    # customer 1: r 1, f 5, m 4 -> FM 5; customer 4: r 2, f 2, m 5 -> FM 4; customer 2: r 5, f 4, m 3 -> FM 4
    assert member(report, 1)["segment"] == "previously_loyal"
    assert member(report, 4)["segment"] == "at_risk"
    assert member(report, 2)["segment"] == "champions"


def test_the_customers_of_a_named_segment(tiny_snapshot: Snapshot) -> None:
    def found(segment: str, scope: Scope) -> list[int]:
        of = named(tiny_snapshot, scope, AS_OF, segment)
        return queries.numbers(scope, tiny_snapshot.engine, of)["customer_no"].tolist()

    assert [found(segment, CHAIN) for segment in ("champions", "at_risk", "prospect")] == [[2], [4], [5]]
    assert found("prospect", NOTHING) == []
    with pytest.raises(Problem, match="a segment is one of champions, loyal"):
        named(tiny_snapshot, CHAIN, AS_OF, "good")


def test_abc_quadrants_and_stages_cover_everybody(report: SegmentsReport) -> None:
    # 594.5, 585, 210.25, 195, 58 of 1642.75: before each 0, .36, .72, .85, .96
    assert [member(report, c)["abc"] for c in (4, 1, 2, 3, 6)] == ["A", "A", "A", "B", "C"]
    assert report.abc.set_index("class")["customers"].to_dict() == {"A": 3, "B": 1, "C": 1, "U": 1}
    assert report.abc["net_sales_share"].sum() == pytest.approx(1)
    # visits 4, 3, 2, 2, 1: above 2 is frequent; spend: above 210.25 is high
    assert report.quadrants.set_index("quadrant")["customers"].to_dict() == {
        "frequent_high": 1,
        "frequent_low": 1,
        "rare_high": 1,
        "rare_low": 2,
    }


def test_stages_by_the_own_rhythm(report: SegmentsReport) -> None:
    """Own gaps: 1 came after 19, 347 and 3 days, 2 after 239 and 39, 3 after 20, 4 after 10; 6 came once.

    Nothing says how long a product lasts, so 60 days. Expected, with two such gaps: 1 (3 x 19 + 120) / 5 = 35.4,
    2 (2 x 139 + 120) / 4 = 99.5, 3 (20 + 120) / 3 = 46.7, 4 (10 + 120) / 3 = 43.3, 6 60.
    """
    assert report.cuts.set_index("measure").loc["usual_gap_days", "value"] == 60
    # since the last visit: 15, 0, 8, 10, 5 days, nobody later than 1.5 expected gaps
    # since the first: 384, 278, 28, 20, 5 days, two expected gaps are 70.8, 199, 93.3, 86.7, 120
    assert [member(report, c)["stage"] for c in (1, 2, 3, 4, 6)] == ["loyal", "returning", "new", "new", "new"]
    # the fourth visit of 1 came soon, but after the longest gap of all, so the line through the gaps rises
    assert [member(report, c)["five_phase"] for c in (1, 2)] == ["maturity", "growth"]
    stages = report.lifecycle.set_index(["preset", "stage"])["customers"]
    assert stages["four_stage"].to_dict() == {"potential": 1, "new": 3, "returning": 1, "loyal": 1}
    assert stages["five_phase"].to_dict() == {"introduction": 1, "growth": 4, "maturity": 1, "decline": 0, "churned": 0}


def test_who_is_late_by_the_own_rhythm_declines_and_churns(tiny_snapshot: Snapshot) -> None:
    # in spring 2025 1 has come on 1 and 20 March, so expects (19 + 2 x 60) / 3 = 46.3 days; 1.5 of them are 69.5,
    # three 139: late after 28 May, lost after 6 August
    stages = [
        member(segments(tiny_snapshot, CHAIN, date(2025, month, day)), 1)["five_phase"]
        for month, day in ((5, 28), (5, 29), (8, 6), (8, 7))
    ]
    assert stages == ["growth", "decline", "decline", "churned"]


def test_a_store_knows_only_its_own_customers(tiny_snapshot: Snapshot) -> None:
    report = segments(tiny_snapshot, ONLY_A, AS_OF)
    members = report.members.set_index("customer_key")
    # 2 bought in A once; 1 and 2 are at home there, and 5; 3 and 4 never came
    assert set(members.index) == {key(1), key(2), key(5), key(6)}
    assert members.loc[key(1), "orders"] == 4
    assert members.loc[key(2), "net_sales"] == 130 - 200 - 30
    assert set(members["store_id"].dropna()) == {"A"}


def test_no_stores_nobody(tiny_snapshot: Snapshot) -> None:
    report = segments(tiny_snapshot, NOTHING, AS_OF)
    assert report.members.empty
    assert report.rfm.empty
    assert report.named["customers"].sum() == 0
    assert report.cuts["value"].isna().all()


def test_a_window_scores_only_who_bought_in_it(tiny_snapshot: Snapshot) -> None:
    report = segments(tiny_snapshot, CHAIN, date(2026, 1, 31), window_months=6)
    assert report.window_first == date(2025, 8, 1)
    assert report.rfm.empty  # 1 and 2 bought before August 2025, nobody since
    members = report.members.set_index("customer_key")
    assert members.loc[[key(1), key(2)], "segment"].isna().all()
    assert members.loc[key(1), "stage"] == "returning"
    whole = segments(tiny_snapshot, CHAIN, date(2026, 1, 31))
    assert whole.rfm.loc[whole.rfm["tie_rule"] == "keep_ties", "customers"].sum() == 2


def test_what_comes_after_the_day_does_not_exist(tiny_snapshot: Snapshot) -> None:
    report = segments(tiny_snapshot, CHAIN, date(2026, 3, 10))
    assert member(report, 6)["segment"] == "prospect"
    assert member(report, 4)["recency_days"] == 0
    assert member(report, 4)["net_sales"] == 210 + 400


def test_gross_sales_can_be_scored_instead(tiny_snapshot: Snapshot) -> None:
    net = segments(tiny_snapshot, CHAIN, AS_OF)
    gross = segments(tiny_snapshot, CHAIN, AS_OF, monetary="gross_sales")
    assert member(net, 2)["m"] == 3
    assert member(gross, 2)["m"] == 3  # 440.25 is third by either
    assert set(gross.cuts["measure"]) == {
        "recency_days", "orders", "gross_sales", "visits", "net_sales", "usual_gap_days"
    }  # fmt: skip
    assert gross.rfm["gross_sales"].sum() == 2 * (100 + 60 + 190 + 30 + 205 + 200 + 130 + 110.25 + 195 + 610 + 58)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"monetary": "profit"}, "monetary"),
        ({"tie_rule": "luck"}, "tie_rule"),
        ({"window_months": 0}, "window_months"),
        ({"abc_a": 0.9, "abc_b": 0.5}, "abc_a"),
    ],
)
def test_wrong_parameters_are_named(tiny_snapshot: Snapshot, arguments: dict[str, object], says: str) -> None:
    with pytest.raises(Problem, match=says):
        segments(tiny_snapshot, CHAIN, AS_OF, **arguments)  # type: ignore[arg-type]


def test_sums_over_single_stores_are_the_chain_in_money(tiny_snapshot: Snapshot) -> None:
    parts = [segments(tiny_snapshot, Scope("stores", (s,)), AS_OF).members["gross_sales"].sum() for s in "ABC"]
    assert sum(parts) == segments(tiny_snapshot, CHAIN, AS_OF).members["gross_sales"].sum()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> RandomChain:
    return random_chain(tmp_path_factory.mktemp("random") / "facts.duckdb")


SCOPES = {"chain": CHAIN, "region": NORTH, "store": ONLY_A, "two stores": Scope("stores", ("A", "C"))}
QUESTIONS = {
    "all days": Question(LAST_DAY),
    "later": Question(date(2026, 3, 1)),
    "earlier": Question(date(2025, 10, 15)),
    "window": Question(LAST_DAY, date(2025, 8, 5)),
    "gross sales": Question(LAST_DAY, monetary="gross_sales"),
    "thresholds": Question(LAST_DAY, abc_a=0.3, abc_b=0.6),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_every_customer_is_in_the_groups_that_the_rules_give(
    scope: Scope, question: Question, chain: RandomChain
) -> None:
    people = chain.people(scope, question.as_of, question.window_first)
    cells = queries.cells(scope, chain.snapshot.engine, question)
    cuts = queries.cuts(scope, chain.snapshot.engine, question).iloc[0].to_dict()
    names = ["r", "f", "m", "segment", "abc", "quadrant"]
    stages = ["stage", "five_phase", "with_maintenance"]
    for tie_rule in ("keep_ties", "equal_size"):
        expected = groups(people, question.as_of, question.monetary, tie_rule, question.abc_a, question.abc_b)
        found = queries.members(scope, chain.snapshot.engine, question, cuts, tie_rule, limit=1_000)
        found = found.set_index("customer_key").astype(object).where(lambda f: f.notna(), None)
        expected.index = pd.Index([key(number) for number in people.index])
        every = [*names, *stages]
        assert found[every].sort_index().to_numpy().tolist() == expected[every].sort_index().to_numpy().tolist()
        assert found["net_sales"].sum() == people["net_sales"].sum()
        # The cells are the same customers, counted.
        counted = expected[names].fillna("-").value_counts().to_dict()
        under = cells[cells["tie_rule"] == tie_rule].set_index(names)["customers"]
        assert {tuple("-" if pd.isna(v) else v for v in k): n for k, n in under.items()} == counted
    by_stage = queries.stages(scope, chain.snapshot.engine, question).set_index(["preset", "stage"])["customers"]
    for preset, column in zip(("four_stage", "five_phase", "with_maintenance"), stages, strict=True):
        assert by_stage[preset].to_dict() == expected[column].value_counts().to_dict()


@pytest.mark.parametrize("as_of", [LAST_DAY, date(2025, 10, 15)])
def test_margin_is_what_orders_earned_less_what_came_back(as_of: date, chain: RandomChain) -> None:
    report = segments(chain.snapshot, ONLY_A, as_of, members=1_000)
    people = chain.people(ONLY_A, as_of)
    # every order cost 60 % of its gross sales; refunds bring nothing back, for the product's cost is not known
    refunds = people["gross_sales"] - people["net_sales"]
    margins = people["gross_sales"] * 0.4 - refunds
    for table in (report.quadrants, report.lifecycle[report.lifecycle["preset"] == "five_phase"]):
        assert table["historic_margin"].sum() == pytest.approx(margins.sum())
    late = report.members[report.members["quadrant"] == "rare_low"]["customer_key"]
    theirs = people.index.map(key).isin(late)
    assert report.quadrants.set_index("quadrant").loc["rare_low", "historic_margin"] == pytest.approx(
        margins[theirs].sum()
    )


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_the_values_at_which_groups_part(scope: Scope, chain: RandomChain) -> None:
    people = chain.people(scope, LAST_DAY)
    buyers = people[people["orders"] > 0]
    row = queries.cuts(scope, chain.snapshot.engine, Question(LAST_DAY)).iloc[0]
    days = (buyers["last_day"] - pd.Timestamp(1970, 1, 1)).dt.days
    for letter, values in (("r", days), ("f", buyers["orders"]), ("m", buyers["net_sales"])):
        cuts = [row[f"{letter}_cut_{j}"] for j in (1, 2, 3, 4)]
        assert cuts == pytest.approx(np.quantile(values, [0.2, 0.4, 0.6, 0.8]).tolist())
    assert row["visits_median"] == buyers["visits"].median()
    assert row["net_sales_median"] == pytest.approx(buyers["net_sales"].median())


@pytest.mark.parametrize("as_of", [LAST_DAY, date(2025, 10, 15)])
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_the_curve_adds_up_the_best_customers(scope: Scope, as_of: date, chain: RandomChain) -> None:
    net = chain.people(scope, as_of)["net_sales"].sort_values(ascending=False)
    best = net[net > 0].cumsum().round(2).tolist()
    curve = queries.curve(scope, chain.snapshot.engine, Question(as_of))
    assert 1 < len(curve) <= 120
    assert curve["net_sales"].tolist() == [best[n - 1] for n in curve["customers"]]
    assert curve["customers"].iloc[-1] == len(best)


def test_a_choice_is_a_page_of_its_customers(chain: RandomChain) -> None:
    report = segments(chain.snapshot, CHAIN, LAST_DAY, members=1_000)
    for choice in (
        Choice("segment", "loyal"),
        Choice("segment", PROSPECT),
        Choice("abc", "B"),
        Choice("quadrant", "rare_low"),
        Choice("four_stage", "new"),
        Choice("five_phase", "decline"),
    ):
        column = "stage" if choice.column == "four_stage" else choice.column
        everyone = report.members[report.members[column] == choice.value].reset_index(drop=True)
        assert chosen_count(report, choice) == len(everyone) > 3
        page = members(chain.snapshot, CHAIN, report, choice, offset=2, limit=2)
        pd.testing.assert_frame_equal(page, everyone.iloc[2:4].reset_index(drop=True))
    cell = Choice("cell", "5-4")
    found = members(chain.snapshot, CHAIN, report, cell, limit=1_000)
    assert len(found) == chosen_count(report, cell) > 0
    assert ((found["f"] + found["m"] + 1) // 2 == 4).all()
    assert (found["r"] == 5).all()
    assert chosen_count(report, None) == report.member_count == len(report.members)


def test_the_rule_shown_is_the_rule_that_decides(report: SegmentsReport) -> None:
    shown = {(row.r, row.fm): row.segment for row in report.named_rule.itertuples()}
    assert shown == {(r, fm): name for r, names in GRID.items() for fm, name in enumerate(names, start=1)}
    assert set(shown.values()) | {PROSPECT} == set(SEGMENTS)
    stages = report.lifecycle_rule.set_index(["preset", "stage"])
    assert stages.loc[("four_stage", "loyal"), ["min_visits", "late_up_to"]].tolist() == [4, 1.5]
    assert stages.loc[("five_phase", "churned"), "late_over"] == 3
    assert fingerprint() == RULES_FINGERPRINT, "a rule has changed: RULES_CHANGED_ON and RULES_FINGERPRINT say so"


def test_the_list_ends_where_it_is_told_to(tiny_snapshot: Snapshot) -> None:
    short = segments(tiny_snapshot, CHAIN, AS_OF, members=2)
    assert short.members["customer_key"].tolist() == [key(4), key(1)]
    assert short.member_count == 6
    with pytest.raises(Problem, match="members"):
        segments(tiny_snapshot, CHAIN, AS_OF, members=1_000_000)
