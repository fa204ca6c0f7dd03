"""What stores are compared by: sums of a period, hours, ratings, shelves, weeks; and what a batch keeps beside them.

Money in the chain's currency, excluding tax.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Date,
    Double,
    Engine,
    Integer,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)

from data_access.marts._bridge import days_between
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.staff_day import staff_day
from data_access.marts.stock_position import stock_position
from data_access.marts.store_category_day import store_category_day
from data_access.marts.store_day import store_day
from data_access.marts.tables import price_promotion, store, store_closure, survey_answer
from data_access.queries._frame import amount, count, fetch, fetch_many, within, within_any
from data_access.results.tables import (
    store_alert,
    store_band,
    store_benchmark,
    store_figure,
    store_gap,
    store_peer,
    store_watch,
)
from data_access.scope import Period, Scope

SAME_WEEKDAY = 364  # days back to the same weekday of the year before


def facts(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per store in scope, by id: store_id, store (name), region_id, region, kind, city, city_tier, area_m2,
    opened_on, closed_on, latitude, longitude."""
    s = store.c
    query = select(
        s.store_id,
        s.name.label("store"),
        s.region_id,
        s.region_name.label("region"),
        *(s[name] for name in ("kind", "city", "city_tier", "area_m2", "opened_on", "closed_on")),
        s.latitude,
        s.longitude,
    ).order_by(s.store_id)
    return fetch(scope, engine, scope.limit(query, s.store_id))


