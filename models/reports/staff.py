"""Staff: what each person sells, raw and beside what the shifts they were given would lead one to expect.

Accounting of hours and sales, adjusted for what a person does not choose. It compares people with the colleagues of
their own store, never stores, and it ranks nobody who has worked too little to tell.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.queries import places, training
from data_access.queries import staff as queries
from data_access.results.info import info_of, is_current
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.staff_effects import LEAST_PEOPLE, Effects, block_days, block_of, effects, log_rate, rank_ranges
from models.metrics import METRICS
from models.reports._shape import Columns, select_columns

Standing = Literal["above", "as_expected", "below", "too_few"]
STANDINGS: tuple[Standing, ...] = ("above", "as_expected", "below", "too_few")
# Nobody is judged below these, nor without a colleague who reaches them in a store whose receipts name somebody.
LEAST_SHIFTS = 6
LEAST_HOURS = 30.0
JOB: Final = "staff"  # that keeps the people of the chain in the days mostly asked for
FIGURES: Final = (
    "raw_per_hour",
    "average_ticket",
    "units_per_transaction",
    "identified_share",
    "return_rate",
    "csat",
    "first_contact",
    "follow_up_rate",
)
QUANTILE_DAYS: Final = 90
LEAST_PEERS: Final = 5

# What is told of one person, in the list and on the card alike.
_PERSON = Columns(
    "staff_id store_id store role shifts hours net_sales raw_per_hour adjusted lo95 hi95 reliability standing rank_low "
    "rank_high gross_sales orders units average_ticket units_per_transaction identified_share return_rate csat answers "
    "tickets response_hours resolution_hours first_contact follow_ups_due follow_ups_done follow_up_rate hired_on"
)


@dataclass(frozen=True, slots=True)
class StaffReport:
    """Money in the chain's currency, excluding tax. ``net_sales``: a person's receipts less what came back of their
    receipts in the period."""

    period: Period
    currency: str
    # people, judged (of them), hours, net_sales, sales_per_hour; spread: how far people truly differ, as a share of
    # the expected sales (one standard deviation; NaN when nobody is judged)
    summary: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per person with a shift or a receipt in the period, the judged ones first, best first. raw_per_hour and
    # adjusted (sales an hour as a ratio to the expected ones, 1 = as expected) with lo95, hi95 and the places that
    # cannot be ruled out are NaN where too little was worked. reliability: which part of what is seen is not chance.
    # Ratings, follow-ups, role and hired_on stand in the row of the person's home store.
    staff: Annotated[pd.DataFrame, _PERSON]


@dataclass(frozen=True, slots=True)
class StaffMemberReport:
    """One person: the coaching card. Money excluding tax."""

    period: Period
    currency: str
    others: int  # in scope who worked enough to be judged
    # one row, as in StaffReport, of the store where the person worked most; the ranges are those of the whole team
    person: Annotated[pd.DataFrame, _PERSON]
    # one row per month (YYYY-MM) with a shift or a receipt; target NaN without one, attainment: gross sales by target;
    # commission_base: gross sales less what came back in the month of any receipt of theirs
    months: Annotated[
        pd.DataFrame, Columns("month hours gross_sales sales_per_hour orders target attainment commission_base")
    ]
    # one row per category sold by the team in the period: the person's own share of their sales beside that of all
    strengths: Annotated[pd.DataFrame, Columns("category own_sales share team_share")]
    # one row per figure that the person has in the period and enough people of the chain have: tenths of those people
    # (in the last 90 days of the data) who are at most as high
    among: Annotated[pd.DataFrame, Columns("measure value tenths people")]
    # one row per recognition ever, the latest first
    praise: Annotated[pd.DataFrame, Columns("given_on reason")]


def staff(snapshot: Snapshot, scope: Scope, period: Period) -> StaffReport:
    """The people of the stores in scope in ``period``, as the batch judged them among all of the chain if it did;
    else judged now, among those in scope."""
    rows, spread = _kept(snapshot, scope, period) or computed(snapshot, scope, period)
    judged = rows["lo95"].notna()
    rows.loc[judged, "rank_low"], rows.loc[judged, "rank_high"] = rank_ranges(
        rows.loc[judged, "lo95"].to_numpy(dtype=np.float64), rows.loc[judged, "hi95"].to_numpy(dtype=np.float64)
    )
    rows["store"] = rows["store_id"].map(places.stores(scope, snapshot.engine).set_index("store_id")["store"])
    frames = select_columns(StaffReport, summary=_summary(rows, spread), staff=_best_first(rows))
    return StaffReport(period, snapshot.info.currency, **frames)


def computed(snapshot: Snapshot, scope: Scope, period: Period) -> tuple[pd.DataFrame, float]:
    """One row per person and store, judged among those in scope: the columns of ``StaffReport.staff`` but the places
    and the name of the store; and how far people truly differ (the logarithm; NaN where nobody is judged)."""
    engine = snapshot.engine
    days = queries.days(scope, engine, period)
    found, judged = judge(days, queries.busy_hours(scope, engine, period))
    rows = _sums(snapshot, scope, period, days).merge(_judgements(found, judged), "left", ["store_id", "staff_id"])
    rows["standing"] = rows["standing"].fillna("too_few")
    return rows, math.nan if found is None else found.spread


def _kept(snapshot: Snapshot, scope: Scope, period: Period) -> tuple[pd.DataFrame, float] | None:
    """The same by the batch; None where it has not looked at these facts or these days."""
    results = snapshot.results
    if results is None or not is_current(snapshot, JOB):
        return None
    spread = queries.kept_spread(scope, results, period)["spread"]
    return None if spread.empty else (queries.kept(scope, results, period), float(spread.iloc[0]))


def _sold_and_returned(
    snapshot: Snapshot, scope: Scope, period: Period, staff_id: str, *, is_kept: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``queries.categories`` and ``queries.returns_by_month``, as the batch kept them if it looked at these days."""
    results, engine = snapshot.results, snapshot.engine
    if is_kept and results is not None:
        return (
            queries.kept_categories(scope, results, period, staff_id),
            queries.kept_returns(scope, results, staff_id),
        )
    return queries.categories(scope, engine, period, staff_id), queries.returns_by_month(scope, engine, staff_id)


