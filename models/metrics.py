"""The metric registry: every figure the product shows is defined here, once.

A metric is either a plain sum that the queries deliver under the metric's own key, or one sum divided by
another. Cards, charts, tables, exports and the command line read the unit and the formula here; the texts
live in the catalogues under ``metric.<key>`` and ``metric.<key>.help``.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

Unit = Literal["money", "count", "decimal", "ratio", "percent", "days"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure.

    key: column name in reports and key of the texts.
    unit: money (the chain's currency, excluding tax) | count | decimal | ratio (1.00 = equal) |
        percent (a fraction of one, shown as a percentage) | days.
    direction: +1 more is better, -1 less is better, 0 neither.
    numerator, denominator: the sums the figure is made of; without a denominator the numerator is the figure.
    """

    key: str
    unit: Unit
    direction: Literal[-1, 0, 1]
    numerator: str
    denominator: str | None = None

    @property
    def formula(self) -> str:
        return " / ".join(self.parts)

    @property
    def parts(self) -> tuple[str, ...]:
        """The sums the figure needs."""
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)

    def compute(self, sums: Mapping[str, float]) -> float:
        """The figure from its sums; NaN when a sum is missing or the denominator is not positive."""
        top = float(sums[self.numerator])
        if self.denominator is None:
            return top
        bottom = float(sums[self.denominator])
        return top / bottom if bottom > 0 else math.nan


def _sum(key: str, unit: Unit, direction: Literal[-1, 0, 1]) -> Metric:
    return Metric(key, unit, direction, numerator=key)


_ALL = (
    _sum("gross_sales", "money", 1),
    _sum("returns", "money", -1),
    _sum("net_sales", "money", 1),
    _sum("orders", "count", 1),
    _sum("units", "count", 1),
    _sum("returned_units", "count", -1),
    # distinct identified customers with a counted order
    _sum("buyers", "count", 1),
    # buyers whose first counted order ever, in the stores looked at, falls in the period; the others
    _sum("new_customers", "count", 1),
    _sum("returning_customers", "count", 1),
    _sum("customers", "count", 0),
    _sum("repeat_customers", "count", 1),
    _sum("visits", "count", 1),
    _sum("recency_days", "days", -1),
    # of identified customers: what orders with a known cost brought above it, less refunds, plus the cost of returns
    _sum("historic_margin", "money", 1),
    # of the twelve months to come, by the models of models.calc.purchases and models.calc.spend
    _sum("probability_active", "percent", 1),
    _sum("expected_visits", "decimal", 1),
    _sum("expected_value", "money", 1),
    # the best tenth of the customers in the net sales of all
    _sum("top_share", "percent", 0),
    # sales of a person by hour of rostered shift; beside what the shifts lead one to expect (models.calc.staff_effects)
    Metric("sales_per_hour", "money", 1, "net_sales", "hours"),
    _sum("adjusted", "percent", 1),
    # of a store: gross sales less cost, of days whose cost is known; net sales by floor; counted shelves with stock;
    # buyers of the weeks before who came back; what the levers below the best quarter of the peers would bring
    Metric("margin_rate", "percent", 1, "sales_margin", "costed_sales"),
    Metric("sales_per_m2", "money", 1, "net_sales", "area_m2"),
    Metric("in_stock_share", "percent", 1, "in_stock", "shelves"),
    Metric("retained_share", "percent", 1, "retained", "retainable"),
    _sum("gap_to_peers", "money", -1),
    # of a person: gross sales of the month by their target; what customers said, 1 to 5
    Metric("attainment", "percent", 1, "gross_sales", "target"),
    _sum("csat", "decimal", 1),
    # people counted at the door, on days with a valid count
    _sum("traffic", "count", 1),
    Metric("average_ticket", "money", 1, "net_sales", "orders"),
    Metric("average_price", "money", 0, "net_sales", "units"),
    Metric("units_per_transaction", "decimal", 1, "units", "orders"),
    Metric("identified_share", "percent", 1, "identified_orders", "orders"),
    # refunds of what was sold in the period (by the link to the sale; unlinked refunds by their own day)
    Metric("return_rate", "percent", -1, "returns_of_sales", "gross_sales"),
    # orders of the days with a valid door count, so that numerator and denominator cover the same days
    Metric("conversion", "percent", 1, "counted_day_orders", "traffic"),
    # of the customers active when a month began, who had not come back when their usual gap had run out three times
    Metric("churn_rate", "percent", -1, "lost", "active"),
    Metric("repeat_purchase_rate", "percent", 1, "repeat_customers", "customers"),
    Metric("repeat_sales_rate", "percent", 0, "repeat_net_sales", "net_sales"),
    Metric("orders_per_customer", "decimal", 1, "orders", "customers"),
    # stock at cost; sales at the average net price; what is lost or at risk is expected, not booked
    _sum("stock_value", "money", 0),
    _sum("money_at_risk", "money", -1),
    _sum("overstock_value", "money", -1),
    _sum("unsold_value", "money", -1),
    _sum("lost_sales", "money", -1),
    Metric("sell_through", "percent", 1, "sold", "offered"),
    Metric("stock_turnover", "decimal", 1, "cost_year", "average_value"),
    Metric("gmroi", "decimal", 1, "margin_year", "average_value"),
    Metric("days_of_cover", "days", 0, "free_units", "daily_demand"),
    # of suppliers: complete, in time and nothing rejected, of the lines that were due; units of closed lines
    Metric("on_time_in_full", "percent", 1, "good_lines", "due_lines"),
    Metric("short_share", "percent", -1, "short_lines", "closed_lines"),
    Metric("fill_rate", "percent", 1, "received_units", "ordered_units"),
    Metric("rejected_share", "percent", -1, "rejected_units", "received_units"),
    _sum("late_lines", "count", -1),
    # expected run-outs after which the customer bought again about the expected day, of those that could be judged
    Metric("hit_rate", "percent", 1, "hits", "judged"),
)

