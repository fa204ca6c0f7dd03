"""The parts of the stock page: figures, charts that narrow it, its lists, and one shelf with the formula behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data_access.scope import Scope
from models.metrics import METRICS
from models.reports.shelves import LONG_COVER, QUARTER
from models.reports.stock import FIRST, KPIS, QUADRANTS, StockReport
from pages._ui import actions, blocks, cards, charts, drill, empty, head, load, palette, session
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.device import narrow
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, badge, column, listing

NAMES = {"store": "store.name", "product": "product.name", "category": "product.category", "supplier": "supplier.name"}
TONES = {"out_of_stock": "red", "late_delivery": "orange", "before_receipt": "orange", "below_reorder_point": "blue"}
_QUADRANT_TONES = {"hot": "green", "steady": "blue", "fresh": "gray", "slow": "orange"}
_IN_VIEW = 14  # rows of a list; more of them scroll
_MOST_OF_IT = 0.8  # of the money at risk
_LONGEST_DRAWN = 5 * LONG_COVER // 2  # days of cover; what lasts longer is drawn there
_DOTS = {"hot": palette.OWN, "steady": palette.SECOND, "fresh": palette.QUIET, "slow": palette.WARM}


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of the page: its columns, what its charts measure (a column, missing: no chart), and its kind of action
    (missing: nothing to do)."""

    columns: tuple[Column, ...]
    measure: str | None
    board: str | None = None


_PLACE = (Column("product", "text", under="store"), Column("store", "text"))
# What somebody who writes a purchase order needs, and nothing of the chain's own that a supplier should not read.
_ORDERED = [
    "store_id",
    "store",
    "product_id",
    "product",
    "category",
    "suggested_quantity",
    "order_value",
    "order_multiple",
    "minimum_quantity",
    "lead_time_days",
    "available",
    "order_up_to",
]
_SHELVES = (
    Column("store", "text"),
    column("days_of_cover"),
    column("on_hand"),
    badge("reason", "stock_reason", TONES | {"enough": "green"}),
    column("suggested_quantity"),
    column("stockout_probability"),
    column("overstock_units"),
)
LISTS: Mapping[str, Listed] = {
    "warnings": Listed(
        (
            _PLACE[0],
            column("days_of_cover"),
            column("suggested_quantity"),
            badge("reason", "stock_reason", TONES),
            column("money_at_risk"),
            column("stockout_probability"),
            _PLACE[1],
        ),
        "money_at_risk",
        "stock",
    ),
    "orders": Listed(
        (
            _PLACE[0],
            column("suggested_quantity"),
            column("order_value"),
            Column("supplier", "text"),
            column("available"),
            column("order_up_to"),
            _PLACE[1],
        ),
        "order_value",
        "stock",
    ),
    "transfers": Listed(
        (
            _PLACE[0],
            column("quantity"),
            Column("from_name", "text"),
            Column("to_name", "text"),
            column("saving"),
            column("near_expiry"),
        ),
        "saving",
        "stock",
    ),
    "expiring": Listed(
        (
            _PLACE[0],
            column("unsold_units"),
            column("expires_on"),
            column("lot_id"),
            column("quantity"),
            column("unsold_value"),
            _PLACE[1],
        ),
        "unsold_value",
        "stock",
    ),
    "overstock": Listed(
        (
            _PLACE[0],
            column("overstock_units"),
            column("overstock_value"),
            column("days_of_cover"),
            column("on_hand"),
            _PLACE[1],
        ),
        "overstock_value",
        "stock",
    ),
    "products": Listed(
        (
            _PLACE[0],
            badge("quadrant", "stock_quadrant", _QUADRANT_TONES),
            column("sell_through"),
            column("days_of_cover"),
            column("stock_value"),
            column("stock_turnover"),
            column("gmroi"),
        ),
        None,
        "product",
    ),
    "lost": Listed(
        (_PLACE[0], column("lost_sales"), column("empty_days"), column("lost_units"), column("on_hand"), _PLACE[1]),
        "lost_sales",
    ),
    "exceptions": Listed(
        (_PLACE[0], column("difference_units"), column("moved"), column("on_hand"), _PLACE[1]), None, "stock"
    ),
}


