"""Every query obeys its scope and returns the columns its docstring names.

A query function without a case here fails the first test.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access import queries
from data_access.queries import audience, crossing, profile_quality, segments
from data_access.queries.attribution import Part
from data_access.queries.funnel import TIMED, Walk
from data_access.queries.segments import Question
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.days import totals
from tests.tiny import AS_OF, CHAIN, FEBRUARY, MARCH, MARCH_2025, NORTH, NOTHING, ONLY_A, key

PROFILES = profile_quality.Question(AS_OF, MARCH.first)
PERIODS = [MARCH, FEBRUARY, MARCH_2025]
WALK = Walk("K1", date(2026, 3, 1), date(2026, 3, 12))

# query -> arguments after scope and engine
CASES: dict[str, tuple[Any, ...]] = {
    "actions.customers_here": ([1, 2, 3],),
    "actions.people_here": (),
    "actions.purchases": ([1, 2, 3], MARCH.first),
    "actions.zones": (),
    "affinity.first_purchases": (),
    "affinity.units_by_month": (),
    "affinity.visits": (),
    "allocation.events": (),
    "allocation.offers": (),
    "allocation.people": (),
    "allocation.recommended": (),
    "attribution.contacted": (date(2026, 2, 20), AS_OF),
    "attribution.contacts": (date(2026, 2, 20), AS_OF),
    "attribution.credit": ("channel", date(2025, 3, 1), AS_OF),
    "attribution.credited": (date(2025, 3, 1), AS_OF),
    "attribution.reach": (date(2026, 2, 20), AS_OF),
    "attribution.reached": (date(2026, 2, 20), AS_OF, Part(), 50),
    "audience.candidates": (AS_OF, audience.Conditions(), dict.fromkeys(segments.CUTS), ("wechat", "sms")),
    "audience.offers": (),
    "audience.tiers": (),
    "campaign.about": ("K1",),
    "campaign.arms": ("K1",),
    "campaign.before": (["K1"],),
    "campaign.buyers": ("K1",),
    "campaign.outcomes": (),
    "campaign.units": (),
    "campaign_stock.past": (date(2026, 3, 15),),
    "campaign_stock.promoted": ("K1",),
    "campaign_stock.stores": ("K1",),
    "campaigns.campaigns": (),
    "campaigns.funnel_steps": (),
    "campaigns.known": (),
    "campaigns.ran": (MARCH,),
    "campaigns.step_hours": ("K1", {"sent": "targeted", "delivered": "sent"}, ["gift"]),
    "campaign_effects.bought": (["K1"], 2**64 - 1, date(2026, 1, 1), date(2026, 3, 12)),
    "campaign_effects.candidates": (),
    "campaign_effects.members": (["K1"],),
    "campaign_effects.days": ("K1", date(2026, 3, 1), date(2026, 3, 12)),
    "campaign_effects.store_days": ("K1", date(2026, 3, 1), date(2026, 3, 12)),
    "campaign_segments.members": (WALK,),
    "mechanics.cost_parts": (),
    "mechanics.discounts": (),
    "mechanics.coupons": ("K1",),
    "mechanics.redemptions": ("K1",),
    "funnel.walked": (WALK,),
    "funnel.stopped": (WALK, "sent", date(2026, 3, 21), 50),
    "funnel.used_steps": ("K1",),
    "consents.by_store": (),
    "consents.contacts_without_consent": (),
    "consents.coverage": (),
    "consents.incidents": (),
    "consents.without_purchase": (date(2026, 3, 1),),
    "consents.withdrawn_before": (date(2026, 3, 1),),
    "crossing.crossing": (Question(AS_OF), dict.fromkeys(segments.CUTS), "segment", "gender"),
    "crossing.crossings": (Question(AS_OF), dict.fromkeys(segments.CUTS)),
    "crossing.standings": (Question(AS_OF),),
    "customer.appointments": (key(1),),
    "customer.calls": (key(1),),
    "customer.consents": (key(2),),
    "customer.contacts": (key(1),),
    "customer.coupons": (["K1"],),
    "customer.in_stock": ("B",),
    "customer.lines": (key(1),),
    "customer.origin": (key(1),),
    "customer.points": (key(1),),
    "customer.profile": (key(1),),
    "customer.standing": (key(1),),
    "customer.tags": (key(1),),
    "customer.tickets": (key(1),),
    "customer.tier_changes": (key(1),),
    "customer.tiers": (),
    "customer.timeline": (key(1),),
    "customers.buyers": (PERIODS,),
    "demand.by_category": (MARCH.first, MARCH.last),
    "demand.by_store": (MARCH.first, MARCH.last),
    "demand.history": (MARCH.first, None),
    "lots.buyers": ("P1", "L1"),
    "lots.in_stores": ("P1", "L1"),
    "lots.of_product": ("P1",),
    "demand.product_history": (MARCH.first, "P1"),
    "demand.product_offers": (MARCH.first, "P1", "Face"),
    "demand.product_sold": (MARCH.first, MARCH.last, "P1"),
    "demand.products_sold": (MARCH.first, MARCH.last),
    "demand.market": (),
    "demand.offers": (MARCH.first,),
    "demand.promotions": (MARCH.first,),
    "demand.sold": ("category", MARCH.first, MARCH.last),
    "demand.range_of_products": (),
    "demand.taken_back": (MARCH.first, MARCH.last),
    "health.generation": (),
    "health.loads": (),
    "health.money_check": (),
    "health.quarantined": (),
    "health.quarantined_rows": (),
    "health.sources": (),
    "health.tables_of_the_crm": (),
    "orders.order_header": ("O7",),
    "orders.order_lines": ("O7",),
    "orders.order_returns": ("O4",),
    "orders.orders_with_product": (MARCH, "P1", 50),
    "orders.recent_orders": (MARCH, 50),
    "provenance.counted_days": (MARCH,),
    "provenance.receipts": (MARCH,),
    "provenance.traded_days": (MARCH,),
    "run_out.at_home_elsewhere": ((1, 2, 3, 4),),
    "preferences.bought": (MARCH, ["gender"], "category"),
    "preferences.habits": (MARCH, ["gender"]),
    "preferences.by_month": (MARCH, "gender"),
    "places.regions": (),
    "places.stores": (),
    "products.categories": (),
    "products.of_category": (MARCH, FEBRUARY, "skin care"),
    "products.product_buyers": (PERIODS, "P1"),
    "products.product_days": (PERIODS, "P1"),
    "products.product_facts": ("P1",),
    "products.movers": (MARCH, FEBRUARY, 10),
    "products.product_stores": (MARCH, FEBRUARY, "P1"),
    "profile_quality.completeness": (PROFILES,),
    "profile_quality.shared": (),
    "profile_quality.to_fix": (PROFILES, "never_updated"),
    "profile_quality.to_fix_count": (PROFILES, "never_updated"),
    "profile_quality.unidentified": (MARCH,),
    "lapse.product_days": (),
    "lapse.rhythms": (AS_OF,),
    "lapse.last_stores": (AS_OF, (1, 2, 3)),
    "lapse.sales": (MARCH,),
    "lapse.steps": (AS_OF,),
    "reasons.events": (MARCH,),
    "reach.channels": ([1, 2, 3],),
    "retention.bought_within": (AS_OF, (30, 90)),
    "retention.cohort_customers": (AS_OF, FEBRUARY, FEBRUARY, True),
    "retention.cohort_count": (AS_OF, FEBRUARY, FEBRUARY, True),
    "retention.cohort_months": (AS_OF,),
    "retention.new_by_place": ("store",),
    "retention.members_who_bought": (MARCH,),
    "retention.registered": (AS_OF,),
    "retention.second_visits": (AS_OF,),
    "retention.visits_in_months": (MARCH, 5, True),
    "retention.without_order": (MARCH_2025.last,),
    "retention.without_order_count": (MARCH_2025.last,),
    "run_out.products": (),
    "run_out.purchases": (AS_OF,),
    "run_out.size": (),
    "segments.cells": (Question(AS_OF),),
    "segments.curve": (Question(AS_OF),),
    "segments.cuts": (Question(AS_OF),),
    "segments.stages": (Question(AS_OF),),
    "segments.members": (Question(AS_OF), dict.fromkeys(segments.CUTS)),
    "segments.numbers": (segments.Named(Question(AS_OF), dict.fromkeys(segments.CUTS), "prospect"),),
    "sales.by_category": (MARCH,),
    "sales.category_days": (PERIODS, "skin care"),
    "sales.category_stores": (MARCH, FEBRUARY, MARCH_2025, "skin care"),
    "sales.by_hour": (MARCH,),
    "sales.categories": (MARCH, FEBRUARY, MARCH_2025),
    "sales.days": (PERIODS,),
    "sales.stores": (MARCH, FEBRUARY, MARCH_2025),
    "staff.at_work": ("E1",),
    "staff.busy_hours": (MARCH,),
    "staff.categories": (MARCH, "E1"),
    "staff.days": (MARCH,),
    "staff.follow_ups": (MARCH,),
    "staff.follow_ups_of": (MARCH, "E1"),
    "staff.months": ("E1", AS_OF),
    "staff.people": (),
    "staff.ratings": (MARCH,),
    "staff.returns": (MARCH,),
    **{f"readiness.{name}": (MARCH,) for name in ("by_day", "contacts", "crews", "crews_by_day")},
    "scorecard.answers": (MARCH,),
    "scorecard.answers_by_store": (MARCH,),
    "scorecard.came_by_place": ("store",),
    "scorecard.sold": (MARCH,),
    "scorecard.sold_by_store": (MARCH,),
    "staff.members": (MARCH,),
    "staff.sums": (MARCH,),
    "staff.targets_of": (MARCH.first,),
    "staff.returns_by_month": ("E1",),
    "staff.returns_of_months": (),
    "staff.service": (MARCH,),
    "staff.sold": (MARCH,),
    "staff.targets": ("E1",),
    "targets.planned": (AS_OF - timedelta(days=400),),
    "targets.sold": (AS_OF - timedelta(days=400), AS_OF),
    "training.completed": (AS_OF,),
    "training.courses": (),
    "training.daily_spread": (MARCH,),
    "training.months": (AS_OF,),
    "training.praise": (MARCH, "E1"),
    "training.rating_spread": (MARCH,),
    "stock.ages": (AS_OF,),
    "spending.advisers": (MARCH,),
    **dict.fromkeys(("spending.bands", "spending.directions", "spending.ready", "spending.steps"), (MARCH, FEBRUARY)),
    "spending.unassigned": (MARCH,),
    "stock.by_product": (),
    "stock.empty_spells": (MARCH.first, MARCH.last),
    "stock.flows": (MARCH.first, MARCH.last),
    "stock.goods": (),
    "stock.lanes": (),
    "stock.lead_times": (MARCH.first,),
    "stock.ledger_exceptions": (),
    "stock.lots": (),
    "stock.positions": (),
    "stock.sold": (MARCH, date(2026, 3, 15), ["P1", "P2"]),
    "stock.sold_by_day": (MARCH.first,),
    "stock.terms": (),
    "stock.unit_days": (MARCH.first, MARCH.last),
    "suppliers.by_month": (MARCH.first, AS_OF),
    "suppliers.late_orders": (date(2026, 3, 31),),
    "suppliers.league": (MARCH.first, AS_OF),
    "suppliers.products": (MARCH.first, AS_OF),
    "value.by_id": (AS_OF, 3),
    "value.customers": (AS_OF,),
    "value.details": (AS_OF,),
    "treatments.over": (AS_OF, 3),
    "treatments.treatments": (AS_OF, "K1"),
    "value.margin": (AS_OF,),
    "stores.closures": (),
    "stores.comparable": (MARCH,),
    "stores.facts": (),
    "stores.hours": (MARCH,),
    "stores.mix": (MARCH,),
    "stores.promotions": (),
    "stores.ratings": (MARCH,),
    "stores.retained": (MARCH, FEBRUARY),
    "stores.series": (MARCH,),
    "stores.shelves": (),
    "stores.sums": (MARCH,),
    "stores.weeks": (MARCH,),
    "why.categories": (MARCH, FEBRUARY),
    "why.doors": (MARCH, FEBRUARY),
    "why.products": (MARCH, FEBRUARY),
    "why.receipts": (MARCH, FEBRUARY, "customers"),
    "why.returned": (MARCH, FEBRUARY, "staff_id"),
}
# What a batch has computed lies in a file of its own; ``tests.test_scope_cases`` asks for it.
OF_RESULTS = {
    *("campaign_segments.kept", "campaign_segments.kept_paths"),
    *("campaign_results.kept", "campaign_results.rows", "crossing.history", "demand.accuracy", "demand.components"),
    *("crossing.kept_crossing", "kept.frames", "reasons.kept_lapsed"),
    *(f"run_out.kept_{name}" for name in ("count", "customers", "days", "due", "figures", "held")),
    *("spending.kept_ready", "spending.kept_unassigned"),
    *("demand.forecasts", "demand.forecasts_of_stores", "lapse.kept", "stock.kept_classes", "stock.kept_lots"),
    "stock.kept_sums",
    *("stock.kept_shelves", "stock.kept_transfers", "value.checked_from", "value.kept", "value.score"),
    *("value.score_count", "value.scores"),
    *("demand.ahead_of_products", "demand.weeks_of_product", "demand.weeks_of_products"),
    *(
        "stores.alerts",
        "stores.bands",
        "stores.benchmark",
        "stores.gaps",
        "stores.kept_figures",
        "stores.peers",
        "stores.watch",
    ),
    *("staff.kept", "staff.kept_categories", "staff.kept_returns", "staff.kept_spread"),
    "staff.kept_ranges",
    *("training.effects", "training.paths", "training.quantiles", "training.ramp"),
}

# What describes the chain, or a customer of store A, and not its trade: the same for every scope that holds A.
SHARED = {
    *("campaign_effects.store_days", "mechanics.discounts"),  # no campaign of stores and no coupon in the tiny chain
    "mechanics.coupons",  # the tiny chain has none, nor:
    "mechanics.redemptions",
    *("stores.closures", "stores.comparable", "stores.promotions"),  # the tiny chain has none, nor a year before
    "funnel.used_steps",
    *("campaign.about", "campaigns.known", "campaigns.ran"),
    "allocation.offers",  # its campaigns have no type
    "allocation.recommended",
    *("campaign_stock.past", "campaign_stock.promoted", "campaign_stock.stores"),  # and no products or stores
    "audience.tiers",  # the tiny chain has none, nor of these:
    *("lots.buyers", "lots.in_stores", "lots.of_product"),
    "training.courses",
    *("demand.market", "demand.offers", "demand.product_offers", "demand.promotions", "demand.range_of_products"),
    "spending.ready",  # nobody went up a band while buying elsewhere below it
    "segments.numbers",  # the only prospect, 5, is at home in store A
    *("staff.at_work", "training.praise"),
    "staff.categories",
    "staff.follow_ups_of",
    "staff.returns",
    "staff.returns_by_month",
    "staff.returns_of_months",
    "staff.targets",
    "staff.targets_of",
    "scorecard.answers_by_store",  # of the tiny chain's answers only one names a store
    "treatments.over",
    "lapse.product_days",
    "products.categories",  # store A sells all of them
    "products.product_facts",
    "run_out.at_home_elsewhere",
    "reach.channels",
    "run_out.products",
    "stock.goods",
    "stock.terms",
    "customer.consents",
    "customer.contacts",
    "customer.coupons",
    "customer.standing",
    "customer.tags",
    "customer.tiers",
    "customer.origin",
    "customer.profile",
}
# One row per period whatever the scope; without stores its figures are 0 or missing.
PER_PERIOD = {"customers.buyers", "products.product_buyers"}
# One row with a number whatever the scope.
COUNTS = {
    "retention.cohort_count",
    "retention.without_order_count",
    "profile_quality.to_fix_count",
    "provenance.counted_days",
    "provenance.traded_days",
}
# A column per entry of a list that the docstring names.
BY_ENTRY = {
    "crossing.standings": crossing.SCHEMES,
    "funnel.walked": tuple(f"hours_{step}" for step in TIMED),
    "profile_quality.completeness": (*profile_quality.KNOWN, *profile_quality.PROBLEMS, *profile_quality.UPDATED),
}


@pytest.fixture
def facts(tiny_snapshot: Snapshot) -> Snapshot:
    return tiny_snapshot


def query_functions() -> dict[str, Callable[..., pd.DataFrame]]:
    found = {}
    for module_info in pkgutil.iter_modules(queries.__path__):
        if module_info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{queries.__name__}.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            answers = inspect.signature(function).return_annotation is pd.DataFrame
            if answers and function.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{module_info.name}.{name}"] = function
    return found


FUNCTIONS = query_functions()


def ask(name: str, scope: Scope, facts: Snapshot) -> pd.DataFrame:
    return FUNCTIONS[name](scope, facts.engine, *CASES[name])


def test_every_query_has_a_case_and_every_case_a_query() -> None:
    assert set(CASES) | OF_RESULTS == set(FUNCTIONS)
    assert not set(CASES) & OF_RESULTS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_query_takes_the_scope_first_and_has_no_default_for_it(name: str) -> None:
    parameters = list(inspect.signature(FUNCTIONS[name]).parameters.values())
    assert (parameters[0].name, parameters[0].annotation, parameters[0].default) == (
        "scope",
        Scope,
        inspect.Parameter.empty,
    )
    assert (parameters[1].name, parameters[1].annotation) == ("engine", Engine)


@pytest.mark.parametrize("name", CASES)
def test_a_query_returns_the_columns_its_docstring_names(name: str, facts: Snapshot) -> None:
    documented = FUNCTIONS[name].__doc__ or ""
    columns = [list(ask(name, scope, facts)) for scope in (CHAIN, ONLY_A, NOTHING)]
    assert columns[0] == columns[1] == columns[2]
    named = BY_ENTRY.get(name, ())
    assert [column for column in columns[0] if column not in documented and column not in named] == []


@pytest.mark.parametrize("name", CASES)
def test_no_stores_no_rows(name: str, facts: Snapshot) -> None:
    frame = ask(name, NOTHING, facts)
    if name in COUNTS:
        assert frame.iloc[0].tolist() == [0]
    elif name not in PER_PERIOD:
        assert frame.empty
    else:
        assert len(frame) == len(PERIODS)
        assert (frame.drop(columns="period").fillna(0) == 0).all(axis=None)


@pytest.mark.parametrize("name", CASES)
def test_one_store_sees_less_than_the_chain_and_nothing_of_the_others(name: str, facts: Snapshot) -> None:
    whole, part = ask(name, CHAIN, facts), ask(name, ONLY_A, facts)
    if name in SHARED:
        pd.testing.assert_frame_equal(part, whole)
    elif name.startswith("health."):
        counts = part.columns.intersection(["rows", "rows_read", "rows_changed"])
        assert part.empty or (len(counts) and part[counts].isna().all(axis=None))
    elif name.startswith("orders.order_"):
        pd.testing.assert_frame_equal(part, whole)  # O7 and O4 are of store A
        assert FUNCTIONS[name](Scope("stores", ("B",)), facts.engine, *CASES[name]).empty
    else:
        assert not part.equals(whole)
    if "store_id" in part and not part.empty and not name.startswith("orders.order_"):
        assert set(part["store_id"]) == {"A"}


@pytest.mark.parametrize("name", ["sales.days", "products.product_days"])
def test_sums_over_the_stores_are_the_chain(name: str, facts: Snapshot) -> None:
    added = sum(totals(ask(name, Scope("stores", (store,)), facts), PERIODS).fillna(0) for store in "ABC")
    pd.testing.assert_frame_equal(added, totals(ask(name, CHAIN, facts), PERIODS).fillna(0))


def test_the_sums_of_a_period(facts: Snapshot) -> None:
    march, february, last_year = totals(ask("sales.days", CHAIN, facts), PERIODS).to_dict("records")
    assert march == {
        "gross_sales": 190 + 30 + 205 + 31 + 400 + 105 + 58 + 110.25,
        "returns": 30 + 15.5,
        "net_sales": 190 + 30 + 205 + 31 + 400 + 105 + 58 + 110.25 - 30 - 15.5,
        "orders": 8,
        "identified_orders": 7,
        "units": 2 + 1 + 1 + 1 + 2 + 1 + 2 + 1,
        "returns_of_sales": 15.5,
        "traffic": 40 + 30 + 20 + 10 + 10,
        "counted_day_orders": 2 + 0 + 1 + 1 + 1,
    }
    assert (february["gross_sales"], february["returns"], february["orders"]) == (130 + 90 + 210, 200, 3)
    assert pd.isna(february["traffic"])
    assert (last_year["net_sales"], last_year["orders"]) == (100 + 60, 2)


def test_refunds_belong_to_the_day_and_store_of_the_sale_they_are_linked_to(facts: Snapshot) -> None:
    # R1 refunds O4 (9 February, store A), R2 is linked to nothing (11 March, C), R4 refunds O3 (June 2025, B).
    for scope, expected in ((CHAIN, [15.5, 30, 0]), (ONLY_A, [0, 30, 0])):
        assert totals(ask("sales.days", scope, facts), PERIODS)["returns_of_sales"].tolist() == expected


@pytest.mark.parametrize(
    ("scope", "buyers", "new"),
    [(CHAIN, [5, 3, 1], [1, 2, 1]), (ONLY_A, [2, 1, 1], [1, 1, 1]), (NORTH, [4, 2, 1], [1, 1, 1])],
    ids=["chain", "one store", "region"],
)
def test_buyers_are_new_at_the_grain_of_the_scope(
    scope: Scope, buyers: list[int], new: list[int], facts: Snapshot
) -> None:
    # In store A customer 2 first bought on 9 February 2026, in the chain in June 2025.
    frame = ask("customers.buyers", scope, facts)
    assert frame["buyers"].tolist() == buyers
    assert frame["new_customers"].tolist() == new
    assert (frame["buyers"] - frame["new_customers"]).tolist() == frame["returning_customers"].tolist()


@pytest.mark.parametrize("scope", [CHAIN, ONLY_A, NORTH], ids=["chain", "one store", "region"])
def test_buyers_of_a_place_are_those_counted_one_by_one(
    scope: Scope, facts: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    added_up = ask("customers.buyers", scope, facts)
    monkeypatch.setattr("data_access.queries.customers.place_of", lambda scope, engine: None)
    pd.testing.assert_frame_equal(ask("customers.buyers", scope, facts), added_up)


def test_the_timeline_of_a_customer_is_newest_first(facts: Snapshot) -> None:
    timeline = ask("customer.timeline", CHAIN, facts)
    assert timeline["order_id"].tolist() == ["O9", "O8", "O7", "O2", "O1"]
    assert timeline["amount"].tolist() == [205, 30, 190, 60, 100]
    second = FUNCTIONS["customer.timeline"](CHAIN, facts.engine, key(2))
    assert second[["kind", "order_id", "store", "amount"]].head(2).to_numpy().tolist() == [
        ["purchase", "O15", "Birch Mall", 110.25],
        ["return", "O4", "Alder Road", 30],
    ]
    assert second["return_id"].dropna().tolist() == ["R1", "R4"]
    assert FUNCTIONS["customer.timeline"](CHAIN, facts.engine, "c1' OR 1=1").empty


def test_hours_add_up_orders_and_subtract_refunds(facts: Snapshot) -> None:
    hours = ask("sales.by_hour", CHAIN, facts).set_index(["weekday", "hour"])
    assert hours.loc[(1, 10)].tolist() == [190, 1]  # Monday 2 March
    assert hours.loc[(2, 10)].tolist() == [110.25 * 0 - 30, 0]  # Tuesday 3 March: a refund alone
    assert hours.loc[(3, 14)].tolist() == [-15.5, 0]
    assert hours["orders"].sum() == 8


def test_an_excluded_receipt_can_be_opened_but_counts_nowhere(facts: Snapshot) -> None:
    header = FUNCTIONS["orders.order_header"](CHAIN, facts.engine, "O14")
    assert header["exclusion"].tolist() == ["test"]
    assert "O14" not in ask("orders.recent_orders", CHAIN, facts)["order_id"].tolist()


def test_the_latest_orders_show_what_remains_after_refunds(facts: Snapshot) -> None:
    orders = FUNCTIONS["orders.recent_orders"](CHAIN, facts.engine, FEBRUARY, 2)
    assert orders["order_id"].tolist() == ["O6", "O5"]
    every = FUNCTIONS["orders.recent_orders"](ONLY_A, facts.engine, FEBRUARY, 50)
    assert every[["gross_sales", "net_sales"]].to_numpy().tolist() == [[130, 130 - 30]]


def test_a_return_elsewhere_is_shown_with_the_receipt_and_not_where(facts: Snapshot) -> None:
    for scope, store in ((Scope("stores", ("B",)), None), (NORTH, "A")):
        returns = FUNCTIONS["orders.order_returns"](scope, facts.engine, "O3").astype(object)
        assert returns[["return_id", "store_id", "refund"]].to_numpy().tolist() == [["R4", store, 200]]


def test_campaigns_of_other_stores_are_theirs(facts: Snapshot) -> None:
    def listed(name: str, store: str) -> set[str]:
        return set(FUNCTIONS[name](Scope("stores", (store,)), facts.engine)["campaign_id"])

    # Of K1 there are customers of every store, of K2 and K4 some of A only, customer 1 and 2.
    for name in ("campaigns.campaigns", "campaigns.known", "campaign.about"):
        assert {"K1", "K2", "K4"} <= listed(name, "A")
        assert "K1" in listed(name, "C")
        assert not {"K2", "K4"} & listed(name, "C")
        assert listed(name, "nowhere") == set()
    assert FUNCTIONS["campaign.about"](Scope("stores", ("C",)), facts.engine, "K4").empty


@pytest.mark.parametrize("scope", [CHAIN, ONLY_A])
def test_thousands_of_customers_are_asked_as_one_list(scope: Scope, facts: Snapshot) -> None:
    last_stores = FUNCTIONS["lapse.last_stores"]
    one_by_one, as_list = (last_stores(scope, facts.engine, AS_OF, range(1, end)) for end in (1_001, 1_002))
    assert len(one_by_one) > 1
    pd.testing.assert_frame_equal(as_list, one_by_one)
