"""One customer: what the stores in scope know of them, in figures that can be added by hand."""

import math

import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.queries import customer as queries
from data_access.queries.affinity import Known
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import habits
from models.reports.customer import _next_categories, _suits, customer
from tests.report_fixtures import figure
from tests.tiny import CHAIN, NORTH, NOTHING, ONLY_A, key

ONLY_B, ONLY_C = Scope("stores", ("B",)), Scope("stores", ("C",))


def test_the_figures_of_a_customer_over_all_stores(tiny_snapshot: Snapshot) -> None:
    kpis = customer(tiny_snapshot, CHAIN, key(2)).kpis
    gross, refunds = 200 + 130 + 110.25, 30 + 200
    assert figure(kpis, "net_sales") == gross - refunds
    assert (figure(kpis, "orders"), figure(kpis, "visits")) == (3, 3)
    assert figure(kpis, "average_ticket") == (gross - refunds) / 3
    assert figure(kpis, "return_rate") == refunds / gross
    assert figure(kpis, "units_per_transaction") == (1 + 2 + 1) / 3
    assert figure(kpis, "recency_days") == 0  # O15 is of the last day


def test_a_store_knows_what_happened_in_it_and_nothing_else(tiny_snapshot: Snapshot) -> None:
    report = customer(tiny_snapshot, ONLY_A, key(1))
    bought = report.timeline[report.timeline["kind"] == "purchase"]
    assert bought["order_id"].tolist() == ["O8", "O7", "O2", "O1"]  # O9 was in B
    assert set(report.timeline["store_id"].dropna()) == {"A"}
    assert figure(report.kpis, "net_sales") == 100 + 60 + 190 + 30
    assert "Perfume" not in set(report.favourites["name"])


def test_the_head_says_who_it_is_by_key(tiny_snapshot: Snapshot) -> None:
    head = customer(tiny_snapshot, CHAIN, key(1)).header.iloc[0]
    assert head[["customer_key", "store", "stage", "abc"]].tolist() == [key(1), "Alder Road", "loyal", "A"]
    assert (head["first_day"], head["last_day"]) == (pd.Timestamp(2025, 3, 1), pd.Timestamp(2026, 3, 5))


def test_who_is_at_home_elsewhere_is_known_without_that_home(tiny_snapshot: Snapshot) -> None:
    home = customer(tiny_snapshot, ONLY_A, key(2)).header.iloc[0]
    assert (home["store"], home["joined_on"]) == ("Alder Road", pd.Timestamp(2025, 1, 1))
    away = customer(tiny_snapshot, ONLY_B, key(2)).header.iloc[0]
    assert away[["store_id", "store", "joined_on"]].isna().all()
    assert bool(away["is_adult"])


def test_who_registered_and_never_bought_has_a_page(tiny_snapshot: Snapshot) -> None:
    report = customer(tiny_snapshot, ONLY_A, key(5))  # O14 and R3 were a test
    assert report.header["segment"].tolist() == ["prospect"]
    assert figure(report.kpis, "orders") == 0
    assert math.isnan(figure(report.kpis, "recency_days"))
    assert report.favourites.empty


UNKNOWN = [
    (ONLY_C, key(1)),  # of other stores
    (ONLY_B, key(5)),  # registered in another store
    (NOTHING, key(1)),
    (CHAIN, key(999)),  # nobody has it
    (CHAIN, "C1"),  # an id of the CRM is no key
    (CHAIN, "' OR 1=1 --"),
    (NORTH, ""),
]


@pytest.mark.parametrize(("scope", "customer_key"), UNKNOWN)
def test_a_customer_outside_the_scope_is_as_unknown_as_a_made_up_key(
    tiny_snapshot: Snapshot, scope: Scope, customer_key: str
) -> None:
    with pytest.raises(Problem) as problem:
        customer(tiny_snapshot, scope, customer_key)
    assert str(problem.value) == (
        f"there is no customer {customer_key!r} in your scope: open one from a list of customers"
    )
    for query in (queries.profile, queries.origin, queries.timeline, queries.lines, queries.contacts, queries.consents):
        assert query(scope, tiny_snapshot.engine, customer_key).empty


