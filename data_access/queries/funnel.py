"""How far each treated customer went in one campaign, by any grouping, and who stopped where.

Steps as in ``data_access.marts.campaign_customer``, for the customers of the stores in scope. Of purchases only those
in the stores in scope count here: who of a few people bought elsewhere is the business of the stores there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Double,
    Engine,
    FromClause,
    Integer,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)

from data_access.marts.campaign_use import BIT, STEPS, campaign_use
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import customer
from data_access.queries._frame import customer_key, fetch, fetch_from
from data_access.queries._groups import NOT_KNOWN
from data_access.queries._segments_then import segments_then
from data_access.queries._walks import Walk as Walk
from data_access.queries._walks import has, seconds, walked_by
from data_access.scope import Scope

GROUPINGS = ("segment", "store", "channel", "staff")
YEAR = 365  # days up to a campaign's first whose net sales say who is worth a call


def used_steps(scope: Scope, engine: Engine, campaign_id: str) -> pd.DataFrame:
    """The steps that anybody took in the campaign and purchases, in their order. Column: step."""
    u = campaign_use.c
    known = select(u.steps).where(u.campaign_id == campaign_id)
    found = fetch(scope, engine, known)
    mask = int(found["steps"].iloc[0]) if len(found) and _sees_anything(scope) else None
    taken = [] if mask is None else [step for step in STEPS if BIT[step] & mask or step in ("bought", "bought_again")]
    return pd.DataFrame({"step": pd.Series(taken, dtype="str")})


def paths(
    scope: Scope, engine: Engine, walk: Walk, grouping: Literal["segment", "store", "channel", "staff"] | None = None
) -> pd.DataFrame:
    """One row per group of the treated and set of steps they took; ``grouping``: by what, None for all together.

    A segment is that of the day before the campaign, which nothing in the campaign has changed yet.

    Columns: part (the group; 'not_known': nobody knows), taken (the set of steps, by ``campaign_use.BIT``), customers.
    """
    with _grouped(scope, engine, walk, grouping) as (connection, walked):
        w = walked.c
        query = (
            select(w.part, w.taken, func.count().label("customers")).group_by(w.part, w.taken).order_by(w.part, w.taken)
        )
        return fetch(scope, engine, query) if connection is None else fetch_from(scope, connection, query)


def durations(scope: Scope, engine: Engine, walk: Walk) -> pd.DataFrame:
    """One row per day after the first step: how many of the treated bought then. Columns: day_number, customers."""
    w = walked_by(scope, walk).c
    day = cast(func.floor(seconds(w.bought_at, w.first_at) / 86_400), Integer)
    bought = (
        select(func.greatest(day, 0).label("day_number"))
        .where(has(w.taken, "bought"), w.bought_at.is_not(None))
        .subquery("bought")
    )
    number = bought.c.day_number
    query = select(number, func.count().label("customers")).group_by(number).order_by(number)
    return fetch(scope, engine, query)


def hours(scope: Scope, engine: Engine, walk: Walk) -> pd.DataFrame:
    """One row per step that somebody took: hours since the first step of those who took it.

    Columns: step, median_hours, p90_hours.
    """
    walked = walked_by(scope, walk)
    w = walked.c
    named = [step for step in STEPS if step != "targeted"]
    columns = []
    for step in named:
        since = case((has(w.taken, step), seconds(w[f"{step}_at"], w.first_at) / 3600))
        columns += [cast(func.median(since), Double), cast(func.quantile_cont(since, 0.9), Double)]
    found = fetch(scope, engine, select(*(column.label(f"c{at}") for at, column in enumerate(columns))))
    values = found.iloc[0].tolist()
    rows = pd.DataFrame({"step": named, "median_hours": values[::2], "p90_hours": values[1::2]})
    return rows[rows["median_hours"].notna()].astype({"median_hours": "float64", "p90_hours": "float64"})


def stopped(scope: Scope, engine: Engine, walk: Walk, step: str, before: date, limit: int) -> pd.DataFrame:
    """Who took ``step`` and none of the later ones, who spent most in the year before the day ``before`` first.

    Columns: customer_key, store_id (missing: nobody knows one), channel, happened_at (of the step, UTC; NaT when nobody
    knows), net_sales and last_day (of that year, in the stores in scope).
    """
    walked = walked_by(scope, walk)
    w, d = walked.c, customer_store_day.c
    later = sum(BIT[name] for name in STEPS[STEPS.index(step) + 1 :])
    here = and_(has(w.taken, step), w.taken.bitwise_and(later) == 0)
    year = d.day.between(before - timedelta(days=YEAR), before - timedelta(days=1))
    spent = scope.limit(
        select(
            d.customer_no,
            func.sum(d.net_sales).label("net_sales"),
            func.max(case((d.orders > 0, d.day))).label("last_day"),
        )
        .where(year)
        .group_by(d.customer_no),
        d.store_id,
    ).subquery("spent")
    query = (
        select(
            customer_key(w.customer_no).label("customer_key"),
            w.store_id,
            w.channel,
            (w.first_at if step == "targeted" else w[f"{step}_at"]).label("happened_at"),
            cast(func.coalesce(spent.c.net_sales, 0), Double).label("net_sales"),
            spent.c.last_day,
        )
        .select_from(walked.outerjoin(spent, spent.c.customer_no == w.customer_no))
        .where(here)
        .order_by(func.coalesce(spent.c.net_sales, 0).desc(), w.customer_no)
        .limit(limit)
    )
    return fetch(scope, engine, query)


@contextmanager
def _grouped(scope: Scope, engine: Engine, walk: Walk, grouping: str | None) -> Iterator[tuple[Any, Subquery]]:
    """Everybody treated with the group, and the connection that must read them (None: any)."""
    walked = walked_by(scope, walk)
    w = walked.c
    if grouping == "segment" and walk.first_day is not None:
        k = customer.c
        with segments_then(scope, engine, walk.first_day - timedelta(days=1)) as then:
            joined = walked.outerjoin(then.buyers, then.buyers.c.customer_no == w.customer_no)
            joined = joined.outerjoin(customer, k.customer_no == w.customer_no)
            yield then.connection, _with_part(joined, w, then.segment(k.joined_on))
        return
    parts: dict[str | None, ColumnElement[Any]] = {"store": w.store_id, "channel": w.channel}
    if grouping == "staff":
        joined = walked.outerjoin(customer, customer.c.customer_no == w.customer_no)
        yield None, _with_part(joined, w, customer.c.owner_staff_id)
    else:
        yield None, _with_part(walked, w, parts.get(grouping, literal("all")))


def _with_part(source: FromClause, walked: Any, part: ColumnElement[Any]) -> Subquery:
    rows = select(func.coalesce(part, NOT_KNOWN).label("part"), walked.taken).select_from(source)
    return rows.subquery("grouped")


def _sees_anything(scope: Scope) -> bool:
    return scope.kind == "chain" or bool(scope.store_ids)
