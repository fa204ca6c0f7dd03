"""Retention: how many come for the first time, who comes back, and after how long."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

import pandas as pd

from data_access.errors import Problem
from data_access.pseudonym import customer_key
from data_access.queries import places
from data_access.queries import retention as queries
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.cohorts import cohort_table, new_and_returning, retention_curve
from models.calc.growth import against_the_rest, growth, share
from models.calc.waiting import by_then, days_until, waiting_curve
from models.metrics import METRICS
from models.reports._kept import Frames, kept_frames
from models.reports._shape import Columns, select_columns

WINDOW = 3  # months that stores and regions are judged by: one month of one store is mostly chance
WITHIN = (30, 90, 180, 365)  # days within which a second visit is asked for
FIRST_WITHIN = (30, 90)  # days from joining within which a first order is asked for
LONGEST = 730  # days that the curve of second visits is drawn for
MOST_VISITS = 5  # in a month; more are counted there
MOST_MEMBERS = 20_000  # of one answer
UNKNOWN = "unknown"  # the source of customers without one


MONTHS = 24  # cohorts, unless told


@dataclass(frozen=True, slots=True)
class CohortCell:
    """The customers of one cohort who came in the month so many months later, or who did not."""

    cohort: str  # 'YYYY-MM'
    month_number: int
    came: bool


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """Identified customers of the stores in scope up to the end of ``as_of``. Months are 'YYYY-MM'.

    A month is complete when the data reach its last day by ``as_of``. Months after the data are absent.
    """

    as_of: date
    months: int | None  # how many of the latest cohorts are shown; None: all
    currency: str
    # one row per cohort and month_number (0 = month of the first order) that has begun; customers: of the
    # cohort with an order in that month; size: the cohort; rate = customers / size
    cohorts: Annotated[pd.DataFrame, Columns("cohort month_number size customers rate complete")]
    # all shown cohorts together, complete months only: rate = customers / size of the cohorts that reached it
    curve: Annotated[pd.DataFrame, Columns("month_number size customers rate")]
    # one row per figure over all history: customers, repeat_customers, repeat_purchase_rate,
    # repeat_sales_rate, orders_per_customer
    summary: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per month from the first cohort shown: buyers whose first order is in the month, and the others
    new_returning: Annotated[
        pd.DataFrame,
        Columns("month new returning new_gross_sales returning_gross_sales new_net_sales returning_net_sales complete"),
    ]
    # one row per complete month: new customers against those of the month before. Missing where that one is not in
    # the data as a whole.
    growth: Annotated[pd.DataFrame, Columns("month new previous_new growth lo95 hi95")]
    # one row per region (of the chain) and store with a new customer: the last three complete months against the three
    # before, and whether the place differs from the others of its level (verdict: above, below, unclear)
    growth_by_place: Annotated[pd.DataFrame, Columns("level place_id place new previous_new growth lo95 hi95 verdict")]
    # one row per day after the first visit on which somebody came again: of the waiting, so many then, rate by then
    second_visit: Annotated[pd.DataFrame, Columns("days waiting happened rate lo95 hi95")]
    # one row per within_days: the share who came again by then (their waits being censored at as_of)
    second_within: Annotated[pd.DataFrame, Columns("within_days rate lo95 hi95")]
    # one row per source of the customers at home in scope: how many joined, how many of these have no order yet, and
    # the days by which half and nine tenths have bought (missing: not reached)
    first_order: Annotated[pd.DataFrame, Columns("source joined without_order median_days p90_days")]
    # one row per source and within_days: of those who joined so long ago, how many had bought that soon
    first_within: Annotated[pd.DataFrame, Columns("source within_days eligible bought rate lo95 hi95")]
    # one row per number of visits (5: or more) in a calendar month with one, of the last three complete months
    visits_a_month: Annotated[pd.DataFrame, Columns("visits customer_months share")]
    # the same by store: visits in an average month of a customer with one, and the share who came twice or more
    visits_by_store: Annotated[
        pd.DataFrame, Columns("store_id store customer_months visits_per_month twice_share lo95 hi95")
    ]

    # of the customers registered before the last three complete months, the share who bought in them: level (all |
    # store | tier | source) and which one
    members: Annotated[pd.DataFrame, Columns("level key members bought rate lo95 hi95")]
    # one row per home store: as first_order by source
    first_by_store: Annotated[pd.DataFrame, Columns("store_id store joined without_order median_days p90_days")]

    @property
    def median_days_to_second(self) -> float:
        """The days by which half of the customers have come again; NaN where they have not."""
        return days_until(self.second_visit, 0.5)


SUMMARY = ("customers", "repeat_customers", "repeat_purchase_rate", "repeat_sales_rate", "orders_per_customer")


def retention(snapshot: Snapshot, scope: Scope, as_of: date, months: int | None = MONTHS) -> RetentionReport:
    """Cohorts and repeat purchases of the stores in scope at the end of ``as_of``, as a batch kept them, if it did."""
    if months is not None and months < 1:
        raise Problem(f"months is a whole number from 1, not {months}")
    found = kept_frames(snapshot, scope, as_of, "retention")
    if found is None:
        found = _of_all_months(snapshot, scope, as_of)
    if months is not None:
        first = month_names(pd.Series([_month(_end(snapshot, as_of)) - months + 1]))[0]
        by_month = {"cohorts": "cohort", "new_returning": "month", "growth": "month"}
        found |= {name: found[name][found[name][m] >= first].reset_index(drop=True) for name, m in by_month.items()}
    frames = {**found, "curve": retention_curve(found["cohorts"])}
    return RetentionReport(as_of, months, snapshot.info.currency, **select_columns(RetentionReport, **frames))


def _of_all_months(snapshot: Snapshot, scope: Scope, as_of: date) -> Frames:
    """The tables with every cohort, but for the curve, which follows from those that are shown."""
    activity = queries.cohort_months(scope, snapshot.engine, as_of)
    end = _end(snapshot, as_of)
    last_month, last_complete = _month(end), _month(end + timedelta(days=1)) - 1
    cohorts = cohort_table(activity, last_month, last_complete)
    new_returning = new_and_returning(activity[activity["month"] <= last_month], last_complete)
    complete = complete_months(snapshot, end)
    known = places.stores(scope, snapshot.engine)
    names = known.set_index("store_id")["store"]
    return {
        "growth": _growth(new_returning, complete),
        "growth_by_place": _growth_by_place(snapshot, scope, complete, known),
        **_second_visits(snapshot, scope, end),
        **_first_orders(snapshot, scope, end, names),
        **_visits(snapshot, scope, complete, names),
        "members": _members(snapshot, scope, complete, names),
        "cohorts": cohorts.assign(cohort=month_names(cohorts["cohort"])),
        "summary": _summary(activity),
        "new_returning": new_returning.assign(month=month_names(new_returning["month"])),
    }


def _end(snapshot: Snapshot, as_of: date) -> date:
    """The data end on their last day whatever the calendar says; without any, no month has begun."""
    return min(as_of, snapshot.info.last_day) if snapshot.info.last_day is not None else as_of


def cohort_members(
    snapshot: Snapshot,
    scope: Scope,
    as_of: date,
    cell: CohortCell,
    offset: int = 0,
    limit: int = 50,
    wanted: Wanted = EVERYBODY,
) -> pd.DataFrame:
    """A page of the customers of a cell of the cohorts at the end of ``as_of``, highest net sales first.

    Columns: customer_key, store_id, store (of the last order), first_day, last_day, orders, net_sales.
    """
    asked = _months_of(cell)
    found = queries.cohort_customers(scope, snapshot.engine, as_of, *asked, cell.came, offset, limit, wanted)
    columns = ["customer_key", "store_id", "store", "first_day", "last_day", "orders", "net_sales"]
    return _named(snapshot, scope, found)[columns]


def cohort_count(snapshot: Snapshot, scope: Scope, as_of: date, cell: CohortCell, wanted: Wanted = EVERYBODY) -> int:
    """How many customers ``cohort_members`` lists."""
    found = queries.cohort_count(scope, snapshot.engine, as_of, *_months_of(cell), cell.came, wanted)
    return int(found["customers"].iloc[0])


def _months_of(cell: CohortCell) -> tuple[Period, Period]:
    """The month of the cohort and the one that is looked at."""
    cohort = _number(cell.cohort)
    return month_days(cohort), month_days(cohort + cell.month_number)


def without_order(
    snapshot: Snapshot,
    scope: Scope,
    as_of: date,
    source: str | None = None,
    offset: int = 0,
    limit: int = 50,
    wanted: Wanted = EVERYBODY,
) -> pd.DataFrame:
    """A page of the customers at home in scope without an order, those who joined last first.

    Columns: customer_key, store_id, store (the home store), source, joined_on, days_since_joining.
    """
    found = queries.without_order(scope, snapshot.engine, as_of, source, offset, limit, wanted)
    joined = pd.to_datetime(found["joined_on"])
    rows = _sourced(found).assign(
        joined_on=joined,
        days_since_joining=(pd.Timestamp(as_of) - joined).dt.days,
    )
    return _named(snapshot, scope, rows)[
        ["customer_key", "store_id", "store", "source", "joined_on", "days_since_joining"]
    ]


def without_order_count(snapshot: Snapshot, scope: Scope, as_of: date, wanted: Wanted = EVERYBODY) -> int:
    """How many customers ``without_order`` lists."""
    return int(queries.without_order_count(scope, snapshot.engine, as_of, wanted)["customers"].iloc[0])


def _named(snapshot: Snapshot, scope: Scope, rows: pd.DataFrame) -> pd.DataFrame:
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    return rows.assign(
        customer_key=[customer_key(number) for number in rows["customer_no"]],
        store=rows["store_id"].map(names).astype(object),
    )


def complete_months(snapshot: Snapshot, end: date) -> range:
    """The calendar months that the data hold from their first day to their last, up to ``end``."""
    first = snapshot.info.first_day
    if first is None:
        return range(0)
    begun = _month(first) + (first.day > 1)
    return range(begun, max(_month(end + timedelta(days=1)), begun))


def _growth(new_returning: pd.DataFrame, complete: range) -> pd.DataFrame:
    by_month = new_returning.set_index("month")["new"]
    months = pd.Series([month for month in by_month.index if month in complete], dtype="int64")
    new = months.map(by_month).astype("int64")
    before = pd.Series(
        [float(by_month.get(month - 1, 0)) if month - 1 in complete else math.nan for month in months], dtype="float64"
    )
    return growth(new, before).assign(month=month_names(months), new=new, previous_new=before)


def _growth_by_place(snapshot: Snapshot, scope: Scope, complete: range, known: pd.DataFrame) -> pd.DataFrame:
    """Nothing where the data hold fewer than two windows of whole months. ``known``: the stores in scope."""
    levels: tuple[Literal["region", "store"], ...] = ("region", "store")
    frames = []
    for level in levels:
        found = queries.new_by_place(scope, snapshot.engine, level)
        now, before = complete[-WINDOW:], complete[-2 * WINDOW : -WINDOW]
        if len(before) < WINDOW or found.empty:
            continue
        sums = pd.DataFrame(
            {
                name: found[found["month"].isin(months)].groupby("place_id")["customers"].sum()
                for name, months in (("new", now), ("previous_new", before))
            }
        )
        names = known.drop_duplicates(f"{level}_id").set_index(f"{level}_id")[level]
        table = sums.fillna(0).astype("int64").rename_axis("place_id").reset_index()
        table["place"] = table["place_id"].map(names)
        table = pd.concat([table, growth(table["new"], table["previous_new"])], axis=1)
        verdict = against_the_rest(table["new"], table["new"] + table["previous_new"])
        frames.append(table.assign(level=level, verdict=verdict).sort_values("place", ignore_index=True))
    columns = ["level", "place_id", "place", "new", "previous_new", "growth", "lo95", "hi95", "verdict"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _second_visits(snapshot: Snapshot, scope: Scope, end: date) -> dict[str, pd.DataFrame]:
    waits = queries.second_visits(scope, snapshot.engine, end)
    curve = waiting_curve(waits["days"], waits["customers"], waits["happened"])
    longest = waits["days"].max() if len(waits) else 0
    known = [days for days in WITHIN if days <= longest]
    within = [(days, *by_then(curve, days)) for days in known]
    return {
        "second_visit": curve[curve["days"] <= LONGEST],
        "second_within": pd.DataFrame(within, columns=["within_days", "rate", "lo95", "hi95"]),
    }


def _first_orders(snapshot: Snapshot, scope: Scope, end: date, names: pd.Series) -> dict[str, pd.DataFrame]:
    within = _sourced(queries.bought_within(scope, snapshot.engine, end, FIRST_WITHIN))
    stores = _waits(queries.registered(scope, snapshot.engine, end, "store_id"), "store_id")
    return {
        "first_order": _waits(_sourced(queries.registered(scope, snapshot.engine, end)), "source"),
        "first_by_store": stores.assign(store=stores["store_id"].map(names).astype(object)),
        "first_within": pd.concat([within, share(within["bought"], within["eligible"])], axis=1),
    }


def _waits(waits: pd.DataFrame, by: str) -> pd.DataFrame:
    """One row per group of ``by``, the largest first: joined, without_order, median_days and p90_days."""
    rows = []
    for group, mine in waits.groupby(by):
        people, bought = mine["customers"], mine["happened"].astype(bool)
        curve = waiting_curve(mine["days"], people, bought)
        rows.append((group, people.sum(), people[~bought].sum(), days_until(curve, 0.5), days_until(curve, 0.9)))
    table = pd.DataFrame(rows, columns=[by, "joined", "without_order", "median_days", "p90_days"])
    return table.sort_values("joined", ascending=False, ignore_index=True)


def _sourced(rows: pd.DataFrame) -> pd.DataFrame:
    source = rows["source"].astype(object)
    return rows.assign(source=source.where(source.notna(), UNKNOWN))


def _visits(snapshot: Snapshot, scope: Scope, complete: range, names: pd.Series) -> dict[str, pd.DataFrame]:
    if not len(complete):
        return {}
    period = _window(complete)
    every = queries.visits_in_months(scope, snapshot.engine, period, MOST_VISITS)
    stores = queries.visits_in_months(scope, snapshot.engine, period, MOST_VISITS, by_store=True)
    twice = stores["customer_months"].where(stores["visits"] >= 2, 0)
    sums = (
        stores.assign(twice=twice).groupby("store_id", as_index=False)[["customer_months", "all_visits", "twice"]].sum()
    )
    rates = share(sums["twice"], sums["customer_months"]).rename(columns={"rate": "twice_share"})
    by_store = pd.concat([sums, rates], axis=1).assign(
        store=sums["store_id"].map(names).astype(object),
        visits_per_month=sums["all_visits"] / sums["customer_months"],
    )
    return {
        "visits_a_month": every.assign(share=every["customer_months"] / max(every["customer_months"].sum(), 1)),
        "visits_by_store": by_store.sort_values("store", ignore_index=True),
    }


def _window(complete: range) -> Period:
    """The last three complete months."""
    months = complete[-WINDOW:]
    return Period(month_days(months[0]).first, month_days(months[-1]).last)


def _members(snapshot: Snapshot, scope: Scope, complete: range, names: pd.Series) -> pd.DataFrame:
    """Nothing before the first complete month."""
    if not len(complete):
        return pd.DataFrame(columns=["level", "key", "members", "bought", "rate", "lo95", "hi95"])
    found = queries.members_who_bought(scope, snapshot.engine, _window(complete))
    keys = {
        "all": pd.Series("all", index=found.index, dtype=object),
        "store": found["store_id"].map(names).astype(object).fillna(UNKNOWN),
        "tier": found["tier"].astype(object).fillna(UNKNOWN),
        "source": found["source"].astype(object).fillna(UNKNOWN),
    }
    parts = []
    for level, key in keys.items():
        sums = found[["members", "bought"]].groupby(key.rename("key")).sum().reset_index()
        parts.append(sums.assign(level=level).sort_values("members", ascending=False))
    table = pd.concat(parts, ignore_index=True)
    return pd.concat([table, share(table["bought"], table["members"])], axis=1)


def _number(month: str) -> int:
    """The number of a month 'YYYY-MM'."""
    return 12 * (int(month[:4]) - 1970) + int(month[5:]) - 1


def month_days(month: int) -> Period:
    """The days of a month by its number."""
    first, following = (date(1970 + number // 12, number % 12 + 1, 1) for number in (month, month + 1))
    return Period(first, following - timedelta(days=1))


def _month(day: date) -> int:
    """The number of a calendar month, January 1970 being 0."""
    return 12 * (day.year - 1970) + day.month - 1


def month_names(months: pd.Series) -> pd.Series:
    return pd.Series([f"{1970 + m // 12}-{m % 12 + 1:02d}" for m in months], index=months.index, dtype="str")


def _summary(activity: pd.DataFrame) -> pd.DataFrame:
    known = activity[activity["cohort"] >= 0]
    firsts = known[known["cohort"] == known["month"]]
    sums = {
        "customers": firsts["customers"].sum(),
        "repeat_customers": firsts["repeat_customers"].sum(),
        "orders": known["orders"].sum(),
        "net_sales": known["net_sales"].sum(),
        "repeat_net_sales": known["repeat_net_sales"].sum(),
    }
    return pd.DataFrame(
        {
            "key": SUMMARY,
            "value": [METRICS[key].compute(sums) for key in SUMMARY],
            "unit": [METRICS[key].unit for key in SUMMARY],
        }
    )
