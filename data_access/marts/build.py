"""The order in which the facts come into being: staged rows -> clean rows -> facts -> marts."""

from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from data_access.errors import Problem
from data_access.marts import (
    campaign,
    customer,
    customer_summary,
    places,
    refusals,
    return_line,
    sale_line,
    sale_order,
    stock,
)
from data_access.marts._sql import sql
from data_access.marts.registry import MARTS
from data_access.pseudonym import customer_no
from data_access.readers import literal

_UNKNOWN_CURRENCY = "XXX"  # ISO 4217: no currency

# Facts in this order: a mart reads the facts before it.
_FACTS = {
    "store": "SELECT * FROM clean.stores",
    "product": places.PRODUCT,
    "staff": places.STAFF,
    "customer": customer.SQL,
    "customer_rank": "SELECT customer_no, id_rank FROM clean.customer_number ORDER BY customer_no",
    "sale_order": sale_order.FACTS,
    "sale_line": sale_line.SQL,
    "return_line": return_line.FACTS,
    "store_traffic": places.TRAFFIC,
    "data_source": "SELECT * EXCLUDE (unreadable) FROM clean.data_source ORDER BY loaded_at, source_id",
    # Translated names of people identify people.
    "translation": """SELECT * EXCLUDE (unreadable) FROM clean.translation
        WHERE field NOT IN (SELECT unnest($pii)) ORDER BY ALL""",
    "campaign": campaign.CAMPAIGN,
    "campaign_arm": campaign.ARM,
    "campaign_member": campaign.MEMBER,
    "campaign_event": campaign.EVENT,
    "stock_level": stock.LEVEL,
    "purchase_line": stock.PURCHASE,
    "quarantine": "SELECT table_name, row_key, reason, amount FROM clean.refused ORDER BY ALL",
}


TEXT_MARTS = {"customer_summary": customer_summary.SQL}


def clean(work: duckdb.DuckDBPyConnection, key: bytes) -> str:
    """Builds the ``clean`` tables the facts are taken from; returns the chain's currency.

    Problem when the stores, receipts and returns name more than one currency: their money cannot be added.
    """
    refusals.refuse(work)
    currency = _currency(work)
    work.execute(f"CREATE TABLE clean.stores AS {places.STORE}", {"currency": currency})
    _local_time(work)
    _pseudonyms(work, key)
    work.execute(f"CREATE TABLE clean.orders AS {sale_order.SQL}")
    work.execute(f"CREATE TABLE clean.returns AS {return_line.SQL}")
    work.execute(
        """CREATE TABLE clean.clock AS
        SELECT coalesce(max(instant), now()::TIMESTAMP) AS as_of, as_of::DATE AS day,
            min(instant)::DATE AS first_day, max(instant)::DATE AS last_day
        FROM (SELECT ordered_at AS instant FROM clean.orders UNION ALL SELECT returned_at FROM clean.returns)"""
    )
    return currency


def build(work: duckdb.DuckDBPyConnection, generation: int, currency: str, pii: list[str]) -> None:
    """Fills the attached database ``facts``; ``pii`` names the fields ('staff.name') whose translations stay out."""
    for table, query in _FACTS.items():
        work.execute(f"INSERT INTO facts.{table} BY NAME {query}", {"pii": pii} if "$pii" in query else None)
    for mart in MARTS:
        ordered = ", ".join(mart.order_by)
        work.execute(f"INSERT INTO facts.{mart.name} BY NAME {sql(mart.query(), 'facts')} ORDER BY {ordered}")
    for name, text in TEXT_MARTS.items():
        work.execute(f"INSERT INTO facts.{name} BY NAME {text}")
    work.execute(
        """INSERT INTO facts.generation_info BY NAME
        SELECT $generation AS generation, $built_at AS built_at, as_of, first_day, last_day, $currency AS currency,
            (SELECT coalesce(bool_and(kind = 'demo'), false) FROM facts.data_source) AS is_demo
        FROM clean.clock""",
        {"generation": generation, "built_at": datetime.now(UTC).replace(tzinfo=None), "currency": currency},
    )


def doubts(work: duckdb.DuckDBPyConnection) -> list[str]:
    """One sentence for each thing in the rows that a person should know or mend."""
    found = [
        f"{table}.{column}: {values:,} values are not of the column's type and count as unknown"
        for table, column, values in refusals.unreadable_values(work)
    ]
    for sentence, query in _DOUBTS.items():
        counted = work.execute(f"SELECT count(*) FROM ({query})").fetchone()
        if counted and counted[0]:
            found.append(sentence.format(counted[0]))
    return found


