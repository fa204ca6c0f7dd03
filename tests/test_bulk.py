"""Appending frames: what goes in typed comes back typed."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    func,
    select,
)

from data_access.bulk import append
from data_access.crm import crm_engine

THINGS = Table(
    "things",
    MetaData(),
    Column("thing_id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(50)),
    Column("money", Numeric(18, 4)),
    Column("ratio", Float),
    Column("day", Date),
    Column("at", DateTime),
    Column("good", Boolean),
    Column("amount", Integer),
    mysql_charset="utf8mb4",
)
FULL = {
    "thing_id": 1,
    "name": "玉露 “保湿” 精华, 30ml",
    "money": 199.1,
    "ratio": 0.125,
    "day": pd.Timestamp("2026-02-17"),
    "at": pd.Timestamp("2026-02-17 12:34:56.789012"),
    "good": True,
    "amount": 7,
}
EMPTY = {"thing_id": 2, **dict.fromkeys(list(FULL)[1:])}


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.database),
        pytest.param("mariadb", marks=pytest.mark.database),
    ]
)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    name = request.param
    url = f"sqlite:///{tmp_path / 'bulk.sqlite'}" if name == "sqlite" else request.getfixturevalue(f"{name}_url")
    engine = crm_engine(url)
    THINGS.create(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        yield connection


def test_every_type_comes_back_as_the_database_would_have_stored_it(connection: Connection) -> None:
    assert append(connection, THINGS, pd.DataFrame([FULL, EMPTY])) == 2
    full, empty = connection.execute(select(THINGS).order_by(THINGS.c.thing_id)).all()
    assert tuple(full) == (
        1,
        "玉露 “保湿” 精华, 30ml",
        Decimal("199.1000"),
        0.125,
        date(2026, 2, 17),
        # MariaDB keeps whole seconds in a column without a precision.
        datetime(2026, 2, 17, 12, 34, 56, 0 if connection.dialect.name in ("mysql", "mariadb") else 789012),
        True,
        7,
    )
    assert tuple(empty) == (2, None, None, None, None, None, None, None)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sqlite_texts_are_those_of_the_dialect(connection: Connection) -> None:
    append(connection, THINGS, pd.DataFrame([FULL]))
    texts = connection.exec_driver_sql("SELECT typeof(day), day, typeof(at), at, good FROM things").one()
    assert tuple(texts) == ("text", "2026-02-17", "text", "2026-02-17 12:34:56.789012", 1)
    found = connection.scalar(select(func.count()).where(THINGS.c.at == datetime(2026, 2, 17, 12, 34, 56, 789012)))
    assert found == 1


@pytest.mark.parametrize(
    ("column", "values", "stored"),
    [
        ("day", [date(1900, 1, 1), None], [date(1900, 1, 1), None]),
        ("day", np.array(["2024-02-29", "NaT"], "datetime64[D]"), [date(2024, 2, 29), None]),
        ("at", np.array(["2024-02-29T23:59", "NaT"], "datetime64[m]"), [datetime(2024, 2, 29, 23, 59), None]),
        ("money", [Decimal("0.1"), pd.NA], [Decimal("0.1000"), None]),
        ("money", [0.1 + 0.2, np.nan], [Decimal("0.3000"), None]),
        ("amount", [3.0, np.nan], [3, None]),
        ("amount", pd.array([3, None], dtype="Int64"), [3, None]),
        ("good", [False, None], [False, None]),
        ("name", pd.Categorical(["护肤", None]), ["护肤", None]),
        ("name", ["", None], ["", None]),
    ],
)
def test_every_kind_of_column_a_frame_may_bring(
    connection: Connection, column: str, values: object, stored: list[object]
) -> None:
    frame = pd.DataFrame({"thing_id": [1, 2]})
    frame[column] = values
    append(connection, THINGS, frame)
    assert connection.scalars(select(THINGS.c[column]).order_by(THINGS.c.thing_id)).all() == stored


def test_many_rows_arrive_whole_and_in_their_places(connection: Connection) -> None:
    numbers = np.arange(1, 1_004)
    frame = pd.DataFrame({"amount": numbers * 2, "thing_id": numbers, "name": [f"n{number}" for number in numbers]})
    assert append(connection, THINGS, frame) == 1_003
    rows = connection.execute(select(THINGS.c.thing_id, THINGS.c.name, THINGS.c.amount).order_by(THINGS.c.thing_id))
    assert [tuple(row) for row in rows] == [(number, f"n{number}", number * 2) for number in range(1, 1_004)]


def test_it_belongs_to_the_transaction_of_the_caller(engine: Engine) -> None:
    with engine.connect() as connection:
        append(connection, THINGS, pd.DataFrame([FULL]))
        connection.rollback()
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(THINGS)) == 0


def test_an_empty_frame_adds_nothing(connection: Connection) -> None:
    assert append(connection, THINGS, pd.DataFrame({"thing_id": []})) == 0


def test_a_foreign_column_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="things has no column colour"):
        append(connection, THINGS, pd.DataFrame({"thing_id": [1], "colour": ["red"]}))


def test_a_time_zone_is_refused(connection: Connection) -> None:
    frame = pd.DataFrame({"thing_id": [1], "at": pd.to_datetime(["2026-01-01T00:00+08:00"])})
    with pytest.raises(ValueError, match="at carries a time zone"):
        append(connection, THINGS, frame)


def test_a_half_is_no_integer(connection: Connection) -> None:
    with pytest.raises(TypeError):
        append(connection, THINGS, pd.DataFrame({"thing_id": [1], "amount": [1.5]}))
