"""The order in which the facts come into being: staged rows -> clean rows -> facts -> marts.

The steps read the staged rows as ``stage.<table>``: all of them in a full build, those that changed in
``data_access.marts.change``.
"""

import time
from collections.abc import Callable, Iterable

import duckdb

from data_access.errors import Problem
from data_access.marts import (
    campaign,
    consent,
    customer,
    loyalty,
    places,
    refusals,
    return_line,
    roster,
    sale_line,
    sale_order,
    service,
    stock,
)
from data_access.marts._sql import mart_sql
from data_access.marts.registry import MARTS
from data_access.pseudonym import CUSTOMER_NO, customer_no_parameters
from data_access.readers import literal
from data_access.staging import SOURCES, Progress, Source

_UNKNOWN_CURRENCY = "XXX"  # ISO 4217: no currency

# Facts in this order: a mart reads the facts before it.
FACTS = {
    "store": "SELECT * FROM clean.stores",
    "product": places.PRODUCT,
    "store_closure": places.CLOSURE,
    "staff": places.STAFF,
    "shift": roster.SHIFT,
    "sales_target": roster.TARGET,
    "course": roster.COURSE,
    "training_record": roster.TRAINING,
    "recognition": roster.RECOGNITION,
    "customer": customer.SQL,
    "customer_tag": customer.TAG,
    "tier": loyalty.TIER,
    "tier_change": loyalty.TIER_CHANGE,
    "points_rule": loyalty.POINTS_RULE,
    "points_entry": loyalty.POINTS_ENTRY,
    "sale_order": sale_order.FACTS,
    "sale_line": sale_line.SQL,
    "return_line": return_line.FACTS,
    "store_traffic": places.TRAFFIC,
    "data_source": "SELECT * EXCLUDE (unreadable, updated_at) FROM clean.data_source ORDER BY loaded_at, source_id",
    "translation": "SELECT * EXCLUDE (unreadable, updated_at) FROM clean.translation ORDER BY ALL",
    "campaign": campaign.CAMPAIGN,
    "campaign_arm": campaign.ARM,
    "campaign_store": campaign.STORE,
    "campaign_product": campaign.PRODUCT,
    "coupon": campaign.COUPON,
    "coupon_product": campaign.COUPON_PRODUCT,
    "price_promotion": campaign.PRICE_PROMOTION,
    "holiday": campaign.HOLIDAY,
    "market_observation": campaign.MARKET_OBSERVATION,
    "campaign_member": campaign.MEMBER,
    "campaign_event": campaign.EVENT,
    "consent": consent.CONSENT,
    "incident": consent.INCIDENT,
    "ticket": service.TICKET,
    "survey_answer": service.SURVEY_ANSWER,
    "follow_up": service.FOLLOW_UP,
    "appointment": service.APPOINTMENT,
    "supplier": stock.SUPPLIER,
    "supply_term": stock.SUPPLY_TERM,
    "transfer_lane": stock.TRANSFER_LANE,
    "stock_lot": stock.LOT,
    "stock_movement": stock.MOVEMENT,
    "stock_level": stock.LEVEL,
    "purchase_line": stock.PURCHASE,
    "quarantine": "SELECT table_name, row_key, reason, amount FROM clean.refused ORDER BY ALL",
}


def clean(
    work: duckdb.DuckDBPyConnection, everything: str, sources: Iterable[Source], named_stores: str = places.NAMED
) -> str:
    """Builds ``clean.<table>`` of ``sources``, ``clean.stores`` and ``clean.local_time``; returns the chain's currency.

    ``everything`` is the schema or database of all staged rows; ``named_stores`` selects the ids of stores that need
    not be in their table. Problem when the stores, receipts and returns name
    more than one currency: their money cannot be added.
    """
    refusals.begin(work)
    for source in sources:
        refusals.refuse(work, source)
    currency = _currency(work, everything)
    work.execute(f"CREATE TABLE clean.stores AS {places.STORE.format(named=named_stores)}", {"currency": currency})
    _local_time(work)
    return currency


def trade(work: duckdb.DuckDBPyConnection) -> None:
    """Builds ``clean.orders`` and ``clean.returns`` from the clean tables, stores and customer numbers."""
    work.execute(f"CREATE TABLE clean.orders AS {sale_order.SQL}")
    work.execute(f"CREATE TABLE clean.returns AS {return_line.SQL}")


# Every staged table that names customers.
_NAMING_CUSTOMERS = tuple(s.table for s in SOURCES if "customer_id" in s.columns)


