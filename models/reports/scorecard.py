"""Programme scorecard: satisfaction, recommendation, retention and sales month by month, and what the platform costs
beside what its campaigns verifiably brought."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.marts.tables import UNKNOWN
from data_access.queries import campaign_results, places, retention
from data_access.queries import scorecard as queries
from data_access.results.info import info_of
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from data_access.state.costs import KINDS, Cost
from models.calc.allocation import added
from models.calc.funnel import Z95, wilson
from models.reports._kept import TEAMS, Frames, kept_frames
from models.reports._shape import Columns, select_columns

CAMPAIGNS: Final = "campaigns"  # the job that measures what campaigns brought
MONTHS: Final = 24
YEAR: Final = 364  # days: as many of each weekday
LEAST_ANSWERS: Final = 10  # of a month that is told
Floats = NDArray[np.float64]
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
    found = kept_frames(snapshot, scope, as_of, "scorecard", job=TEAMS) or measures(snapshot, scope, as_of)
    of_chain = scope.kind == "chain"
    frames = select_columns(
        ScorecardReport,
        **found,
        costs=_costs(costs) if of_chain else _costs(()),
        **({"against": _against(snapshot, scope, costs)} if of_chain and costs else {}),
    )
    return ScorecardReport(as_of, snapshot.info.currency, of_chain, **frames)


def measures(snapshot: Snapshot, scope: Scope, as_of: date) -> Frames:
    """The tables months and places of ``ScorecardReport``, added up now."""
    engine = snapshot.engine
    first = (pd.Timestamp(as_of.replace(day=1)) - pd.DateOffset(months=MONTHS - 1)).date()
    period = Period(first, as_of)
    answers = queries.answers(scope, engine, period)
    sold = queries.sold(scope, engine, period)
    months = pd.concat(
        [_csat(answers), _nps(answers), _active(retention.cohort_months(scope, engine, as_of), period),
         _plain(sold)], ignore_index=True
    )  # fmt: skip
    months["month"] = months["month"].dt.strftime("%Y-%m")
    return {"months": months, "places": _places(snapshot, scope, as_of)}


def _csat(answers: pd.DataFrame) -> pd.DataFrame:
    rows = _told(answers, "csat")
    n, score, squares = (rows[name].to_numpy(dtype=np.float64) for name in ("answers", "score", "score_score"))
    mean = score / n
    spread = np.maximum(squares - n * mean**2, 0.0)
    variance = np.divide(spread, n - 1, out=np.full(len(n), np.nan), where=n > 1)
    return _ranged(rows, "csat", mean, Z95 * np.sqrt(variance / n), (1.0, 5.0))


def _nps(answers: pd.DataFrame) -> pd.DataFrame:
    rows = _told(answers, "nps")
    n, up, down = (rows[name].to_numpy(dtype=np.float64) for name in ("answers", "promoters", "detractors"))
    value = (up - down) / n
    return _ranged(rows, "nps", value, Z95 * np.sqrt(np.maximum((up + down) / n - value**2, 0.0) / n), (-1.0, 1.0))


def _told(answers: pd.DataFrame, kind: str) -> pd.DataFrame:
    return answers[(answers["kind"] == kind) & (answers["answers"] >= LEAST_ANSWERS)]


def _ranged(rows: pd.DataFrame, measure: str, value: Floats, reach: Floats, ends: tuple[float, float]) -> pd.DataFrame:
    low, high = np.clip(value - reach, *ends), np.clip(value + reach, *ends)
    kept = rows.drop(columns=[*_SUMS, "kind"])  # what the rows are of: a month, or a place
    return kept.assign(measure=measure, value=value, n=rows["answers"], lo95=low, hi95=high)


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
    levels: tuple[Literal["region", "store"], ...] = ("region", "store") if scope.kind == "chain" else ("store",)
    of: dict[str, pd.Series] = {
        level: pd.Series(known[f"{level}_id"].array, known["store_id"].array) for level in levels
    }
    answers, sold = (
        pd.concat([ask(scope, engine, period).assign(ago=ago) for ago, period in enumerate(years)], ignore_index=True)
        for ask in (queries.answers_by_store, queries.sold_by_store)
    )
    said = _added(answers, of, ["level", "ago", "kind", "place_id"], _SUMS)
    came = [
        _came(queries.came_by_place(scope, engine, level), [p.last for p in years]).assign(level=level)
        for level in levels
    ]
    trade = _added(sold, of, ["level", "ago", "place_id"], ["net_sales", "orders"])
    every = pd.concat([_csat(said), _nps(said), _plain(trade), *came], ignore_index=True)
    names = pd.concat(
        [known[[f"{level}_id", level]].drop_duplicates(f"{level}_id").set_axis(["place_id", "place"], axis=1)
         .assign(level=level) for level in levels]
    )  # fmt: skip
    key = ["level", "place_id", "measure"]
    then = every.loc[every["ago"] == 1, [*key, "value"]].rename(columns={"value": "before"})
    both = every[every["ago"] == 0].merge(then, "left", key).merge(names, "inner", ["level", "place_id"])
    return both.sort_values(["level", "place", "place_id", "measure"], ignore_index=True)


def _added(rows: pd.DataFrame, of: Mapping[str, pd.Series], keys: list[str], sums: list[str]) -> pd.DataFrame:
    """Rows of stores added up by ``keys`` at every level; ``of``: the place of each store, by level."""
    places_ = [rows.assign(level=level, place_id=rows["store_id"].map(place)) for level, place in of.items()]
    return pd.concat(places_, ignore_index=True).groupby(keys)[sums].sum().reset_index()


def _came(months: pd.DataFrame, lasts: Sequence[date]) -> pd.DataFrame:
    """Of the earlier customers of each place, added over the last twelve whole months up to each
    of the last days, how many came; ago: which of these."""
    ids = pd.Index(months["place_id"].unique())
    over = [last + timedelta(days=1) for last in lasts]
    ends = [day.year * 12 + day.month - 2 - _EPOCH for day in over]  # the month before that in which the next day lies
    first = min([end - 11 for end in ends] + ([int(months["month"].min())] if len(months) else []))
    new, came = np.zeros((2, len(ids), max(ends) - first + 1), dtype=np.int64)
    inside = months[months["month"] <= max(ends)]
    at = ids.get_indexer(inside["place_id"]), inside["month"].to_numpy(dtype=np.int64) - first
    new[at], came[at] = inside["new"], inside["came"]
    earlier = new.cumsum(axis=1) - new
    parts = []
    for ago, end in enumerate(ends):
        some = slice(end - 11 - first, end + 1 - first)
        sums = pd.DataFrame({"place_id": ids, "came": came[:, some].sum(axis=1), "n": earlier[:, some].sum(axis=1)})
        parts.append(sums[sums["n"] > 0].assign(ago=ago))
    both = pd.concat(parts, ignore_index=True)
    low, high = wilson(both["came"], both["n"])
    return both.drop(columns="came").assign(measure="active_share", value=both["came"] / both["n"], lo95=low, hi95=high)


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
