"""The health report in words and lists: figures, table states, refused rows and the verdict on the money."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

import pandas as pd
import streamlit as st

from data_access.scope import Scope
from data_access.snapshot import GenerationInfo, Snapshot
from models.reports.health import HealthReport
from pages._ui import empty, export, freshness, head, load
from pages._ui import format as fmt
from pages._ui.head import Opened
from pages._ui.i18n import exists, t, tn, word
from pages._ui.tables import Column, badge, column, listing

# States in the order in which somebody should look at them, with the colours of their badges.
STATES: Mapping[str, str] = {"columns_missing": "red", "absent": "orange", "empty": "gray", "ok": "green"}
_REFUSED_COLUMNS = ("table_name", "table", "row_key", "reason", "why", "amount")


def figures(report: HealthReport, snapshot: Snapshot) -> list[tuple[str, str, str | None]]:
    """Cards: up to when the data reaches, when the CRM was read, when it will be, filled tables, what was left out
    and what money is off; the last two only for whoever sees the chain."""
    info, states = snapshot.info, report.table_status["state"]
    fresh = freshness.of(info)
    every = freshness.length(fresh.next_at - fresh.read_at)
    cards: list[tuple[str, str, str | None]] = [
        (
            t("data_health.as_of"),
            fmt.day_short(info.as_of),
            t("data_health.as_of.help", instant=fmt.instant(info.as_of)),
        ),
        (
            t("data_health.read"),
            freshness.ago(fresh, short=True),
            t("data_health.read.help", instant=freshness.instant(fresh.read_at)),
        ),
        (
            t("data_health.next"),
            freshness.due(fresh, short=True),
            t("data_health.next.help", every=every, instant=freshness.instant(fresh.next_at)),
        ),
        (t("data_health.filled"), f"{(states == 'ok').sum()} / {len(states)}", t("data_health.filled.help")),
    ]
    if len(report.reconciliation):
        refused = report.quarantined["rows"].sum()
        off = report.reconciliation["difference"].abs().sum()
        cards.append((t("data_health.refused"), fmt.compact(refused), t("data_health.refused.help")))
        cards.append((t("data_health.off"), fmt.money(off, info.currency), t("data_health.off.help")))
    return cards


def refresh_in_words(report: HealthReport, info: GenerationInfo) -> str:
    """One line on the generation: its number, the days it covers and, for the chain, how it was made."""
    parts = [t("data_health.generation", generation=info.generation)]
    if info.first_day and info.last_day:
        days = (info.last_day - info.first_day).days + 1
        parts.append(t("data_health.days", days=fmt.days(days), period=fmt.period(info.first_day, info.last_day)))
    made = report.generation.iloc[0] if len(report.generation) else None
    if made is not None and not fmt.is_missing(made["rows_read"]) and exists(f"data_health.made.{made['mode']}"):
        figures = {name: fmt.count(made[name]) for name in ("rows_read", "rows_changed", "built_from")}
        parts.append(t(f"data_health.made.{made['mode']}", seconds=fmt.decimal(made["seconds"], 1), **figures))
    return " · ".join(parts)


def trouble(*, administrator: bool) -> None:
    """What an administrator must know at once: a newer generation that cannot be opened, clocks that disagree."""
    if not administrator:
        return
    failure = load.unusable()
    if failure is not None:
        st.warning(t("data_health.unusable", file=failure.file, reason=failure.reason), icon=":material/error:")
    fresh = freshness.of(load.snapshot().info)
    if fresh.ahead:
        st.warning(t("data_health.ahead", instant=freshness.instant(fresh.read_at)), icon=":material/schedule:")


def money_verdict(reconciliation: pd.DataFrame, currency: str) -> str:
    """One sentence: every amount arrived or was refused for a reason, or how much is unaccounted for."""
    off, refused = (reconciliation[name].abs().sum() for name in ("difference", "amount_quarantined"))
    if off:
        return t("data_health.not_whole", amount=fmt.money(off, currency))
    return t("data_health.whole_but", amount=fmt.money(refused, currency)) if refused else t("data_health.whole")


def money(page: Opened, report: HealthReport, *, administrator: bool) -> None:
    """Whether the money arrived, and which rows were refused; nothing for whoever does not see the chain."""
    if report.reconciliation.empty:
        return
    with st.container(border=True):
        head.block(t("data_health.money"), t("data_health.money_note"))
        shown = [column(name) for name in ("figure", "difference", "crm", "snapshot", "amount_quarantined")]
        rows = named_figures(report.reconciliation)
        listing(rows, shown, currency=page.currency, alt=t("data_health.money"), key="health_money")
        st.caption(money_verdict(report.reconciliation, page.currency))
    with st.container(border=True):
        head.block(t("data_health.quarantine"), t("data_health.quarantine_note"))
        if report.quarantined.empty:
            empty.nothing(t("data_health.nothing_refused"))
            return
        shown = [column(name) for name in ("table", "rows", "why", "amount", "table_name")]
        refused = named_refusals(report.quarantined)
        listing(refused, shown, currency=page.currency, alt=t("data_health.quarantine"), key="health_refused", rows=8)
        st.caption(refused_verdict(report.quarantined, page.currency))
        if administrator:
            refused_rows_menu(page.cover(), page.scope, page.generation, report.quarantined)


_LOADS = (
    *(column(name) for name in ("table", "rows_read", "lag", "seconds", "rows_per_second")),
    column("mode", words="load_mode"),
    *(column(name) for name in ("rows_changed", "rows_deleted")),
)
_REFRESHES = (
    column("started"),
    column("outcome", words="refresh_outcome"),
    *(column(name) for name in ("seconds", "rows_read", "rows_changed", "generation", "failure")),
)
_SOURCES = (
    *(column(name) for name in ("name", "amount_loaded", "amount_quarantined", "amount_read")),
    *(column(name) for name in ("rows_loaded", "rows_quarantined", "loaded_at")),
    column("kind", words="source_kind"),
)


def loads(report: HealthReport, currency: str) -> None:
    """What the last refresh read from each table, and how fast."""
    _block("loads", named_loads(report.loads) if len(report.loads) else report.loads, _LOADS, currency, rows=14)


def refreshes(found: pd.DataFrame, currency: str) -> None:
    """The last refreshes and how they ended."""
    _block("refreshes", found, _REFRESHES, currency, rows=8)


def sources(report: HealthReport, currency: str) -> None:
    """Where imported rows came from."""
    _block("sources", report.sources, _SOURCES, currency, rows=8)


def _block(name: str, found: pd.DataFrame, columns: Sequence[Column], currency: str, *, rows: int) -> None:
    """A list with its heading; nothing without rows."""
    if found.empty:
        return
    with st.container(border=True):
        head.block(t(f"data_health.{name}"), t(f"data_health.{name}_note"))
        listing(found, columns, currency=currency, alt=t(f"data_health.{name}"), key=f"health_{name}", rows=rows)


def table_states(page: Opened, states: pd.DataFrame) -> None:
    """Every table of the contract and what it is like; how much is in it for whoever sees the chain."""
    with st.container(border=True):
        head.block(t("data_health.tables"), t("data_health.tables_note"))
        if states.empty:
            empty.nothing(t("data_health.no_tables"))
            return
        more = ("rows", "newest", "table_name") if page.scope.kind == "chain" else ("table_name",)
        shown = [column("table"), badge("state", "table_state", STATES), *(column(name) for name in more)]
        listing(states, shown, currency=page.currency, alt=t("data_health.tables"), key="health_tables", rows=16)


def named_figures(reconciliation: pd.DataFrame) -> pd.DataFrame:
    """The reconciliation with its figures in words."""
    return reconciliation.assign(figure=reconciliation["figure"].map(lambda key: word("figure", key)))


def named_states(table_status: pd.DataFrame) -> pd.DataFrame:
    """The tables, those that need somebody first, with a name (column ``table``) and the pages they take away."""
    worst_first = {state: place for place, state in enumerate(STATES)}
    ordered = table_status.assign(
        quiet=table_status["disables"].isna(), place=table_status["state"].map(worst_first)
    ).sort_values(["quiet", "place", "table_name"])
    return ordered.assign(table=_names(ordered), disables=ordered["disables"].map(_pages)).reset_index(drop=True)


def breaches(states: pd.DataFrame) -> list[str]:
    """Of ``named_states``, one line of Markdown per table that breaks the contract: a column is missing, or a page
    cannot do without it."""
    drifted = (states["state"] == "columns_missing") | states["changed_columns"].notna()
    broken = states[drifted | states["disables"].notna()]
    return [_breach(row) for _, row in broken.iterrows()]


def _breach(row: pd.Series) -> str:
    name, state = row["table_name"], row["state"]
    word = t(f"table_state.{state}")
    said = [f"**{row['table']}** :gray[:small[{name}]] :{STATES[state]}-badge[{word}]"]
    if state == "columns_missing":
        columns = fmt.enumerated(name.strip() for name in str(row["missing_columns"]).split(","))
        said.append(t("data_health.breach_columns", columns=columns))
    if not fmt.is_missing(row["changed_columns"]):
        columns = fmt.enumerated(str(row["changed_columns"]).split(","))
        said.append(t("data_health.breach_types", columns=columns))
    if not fmt.is_missing(row["disables"]):
        said.append(t("data_health.breach", pages=row["disables"]))
    return " · ".join(said)


def named_loads(loads: pd.DataFrame) -> pd.DataFrame:
    """What was read from each table, the most rows first, with a name and the lag in words."""
    ordered = loads.sort_values(["rows_read", "table_name"], ascending=[False, True])
    lag = [
        fmt.MISSING if fmt.is_missing(hours) else freshness.length(timedelta(hours=hours))
        for hours in ordered["lag_hours"]
    ]
    return ordered.assign(table=_names(ordered), lag=lag).reset_index(drop=True)


def named_refusals(quarantined: pd.DataFrame) -> pd.DataFrame:
    """Refused rows by table and reason, both in words (columns ``table``, ``why``)."""
    return quarantined.assign(table=_names(quarantined), why=quarantined["reason"].map(_reason))


def refused_verdict(quarantined: pd.DataFrame, currency: str) -> str:
    """One sentence on how many rows were left out, and on their money."""
    rows, amount = int(quarantined["rows"].sum()), quarantined["amount"].sum()
    return tn("data_health.left_out", rows, n=fmt.count(rows), amount=fmt.money(amount, currency))


def refused_rows_menu(cover: export.Cover, scope: Scope, generation: str, quarantined: pd.DataFrame) -> None:
    """Every refused row with its key, reason and money, as a file."""
    tables = {key: word("table", key) for key in quarantined["table_name"].unique()}
    reasons = {key: _reason(key) for key in quarantined["reason"].unique()}
    export.later(
        "quarantine",
        cover,
        _REFUSED_COLUMNS,
        partial(_refused_rows, scope, generation, tables, reasons),
        rows=int(quarantined["rows"].sum()),
        note=t("data_health.refused_rows"),
    )


def _refused_rows(scope: Scope, generation: str, tables: Mapping[str, str], reasons: Mapping[str, str]) -> pd.DataFrame:
    rows = load.quarantined_rows(scope, generation)
    named = rows.assign(table=rows["table_name"].map(tables), why=rows["reason"].map(reasons))
    return named[list(_REFUSED_COLUMNS)]


def _names(frame: pd.DataFrame) -> pd.Series:
    return frame["table_name"].map(lambda key: word("table", key))


def _reason(key: str) -> str:
    return word("refusal", key)


def _pages(keys: object) -> str | None:
    if fmt.is_missing(keys) or not str(keys).strip():
        return None
    return t("number.list").join(_part(key.strip()) for key in str(keys).split(","))


def _part(key: str) -> str:
    page, _, part = key.partition(".")
    name = word("page", page)
    return f"{name} · {word('part', part)}" if part else name
