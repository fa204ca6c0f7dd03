"""The parts of the retention page: growth, the cohorts' customers, waits and first orders."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data_access.queries.actions import Wanted
from data_access.scope import Scope
from models.reports.retention import (
    FIRST_WITHIN,
    MOST_MEMBERS,
    MOST_VISITS,
    UNKNOWN,
    WINDOW,
    CohortCell,
    RetentionReport,
)
from pages._ui import bands, charts, customer_lists, empty, export, grids, head, load, tables
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.i18n import localized, t, tn
from pages._ui.members import cohort_rows, newest_whole_cohort
from pages._ui.tables import Column, badge, column, listing

CAME = ("no", "yes")
MEMBER_LEVELS = ("store", "tier", "source")
_GROWTH = (-1.0, 1.5)  # of the axis: the range of a month with few customers reaches far beyond
VERDICTS: Mapping[str, str] = {"above": "green", "below": "red", "unclear": "gray"}
PLACES = ("place", "growth", "new", "previous_new", "likely", "verdict")
_STORES = {"store": "store.name"}
_CUSTOMERS = ("customer_key", "net_sales", "orders", "first_day", "last_day", "store")


def growth(report: RetentionReport) -> None:
    """New customers against the month before, with the range; the latest month in words."""
    rows = report.growth.dropna(subset=["growth"])
    if rows.empty:
        head.block(t("retention.growth"), note_help=t("retention.growth_help"))
        empty.nothing(t("retention.growth_none"))
        return
    last = bands.ranges(rows).iloc[-1]
    words = t("retention.growth_note", month=fmt.month(last["month"]), growth=fmt.change(last["growth"]))
    head.block(t("retention.growth"), words, t("retention.growth_help"))
    figure = bands.over_months(rows, value="growth", name=t("column.growth"), reach=_GROWTH)
    charts.show(figure, alt=t("retention.growth"), key="retention_growth")
    counts = {"new": fmt.count(last["new"]), "before": fmt.count(last["previous_new"])}
    st.caption(t("retention.growth_counts", month=fmt.month(last["month"]), likely=last["likely"], **counts))


def places(report: RetentionReport, currency: str) -> None:
    """Regions and stores by name, not by rank: most differ by chance alone."""
    table = report.growth_by_place
    for level in ("region", "store"):
        rows = localized(table[table["level"] == level], {"place": f"{level}.name"})
        if len(rows) < 2:
            continue
        clear = int((rows["verdict"] != "unclear").sum())
        note = tn("retention.places_clear", clear, n=fmt.count(clear), places=fmt.count(len(rows)))
        head.block(t(f"retention.by_{level}"), note, t("retention.by_place_help", months=WINDOW))
        shown = [badge(name, "place_verdict", VERDICTS) if name == "verdict" else column(name) for name in PLACES]
        listing(
            bands.ranges(rows).reset_index(drop=True),
            shown,
            currency=currency,
            alt=t(f"retention.by_{level}"),
            key=f"retention_{level}",
            rows=12,
        )


def cohorts(report: RetentionReport) -> CohortCell:
    """The heat map; gives the cell that was clicked, else the last whole month of the newest cohort with a past."""
    head.block(t("retention.cohorts"), t("retention.click"), t("retention.cohorts_help"))
    clicked = charts.kept(grids.cohorts(report.cohorts), alt=t("retention.cohorts"), key="retention_cohorts")
    st.caption(t("retention.cohorts_note"))
    came = st.query_params.get("came", CAME[0]) == "yes"
    later = report.cohorts[report.cohorts["month_number"] > 0]
    known = set(zip(later["cohort"].tolist(), later["month_number"].tolist(), strict=True))
    # Anybody can send a click: what is no cell opens nothing.
    cohort, _, number = (clicked or "").partition("|")
    if number.isdigit() and (cohort, int(number)) in known:
        return CohortCell(cohort, int(number), came)
    newest = newest_whole_cohort(report.cohorts)
    rows = cohort_rows(report.cohorts[report.cohorts["complete"]], newest)
    return CohortCell(newest, int(rows["month_number"].max()) if len(rows) else 0, came)


def members(report: RetentionReport, cell: CohortCell, scope: Scope, generation: str, currency: str) -> export.Unread:
    """The customers of a cell of the cohorts, those who came or those who did not; gives the list for a file."""
    row = report.cohorts[
        (report.cohorts["cohort"] == cell.cohort) & (report.cohorts["month_number"] == cell.month_number)
    ].iloc[0]
    said = {"customers": fmt.count(row["customers"]), "size": fmt.count(row["size"])}
    note = t("retention.cell", month=fmt.month(_later(cell)), **said)
    head.block(t("retention.one", cohort=fmt.month(cell.cohort)), note, t("retention.one_help"))
    choice("came", CAME, words="retention.came", width=260)
    asked = (scope, report.as_of, generation, cell)
    listed = customer_lists.Paged(
        partial(load.cohort_count, *asked),
        lambda *page: localized(load.cohort_members(*asked, *page), _STORES),
        partial(load.every_cohort_member, *asked),
    )
    return _customers(listed, _CUSTOMERS, "retention.cohort", "retention_list", scope, generation, currency)


def _later(cell: CohortCell) -> str:
    return str(pd.Period(cell.cohort, "M") + cell.month_number)


def _customers(
    listed: customer_lists.Paged,
    names: tuple[str, ...],
    list_key: str,
    key: str,
    scope: Scope,
    generation: str,
    currency: str,
) -> export.Unread:
    several = len(scope.store_ids) > 1 if scope.kind == "stores" else len(load.places(generation)) > 1
    return customer_lists.paged(
        listed,
        [column(name, words="source" if name == "source" else "") for name in names if several or name != "store"],
        list_key,
        key=key,
        generation=generation,
        currency=currency,
        most=MOST_MEMBERS,
    )


def second_visit(report: RetentionReport) -> None:
    """How long it takes until customers come again."""
    head.block(t("retention.second"), note_help=t("retention.second_help"))
    if report.second_visit.empty:
        empty.nothing(t("retention.second_none"))
        return
    figure = bands.over_days({t("retention.second"): report.second_visit}, value="rate")
    charts.show(figure, alt=t("retention.second"), key="retention_second")
    rows = bands.ranges(report.second_within)
    said = [
        t(
            "retention.second_by",
            days=fmt.count(row["within_days"]),
            rate=fmt.percent(row["rate"]),
            likely=row["likely"],
        )
        for _, row in rows.dropna(subset=["likely"]).iterrows()
    ]
    middle = report.median_days_to_second
    if not fmt.is_missing(middle):
        said.insert(0, t("retention.second_half", days=fmt.count(middle)))
    st.caption("  \n".join(said))


def first_orders(report: RetentionReport, scope: Scope, generation: str, currency: str) -> export.Unread | None:
    """From joining to the first order, by source, and who joined and never bought; gives that list for a file."""
    head.block(t("retention.first"), t("retention.first_note"), t("retention.first_help"))
    if report.first_order.empty:
        empty.nothing(t("retention.first_none"))
        return None
    table = report.first_order
    for days in FIRST_WITHIN:
        rows = report.first_within[report.first_within["within_days"] == days].set_index("source")
        texts = [
            t("retention.rate_of", rate=fmt.percent(row["rate"]), **bands.bounds(row["lo95"], row["hi95"]))
            if not fmt.is_missing(row["rate"])
            else None
            for _, row in rows.reindex(table["source"]).iterrows()
        ]
        table = table.assign(**{f"bought_{days}": pd.Series(texts, index=table.index, dtype=object)})
    names = ("source", "bought_30", "bought_90", "joined", "median_days", "p90_days", "without_order")
    shown = [column(name, words="source" if name == "source" else "") for name in names]
    listing(table, shown, currency=currency, alt=t("retention.first"), key="retention_first", rows=10)
    if len(report.first_by_store) > 1:
        stores = localized(report.first_by_store, {"store": "store.name"})
        by_store = [column(name) for name in ("store", "median_days", "joined", "p90_days", "without_order")]
        listing(stores, by_store, currency=currency, alt=t("retention.first"), key="retention_first_store", rows=8)
    head.block(t("retention.never"), t("retention.never_note"))
    asked = (scope, report.as_of, generation)
    words = dict(zip(table["source"], tables.in_words(table["source"], "source"), strict=True))

    def every(wanted: Wanted) -> pd.DataFrame:
        people = load.every_without_order(*asked, wanted)
        return people.assign(source=people["source"].map(words))

    listed = customer_lists.Paged(
        partial(load.without_order_count, *asked),
        lambda *page: localized(load.without_order(*asked, *page), _STORES),
        every,
    )
    never = ("customer_key", "source", "joined_on", "days_since_joining", "store")
    with load.working(t("retention.never")):
        return _customers(listed, never, "retention.registered", "retention_registered", scope, generation, currency)


def members_who_bought(report: RetentionReport, currency: str) -> None:
    """Which share of those registered came in the last months: by store, tier and source."""
    head.block(t("retention.active"), t("retention.active_note", months=WINDOW), t("retention.active_help"))
    rows = bands.ranges(report.members)
    every = rows[rows["level"] == "all"]
    if every.empty:
        empty.nothing(t("retention.active_none"))
        return
    whole = {name: fmt.count(every.iloc[0][name]) for name in ("bought", "members")}
    st.markdown(t("retention.active_all", rate=fmt.percent(every.iloc[0]["rate"]), **whole))
    level = choice("members_by", MEMBER_LEVELS, words="retention.active_by", width=190)
    part = rows[rows["level"] == level].reset_index(drop=True)
    unknown = part["key"] == UNKNOWN
    field = {"store": "store.name", "tier": "tier.name"}.get(level)
    named = localized(part, {"key": field}) if field else part.assign(key=tables.in_words(part["key"], "source"))
    part = named.assign(**{level: named["key"].astype(object).mask(unknown, t("source.unknown"))})
    shown = [Column(level, "text"), *(column(name) for name in ("rate", "likely")), Column("members", "count")]
    listing(part, shown, currency=currency, alt=t("retention.active"), key="retention_members", rows=10, half=True)


def visits(report: RetentionReport, currency: str) -> None:
    """How often customers come in a month with a visit, and the same by store."""
    head.block(t("retention.visits"), t("retention.visits_note", months=WINDOW), t("retention.visits_help"))
    if report.visits_a_month.empty:
        empty.nothing(t("retention.visits_none"))
        return
    charts.show(_visits(report.visits_a_month), alt=t("retention.visits"), key="retention_visits")
    st.caption(t("retention.visits_quote"))
    if len(report.visits_by_store) > 1:
        rows = bands.ranges(localized(report.visits_by_store, {"store": "store.name"}))
        names = ("store", "visits_per_month", "twice_share", "likely", "customer_months")
        shown = [column(name) for name in names]
        listing(
            rows, shown, currency=currency, alt=t("retention.visits"), key="retention_visits_store", rows=8, half=True
        )


def _visits(frame: pd.DataFrame) -> go.Figure:
    names = [
        t("retention.or_more", n=number) if number == MOST_VISITS else tn("retention.times", number, n=number)
        for number in frame["visits"].tolist()
    ]
    return charts.ranked_bars(
        frame.assign(name=names), label="name", value="share", ids="visits", unit="percent", currency=""
    )
