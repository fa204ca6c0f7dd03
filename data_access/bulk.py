"""Appends whole frames to tables, many times faster than row objects would."""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
from sqlalchemy import Boolean, Connection, Date, DateTime, Float, Integer, Numeric, Table, insert
from sqlalchemy.types import TypeEngine

# Rows per statement where the driver has no bulk path; larger statements meet packet limits of MariaDB.
_CHUNK = 5_000
_MONEY_DECIMALS = 4
# SQLite: many rows per statement save a fifth of the time, and so does keeping the growing indexes in memory.
_SQLITE_VALUES = 2_000
_SQLITE_CACHE_KIB = 200_000


def append(connection: Connection, table: Table, frame: pd.DataFrame) -> int:
    """Appends every row of ``frame`` to ``table`` inside the caller's transaction; returns their number.

    The columns of ``frame`` are a subset of the table's, in any order; NaN, NaT, None and pd.NA become NULL.
    Instants are naive UTC; ``Numeric`` columns (money in the row's currency, quantities) are rounded to four
    decimals and exact below 10^11.

    Raises:
        ValueError: a column is not in the table, or an instant carries a time zone.
        TypeError: a value does not fit its column, such as 1.5 in an integer column.
    """
    unknown = [name for name in frame.columns if name not in table.c]
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(map(str, unknown))}")
    if frame.empty:
        return 0
    if connection.dialect.name == "sqlite":
        _append_sqlite(connection, table, frame)
    elif connection.dialect.driver == "psycopg":
        _append_postgresql(connection, table, frame)
    else:
        _append_chunks(connection, table, frame)
    return len(frame)


def _append_sqlite(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    quote = connection.dialect.identifier_preparer.quote
    width = len(frame.columns)
    start = f"INSERT INTO {quote(table.name)} ({', '.join(quote(name) for name in frame.columns)}) VALUES "
    row = f"({', '.join('?' * width)})"
    together = max(1, _SQLITE_VALUES // width)
    whole = len(frame) // together * together
    flat: list[Any] = [None] * (whole * width)
    rest = []
    for place, name in enumerate(frame.columns):
        values = _sqlite_values(frame[name], table.c[name].type)
        flat[place::width] = values[:whole]
        rest.append(values[whole:])
    step = together * width
    cursor: Any = connection.connection.cursor()
    try:
        cursor.execute(f"PRAGMA cache_size = -{_SQLITE_CACHE_KIB}")
        statement = start + ", ".join([row] * together)
        cursor.executemany(statement, (flat[first : first + step] for first in range(0, len(flat), step)))
        cursor.executemany(start + row, zip(*rest, strict=True))
    finally:
        cursor.close()


def _append_postgresql(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    arrays = [pa.array(plain_values(frame[name], table.c[name].type)) for name in frame.columns]
    buffer = io.BytesIO()
    # Every value in quotes and NULL without: COPY tells an empty text from NULL by exactly that.
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid")
    arrow_csv.write_csv(pa.table(arrays, names=list(frame.columns)), buffer, options)
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in frame.columns)
    cursor: Any = connection.connection.cursor()
    try:
        with cursor.copy(f"COPY {quote(table.name)} ({names}) FROM STDIN WITH (FORMAT csv)") as copy:
            copy.write(buffer.getbuffer())
    finally:
        cursor.close()


def _append_chunks(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    names = list(frame.columns)
    columns = [plain_values(frame[name], table.c[name].type) for name in names]
    for first in range(0, len(frame), _CHUNK):
        rows: Iterable[tuple[Any, ...]] = zip(*(column[first : first + _CHUNK] for column in columns), strict=True)
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


def _sqlite_values(series: pd.Series, type_: TypeEngine[Any]) -> list[Any]:
    """The values as SQLAlchemy's SQLite dialect stores them, so that it reads back what it expects."""
    if isinstance(type_, DateTime):
        return _texts(_instants(series), "us")
    if isinstance(type_, Date):
        return _texts(_instants(series), "D")
    return plain_values(series, type_)


def plain_values(series: pd.Series, type_: TypeEngine[Any]) -> list[Any]:
    """Plain Python values of the column's type, None for NULL."""
    if isinstance(type_, DateTime):
        return _instants(series).tolist()
    if isinstance(type_, Date):
        return _instants(series).astype("datetime64[D]").tolist()
    if isinstance(type_, Boolean):
        return _with_none(series.astype("boolean"), "bool")
    if isinstance(type_, Integer):
        return _with_none(series.astype("Int64"), "int64")
    if isinstance(type_, (Numeric, Float)):
        # Decimals arrive as objects, and there pd.NA would not turn into a float.
        numbers = (series.where(series.notna(), np.nan) if series.dtype == object else series).astype("float64")
        exact = numbers if isinstance(type_, Float) else numbers.round(_MONEY_DECIMALS)
        return _with_none(exact, "float64")
    if isinstance(series.dtype, pd.CategoricalDtype):
        # The missing code is -1, which is the last place of the list of categories.
        categories = np.array([*series.cat.categories, None], dtype=object)
        return categories[series.cat.codes.to_numpy()].tolist()
    return _with_none(series, "object")


def _with_none(series: pd.Series, dtype: str) -> list[Any]:
    missing = series.isna().to_numpy()
    if not missing.any():
        return series.to_numpy(dtype=dtype).tolist()
    values = np.full(len(series), None, dtype=object)
    values[~missing] = series[~missing].to_numpy(dtype=dtype).tolist()
    return values.tolist()


def _instants(series: pd.Series) -> np.ndarray:
    instants = series if pd.api.types.is_datetime64_any_dtype(series.dtype) else pd.to_datetime(series)
    if getattr(instants.dt, "tz", None) is not None:
        raise ValueError(f"{series.name} carries a time zone; instants are stored as naive UTC")
    return instants.to_numpy(dtype="datetime64[us]")


def _texts(instants: np.ndarray, unit: str) -> list[str | None]:
    """ISO texts to the microsecond or the day, with a blank between day and time."""
    texts = np.datetime_as_string(instants.astype(f"datetime64[{unit}]"))
    missing = np.isnat(instants)
    width = texts.dtype.itemsize // 4
    if unit != "D" and width > 10:
        letters = np.ascontiguousarray(texts).view("U1").reshape(len(texts), width)
        letters[~missing, 10] = " "
        texts = letters.view(texts.dtype).ravel()
    if not missing.any():
        return texts.tolist()
    values = texts.astype(object)
    values[missing] = None
    return values.tolist()