_DOUBTS = {
    "{:,} store ids occur only in receipts or returns: they are shown as stores of kind unknown": (
        "SELECT store_id FROM clean.stores WHERE kind = 'unknown'"
    ),
    "{:,} product ids occur only in lines: they are shown without a category": (
        "SELECT product_id FROM facts.product ANTI JOIN clean.product USING (product_id)"
    ),
    "{:,} customer ids occur only in receipts, returns or campaigns: nothing else is known about them": (
        "SELECT customer_id FROM clean.customer_number ANTI JOIN clean.customer USING (customer_id)"
    ),
    "{:,} stores name no time zone that exists: the chain's most common one is used": (
        "SELECT store_id FROM clean.store WHERE coalesce(time_zone, '') NOT IN (SELECT name FROM pg_timezone_names())"
    ),
    "{:,} birthdays lie before 1920 or in the future and count as unknown": (
        "SELECT 1 FROM clean.customer, clean.clock WHERE birthday < DATE '1920-01-01' OR birthday > day"
    ),
    "{:,} receipts lie in the future: check the till's clock and the time zone of the import": (
        "SELECT 1 FROM clean.orders WHERE utc > now()::TIMESTAMP + INTERVAL 1 DAY"
    ),
    "{:,} returns name a receipt that does not exist: they reduce net sales all the same": (
        "SELECT 1 FROM clean.returns ANTI JOIN clean.orders USING (order_id) WHERE order_id IS NOT NULL"
    ),
    "the CRM holds no receipts that can be used: import files or write the demo chain": (
        "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM clean.orders)"
    ),
}


def _currency(work: duckdb.DuckDBPyConnection) -> str:
    found = work.execute(
        """SELECT currency, string_agg(DISTINCT source, ', ' ORDER BY source) FROM (
            SELECT upper(trim(currency)) AS currency, 'store' AS source FROM clean.store
            UNION ALL SELECT upper(trim(currency)), 'sale_order' FROM clean.sale_order
            UNION ALL SELECT upper(trim(currency)), 'return_line' FROM clean.return_line
        ) WHERE currency <> '' GROUP BY currency ORDER BY currency"""
    ).fetchall()
    if len(found) > 1:
        named = "; ".join(f"{currency} in {sources}" for currency, sources in found)
        raise Problem(
            f"the CRM mixes currencies ({named}): sums over them would mean nothing; convert the amounts at import, "
            "or keep one database per currency"
        )
    return found[0][0] if found else _UNKNOWN_CURRENCY


def _local_time(work: duckdb.DuckDBPyConnection) -> None:
    """``clean.local_time(zone, instant)``: the wall clock of a zone of ours at an instant in UTC.

    A zone named in the statement is looked up once, one named by each row a million times: that is five times as slow.
    """
    zones = work.execute("SELECT DISTINCT time_zone FROM clean.stores ORDER BY 1").fetchall()
    branches = " ".join(
        f"WHEN {literal(zone)} THEN timezone({literal(zone)}, timezone('UTC', instant))" for (zone,) in zones
    )
    body = f"CASE zone {branches} END" if zones else "CAST(NULL AS TIMESTAMP)"
    work.execute(f"CREATE MACRO clean.local_time(zone, instant) AS {body}")


def _pseudonyms(work: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """One row per customer id that occurs anywhere: its pseudonym, and its place among all ids (numbers as numbers)."""
    work.execute("CREATE TABLE clean.pseudonym (customer_id VARCHAR, customer_no BIGINT)")
    ids = work.cursor().execute(
        """SELECT customer_id FROM clean.customer
        UNION SELECT customer_id FROM clean.sale_order WHERE customer_id IS NOT NULL
        UNION SELECT customer_id FROM clean.return_line WHERE customer_id IS NOT NULL
        UNION SELECT customer_id FROM clean.campaign_member
        UNION SELECT customer_id FROM clean.campaign_event"""
    )
    while rows := ids.fetchmany(100_000):
        batch = pa.table({"id": [i for (i,) in rows], "no": [customer_no(key, i) for (i,) in rows]})
        work.register("batch", batch)
        work.execute("INSERT INTO clean.pseudonym SELECT id, no FROM batch")
        work.unregister("batch")
    work.execute(
        """CREATE TABLE clean.customer_number AS
        SELECT *, row_number() OVER (ORDER BY TRY_CAST(customer_id AS HUGEINT) NULLS LAST, customer_id) AS id_rank
        FROM clean.pseudonym"""
    )
