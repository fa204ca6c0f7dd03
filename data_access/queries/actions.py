"""What lists to act on need to know: whose customer somebody is, who works where, who bought afterwards."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Engine, and_, select, true, union

from data_access.marts.customer_timeline import customer_timeline
from data_access.marts.tables import customer, staff, store
from data_access.pseudonym import number_of
from data_access.queries._frame import fetch
from data_access.scope import Scope


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which customers of a list are wanted, by their keys: ``only`` these (None: all), and ``without`` those."""

    only: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()

    def among(self, numbers: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of ``numbers`` are wanted."""
        kept = np.ones(len(numbers), dtype=bool) if self.only is None else np.isin(numbers, _numbers(self.only))
        return kept & ~np.isin(numbers, _numbers(self.without)) if self.without else kept

    def condition(self, number: ColumnElement[Any]) -> ColumnElement[bool]:
        """The same, of a column of customers' numbers."""
        kept = true() if self.only is None else number.in_(_numbers(self.only))
        return and_(kept, number.not_in(_numbers(self.without))) if self.without else kept


EVERYBODY = Wanted()


def _numbers(keys: tuple[str, ...]) -> list[int]:
    return sorted(number for key in keys if (number := number_of(key)) is not None)


def customers_here(scope: Scope, engine: Engine, numbers: Collection[int]) -> pd.DataFrame:
    """One row per customer of ``numbers`` and store in scope that knows them: who bought or returned something there
    or is registered there. Columns: customer_no, store_id."""
    t, c = customer_timeline.c, customer.c
    seen = select(t.customer_no, t.store_id).where(t.customer_no.in_(sorted(numbers)))
    at_home = select(c.customer_no, c.home_store_id).where(c.customer_no.in_(sorted(numbers)))
    both = union(scope.limit(seen, t.store_id), scope.limit(at_home, c.home_store_id))
    return fetch(scope, engine, both.order_by("customer_no", "store_id"))


def purchases(scope: Scope, engine: Engine, numbers: Collection[int], first_day: date) -> pd.DataFrame:
    """One row per counted order of the customers in the stores in scope from ``first_day`` on, in order of time.

    Columns: customer_no, happened_at (datetime64, store-local).
    """
    t = customer_timeline.c
    query = select(t.customer_no, t.happened_at).where(
        t.customer_no.in_(sorted(numbers)), t.kind == "purchase", t.happened_at >= first_day
    )
    return fetch(scope, engine, scope.limit(query, t.store_id).order_by(t.happened_at, t.customer_no))


def people_here(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per person who works in a store in scope and has not left. Columns: staff_id, store_id, role."""
    s = staff.c
    query = select(s.staff_id, s.home_store_id.label("store_id"), s.role).where(s.left_on.is_(None))
    return fetch(scope, engine, scope.limit(query, s.home_store_id).order_by(s.home_store_id, s.role, s.staff_id))


def zones(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per store in scope. Columns: store_id, time_zone."""
    query = select(store.c.store_id, store.c.time_zone).order_by(store.c.store_id)
    return fetch(scope, engine, scope.limit(query, store.c.store_id))
