"""What customers bought of what they need again and again, day by day: what a forecast of its run-out is made from."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Double, Engine, Table, cast, exists, false, func, select

from data_access.marts.customer_line import customer_line
from data_access.marts.tables import customer, product, store
from data_access.queries._frame import fetch, fetch_many, one_of
from data_access.queries._places import place_of
from data_access.results.tables import run_out_due, run_out_figure, run_out_held, run_out_pace, run_out_usual
from data_access.scope import Scope


def purchases(
    scope: Scope,
    engine: Engine,
    as_of: date,
    only: Collection[int] | None = None,
    part: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """One row per customer (of those in ``only`` when it is given), need and day with a counted order of it by the end
    of ``as_of``, in this order. A need is a subcategory, or a product that has none.

    part: (which, of how many): one part of the customers, drawn by their numbers.

    Columns: customer_no, need (its name), category ('' unknown), day (datetime64), quantity, amount (gross sales),
    product_id and store_id (of the dearest line of the day). The texts are categories.
    """
    line, p = customer_line.c, product.c
    need = func.coalesce(p.subcategory, line.product_id).label("need")
    worth = func.row(line.net, line.product_id, line.store_id)  # never the same of two products or stores
    query = (
        select(
            line.customer_no,
            need,
            func.coalesce(func.min(p.category), "").label("category"),
            line.day,
            cast(func.sum(line.quantity), Double).label("quantity"),
            cast(func.sum(line.net), Double).label("amount"),
            func.arg_max(line.product_id, worth).label("product_id"),
            func.arg_max(line.store_id, worth).label("store_id"),
        )
        .select_from(customer_line.outerjoin(product, p.product_id == line.product_id))
        .where(line.day <= as_of)
        .group_by(line.customer_no, need, line.day)
        .order_by(line.customer_no, need, line.day)
    )
    if only is not None:
        query = query.where(line.customer_no.in_(sorted(only)))
    if part is not None:
        query = query.where(line.customer_no % part[1] == part[0])
    mine = scope.limit(query, line.store_id)
    return fetch_many(scope, engine, mine, categories=["need", "category", "product_id", "store_id"])


def size(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row, none without any: how many lines identified customers bought in the stores in scope. Column: lines."""
    query = select(func.count().label("lines")).select_from(customer_line).having(func.count() > 0)
    return fetch(scope, engine, scope.limit(query, customer_line.c.store_id))


def products(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per product of the range; none when the scope holds no store.

    Columns: product_id, product (name), usage_days (how long a unit lasts, NaN unknown).
    """
    p = product.c
    name = func.coalesce(p.name, p.product_id).label("product")
    query = select(p.product_id, name, cast(p.usage_days, Double).label("usage_days")).order_by(p.product_id)
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    return fetch(scope, engine, query.where(exists(some_store)))


def at_home_elsewhere(scope: Scope, engine: Engine, customers: Collection[int]) -> pd.DataFrame:
    """Of these customers, as far as they bought in the stores in scope, those registered in a store out of it.

    Column: customer_no. None for the chain.
    """
    line, c = customer_line.c, customer.c
    bought = select(line.customer_no).distinct().where(one_of(line.customer_no, customers))
    here = scope.limit(bought, line.store_id).subquery("here")
    away = false() if scope.kind == "chain" else c.home_store_id.not_in(scope.store_ids)
    query = select(c.customer_no).join_from(customer, here, here.c.customer_no == c.customer_no)
    return fetch(scope, engine, query.where(away).order_by(c.customer_no))


class Kept(NamedTuple):
    """What a batch kept for the place that a scope is: nothing for other scopes.

    due: what will be used up in the days after its last day: customer_no, need, product_id, category, last_day, units,
    amount, expected_on, from_on, until_on, basis, store_id. held: basis, judged, hits. usual: need, median_gap,
    by_usage. paces: low, middle, high, by how many gaps are known of a customer. figures: key, value.
    """

    due: pd.DataFrame
    held: pd.DataFrame
    usual: pd.DataFrame
    paces: pd.DataFrame
    figures: pd.DataFrame


def kept(scope: Scope, results: Engine) -> Kept:
    """What a batch kept. ``results``: their engine."""
    return Kept(*(_rows(scope, results, table) for table in KEPT))


def kept_rhythm(scope: Scope, results: Engine) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Of what a batch kept, what it learnt: usual, paces and figures, without the list of what will be used up."""
    usual, paces, figures = (_rows(scope, results, table) for table in (run_out_usual, run_out_pace, run_out_figure))
    return usual, paces, figures


def _rows(scope: Scope, results: Engine, table: Table) -> pd.DataFrame:
    place = place_of(scope, results)
    columns = [column for name, column in table.c.items() if name not in ("level", "place_id", "position")]
    of_place = false() if place is None else place.rows(table)
    return fetch(scope, results, select(*columns).where(of_place).order_by(table.c.position))


KEPT = (run_out_due, run_out_held, run_out_usual, run_out_pace, run_out_figure)
