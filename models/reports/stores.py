"""Stores: every store in scope beside the others, what is chance, and what the best of its peers do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.queries import places
from data_access.queries import stores as queries
from data_access.results.info import is_current
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from data_access.state.targets import Target
from models import metrics
from models.calc.control_limits import judged
from models.reports._compare import Comparison, compare
from models.reports._kept import TEAMS
from models.reports._shape import Columns, select_columns
from models.reports.targets import due_in_month

JOB = "stores"
PEER_DAYS = 91  # that peers are compared over: the last 13 weeks
WEEKS = 13
FIGURES = (
    "traffic",
    "conversion",
    "average_ticket",
    "units_per_transaction",
    "margin_rate",
    "identified_share",
    "return_rate",
    "sales_per_hour",
    "sales_per_m2",
    "in_stock_share",
)
# What the batch keeps of every store in the periods that people mostly ask for.
KEPT = (
    *("net_sales", "last_year", "growth", "comparable_days", "orders", "identified_orders", "counted_day_orders"),
    *FIGURES,
    *("csat", "answers"),
)
# Shares of cases that a funnel plot is drawn of, and the cases.
RATES = {"conversion": ("counted_day_orders", "traffic"), "identified_share": ("identified_orders", "orders")}
# What a store's place among its peers is told of.
BELOW = (
    "net_sales",
    "conversion",
    "average_ticket",
    "units_per_transaction",
    "sales_per_m2",
    "retained_share",
)
AT_A_GLANCE = 60  # stores with weeks
# What a benchmark compares beside net sales; the levers of sales among them.
COMPARED = ("net_sales", "orders", *FIGURES, "price", "csat", "retained_share")


@dataclass(frozen=True, slots=True)
class StoresReport:
    """Money in the chain's currency, excluding tax. Figures a store has no data for are NaN.

    The comparison with peers is of the 13 weeks before ``compared_until``, whatever the period; it is empty (and the
    day None) until a batch has run.
    """

    period: Period | None
    currency: str
    compared_until: date | None
    # one row per store with a figure in the period, by net sales; last_year: net sales of the same calendar days;
    # growth: net sales of the days on which it sold in both years (same weekday 364 days before) over theirs, less 1,
    # of so many comparable_days; csat: mean of answers; target: gross sales
    # to reach in the month in which the period ends, attainment: what was sold of it up to then; of the 13 weeks:
    # gap_to_peers (money), retained_share, below_*: the share of the peers that lie below in a figure
    stores: Annotated[
        pd.DataFrame,
        Columns(
            "store_id store region_id region kind city city_tier latitude longitude net_sales last_year growth "
            "comparable_days orders traffic conversion average_ticket units_per_transaction margin_rate "
            "identified_share return_rate sales_per_hour sales_per_m2 in_stock_share csat answers gap_to_peers "
            "target attainment retained_share below_net_sales below_conversion below_average_ticket "
            "below_units_per_transaction below_sales_per_m2 below_retained_share"
        ),
    ]
    # one row per store and rate with cases in the period: models.calc.control_limits.judged; centre: of all of them
    limits: Annotated[pd.DataFrame, Columns("store_id store metric rate cases centre lo hi lo_wide hi_wide verdict")]
    # one row per week of the 13 that end with the period and store, of those with the most net sales at most
    # ``AT_A_GLANCE``: net sales, and of the same week of the year before
    weeks: Annotated[pd.DataFrame, Columns("store_id store week_ends net_sales last_year")]
    # one row per store and lever: models.calc.peers.gaps, the store with the largest gap first
    levers: Annotated[pd.DataFrame, Columns("store_id store lever own best gain")]


def stores(snapshot: Snapshot, scope: Scope, period: Period, own: Sequence[Target] = ()) -> StoresReport:
    """The stores in scope in ``period`` beside each other; ``own``: targets set here, which count before the CRM's."""
    currency, until = snapshot.info.currency, compared_until(snapshot)
    comparison = compare(snapshot.info, period)
    if comparison is None:
        return StoresReport(None, currency, until, **select_columns(StoresReport))
    now = comparison.period
    facts = queries.facts(scope, snapshot.engine).set_index("store_id")
    found = _kept(snapshot, scope, comparison)
    if found is None:
        found = beside_last_year(snapshot, scope, comparison, facts)
    names = facts["store"]
    levers = _levers(snapshot, scope, names) if until else pd.DataFrame()
    gap = levers.drop_duplicates("store_id").set_index("store_id")["whole"] if until else pd.Series(dtype="float64")
    found["gap_to_peers"] = gap.reindex(found.index)
    due = due_in_month(snapshot, scope, now.last, own).set_index("store_id")
    found = found.join(due[["target", "attainment"]]).join(_beside_peers(snapshot, scope, found.index, until))
    rows = found.join(facts[[name for name in facts if name not in found]])
    largest = tuple(found["net_sales"].sort_values(ascending=False, kind="stable").index[:AT_A_GLANCE])
    kept = {"levers": levers} if until else {}
    frames = select_columns(
        StoresReport,
        stores=rows.reset_index().sort_values(["net_sales", "store_id"], ascending=[False, True], ignore_index=True),
        limits=_limits(found, names),
        weeks=_weeks(snapshot, scope.narrow(largest), now, names),
        **kept,
    )
    return StoresReport(now, currency, until, **frames)


