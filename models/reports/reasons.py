"""Reasons: what had happened to customers who then stopped coming, against those who stayed. Association, not cause."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.pseudonym import customer_key
from data_access.queries import lapse as lapse_queries
from data_access.queries import places
from data_access.queries import reasons as queries
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import churn
from models.calc.lift import share_difference
from models.calc.matched import matched_difference
from models.reports._kept import kept_frames
from models.reports._places import rows_of
from models.reports._shape import Columns, select_columns
from models.reports.lapse import YEAR, horizon_of, product_days

KINDS = ("complaint", "return", "stock_out", "price_rise", "adviser_left", "store_closed", "discount_only")
NONE = "none"  # nothing of all that
WINDOW_DAYS = 90  # before the day of the judgement, in which something happened
MEMBERS, MOST_MEMBERS = 1_000, 5_000  # of one answer: unless told, and at most
# Customers are compared with others who had come about as often and were about as overdue.
_VISITS, _OVERDUE = (1, 2, 4, 8, 16, 32), (0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class ReasonsReport:
    """Customers who were active ``horizon_days`` before ``as_of``: who has come since, and what had happened before.

    Only what happened in the 90 days before that day counts, so that whoever stayed had no more time for it.
    """

    as_of: date
    judged_on: date | None  # None: too short a past
    horizon_days: int | None
    currency: str
    judged: int  # customers
    gone: int  # of these, who did not come since
    # one row per kind of event: customers to whom it happened; lapsed_with: of these, who did not come since; its share
    # among all who lapsed and among all who stayed, and the difference of these with its range; matched_difference: how
    # much more often customers with it lapsed than others with as many visits who were as overdue, with its range
    reasons: Annotated[
        pd.DataFrame,
        Columns(
            "reason customers lapsed_with lapsed_share stayed_share difference_of_shares lo95 hi95 "
            "matched_difference matched_lo95 matched_hi95"
        ),
    ]
    # who lapsed, with the last thing that happened before (none: nothing of these), highest net sales of the 365 days
    # before the judgement first
    lapsed: Annotated[pd.DataFrame, Columns("customer_key store_id store reason event_day visits days_since net_sales")]


def reasons(snapshot: Snapshot, scope: Scope, as_of: date, members: int = MEMBERS) -> ReasonsReport:
    """What had happened before customers of the stores in scope stopped coming, as of the end of ``as_of``."""
    info = snapshot.info
    end = min(as_of, info.last_day) if info.last_day is not None else as_of
    days = horizon_of(info.first_day, end)
    kept = kept_frames(snapshot, scope, as_of, "reasons") if members <= MOST_MEMBERS else None
    if kept is not None and days is not None and snapshot.results is not None:
        judged, gone = (int(kept["judged"][name].iloc[0]) for name in ("judged", "gone"))
        lapsed = queries.kept_lapsed(scope, snapshot.results, members)
        frames = select_columns(ReasonsReport, reasons=kept["reasons"], lapsed=lapsed)
        return ReasonsReport(as_of, end - timedelta(days=days), days, info.currency, judged, gone, **frames)
    if days is None:
        return ReasonsReport(as_of, None, None, info.currency, 0, 0, **select_columns(ReasonsReport))
    judged_on = end - timedelta(days=days)
    people = _active(snapshot, scope, judged_on, days)
    if people.empty:
        return ReasonsReport(as_of, judged_on, days, info.currency, 0, 0, **select_columns(ReasonsReport))
    period = Period(judged_on - timedelta(days=WINDOW_DAYS - 1), judged_on)
    found = rows_of(scope, snapshot.engine, queries.events, period)
    found = found[found["customer_no"].isin(people["customer_no"])]
    frames = select_columns(
        ReasonsReport,
        reasons=_compared(people, found),
        lapsed=_lapsed(snapshot, scope, judged_on, end, people, found, members),
    )
    gone = int(people["gone"].sum())
    return ReasonsReport(as_of, judged_on, days, info.currency, len(people), gone, **frames)


def _active(snapshot: Snapshot, scope: Scope, day: date, days: int) -> pd.DataFrame:
    """The customers active on ``day``: customer_no, visits, since, overdue, gone."""
    rows = rows_of(scope, snapshot.engine, lapse_queries.rhythms, day)
    gap = churn.usual_gap(rows["visits"], rows["median_gap"], product_days(snapshot, scope))
    since = rows["age_days"] - rows["recency_days"]
    table = pd.DataFrame(
        {
            "customer_no": rows["customer_no"],
            "visits": rows["visits"],
            "since": since,
            "overdue": since / gap,
            "gone": ~(rows["days_until_next"] <= days),
        }
    )
    return table[table["overdue"] <= churn.LAPSING].reset_index(drop=True)


def _compared(people: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    gone = people["gone"].to_numpy(dtype=bool)
    stratum = np.searchsorted(_VISITS, people["visits"]) * 10 + np.searchsorted(_OVERDUE, people["overdue"])
    lapsed, stayed = int(gone.sum()), int((~gone).sum())
    rows = []
    for kind in (*KINDS, NONE):
        of_kind = found if kind == NONE else found[found["kind"] == kind]
        with_it = people["customer_no"].isin(of_kind["customer_no"]).to_numpy()
        if kind == NONE:
            with_it = ~with_it
        if not with_it.any():
            continue
        both, only_stayed = int((with_it & gone).sum()), int((with_it & ~gone).sum())
        apart = share_difference(both, lapsed, only_stayed, stayed)
        matched = matched_difference(with_it, gone, stratum)
        shares = (both / lapsed if lapsed else np.nan, only_stayed / stayed if stayed else np.nan)
        rows.append((kind, both + only_stayed, both, *shares, apart.value, apart.lo, apart.hi, *matched))
    columns = ["reason", "customers", "lapsed_with", "lapsed_share", "stayed_share", "difference_of_shares"]
    columns += ["lo95", "hi95", "matched_difference", "matched_lo95", "matched_hi95"]
    return pd.DataFrame(rows, columns=columns)


def _lapsed(
    snapshot: Snapshot,
    scope: Scope,
    judged_on: date,
    end: date,
    people: pd.DataFrame,
    found: pd.DataFrame,
    members: int,
) -> pd.DataFrame:
    year = Period(judged_on - timedelta(days=YEAR - 1), judged_on)
    sales = rows_of(scope, snapshot.engine, lapse_queries.sales, year).set_index("customer_no")["net_sales"]
    gone = people[people["gone"].astype(bool)]
    spent = gone.assign(net_sales=gone["customer_no"].map(sales).fillna(0.0).round(2))
    rows = spent.sort_values(["net_sales", "customer_no"], ascending=[False, True], ignore_index=True)[:members]
    # To have bought at a discount is a habit: it explains only where nothing happened.
    ordered = found.assign(habit=found["kind"] == "discount_only").sort_values(
        ["habit", "day"], ascending=[True, False], kind="stable"
    )
    last = ordered.drop_duplicates("customer_no").set_index("customer_no")
    numbers = rows["customer_no"].tolist()
    stores = lapse_queries.last_stores(scope, snapshot.engine, judged_on, numbers).set_index("customer_no")["store_id"]
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    store_id = rows["customer_no"].map(stores)
    return rows.assign(
        customer_key=[customer_key(number) for number in numbers],
        store_id=store_id,
        store=store_id.map(names).astype(object),
        reason=last["kind"].reindex(numbers).astype(object).fillna(NONE).to_numpy(),
        event_day=last["day"].reindex(numbers).to_numpy(),
        days_since=rows["since"] + (end - judged_on).days,
    )
