"""The state of the data: what the CRM delivered and whether the money arrived in full.

Row counts, money and sources describe the whole chain, so only the whole chain may see them; a scope of
stores learns which tables there are, an empty one nothing.
"""

import pandas as pd
from sqlalchemy import Double, Engine, Integer, cast, exists, false, null, select

from data_access.marts.tables import data_source, generation_info, reconciliation, store, table_status
from data_access.queries._frame import fetch
from data_access.scope import Scope


def tables_of_the_crm(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per canonical CRM table, by name.

    Columns: table_name, state (ok | empty | absent | columns_missing), rows (NA outside the chain scope),
    missing_columns, disables (page keys), newest (datetime64, UTC).
    """
    c = table_status.c
    rows = c.rows if scope.kind == "chain" else cast(null(), Integer)
    query = select(c.table_name, c.state, rows.label("rows"), c.missing_columns, c.disables, c.newest).order_by(
        c.table_name
    )
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    return fetch(engine, query if scope.kind == "chain" else query.where(exists(some_store)))


def money_check(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per money figure compared between the CRM and the snapshot; none outside the chain scope.

    Columns: figure, crm, snapshot, difference.
    """
    c = reconciliation.c
    query = select(
        c.figure,
        cast(c.crm, Double).label("crm"),
        cast(c.snapshot, Double).label("snapshot"),
        cast(c.difference, Double).label("difference"),
    ).order_by(c.figure)
    return fetch(engine, query if scope.kind == "chain" else query.where(false()))


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
    return fetch(engine, query if scope.kind == "chain" else query.where(false()))


def generation(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row: the facts the figures come from; none for an empty scope.

    Columns: generation, built_at (datetime64, UTC), as_of (datetime64, store-local), first_day, last_day
    (datetime64), currency, is_demo.
    """
    c = generation_info.c
    query = select(c.generation, c.built_at, c.as_of, c.first_day, c.last_day, c.currency, c.is_demo)
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    return fetch(engine, query if scope.kind == "chain" else query.where(exists(some_store)))
