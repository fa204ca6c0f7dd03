"""Profile quality on the data health page: what is filled, by store and adviser, what cannot be right, and the lists to
fix, for whoever may see customers."""

import streamlit as st

from data_access.queries.actions import EVERYBODY
from models.reports import tables
from models.reports.profile_quality import COMPLETE, FIELDS, SALES_DAYS, STALE_MONTHS, TO_FIX, ProfileQualityReport
from pages._ui import actions, charts, empty, export, head, load, session
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.head import Opened
from pages._ui.i18n import localized, t, tn
from pages._ui.tables import PAGE_ROWS, Column, column, first_row, listing, pager

_LEVELS = ("store", "channel", "staff")
_ADVISERS = 12  # rows in sight


def blocks(page: Opened) -> None:
    """Everything about profiles: nothing but sums for whoever sees no customers."""
    with load.working(t("profiles.title")):
        report = load.profile_quality(page.scope, page.period.last, page.generation)
    filled = _anything_filled(report)
    if report.problems["of"].max() == 0:
        with st.container(border=True):
            head.block(t("profiles.title"))
            empty.nothing(t("profiles.nobody"))
    elif not filled:
        with st.container(border=True):
            head.block(t("profiles.title"))
            empty.nothing(t("profiles.nothing_filled"))
    else:
        _profiles(page, report)
    if len(report.unidentified):
        with st.container(border=True):
            _unidentified(report, page.currency)
    sees_customers = session.may_open("customer")
    problem = _to_fix(page, report) if sees_customers and filled else None
    _menu(page, report, problem, sees_customers=sees_customers)


def _anything_filled(report: ProfileQualityReport) -> bool:
    """Whether the CRM says anything about any customer."""
    return bool(report.fields["known"].sum() > 0)


def _profiles(page: Opened, report: ProfileQualityReport) -> None:
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        complete = report.fields.set_index("field").loc[COMPLETE]
        known, people = fmt.count(complete["known"]), fmt.count(complete["customers"])
        share = fmt.percent(complete["share"])
        head.block(t("profiles.title"), t("profiles.note", known=known, people=people, share=share), t("profiles.help"))
        there = report.fields[report.fields["known"].notna()]
        bars = there.assign(name=[_field(field) for field in there["field"]])
        figure = charts.ranked_bars(
            bars, label="name", value="share", ids="field", unit="percent", currency=page.currency
        )
        charts.clicked(figure, alt=t("profiles.title"), key="profile_fields", then=_fix)
        absent = report.fields.loc[report.fields["known"].isna(), "field"]
        if len(absent):
            named = fmt.enumerated(_field(field) for field in absent)
            st.caption(t("profiles.not_in_crm", fields=named))
    with right.container(border=True, height="stretch"):
        head.block(t("profiles.problems"), None, t("profiles.problems_help", months=STALE_MONTHS))
        rows = report.problems.assign(problem=[_problem(name) for name in report.problems["problem"]])
        shown = [column("problem"), column("customers"), Column("share", "percent")]
        listing(rows, shown, currency=page.currency, alt=t("profiles.problems"), key="profile_problems", half=True)
        st.caption(_updates(report))
        if _sees_staff():
            _advisers(report, page.currency)
    if report.by_store["store_id"].nunique() > 1:
        with st.container(border=True):
            head.block(t("profiles.by_store"), t("profiles.by_store_note"))
            field = choice("field", (COMPLETE, *FIELDS), words="profile_field", width=220)
            stores = localized(report.by_store[report.by_store["field"] == field], {"store": "store.name"})
            counts = [Column(name, "count") for name in ("customers", "known", "unknown")]
            listing(
                stores.sort_values("share", ignore_index=True),
                [column("store"), Column("share", "percent"), *counts],
                currency=page.currency,
                alt=t("profiles.by_store"),
                key="profile_stores",
                rows=_ADVISERS,
            )


def _updates(report: ProfileQualityReport) -> str:
    """How many profiles were brought up to date, and by whom."""
    many = report.updates.set_index("updated")["customers"]
    fresh, everybody = int(many.sum()), int(report.updates["of"].max())
    said = {"n": fmt.count(fresh), "share": fmt.percent(fresh / everybody), "months": fmt.count(STALE_MONTHS)}
    whole = tn("profiles.updated", fresh, **said)
    if fresh and many["by_nobody_knows"] == fresh:
        return f"{whole} {t('profiles.updated_by_nobody_knows')}"
    own = int(many["by_customer"])
    return f"{whole} {t('profiles.updated_by_customer', n=fmt.count(own), share=fmt.percent(own / everybody))}"


def _advisers(report: ProfileQualityReport, currency: str) -> None:
    """Complete profiles by who looks after the customers, the fewest first."""
    head.block(t("profiles.by_adviser"), t("profiles.by_adviser_note"))
    rows = localized(report.by_adviser, {"store": "store.name"})
    nobody = rows["staff_id"].isna()
    rows = rows.assign(staff_id=rows["staff_id"].astype(object).mask(nobody, t("profiles.no_adviser")))
    names = ("staff_id", "store") if rows["store"].nunique() > 1 else ("staff_id",)
    shown = [*(column(name) for name in names), Column("share", "percent"), column("customers")]
    listing(rows, shown, currency=currency, alt=t("profiles.by_adviser"), key="profile_advisers", rows=6)


