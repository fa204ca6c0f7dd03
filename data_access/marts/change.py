"""Facts and marts brought up to date where the CRM has changed, in a copy of the generation before.

Rows are derived again by unit (a receipt with its lines, a returned line, a customer); what differs from the facts so
far touches stores' days, products' days and customers, and only their marts are built again (``_mart.By``). The result
is the same, row for row, as a full build's.

Schemas of the working database: ``kept`` all staged rows (brought up to date before), ``changed`` their keys that
changed, ``stage`` and ``clean`` the rows of the units to derive again, ``fresh`` the facts these give, ``before`` and
``now`` the facts and marts of what is touched. What goes is found once and deleted by its row's number in the file,
and receipts are looked for among the days they can be on: stored by day, other days are not read.
"""

import re
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

import duckdb
from sqlalchemy import Table

from data_access import assigned
from data_access.collect import ReadEverything
from data_access.marts import places
from data_access.marts._mart import KEYS, By, Mart
from data_access.marts._sql import columns_read, mart_sql, narrow_sql, scalar, tables_read
from data_access.marts.build import FACTS, RANKED, clean, trade
from data_access.marts.refusals import refuse
from data_access.marts.registry import MARTS
from data_access.marts.tables import facts
from data_access.staging import SOURCES, Progress

_ORDERS = ("sale_order", "sale_line")
# Facts of people that are derived together, of whoever has a row that changed in a staged table of the same name; a
# customer's rows come late.
_PEOPLE = (
    ("customer", "customer_tag", "tier_change", "consent"),
    ("points_entry",),
    ("follow_up",),
    ("campaign_member",),
    ("campaign_event",),
)
_OF_PEOPLE = {table for tables in _PEOPLE for table in tables}
# Facts by what their rows are derived and replaced together: a receipt, a returned line, a customer.
_UNITS: dict[str, tuple[str, ...]] = {
    "sale_order": ("order_id",),
    "sale_line": ("order_id",),
    "return_line": ("return_id", "line_no"),
    **{name: ("customer_no",) for names in _PEOPLE for name in names},
}
# Two parts of about as much work.
_HALVES = (("sale_line",), tuple(name for name in _UNITS if name != "sale_line"))
# Facts small enough to be derived as a whole.
_WHOLE = tuple(name for name in FACTS if name not in (*_UNITS, "product", "quarantine"))
# Facts that name customers.
_NAMING = tuple(name for name in FACTS if "customer_no" in facts.tables[name].c)
# What marts join to rows they do not belong to: a change of one of these changes figures anywhere.
_FIXED = {"store": "store_id, region_id, time_zone", "product": "product_id, category"}

# A unit may be named by a store that only receipts mention; of those, the facts so far know all but the new ones.
_NAMED_STORES = f"{places.NAMED} UNION SELECT store_id FROM facts.store WHERE kind = 'unknown'"
# Small tables that are always at hand: others are derived with them.
_REFERENCES = ("store", "region", "product", "tier")


def derive_trade(work: duckdb.DuckDBPyConnection) -> str:
    """Derives the receipts, lines, returns and all small tables again that may have changed; returns the currency.

    ``kept`` is up to date but for customers, whose new rows lie in ``incoming.customer``.
    """
    work.execute(
        "CREATE TABLE changed.orders AS SELECT order_id FROM changed.sale_order "
        "UNION SELECT order_id FROM changed.sale_line"
    )
    work.execute(
        "CREATE TABLE changed.returns AS SELECT return_id, line_no FROM changed.return_line "
        "UNION SELECT return_id, line_no FROM kept.return_line SEMI JOIN changed.orders USING (order_id)"
    )
    # A return carries the customer, the day and the exclusion of its receipt.
    work.execute(
        "INSERT INTO changed.orders SELECT DISTINCT order_id FROM kept.return_line SEMI JOIN changed.returns "
        "USING (return_id, line_no) WHERE order_id NOT IN (SELECT order_id FROM changed.orders)"
    )
    if _any(
        work,
        "FROM (SELECT tier_id, name FROM changed.tier_old EXCEPT SELECT tier_id, name FROM changed.tier_new "
        "UNION ALL (SELECT tier_id, name FROM changed.tier_new EXCEPT SELECT tier_id, name FROM changed.tier_old))",
    ):
        raise ReadEverything("a tier has come, gone or changed its name")
    needed = _needed(work)
    for source in SOURCES:
        if source.table in _ORDERS:
            rows = f"SELECT * FROM kept.{source.table} SEMI JOIN changed.orders USING (order_id)"
        elif source.table == "return_line":
            rows = "SELECT * FROM kept.return_line SEMI JOIN changed.returns USING (return_id, line_no)"
        else:
            rows = f"SELECT * FROM kept.{source.table}" + ("" if source.table in needed else " LIMIT 0")
        if source.table not in _OF_PEOPLE:
            work.execute(f"CREATE TABLE stage.{source.table} AS {rows}")
    trading = [source for source in SOURCES if source.table not in _OF_PEOPLE]
    currency = clean(work, "kept", trading, _NAMED_STORES)
    work.execute("CREATE VIEW clean.customer_number AS SELECT * FROM kept.customer_number")
    trade(work)
    for name in (*_ORDERS, "return_line"):
        _fresh(work, name)
    return currency