def test_the_timeline_names_the_dearest_product_and_the_campaign(tiny_snapshot: Snapshot) -> None:
    rows = customer(tiny_snapshot, CHAIN, key(2)).timeline.set_index("order_id")
    assert rows.loc["O4"].query("kind == 'purchase'")[["text", "more", "amount"]].to_numpy().tolist() == [
        ["Cream", 1, 100 + 30]
    ]
    events = customer(tiny_snapshot, CHAIN, key(1)).timeline
    sent = events[events["kind"] == "message"].iloc[0]
    assert (sent["text"], sent["at"]) == ("Campaign K1", pd.Timestamp(2026, 3, 1, 10))  # 02:00 UTC in Shanghai


def test_habits_are_medians_with_quartiles(tiny_snapshot: Snapshot) -> None:
    found = customer(tiny_snapshot, CHAIN, key(1)).habits.set_index("key")
    # Visits on 1 and 20 March 2025, 2 and 5 March 2026: 19, 347 and 3 days apart.
    assert found.loc["days_between_visits"].tolist() == [19, (3 + 19) / 2, (19 + 347) / 2]
    assert found.loc["ticket", "value"] == 100  # of 30, 60, 100, 190, 205
    assert math.isnan(found.loc["longest_usual_gap", "value"])  # three gaps are too few


def test_what_is_bought_adds_up_to_the_gross_sales(tiny_snapshot: Snapshot) -> None:
    found = customer(tiny_snapshot, CHAIN, key(1)).favourites
    for _, rows in found.groupby("dimension"):
        assert rows["net_sales"].sum() == 100 + 60 + 190 + 30 + 205
        assert rows["share"].sum() == pytest.approx(1)
    cream = found[(found["dimension"] == "product") & (found["name"] == "Cream")].iloc[0]
    assert cream[["net_sales", "units", "orders"]].tolist() == [100 + 190, 1 + 2, 2]


def test_what_no_model_says_is_missing_with_the_reason(tiny_snapshot: Snapshot) -> None:
    found = customer(tiny_snapshot, CHAIN, key(1)).expectations
    assert found["value"].isna().all()
    assert set(found["why"]) == {"too_little_data"}
    assert set(customer(tiny_snapshot, ONLY_A, key(5)).expectations["why"]) == {"never_bought"}


def kinds(scope: Scope, found: Snapshot) -> list[str]:
    """What is told of customer 1 besides trade and campaigns, the newest first."""
    events = customer(found, scope, key(1)).timeline
    told = ("complaint", "call", "appointment", "points_expired", "tier", "tier_up")
    return [kind for kind in events["kind"] if kind in told]


def test_the_timeline_holds_service_and_loyalty(tiny_snapshot: Snapshot) -> None:
    assert kinds(CHAIN, tiny_snapshot) == [
        *("appointment", "appointment", "complaint", "call", "points_expired", "call", "tier_up", "complaint", "tier"),
    ]
    complaint = customer(tiny_snapshot, CHAIN, key(1)).timeline.query("kind == 'complaint'").iloc[-1]
    assert complaint[["at", "text", "store_id"]].tolist() == [pd.Timestamp(2026, 3, 3, 10), "skin_reaction", "A"]


def test_a_store_is_told_nothing_of_service_elsewhere_or_of_what_purchases_elsewhere_earned(
    tiny_snapshot: Snapshot,
) -> None:
    assert kinds(ONLY_A, tiny_snapshot) == ["appointment", "call", "complaint", "tier"]
    of_order = customer(tiny_snapshot, CHAIN, key(1)).timeline.set_index("order_id")["points"]
    assert (of_order["O7"], of_order["O9"]) == (60, 205)
    assert "O9" not in set(customer(tiny_snapshot, ONLY_A, key(1)).timeline["order_id"])