def figures(report: StockReport, currency: str) -> None:
    """One card per figure that asks for something; the others unfold, so that a phone shows the list early."""
    shown = report.kpis[["key", "value", "unit"]]
    cards.kpi_row(shown, currency, FIRST)
    with st.expander(t("cards.more")):
        cards.kpi_row(shown, currency, KPIS[len(FIRST) :])


def chosen_list() -> str:
    """Which list the reader looks at."""
    return choice("list", tuple(LISTS), words="stock.list", width=300)


def with_whole(report: StockReport, name: str, scope: Scope, category: str | None, generation: str) -> StockReport:
    """The report with all rows of the list ``name``."""
    if name not in report.cut:
        return report
    read: dict[str, Any] = {name: load.stock_list(scope, name, category, generation)}
    return replace(report, cut=report.cut - {name}, **read)


def rows_of(report: StockReport, name: str) -> pd.DataFrame:
    """The rows of a list, in the language of the run."""
    frame: pd.DataFrame = getattr(report, name)
    names = NAMES | {"from_name": "store.name", "to_name": "store.name"}
    return localized(frame, {key: field for key, field in names.items() if key in frame})


def narrowing(report: StockReport, name: str, currency: str) -> None:
    """What the list adds up to, by store and by category; a click narrows it."""
    if name == "products":
        _quadrants(report)
        return
    measure = LISTS[name].measure
    if measure is None or getattr(report, name).empty:
        return
    rows = rows_of(report, name)
    of_category = localized(report.products, {"category": "product.category"}).set_index("product_id")["category"]
    keys = report.products.set_index("product_id")["category"]
    grouped = rows.assign(
        category=rows["product_id"].map(of_category).fillna(t("stock.no_category")),
        category_key=rows["product_id"].map(keys).fillna(""),
        store=rows["to_name"] if "to_name" in rows else rows.get("store"),
    )
    by_store = grouped.groupby(["store_id", "store"], as_index=False)[[measure]].sum()
    by_category = grouped.groupby(["category_key", "category"], as_index=False)[[measure]].sum()
    # One bar says nothing that the list does not, and a click on it would lead nowhere.
    drawn = [len(by_store) > 1, name == "expiring" or len(by_category) > 1]
    places = iter(st.columns(sum(drawn)) if any(drawn) else ())
    if drawn[0]:
        with next(places).container(border=True, height="stretch"):
            if store := _bars(by_store, "store", "store_id", measure, currency, key=f"stock_{name}_stores"):
                drill.open_page("stock", store=store, list=name)
    if drawn[1]:
        with next(places).container(border=True, height="stretch"):
            if name == "expiring":
                _ageing(report, currency)
            else:
                key = f"stock_{name}_categories"
                _bars(by_category, "category", "category_key", measure, currency, key=key, then=drill.keep_category)
    if name == "overstock":
        with st.container(border=True):
            _ageing(report, currency)


def _bars(
    sums: pd.DataFrame,
    label: str,
    ids: str,
    measure: str,
    currency: str,
    *,
    key: str,
    then: Callable[[str], None] | None = None,
) -> str | None:
    title = t("stock.by", measure=_measure(measure), what=t(f"column.{label}").lower())
    rows = sums.sort_values(measure, ascending=False)
    return blocks.ranked(
        rows, title, t("stock.click"), key=key, then=then, label=label, value=measure, ids=ids, currency=currency
    )


def _measure(name: str) -> str:
    return t(f"metric.{name}") if name in METRICS else t(f"column.{name}")


def _ageing(report: StockReport, currency: str) -> None:
    head.block(t("stock.ageing"), t("stock.ageing_note"))
    named = report.ageing.assign(label=[t("stock.age_days", days=age) for age in report.ageing["age"]])
    bars = charts.ranked_bars(named, label="label", value="stock_value", ids="age", currency=currency)
    charts.show(bars, alt=t("stock.ageing"), key="stock_ageing")


