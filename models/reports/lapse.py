"""Lapse: which share of the customers stops coming, who is about to, and how far such judgements held before."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.pseudonym import customer_key
from data_access.queries import lapse as queries
from data_access.queries import places
from data_access.results.info import has_current_rows
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import churn, purchases
from models.calc.churn import Rhythm
from models.calc.growth import against_the_rest, share
from models.calc.purchases import Histories, Purchases
from models.reports._places import rows_of
from models.reports._shape import Columns, select_columns
from models.reports.retention import WINDOW, complete_months, month_days, month_names
from models.reports.value import NEEDED

MONTHS = 24  # of the rate
HORIZONS = (180, 90)  # days that a prediction looks ahead: the first for which there is past enough
LEAST_BEFORE = 90  # days of data before somebody is judged for the first time
YEAR = 365
MOST_MEMBERS = 5_000  # of one answer, and kept by a batch for each place
JOB = "lapse"  # of a batch, which keeps the report of every place

METHODS = ("own_rhythm", "probability_active", "days_since", "flat_days")


@dataclass(frozen=True, slots=True)
class LapseReport:
    """Identified customers of the stores in scope at the end of ``as_of``; orders elsewhere do not exist.

    A visit is a day with a counted order. A customer is overdue by the days since the last visit over the own usual
    gap (see ``models.calc.churn``): active up to 1.5 such gaps, lapsing up to 3, then lost.
    """

    as_of: date
    horizon_days: int | None  # that predictions look ahead; None: too short a past to learn from
    currency: str
    # one row per complete month: active when it began; lost: not back when their usual gap had run out three times
    rate: Annotated[pd.DataFrame, Columns("month active lost churn_rate lo95 hi95")]
    # one row per region and store of several: the last three complete months together, so that active counts customers
    # once in each; verdict: above, below or unclear against all others of the level
    rate_by_place: Annotated[pd.DataFrame, Columns("level place_id place active lost churn_rate lo95 hi95 verdict")]
    # one row per state: customers in it at the end of as_of and their net sales of the last 365 days
    states: Annotated[pd.DataFrame, Columns("state customers share net_sales")]
    # one row per figure: product_days, lapsing and lost (own gaps), fitted_lost (own gaps beyond which at most one in
    # ten came back; missing: nowhere), holdout_start and holdout_days, customers and gone (of the holdout)
    rule: Annotated[pd.DataFrame, Columns("key value")]
    # one row per way to judge: how often it had two customers, one of whom came back, in the right order (AUC); judged
    # horizon_days before as_of with what was known then, against who came since
    check: Annotated[pd.DataFrame, Columns("method auc lo95 hi95 customers")]
    # one row per way that gives a probability and tenth of the customers: said to be gone, and gone
    calibration: Annotated[pd.DataFrame, Columns("method bin customers predicted actual lo95 hi95")]
    # one row per number of own gaps: of those overdue by more than that, who came back within horizon_days
    returns: Annotated[pd.DataFrame, Columns("own_gaps customers returned rate lo95 hi95")]
    # customers who lapse or are lost and bought within the year, highest value at risk first: net_sales of the last 365
    # days times the probability not to come within horizon_days; without a past to learn from, by net sales
    at_risk: Annotated[
        pd.DataFrame,
        Columns(
            "customer_key store_id store state visits usual_gap days_since own_gaps probability_gone "
            "probability_active net_sales value_at_risk few_visits"
        ),
    ]


@dataclass(frozen=True, slots=True)
class _People:
    """The customers of one day, one entry each."""

    number: NDArray[np.int64]
    visits: NDArray[np.int64]
    gap: NDArray[np.float64]
    since: NDArray[np.float64]  # days since the last visit
    until_next: NDArray[np.float64]  # days to the visit that followed; NaN: none
    past: Histories

    @property
    def overdue(self) -> NDArray[np.float64]:
        return self.since / self.gap

    def gone(self, days: int) -> NDArray[np.bool_]:
        """Who did not come in the days after."""
        came: NDArray[np.bool_] = self.until_next <= days
        return ~came


def lapse(snapshot: Snapshot, scope: Scope, as_of: date, members: int = 1_000) -> LapseReport:
    """Who stops coming to the stores in scope, as of the end of ``as_of``; as a batch kept it, where one did."""
    if as_of == snapshot.info.last_day and members <= MOST_MEMBERS and has_current_rows(snapshot, scope, JOB):
        return _kept(snapshot, scope, as_of, members)
    return computed(snapshot, scope, as_of, members)


def _kept(snapshot: Snapshot, scope: Scope, as_of: date, members: int) -> LapseReport:
    assert snapshot.results is not None
    frames = {table: queries.kept(scope, snapshot.results, table) for table in queries.KEPT}
    frames["at_risk"] = frames["at_risk"].head(members)
    days = frames["rule"].set_index("key")["value"].get("holdout_days")
    return LapseReport(
        as_of,
        None if days is None else int(days),
        snapshot.info.currency,
        **select_columns(LapseReport, **frames),
    )


def computed(snapshot: Snapshot, scope: Scope, as_of: date, members: int) -> LapseReport:
    """As ``lapse``, whatever a batch keeps."""
    info = snapshot.info
    end = min(as_of, info.last_day) if info.last_day is not None else as_of
    base = product_days(snapshot, scope)
    horizon = horizon_of(info.first_day, end)
    now = _people(snapshot, scope, end, base)
    sales = rows_of(scope, snapshot.engine, queries.sales, Period(end - timedelta(days=YEAR - 1), end))
    spent = pd.Series(sales["net_sales"].to_numpy(), index=sales["customer_no"].to_numpy())
    net_sales = spent.reindex(now.number).fillna(0.0).to_numpy()
    frames: dict[str, pd.DataFrame] = {}
    rhythm: Rhythm | None = None
    rule: dict[str, float] = {"product_days": base, "lapsing": churn.LAPSING, "lost": churn.LOST}
    if horizon is not None:
        tested = _people(snapshot, scope, end - timedelta(days=horizon), base)
        earlier = _people(snapshot, scope, end - timedelta(days=2 * horizon), base)
        rhythm = churn.learn(tested.gap, tested.overdue, tested.gone(horizon))
        frames, found = _checked(tested, earlier, horizon)
        rule |= found
    fitted = purchases.fit(now.past) if len(now.number) >= NEEDED["buyers"][0] else None
    frames |= {
        "rate": _rate(snapshot, scope, end, base),
        "rate_by_place": _rate_by_place(snapshot, scope, end, base),
        "states": _states(now, net_sales),
        "rule": pd.DataFrame({"key": list(rule), "value": list(rule.values())}),
        "at_risk": _at_risk(
            snapshot, scope, end, now, net_sales, rhythm, fitted.parameters if fitted is not None else None, members
        ),
    }
    return LapseReport(as_of, horizon, info.currency, **select_columns(LapseReport, **frames))


def horizon_of(first_day: date | None, end: date) -> int | None:
    """Learning, testing and the customers' past before both have to fit into the data."""
    past = (end - first_day).days if first_day is not None else 0
    return next((days for days in HORIZONS if past >= 2 * days + LEAST_BEFORE), None)


