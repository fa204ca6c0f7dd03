"""One store, added up by hand."""

from datetime import date

import pytest

from data_access.errors import Problem
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports.store import store
from tests.report_fixtures import figure
from tests.tiny import CHAIN, MARCH, ONLY_A


def test_the_key_figures_are_at_the_grain_of_the_store(tiny_snapshot: Snapshot) -> None:
    kpis = store(tiny_snapshot, CHAIN, MARCH, "B").kpis
    assert figure(kpis, "net_sales") == 205 + 105 + 110.25
    assert figure(kpis, "new_customers") == 1  # customer 1 had bought before, but never here
    assert figure(kpis, "returning_customers") == 2
    assert figure(kpis, "net_sales", "previous") == 90


def test_conversion_counts_only_days_with_a_valid_door_count(tiny_snapshot: Snapshot) -> None:
    kpis = store(tiny_snapshot, CHAIN, MARCH, "A").kpis
    assert figure(kpis, "traffic") == 40 + 30 + 20
    assert figure(kpis, "conversion") == (2 + 0 + 1) / (40 + 30 + 20)  # O13 on the 15th has no count
    days = store(tiny_snapshot, CHAIN, MARCH, "A").by_day.set_index("day")
    assert days.loc["2026-03-02", "conversion"] == 2 / 40
    assert days.loc["2026-03-04", ["orders", "conversion"]].tolist() == [0, 0]
    assert days.loc["2026-03-15", ["traffic", "conversion"]].isna().all()


def test_a_store_without_a_counter_has_no_conversion(tiny_snapshot: Snapshot) -> None:
    kpis = store(tiny_snapshot, CHAIN, MARCH, "C").kpis.set_index("key")["value"]
    assert kpis[["traffic", "conversion"]].isna().all()


def test_hours_know_how_many_such_days_there_were(tiny_snapshot: Snapshot) -> None:
    hours = store(tiny_snapshot, CHAIN, MARCH, "A").hours.set_index(["weekday", "hour"])
    assert hours.loc[(1, 10)].to_dict() == {"net_sales": 190, "orders": 1, "days": 3}  # Mondays 2, 9, 16
    assert hours.loc[(7, 12)].to_dict() == {"net_sales": 58, "orders": 1, "days": 3}  # Sundays 1, 8, 15


def test_products_and_orders_are_those_of_the_store(tiny_snapshot: Snapshot) -> None:
    report = store(tiny_snapshot, CHAIN, MARCH, "A")
    assert report.recent_orders["order_id"].tolist() == ["O13", "O10", "O8", "O7"]
    assert report.recent_orders["customer_key"].isna().tolist() == [False, True, False, False]
    top = report.products[report.products["movement"] == "top"].set_index("product_id")["net_sales"]
    assert top.to_dict() == {"P1": 190, "P2": 30 + 31 + 58 - 30}
    assert report.header["store"].tolist() == ["Alder Road"]


@pytest.mark.parametrize(("scope", "store_id"), [(ONLY_A, "B"), (CHAIN, "Z"), (Scope("stores"), "A")])
def test_a_store_outside_the_scope_is_as_unknown_as_one_that_is_not_there(
    tiny_snapshot: Snapshot, scope: Scope, store_id: str
) -> None:
    with pytest.raises(Problem, match=f"no store '{store_id}' in your scope"):
        store(tiny_snapshot, scope, MARCH, store_id)


def test_days_without_data_have_no_figures(tiny_snapshot: Snapshot) -> None:
    report = store(tiny_snapshot, CHAIN, Period(date(2030, 1, 1), date(2030, 1, 2)), "A")
    assert report.period is None
    assert report.kpis["value"].isna().all()
    assert report.header["store_id"].tolist() == ["A"]