METRICS: dict[str, Metric] = {metric.key: metric for metric in _ALL}

# Figures that a model expects instead of counting them; where they stand alone their range stands beside them.
ESTIMATED: Final = frozenset(
    {
        "probability_active", "expected_visits", "expected_value", "adjusted", "gap_to_peers", "money_at_risk",
        "overstock_value", "unsold_value", "lost_sales", "days_of_cover",
    }
)  # fmt: skip

# Columns that hold an amount of money without being a metric of their own (comparisons, amounts of one line).
_MONEY_COLUMNS = frozenset(
    {
        "previous", "last_year", "compared_with", "change", "net", "tax", "discount", "refund", "list_price",
        "crm", "snapshot", "amount", "amount_read", "amount_loaded", "amount_quarantined",
        "raw_per_hour", "target", "own_sales",
        "new_gross_sales", "returning_gross_sales", "new_net_sales", "returning_net_sales",
        "order_value", "saving", "gain", "lane_cost", "net_sales_year", "cost_year", "margin_year", "average_value",
    }
)  # fmt: skip


def is_money(column: str) -> bool:
    """Whether a report's column of this name holds money."""
    return column in _MONEY_COLUMNS or (column in METRICS and METRICS[column].unit == "money")


def kpis(
    keys: Iterable[str],
    now: Mapping[str, float],
    previous: Mapping[str, float] | None = None,
    last_year: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """One row per key: key, value, previous, last_year, unit.

    A comparison that does not exist (``None``) gives NaN, never 0.
    """

    def value(metric: Metric, sums: Mapping[str, float] | None) -> float:
        return math.nan if sums is None else metric.compute(sums)

    chosen = [METRICS[key] for key in keys]
    return pd.DataFrame(
        {
            "key": [m.key for m in chosen],
            "value": [value(m, now) for m in chosen],
            "previous": [value(m, previous) for m in chosen],
            "last_year": [value(m, last_year) for m in chosen],
            "unit": [m.unit for m in chosen],
        }
    )
