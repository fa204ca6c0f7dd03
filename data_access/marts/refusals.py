"""Which CRM rows cannot be used, and why; every one of them is counted.

``clean.refused`` has one row per refused row and ``clean.<table>`` is a view of what is left of ``stage.<table>``.

The reasons: null_key (a part of the key, or of what the row hangs on, is empty), null_value and unreadable (a needed
value is empty, or no number or date), implausible_date (before 1980 or more than five years ahead), duplicate (a
second row with the key), order_refused (its receipt was refused), no_order (its receipt does not exist).
"""

import duckdb

from data_access.marts._sql import scalar
from data_access.staging import SOURCES, Source

_PLAUSIBLE = "BETWEEN TIMESTAMP '1980-01-01' AND now()::TIMESTAMP + INTERVAL 5 YEAR"


def begin(work: duckdb.DuckDBPyConnection) -> None:
    """Creates ``clean.refused``, still empty."""
    work.execute(
        """CREATE TABLE clean.refused (
            table_name VARCHAR, row BIGINT, row_key VARCHAR, reason VARCHAR, amount DECIMAL(18, 4)
        )"""
    )


def refuse(work: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Adds the rows of one table that cannot be used and builds its ``clean`` view; receipts before their lines."""
    _refuse_rows(work, source)
    if source.table == "sale_line":
        _refuse_without_receipt(work, source)
    _refuse_duplicates(work, source)
    work.execute(f"CREATE VIEW clean.{source.table} AS SELECT * FROM {_remaining(work, source)}")


def _remaining(work: duckdb.DuckDBPyConnection, source: Source) -> str:
    """The staged rows that are not refused so far. Where none is, as usual, nothing is compared."""
    refused = f"SELECT row FROM clean.refused WHERE table_name = '{source.table}'"
    any_refused = scalar(work, f"SELECT count(*) FROM ({refused})")
    return f"stage.{source.table}" + (f" WHERE rowid NOT IN ({refused})" if any_refused else "")


def unreadable_values(work: duckdb.DuckDBPyConnection, everything: str) -> list[tuple[str, str, int]]:
    """One (table, column, values) for each column with values that are no number or date, needed or not, of the
    staged rows in the schema or database ``everything``."""
    counted = " UNION ALL ".join(
        f"SELECT '{s.table}' AS name, unnest(string_split(unreadable, ',')) AS field FROM {everything}.{s.table} "
        "WHERE unreadable IS NOT NULL"
        for s in SOURCES
    )
    return work.execute(f"SELECT name, field, count(*) FROM ({counted}) GROUP BY ALL ORDER BY ALL").fetchall()


def _refuse_rows(work: duckdb.DuckDBPyConnection, source: Source) -> None:
    references = [c for c in source.essential if c in source.key or c.endswith("_id")]
    values = [c for c in source.essential if c not in references]
    cases = [f"WHEN {c} IS NULL THEN {_why_null(c, 'null_key')}" for c in references]
    cases += [f"WHEN {c} IS NULL THEN {_why_null(c, 'null_value')}" for c in values]
    cases += [
        f"WHEN NOT {c} {_PLAUSIBLE} THEN 'implausible_date'" for c in values if c in ("ordered_at", "returned_at")
    ]
    _insert(work, source, f"SELECT *, rowid, CASE {' '.join(cases)} END AS refusal FROM stage.{source.table}")


def _why_null(column: str, otherwise: str) -> str:
    unreadable = f"list_contains(string_split(unreadable, ','), '{column}')"
    return f"CASE WHEN {unreadable} THEN 'unreadable' ELSE '{otherwise}' END"


def _refuse_without_receipt(work: duckdb.DuckDBPyConnection, source: Source) -> None:
    refused = "SELECT order_id FROM stage.sale_order WHERE rowid IN (SELECT row FROM refused_orders)"
    _insert(
        work,
        source,
        f"""WITH refused_orders AS (SELECT row FROM clean.refused WHERE table_name = 'sale_order')
        SELECT *, CASE WHEN order_id IN ({refused}) THEN 'order_refused' ELSE 'no_order' END AS refusal
        FROM (SELECT *, rowid FROM {_remaining(work, source)}) ANTI JOIN clean.sale_order USING (order_id)""",
    )


def _refuse_duplicates(work: duckdb.DuckDBPyConnection, source: Source) -> None:
    key, remaining = ", ".join(source.key), _remaining(work, source)
    # Hashes that occur twice are found in half the time of keys; usually there are none.
    if scalar(work, f"SELECT count(*) FROM (SELECT 1 FROM {remaining} GROUP BY hash({key}) HAVING count(*) > 1)"):
        _insert(
            work,
            source,
            f"""WITH remaining AS (SELECT *, rowid FROM {remaining}),
            twice AS (SELECT {key} FROM remaining GROUP BY {key} HAVING count(*) > 1)
            SELECT *, 'duplicate' AS refusal FROM remaining SEMI JOIN twice USING ({key})
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY rowid) > 1""",
        )


def _insert(work: duckdb.DuckDBPyConnection, source: Source, rows: str) -> None:
    work.execute(
        f"INSERT INTO clean.refused SELECT '{source.table}', rowid, concat_ws('/', {', '.join(source.key)}), refusal, "
        f"{source.money or 'NULL'} FROM ({rows}) WHERE refusal IS NOT NULL"
    )
