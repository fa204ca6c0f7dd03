"""The state of the data: what the CRM delivered, how fast, and whether the money arrived in full.

Row counts, money, sources and refused rows describe the whole chain, so only the whole chain may see them; a scope
of stores learns which tables there are, an empty one nothing.
"""

from datetime import datetime

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Integer, cast, exists, false, func, null, select

from data_access.marts.tables import (
    data_source,
    generation_info,
    quarantine,
    reconciliation,
    store,
    table_load,
    table_status,
)
from data_access.queries._frame import fetch
from data_access.scope import Scope


def tables_of_the_crm(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per canonical CRM table, by name.

    Columns: table_name, state (ok | empty | absent | columns_missing), rows (NA outside the chain scope),
    missing_columns, changed_columns (of another type), disables (page keys), newest (datetime64, UTC).
    """
    c = table_status.c
    rows = c.rows if scope.kind == "chain" else cast(null(), Integer)
    query = select(
        c.table_name, c.state, rows.label("rows"), c.missing_columns, c.changed_columns, c.disables, c.newest
    ).order_by(c.table_name)
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(exists(some_store)))


def money_check(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per money figure compared between the CRM and the snapshot; none outside the chain scope.

    Columns: figure, crm, snapshot, amount_quarantined, difference (crm less the two before).
    """
    c = reconciliation.c
    query = select(
        c.figure,
        cast(c.crm, Double).label("crm"),
        cast(c.snapshot, Double).label("snapshot"),
        cast(func.coalesce(c.quarantined, 0), Double).label("amount_quarantined"),
        cast(c.difference, Double).label("difference"),
    ).order_by(c.figure)
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(false()))


def loads(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per CRM table that the last refresh read, by name; none outside the chain scope.

    Columns: table_name, mode (full | changes), rows_read, rows_changed, rows_deleted, seconds, newest (datetime64,
    UTC), read_at (datetime64, UTC: when the CRM was read).
    """
    c = table_load.c
    query = select(
        c.table_name,
        c.mode,
        c.rows_read,
        c.rows_changed,
        c.rows_deleted,
        c.seconds,
        c.newest,
        select(_read_at()).scalar_subquery().label("read_at"),
    ).order_by(c.table_name)
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(false()))


def quarantined(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per CRM table and reason for which rows were refused, most rows first; none outside the chain scope.

    Columns: table_name, reason, rows, amount (of the rows that carry money, else NaN).
    """
    c = quarantine.c
    rows = func.count()
    query = (
        select(c.table_name, c.reason, rows.label("rows"), cast(func.sum(c.amount), Double).label("amount"))
        .group_by(c.table_name, c.reason)
        .order_by(rows.desc(), c.table_name, c.reason)
    )
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(false()))


def quarantined_rows(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per refused CRM row, by table, reason and key; none outside the chain scope.

    Columns: table_name, row_key (the CRM's own key, its parts joined by '/'), reason, amount (NaN without money).
    """
    c = quarantine.c
    query = select(c.table_name, c.row_key, c.reason, cast(c.amount, Double).label("amount")).order_by(
        c.table_name, c.reason, c.row_key
    )
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(false()))


def sources(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per load of rows into the CRM, newest first; none outside the chain scope.

    Columns: source_id, kind, name, loaded_at (datetime64, UTC), rows_read, rows_loaded, rows_quarantined,
    amount_read, amount_loaded, amount_quarantined, currency.
    """
    c = data_source.c
    query = select(
        c.source_id,
        c.kind,
        c.name,
        c.loaded_at,
        c.rows_read,
        c.rows_loaded,
        c.rows_quarantined,
        cast(c.amount_read, Double).label("amount_read"),
        cast(c.amount_loaded, Double).label("amount_loaded"),
        cast(c.amount_quarantined, Double).label("amount_quarantined"),
        c.currency,
    ).order_by(c.loaded_at.desc(), c.source_id)
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(false()))


def generation(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row: the facts the figures come from; none for an empty scope.

    Columns: generation, built_at (datetime64, UTC), as_of (datetime64, store-local), first_day, last_day
    (datetime64), currency, is_demo, read_at (datetime64, UTC), mode (full | changes), seconds, rows_read,
    rows_changed, built_from (generation).
    """
    c = generation_info.c
    query = select(
        c.generation,
        c.built_at,
        c.as_of,
        c.first_day,
        c.last_day,
        c.currency,
        c.is_demo,
        _read_at(),
        c.mode,
        c.seconds,
        *(column if scope.kind == "chain" else cast(null(), Integer).label(column.name) for column in _CHAIN_ROWS),
        c.previous.label("built_from"),
    )
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(exists(some_store)))


_CHAIN_ROWS = (generation_info.c.rows_read, generation_info.c.rows_changed)


def _read_at() -> ColumnElement[datetime]:
    """When the CRM was read; a file that does not say was built right after."""
    return func.coalesce(generation_info.c.read_at, generation_info.c.built_at).label("read_at")
