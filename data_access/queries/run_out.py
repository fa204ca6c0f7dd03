"""What customers bought of what they need again and again, day by day: what a forecast of its run-out is made from."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Table, and_, cast, exists, false, func, select

from data_access.marts.customer_line import customer_line
from data_access.marts.tables import customer, product, store
from data_access.queries._frame import fetch, fetch_many, one_of
from data_access.queries._places import place_of
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.queries.reach import bought_here
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
    c, here = customer.c, bought_here(scope, engine, customers)
    away = false() if scope.kind == "chain" else c.home_store_id.not_in(scope.store_ids)
    query = select(c.customer_no).join_from(customer, here, here.c.customer_no == c.customer_no)
    return fetch(scope, engine, query.where(away).order_by(c.customer_no))


@dataclass(frozen=True, slots=True)
class Part:
    """What will be used up from ``first`` to ``last``; of one category, or of these customers by number (None: all)."""

    first: date
    last: date
    category: str | None = None
    among: Collection[int] | None = None
    wanted: Wanted = EVERYBODY

    def condition(self) -> ColumnElement[bool]:
        """Whether a row of ``run_out_due`` belongs to it."""
        d = run_out_due.c
        asked = [d.expected_on.between(self.first, self.last), self.wanted.condition(d.customer_no)]
        if self.category is not None:
            asked.append(d.category == self.category)
        if self.among is not None:
            asked.append(one_of(d.customer_no, self.among))
        return and_(*asked)

    def rows(self, due: pd.DataFrame) -> pd.DataFrame:
        """The rows of it that ``due`` has, in the order of ``kept_due``."""
        day, number = due["expected_on"], due["customer_no"].to_numpy(dtype=np.int64)
        asked = (day >= pd.Timestamp(self.first)) & (day <= pd.Timestamp(self.last)) & self.wanted.among(number)
        if self.category is not None:
            asked &= due["category"] == self.category
        if self.among is not None:
            asked &= due["customer_no"].isin(self.among)
        order = ["amount", "customer_no", "need"]
        return due[asked].sort_values(order, ascending=[False, True, True], ignore_index=True)


def kept_days(scope: Scope, engine: Engine, part: Part) -> pd.DataFrame:
    """One row per day on which something of the part will be used up, as a batch kept it for the place that the scope
    is. ``engine``: of the results; so of all that is kept.

    Columns: expected_on, run_outs, customers, amount.
    """
    d = run_out_due.c
    query = (
        select(
            d.expected_on,
            func.count().label("run_outs"),
            func.count(d.customer_no.distinct()).label("customers"),
            func.sum(d.amount).label("amount"),
        )
        .where(_of_place(scope, engine, run_out_due), part.condition())
        .group_by(d.expected_on)
        .order_by(d.expected_on)
    )
    return fetch(scope, engine, query)


def kept_customers(scope: Scope, engine: Engine, part: Part) -> pd.DataFrame:
    """One row per customer of the part, by number. Column: customer_no."""
    number = run_out_due.c.customer_no
    query = select(number).distinct().where(_of_place(scope, engine, run_out_due), part.condition()).order_by(number)
    return fetch(scope, engine, query)


def kept_count(scope: Scope, engine: Engine, part: Part) -> pd.DataFrame:
    """One row: how many customers ``kept_customers`` has. Column: customers."""
    many = func.count(run_out_due.c.customer_no.distinct()).label("customers")
    return fetch(scope, engine, select(many).where(_of_place(scope, engine, run_out_due), part.condition()))


def kept_due(scope: Scope, engine: Engine, part: Part, offset: int, limit: int) -> pd.DataFrame:
    """What will be used up of the part, the dearest first.

    Columns: customer_no, need, product_id, category, last_day, units, amount, expected_on, from_on, until_on, basis,
    store_id.
    """
    d = run_out_due.c
    columns = [column for name, column in d.items() if name not in ("level", "place_id", "position")]
    query = select(*columns).where(_of_place(scope, engine, run_out_due), part.condition())
    return fetch(scope, engine, query.order_by(d.amount.desc(), d.customer_no, d.need).offset(offset).limit(limit))


def kept_held(scope: Scope, engine: Engine) -> pd.DataFrame:
    """How far expectations held, as a batch kept it. Columns: basis, judged, hits."""
    return _rows(scope, engine, run_out_held)


def kept_figures(scope: Scope, engine: Engine) -> pd.DataFrame:
    """What is known of the gaps behind expectations, as a batch kept it. Columns: key, value."""
    return _rows(scope, engine, run_out_figure)


def kept_rhythm(scope: Scope, results: Engine) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What a batch learnt: usual (need, median_gap, by_usage), paces (low, middle, high, by how many gaps are known of
    a customer) and figures (key, value)."""
    usual, paces, figures = (_rows(scope, results, table) for table in (run_out_usual, run_out_pace, run_out_figure))
    return usual, paces, figures


def _rows(scope: Scope, results: Engine, table: Table) -> pd.DataFrame:
    columns = [column for name, column in table.c.items() if name not in ("level", "place_id", "position")]
    query = select(*columns).where(_of_place(scope, results, table))
    return fetch(scope, results, query.order_by(table.c.position))


def _of_place(scope: Scope, results: Engine, table: Table) -> ColumnElement[bool]:
    place = place_of(scope, results)
    return false() if place is None else place.rows(table)


KEPT = (run_out_due, run_out_held, run_out_usual, run_out_pace, run_out_figure)