def staff_member(
    snapshot: Snapshot,
    scope: Scope,
    period: Period,
    staff_id: str,
    team: Callable[[], StaffReport] | None = None,
) -> StaffMemberReport:
    """One person of the stores in scope; Problem when nobody of that id worked or sold there in ``period``.

    team: gives the report on everybody in the same scope and period, for whoever has it; asked only where the batch
    did not look at these days.
    """
    kept = _kept_person(snapshot, scope, period, staff_id)
    row, others = kept or _person_of((team or partial(staff, snapshot, scope, period))().staff, staff_id)
    if row.empty:
        raise Problem(f"nobody with the id {staff_id!r} worked in your stores in this period: open one from the list")
    engine = snapshot.engine
    months = queries.months(scope, engine, staff_id, snapshot.info.last_day or period.last)
    months = months.merge(queries.targets(scope, engine, staff_id), "left", "month")
    sold, back = _sold_and_returned(snapshot, scope, period, staff_id, is_kept=kept is not None)
    months = months.merge(back, "left", "month")
    months["commission_base"] = months["gross_sales"] - months["returns"].fillna(0.0)
    months["month"] = months["month"].dt.strftime("%Y-%m")
    months["sales_per_hour"] = (months["gross_sales"] / months["hours"]).where(months["hours"] > 0)
    months["attainment"] = (months["gross_sales"] / months["target"]).where(months["target"] > 0)
    strengths = sold.assign(
        own_sales=sold["own"],
        share=sold["own"] / sold["own"].sum() if sold["own"].sum() > 0 else math.nan,
        team_share=sold["all"] / sold["all"].sum() if sold["all"].sum() > 0 else math.nan,
    )
    frames = select_columns(
        StaffMemberReport,
        person=row,
        months=months,
        strengths=strengths,
        among=_among(snapshot, scope, row.iloc[0]),
        praise=training.praise(scope, engine, Period(date.min, period.last), staff_id),
    )
    return StaffMemberReport(period, snapshot.info.currency, others, **frames)


