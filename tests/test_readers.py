"""How rows leave a CRM: the same from every database, as of one instant, read-only, within limits."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import ColumnElement, Engine, Text, and_, cast, create_engine, extract, func, insert, or_, select, text

from data_access import readers, staging
from data_access.contract import check
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.marts.tables import MONEY_UNIT
from data_access.readers import Reader, Unavailable, duckdb_type, exact_sum, mariadb, postgresql, reading, stream
from data_access.schema import crm
from tests.databases import Server, kill

D = Decimal
SOURCES_BY_NAME = {source.table: source for source in staging.SOURCES}
DATABASES = [
    "sqlite",
    "duckdb",
    pytest.param("postgresql", marks=pytest.mark.database),
    pytest.param("mariadb", marks=pytest.mark.database),
]
# Every way to read, and the database it reads.
WAYS = [
    "sqlite",
    "duckdb",
    pytest.param("postgresql", marks=pytest.mark.database),
    pytest.param("postgresql by copy", marks=pytest.mark.database),
    pytest.param("postgresql by stream", marks=pytest.mark.database),
    pytest.param("mariadb", marks=pytest.mark.database),
    pytest.param("mariadb by stream", marks=pytest.mark.database),
]

NASTY = (
    "O'1",
    'a"b',
    "back\\slash",
    "\\'",
    "100%s %(x)s",
    "a:b :c",
    "中文🌸",
    "x\x1fy\x1dz",
    "line\nbreak,\t;",
    " blank ",
)


@dataclass
class Crm:
    """One database as CRM: ``engine`` reads it, ``till`` writes it."""

    engine: Engine
    till: Engine
    scratch: Path

    @contextmanager
    def reading(self, **limits: Any) -> Iterator[tuple[Reader, duckdb.DuckDBPyConnection]]:
        with duckdb.connect() as work:
            work.execute("SET TimeZone = 'UTC'")
            work.execute("CREATE SCHEMA stage")
            with reading(self.engine, work, self.scratch, **limits) as reader:
                yield reader, work

    def write(self, name: str, *rows: dict[str, Any]) -> None:
        with self.till.begin() as connection:
            connection.execute(insert(crm.tables[name]), list(rows))
        if self.till.dialect.name == "duckdb":
            self.till.dispose()  # as long as one may write, nobody else can read

    def run(self, *statements: str) -> None:
        with self.till.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))


@pytest.fixture
def make(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Crm]]:
    """Makes an empty CRM for one of ``WAYS``."""
    made: list[Crm] = []

    def create(way: str) -> Crm:
        database, _, slower = way.partition(" by ")
        if database == "sqlite":
            url = f"sqlite:///{tmp_path}/crm.sqlite"
        elif database == "duckdb":
            url = f"duckdb:///{tmp_path}/crm.duckdb"
        elif database == "postgresql" and "own_postgresql" in request.fixturenames:
            url = request.getfixturevalue("own_postgresql").url
        else:
            url = request.getfixturevalue(f"{database}_url")
        if slower:
            refused = [postgresql.scanning, mariadb.joining, *([postgresql.copying] if slower == "stream" else [])]
            ways = {name: tuple(w for w in found if w not in refused) for name, found in readers._WAYS.items()}
            monkeypatch.setattr(readers, "_WAYS", ways)
        till = create_engine(url)
        crm.create_all(till)
        if database == "duckdb":
            till.dispose()
        made.append(Crm(crm_engine(url), till, tmp_path))
        return made[-1]

    yield create
    for each in made:
        each.engine.dispose()
        each.till.dispose()


def order(order_id: str, **more: Any) -> dict[str, Any]:
    row = {"order_id": order_id, "store_id": "S1", "channel": "store", "kind": "sale", "currency": "CNY"}
    return {**row, "ordered_at": datetime(2026, 1, 1, 23, 59, 59, 700_001), "customer_id": None, **more}


def line(order_id: str, net: str = "1.5", **more: Any) -> dict[str, Any]:
    row = {"order_id": order_id, "line_no": 1, "product_id": "P1", "quantity": D(1), "net": D(net)}
    return {**row, "discount": None, "coupon_code": None, "updated_at": datetime(2026, 1, 2), **more}


def read(crm_: Crm, name: str, columns: str, where: ColumnElement[bool] | None = None) -> list[tuple[Any, ...]]:
    """The rows as they are staged: what is not typed yet is cast."""
    names = columns.split()
    found: list[tuple[Any, ...]] = []
    with crm_.reading() as (reader, work):
        for rows in reader.rows(name, names, where):
            values = ", ".join(f'"{c}"::{duckdb_type(crm.tables[name].c[c])}' for c in names)
            found += work.execute(f"SELECT {values} FROM {rows.relation}").fetchall()
    return sorted(found, key=str)


def take(crm_: Crm, name: str, where: ColumnElement[bool] | None = None, **limits: Any) -> None:
    """Reads a table into DuckDB, as a refresh does."""
    with crm_.reading(**limits) as (reader, work):
        work.execute("CREATE TABLE stage.taken (order_id VARCHAR, net VARCHAR)")
        for rows in reader.rows(name, ["order_id", "net"], where):
            work.execute(f"INSERT INTO stage.taken SELECT order_id, net FROM {rows.relation}")


# --- the same rows --------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_every_way_delivers_the_same_values(way: str, make: Callable[..., Crm]) -> None:
    chain = make(way)
    chain.write("sale_order", *(order(id_, customer_id=id_) for id_ in NASTY), order("N"))
    chain.write("sale_line", line("A", "-99999999999.9999"), line("B", "0.0001", discount=D("12.30"), coupon_code=""))
    store = {"store_id": "S1", "name": "南京路", "kind": "shop", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    chain.write("store", {**store, "area_m2": 0.1, "opened_on": date(2020, 2, 29)})
    chain.write(
        "store_traffic",
        *(
            {"store_id": s, "hour_start": datetime(2026, 1, 1), "visitors": 3, "valid": v}
            for s, v in (("1", True), ("2", False), ("3", None))
        ),
    )
    instant = datetime(2026, 1, 1, 23, 59, 59, 700_001)
    rows = read(chain, "sale_order", "order_id customer_id ordered_at cancelled_at")
    assert rows == sorted([*((i, i, instant, None) for i in NASTY), ("N", None, instant, None)], key=str)
    assert read(chain, "sale_line", "order_id line_no net discount coupon_code") == [
        ("A", 1, D("-99999999999.9999"), None, None),
        ("B", 1, D("0.0001"), D("12.3000"), ""),
    ]
    assert read(chain, "store", "area_m2 opened_on closed_on") == [(0.1, date(2020, 2, 29), None)]
    assert read(chain, "store_traffic", "store_id visitors valid") == [("1", 3, True), ("2", 3, False), ("3", 3, None)]
    assert read(chain, "product", "product_id") == []


@pytest.mark.parametrize("way", WAYS)
def test_conditions_are_computed_by_the_crm(way: str, make: Callable[..., Crm]) -> None:
    chain = make(way)
    chain.write("sale_order", *(order(id_) for id_ in NASTY), order("N", customer_id="C"))
    chain.write(
        "sale_line", line("A"), line("B", line_no=2, updated_at=None), line("C", updated_at=datetime(2026, 3, 4, 5))
    )
    orders, lines = crm.tables["sale_order"].c, crm.tables["sale_line"].c

    def ids(name: str, where: ColumnElement[bool]) -> list[str]:
        return [row[0] for row in read(chain, name, "order_id", where)]

    for nasty in NASTY:
        assert ids("sale_order", orders.order_id == nasty) == [nasty]
    many = [*NASTY, *(f"no {i} such 'id'" for i in range(1_000 - len(NASTY)))]
    assert ids("sale_order", orders.order_id.in_(many)) == sorted(NASTY, key=lambda i: str((i,)))
    assert ids("sale_order", orders.customer_id.is_not(None)) == ["N"]
    assert ids("sale_order", and_(orders.order_id > "N", orders.order_id.like("O%"))) == ["O'1"]
    assert ids("sale_line", lines.updated_at >= datetime(2026, 3, 4, 5)) == ["C"]
    assert ids("sale_line", lines.updated_at.is_(None)) == ["B"]
    assert ids("sale_line", extract("month", lines.updated_at) == 3) == ["C"]
    after = or_(lines.order_id > "A", and_(lines.order_id == "A", lines.line_no > 1))
    assert ids("sale_line", after) == ["B", "C"]


@pytest.mark.parametrize("way", WAYS)
def test_small_queries_answer_in_plain_python_on_every_database(way: str, make: Callable[..., Crm]) -> None:
    chain = make(way)
    chain.write(
        "sale_line", line("A", "0.1"), line("B", "0.2"), line("C%", "1", updated_at=datetime(2026, 3, 4, 5, 6, 7, 8))
    )
    c = crm.tables["sale_line"].c
    with chain.reading() as (reader, _):
        total = reader.execute(select(exact_sum(c.net), exact_sum(c.discount), func.max(c.updated_at)))
        assert total == [((D("0.1") + D("0.2") + 1) * MONEY_UNIT, 0, datetime(2026, 3, 4, 5, 6, 7, 8))]
        found = reader.execute(select(func.count(), func.sum(c.net), func.max(c.updated_at), func.min(c.order_id)))
        assert found == [(3, D("1.3000"), datetime(2026, 3, 4, 5, 6, 7, 8), "A")]
        assert [type(v) for v in found[0]] == [int, Decimal, datetime, str]
        day = (extract("year", c.updated_at), extract("month", c.updated_at), extract("day", c.updated_at))
        by_day = select(*day, func.count()).group_by(*day).order_by(*day)
        assert reader.execute(by_day) == [(2026, 1, 2, 2), (2026, 3, 4, 1)]
        assert reader.execute(select(func.max(c.discount)).where(c.order_id == "C%")) == [(None,)]


def staged(chain: Crm, name: str) -> list[dict[str, Any]]:
    """What is staged of one table: every value, and which columns could not be read."""
    present = check(chain.engine)[name].present
    table = crm.tables[name]
    names = [c for c in SOURCES_BY_NAME[name].columns if c in present]
    found: list[tuple[Any, ...]] = []
    with chain.reading() as (reader, work):
        for rows in reader.rows(name, names):
            values = staging._select([table.c[c] for c in names], rows.typed, rows.unreadable)
            found += work.execute(f"SELECT {values} FROM {rows.relation}").fetchall()
    return [dict(zip([*names, "unreadable"], row, strict=True)) for row in found]


@pytest.mark.database
def test_what_postgresql_alone_can_hold_is_read_as_text(make: Callable[..., Crm]) -> None:
    chain = make("postgresql")
    chain.run(
        "ALTER TABLE sale_line ALTER COLUMN discount TYPE numeric, ALTER COLUMN tax TYPE text, "
        "ALTER COLUMN cost TYPE numeric(10,2), ALTER COLUMN line_no TYPE smallint",
    )
    chain.write("sale_line", line("A", "1.25", discount=D("0.12345"), tax="7", cost=D("2.5")))
    chain.run(
        "INSERT INTO sale_line (order_id, line_no, product_id, quantity, net, tax) VALUES ('B', 2, 'P', 1, 'NaN', 'x')"
    )
    names = ["order_id", "line_no", "net", "discount", "tax", "cost"]
    with chain.reading() as (reader, _):
        (rows,) = reader.rows("sale_line", names)
        assert rows.typed == {"order_id", "line_no", "net", "cost"}
    first, second = sorted(staged(chain, "sale_line"), key=lambda row: str(row["order_id"]))
    assert (first["net"], first["discount"], first["tax"], first["cost"]) == (D("1.25"), D("0.1235"), 7, D("2.5"))
    assert (second["net"], second["tax"], second["line_no"]) == (None, None, 2)
    assert set(second["unreadable"].split(",")) == {"net", "tax"}


@pytest.mark.database
def test_instants_with_a_zone_become_utc_and_zero_dates_are_unreadable(make: Callable[..., Crm]) -> None:
    chain = make("postgresql")
    chain.run(
        "ALTER TABLE sale_order ALTER COLUMN ordered_at TYPE timestamptz USING ordered_at AT TIME ZONE 'Asia/Tokyo'"
    )
    chain.run(
        "INSERT INTO sale_order (order_id, store_id, channel, kind, currency, ordered_at) "
        "VALUES ('A', 'S', 'x', 'sale', 'CNY', '2026-01-01 08:30+08')"
    )
    assert read(chain, "sale_order", "ordered_at") == [(datetime(2026, 1, 1, 0, 30),)]
    other = make("mariadb")
    other.run(
        "SET sql_mode = ''",
        "INSERT INTO sale_order (order_id, store_id, channel, kind, currency, ordered_at) "
        "VALUES ('A', 'S', 'x', 'sale', 'CNY', '0000-00-00')",
    )
    assert [row["unreadable"] for row in staged(other, "sale_order")] == ["ordered_at"]


# --- one instant, read-only -----------------------------------------------------------------------


@pytest.mark.parametrize("way", [way for way in WAYS if way != "duckdb"])
def test_what_is_written_between_two_tables_is_not_seen(way: str, make: Callable[..., Crm]) -> None:
    chain = make(way)
    if way == "sqlite":
        with chain.till.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    chain.write("sale_order", order("A"))
    chain.write("sale_line", line("A"))
    c = crm.tables["sale_line"].c
    asked = [select(func.count()).select_from(crm.tables[name]) for name in ("sale_line", "sale_order")]
    with chain.reading() as (reader, work):
        reader.ahead(asked)

        def count(name: str) -> int:
            return sum(work.execute(f"FROM {r.relation}").df().shape[0] for r in reader.rows(name, ["order_id"]))

        assert count("sale_order") == 1
        chain.write("sale_order", order("B"))
        chain.write("sale_line", line("B", "100"))
        assert (count("sale_order"), count("sale_line")) == (1, 1)
        assert reader.execute(select(func.count(), func.sum(c.net))) == [(1, D("1.5"))]
        assert reader.execute(select(exact_sum(c.net))) == [(D("1.5") * MONEY_UNIT,)]
        assert [reader.execute(query) for query in asked] == [[(1,)], [(1,)]]
    assert len(read(chain, "sale_line", "order_id")) == 2


@pytest.mark.parametrize("way", WAYS)
def test_nothing_can_be_written_through_a_reader(way: str, make: Callable[..., Crm]) -> None:
    chain = make(way)
    chain.write("sale_line", line("A"))
    with pytest.raises(Exception, match=r"(?i)read.?only|1792"):
        delete_lines(chain, way)
    assert len(read(chain, "sale_line", "order_id")) == 1


def delete_lines(chain: Crm, way: str) -> None:
    """Tries to, over the connection that reads."""
    with chain.reading() as (reader, work):
        reader.execute(select(func.count()).select_from(crm.tables["sale_line"]))
        if isinstance(reader, stream.Streaming):
            reader._connection.exec_driver_sql("DELETE FROM sale_line")
        elif way == "postgresql":
            work.execute("CALL postgres_execute('crm', 'DELETE FROM sale_line')")
        else:
            work.execute("DELETE FROM crm.sale_line")


def test_a_duckdb_file_is_free_for_others_and_known_to_the_contract(make: Callable[..., Crm]) -> None:
    chain = make("duckdb")
    chain.write("sale_line", line("A"))
    assert check(chain.engine)["sale_line"].rows == 1
    with chain.reading() as (reader, _):
        (rows,) = reader.rows("sale_line", ["order_id", "net", "line_no"])
        assert rows.typed == {"order_id", "net", "line_no"}
    chain.write("sale_line", line("B"))  # nothing of ours keeps the file
    assert check(chain.engine)["sale_line"].rows == 2
    missing = crm_engine(f"duckdb:///{chain.scratch}/none.duckdb")
    with pytest.raises(Problem, match=r"no CRM database at .*none\.duckdb"):
        check(missing)


# --- limits and failures --------------------------------------------------------------------------


def fill(chain: Crm, rows: int) -> None:
    """Many lines, written by the database itself."""
    series = {
        "postgresql": f"generate_series(1, {rows}) AS t(i)",
        "mysql": f"(SELECT seq AS i FROM seq_1_to_{rows}) AS t",
        "sqlite": f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i FROM n)",
    }[chain.till.dialect.name]
    chain.run(
        f"INSERT INTO sale_line (order_id, line_no, product_id, quantity, net) SELECT i, 1, 'P', 1, i FROM {series}"
    )


@pytest.mark.parametrize("way", [way for way in WAYS if way != "duckdb"])
def test_a_statement_that_takes_too_long_is_a_sentence(way: str, make: Callable[..., Crm]) -> None:
    chain = make(way)
    fill(chain, 200_000)
    # The clock that interrupts SQLite is ours and starts before the statement: there each row must cost something.
    seconds, slowly = (0.2, func.length(func.hex(func.randomblob(5_000))) > 0) if way == "sqlite" else (0.001, None)
    with pytest.raises(Problem, match=rf"took longer than {seconds} s for one statement: nothing of this read is kept"):
        take(chain, "sale_line", slowly, seconds=seconds)


@pytest.mark.database
@pytest.mark.parametrize("way", ["postgresql", "postgresql by copy", "postgresql by stream"])
def test_a_server_killed_while_it_is_read_is_a_sentence(
    way: str, make: Callable[..., Crm], own_postgresql: Server
) -> None:
    chain = make(way)
    fill(chain, 1_000)
    slowly = func.length(cast(func.pg_sleep(0.01), Text)) >= 0  # 10 s in all
    threading.Timer(1, kill, [own_postgresql.process]).start()
    with pytest.raises(Problem, match=r"failed while it was read .*: nothing of this read is kept") as caught:
        take(chain, "sale_line", slowly)
    assert len(str(caught.value).splitlines()) == 1


# --- which way is taken ---------------------------------------------------------------------------


@pytest.mark.database
def test_without_its_scanner_postgresql_is_read_by_copy_with_one_line_in_the_log(
    make: Callable[..., Crm], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chain = make("postgresql")
    chain.write("sale_line", line("A"))

    def missing(*_: object) -> None:
        raise Unavailable("postgres_scanner is not installed")

    monkeypatch.setattr(postgresql, "load_scanner", missing)
    with caplog.at_level(logging.WARNING):
        assert read(chain, "sale_line", "order_id net") == [("A", D("1.5"))]
    assert [record.message for record in caplog.records] == [
        "postgresql scanning is not available (postgres_scanner is not installed): reading more slowly"
    ]


def test_a_login_refused_by_the_scanner_never_shows_the_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = crm_engine("postgresql+psycopg://someone:s3cret@127.0.0.1:9/crm")
    with pytest.raises(Problem, match="failed while it was read") as caught:
        take(Crm(engine, engine, tmp_path), "sale_line")
    assert "s3cret" not in str(caught.value) + caplog.text


@pytest.mark.database
def test_the_server_sees_who_reads(make: Callable[..., Crm]) -> None:
    chain = make("postgresql")
    with chain.reading() as (reader, _):
        reader.execute(select(exact_sum(crm.tables["sale_line"].c.net)))
        with chain.till.connect() as connection:
            named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'beauty-mirror'"
            assert connection.scalar(text(f"{named} AND datname = current_database()")) == 1
