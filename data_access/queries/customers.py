"""Identified customers, at the grain of the scope: only orders in its stores exist."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Engine, cast, func, or_, select

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.customer_summary import customer_summary
from data_access.marts.tables import (
    MONEY_UNIT,
    customer,
    customer_rank,
    generation_info,
    store,
)
from data_access.queries._customer_days import CustomerDays, customer_days, starts
from data_access.queries._frame import customer_key, fetch, fetch_many, ten_thousandths, within
from data_access.scope import Period, Scope

_BASE = (
    "customer_no", "id_rank", "customer_key", "store_id", "first_day", "last_day", "orders_ever", "orders", "visits",
    "gross_sales", "net_sales",
)  # fmt: skip


def buyers(scope: Scope, engine: Engine, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per period, in the order given.

    Columns: period (position, from 0), buyers (distinct customers with a counted order), new_customers
    (buyers whose first counted order ever, in the stores in scope, falls in the period),
    returning_customers (the other buyers).
    """
    c = customer_store_day.c
    bought = [func.bool_or(within(c.day, period)).label(f"bought_{i}") for i, period in enumerate(periods)]
    per_customer = (
        select(func.min(c.day).label("first_day"), *bought)
        .where(c.orders > 0, c.day <= max(period.last for period in periods))
        .group_by(c.customer_no)
    )
    one = scope.limit(per_customer, c.store_id).subquery()
    sums: list[ColumnElement[Any]] = []
    for i, period in enumerate(periods):
        sums.append(func.count().filter(one.c[f"bought_{i}"]).label(f"buyers_{i}"))
        sums.append(func.count().filter(within(one.c.first_day, period)).label(f"new_{i}"))
    row = fetch(engine, select(*sums)).iloc[0]
    frame = pd.DataFrame(
        {
            "period": range(len(periods)),
            "buyers": [int(row[f"buyers_{i}"]) for i in range(len(periods))],
            "new_customers": [int(row[f"new_{i}"]) for i in range(len(periods))],
        }
    )
    return frame.assign(returning_customers=frame["buyers"] - frame["new_customers"])


def customer_totals(scope: Scope, engine: Engine, as_of: date, window_first: date | None = None) -> pd.DataFrame:
    """One row per customer with a counted order up to the end of ``as_of``, by customer_no.

    Columns: customer_no, first_day (of the
    first order ever, datetime64), last_day (of the last order ever) with its store_id (the last by id of two
    visited that day), orders_ever, and within the window (from ``window_first``; all history without it):
    orders, visits (distinct days with an order), gross_sales, net_sales.
    """
    rows = customer_days(scope, engine, as_of)
    first = starts(rows.customer_no)
    bought = rows.orders > 0
    inside = None if window_first is None else rows.day >= (window_first - date(1970, 1, 1)).days
    # Entries are in order of days, so the first and last order lie at the first and last entry with one.
    position = np.arange(len(rows.day), dtype=np.int32)
    first_order = _reduce(np.minimum, np.where(bought, position, len(position)), first)
    last_order = _reduce(np.maximum, np.where(bought, position, -1), first)
    known = np.flatnonzero(last_order >= 0)
    opening, latest = first_order[known], last_order[known]

    def total(values: NDArray[Any]) -> NDArray[Any]:
        in_window = values if inside is None else np.where(inside, values, 0)
        return _reduce(np.add, in_window, first, np.int64)[known]

    visits = _distinct_days(rows, bought if inside is None else bought & inside)
    return pd.DataFrame(
        {
            "customer_no": rows.customer_no[first][known],
            "first_day": _days(rows.day[opening]),
            "last_day": _days(rows.day[latest]),
            "store_id": pd.Categorical.from_codes(
                rows.store[latest] - 1, categories=pd.Index(rows.store_ids, dtype=str)
            ),
            "orders_ever": _reduce(np.add, rows.orders, first, np.int64)[known],
            "orders": total(rows.orders),
            "visits": total(visits),
            "gross_sales": total(rows.gross_sales) / MONEY_UNIT,
            "net_sales": total(rows.net_sales) / MONEY_UNIT,
        }
    )


def _reduce(
    sum_up: np.ufunc, values: NDArray[Any], first: NDArray[np.int64], dtype: type | None = None
) -> NDArray[Any]:
    """``values`` of each customer, whose entries begin at ``first``, reduced to one."""
    return np.asarray(sum_up.reduceat(values, first, dtype=dtype)) if len(first) else np.empty(0, dtype=np.int64)