def number_customers(work: duckdb.DuckDBPyConnection, key: bytes, new: str, numbers: str) -> None:
    """Adds to the table ``numbers`` (customer_id, customer_no) the ids that occur in the schema ``new`` and are not
    in it yet."""
    named = " UNION ".join(
        f"SELECT customer_id FROM {_schema_of(table, new)}.{table} WHERE customer_id IS NOT NULL"
        for table in _NAMING_CUSTOMERS
    )
    work.execute(
        f"INSERT INTO {numbers} SELECT customer_id, {CUSTOMER_NO} FROM ({named}) "
        f"ANTI JOIN {numbers} USING (customer_id)",
        customer_no_parameters(key),
    )


def _schema_of(table: str, new: str) -> str:
    # Customers wait in ``incoming`` until it is known how old they are.
    return "incoming" if table == "customer" else new


# Ids in order, numbers as numbers.
RANKED = """
    SELECT customer_no, row_number() OVER (ORDER BY TRY_CAST(customer_id AS HUGEINT) NULLS LAST, customer_id) AS id_rank
    FROM {0} ORDER BY customer_no
"""


def fill(work: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Fills facts tables from the clean rows, in the order of their queries."""
    for name in names:
        work.execute(f"INSERT INTO facts.{name} BY NAME {FACTS[name]}")


# Fills every mart of ``facts``.
BuildMarts = Callable[[duckdb.DuckDBPyConnection, Progress], None]


def build_marts(work: duckdb.DuckDBPyConnection, progress: Progress) -> None:
    """Fills every mart from the facts."""
    for mart in MARTS:
        started = time.monotonic()
        ordered = ", ".join(mart.order_by)
        if mart.step:
            # Its rows would leave holes in the file.
            work.execute(f"CREATE TABLE fresh.{mart.name} AS {mart_sql(mart, 'facts')}")
            work.execute(f"CREATE VIEW facts.{mart.name} AS SELECT * FROM memory.fresh.{mart.name}")
        else:
            work.execute(f"INSERT INTO facts.{mart.name} BY NAME {mart_sql(mart, 'facts')} ORDER BY {ordered}")
        progress(f"mart {mart.name}: {time.monotonic() - started:.1f} s")
    for mart in MARTS:
        if mart.step:
            work.execute(f"DROP VIEW facts.{mart.name}; DROP TABLE fresh.{mart.name}")


def doubts(work: duckdb.DuckDBPyConnection, everything: str) -> list[str]:
    """One sentence for each thing in the facts, or in all staged rows, that a person should know or mend."""
    found = [
        f"{table}.{column}: {values:,} values are not of the column's type and count as unknown"
        for table, column, values in refusals.unreadable_values(work, everything)
    ]
    for sentence, query in _DOUBTS.items():
        counted = work.execute(f"SELECT count(*) FROM ({query.format(everything)})").fetchone()
        if counted and counted[0]:
            found.append(sentence.format(counted[0]))
    return found


_DOUBTS = {
    "{:,} store ids occur only in receipts or returns: they are shown as stores of kind unknown": (
        "SELECT store_id FROM facts.store WHERE kind = 'unknown'"
    ),
    "{:,} product ids occur only in lines: they are shown without a category": (
        "SELECT product_id FROM facts.product ANTI JOIN clean.product USING (product_id)"
    ),
    "{:,} customer ids occur only in receipts, returns, campaigns or consents: nothing else is known about them": (
        "SELECT customer_no FROM facts.customer_rank ANTI JOIN facts.customer USING (customer_no)"
    ),
    "{:,} stores name no time zone that exists: the chain's most common one is used": (
        "SELECT store_id FROM clean.store WHERE coalesce(time_zone, '') NOT IN (SELECT name FROM pg_timezone_names())"
    ),
    "{:,} birthdays lie before 1920 or in the future and count as unknown": (
        "SELECT 1 FROM {0}.customer WHERE birthday_implausible"
    ),
    "{:,} receipts lie in the future: check the till's clock and the time zone of the import": (
        "SELECT 1 FROM facts.sale_order WHERE ordered_at > now()::TIMESTAMP + INTERVAL 2 DAY"
    ),
    "{:,} returns name a receipt that does not exist: they reduce net sales all the same": (
        "SELECT 1 FROM facts.return_line WHERE order_id IS NOT NULL AND sale_day IS NULL"
    ),
    "the CRM holds no receipts that can be used: import files or write the demo chain": (
        "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM facts.sale_order)"
    ),
}


def _currency(work: duckdb.DuckDBPyConnection, everything: str) -> str:
    found = work.execute(
        f"""SELECT currency, string_agg(DISTINCT source, ', ' ORDER BY source) FROM (
            SELECT upper(trim(currency)) AS currency, 'store' AS source FROM {everything}.store
            UNION ALL SELECT upper(trim(currency)), 'sale_order' FROM {everything}.sale_order
            UNION ALL SELECT upper(trim(currency)), 'return_line' FROM {everything}.return_line
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
