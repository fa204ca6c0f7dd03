"""What the query modules share: the one place that runs a statement, exact sums, day ranges, rows to a frame."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    CursorResult,
    Double,
    Engine,
    Select,
    String,
    Table,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql.selectable import CompoundSelect

from data_access.marts._bridge import text_hash_of
from data_access.marts.tables import MONEY_UNIT
from data_access.queries._bounds import check
from data_access.queries._places import stores_of_places
from data_access.queries._units import UNIT
from data_access.scope import Period, Scope

# Reports handle frames of some dozen rows, in which text held as Python objects takes a fifth less time than Arrow's.
pd.options.mode.string_storage = "python"
_FEW_NUMBERS = 1_000
_LONG_TEXT = {pa.string(): pd.StringDtype("pyarrow", na_value=float("nan"))}


def fetch(scope: Scope, engine: Engine, query: Select[Any] | CompoundSelect[Any]) -> pd.DataFrame:
    """The rows of ``query``, column-wise: dates and instants as datetime64, text as str, missing as NaN/NaT/NA.

    OutsideScope when the query could read a row outside ``scope``; so do all functions here that run one.
    """
    with engine.connect() as connection:
        return fetch_from(scope, connection, query)


def fetch_from(scope: Scope, connection: Connection, query: Select[Any] | CompoundSelect[Any]) -> pd.DataFrame:
    """As ``fetch``, by a connection with tables of its own."""
    frame: pd.DataFrame = _run(scope, connection, query).cursor.df()
    return frame


def fetch_many(scope: Scope, engine: Engine, query: Select[Any], categories: Sequence[str] = ()) -> pd.DataFrame:
    """The rows of a query with thousands of them: as ``fetch``, in a third of its time by way of Arrow.

    Whole numbers with missing ones among them come as float64, the text columns of ``categories``, and what says which
    region or store a row is of, as categories.
    """
    with engine.connect() as connection:
        table = _run(scope, connection, query).cursor.to_arrow_table()
    for name in (*categories, *{UNIT}.intersection(table.column_names)):
        table = table.set_column(table.column_names.index(name), name, table[name].dictionary_encode())
    frame: pd.DataFrame = table.to_pandas(date_as_object=False, types_mapper=_LONG_TEXT.get)
    return frame.astype(dict.fromkeys(frame.select_dtypes("datetime64[ms]"), "datetime64[us]"))


def values(scope: Scope, engine: Engine, query: Select[Any]) -> list[Any]:
    """The first column of the rows of ``query``."""
    with engine.connect() as connection:
        return list(_run(scope, connection, query).scalars())


def first_row(scope: Scope, connection: Connection, query: Select[Any]) -> dict[str, Any]:
    """The first row of ``query`` by the names of its columns; empty without one."""
    row = _run(scope, connection, query).mappings().first()
    return {str(name): value for name, value in (row or {}).items()}


@contextmanager
def kept(scope: Scope, connection: Connection, query: Select[Any], table: Table) -> Iterator[None]:
    """Within this, the rows of ``query`` are a temporary table that this connection alone sees, for this scope."""
    check(scope, query, _stores_of_places(connection), _kept_for(scope, connection))
    connection.execute(query.into(table.name, temporary=True))
    tables = connection.info.setdefault(_KEPT, {})
    tables[table] = scope
    try:
        yield
    finally:
        del tables[table]
        table.drop(connection)


_KEPT = "kept for a scope"


def _run(scope: Scope, connection: Connection, query: Select[Any] | CompoundSelect[Any]) -> CursorResult[Any]:
    """Runs a statement of a page; the only place that does."""
    check(scope, query, _stores_of_places(connection), _kept_for(scope, connection))
    return connection.execute(query)


def _kept_for(scope: Scope, connection: Connection) -> list[Table]:
    """The temporary tables of the connection that were filled for this scope."""
    return [table for table, filled_for in connection.info.get(_KEPT, {}).items() if filled_for == scope]


def _stores_of_places(connection: Connection) -> Mapping[tuple[str, str], frozenset[str]]:
    return stores_of_places(connection.engine)


def customer_key(number: ColumnElement[Any]) -> ColumnElement[str]:
    """A customer's number as people see it (``data_access.pseudonym``)."""
    return func.printf("c%015x", number, type_=String)


def ten_thousandths(column: ColumnElement[Any]) -> ColumnElement[int]:
    """An exact decimal as the whole number of ten-thousandths that it is."""
    return cast(column * MONEY_UNIT, BigInteger)


def amount(column: ColumnElement[Any], only: ColumnElement[bool] | None = None) -> ColumnElement[float]:
    """The exact decimal sum of ``column`` (where ``only`` holds), 0 without rows; a float at the edge."""
    return cast(func.coalesce(_sum(column, only), 0), Double)


def count(column: ColumnElement[Any], only: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """The sum of a whole-number ``column`` (where ``only`` holds), 0 without rows."""
    return cast(func.coalesce(_sum(column, only), 0), BigInteger)


def _sum(column: ColumnElement[Any], only: ColumnElement[bool] | None) -> ColumnElement[Any]:
    return func.sum(column) if only is None else func.sum(column).filter(only)


def period_sum(column: ColumnElement[Any], period: Period | None, day: ColumnElement[Any]) -> ColumnElement[Any]:
    """The sum of an exact ``column`` over a period's days, in ten-thousandths, 0 without rows; NaN without a period."""
    if period is None:
        return literal(float("nan"))
    return ten_thousandths(func.coalesce(_sum(column, within(day, period)), 0))


def within(column: ColumnElement[Any], period: Period) -> ColumnElement[bool]:
    """Whether a day lies in ``period``."""
    return and_(column >= period.first, column <= period.last)


def within_any(column: ColumnElement[Any], periods: Sequence[Period]) -> ColumnElement[bool]:
    """Whether a day lies in one of ``periods``, of which there is at least one.

    Periods that touch become one, and others are named with the range that holds them all: only a range tells which
    stored blocks need not be read.
    """
    runs: list[Period] = []
    for period in sorted(periods, key=lambda p: p.first):
        if runs and period.first <= runs[-1].last + timedelta(days=1):
            runs[-1] = Period(runs[-1].first, max(runs[-1].last, period.last))
        else:
            runs.append(period)
    whole = within(column, Period(runs[0].first, runs[-1].last))
    return whole if len(runs) == 1 else and_(whole, or_(*(within(column, run) for run in runs)))


def one_of(column: ColumnElement[Any], numbers: Collection[int]) -> ColumnElement[bool]:
    """Whether a whole number is one of ``numbers``; thousands of them as one list, which need not be read as SQL."""
    some = sorted(numbers)
    if len(some) <= _FEW_NUMBERS:
        return column.in_(some)
    return column.in_(select(func.unnest(literal(some, ARRAY(BigInteger)))))


def rows_of_product(mart: Table, product_id: str) -> ColumnElement[bool]:
    """The rows of a product in a mart that is sorted by ``product_hash``."""
    return and_(mart.c.product_hash == text_hash_of(product_id), mart.c.product_id == product_id)