def _person_of(team: pd.DataFrame, staff_id: str) -> tuple[pd.DataFrame, int]:
    """The row of a person in the store where most was worked, and how many others are judged."""
    own = team["staff_id"] == staff_id
    return team[own].nlargest(1, "hours").reset_index(drop=True), int((team["adjusted"].notna() & ~own).sum())


def _kept_person(snapshot: Snapshot, scope: Scope, period: Period, staff_id: str) -> tuple[pd.DataFrame, int] | None:
    """The same by the batch, which nobody else's name is read for; None where it has not looked at these days."""
    results = snapshot.results
    if results is None or not is_current(snapshot, JOB):
        return None
    rows = queries.kept(scope, results, period, staff_id)
    if rows.empty and queries.kept_spread(scope, results, period).empty:
        return None
    every = queries.kept_ranges(scope, results, period)
    judged = rows["lo95"].notna()
    rows.loc[judged, "rank_low"], rows.loc[judged, "rank_high"] = rank_ranges(
        rows.loc[judged, "lo95"].to_numpy(dtype=np.float64),
        rows.loc[judged, "hi95"].to_numpy(dtype=np.float64),
        among=(every["lo95"].to_numpy(dtype=np.float64), every["hi95"].to_numpy(dtype=np.float64)),
    )
    here = places.stores(scope.narrow(rows["store_id"]), snapshot.engine).set_index("store_id")["store"]
    row, _ = _person_of(_best_first(rows.assign(store=rows["store_id"].map(here))), staff_id)
    return row, len(every) - int(judged.sum())


def quantiles(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """The tenths of the people of a scope in each of ``FIGURES``, over the last 90 days of the data: figure, tenth (1
    to 9), value, people; none of a figure that fewer than ``LEAST_PEERS`` have."""
    last = snapshot.info.last_day
    rows: list[tuple[str, int, float, int]] = []
    if last is not None:
        period = Period(last - timedelta(days=QUANTILE_DAYS - 1), last)
        people = _sums(snapshot, scope, period, queries.days(scope, snapshot.engine, period))
        people = people[people["hours"] >= LEAST_HOURS]
        for figure in FIGURES:
            known = people[figure].dropna()
            if len(known) >= LEAST_PEERS:
                values = np.quantile(known, np.arange(1, 10) / 10)
                rows += [(figure, tenth, float(value), len(known)) for tenth, value in enumerate(values, start=1)]
    return pd.DataFrame(rows, columns=["figure", "tenth", "value", "people"])


def _among(snapshot: Snapshot, scope: Scope, person: pd.Series) -> pd.DataFrame:
    """Where a person stands among those of the chain; nothing without results."""
    results = snapshot.results
    if results is None or info_of(snapshot, JOB) is None:
        return pd.DataFrame(columns=["measure", "value", "tenths", "people"])
    known = training.quantiles(scope, results)
    rows = [
        (figure, float(person[figure]), int((some["value"] <= person[figure]).sum()), int(some["people"].iloc[0]))
        for figure, some in known.groupby("figure")
        if pd.notna(person[str(figure)])
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "tenths", "people"])