def product_days(snapshot: Snapshot, scope: Scope) -> float:
    found = queries.product_days(scope, snapshot.engine)["usage_days"]
    return float(found.iloc[0]) if len(found) else churn.BASE_DAYS


def _people(snapshot: Snapshot, scope: Scope, day: date, base: float) -> _People:
    rows = rows_of(scope, snapshot.engine, queries.rhythms, day)
    visits = rows["visits"].to_numpy("int64")
    return _People(
        rows["customer_no"].to_numpy("int64"),
        visits,
        churn.usual_gap(visits, rows["median_gap"], base),
        (rows["age_days"] - rows["recency_days"]).to_numpy("float64"),
        rows["days_until_next"].to_numpy("float64"),
        purchases.histories(visits - 1, rows["recency_days"], rows["age_days"]),
    )


def _rate(snapshot: Snapshot, scope: Scope, end: date, base: float) -> pd.DataFrame:
    months = complete_months(snapshot, end)[1:][-MONTHS:]
    if not len(months):
        return pd.DataFrame(columns=["month", "active", "lost", "churn_rate", "lo95", "hi95"])
    steps = rows_of(scope, snapshot.engine, queries.steps, end)
    found = churn.monthly(steps, _first_days(months), base)
    found = found.assign(month=month_names(found["month"] + months[0]))
    return _with_rate(found[found["active"] > 0].reset_index(drop=True))


def _rate_by_place(snapshot: Snapshot, scope: Scope, end: date, base: float) -> pd.DataFrame:
    months = complete_months(snapshot, end)[1:][-WINDOW:]
    known = places.stores(scope, snapshot.engine)
    levels: tuple[Literal["region", "store"], ...] = ("region", "store")
    frames = []
    for level in levels:
        names = known.drop_duplicates(f"{level}_id").set_index(f"{level}_id")[level]
        if len(months) < WINDOW or len(names) < 2:
            continue
        found = churn.monthly(queries.steps(scope, snapshot.engine, end, level), _first_days(months), base)
        sums = found.groupby("unit", as_index=False)[["active", "lost"]].sum()
        table = _with_rate(sums[sums["active"] > 0].reset_index(drop=True)).rename(columns={"unit": "place_id"})
        verdict = against_the_rest(table["lost"], table["active"])
        table = table.assign(level=level, place=table["place_id"].map(names).astype(object), verdict=verdict)
        frames.append(table.sort_values("place", ignore_index=True))
    columns = ["level", "place_id", "place", "active", "lost", "churn_rate", "lo95", "hi95", "verdict"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _with_rate(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, share(table["lost"], table["active"]).rename(columns={"rate": "churn_rate"})], axis=1)