def _kept(snapshot: Snapshot, scope: Scope, comparison: Comparison) -> pd.DataFrame | None:
    """``KEPT`` by store as the batch found them; None where it did not look at these days, or they are compared with
    others than those of a year before."""
    if snapshot.results is None or not is_current(snapshot, TEAMS) or comparison.period.year_back is not None:
        return None
    found = queries.kept_figures(scope, snapshot.results, comparison.period).set_index("store_id")
    return None if found.empty else found


def beside_last_year(snapshot: Snapshot, scope: Scope, comparison: Comparison, facts: pd.DataFrame) -> pd.DataFrame:
    """``figures`` of the period, and last_year: net sales of the same days of the year before, NaN without them."""
    found = figures(snapshot, scope, comparison.period, facts)
    if comparison.last_year is None:
        return found.assign(last_year=np.nan)
    then = queries.sums(scope, snapshot.engine, comparison.last_year).set_index("store_id")["net_sales"]
    return found.assign(last_year=then.reindex(found.index))


def figures(snapshot: Snapshot, scope: Scope, period: Period, facts: pd.DataFrame) -> pd.DataFrame:
    """One row per store with a figure in the period, by id: the sums of ``queries.sums``, ``FIGURES``, price, csat,
    answers, growth, comparable_days. ``facts``: as ``queries.facts``, by store_id."""
    engine = snapshot.engine
    sums = queries.sums(scope, engine, period).set_index("store_id")
    found = sums[sums.index.isin(facts.index)].join(facts["area_m2"])
    for part in (
        queries.hours(scope, engine, period),
        queries.ratings(scope, engine, period),
        queries.shelves(scope, engine),
        queries.comparable(scope, engine, period),
    ):
        found = found.join(part.set_index("store_id"))
    for key in FIGURES:
        metric = metrics.METRICS[key]
        if metric.denominator is not None:
            bottom = found[metric.denominator].astype("float64")
            found[key] = found[metric.numerator].astype("float64") / bottom.where(bottom > 0)
    found["price"] = found["gross_sales"] / found["units"].where(found["units"] > 0)
    before = found["comparable_before"]
    found["growth"] = found["comparable_sales"] / before.where(before > 0) - 1
    return found


def compared_until(snapshot: Snapshot) -> date | None:
    """Up to when a batch compared the stores with their peers; None where it has not for these facts."""
    last = snapshot.info.last_day
    if last is None or snapshot.results is None or not is_current(snapshot, JOB):
        return None
    return last