def _needed(work: duckdb.DuckDBPyConnection) -> set[str]:
    """The staged tables from which facts are derived as a whole that may differ from what they were."""
    moved = {s.table for s in SOURCES if s.table not in _UNITS and _any(work, f"FROM changed.{s.table}")}
    named = " UNION ".join(f"SELECT store_id FROM changed.{name}_new" for name in ("sale_order", "return_line"))
    if moved & {"store", "region"} or _any(work, f"FROM ({named}) ANTI JOIN facts.store USING (store_id)"):
        return {s.table for s in SOURCES if s.table not in _UNITS}
    return set(_REFERENCES).union(*(tables for tables in map(_derived_from, _WHOLE) if tables & moved))


def _derived_from(name: str) -> set[str]:
    """The staged tables whose clean rows a facts table is derived from."""
    return set(re.findall(r"clean\.(\w+)", FACTS[name])) & {s.table for s in SOURCES}


def _is_at_hand(name: str, needed: Set[str]) -> bool:
    """Whether all that a facts table is derived from was cleaned again: beside what moved lie tables joined to it."""
    tables = _derived_from(name)
    return bool(tables - set(_REFERENCES)) and tables <= needed


def _any(work: duckdb.DuckDBPyConnection, rows: str) -> bool:
    return work.execute(f"SELECT 1 {rows} LIMIT 1").fetchone() is not None


def newest_day(work: duckdb.DuckDBPyConnection, last_day: date) -> date | None:
    """The newest day of the facts as they will be, after ``derive_trade``; ``last_day`` is that of the facts so far."""
    # Most often that day still has receipts, and older ones need no look.
    return _newest(work, last_day) or _newest(work, date.min)


def _newest(work: duckdb.DuckDBPyConnection, since: date) -> date | None:
    newest: date | None = scalar(
        work,
        f"""SELECT max(day) FROM (
            SELECT day FROM facts.sale_order ANTI JOIN changed.orders USING (order_id) WHERE day >= DATE '{since}'
            UNION ALL SELECT day FROM fresh.sale_order
            UNION ALL SELECT day FROM facts.return_line ANTI JOIN changed.returns USING (return_id, line_no)
            WHERE day >= DATE '{since}'
            UNION ALL SELECT day FROM fresh.return_line
        ) WHERE day >= DATE '{since}'""",
    )
    return newest


def derive_people(work: duckdb.DuckDBPyConnection) -> None:
    """Derives the customers again of whom a row has changed, with all that hangs on them. ``kept`` is up to date."""
    for names in _PEOPLE:
        people = f"changed.{names[0]}_people"
        union = " UNION ".join(f"SELECT customer_id FROM changed.{name}" for name in names)
        work.execute(f"CREATE TABLE {people} AS SELECT customer_id FROM ({union}) WHERE customer_id IS NOT NULL")
        for source in SOURCES:
            if source.table in names:
                work.execute(
                    f"CREATE TABLE stage.{source.table} AS "
                    f"SELECT * FROM kept.{source.table} SEMI JOIN {people} USING (customer_id)"
                )
                refuse(work, source)
        if "campaign_member" in names:
            assigned.of_people(work, people)
        for name in names:
            _fresh(work, name)
        work.execute(
            f"CREATE TABLE changed.{names[0]}_numbers AS SELECT customer_no FROM kept.customer_number "
            f"SEMI JOIN {people} USING (customer_id)"
        )


