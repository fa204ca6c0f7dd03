"""The parts of the value page: cards with their ranges, the check of the forecast, the curve and the grid."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.reports.value import LOYALTIES, MOST_REPEATS, NEEDED, VALUE_CLASSES, Cell, Check, ValueReport
from pages._ui import cards, charts, empty, grids, head, palette, passport, worded
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import exists, t, tn
from pages._ui.tables import Column, column

CARDS = ("net_sales", "historic_margin", "expected_value", "expected_visits", "top_share", "customers")
_LIST = (
    "customer_key", "expected_value", "expected_range", "probability_active", "net_sales", "last_day", "store",
)  # fmt: skip
_KNOWN = ("net_sales", "historic_margin", "customers")  # facts, without a range


def figures(report: ValueReport, currency: str) -> None:
    """One card per figure, with its range beneath."""
    # A total of visits is a whole number, whatever is expected of one customer.
    units = report.summary["unit"].where(report.summary["key"] != "expected_visits", "count")
    rows = report.summary.assign(unit=units).set_index("key").to_dict("index")
    shown = [key for key in CARDS if key in _KNOWN or not fmt.is_missing(rows[key]["value"])]
    grid = st.grid(len(shown), min_column_width=cards.CARD_WIDTH, border=True, gap="small")
    for key in shown:
        row = rows[key]
        name = t(f"metric.{key}.short") if exists(f"metric.{key}.short") else t(f"metric.{key}")
        with grid.cell(), st.container(gap=None):
            st.metric(name, fmt.card_value(row["value"], row["unit"], currency), help=_help(key, row, currency))
            st.caption(_beneath(key, row, currency))
    passport.button(
        [
            passport.Figure(
                t(f"metric.{key}"),
                fmt.value(rows[key]["value"], rows[key]["unit"], currency),
                worded.meaning("value", key),
                key,
            )
            for key in shown
        ]
    )


def _beneath(key: str, row: Mapping[Any, Any], currency: str) -> str:
    if key == "historic_margin" and fmt.is_missing(row["value"]):
        return t("value.no_cost")
    if fmt.is_missing(row["lo95"]):
        return t("value.so_far")
    low, high = (fmt.card_value(row[bound], row["unit"], currency) for bound in ("lo95", "hi95"))
    return fmt.unbroken(t("value.range", low=low, high=high))


def _help(key: str, row: Mapping[Any, Any], currency: str) -> str:
    lines = [worded.meaning("value", key), t("cards.now", value=fmt.value(row["value"], row["unit"], currency))]
    if not fmt.is_missing(row["lo95"]):
        low, high = (fmt.value(row[bound], row["unit"], currency) for bound in ("lo95", "hi95"))
        lines.append(t("value.range_help", low=low, high=high))
    return "\n\n".join(lines)


def not_enough(report: ValueReport) -> None:
    """Says what the forecasts lack, in the place of their figures."""
    lacking = report.readiness[~report.readiness["met"].astype(bool)]
    lines = [
        t(
            "value.missing",
            what=t(f"value.need.{row.requirement}"),
            found=t("value.none") if fmt.is_missing(row.found) else fmt.count(row.found),
            needed=t(f"value.{NEEDED[str(row.requirement)][1]}", n=fmt.count(row.needed)),
        )
        for row in lacking.itertuples(index=False)
    ]
    empty.state(t("value.too_little"), "  \n".join([*lines, t("value.too_little_do")]), ":material/hourglass_empty:")


def check(past: Check | None, currency: str) -> None:
    """What was expected of the last months against what came."""
    if past is None or past.calibration.empty:
        head.block(t("value.check"))
        empty.nothing(t("value.check_none" if past is None else "value.check_unfit"))
        return
    known = past.holdout.set_index("key")["value"]
    note = t("value.check_note", day=fmt.day(past.as_of), days=fmt.count(known["days"]))
    head.block(t("value.check"), note, t("value.check_help"))
    charts.show(_calibration(past.calibration, currency), alt=t("value.check"), key="value_check")
    texts = {
        name: fmt.count(known[f"{key}_visits{ending}"])
        for name, key, ending in (
            ("expected", "expected", ""), ("low", "expected", "_lo95"), ("high", "expected", "_hi95"),
            ("actual", "actual", ""),
        )
    }  # fmt: skip
    said = [t("value.check_sum", **texts, ratio=fmt.percent(known["actual_to_expected"], 0))]
    if not fmt.is_missing(known["expected_value"]):
        names = {"expected": "expected_value", "low": "expected_value_lo95", "high": "expected_value_hi95"}
        money = {name: fmt.card_value(known[key], "money", currency) for name, key in names.items()}
        said.append(t("value.check_money", **money, actual=fmt.card_value(known["actual_value"], "money", currency)))
    st.caption("  \n".join(said))


def _calibration(frame: pd.DataFrame, currency: str) -> go.Figure:
    lines = {
        t(f"value.{name}"): frame.assign(visits=frame[f"{name}_visits"])[["repeat_visits", "visits"]]
        for name in ("actual", "expected")
    }
    figure = charts.curves(lines, x="repeat_visits", value="visits", unit="decimal", currency=currency)
    ticks = frame["repeat_visits"].tolist()
    names = [t("value.or_more", n=n) if n == MOST_REPEATS else str(n) for n in ticks]
    figure.update_xaxes(tickvals=ticks, ticktext=names, title={"text": t("value.visits_before"), "standoff": 6})
    return figure


def concentration(report: ValueReport) -> None:
    """How much of net sales the best customers bring."""
    top = report.summary.set_index("key").loc["top_share"]
    share, low, high = (fmt.percent(top[name]) for name in ("value", "lo95", "hi95"))
    known = not fmt.is_missing(top["value"])
    note = t("value.concentration_note", share=share, low=low, high=high) if known else None
    head.block(t("value.concentration"), note, t("metric.top_share.help"))
    charts.show(_curve(report.concentration), alt=t("value.concentration"), key="value_curve")
    st.caption(t("value.concentration_plain"))


def _curve(frame: pd.DataFrame) -> go.Figure:
    x, y = ([0.0, *frame[name].astype(float)] for name in ("customer_share", "net_sales_share"))
    hints = [[t("value.point", customers=fmt.percent(a), net_sales=fmt.percent(b))] for a, b in zip(x, y, strict=True)]
    line = go.Scatter(
        x=np.round(x, 4).tolist(),
        y=np.round(y, 4).tolist(),
        mode="lines",
        line={"color": palette.OWN, "width": 2.4},
        customdata=hints,
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    figure = go.Figure(line, charts.layout(height=300))
    figure.add_vrect(x0=0, x1=0.1, fillcolor=palette.OWN, opacity=0.12, line_width=0, layer="below")
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(**grids.share_axis())
    figure.update_xaxes(title={"text": t("value.share_of_customers"), "standoff": 6}, showgrid=False)
    figure.update_yaxes(title={"text": t("value.share_of_net_sales"), "standoff": 6})
    figure.update_layout(margin_r=24)
    return figure


def grid(report: ValueReport, currency: str) -> Cell | None:
    """Value against loyalty; gives the cell that was clicked."""
    head.block(t("value.grid"), t("value.click"))
    figure = _grid(report.grid, currency)
    clicked = charts.kept(figure, alt=t("value.grid"), key="value_grid")
    st.caption(t("value.cell_note"))
    with st.expander(t("value.rule"), icon=":material/rule:"):
        st.markdown(_rule(report, currency))
    # Anybody can send a click: what is no cell narrows nothing.
    cells = {f"{high}-{loyal}": Cell(high, loyal) for high in VALUE_CLASSES for loyal in LOYALTIES}
    return cells.get(clicked or "")


def _grid(frame: pd.DataFrame, currency: str) -> go.Figure:
    cells = frame.set_index(["value_class", "loyalty"]).to_dict("index")
    values = np.zeros((len(VALUE_CLASSES), len(LOYALTIES)))
    texts, hints, ids = [], [], []
    for row, value_class in enumerate(VALUE_CLASSES):
        texts.append([""] * len(LOYALTIES))
        hints.append([""] * len(LOYALTIES))
        ids.append([f"{value_class}-{loyalty}" for loyalty in LOYALTIES])
        for position, loyalty in enumerate(LOYALTIES):
            cell = cells[value_class, loyalty]
            values[row, position] = cell["customers"]
            many = fmt.compact(cell["customers"])
            expected = fmt.card_value(cell["expected_value"], "money", currency)
            texts[row][position] = many if narrow() else t("value.cell", customers=many, value=expected)
            hints[row][position] = t(
                "value.cell_hint",
                value=t(f"value_class.{value_class}"),
                loyalty=t(f"loyalty.{loyalty}"),
                customers=fmt.count(cell["customers"]),
                net_sales=fmt.money(cell["net_sales"], currency),
                expected=fmt.money(cell["expected_value"], currency),
            )
    return grids.heat_map(
        values,
        rows=[t(f"value_class.{name}") for name in VALUE_CLASSES],
        columns=[t(f"loyalty.{name}") for name in LOYALTIES],
        texts=texts,
        hints=hints,
        ids=ids,
        row_height=72,
    )


def _rule(report: ValueReport, currency: str) -> str:
    above = report.value_rule.set_index("value_class")["above"]
    found = report.parameters.set_index(["model", "name"])["value"]
    visits = {name: fmt.decimal(found["bg_nbd", name]) for name in ("r", "alpha", "a", "b")}
    spend = t("value.no_spend_model")
    if "gamma_gamma" in found.index.get_level_values(0):
        spend = t("value.spend_model", **{name: fmt.decimal(found["gamma_gamma", name]) for name in ("p", "q", "v")})
    return t(
        "value.rule_text",
        top=fmt.money(above["top"], currency),
        middle=fmt.money(above["middle"], currency),
        spend=spend,
        day=fmt.day(report.as_of),
        **visits,
    )


def columns(rows: pd.DataFrame) -> list[Column]:
    """The columns of the list: without the store where there is only one."""
    return [column(name) for name in _LIST if name != "store" or rows["store"].nunique() > 1]


def with_ranges(rows: pd.DataFrame, currency: str) -> pd.DataFrame:
    """The list with the range of each customer as one text; missing where no spending can be expected."""
    bounds = zip(rows["lo95"], rows["hi95"], strict=True)
    texts = [
        None if fmt.is_missing(low) else fmt.between(*(fmt.money(end, currency, digits=0) for end in (low, high)))
        for low, high in bounds
    ]
    return rows.assign(expected_range=pd.Series(texts, index=rows.index, dtype=object))


def in_words(cell: Cell | None, people: int) -> str:
    """Which customers a list holds and how many."""
    many = tn("value.people", people, n=fmt.count(people))
    if cell is None:
        return f"{t('value.everybody')} · {many}"
    return f"{t(f'value_class.{cell.value_class}')} × {t(f'loyalty.{cell.loyalty}')} · {many}"
