"""Rows asked for apart: of every region or store in scope by itself, or of the scope as one.

A batch needs the same of every store. To ask once of all of them costs little more than to ask of the chain, where a
store by itself costs more than half of that.
"""

from typing import Any, Literal

from sqlalchemy import ColumnElement, Select

from data_access.marts.tables import store

By = Literal["scope", "region", "store"]
UNIT = "unit"  # the column that says which region or store a row is of; rows of the scope as one have none


def apart(rows: Select[Any], store_id: ColumnElement[Any], by: By) -> Select[Any]:
    """``rows`` with the unit of each, which is that of its ``store_id``."""
    if by == "scope":
        return rows
    if by == "store":
        return rows.add_columns(store_id.label(UNIT))
    joined = rows if store_id is store.c.store_id else rows.join(store, store.c.store_id == store_id)
    return joined.add_columns(store.c.region_id.label(UNIT))


def unit(columns: Any) -> list[ColumnElement[Any]]:
    """The unit among ``columns``, to group and to order by; nothing where rows are of the scope as one."""
    return [columns[UNIT]] if UNIT in columns else []


def same_unit(columns: Any, others: Any) -> list[ColumnElement[bool]]:
    """That rows which are joined are of one unit."""
    return [one == other for one, other in zip(unit(columns), unit(others), strict=True)]