def _fresh(work: duckdb.DuckDBPyConnection, name: str) -> None:
    work.execute(f"CREATE TABLE fresh.{name} AS SELECT * FROM facts.{name} LIMIT 0")
    work.execute(f"INSERT INTO fresh.{name} BY NAME {FACTS[name]}")


def update_facts(work: duckdb.DuckDBPyConnection) -> None:
    """Brings the facts up to date with the ``fresh`` rows.

    ReadEverything when a store or a product has changed in a way that changes figures everywhere, or an audience's
    customer has come or gone.
    """
    _compare_units(work)
    needed = _needed(work)
    for name in _WHOLE:
        if name in _REFERENCES or _is_at_hand(name, needed):
            _replace_whole(work, name)
        else:
            _note_nothing(work, name)
    _together(work, *(partial(_replace_units, names=names) for names in _HALVES))
    _rank(work)
    assigned.expect_all(work)
    _replace_whole(work, "product")  # after the lines, whose products it names
    _quarantine(work, needed)


def update_marts(work: duckdb.DuckDBPyConnection, progress: Progress) -> None:
    """Builds again what is touched of the marts, after ``update_facts``; ``old`` are the facts before it."""
    partly = [mart for mart in MARTS if mart.by != "whole"]
    read_by_them: set[Table] = set().union(*map(tables_read, partly))
    whole = [mart for mart in MARTS if mart.by == "whole"]
    moved = {name for name in FACTS if name != "quarantine" and _differs(work, name)}
    for mart in whole:
        if mart.table in read_by_them and {t.name for t in tables_read(mart)} & moved:
            _replace_all_of(work, mart)
    progress(f"touched: {_touch(work)}")
    customers = [mart for mart in partly if mart.by in ("customer", "customer_sum")]
    others = [mart for mart in partly if mart.by in _OTHERS]
    _together(work, lambda own: _customers(own, customers), lambda own: _receipts_and_days(own, others))
    moved |= {mart.name for mart in partly} | {"generation_info"}
    for mart in whole:
        if mart.table not in read_by_them and {t.name for t in tables_read(mart)} & moved:
            _replace_all_of(work, mart)


