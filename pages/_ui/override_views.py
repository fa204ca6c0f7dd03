"""The part of the demand page where people say what they expect instead, and see whether they were nearer."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.state import overrides as state
from data_access.state.overrides import REASONS, Override, Reason
from data_access.state.store import opened
from models.reports.demand import DemandReport
from models.reports.overrides import OverridesReport, overrides
from pages._ui import actions, demand_views, empty, head, load, session
from pages._ui import format as fmt
from pages._ui.attempt import attempt, say_again, tell, writer
from pages._ui.i18n import t
from pages._ui.tables import Column, listing

_WEEK = 7
_IN_VIEW = 8
_COLUMNS = (
    Column("span", "text"),
    Column("said_units", "count"),
    Column("wished_units", "count"),
    Column("sold_units", "count"),
    Column("added_units", "count"),
    Column("reason", "text"),
    Column("by", "text"),
)


def block(report: DemandReport, scope: Scope) -> None:
    """What was expected instead of what the page shows, how it did, and the form for more."""
    snapshot = load.snapshot()
    kept = [one for one in state.current(opened(), snapshot, scope) if one.category == report.category]
    found = overrides(snapshot, scope, kept)
    head.block(t("overrides.title"), t("overrides.note"), t("overrides.help"))
    if found.scored:
        st.markdown(
            t(
                "overrides.score",
                n=fmt.count(found.scored),
                wished=fmt.percent(found.wished_error),
                said=fmt.percent(found.said_error),
            )
        )
    if found.overrides.empty:
        empty.nothing(t("overrides.none"))
    else:
        listing(_in_words(found, kept), _COLUMNS, currency="", alt=t("overrides.title"), key="overrides", rows=_IN_VIEW)
    _form(report, scope)


def _in_words(found: OverridesReport, kept: Sequence[Override]) -> pd.DataFrame:
    rows, known = found.overrides, actions.names()
    return rows.assign(
        span=[_days(one.date(), other.date()) for one, other in zip(rows["first_day"], rows["last_day"], strict=True)],
        reason=[t(f"overrides.reason.{reason}") for reason in rows["reason"]],
        by=[_by(one.actor, known) for one in kept],
    )


def _by(actor: str, known: dict[str, str]) -> str:
    return t("actions.me") if actor == session.current_person().actor else known.get(actor, t("overrides.somebody"))


def _days(first: date, last: date) -> str:
    return fmt.days_between(first, last)


def _form(report: DemandReport, scope: Scope) -> None:
    """Days ahead, units and a reason. The units of the forecast stand beside each choice of days."""
    tell()
    ahead = demand_views.own(report).set_index("ds")["mean"]
    offered = _offered(ahead)
    with st.form("override_form", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            days: tuple[date, date] = st.selectbox(
                t("overrides.days"),
                list(offered),
                format_func=lambda one: t("overrides.offer", days=_days(*one), units=fmt.count(offered[one])),
                width=320,
            )
            wished = st.number_input(
                t("overrides.wished"), min_value=0, max_value=state.MOST, value=None, step=1, width=180
            )
            reason: Reason = st.selectbox(
                t("overrides.why"), REASONS, format_func=lambda one: t(f"overrides.reason.{one}"), width=220
            )
        with st.container(horizontal=True):
            sent = st.form_submit_button(t("overrides.save"), type="primary")
            taken_back = st.form_submit_button(t("overrides.take_back"), help=t("overrides.take_back_help"))
    if sent and wished is None:
        st.error(t("rule.override_units"), icon=":material/error:")
    elif sent or taken_back:
        about = (report.category, *days)
        _put(scope, about, offered[days], int(wished) if sent and wished is not None else None, reason)


def _offered(ahead: pd.Series) -> dict[tuple[date, date], float]:
    """The next four weeks, then each single one, with the units that the forecast says."""
    weeks = [ahead.iloc[at : at + _WEEK] for at in range(0, len(ahead), _WEEK)]
    parts = [ahead.iloc[: 4 * _WEEK], *weeks]
    return {(part.index[0].date(), part.index[-1].date()): float(part.sum()) for part in parts}


def _put(scope: Scope, about: tuple[str | None, date, date], said: float, wished: int | None, reason: Reason) -> None:
    own, actor = writer()
    mine = scope if own.kind == "chain" else own.narrow(scope.store_ids)
    attempt(
        lambda: state.put(opened(), load.snapshot(), mine, actor, about, said, wished, reason, utc_now()),
        lambda _: say_again(t("overrides.saved")),
    )