def _quadrants(report: StockReport) -> None:
    """Each product by how much of what was offered it sold and how long the rest lasts."""
    products = localized(report.products, {"product": "product.name"})
    drawn = products[products["sell_through"].notna() & products["days_of_cover"].notna()]
    if drawn.empty:
        return
    beyond = int((drawn["days_of_cover"] > _LONGEST_DRAWN).sum())
    figure = go.Figure(layout=charts.layout(height=340))
    for name in QUADRANTS:
        part = drawn[drawn["quadrant"] == name]
        hints = [
            t(
                "stock.dot",
                product=row.product,
                sold=fmt.percent(row.sell_through, 0),
                days=fmt.days(row.days_of_cover),
            )
            for row in part.itertuples(index=False)
        ]
        figure.add_trace(
            go.Scatter(
                x=part["sell_through"].round(3).tolist(),
                y=part["days_of_cover"].clip(upper=_LONGEST_DRAWN).round(1).tolist(),
                mode="markers",
                name=t(f"stock_quadrant.{name}"),
                marker={"size": 8, "color": _DOTS[name], "opacity": 0.75},
                customdata=list(zip(part["product_id"], hints, strict=True)),
                hovertemplate="%{customdata[1]}<extra></extra>",
            )
        )
    ticks, texts = fmt.percent_ticks(1.0)
    figure.update_xaxes(
        tickvals=ticks, ticktext=texts, title={"text": t("metric.sell_through"), "standoff": 16}, automargin=True
    )
    figure.update_yaxes(title={"text": t("metric.days_of_cover"), "standoff": 6}, rangemode="tozero", automargin=True)
    note = t("stock.quadrants_note")
    if beyond:
        days = list(range(0, _LONGEST_DRAWN + 1, LONG_COVER // 2))
        last = t("stock.or_more", n=fmt.count(_LONGEST_DRAWN))
        figure.update_yaxes(tickvals=days, ticktext=[*(fmt.count(day) for day in days[:-1]), last])
        note = t("stock.quadrants_beyond", note=note, n=fmt.count(beyond), days=fmt.count(_LONGEST_DRAWN))
    figure.add_hline(y=LONG_COVER, line={"color": palette.RULE, "width": 1})
    figure.add_vline(x=float(report.products["sell_through"].median()), line={"color": palette.RULE, "width": 1})
    charts.legend_above(figure)
    with st.container(border=True):
        head.block(t("stock.quadrants"), note, t("stock.quadrants_help", days=LONG_COVER))
        if product := charts.clicked(figure, alt=t("stock.quadrants"), key="stock_quadrants"):
            drill.open_page("product", product=product)


def the_list(report: StockReport, name: str, currency: str) -> None:
    """The list, with what can be done about its rows; a click opens the shelf, or the product."""
    listed, rows = LISTS[name], rows_of(report, name)
    head.block(t(f"stock.list.{name}"), t(f"stock.note.{name}"))
    if rows.empty:
        empty.nothing(t(f"stock.none.{name}"))
        return
    if name == "warnings":
        _few(rows, report, currency)
    if name in ("warnings", "orders"):
        _wished(rows)
    columns = list(listed.columns)
    if name == "transfers" and narrow():  # both stores stand below the product
        rows = rows.assign(store=rows["from_name"].str.cat(rows["to_name"], sep=" → "))
        columns = [each for each in columns if each.name not in ("from_name", "to_name")]
    elif "store" not in rows or rows["store"].nunique() == 1:
        columns = [replace(each, under="") for each in columns if each.name != "store"]

    def opens(position: int) -> None:
        row = rows.iloc[position]
        if name == "products" and session.may_open("product"):
            drill.open_page("product", product=str(row["product_id"]))
        drill.open_page("stock", list=name, store=str(row["store_id"]), product=str(row["product_id"]))

    if listed.board is None:
        position = listing(
            rows.assign(position=range(len(rows))),
            columns,
            currency=currency,
            alt=t(f"stock.list.{name}"),
            key=f"stock_{name}",
            opens="position",
            rows=_IN_VIEW,
        )
        if position is not None:
            opens(int(position))
        return
    todo = actions.board(f"stock.{name}", kind=listed.board)
    rows = todo.rows(rows)
    todo.listing(
        rows, columns, currency=currency, alt=t(f"stock.list.{name}"), key=f"stock_{name}", rows=_IN_VIEW, then=opens
    )


def _few(rows: pd.DataFrame, report: StockReport, currency: str) -> None:
    """How many of the warnings carry most of the money: those to begin with; and where the rest of the card lies."""
    money = rows["money_at_risk"].sort_values(ascending=False)
    first = int((money.cumsum() < _MOST_OF_IT * money.sum()).sum()) + 1
    said = []
    if first < len(money):
        share = fmt.percent(_MOST_OF_IT, 0)
        total = fmt.money(money.sum(), currency, digits=0)
        said.append(t("stock.few", first=fmt.count(first), all=fmt.count(len(money)), share=share, money=total))
    every = float(report.kpis.set_index("key")["value"]["money_at_risk"])
    if every - money.sum() >= 1:
        rest, all_ = (fmt.money(value, currency, digits=0) for value in (every - money.sum(), every))
        said.append(t("stock.few_rest", rest=rest, all=all_))
    if said:
        st.caption(" ".join(said))


def _wished(rows: pd.DataFrame) -> None:
    """Of how many rows the demand is that of people, not of the forecast."""
    count = int((rows["wished"] != 1).sum())
    if count:
        st.caption(t("stock.wished", n=fmt.count(count), all=fmt.count(len(rows))))


def orders_by_supplier(
    report: StockReport, scope: Scope, category: str | None, generation: str
) -> Callable[[], dict[str, pd.DataFrame]]:
    """What reads all that is to order, one frame for each supplier by its name."""

    def read() -> dict[str, pd.DataFrame]:
        rows = localized(with_whole(report, "orders", scope, category, generation).orders, NAMES)
        named = rows.assign(supplier=rows["supplier"].fillna(t("stock.no_supplier")))
        return {str(name): frame[_ORDERED] for name, frame in named.groupby("supplier")}

    return read


def chips() -> None:
    """A way back from the one shelf that the reader looks at."""
    if "product" in st.query_params and st.button(
        t("stock.all_of_product"), icon=":material/close:", key="stock_without_product", type="tertiary"
    ):
        del st.query_params["product"]
        st.query_params.pop("store", None)
        st.rerun()


# --- one shelf ------------------------------------------------------------------------------------------------------


def shelf(report: StockReport, found: pd.DataFrame, product_id: str, currency: str) -> None:
    """One product in a store: what to do and why, with every number of the formula, and its lots.

    found: its shelf, or those of several stores, of which the reader chooses.
    """
    if found.empty:
        with st.container(border=True):
            empty.nothing(t("stock.no_shelf"))
        return
    rows = localized(found, NAMES)
    row = rows.iloc[0]
    if len(rows) > 1:
        with st.container(border=True):
            head.block(str(row["product"]), t("stock.in_stores"))
            store = listing(
                rows.fillna({"reason": "enough"}),
                _SHELVES,
                currency=currency,
                alt=t("stock.in_stores"),
                key="stock_shelves",
                opens="store_id",
                rows=_IN_VIEW,
            )
        if store:
            drill.open_page("stock", list=drill.asked("list"), store=store, product=product_id)
        return
    lots = report.expiring[report.expiring["product_id"] == product_id]
    help_ = report.transfers[report.transfers["product_id"] == product_id]
    with st.container(border=True):
        head.block(t("stock.shelf", product=row["product"], store=row["store"]))
        st.markdown(_what_to_do(row, lots, localized(help_, {"from_name": "store.name"}), currency))
        with st.expander(t("stock.why"), expanded=True, icon=":material/calculate:"):
            st.markdown(_formula(row, report.service_level))
        if len(lots):
            head.block(t("stock.lots"), t("stock.lots_note"))
            shown = [column(name) for name in ("lot_id", "expires_on", "quantity", "unsold_units", "unsold_value")]
            lot = listing(lots, shown, currency=currency, alt=t("stock.lots"), key="stock_lots", opens="lot_id", rows=6)
            if lot and session.may_open("lot"):
                drill.open_page("lot", product=product_id, lot=lot)
        if session.may_open("product"):
            link = drill.link("product", product=product_id, store=row["store_id"])
            st.page_link("product.py", label=t("stock.open_product"), icon=":material/sell:", query_params=link)
        if session.may_open("lot"):
            link = drill.link("lot", product=product_id)
            st.page_link("lot.py", label=t("lot.open"), icon=":material/qr_code_2:", query_params=link)


def _what_to_do(row: pd.Series, lots: pd.DataFrame, help_: pd.DataFrame, currency: str) -> str:
    lines = []
    numbers = {
        "left": fmt.count(max(row["on_hand"] - row["reserved"], 0)),
        "days": _whole_days(row["days_of_cover"]),
        "wait": _whole_days(row["until_receipt"]),
        "chance": fmt.percent(row["stockout_probability"], 0),
        "point": fmt.count(row["reorder_point"]),
        "position": fmt.count(row["available"]),
    }
    if isinstance(row["reason"], str):
        lines.append(t(f"stock.say.{row['reason']}", **numbers))
        lines.append(t("stock.say.risk", money=fmt.money(row["money_at_risk"], currency, digits=0)))
    for one in help_.to_dict("records"):
        saving = fmt.money(one["saving"], currency, digits=0)
        lines.append(t("stock.say.transfer", n=fmt.count(one["quantity"]), store=one["from_name"], saving=saving))
    expired = lots["days_left"] <= 0
    if gone := int(lots.loc[expired, "quantity"].sum()):
        lines.append(t("stock.say.expired", n=fmt.count(gone)))
    if (late := float(lots.loc[~expired, "unsold_units"].sum())) >= 1:
        lines.append(t("stock.say.expiring", n=fmt.count(late)))
    if row["overstock_units"] >= 1:
        value = fmt.money(row["overstock_value"], currency, digits=0)
        lines.append(t("stock.say.overstock", n=fmt.count(row["overstock_units"]), value=value, quarter=QUARTER))
    if row["suggested_quantity"] > 0:
        supplier = row["supplier"] if isinstance(row["supplier"], str) else t("stock.no_supplier")
        value = fmt.money(row["order_value"], currency, digits=0)
        lines.append(t("stock.say.order", n=fmt.count(row["suggested_quantity"]), supplier=supplier, value=value))
    elif row["available"] < row["order_up_to"]:
        lines.append(t("stock.say.too_long"))
    elif isinstance(row["reason"], str):
        lines.append(t("stock.say.ordered"))
    elif not lines:
        lines.append(t("stock.enough", **numbers))
    return "  \n".join(lines)


def _whole_days(value: float) -> str:
    return fmt.days(value if fmt.is_missing(value) else round(value))


def _formula(row: pd.Series, service_level: float) -> str:
    """The formula with its numbers, one line per step."""
    measure = "fill" if row["item_class"] == "slow" else "cycle"
    numbers = {
        "daily": fmt.decimal(row["expected_demand"] / (row["lead_time_days"] + row["review_days"]), 2),
        "lead": fmt.decimal(row["lead_time_days"], 1),
        "sd": fmt.decimal(row["lead_time_sd"], 1),
        "review": fmt.decimal(row["review_days"], 0),
        "demand": fmt.decimal(row["expected_demand"], 1),
        "safety": fmt.decimal(row["safety_stock"], 1),
        "z": fmt.decimal(row["z"], 2),
        "item_class": t("stock.slow") if row["item_class"] == "slow" else str(row["item_class"]),
        "service": fmt.percent(service_level, 0),
        "level": fmt.count(row["order_up_to"]),
        "on_hand": fmt.count(row["on_hand"]),
        "reserved": fmt.count(row["reserved"]),
        "on_order": fmt.count(row["on_order"]),
        "wasted": fmt.decimal(row["expiring_units"], 0),
        "position": fmt.decimal(row["available"] - row["expiring_units"], 0),
        "pack": fmt.count(row["order_multiple"]),
        "least": fmt.count(row["minimum_quantity"]),
        "wished": fmt.change(row["wished"] - 1),
        "order": fmt.count(row["suggested_quantity"]),
        "sellable": fmt.count(row["sellable"]),
    }
    steps = ["demand", *(["wished"] if row["wished"] != 1 else []), "safety", f"promise_{measure}", "level"]
    if not fmt.is_missing(row["sellable"]):
        steps.append("sellable")
    steps += ["position", "order"]
    return "\n".join(f"1. {t(f'stock.formula.{step}', **numbers)}" for step in steps)
