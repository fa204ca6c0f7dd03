"""Programme scorecard: satisfaction, recommendation, retention and sales month by month, and what the platform costs
beside what its campaigns verifiably brought."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd

from data_access.marts.tables import UNKNOWN
from data_access.queries import campaign_results, places, retention
from data_access.queries import scorecard as queries
from data_access.results.info import info_of
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from data_access.state.costs import KINDS, Cost
from models.calc.allocation import added
from models.calc.funnel import Z95, wilson
from models.reports._shape import Columns, select_columns

CAMPAIGNS: Final = "campaigns"  # the job that measures what campaigns brought
MONTHS: Final = 24
YEAR: Final = 364  # days: as many of each weekday
LEAST_ANSWERS: Final = 10  # of a month that is told
_EPOCH: Final = 1970 * 12
_SUMS: Final = ["answers", "score", "score_score", "promoters", "detractors"]


@dataclass(frozen=True, slots=True)
class ScorecardReport:
    """The stores in scope up to the end of the month of ``as_of``, whose last month may not be over."""

    as_of: date
    currency: str
    of_chain: bool  # costs and what campaigns brought are the chain's: no rows of them for others
    # one row per month (YYYY-MM) and measure: value with lo95 and hi95 (NaN for a plain sum) and its denominator n;
    # no row of answers below LEAST_ANSWERS. csat: mean of answers of 1 to 5; nps: share of 9 and 10 less that of 0 to
    # 6; active_share: of the customers whose first order lies in an earlier month, those with one in this; net_sales
    months: Annotated[pd.DataFrame, Columns("month measure value lo95 hi95 n")]
    # the same of the last YEAR days (active_share: of the last twelve whole months, added up) by store, and for the
    # chain by region (level: region | store); before: of as many days before them
    places: Annotated[pd.DataFrame, Columns("level place_id place measure value lo95 hi95 n before")]
    # one row per month and kind of cost that was entered
    costs: Annotated[pd.DataFrame, Columns("month kind amount")]
    # one row where a cost is known: over the months of the costs the campaigns that closed in them with a measured
    # range, incremental_margin with its range, cost, balance (margin - cost)
    against: Annotated[
        pd.DataFrame,
        Columns("first_month last_month campaigns incremental_margin incremental_lo incremental_hi cost balance "
                "balance_lo balance_hi"),
    ]  # fmt: skip


def scorecard(snapshot: Snapshot, scope: Scope, as_of: date, costs: Sequence[Cost] = ()) -> ScorecardReport:
    """The last two years of the stores in scope; ``costs``: as they were entered."""
    engine = snapshot.engine
    first = (pd.Timestamp(as_of.replace(day=1)) - pd.DateOffset(months=MONTHS - 1)).date()
    period = Period(first, as_of)
    answers = queries.answers(scope, engine, period)
    sold = queries.sold(scope, engine, period)
    months = pd.concat(
        [_csat(answers), _nps(answers), _active(retention.cohort_months(scope, engine, as_of), period),
         _plain(sold)], ignore_index=True
    )  # fmt: skip
    of_chain = scope.kind == "chain"
    frames = select_columns(
        ScorecardReport,
        months=months.assign(month=months["month"].dt.strftime("%Y-%m")),
        places=_places(snapshot, scope, as_of),
        costs=_costs(costs) if of_chain else _costs(()),
        **({"against": _against(snapshot, scope, costs)} if of_chain and costs else {}),
    )
    return ScorecardReport(as_of, snapshot.info.currency, of_chain, **frames)


def _csat(answers: pd.DataFrame) -> pd.DataFrame:
    rows = answers[answers["kind"] == "csat"]
    n = rows["answers"].astype("float64")
    mean = rows["score"] / n
    variance = (rows["score_score"] - n * mean**2).clip(lower=0) / (n - 1).where(n > 1)
    return _ranged(rows, "csat", mean, Z95 * np.sqrt(variance / n), (1.0, 5.0))


def _nps(answers: pd.DataFrame) -> pd.DataFrame:
    rows = answers[answers["kind"] == "nps"]
    n = rows["answers"].astype("float64")
    up, down = rows["promoters"] / n, rows["detractors"] / n
    return _ranged(rows, "nps", up - down, Z95 * np.sqrt((up + down - (up - down) ** 2).clip(lower=0) / n), (-1.0, 1.0))


def _ranged(
    rows: pd.DataFrame, measure: str, value: pd.Series, reach: pd.Series, ends: tuple[float, float]
) -> pd.DataFrame:
    told = rows["answers"] >= LEAST_ANSWERS
    kept = rows.drop(columns=[*_SUMS, "kind"])  # what the rows are of: a month, or a place
    found = kept.assign(value=value, n=rows["answers"])
    found["lo95"], found["hi95"] = (value - reach).clip(*ends), (value + reach).clip(*ends)
    return found[told].assign(measure=measure)


def _active(cohorts: pd.DataFrame, period: Period) -> pd.DataFrame:
    known = cohorts[cohorts["cohort"] >= 0]
    size = known[known["cohort"] == known["month"]].groupby("cohort")["customers"].sum()
    later = known[known["month"] > known["cohort"]].groupby("month")["customers"].sum()
    first, last = (day.year * 12 + day.month - 1 - _EPOCH for day in (period.first, period.last))
    rows = [(month, int(later.get(month, 0)), int(size[size.index < month].sum())) for month in range(first, last + 1)]
    found = pd.DataFrame([row for row in rows if row[2] > 0], columns=["number", "came", "n"])
    low, high = wilson(found["came"], found["n"])
    month = pd.to_datetime([f"{1970 + number // 12}-{number % 12 + 1:02d}-01" for number in found["number"]])
    return pd.DataFrame(
        {"month": month, "measure": "active_share", "value": found["came"] / found["n"], "lo95": low, "hi95": high,
         "n": found["n"]}
    )  # fmt: skip


def _plain(sold: pd.DataFrame) -> pd.DataFrame:
    rows = sold.rename(columns={"net_sales": "value", "orders": "n"})
    return rows.assign(measure="net_sales", lo95=math.nan, hi95=math.nan)


def _places(snapshot: Snapshot, scope: Scope, as_of: date) -> pd.DataFrame:
    """Every measure by store, and for the chain by region, over a year and the one before."""
    engine, first_day = snapshot.engine, snapshot.info.first_day or as_of
    year = Period(as_of - timedelta(days=YEAR - 1), as_of)
    # A year that the data know in part is nothing to compare with.
    years = [period for period in (year, year.before()) if period is year or period.first >= first_day]
    known = places.stores(scope, engine)
    known = known[known["kind"] != UNKNOWN]
    by_store = [
        (queries.answers_by_store(scope, engine, period), queries.sold_by_store(scope, engine, period))
        for period in years
    ]
    levels: tuple[Literal["region", "store"], ...] = ("region", "store") if scope.kind == "chain" else ("store",)
    found = []
    for level in levels:
        of = known.set_index("store_id")[f"{level}_id"] if level == "region" else _itself(known["store_id"])
        came = queries.came_by_place(scope, engine, level)
        parts = [
            pd.concat([*_of_year(answers, sold, of), _came(came, period.last)], ignore_index=True)
            for (answers, sold), period in zip(by_store, years, strict=True)
        ]
        then = parts[1][["place_id", "measure", "value"]] if len(parts) > 1 else parts[0].iloc[:0]
        both = parts[0].merge(
            then[["place_id", "measure", "value"]].rename(columns={"value": "before"}), "left", ["place_id", "measure"]
        )
        names = known.drop_duplicates(f"{level}_id").set_index(f"{level}_id")[level]
        both = both.assign(place=both["place_id"].map(names), level=level).dropna(subset="place")
        found.append(both.sort_values(["place", "place_id", "measure"]))
    return pd.concat(found, ignore_index=True)


def _itself(ids: pd.Series) -> pd.Series:
    return pd.Series(ids.to_numpy(), index=ids.to_numpy())


def _of_year(answers: pd.DataFrame, sold: pd.DataFrame, of: pd.Series) -> list[pd.DataFrame]:
    """The measures that add up over stores; ``of``: the place of each store."""
    said = answers.assign(place_id=answers["store_id"].map(of)).groupby(["kind", "place_id"])[_SUMS].sum()
    sales = sold.assign(place_id=sold["store_id"].map(of)).groupby("place_id")[["net_sales", "orders"]].sum()
    rows = said.reset_index()
    return [_csat(rows), _nps(rows), _plain(sales.reset_index())]


def _came(months: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Of the earlier customers of each place, added over its last twelve whole months, how many came."""
    over = as_of + timedelta(days=1)
    last = over.year * 12 + over.month - 2 - _EPOCH  # the month before the one in which the next day lies
    first = min(int(months["month"].min()), last - 11) if len(months) else last - 11
    every = range(first, last + 1)
    wide = (months.pivot(index="place_id", columns="month", values=name) for name in ("new", "came"))
    new, came = (frame.reindex(columns=every).fillna(0).astype("int64") for frame in wide)
    earlier = new.cumsum(axis=1).shift(axis=1, fill_value=0)
    some = range(last - 11, last + 1)
    sums = pd.DataFrame({"came": came[some].sum(axis=1), "n": earlier[some].sum(axis=1)})
    sums = sums[sums["n"] > 0].reset_index()
    low, high = wilson(sums["came"], sums["n"])
    return sums[["place_id", "n"]].assign(measure="active_share", value=sums["came"] / sums["n"], lo95=low, hi95=high)


