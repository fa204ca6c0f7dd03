"""One product, added up by hand."""

from datetime import date

import numpy as np
import pytest

from data_access.errors import Problem
from data_access.scope import Period
from data_access.snapshot import Snapshot
from models.reports.product import product
from tests.report_fixtures import figure
from tests.tiny import CHAIN, MARCH, NOTHING, ONLY_A


def test_the_key_figures(tiny_snapshot: Snapshot) -> None:
    kpis = product(tiny_snapshot, CHAIN, MARCH, "P3").kpis
    assert figure(kpis, "gross_sales") == 205 + 400
    assert figure(kpis, "returns") == 15.5
    assert figure(kpis, "units") == 1 + 2
    assert figure(kpis, "buyers") == 2
    assert figure(kpis, "average_price") == (205 + 400 - 15.5) / 3
    assert figure(kpis, "return_rate") == 15.5 / (205 + 400)
    assert figure(kpis, "net_sales", "previous") == 210 - 200
    assert figure(kpis, "return_rate", "previous") == 0  # R4 refunds what was sold in June
    assert np.isnan(figure(kpis, "average_price", "last_year"))  # nothing sold: no price, not 0


def test_by_store_and_day(tiny_snapshot: Snapshot) -> None:
    report = product(tiny_snapshot, CHAIN, MARCH, "P1")
    stores = report.by_store.set_index("store_id")
    assert stores["net_sales"].to_dict() == {"B": 105 + 110.25, "A": 190}
    assert stores["share"].sum() == pytest.approx(1)
    assert stores.loc["A", "previous"] == 100
    days = report.by_day.set_index("day")
    assert days.loc["2026-03-01", ["net_sales", "previous", "last_year"]].tolist() == [0, 100, 100]
    assert len(days) == 20


def test_the_orders_that_hold_it(tiny_snapshot: Snapshot) -> None:
    orders = product(tiny_snapshot, CHAIN, MARCH, "P1").recent_orders
    assert orders["order_id"].tolist() == ["O15", "O12", "O7"]  # newest first, without the test order O14
    assert orders["gross_sales"].tolist() == [110.25, 105, 190]
    assert product(tiny_snapshot, ONLY_A, MARCH, "P1").recent_orders["order_id"].tolist() == ["O7"]


def test_sums_over_single_products_are_the_chain(tiny_snapshot: Snapshot) -> None:
    total = sum(figure(product(tiny_snapshot, CHAIN, MARCH, p).kpis, "net_sales") for p in ("P1", "P2", "P3"))
    assert total == 190 + 30 + 205 + 31 + 400 + 105 + 58 + 110.25 - 30 - 15.5


def test_an_unknown_product_is_named(tiny_snapshot: Snapshot) -> None:
    with pytest.raises(Problem, match="no product 'P9'"):
        product(tiny_snapshot, CHAIN, MARCH, "P9")
    with pytest.raises(Problem, match="no product 'P1'"):
        product(tiny_snapshot, NOTHING, MARCH, "P1")


def test_days_without_data_have_no_figures(tiny_snapshot: Snapshot) -> None:
    report = product(tiny_snapshot, CHAIN, Period(date(2030, 1, 1), date(2030, 1, 2)), "P1")
    assert report.period is None
    assert report.kpis["value"].isna().all()
