"""The parts of the scorecard: the newest figures, each measure over time, costs beside what campaigns brought."""

from collections.abc import Hashable, Sequence
from datetime import date
from typing import Any, Final

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.state import costs as state
from data_access.state.costs import KINDS, Cost
from data_access.state.store import opened
from models.reports.scorecard import LEAST_ANSWERS, ScorecardReport
from pages._ui import bands, cards, charts, choices, drill, empty, head, session
from pages._ui import format as fmt
from pages._ui.attempt import attempt, say_again, tell
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, column, listing

LEVELS: Final = ("region", "store")
MEASURES: Final = ("csat", "nps", "active_share", "net_sales")
_MONTHS: Final = 24  # offered for a cost
# How a measure is drawn: its unit, and what its values are multiplied with to be in it.
_DRAWN: Final = {"csat": ("decimal", 1.0), "nps": ("count", 100.0), "active_share": ("percent", 1.0)}


def figures(report: ScorecardReport) -> None:
    """The newest month of each measure, with what it is made of."""
    rows = report.months.groupby("measure").tail(1).set_index("measure")
    newest = rows["value"].astype("float64")
    cards.plain_row(
        [
            (
                t(f"scorecard.{name}"),
                _text(name, float(newest.loc[name]), report.currency),
                t(f"scorecard.{name}.help", least=LEAST_ANSWERS, month=fmt.month(rows.loc[name, "month"])),
            )
            for name in MEASURES
            if name in rows.index
        ]
    )


def _text(measure: str, value: float, currency: str) -> str:
    match measure:
        case "csat":
            return fmt.decimal(value, 2)
        case "net_sales":
            return fmt.card_value(value, "money", currency)
        case "nps":
            return fmt.decimal(100 * value, 0)
    return fmt.percent(value)


def measures(report: ScorecardReport) -> None:
    """Each measure over the months: those of answers and shares with their range, sales as columns."""
    left, right = st.columns(2)
    for name, place in zip(("csat", "nps", "active_share", "net_sales"), (left, right, left, right), strict=True):
        with place.container(border=True):
            rows = report.months[report.months["measure"] == name]
            head.block(t(f"scorecard.{name}"), t(f"scorecard.{name}.note"))
            if rows.empty:
                empty.nothing(t(f"scorecard.{name}.none", least=LEAST_ANSWERS))
            elif name == "net_sales":
                parts = {"value": t("scorecard.net_sales")}
                drawn = charts.columns_over_time(
                    rows, month="month", parts=parts, unit="money", currency=report.currency
                )
                charts.show(drawn, alt=t("scorecard.net_sales"), key="scorecard_net_sales")
            else:
                unit, per = _DRAWN[name]
                ends = {end: rows[end] * per for end in ("value", "lo95", "hi95")}
                figure = bands.over_months(rows.assign(**ends), value="value", name=t(f"scorecard.{name}"), unit=unit)
                if name == "csat":
                    figure.update_yaxes(range=[1, 5.4], tickvals=[1, 2, 3, 4, 5], ticktext=["1", "2", "3", "4", "5"])
                charts.show(figure, alt=t(f"scorecard.{name}"), key=f"scorecard_{name}")


def places(report: ScorecardReport) -> None:
    """The last year of every store, or region, beside the year before; a click goes there."""
    head.block(t("scorecard.places"), t("scorecard.places_note"), t("scorecard.places_help", least=LEAST_ANSWERS))
    level = choices.choice("level", LEVELS if report.of_chain else LEVELS[-1:], words="scorecard.level")
    rows = report.places[report.places["level"] == level]
    known = {(row["place_id"], row["measure"]): row for row in rows.to_dict("records")}
    named = localized(rows, {"place": f"{level}.name"}).drop_duplicates("place_id")[["place_id", "place"]]
    shown = named.assign(
        **{name: [_beside(known.get((key, name)), report.currency) for key in named["place_id"]] for name in MEASURES}
    )
    columns = [Column("place", "text"), *(Column(name, "text") for name in MEASURES)]
    opened = listing(
        shown,
        columns,
        currency=report.currency,
        alt=t("scorecard.places"),
        key=f"scorecard_places_{level}",
        opens="place_id",
        rows=12,
    )
    if opened and level == "store":
        drill.open_page("store", store=opened)
    elif opened:
        drill.keep_region(opened)
        st.rerun()


def _beside(row: dict[Hashable, Any] | None, currency: str) -> str:
    """A figure with its range and what it was the year before, as far as each is known."""
    if row is None:
        return t("scorecard.too_few")
    measure = row["measure"]
    text = _text(measure, row["value"], currency)
    if not fmt.is_missing(row["lo95"]):
        text = fmt.beside(text, fmt.between(_text(measure, row["lo95"], ""), _text(measure, row["hi95"], "")))
    return text if fmt.is_missing(row["before"]) else f"{text} ← {_text(measure, row['before'], currency)}"