def _costs(costs: Sequence[Cost]) -> pd.DataFrame:
    order = {kind: place for place, kind in enumerate(KINDS)}
    rows = [(f"{one.month:%Y-%m}", one.kind, float(one.amount)) for one in costs]
    rows.sort(key=lambda row: (row[0], order[row[1]]))
    return pd.DataFrame(rows, columns=["month", "kind", "amount"]).astype({"amount": "float64"})


def _against(snapshot: Snapshot, scope: Scope, costs: Sequence[Cost]) -> pd.DataFrame:
    first = min(one.month for one in costs)
    last = (pd.Timestamp(max(one.month for one in costs)) + pd.offsets.MonthEnd(0)).date()
    cost = float(sum(one.amount for one in costs))
    closed = pd.DataFrame(columns=["value", "lo", "hi"])
    if snapshot.results is not None and info_of(snapshot, CAMPAIGNS) is not None:
        rows = campaign_results.rows(scope, snapshot.results)
        inside = rows["window_last"].between(pd.Timestamp(first), pd.Timestamp(last)) & rows["frozen_at"].notna()
        names = {"incremental_margin": "value", "incremental_lo": "lo", "incremental_hi": "hi"}
        closed = rows[inside].rename(columns=names)[["value", "lo", "hi"]].dropna()
    total = added(closed)
    return pd.DataFrame(
        [
            (f"{first:%Y-%m}", f"{last:%Y-%m}", len(closed), total.value, total.lo, total.hi, cost,
             total.value - cost, total.lo - cost, total.hi - cost)
        ],
        columns=["first_month", "last_month", "campaigns", "incremental_margin", "incremental_lo", "incremental_hi",
                 "cost", "balance", "balance_lo", "balance_hi"],
    )  # fmt: skip