def _unidentified(report: ProfileQualityReport, currency: str) -> None:
    """The share of orders without a customer, where it is highest first."""
    rows = report.unidentified
    whole = rows[rows["level"] == "all"].iloc[0]
    texts = {name: fmt.count(whole[name]) for name in ("unidentified", "orders")}
    said = t("profiles.unidentified_note", share=fmt.percent(whole["share"]), days=SALES_DAYS, **texts)
    head.block(t("profiles.unidentified"), said, t("profiles.unidentified_help"))
    many_stores = (rows["level"] == "store").sum() > 1
    possible = _LEVELS if many_stores else ("staff", "channel")
    levels = tuple(name for name in possible if name != "staff" or _sees_staff())
    level = choice("level", levels, words="profiles.level", width=220)
    part = rows[rows["level"] == level]
    names = load.places(load.generation()).set_index("store_id")["store"]
    if level == "store":
        part = localized(part.assign(key=part["key"].map(names)), {"key": "store.name"})
    shown = [
        Column("who", "text", "channel" if level == "channel" else ""),
        Column("share", "percent"),
        Column("unidentified", "count"),
        column("orders"),
        Column("unidentified_sales", "money"),
    ]
    listing(
        part.rename(columns={"key": "who"}),
        shown,
        currency=currency,
        alt=t("profiles.unidentified"),
        key="profile_unidentified",
        rows=8,
    )


def _to_fix(page: Opened, report: ProfileQualityReport) -> str | None:
    """The list of the customers with one problem, to work through; gives the problem, None when there is none."""
    options = report.to_fix()
    with st.container(border=True):
        heading = st.container()
        if not options:
            head.block(t("profiles.fix"))
            empty.nothing(t("profiles.nothing_to_fix"))
            return None
        problem = choice("fix", options, words="profile_fix", width=320)
        todo = actions.board("data_health")
        many = load.to_fix_count(page.scope, page.period.last, page.generation, problem, todo.wanted)
        with heading:
            head.block(t("profiles.fix"), tn("profiles.people", many, n=fmt.count(many)), t("profiles.fix_help"))
        if problem == "shared":
            rows = todo.rows(report.duplicates)
            shown = [column("customer_key"), Column("kind", "text", "contact_kind"), column("group_key")]
            many = 0  # all of them in one list
        else:
            first = first_row(many, key="profile_page")
            rows = load.to_fix(page.scope, page.period.last, page.generation, problem, todo.wanted, first, PAGE_ROWS)
            looked_after = ("staff_id",) if _sees_staff() else ()
            shown = [column(name) for name in ("customer_key", "last_day", "net_sales", *looked_after)]
            shown.append(Column("profile_updated_on", "day"))
        if rows["store_id"].nunique() > 1:
            shown.append(column("store"))
        people = localized(rows, {"store": "store.name"})
        todo.listing(people, shown, currency=page.currency, alt=t("profiles.fix"), key="profile_fix", rows=PAGE_ROWS)
        pager(many, key="profile_page")
        todo.came_of(page.generation)
    return problem


def _fix(field: str) -> None:
    """A click on a field opens the list of those who lack it."""
    if field in TO_FIX:
        st.query_params["fix"] = field


def _menu(page: Opened, report: ProfileQualityReport, problem: str | None, *, sees_customers: bool) -> None:
    """The files: without customers for whoever sees none."""
    frames = tables(report)
    if not sees_customers:
        frames.pop("duplicates")
    if not _sees_staff():
        frames.pop("by_adviser")
        frames["unidentified"] = frames["unidentified"][frames["unidentified"]["level"] != "staff"]
    listed: export.Unread | None = None
    if problem is not None and problem != "shared":
        columns = ["customer_key", "store_id", "staff_id", "profile_updated_on", "last_day", "net_sales", "store"]
        columns = columns if _sees_staff() else [name for name in columns if name != "staff_id"]
        asked = (page.scope, page.period.last, page.generation, problem)
        read = actions.board("data_health").for_file(lambda: load.every_to_fix(*asked)[columns])
        many = min(load.to_fix_count(*asked, EVERYBODY), load.MOST_TO_FIX)
        listed = export.Unread([*columns, actions.MARKED], many, read)
    cover = page.cover((t("profiles.fix"), _problem(problem))) if problem else page.cover()
    export.menu("profile_quality", cover, frames, listed)


def _sees_staff() -> bool:
    """Whether this person works with single members of staff, and not with sums alone."""
    return session.may_open("staff")


def _field(field: object) -> str:
    return t(f"profile_field.{field}")


def _problem(problem: object) -> str:
    return t(f"profile_fix.{problem}")