def sums(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope with a sale, a return or a visitor in the period, by id.

    Columns: store_id, net_sales, gross_sales, returns_of_sales, units, orders, identified_orders, sales_margin and
    costed_sales (gross sales less cost, and gross sales, of days with a cost), traffic (NaN without a valid door
    count), counted_day_orders.
    """
    c = store_day.c
    query = (
        select(
            c.store_id,
            *(amount(c[name]).label(name) for name in ("net_sales", "gross_sales", "returns_of_sales", "units")),
            count(c.orders).label("orders"),
            count(c.identified_orders).label("identified_orders"),
            amount(c.gross_sales - c.cost, c.cost.is_not(None)).label("sales_margin"),
            amount(c.gross_sales, c.cost.is_not(None)).label("costed_sales"),
            cast(func.sum(c.visitors), Double).label("traffic"),
            count(c.orders, c.visitors.is_not(None)).label("counted_day_orders"),
        )
        .where(within(c.day, period))
        .group_by(c.store_id)
        .order_by(c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def comparable(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope that sold on a day of the period and on the same weekday a year (364 days) earlier:
    store_id, comparable_sales and comparable_before (net sales of these days, then and now), comparable_days."""
    c = store_day.c
    earlier = Period(period.first - timedelta(days=SAME_WEEKDAY), period.last - timedelta(days=SAME_WEEKDAY))

    def sold(days: Period, name: str) -> Any:
        query = select(c.store_id, c.day, c.net_sales).where(within(c.day, days), c.orders > 0)
        return scope.limit(query, c.store_id).subquery(name)

    now, then = sold(period, "now"), sold(earlier, "earlier")
    # An equation of days: for one of their difference every day would be tried with every other.
    same = and_(now.c.store_id == then.c.store_id, then.c.day == now.c.day - cast(SAME_WEEKDAY, Integer))
    query = (
        select(
            now.c.store_id,
            amount(now.c.net_sales).label("comparable_sales"),
            amount(then.c.net_sales).label("comparable_before"),
            cast(func.count(), BigInteger).label("comparable_days"),
        )
        .select_from(now.join(then, same))
        .group_by(now.c.store_id)
        .order_by(now.c.store_id)
    )
    return fetch(scope, engine, query)


def hours(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope with a rostered shift in the period: store_id, hours."""
    c = staff_day.c
    query = (
        select(c.store_id, cast(func.sum(c.hours), Double).label("hours"))
        .where(within(c.day, period), c.hours > 0)
        .group_by(c.store_id)
        .order_by(c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def ratings(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope whose people were rated in the period: store_id, csat (mean of 1 to 5), answers."""
    c = survey_answer.c
    query = (
        select(
            c.store_id, cast(func.avg(c.score), Double).label("csat"), cast(func.count(), BigInteger).label("answers")
        )
        .where(c.kind == "staff", within(cast(c.answered_at, Date), period))
        .group_by(c.store_id)
        .order_by(c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def shelves(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per store in scope with a counted shelf, as of the snapshot: store_id, shelves, in_stock (of them, those
    with something to sell)."""
    c = stock_position.c
    query = (
        select(
            c.store_id,
            cast(func.count(), BigInteger).label("shelves"),
            count(case((c.on_hand > c.reserved, 1), else_=0)).label("in_stock"),
        )
        .where(c.counted_at.is_not(None))
        .group_by(c.store_id)
        .order_by(c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def weeks(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope and week with a row, of the period (weeks end on its last day) and of the same days a
    year (364 days, 52 weeks) earlier: store_id, weeks_ago (0: the last one), net_sales."""
    c = store_day.c
    earlier = Period(period.first - timedelta(days=SAME_WEEKDAY), period.last - timedelta(days=SAME_WEEKDAY))
    ago = cast(func.floor(days_between(c.day, literal(period.last, Date)) / 7), BigInteger).label("weeks_ago")
    query = (
        select(c.store_id, ago, amount(c.net_sales).label("net_sales"))
        .where(within_any(c.day, [period, earlier]))
        .group_by(c.store_id, ago)
        .order_by(c.store_id, ago.desc())
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def retained(scope: Scope, engine: Engine, period: Period, compared: Period) -> pd.DataFrame:
    """One row per store in scope with an identified buyer in the period ``compared``: store_id, retainable (buyers
    then), retained (of them, those who bought there again in ``period``)."""
    c = customer_store_day.c
    bought = (
        select(
            c.store_id,
            c.customer_no,
            func.bool_or(within(c.day, compared)).label("then"),
            func.bool_or(within(c.day, period)).label("again"),
        )
        .where(c.orders > 0, within_any(c.day, [compared, period]))
        .group_by(c.store_id, c.customer_no)
    )
    b = scope.limit(bought, c.store_id).subquery("bought").c
    query = (
        select(
            b.store_id,
            cast(func.count(), BigInteger).label("retainable"),
            count(cast(b.again, BigInteger)).label("retained"),
        )
        .where(b.then)
        .group_by(b.store_id)
        .order_by(b.store_id)
    )
    return fetch(scope, engine, query)


def mix(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope and category sold in the period: store_id, category ('' without one), gross_sales."""
    c = store_category_day.c
    category = func.coalesce(c.category, "")
    query = (
        select(c.store_id, category.label("category"), amount(c.gross_sales).label("gross_sales"))
        .where(within(c.day, period))
        .group_by(c.store_id, category)
        .order_by(c.store_id, category)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def series(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope and day of the period with a sale, a return or a visitor: store_id (a category), day
    (datetime64), gross_sales, orders, traffic (NaN without a valid door count)."""
    c = store_day.c
    query = (
        select(
            c.store_id,
            c.day,
            cast(c.gross_sales, Double).label("gross_sales"),
            cast(c.orders, Double).label("orders"),
            cast(c.visitors, Double).label("traffic"),
        )
        .where(within(c.day, period))
        .order_by(c.store_id, c.day)
    )
    return fetch_many(scope, engine, scope.limit(query, c.store_id), categories=("store_id",))


def closures(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per store in scope and day on which it was closed: store_id, day (datetime64)."""
    c = store_closure.c
    query = select(c.store_id, c.day).order_by(c.store_id, c.day)
    return fetch(scope, engine, scope.limit(query, c.store_id))


def promotions(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per store in scope, first and last day and discount of price promotions: store_id, starts_on, ends_on
    (datetime64), discount, products (so many are reduced so)."""
    c = price_promotion.c
    query = (
        select(
            c.store_id,
            c.starts_on,
            c.ends_on,
            cast(c.discount, Double).label("discount"),
            cast(func.count(), BigInteger).label("products"),
        )
        .group_by(c.store_id, c.starts_on, c.ends_on, c.discount)
        .order_by(c.store_id, c.starts_on, c.ends_on, c.discount)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


# --- what a batch keeps (engine: of the results) --------------------------------------------------


def benchmark(scope: Scope, engine: Engine, metrics: Sequence[str] = ()) -> pd.DataFrame:
    """One row per store in scope and figure (all of them, or only ``metrics``), beside its peers: columns of
    ``models.calc.peers.benchmark``."""
    c = store_benchmark.c
    query = select(*c).order_by(c.store_id, c.metric)
    chosen = query.where(c.metric.in_(metrics)) if metrics else query
    return fetch(scope, engine, scope.limit(chosen, c.store_id))


def kept_figures(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope, by id, with a figure in one of the periods that the batch looked at, as
    ``store_figure`` without its days; none for another period."""
    c = store_figure.c
    columns = [column for column in c if column.name not in ("first_day", "last_day")]
    query = select(*columns).where(c.first_day == period.first, c.last_day == period.last).order_by(c.store_id)
    return fetch(scope, engine, scope.limit(query, c.store_id))


def gaps(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per store in scope and lever: columns of ``models.calc.peers.gaps``."""
    c = store_gap.c
    return fetch(scope, engine, scope.limit(select(*c).order_by(c.store_id, c.gain.desc(), c.lever), c.store_id))


def peers(scope: Scope, engine: Engine, store_id: str) -> pd.DataFrame:
    """One row per peer of a store in scope that is in scope, too: columns of ``models.calc.peers.nearest``."""
    c = store_peer.c
    query = scope.limit(select(*c).where(c.store_id == store_id).order_by(c.position), c.store_id)
    return fetch(scope, engine, scope.limit(query, c.peer_store_id))


def alerts(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per alert of a store in scope, the latest first, then the most surprising."""
    c = store_alert.c
    return fetch(scope, engine, scope.limit(select(*c).order_by(c.day.desc(), c.chance, c.store_id), c.store_id))


def bands(scope: Scope, engine: Engine, store_id: str, metric: str, grain: str) -> pd.DataFrame:
    """One row per recent day or week of a figure of a store in scope: store_id, metric, grain, day, value, expected,
    lo, hi."""
    c = store_band.c
    query = select(*c).where(c.store_id == store_id, c.metric == metric, c.grain == grain).order_by(c.day)
    return fetch(scope, engine, scope.limit(query, c.store_id))


def watch(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per grain: what is looked at over the whole chain, columns of the table ``store_watch``."""
    return fetch(scope, engine, select(*store_watch.c).order_by(store_watch.c.grain))