def peers_of(snapshot: Snapshot, scope: Scope, store_id: str) -> pd.DataFrame:
    """The peers of a store whose names the scope allows, nearest first: peer_store_id, peer (name); none until a batch
    has run. Of the others only quantiles are ever told."""
    if compared_until(snapshot) is None or snapshot.results is None:
        return pd.DataFrame(columns=["peer_store_id", "peer"])
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    near = queries.peers(scope, snapshot.results, store_id)
    return near.assign(peer=near["peer_store_id"].map(names))[["peer_store_id", "peer"]].dropna()


def _levers(snapshot: Snapshot, scope: Scope, names: pd.Series) -> pd.DataFrame:
    """The levers of each store, with their sum (whole): the largest sum first."""
    assert snapshot.results is not None
    gaps = queries.gaps(scope, snapshot.results)
    gaps["whole"] = gaps.groupby("store_id")["gain"].transform("sum")
    gaps = gaps.sort_values(["whole", "store_id", "gain"], ascending=[False, True, False], ignore_index=True)
    return gaps.assign(store=gaps["store_id"].map(names))


def _beside_peers(snapshot: Snapshot, scope: Scope, ids: pd.Index, until: date | None) -> pd.DataFrame:
    """By store: retained_share, and below_* of ``BELOW``."""
    columns = ["retained_share", *(f"below_{name}" for name in BELOW)]
    if until is None or snapshot.results is None:
        return pd.DataFrame(np.nan, index=ids, columns=columns)
    compared = queries.benchmark(scope, snapshot.results, BELOW)
    below = compared.pivot(index="store_id", columns="metric", values="below").add_prefix("below_")
    kept = compared[compared["metric"] == "retained_share"].set_index("store_id")["value"]
    return below.assign(retained_share=kept).reindex(index=ids, columns=columns)


def _limits(found: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    parts = []
    for metric, (hits, cases) in RATES.items():
        rows = found[found[cases].fillna(0) > 0]
        if rows.empty:
            continue
        centre = rows[hits].sum() / rows[cases].sum()
        limits = judged(rows[hits].astype("float64"), rows[cases].astype("float64"))
        parts.append(limits.assign(metric=metric, cases=rows[cases], centre=centre, store=names))
    if not parts:
        return select_columns(StoresReport)["limits"]
    return pd.concat([part.rename_axis("store_id").reset_index() for part in parts], ignore_index=True)


def _weeks(snapshot: Snapshot, scope: Scope, period: Period, names: pd.Series) -> pd.DataFrame:
    """The weeks that end with the period, each beside the same one of the year before (364 days)."""
    span = Period(period.last - timedelta(days=7 * WEEKS - 1), period.last)
    found = queries.weeks(scope, snapshot.engine, span)
    ago = found["weeks_ago"].to_numpy(dtype=np.int64)
    ids = pd.Index(found.loc[ago < WEEKS, "store_id"].unique())
    store, year = ids.get_indexer(found["store_id"]), ago // (queries.SAME_WEEKDAY // 7)
    known = store >= 0
    sold = np.full((2, len(ids), WEEKS), np.nan)  # this year and the one before, the oldest week first
    week = WEEKS - 1 - ago % (queries.SAME_WEEKDAY // 7)
    sold[year[known], store[known], week[known]] = found["net_sales"].to_numpy(dtype=np.float64)[known]
    begin = snapshot.info.first_day
    if begin is None or begin > span.first - timedelta(days=queries.SAME_WEEKDAY):
        sold[1] = np.nan
    ends = pd.date_range(end=pd.Timestamp(period.last), periods=WEEKS, freq="7D", unit="us")
    each = ids.repeat(WEEKS)
    return pd.DataFrame(
        {
            "store_id": each,
            "store": names.reindex(each).array,
            "week_ends": np.tile(ends.to_numpy(), len(ids)),
            "net_sales": np.nan_to_num(sold[0]).ravel(),
            "last_year": sold[1].ravel(),
        }
    )