def test_the_next_tier_is_as_far_as_the_sales_of_twelve_months_leave_it(tiny_snapshot: Snapshot) -> None:
    row = customer(tiny_snapshot, CHAIN, key(1)).standing.iloc[0]
    back = figure(customer(tiny_snapshot, CHAIN, key(1)).kpis, "net_sales") - (100 + 60 + 190 + 30 + 205)
    spent = 190 + 30 + 205 + back  # O1 and O2 lie before 21 March 2025
    assert row[["tier", "points_balance", "next_tier", "threshold"]].tolist() == [
        "Silver",
        60 + 205 - 100,
        "Gold",
        2000,
    ]
    assert (row["spent"], row["gap"], row["is_exact"]) == (spent, 2000 - spent, True)
    here = customer(tiny_snapshot, ONLY_A, key(1)).standing.iloc[0]
    # A store knows its own sales only, and so at most how much is missing.
    assert here["gap"] == row["gap"] + 205
    assert not here["is_exact"]


def test_skin_compatibility_is_known_where_both_sides_are() -> None:
    dry = '{"skin_types": ["dry", "normal"]}'
    assert [_suits(dry, "dry"), _suits(dry, "oily")] == [True, False]
    assert [_suits(dry, None), _suits(None, "dry"), _suits("rich", "dry"), _suits("[]", "dry")] == [None] * 4


def test_without_a_batch_nothing_is_recommended(tiny_snapshot: Snapshot) -> None:
    assert customer(tiny_snapshot, CHAIN, key(1)).recommendations.empty


def test_gaps_are_between_days_not_between_orders() -> None:
    instants = pd.Series(pd.to_datetime(["2026-03-05 10:00", "2026-03-01 09:00", "2026-03-01 20:00"]))
    assert habits.gaps(instants) == [4]
    assert habits.gaps(instants.iloc[:0]) == []


def test_quartiles_of_little_are_not_said() -> None:
    assert habits.quartiles([7.0])[0] == 7
    assert all(math.isnan(value) for value in (*habits.quartiles([7, 9])[1:], *habits.quartiles([])))
    assert habits.quartiles([1, 2, 3, 4, 5]) == (3, 2, 4)


def test_nine_of_ten_gaps_are_not_longer() -> None:
    assert habits.longest_usual([10] * 9 + [100]) == pytest.approx(10 + 0.1 * 90)
    assert math.isnan(habits.longest_usual([10, 20, 30, 40]))


def test_only_known_names_have_a_share() -> None:
    lines = pd.DataFrame(
        {"brand": ["a", None, ""], "net": [10.0, 5.0, 5.0], "quantity": 1.0, "order_id": ["1", "2", "3"]}
    )
    found = habits.favourites(lines, ["brand"], 5)
    assert found[["name", "share"]].to_numpy().tolist() == [["a", 1.0]]


def test_the_next_visit_is_guessed_only_where_that_did_better_than_simpler_guesses() -> None:
    pairs = [("a", "a", 0.8), ("a", "b", 0.2), ("b", "a", 0.5), ("b", "b", 0.5)]
    follows = pd.DataFrame(pairs, columns=["category", "next_category", "share"])
    # two visits, both mostly for a
    days = pd.to_datetime(["2026-01-02", "2026-01-02", "2026-01-01"])
    lines = pd.DataFrame({"day": days, "category": ["b", "a", "a"], "net": [5.0, 9.0, 1.0]})

    def guessed(hit_rate: float) -> pd.DataFrame:
        held = {"next_hit_rate": hit_rate, "next_last_hit_rate": 0.5, "next_popular_hit_rate": 0.6, "next_weight": 4.0}
        check = pd.DataFrame(held.items(), columns=["key", "value"])
        return _next_categories(Known(pd.DataFrame(), pd.DataFrame(), follows, check), lines)

    assert guessed(0.7)["category"].tolist() == ["a", "b"]
    assert guessed(0.7)["chance"].tolist() == pytest.approx([(2 + 4 * 0.8) / 6, (0 + 4 * 0.2) / 6])
    assert guessed(0.6).empty