def judge(days: pd.DataFrame, busy: pd.DataFrame) -> tuple[Effects | None, pd.DataFrame]:
    """The effects of whoever worked enough, and who they are in their order (store_id, staff_id).

    A shift brings with it the visitors that its hours usually bring to each of the people on the floor, and the week.
    """
    shifts = days[days["hours"] > 0].assign(
        store_id=lambda f: f["store_id"].astype("str"), staff_id=lambda f: f["staff_id"].astype("str")
    )
    worked = shifts.groupby(["store_id", "staff_id"]).agg(
        shifts=("hours", "size"), hours=("hours", "sum"), sales=("gross_sales", "sum")
    )
    enough = worked[(worked["shifts"] >= LEAST_SHIFTS) & (worked["hours"] >= LEAST_HOURS)].reset_index()
    team = enough.groupby("store_id")["sales"].agg(["size", "sum"]).loc[enough["store_id"]].reset_index(drop=True)
    keys = enough.loc[(team["size"] > 1) & (team["sum"] > 0), ["store_id", "staff_id"]].reset_index(drop=True)
    if len(keys) < LEAST_PEOPLE:
        return None, keys
    shifts = shifts.merge(keys.assign(number=np.arange(len(keys))), "inner", ["store_id", "staff_id"])
    shifts["busy"] = _busyness(shifts, busy)
    blocks = _blocks(shifts)
    hours = blocks["hours"].to_numpy(dtype=np.float64)
    found = effects(
        log_rate(blocks["gross_sales"].to_numpy(dtype=np.float64), hours),
        hours,
        np.unique(blocks["store_id"], return_inverse=True)[1].astype(np.int64),
        blocks["number"].to_numpy(dtype=np.int64),
        blocks[["busy"]].to_numpy(dtype=np.float64),
        np.unique(blocks["block"], return_inverse=True)[1].astype(np.int64),
    )
    return found, keys


def _blocks(shifts: pd.DataFrame) -> pd.DataFrame:
    """The shifts of each person in a store that are looked at together.

    Columns: store_id, staff_id, number, part, block (the week, or the part if longer), busy (mean by hours), hours,
    gross_sales.
    """
    days = shifts["day"].to_numpy().astype("datetime64[D]")
    length = block_days(days, shifts["gross_sales"].to_numpy(dtype=np.float64), shifts["number"].to_numpy(np.int64))
    # Single days are told apart by their week: what a week brings, all have.
    together = shifts.assign(part=block_of(days, length), block=block_of(days, max(length, 7)))
    together["busy"] = together["busy"] * together["hours"]
    keys = ["store_id", "staff_id", "number", "part", "block"]
    found = together.groupby(keys)[["busy", "hours", "gross_sales"]].sum().reset_index()
    return found.assign(busy=found["busy"] / found["hours"])


def _busyness(shifts: pd.DataFrame, busy: pd.DataFrame) -> NDArray[np.float64]:
    """Of each shift, the logarithm of the visitors its hours usually bring to each of the people on the floor, by the
    hour; 0 where no visitor is known.

    What an hour of a weekday usually brings is shared by those whose shifts cover it on the day.
    """
    stores = pd.Index(shifts["store_id"].unique())
    store = stores.get_indexer(shifts["store_id"])
    days = shifts["day"].to_numpy().astype("datetime64[D]")
    day = (days - days.min()).astype(np.int64)
    first = shifts["first_hour"].to_numpy(dtype=np.int64)
    last = np.minimum(np.maximum(shifts["last_hour"].to_numpy(dtype=np.int64), first + 1), 24)
    crew = np.zeros((len(stores), day.max() + 1, 25))
    np.add.at(crew, (store, day, first), 1)
    np.add.at(crew, (store, day, last), -1)
    crew = np.maximum(crew.cumsum(axis=2), 1)
    known = busy[busy["store_id"].isin(stores)]
    usual = np.zeros((len(stores), 7, 25))
    usual[stores.get_indexer(known["store_id"]), known["weekday"] - 1, known["hour"] + 1] = known["visitors"]
    weekday = (np.arange(crew.shape[1]) + pd.Timestamp(days.min()).day_of_week) % 7
    share = usual[:, weekday, :]
    share[:, :, 1:] /= crew[:, :, :24]
    total = share.cumsum(axis=2)  # of the hours before each full hour
    brings = (total[store, day, last] - total[store, day, first]) / (last - first)
    mean = brings[brings > 0].mean() if (brings > 0).any() else math.nan
    return np.zeros(len(shifts)) if math.isnan(mean) else np.log(np.maximum(brings, 0.1 * mean) / mean)


