"""The parts of the lapse page: the rate, the judgements with their check, and who is at risk."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from models.calc.churn import FLAT_DAYS, LAPSING, LOST, MOST_RETURNING
from models.reports.lapse import MOST_MEMBERS, LapseReport
from models.reports.reasons import WINDOW_DAYS, ReasonsReport
from models.reports.retention import WINDOW
from pages._ui import bands, cards, charts, customer_lists, empty, head
from pages._ui import format as fmt
from pages._ui.i18n import localized, t, tn
from pages._ui.retention_views import VERDICTS
from pages._ui.tables import Column, badge, column, listing

_RATE = (0.0, 0.5)  # of the axis, whatever the range of a month with few customers
_TONES = {"lapsing": "orange", "lost": "red"}
# More lapse is worse: the colours of growth the other way round.
_VERDICTS = {"above": VERDICTS["below"], "below": VERDICTS["above"], "unclear": VERDICTS["unclear"]}


def figures(report: LapseReport) -> None:
    """How many customers are in each state, and the rate of the last whole month."""
    items: list[tuple[str, str, str | None]] = [
        (t(f"lapse_state.{row.state}"), fmt.compact(row.customers), _state_help(row))
        for row in report.states.itertuples(index=False)
    ]
    if len(report.rate):
        last = bands.ranges(report.rate).iloc[-1]
        said = t("lapse.rate_now", month=fmt.month(last["month"]), likely=last["likely"])
        items.append((t("metric.churn_rate"), fmt.percent(last["churn_rate"]), said))
    cards.plain_row(items)


def _state_help(row: object) -> str:
    state, customers, share = (getattr(row, name) for name in ("state", "customers", "share"))
    counts = {"customers": fmt.count(customers), "share": fmt.percent(share)}
    return (
        t(f"lapse_state.{state}.help", lapsing=fmt.decimal(LAPSING, 1), lost=fmt.decimal(LOST, 0))
        + "  \n"
        + t("lapse.state_share", **counts)
    )


def rate(report: LapseReport) -> None:
    """The share of the active customers that stops, month by month."""
    if report.rate.empty:
        head.block(t("lapse.rate"), note_help=t("metric.churn_rate.help"))
        empty.nothing(t("lapse.rate_none"))
        return
    last = bands.ranges(report.rate).iloc[-1]
    counts = {"lost": fmt.count(last["lost"]), "active": fmt.count(last["active"])}
    note = t("lapse.rate_note", month=fmt.month(last["month"]), **counts)
    head.block(t("lapse.rate"), note, t("metric.churn_rate.help"))
    figure = bands.over_months(report.rate, value="churn_rate", name=t("metric.churn_rate"), reach=_RATE)
    charts.show(figure, alt=t("lapse.rate"), key="lapse_rate")


def places(report: LapseReport, currency: str) -> None:
    """Regions and stores by name, not by rank: most differ by chance alone."""
    for level in ("region", "store"):
        rows = report.rate_by_place[report.rate_by_place["level"] == level]
        if rows.empty:
            continue
        clear = int((rows["verdict"] != "unclear").sum())
        note = tn("retention.places_clear", clear, n=fmt.count(clear), places=fmt.count(len(rows)))
        head.block(t(f"lapse.by_{level}"), note, t("lapse.by_place_help", months=WINDOW))
        shown = [column(name) for name in ("place", "churn_rate", "likely", "lost", "active")]
        listing(
            bands.ranges(localized(rows, {"place": f"{level}.name"})).reset_index(drop=True),
            [*shown, badge("verdict", "place_verdict", _VERDICTS)],
            currency=currency,
            alt=t(f"lapse.by_{level}"),
            key=f"lapse_{level}",
            rows=12,
        )


def check(report: LapseReport, currency: str) -> None:
    """How often each way to judge was right about whom it judged before, and how well its chances held."""
    if report.horizon_days is None:
        head.block(t("lapse.check"))
        empty.nothing(t("lapse.check_none"))
        return
    known = report.rule.set_index("key")["value"]
    counts = {name: fmt.count(known[name]) for name in ("customers", "gone")}
    note = t("lapse.check_note", days=report.horizon_days, **counts)
    head.block(t("lapse.check"), note, t("lapse.check_help", days=report.horizon_days, flat=FLAT_DAYS))
    rows = bands.ranges(report.check)
    shown = [column("method", words="lapse_method"), column("auc"), column("likely")]
    listing(rows, shown, currency=currency, alt=t("lapse.check"), key="lapse_check")
    for method in ("own_rhythm", "probability_active"):
        table = report.calibration[report.calibration["method"] == method]
        if len(table):
            _calibration(method, table)


def _calibration(method: str, table: pd.DataFrame) -> None:
    head.block(t("lapse.calibration", method=t(f"lapse_method.{method}")), note_help=t("lapse.calibration_help"))
    drawn = table.assign(position=table["bin"].astype(int) + 1)
    lines = {
        t("lapse.predicted"): drawn.assign(gone=drawn["predicted"]),
        t("lapse.actual"): drawn.assign(gone=drawn["actual"]),
    }
    figure = charts.curves(lines, x="position", value="gone", unit="percent", currency="", height=220)
    figure.update_xaxes(dtick=1, title={"text": t("lapse.tenths"), "standoff": 6})
    charts.show(figure, alt=t("lapse.calibration", method=t(f"lapse_method.{method}")), key=f"lapse_{method}")


def rule(report: LapseReport, currency: str) -> None:
    """The rule in force, and how many of those beyond so many gaps came back all the same."""
    known = report.rule.set_index("key")["value"]
    bounds = {"lapsing": fmt.decimal(LAPSING, 1), "lost": fmt.decimal(LOST, 0)}
    head.block(t("lapse.rule"))
    st.markdown(t("lapse.rule_text", product=fmt.count(known["product_days"]), **bounds))
    if report.returns.empty:
        return
    fitted = known.get("fitted_lost")
    if fmt.is_missing(fitted):
        st.caption(t("lapse.fitted_none", most=fmt.percent(MOST_RETURNING, 0)))
    else:
        words = {"most": fmt.percent(MOST_RETURNING, 0), "gaps": fmt.decimal(fitted, 1), "days": report.horizon_days}
        st.caption(t("lapse.fitted", **words))
    rows = bands.ranges(report.returns[report.returns["customers"] > 0])
    shown = [column(name) for name in ("own_gaps", "customers", "rate", "likely")]
    listing(
        rows.reset_index(drop=True),
        shown,
        currency=currency,
        alt=t("lapse.rule"),
        key="lapse_returns",
        rows=10,
        half=True,
    )


def at_risk(report: LapseReport, names: Sequence[str], generation: str, currency: str) -> None:
    """Whom to call: overdue customers, the highest value at risk first."""
    head.block(t("lapse.at_risk"), t("lapse.at_risk_note"), t("lapse.at_risk_help", days=report.horizon_days or 0))
    _people(report.at_risk, names, "lapse", "lapse_list", generation, currency)


def why(report: ReasonsReport, currency: str) -> None:
    """What had happened before customers stopped coming, against those who stayed."""
    if report.judged_on is None or report.reasons.empty:
        head.block(t("lapse.why"))
        empty.nothing(t("lapse.check_none"))
        return
    counts = {"gone": fmt.count(report.gone), "judged": fmt.count(report.judged)}
    note = t("lapse.why_note", day=fmt.day(report.judged_on), **counts)
    head.block(t("lapse.why"), note, t("lapse.why_help", window=WINDOW_DAYS, days=report.horizon_days))
    st.caption(t("lapse.association"))
    rows = report.reasons.assign(
        apart=_points(report.reasons, "difference_of_shares", "lo95", "hi95"),
        matched=_points(report.reasons, "matched_difference", "matched_lo95", "matched_hi95"),
    )
    names = ("customers", "lapsed_with", "lapsed_share", "stayed_share", "apart", "matched")
    shown = [column("reason", words="lapse_reason"), *(column(name) for name in names)]
    listing(rows, shown, currency=currency, alt=t("lapse.why"), key="lapse_why", rows=10)


def _points(rows: pd.DataFrame, value: str, low: str, high: str) -> pd.Series:
    """A difference of shares with its range, in percentage points."""
    texts = [
        None
        if fmt.is_missing(middle)
        else t(
            "lapse.points",
            **{name: fmt.decimal(100 * number, 1) for name, number in (("value", middle), ("low", lo), ("high", hi))},
        )
        for middle, lo, hi in zip(rows[value], rows[low], rows[high], strict=True)
    ]
    return pd.Series(texts, index=rows.index, dtype=object)


def lapsed(report: ReasonsReport, names: Sequence[str], generation: str, currency: str) -> None:
    """Who lapsed, with the last thing that had happened."""
    head.block(t("lapse.lapsed"), t("lapse.lapsed_note"))
    _people(report.lapsed, names, "lapse.why", "lapse_lapsed", generation, currency)


def _people(rows: pd.DataFrame, names: Sequence[str], list_key: str, key: str, generation: str, currency: str) -> None:
    customer_lists.listing(
        localized(rows, {"store": "store.name"}),
        [_column(name) for name in names],
        list_key,
        key=key,
        generation=generation,
        currency=currency,
        most=MOST_MEMBERS,
    )


def _column(name: str) -> Column:
    if name == "state":
        return badge(name, "lapse_state", _TONES)
    return column(name, words="lapse_reason" if name == "reason" else "")
