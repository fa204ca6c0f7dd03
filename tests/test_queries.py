"""Every query obeys its scope and returns the columns its docstring names.

A query function without a case here fails the first test.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access import queries
from data_access.queries import customers
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.days import totals
from tests.tiny import AS_OF, CHAIN, FEBRUARY, MARCH, MARCH_2025, NORTH, NOTHING, ONLY_A

PERIODS = [MARCH, FEBRUARY, MARCH_2025]

# query -> arguments after scope and engine
CASES: dict[str, tuple[Any, ...]] = {
    "campaigns.campaigns": (),
    "campaigns.funnel_steps": (),
    "campaigns.step_hours": ("K1", {"sent": "targeted", "delivered": "sent"}, ["gift"]),
    "customers.buyers": (PERIODS,),
    "customers.customer_base": (AS_OF,),
    "customers.customer_totals": (AS_OF,),
    "customers.keys": (),
    "customers.registered": (AS_OF,),
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
    "places.regions": (),
    "places.stores": (),
    "products.product_buyers": (PERIODS, "P1"),
    "products.product_days": (PERIODS, "P1"),
    "products.product_facts": ("P1",),
    "products.product_sales": (MARCH, FEBRUARY),
    "products.product_stores": (MARCH, FEBRUARY, "P1"),
    "retention.cohort_months": (AS_OF,),
    "sales.by_category": (MARCH,),
    "sales.by_hour": (MARCH,),
    "sales.days": (PERIODS,),
    "sales.stores": (MARCH, FEBRUARY, MARCH_2025),
    "stock.by_product": (),
    "stock.positions": (),
}

# What describes the chain and not its trade: the same for every scope that holds a store.
SHARED = {"products.product_facts"}
# One row per period whatever the scope; without stores its figures are 0 or missing.
PER_PERIOD = {"customers.buyers", "products.product_buyers"}


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
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{module_info.name}.{name}"] = function
    return found


FUNCTIONS = query_functions()


def ask(name: str, scope: Scope, facts: Snapshot) -> pd.DataFrame:
    return FUNCTIONS[name](scope, facts.engine, *CASES[name])


def test_every_query_has_a_case_and_every_case_a_query() -> None:
    assert set(CASES) == set(FUNCTIONS)


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
    assert [column for column in columns[0] if column not in documented] == []


@pytest.mark.parametrize("name", CASES)
def test_no_stores_no_rows(name: str, facts: Snapshot) -> None:
    frame = ask(name, NOTHING, facts)
    if name not in PER_PERIOD:
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
    if "store_id" in part and not name.startswith("orders.order_"):
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


def test_the_totals_of_a_customer(facts: Snapshot) -> None:
    totals = ask("customers.customer_totals", CHAIN, facts).set_index("customer_no")
    assert totals.index.tolist() == [1, 2, 3, 4, 6]  # 5 has only a test order
    first = totals.loc[1]
    assert (first["orders"], first["visits"]) == (5, 4)  # O7 and O8 are one visit
    assert first["gross_sales"] == 100 + 60 + 190 + 30 + 205
    assert (first["first_day"], first["last_day"]) == (pd.Timestamp(2025, 3, 1), pd.Timestamp(2026, 3, 5))
    assert first["store_id"] == "B"
    assert totals.loc[2, "net_sales"] == 200 + 130 + 110.25 - 200 - 30
    assert totals.loc[4, "net_sales"] == 210 + 400 - 15.5


def test_a_window_narrows_the_sums_and_keeps_the_first_and_last_day(facts: Snapshot) -> None:
    function = FUNCTIONS["customers.customer_totals"]
    totals = function(CHAIN, facts.engine, AS_OF, date(2026, 3, 1)).set_index("customer_no")
    assert totals.loc[1, ["orders", "visits", "orders_ever"]].tolist() == [3, 2, 5]
    assert totals.loc[1, "gross_sales"] == 190 + 30 + 205
    assert totals.loc[1, "first_day"] == pd.Timestamp(2025, 3, 1)
    assert totals.loc[2, "net_sales"] == 110.25 - 30


def test_what_lies_after_the_day_is_not_seen(facts: Snapshot) -> None:
    totals = FUNCTIONS["customers.customer_totals"](CHAIN, facts.engine, date(2026, 3, 2)).set_index("customer_no")
    assert totals.index.tolist() == [1, 2, 3, 4]
    assert totals.loc[1, ["orders", "last_day"]].tolist() == [4, pd.Timestamp(2026, 3, 2)]
    assert totals.loc[2, "net_sales"] == 200 + 130 - 200


@pytest.mark.parametrize("as_of", [AS_OF, date(2026, 12, 31)])
@pytest.mark.parametrize(
    "scope",
    [CHAIN, NORTH, Scope("stores", ("C",)), Scope("stores", ("B",)), ONLY_A],
    ids=["chain", "region north", "region south and store C", "store B", "store A"],
)
def test_the_summary_of_a_place_is_what_its_days_add_up_to(
    scope: Scope, as_of: date, facts: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = customers.customer_base(scope, facts.engine, as_of)
    assert len(summary) > 0
    monkeypatch.setattr(customers, "_place", lambda *_: None)
    pd.testing.assert_frame_equal(summary, customers.customer_base(scope, facts.engine, as_of))


@pytest.mark.parametrize(
    ("scope", "as_of", "window_first", "summary_is_read"),
    [
        (CHAIN, AS_OF, None, True),
        (NORTH, date(2027, 1, 1), None, True),
        (ONLY_A, AS_OF, None, True),
        (Scope("stores", ("A", "C")), AS_OF, None, False),  # no region
        (NOTHING, AS_OF, None, False),
        (CHAIN, date(2026, 3, 19), None, False),  # a day before the last
        (CHAIN, AS_OF, date(2026, 1, 1), False),
    ],
)
def test_the_summary_is_read_only_where_it_covers_what_was_asked(
    scope: Scope,
    as_of: date,
    window_first: date | None,
    summary_is_read: bool,
    facts: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    read = customers._summary
    monkeypatch.setattr(customers, "_summary", lambda *args: asked.append(args) or read(*args))
    customers.customer_base(scope, facts.engine, as_of, window_first)
    assert bool(asked) == summary_is_read


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


def test_a_return_elsewhere_is_shown_with_the_receipt(facts: Snapshot) -> None:
    returns = FUNCTIONS["orders.order_returns"](Scope("stores", ("B",)), facts.engine, "O3")
    assert returns[["return_id", "store_id", "refund"]].to_numpy().tolist() == [["R4", "A", 200]]