def _distinct_days(rows: CustomerDays, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the chosen entries, the first of each customer and day."""
    entry = np.flatnonzero(chosen)
    marks = np.zeros(len(chosen), dtype=bool)
    marks[entry[starts(rows.customer_no[entry], rows.day[entry])]] = True
    return marks


def _days(day: NDArray[np.int32]) -> NDArray[np.datetime64]:
    return day.astype("datetime64[D]").astype("datetime64[us]")


def customer_base(scope: Scope, engine: Engine, as_of: date, window_first: date | None = None) -> pd.DataFrame:
    """One row per customer with a counted order up to the end of ``as_of``, or registered by then, by customer_no.

    Columns: customer_key (pseudonym), id_rank (place of the CRM's id in order) and those of customer_totals:
    customer_no, store_id (categories), first_day,
    last_day, orders_ever, orders, visits, gross_sales, net_sales. Somebody registered without an order has the home
    store (missing when unknown), no first and last day, and sums of 0.
    """
    with engine.connect() as connection:
        last_day = connection.scalar(select(generation_info.c.last_day))
        stores = connection.execute(select(store.c.store_id, store.c.region_id))
        regions = {row.store_id: row.region_id for row in stores}
    place = _place(scope, regions)
    if place is None or window_first is not None or last_day is None or as_of < last_day:
        base = _added_up(scope, engine, as_of, window_first)
    else:
        base = _summary(engine, *place, as_of)
    in_scope = pd.Index(sorted(store_id for store_id in regions if scope.allows(store_id)), dtype="str")
    return base.assign(store_id=base["store_id"].cat.set_categories(in_scope))[list(_BASE)]


def _place(scope: Scope, regions: dict[str, str]) -> tuple[str, str] | None:
    """The level and id of the chain, region or store that the scope is; None for any other set of stores."""
    if scope.kind == "chain":
        return "chain", "chain"
    if len(scope.store_ids) == 1:
        return "store", scope.store_ids[0]
    for region in {regions.get(store_id) for store_id in scope.store_ids} - {None}:
        if {store_id for store_id in regions if regions[store_id] == region} == set(scope.store_ids):
            return "region", str(region)
    return None


def _summary(engine: Engine, level: str, place_id: str, as_of: date) -> pd.DataFrame:
    """``customer_base`` of one place over all days, as the refresh added it up."""
    c = customer_summary.c
    query = (
        select(
            c.customer_no,
            customer_rank.c.id_rank,
            customer_key(c.customer_no).label("customer_key"),
            c.store_id,
            c.first_day,
            c.last_day,
            cast(c.orders, BigInteger).label("orders"),
            cast(c.visits, BigInteger).label("visits"),
            ten_thousandths(c.gross_sales).label("gross_sales"),
            ten_thousandths(c.net_sales).label("net_sales"),
        )
        .join(customer_rank, customer_rank.c.customer_no == c.customer_no)
        .where(c.level == level, c.place_id == place_id)
        .where(or_(c.orders > 0, c.joined_on.is_(None), c.joined_on <= as_of))
        .order_by(c.customer_no)
    )
    base = fetch_many(engine, query, categories=["store_id"])
    money = {name: base[name] / MONEY_UNIT for name in ("gross_sales", "net_sales")}
    return base.assign(orders_ever=base["orders"], **money)


def _added_up(scope: Scope, engine: Engine, as_of: date, window_first: date | None) -> pd.DataFrame:
    """``customer_base`` of any stores, days and window, from the days of each customer."""
    totals = customer_totals(scope, engine, as_of, window_first)
    here = registered(scope, engine, as_of)
    prospects = here.loc[~here["customer_no"].isin(totals["customer_no"]), ["customer_no", "store_id"]]
    home = pd.Categorical(prospects["store_id"], categories=totals["store_id"].cat.categories)
    base = pd.concat([totals, prospects.assign(store_id=home)]).sort_values("customer_no", ignore_index=True)
    counts, money = ["orders_ever", "orders", "visits"], ["gross_sales", "net_sales"]
    base[counts + money] = base[counts + money].fillna(0)
    known = here[["customer_no", "customer_key"]]
    if not base["customer_no"].isin(known["customer_no"]).all():
        known = pd.concat([known, keys(scope, engine)]).drop_duplicates("customer_no")
    keys_by_number = known.set_index("customer_no")["customer_key"]
    ranks = fetch_many(engine, select(customer_rank)).set_index("customer_no")["id_rank"]
    return base.assign(
        customer_key=keys_by_number.reindex(base["customer_no"]).array,
        id_rank=ranks.reindex(base["customer_no"]).array,
    ).astype(dict.fromkeys(counts, "int64"))


def keys(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per customer with an order or a return in the stores in scope, by customer_no, registered or not.

    Columns: customer_no, customer_key.
    """
    c = customer_store_day.c
    query = select(c.customer_no, customer_key(c.customer_no).label("customer_key")).group_by(c.customer_no)
    return fetch_many(engine, scope.limit(query, c.store_id).order_by(c.customer_no))


def registered(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per customer registered by ``as_of`` and at home in the stores in scope, by customer_no.

    Columns: customer_no, customer_key, store_id (the home store; NA when unknown, which only the whole chain
    sees).
    """
    c = customer.c
    query = (
        select(c.customer_no, customer_key(c.customer_no).label("customer_key"), c.home_store_id.label("store_id"))
        .where(or_(c.joined_on.is_(None), c.joined_on <= as_of))
        .order_by(c.customer_no)
    )
    return fetch_many(engine, scope.limit(query, c.home_store_id))