def _best_first(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(
        ["adjusted", "net_sales", "staff_id"], ascending=[False, False, True], na_position="last", ignore_index=True
    )


def _sums(snapshot: Snapshot, scope: Scope, period: Period, days: pd.DataFrame) -> pd.DataFrame:
    """One row per person and store: what they worked, sold, and how customers were served; nothing adjusted."""
    engine = snapshot.engine
    keys = ["store_id", "staff_id"]
    text = {name: days[name].astype("str") for name in keys}
    sums = (
        days.assign(**text, shifts=(days["hours"] > 0).astype("int64"))
        .groupby(keys)[["shifts", "hours", "gross_sales", "orders", "units"]]
        .sum()
        .reset_index()
    )
    about = queries.people(scope, engine).drop(columns=["store", "left_on"])
    rows = sums.merge(about, "left", keys).merge(queries.ratings(scope, engine, period), "left", keys)
    rows = rows.merge(queries.returns(scope, engine, period), "left", keys)
    rows = rows.merge(queries.members(scope, engine, period), "left", keys)
    rows["returns"] = rows["returns"].fillna(0.0)
    rows["net_sales"] = rows["gross_sales"] - rows["returns"]
    rows["raw_per_hour"] = (rows["net_sales"] / rows["hours"]).where(rows["hours"] > 0)
    rows["average_ticket"] = (rows["net_sales"] / rows["orders"]).where(rows["orders"] > 0)
    rows["units_per_transaction"] = (rows["units"] / rows["orders"]).where(rows["orders"] > 0)
    rows["identified_share"] = (rows["identified_orders"] / rows["orders"]).where(rows["orders"] > 0)
    rows["return_rate"] = (rows["returns"] / rows["gross_sales"]).where(rows["gross_sales"] > 0)
    rows = rows.merge(queries.service(scope, engine, period), "left", keys)
    rows = rows.merge(queries.follow_ups(scope, engine, period), "left", keys)
    rows["follow_up_rate"] = rows["follow_ups_done"] / rows["follow_ups_due"]
    return rows


def _judgements(found: Effects | None, judged: pd.DataFrame) -> pd.DataFrame:
    """One row per judged person: store_id, staff_id, adjusted, lo95, hi95, reliability and standing."""
    if found is None:
        columns = ["adjusted", "lo95", "hi95", "reliability"]
        return judged.iloc[:0].assign(**dict.fromkeys(columns, math.nan), standing=pd.Series(dtype="str"))
    return judged.assign(
        adjusted=found.adjusted,
        lo95=found.lo95,
        hi95=found.hi95,
        reliability=found.reliability,
        standing=np.select([found.lo95 > 1, found.hi95 < 1], ["above", "below"], "as_expected"),
    )


def _summary(rows: pd.DataFrame, spread: float) -> pd.DataFrame:
    hours, worked = float(rows["hours"].sum()), rows[rows["hours"] > 0]
    figures: dict[str, tuple[float, Any]] = {
        "people": (len(rows), "count"),
        "judged": (int((rows["standing"] != "too_few").sum()), "count"),
        "hours": (hours, "count"),
        "net_sales": (float(rows["net_sales"].sum()), METRICS["net_sales"].unit),
        "sales_per_hour": (worked["net_sales"].sum() / hours if hours > 0 else math.nan, "money"),
        "spread": (math.expm1(spread), "percent"),
    }
    return pd.DataFrame([(key, *figure) for key, figure in figures.items()], columns=["key", "value", "unit"])
