"""The metric registry: every figure once, computed from named sums."""

import math

import pytest

from models.metrics import METRICS, Metric, is_money, kpis
from models.reports import REPORTS

SUMS = {
    "gross_sales": 1000.0,
    "returns": 100.0,
    "net_sales": 900.0,
    "orders": 18.0,
    "identified_orders": 12.0,
    "units": 45.0,
    "returned_units": 5.0,
    "buyers": 10.0,
    "new_customers": 4.0,
    "returning_customers": 6.0,
    "customers": 9.0,
    "repeat_customers": 3.0,
    "lost": 2.0,
    "active": 25.0,
    "repeat_net_sales": 600.0,
    "visits": 16.0,
    "recency_days": 7.0,
    "historic_margin": 420.0,
    "probability_active": 0.7,
    "expected_visits": 21.5,
    "expected_value": 1300.0,
    "top_share": 0.4,
    "hours": 36.0,
    "adjusted": 1.1,
    "csat": 4.5,
    "target": 800.0,
    "traffic": 120.0,
    "counted_day_orders": 15.0,
    "returns_of_sales": 80.0,
    "judged": 25.0,
    "hits": 3.0,
    "stock_value": 5000.0,
    "money_at_risk": 250.0,
    "overstock_value": 400.0,
    "unsold_value": 60.0,
    "lost_sales": 90.0,
    "sold": 70.0,
    "offered": 100.0,
    "cost_year": 12000.0,
    "margin_year": 18000.0,
    "average_value": 4000.0,
    "free_units": 210.0,
    "daily_demand": 6.0,
    "good_lines": 30.0,
    "due_lines": 40.0,
    "short_lines": 2.0,
    "closed_lines": 50.0,
    "received_units": 190.0,
    "ordered_units": 200.0,
    "rejected_units": 4.0,
    "late_lines": 5.0,
    "sales_margin": 600.0,
    "costed_sales": 950.0,
    "area_m2": 90.0,
    "in_stock": 190.0,
    "shelves": 200.0,
    "retained": 5.0,
    "retainable": 8.0,
    "gap_to_peers": 300.0,
}

# Worked by hand from SUMS; what is not here is its own sum.
RATIOS = {
    "average_ticket": 900 / 18,
    "average_price": 900 / 45,
    "units_per_transaction": 45 / 18,
    "identified_share": 12 / 18,
    "return_rate": 80 / 1000,
    "sales_per_hour": 900 / 36,
    "attainment": 1000 / 800,
    "conversion": 15 / 120,
    "repeat_purchase_rate": 3 / 9,
    "churn_rate": 2 / 25,
    "repeat_sales_rate": 600 / 900,
    "orders_per_customer": 18 / 9,
    "hit_rate": 3 / 25,
    "margin_rate": 600 / 950,
    "sales_per_m2": 900 / 90,
    "in_stock_share": 190 / 200,
    "retained_share": 5 / 8,
    "sell_through": 70 / 100,
    "stock_turnover": 12000 / 4000,
    "gmroi": 18000 / 4000,
    "days_of_cover": 210 / 6,
    "on_time_in_full": 30 / 40,
    "short_share": 2 / 50,
    "fill_rate": 190 / 200,
    "rejected_share": 4 / 190,
}


@pytest.mark.parametrize("key", METRICS)
def test_each_metric_has_the_value_worked_by_hand(key: str) -> None:
    assert METRICS[key].compute(SUMS) == RATIOS.get(key, SUMS.get(key))


def test_a_ratio_without_a_base_is_unknown_not_zero() -> None:
    ticket = METRICS["average_ticket"]
    assert math.isnan(ticket.compute({"net_sales": 0, "orders": 0}))
    assert math.isnan(ticket.compute({"net_sales": 5, "orders": math.nan}))
    assert ticket.formula == "net_sales / orders"


def test_a_missing_comparison_is_unknown_not_zero() -> None:
    frame = kpis(["net_sales", "average_ticket"], SUMS, previous=None, last_year={**SUMS, "orders": 9.0})
    assert frame["value"].tolist() == [900, 50]
    assert frame["previous"].isna().all()
    assert frame["last_year"].tolist() == [900, 100]
    assert frame["unit"].tolist() == ["money", "money"]


def test_money_is_known_by_its_column() -> None:
    assert is_money("net_sales")
    assert is_money("refund")
    assert not is_money("orders")
    assert not is_money("conversion")
    assert not is_money("difference")  # of shares as well: cents would round it away


def test_every_column_of_a_report_named_like_a_metric_can_be_shown_as_one() -> None:
    columns = {column for report in REPORTS.values() for names in report.tables.values() for column in names}
    money = {"net_sales", "gross_sales", "returns", "previous", "last_year", "change", "net", "refund"}
    assert money <= {column for column in columns if is_money(column)}
    assert all(isinstance(METRICS[column], Metric) for column in columns & set(METRICS))