def _first_days(months: range) -> NDArray[np.int64]:
    """The first day of each month and of the one after them, in days since 1970."""
    firsts = [month_days(month).first for month in (*months, months[-1] + 1)]
    return np.array([(first - date(1970, 1, 1)).days for first in firsts])


def _states(now: _People, net_sales: NDArray[np.float64]) -> pd.DataFrame:
    names = ("active", "lapsing", "lost")
    state = churn.states(now.overdue)
    customers = [int((state == name).sum()) for name in names]
    return pd.DataFrame(
        {
            "state": names,
            "customers": customers,
            "share": [many / len(state) if len(state) else math.nan for many in customers],
            "net_sales": [float(net_sales[state == name].sum()) for name in names],
        }
    )


def _checked(tested: _People, earlier: _People, days: int) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """Every way to judge, with what was known on the day of ``tested``, against who came in the ``days`` after it."""
    gone = tested.gone(days)
    scores: dict[str, NDArray[np.float64]] = {
        "days_since": tested.since,
        "flat_days": (tested.since > churn.FLAT_DAYS).astype("float64"),
    }
    chances: dict[str, NDArray[np.float64]] = {}
    rhythm = churn.learn(earlier.gap, earlier.overdue, earlier.gone(days))
    if rhythm is not None:
        chances["own_rhythm"] = churn.probability_gone(rhythm, tested.gap, tested.overdue)
    fitted = purchases.fit(tested.past) if len(gone) >= NEEDED["buyers"][0] else None
    if fitted is not None:
        none = purchases.visit_chances(fitted.parameters, tested.past, days, 1)[:, 0]
        chances["probability_active"] = none[tested.past.member]
    scores |= chances
    check = [(name, *churn.area_interval(scores[name], gone), len(gone)) for name in METHODS if name in scores]
    tables = [churn.bins(chance, gone).assign(method=name) for name, chance in chances.items()]
    frames = {
        "check": pd.DataFrame(check, columns=["method", "auc", "lo95", "hi95", "customers"]),
        "returns": churn.returns(tested.overdue, gone),
    }
    if tables:
        frames["calibration"] = pd.concat(tables, ignore_index=True)
    found = {
        "fitted_lost": churn.fitted_bound(tested.overdue, gone),
        "holdout_days": float(days),
        "customers": float(len(gone)),
        "gone": float(gone.sum()),
    }
    return frames, found


def _at_risk(
    snapshot: Snapshot,
    scope: Scope,
    end: date,
    now: _People,
    net_sales: NDArray[np.float64],
    rhythm: Rhythm | None,
    fitted: Purchases | None,
    members: int,
) -> pd.DataFrame:
    nothing = np.full(len(now.number), math.nan)
    gone = churn.probability_gone(rhythm, now.gap, now.overdue) if rhythm is not None else nothing
    active = purchases.probability_active(fitted, now.past)[now.past.member] if fitted is not None else nothing
    at_risk = net_sales * (gone if rhythm is not None else 1.0)
    late = np.flatnonzero((now.overdue > churn.LAPSING) & (net_sales > 0))
    chosen = late[np.argsort(-at_risk[late], kind="stable")][:members]
    numbers = now.number[chosen]
    stores = queries.last_stores(scope, snapshot.engine, end, numbers.tolist()).set_index("customer_no")["store_id"]
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    store_id = pd.Series(numbers).map(stores)
    return pd.DataFrame(
        {
            "customer_key": [customer_key(number) for number in numbers.tolist()],
            "store_id": store_id,
            "store": store_id.map(names).astype(object),
            "state": churn.states(now.overdue[chosen]),
            "visits": now.visits[chosen],
            "usual_gap": np.round(now.gap[chosen]),
            "days_since": now.since[chosen].astype("int64"),
            "own_gaps": now.overdue[chosen],
            "probability_gone": gone[chosen],
            "probability_active": active[chosen],
            "net_sales": np.round(net_sales[chosen], 2),
            "value_at_risk": np.round(at_risk[chosen], 2) if rhythm is not None else math.nan,
            "few_visits": now.visits[chosen] <= churn.BASE_GAPS,
        }
    )
