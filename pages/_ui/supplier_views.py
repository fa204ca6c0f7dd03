"""The parts of the suppliers page: promise against what happened, orders that are late, and one supplier's products."""

import pandas as pd
import plotly.graph_objects as go

from models.reports.stock import StockReport
from models.reports.suppliers import SuppliersReport
from pages._ui import actions, charts, empty, head, palette
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, column, listing

NAMES = {"supplier": "supplier.name", "store": "store.name", "product": "product.name", "category": "product.category"}
_IN_VIEW = 12
_LEAGUE = (
    Column("supplier", "text"),
    column("on_time_in_full"),
    column("late_lines"),
    column("promised_days"),
    column("actual_median_days"),
    column("actual_p90_days"),
    column("short_share"),
    column("rejected_share"),
)
_LATE = (
    Column("product", "text"),
    column("days_late"),
    column("open_quantity"),
    Column("supplier", "text"),
    Column("store", "text"),
    column("promised_on"),
    column("purchase_order_id"),
)
_DELIVERED = (
    Column("product", "text"),
    column("demand_month"),
    column("demand_p90"),
    column("suggested_quantity"),
    column("fill_rate"),
    column("actual_median_days"),
    column("on_time_in_full"),
    column("late_lines"),
)


def league(report: SuppliersReport, currency: str) -> str | None:
    """One row per supplier, the least reliable first; gives the id of the one that was clicked."""
    rows = localized(report.suppliers, {"supplier": "supplier.name"})
    head.block(t("suppliers.league"), t("suppliers.league_note"), t("metric.on_time_in_full.help"))
    return listing(
        rows, _LEAGUE, currency=currency, alt=t("suppliers.league"), key="suppliers_league", opens="supplier_id",
        rows=_IN_VIEW,
    )  # fmt: skip


def lead_times(report: SuppliersReport) -> str | None:
    """Days promised against days taken; gives the supplier that was clicked."""
    rows = localized(report.suppliers, {"supplier": "supplier.name"})
    rows = rows[rows["actual_median_days"].notna()].sort_values("days_late", ascending=False)
    if rows.empty:
        return None
    note = t("suppliers.lead_times_note")
    if len(rows) > _IN_VIEW:
        note = t("charts.largest", note=note, drawn=_IN_VIEW, every=len(rows))
        rows = rows.head(_IN_VIEW)
    head.block(t("suppliers.lead_times"), note)
    names, at = rows["supplier"].tolist(), list(range(len(rows)))
    hints = [
        t(
            "suppliers.hint",
            supplier=row.supplier,
            promised=fmt.decimal(row.promised_days, 0),
            median=fmt.decimal(row.actual_median_days, 0),
            p90=fmt.decimal(row.actual_p90_days, 0),
        )
        for row in rows.itertuples(index=False)
    ]
    about = list(zip(rows["supplier_id"], hints, strict=True))
    figure = go.Figure(layout=charts.layout(height=charts.ROW * max(len(rows), 3) + 64))
    figure.add_trace(
        go.Bar(
            y=at,
            x=(rows["actual_p90_days"] - rows["actual_median_days"]).tolist(),
            base=rows["actual_median_days"].tolist(),
            orientation="h",
            width=0.34,
            name=t("suppliers.to_p90"),
            marker={"color": palette.QUIET, "opacity": 0.45, "cornerradius": 3},
            customdata=about,
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    )
    for name, values, symbol, colour in (
        (t("column.promised_days"), rows["promised_days"], "line-ns-open", palette.TEXT),
        (t("column.actual_median_days"), rows["actual_median_days"], "circle", palette.OWN),
    ):
        figure.add_trace(
            go.Scatter(
                y=at,
                x=values.tolist(),
                mode="markers",
                name=name,
                marker={"symbol": symbol, "size": 13, "color": colour, "line": {"width": 2.4}},
                customdata=about,
                hovertemplate="%{customdata[1]}<extra></extra>",
            )
        )
    charts.name_rows(figure, names)
    figure.update_xaxes(rangemode="tozero")
    charts.legend_above(figure)
    return charts.clicked(figure, alt=t("suppliers.lead_times"), key="suppliers_lead_times")


def late_orders(report: SuppliersReport, supplier_id: str | None, currency: str) -> None:
    """Orders that should have been there, to be chased."""
    rows = localized(report.late_orders, NAMES)
    if supplier_id:
        rows = rows[rows["supplier_id"] == supplier_id].reset_index(drop=True)
    head.block(t("suppliers.late"), t("suppliers.late_note"))
    if rows.empty:
        empty.nothing(t("suppliers.none_late"))
        return
    todo = actions.board("suppliers.late", kind="stock")
    todo.listing(
        todo.rows(rows), _LATE, currency=currency, alt=t("suppliers.late"), key="suppliers_late", rows=_IN_VIEW
    )


def pack(report: SuppliersReport, stock: StockReport, supplier_id: str) -> dict[str, pd.DataFrame]:
    """What one may hand to a supplier: demand to come, what was delivered, lead times by month, what is overdue."""
    delivered = report.delivered[report.delivered["supplier_id"] == supplier_id]
    expected = stock.demand[stock.demand["supplier_id"] == supplier_id]
    more = expected[["product_id", "on_order", "demand_month", "demand_p90", "demand_quarter", "suggested_quantity"]]
    products = delivered.merge(more, on="product_id", how="left").sort_values("demand_month", ascending=False)
    late = report.late_orders[report.late_orders["supplier_id"] == supplier_id]
    parts = {
        "delivered": products,
        "months": report.months[report.months["supplier_id"] == supplier_id],
        "late_orders": late,
    }
    return {name: localized(frame, {k: v for k, v in NAMES.items() if k in frame}) for name, frame in parts.items()}


def products(rows: pd.DataFrame, currency: str) -> str | None:
    """What one supplier delivers; gives the product that was clicked."""
    head.block(t("suppliers.products"), t("suppliers.products_note"))
    return listing(
        rows, _DELIVERED, currency=currency, alt=t("suppliers.products"), key="suppliers_products", opens="product_id",
        rows=_IN_VIEW,
    )  # fmt: skip