def _together(work: duckdb.DuckDBPyConnection, *branches: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    """Runs branches that write different tables at the same time, each with a connection of its own.

    Much of a branch is done by one thread only: sorting, writing, deleting.
    """
    with ThreadPoolExecutor(len(branches)) as threads:
        running = [threads.submit(_apart, work.cursor(), branch) for branch in branches]
    for branch in running:
        branch.result()


def _apart(own: duckdb.DuckDBPyConnection, branch: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    with own:
        own.execute("SET TimeZone = 'UTC'")  # which another connection does not take over
        branch(own)


def _receipts_and_days(work: duckdb.DuckDBPyConnection, marts: Sequence[Mart]) -> None:
    """The marts of the touched receipts, then those of the touched days of stores and of products."""
    for by in _OTHERS:
        built = [mart for mart in marts if mart.by == by]
        _build_touched(work, f"now_{by}", by, built)
        for mart in built:
            _delete_touched(work, mart)
            _insert_touched(work, mart, f"now_{by}")


def _customers(work: duckdb.DuckDBPyConnection, marts: Sequence[Mart]) -> None:
    """The marts of the touched customers, and the sums over customers."""
    stored = [mart for mart in marts if mart.by == "customer" and not mart.step]
    summed = [mart for mart in marts if mart.step or mart.by == "customer_sum"]
    work.execute("CREATE SCHEMA before")
    for mart in stored:
        # what is added up, and which rows go
        columns = ", ".join(["m.rowid AS row", *_read_of(mart.table, summed)])
        work.execute(
            f"CREATE TABLE before.{mart.name} AS SELECT {columns} FROM facts.{mart.name} m "
            "SEMI JOIN touched.customer USING (customer_no)"
        )
    _build(work, "before", summed, {mart.name for mart in stored}, source="old")
    _build_touched(work, "now", "customer", marts)
    for mart in marts:
        if mart.by == "customer_sum":
            _add_up(work, mart)
    for mart in stored:
        _delete_rows(work, mart.name, f"before.{mart.name}")
        _insert_touched(work, mart, "now")


def _differs(work: duckdb.DuckDBPyConnection, name: str) -> bool:
    return _any(work, f"FROM (FROM changed.{name}_out UNION ALL FROM changed.{name}_in)")


# --- facts ----------------------------------------------------------------------------------------


def _units_of(name: str) -> str:
    for names in _PEOPLE:
        if name in names:
            return f"{names[0]}_numbers"
    return "returns" if name == "return_line" else "orders"


def _compare_units(work: duckdb.DuckDBPyConnection) -> None:
    """``changed.<fact>_now``: the facts so far of the units derived again, with their row numbers."""
    days = _days_of_orders(work)

    def compare(own: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
        for name in names:
            where = f"WHERE {days}" if name in _ORDERS else ""
            own.execute(
                f"CREATE TABLE changed.{name}_now AS SELECT f.*, f.rowid AS row FROM facts.{name} f "
                f"SEMI JOIN changed.{_units_of(name)} USING ({', '.join(_UNITS[name])}) {where}"
            )
            _note_differences(own, name, f"(SELECT * EXCLUDE (row) FROM changed.{name}_now)")

    _together(work, *(partial(compare, names=names) for names in _HALVES))


def _days_of_orders(work: duckdb.DuckDBPyConnection) -> str:
    """On which days the facts so far hold receipts that are derived again, as a condition: a local day lies at most one
    beside that of UTC. Receipts are stored by day, so the days without any need not be read."""
    (first, last) = work.execute(
        "SELECT CAST(min(ordered_at) AS DATE) - 1, CAST(max(ordered_at) AS DATE) + 1 FROM ("
        "SELECT ordered_at FROM stage.sale_order UNION ALL SELECT ordered_at FROM changed.sale_order_old)"
    ).fetchone() or (None, None)
    return f"day BETWEEN DATE '{first}' AND DATE '{last}'" if first else "false"


def _replace_units(work: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    for name in names:
        columns, units = ", ".join(_UNITS[name]), f"changed.{name}_units"
        work.execute(
            f"CREATE TABLE {units} AS SELECT {columns} FROM changed.{name}_out "
            f"UNION SELECT {columns} FROM changed.{name}_in"
        )
        _delete_rows(work, name, f"changed.{name}_now SEMI JOIN {units} USING ({columns})")
        work.execute(f"INSERT INTO facts.{name} SELECT * FROM fresh.{name} SEMI JOIN {units} USING ({columns})")


def _delete_rows(work: duckdb.DuckDBPyConnection, name: str, rows: str) -> None:
    """Deletes the rows of a table of ``facts`` whose numbers in the file are the ``row`` of ``rows``."""
    work.execute(f"DELETE FROM facts.{name} WHERE rowid IN (SELECT row FROM {rows})")


def _replace_whole(work: duckdb.DuckDBPyConnection, name: str) -> None:
    """Derives a small facts table as a whole and replaces it where it differs."""
    _fresh(work, name)
    _note_differences(work, name, f"facts.{name}")
    if name in _FIXED:
        _expect_fixed(work, name)
    if scalar(work, f"SELECT count(*) FROM (FROM changed.{name}_out UNION ALL FROM changed.{name}_in)"):
        _replace_all(work, name, f"SELECT * FROM fresh.{name}")


def _note_nothing(work: duckdb.DuckDBPyConnection, name: str) -> None:
    """``changed.<fact>_out`` and ``_in`` of a table that needs no look."""
    for way in ("out", "in"):
        work.execute(f"CREATE TABLE changed.{name}_{way} AS FROM facts.{name} LIMIT 0")


def _note_differences(work: duckdb.DuckDBPyConnection, name: str, so_far: str) -> None:
    """``changed.<fact>_out`` and ``_in``: the rows that go and the rows that come; where they differ, nothing else."""
    work.execute(f"CREATE TABLE changed.{name}_out AS FROM {so_far} EXCEPT ALL FROM fresh.{name}")
    work.execute(f"CREATE TABLE changed.{name}_in AS FROM fresh.{name} EXCEPT ALL FROM {so_far}")


def _expect_fixed(work: duckdb.DuckDBPyConnection, name: str) -> None:
    columns = _FIXED[name]
    moved = scalar(
        work, f"SELECT count(*) FROM (SELECT {columns} FROM facts.{name} EXCEPT SELECT {columns} FROM fresh.{name})"
    )
    if moved:
        raise ReadEverything(f"{moved:,} rows of {name} have gone or changed in what figures are grouped by")


def _rank(work: duckdb.DuckDBPyConnection) -> None:
    """Forgets the numbers of customers that occur nowhere any more, and ranks the ids again if any came or went."""
    left = " UNION ".join(f"SELECT customer_no FROM changed.{name}_out" for name in _NAMING)
    still = " UNION ".join(f"SELECT customer_no FROM changed.{name}_in" for name in _NAMING)
    work.execute(
        "CREATE TABLE changed.suspects AS SELECT customer_id FROM kept.customer_number "
        f"SEMI JOIN ({left}) USING (customer_no) ANTI JOIN ({still}) USING (customer_no) "
        "ANTI JOIN facts.customer USING (customer_no)"
    )
    if _any(work, "FROM changed.suspects"):
        named = " UNION ALL ".join(
            f"SELECT customer_id FROM kept.{s.table} SEMI JOIN changed.suspects USING (customer_id)"
            for s in SOURCES
            if "customer_id" in s.columns
        )
        work.execute(
            "DELETE FROM kept.customer_number WHERE customer_id IN "
            f"(SELECT customer_id FROM changed.suspects EXCEPT SELECT customer_id FROM ({named}))"
        )
    if _any(work, "FROM changed.suspects") or scalar(
        work, "SELECT (SELECT count(*) FROM kept.customer_number) <> (SELECT count(*) FROM facts.customer_rank)"
    ):
        _replace_all(work, "customer_rank", RANKED.format("kept.customer_number"))


def _quarantine(work: duckdb.DuckDBPyConnection, needed: set[str]) -> None:
    """The refused rows of what was derived again; those of other receipts, customers and tables stay."""
    for source in SOURCES:
        key = f"concat_ws('/', {', '.join(source.key)})"
        if source.table in (*_ORDERS, "return_line", *_OF_PEOPLE):
            work.execute(
                f"DELETE FROM facts.quarantine WHERE table_name = '{source.table}' AND row_key IN "
                f"(SELECT {key} FROM changed.{source.table} UNION ALL SELECT {key} FROM stage.{source.table})"
            )
        elif source.table in needed:
            work.execute(f"DELETE FROM facts.quarantine WHERE table_name = '{source.table}'")
    work.execute(f"INSERT INTO facts.quarantine BY NAME {FACTS['quarantine']}")


def _replace_all_of(work: duckdb.DuckDBPyConnection, mart: Mart) -> None:
    _replace_all(work, mart.name, f"{mart_sql(mart, 'facts')} ORDER BY {', '.join(mart.order_by)}")


def _replace_all(work: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    work.execute(f"DELETE FROM facts.{name}")
    work.execute(f"INSERT INTO facts.{name} BY NAME {query}")


# --- what is touched ------------------------------------------------------------------------------

_OTHERS: tuple[By, ...] = ("receipt", "store_day", "product_day")  # those not by customers
_TOUCHES: dict[By, tuple[tuple[str, str], ...]] = {
    "receipt": (("sale_order", "order_id"), ("sale_line", "order_id")),
    "store_day": (
        ("sale_order", "store_id, day"),
        ("sale_line", "store_id, day"),
        ("return_line", "store_id, day"),
        ("return_line", "sale_store_id, sale_day"),
        ("store_traffic", "store_id, day"),
        ("shift", "store_id, day"),
    ),
    "product_day": (
        ("sale_line", "product_id, day"),
        ("return_line", "product_id, day"),
        ("return_line", "product_id, sale_day"),
    ),
    "customer": tuple((name, "customer_no") for name in _NAMING),
}


def _touch(work: duckdb.DuckDBPyConnection) -> str:
    """``touched.<by>``: the stores' days, products' days and customers with a row that goes or comes."""
    work.execute("CREATE SCHEMA touched")
    for by, origins in _TOUCHES.items():
        rows = [f"SELECT {columns} FROM changed.{name}_{way}" for name, columns in origins for way in ("out", "in")]
        if by == "customer":
            # A campaign that changed changes what its members did within it.
            campaigns = " UNION ".join(
                f"SELECT campaign_id FROM changed.{name}_{way}"
                for name in ("campaign", "campaign_arm")
                for way in ("out", "in")
            )
            used = "SELECT * FROM facts.campaign_use EXCEPT SELECT * FROM old.campaign_use"
            campaigns += f" UNION SELECT campaign_id FROM ({used})"
            for name in ("campaign_member", "campaign_event"):
                rows.append(f"SELECT customer_no FROM facts.{name} WHERE campaign_id IN ({campaigns})")
            # What came back is worth what the product costs now.
            costs = "SELECT product_id, cost FROM facts.product EXCEPT SELECT product_id, cost FROM old.product"
            rows.append(f"SELECT customer_no FROM facts.return_line SEMI JOIN ({costs}) USING (product_id)")
        if by == "product_day":
            # A receipt that changes its hour, store or customer carries its lines with it.
            for way in ("out", "in"):
                rows.append(
                    "SELECT product_id, l.day FROM changed.sale_line_now l "
                    f"SEMI JOIN changed.sale_order_{way} USING (order_id)"
                )
                rows.append(
                    "SELECT product_id, l.day FROM fresh.sale_line l "
                    f"SEMI JOIN changed.sale_order_{way} USING (order_id)"
                )
        names = ", ".join(KEYS[by])
        work.execute(f"CREATE TABLE touched.{by} ({names.replace(', ', ' VARCHAR, ')} {_LAST_TYPE[by]})")
        work.execute(
            f"INSERT INTO touched.{by} SELECT DISTINCT * FROM ({' UNION ALL '.join(rows)}) AS t({names}) "
            f"WHERE {' AND '.join(f'{c} IS NOT NULL' for c in KEYS[by])}"
        )
    return ", ".join(f"{scalar(work, f'SELECT count(*) FROM touched.{by}'):,} of {by}" for by in _TOUCHES)


_LAST_TYPE: dict[By, str] = {
    "receipt": "VARCHAR",
    "store_day": "DATE",
    "product_day": "DATE",
    "customer": "BIGINT",
}


def _build_touched(work: duckdb.DuckDBPyConnection, schema: str, by: By, marts: Sequence[Mart]) -> None:
    """A schema with the marts built from the facts and earlier marts of what is touched."""
    work.execute(f"CREATE SCHEMA {schema}")
    built = {mart.name for mart in marts}
    read = {table.name: table for mart in marts for table in tables_read(mart) if table.name not in built}
    there = set()
    for name, table in read.items():
        if set(KEYS[by]) <= set(table.c.keys()):
            work.execute(f"CREATE TABLE {schema}.{name} AS {_touched_rows(table, by, marts)}")
            there.add(name)
        elif "day" in KEYS[by] and "day" in table.c:
            first, last = work.execute(f"SELECT min(day), max(day) FROM touched.{by}").fetchone() or (None, None)
            days = f"day BETWEEN DATE '{first}' AND DATE '{last}'" if first else "false"
            work.execute(f"CREATE VIEW {schema}.{name} AS SELECT * FROM facts.{name} WHERE {days}")
            there.add(name)
    _build(work, schema, marts, there, source="facts")


def _build(work: duckdb.DuckDBPyConnection, schema: str, marts: Sequence[Mart], there: Set[str], source: str) -> None:
    """The marts within ``schema``; what they read and is not ``there`` is that of ``source``."""
    present = set(there)
    for mart in marts:
        for name in sorted({table.name for table in tables_read(mart)} - present):
            work.execute(f"CREATE VIEW {schema}.{name} AS SELECT * FROM {source}.{name}")
        work.execute(f"CREATE TABLE {schema}.{mart.name} AS {narrow_sql(mart, schema)}")
        present |= {table.name for table in tables_read(mart)} | {mart.name}


def _read_of(table: Table, marts: Sequence[Mart]) -> list[str]:
    """The columns of a table that marts read."""
    read: set[str] = set().union(*(columns_read(mart).get(table.name, ()) for mart in marts))
    return [column.name for column in table.c if column.name in read]


def _touched_rows(table: Table, by: By, marts: Sequence[Mart]) -> str:
    """The rows of a table that are touched, with what ``marts`` read of them: a scan costs as much as its columns."""
    keys = ", ".join(KEYS[by])
    columns = ", ".join(f"f.{name}" for name in _read_of(table, marts) or KEYS[by])
    # Receipts that are touched have just been derived again as a whole.
    so_far = "fresh" if by == "receipt" else "facts"
    if table.name == "sale_line" and by == "customer":
        # A mart of customers takes from lines only what the goods cost that came back.
        back = "SELECT order_id FROM facts.return_line SEMI JOIN touched.customer USING (customer_no)"
        return f"SELECT {columns} FROM facts.sale_line f SEMI JOIN ({back}) USING (order_id)"
    rows = f"SELECT {columns} FROM {so_far}.{table.name} f SEMI JOIN touched.{by} USING ({keys})"
    if table.name == "return_line" and by in ("store_day", "product_day"):
        sold = " AND ".join(f"f.sale_{key} = t.{key}" for key in KEYS[by] if key != "product_id")
        sold += " AND f.product_id = t.product_id" if "product_id" in KEYS[by] else ""
        rows += (
            f" UNION ALL SELECT {columns} FROM facts.{table.name} f ANTI JOIN touched.{by} USING ({keys}) "
            f"SEMI JOIN touched.{by} t ON {sold}"
        )
    return rows


def _delete_touched(work: duckdb.DuckDBPyConnection, mart: Mart) -> None:
    same, gone = " AND ".join(f"m.{c} = t.{c}" for c in KEYS[mart.by]), f"touched.{mart.by}"
    if mart.by == "receipt":
        same += f" AND {_days_of_orders(work)}"
        gone = f"(FROM {gone} SEMI JOIN changed.sale_order_now USING (order_id))"  # most are new
    work.execute(f"DELETE FROM facts.{mart.name} m USING {gone} t WHERE {same}")


def _insert_touched(work: duckdb.DuckDBPyConnection, mart: Mart, schema: str) -> None:
    keys = ", ".join(KEYS[mart.by])
    work.execute(
        f"INSERT INTO facts.{mart.name} BY NAME SELECT * FROM {schema}.{mart.name} "
        f"SEMI JOIN touched.{mart.by} USING ({keys}) ORDER BY {', '.join(mart.order_by)}"
    )


def _add_up(work: duckdb.DuckDBPyConnection, mart: Mart) -> None:
    """Takes out what the touched customers contributed to the sums before, and adds what they contribute now."""
    sums = mart.sums
    groups = [c.name for c in mart.table.c if c.name not in sums]
    names = ", ".join(groups)
    minus = ", ".join(f"-{c} AS {c}" for c in sums)
    total = ", ".join(f"sum({c}) AS {c}" for c in sums)
    moved = " OR ".join(f"{c} <> 0" for c in sums)
    work.execute(
        f"CREATE OR REPLACE TABLE changed.delta AS SELECT * FROM (SELECT {names}, {total} FROM ("
        f"SELECT {names}, {', '.join(sums)} FROM now.{mart.name} UNION ALL "
        f"SELECT {names}, {minus} FROM before.{mart.name}) GROUP BY {names}) WHERE {moved}"
    )
    same = " AND ".join(f"m.{c} IS NOT DISTINCT FROM d.{c}" for c in groups)
    work.execute(
        f"CREATE OR REPLACE TABLE changed.sums AS SELECT {names}, {total} FROM ("
        f"SELECT {names}, {', '.join(sums)} FROM changed.delta UNION ALL "
        f"SELECT {', '.join(f'm.{c}' for c in [*groups, *sums])} FROM facts.{mart.name} m "
        f"WHERE EXISTS (SELECT 1 FROM changed.delta d WHERE {same})) GROUP BY {names} HAVING sum(rows) <> 0"
    )
    work.execute(f"DELETE FROM facts.{mart.name} m USING changed.delta d WHERE {same}")
    work.execute(f"INSERT INTO facts.{mart.name} BY NAME SELECT * FROM changed.sums ORDER BY {names}")
