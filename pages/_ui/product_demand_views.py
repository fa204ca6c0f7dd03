"""The parts of the page on the demand of a product, of which the product page shows the chart of its weeks."""

import pandas as pd
import streamlit as st

from models.reports.demand import NAIVE
from models.reports.product_demand import ProductDemandReport
from pages._ui import cards, demand_views, empty, forecast_charts, head, passport
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, column, listing

_IN_VIEW = 12
_STORES = (
    Column("store", "text"),
    Column("next_week", "tenth"),
    Column("range", "text"),
    Column("expected", "tenth"),
    Column("last_year", "count"),
    column("growth"),
)
_WEEKS = (Column("span", "text"), Column("expected", "tenth"), Column("range", "text"))
_OCCASIONS = (Column("name", "text"), Column("span", "text"), column("discount"))


def figures(report: ProductDemandReport) -> None:
    """The units of the next week, four weeks and eight, each beside the same weekdays last year."""
    grid = st.grid(len(report.ahead), min_column_width=cards.CARD_WIDTH, border=True, gap="small")
    shown = []
    for row in report.ahead.to_dict("records"):
        label, value = t("demand.next_days", days=7 * row["weeks"]), units(row["expected"])
        change = t("cards.last_year", change=fmt.change(row["growth"])) if pd.notna(row["growth"]) else None
        grid.metric(label, value, change, delta_color="off", help=t("product_demand.help"))
        shown.append(passport.Figure(label, value, t("product_demand.help")))
    passport.button(shown)


def chart(report: ProductDemandReport) -> None:
    """Weeks sold and expected, with events and promotions; the range where the page looks at one store."""
    note = t("product_demand.chart_note" if _ranged(report) else "product_demand.chart_note_several")
    head.block(t("product_demand.chart"), note, t("product_demand.chart_help"))
    forecast_charts.show(
        report.history, report.weeks, report.occasions, alt=t("product_demand.chart"), key="product_demand_weeks"
    )
    empty_days = report.history["empty_days"].sum()
    if empty_days:
        st.caption(t("product_demand.empty_days", n=fmt.count(empty_days)))


def stores(report: ProductDemandReport) -> str | None:
    """What each store will sell; gives the store that was clicked."""
    head.block(t("product_demand.stores"), t("product_demand.stores_note"))
    rows = localized(report.stores, {"store": "store.name"})
    named = rows.assign(range=_ranges(rows))
    return listing(
        named, _STORES, currency="", alt=t("product_demand.stores"), key="product_demand_stores", opens="store_id",
        rows=_IN_VIEW,
    )  # fmt: skip


def weeks(report: ProductDemandReport) -> None:
    """The weeks ahead, with the range where there is one."""
    head.block(t("product_demand.weeks"))
    rows = report.weeks.rename(columns={"mean": "expected"})
    named = rows.assign(
        span=[fmt.days_between(day, day + pd.Timedelta(days=6)) for day in rows["ds"]],
        range=_ranges(rows) if _ranged(report) else None,
    )
    listing(named, _WEEKS, currency="", alt=t("product_demand.weeks"), key="product_demand_ahead")


def occasions(report: ProductDemandReport) -> None:
    """Events and promotions that concern the product, those to come first."""
    head.block(t("demand.occasions"), t("demand.occasions_note"))
    rows = report.occasions
    if rows.empty:
        empty.nothing(t("demand.occasions_none"))
        return
    begins = report.weeks["ds"].min()
    coming = rows["ends_on"] >= begins
    rows = pd.concat([rows[coming], rows[~coming].iloc[::-1]])
    ends = zip(rows["starts_on"], rows["ends_on"], strict=True)
    named = rows.assign(
        name=[demand_views.occasion(row["kind"], row["event"]) for row in rows.to_dict("records")],
        span=[fmt.period(first, last, beside=begins) for first, last in ends],
    )
    listing(named, _OCCASIONS, currency="", alt=t("demand.occasions"), key="product_demand_occasions", rows=8)


def standing(report: ProductDemandReport) -> None:
    """How such forecasts did, in one sentence for each class of products."""
    rows = report.accuracy
    naive = rows[rows["model"] == NAIVE].set_index("class")["wape"]
    for row in rows[rows["used"] & rows["wape"].notna()].to_dict("records"):
        said = {
            "kind": t(f"demand.class.{row['class']}"),
            "model": demand_views.model_name(row["model"]),
            "wape": fmt.percent(row["wape"], 0),
            "naive": fmt.percent(naive.get(row["class"]), 0),
        }
        st.caption(t("product_demand.standing", **said))


def units(value: float) -> str:
    """Units expected: of what seldom sells a whole number says nothing."""
    return fmt.count(value) if value >= 10 else fmt.decimal(value, 1)


def _ranged(report: ProductDemandReport) -> bool:
    return bool(report.weeks["hi80"].notna().any())


def _ranges(rows: pd.DataFrame) -> list[str]:
    return [
        fmt.count(low) if low == high else t("product_demand.range", low=fmt.count(low), high=fmt.count(high))
        for low, high in zip(rows["lo80"], rows["hi80"], strict=True)
    ]