def balance(report: ScorecardReport) -> None:
    """What the platform cost beside what its campaigns brought; what to do where no cost is known."""
    head.block(t("scorecard.balance"), t("scorecard.balance_note"), t("scorecard.balance_help"))
    if report.against.empty:
        empty.nothing(t("scorecard.no_costs"))
        return
    row = report.against.iloc[0]
    money = report.currency
    cards.plain_row(
        [
            (t("scorecard.cost"), fmt.card_value(row["cost"], "money", money), t("scorecard.cost.help")),
            (
                t("scorecard.brought"),
                fmt.card_value(row["incremental_margin"], "money", money),
                t("scorecard.brought.help", n=fmt.count(row["campaigns"])),
            ),
            (t("scorecard.left"), fmt.card_value(row["balance"], "money", money), t("scorecard.left.help")),
        ]
    )
    st.markdown(_verdict(row, money))
    costs = report.costs.assign(kind=[t(f"cost_kind.{kind}") for kind in report.costs["kind"]])
    shown = [column("month"), Column("kind", "text"), Column("amount", "money")]
    listing(costs, shown, currency=money, alt=t("scorecard.balance"), key="scorecard_costs", rows=10)


def _verdict(row: pd.Series, currency: str) -> str:
    texts = {"first": fmt.month(row["first_month"]), "last": fmt.month(row["last_month"])}
    if fmt.is_missing(row["balance"]):
        return t("scorecard.verdict.unknown", **texts)
    kind = "paid" if row["balance_lo"] > 0 else "lost" if row["balance_hi"] < 0 else "open"
    ends = {end: fmt.money_compact(row[f"balance_{end}"], currency) for end in ("lo", "hi")}
    return t(f"scorecard.verdict.{kind}", **texts, **ends)


def listed(report: ScorecardReport) -> None:
    """Every month with its range and denominator."""
    rows = report.months.sort_values(["month", "measure"], ascending=[False, True])
    texts = [
        fmt.MISSING if fmt.is_missing(low) else fmt.between(_text(name, low, ""), _text(name, high, ""))
        for name, low, high in zip(rows["measure"], rows["lo95"], rows["hi95"], strict=True)
    ]
    shown = rows.assign(
        measure=[t(f"scorecard.{name}") for name in rows["measure"]],
        value=[_text(name, value, report.currency) for name, value in zip(rows["measure"], rows["value"], strict=True)],
        likely=texts,
    )
    columns = [
        column("month"),
        column("measure"),
        Column("value", "text"),
        Column("likely", "text"),
        Column("n", "count"),
    ]
    listing(shown, columns, currency=report.currency, alt=t("scorecard.months"), key="scorecard_months", rows=16)


def keep(costs: Sequence[Cost], currency: str) -> None:
    """What an administrator sees: the costs that are known, and the form that notes one."""
    tell()
    with st.container(border=True):
        head.block(t("scorecard.enter"), t("scorecard.enter_note"))
        _form()
    with st.container(border=True):
        head.block(t("scorecard.costs"))
        if not costs:
            empty.nothing(t("scorecard.none_yet"))
            return
        rows = [(f"{one.month:%Y-%m}", t(f"cost_kind.{one.kind}"), float(one.amount)) for one in reversed(costs)]
        shown = [column("month"), Column("kind", "text"), Column("amount", "money")]
        frame = pd.DataFrame(rows, columns=["month", "kind", "amount"])
        listing(frame, shown, currency=currency, alt=t("scorecard.costs"), key="costs", rows=20)


def _form() -> None:
    this = pd.Timestamp(utc_now().date().replace(day=1))
    months: list[date] = [(this - pd.DateOffset(months=ago)).date() for ago in range(_MONTHS)]
    with st.form("cost_form", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            month = st.selectbox(t("column.month"), months, format_func=fmt.month, width=160)
            kind = st.selectbox(t("scorecard.kind"), KINDS, format_func=lambda one: t(f"cost_kind.{one}"), width=200)
            amount = st.number_input(
                t("scorecard.amount"), min_value=0, max_value=state.MOST, value=None, step=100, width=200
            )
        with st.container(horizontal=True):
            sent = st.form_submit_button(t("scorecard.save"), type="primary")
            removed = st.form_submit_button(t("scorecard.remove"), help=t("scorecard.remove_help"))
    if sent and amount is None:
        st.error(t("rule.cost_amount"), icon=":material/error:")
    elif sent or removed:
        _put(month, kind, amount if sent else None)


def _put(month: date, kind: state.Kind, amount: int | None) -> None:
    session.look_again()
    person = session.current_person()
    if person.role != "administrator":
        st.error(t("rule.cost_place"), icon=":material/error:")
        return

    attempt(
        lambda: state.put(opened(), session.system_scope(), person.actor, month, kind, amount, utc_now()),
        lambda _: say_again(t("scorecard.saved", kind=t(f"cost_kind.{kind}"), month=fmt.month(month))),
    )
