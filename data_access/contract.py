"""The contract: what of the canonical CRM a live database provides, and what a gap disables.

Compared by reflection, so a renamed or dropped column is named instead of failing somewhere in a query.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    Integer,
    Numeric,
    String,
    Table,
    column,
    func,
    inspect,
    select,
    table,
)
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from data_access.errors import Problem
from data_access.readers import refuse_missing_file
from data_access.schema import crm

State = Literal["ok", "empty", "absent", "columns_missing"]

_SALES: dict[str, tuple[str, ...]] = {
    "store": ("store_id",),
    "sale_order": ("order_id", "store_id", "ordered_at"),
    "sale_line": ("order_id", "line_no", "product_id", "quantity", "net"),
}
_PRODUCTS = {"product": ("product_id", "name")}
_BUYERS = {"sale_order": ("order_id", "store_id", "ordered_at", "customer_id")}
_RETURNS = {"return_line": ("return_id", "line_no", "store_id", "product_id", "returned_at", "quantity", "refund")}

# What each page, or the named part of it, cannot do without: tables and their columns.
NEEDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "overview": _SALES,
    "overview.regions": {"region": ("region_id", "name"), "store": ("store_id", "region_id")},
    "overview.products": _PRODUCTS,
    "overview.returns": _RETURNS,
    "segments": {**_SALES, **_BUYERS},
    "segments.lifecycle": {"customer": ("customer_id", "joined_on")},
    "retention": {**_SALES, **_BUYERS},
    "store": _SALES,
    "store.conversion": {"store_traffic": ("store_id", "hour_start", "visitors")},
    "store.products": _PRODUCTS,
    "product": {**_SALES, **_PRODUCTS},
    "product.returns": _RETURNS,
    "order": {**_SALES, **_PRODUCTS},
    "order.returns": _RETURNS,
    "funnel": {
        "campaign": ("campaign_id",),
        "campaign_member": ("campaign_id", "customer_id", "arm"),
        "campaign_event": ("event_id", "campaign_id", "customer_id", "kind", "occurred_at"),
    },
    "privacy.consents": {"consent": ("customer_id", "purpose", "channel", "granted_at", "withdrawn_at")},
    "stock": {"stock_level": ("store_id", "product_id", "on_hand")},
    "suppliers": {
        "purchase_order": ("purchase_order_id", "supplier_id", "store_id", "ordered_at", "status"),
        "purchase_order_line": ("purchase_order_id", "line_no", "product_id", "quantity"),
    },
}


@dataclass(frozen=True, slots=True)
class TableState:
    """How one canonical table fares in the live database."""

    table: str
    state: State
    rows: int | None  # None: absent
    present: tuple[str, ...]  # canonical columns that exist
    missing: tuple[str, ...]
    changed: tuple[str, ...]  # "net (text instead of number)"
    disables: tuple[str, ...]  # page keys
    newest: datetime | None  # newest updated_at


@dataclass(frozen=True, slots=True)
class ContractReport:
    """The state of every canonical table, in the schema's order."""

    tables: tuple[TableState, ...]

    def __getitem__(self, name: str) -> TableState:
        return next(t for t in self.tables if t.table == name)

    def counted(self, figures: Mapping[str, tuple[int, datetime | None]]) -> "ContractReport":
        """The same with the rows and the newest ``updated_at`` of each table that is there."""
        return ContractReport(tuple(_counted(t, *figures[t.table]) if t.table in figures else t for t in self.tables))

    @property
    def whole(self) -> bool:
        """Whether every canonical table is there with all its columns; empty ones count as there."""
        return all(t.state in ("ok", "empty") and not t.changed for t in self.tables)

    def lines(self) -> Iterator[str]:
        """One line per table for the terminal, then what is disabled."""
        width = max(len(t.table) for t in self.tables)
        for t in self.tables:
            rows = "" if t.rows is None else f"{t.rows:>12,}"
            notes = [f"missing: {', '.join(t.missing)}"] if t.state == "columns_missing" else []
            notes += [f"changed: {', '.join(t.changed)}"] if t.changed else []
            notes += [f"disables: {', '.join(t.disables)}"] if t.disables else []
            yield f"{t.table:<{width}}  {t.state:<15} {rows:>12}  {'; '.join(notes)}".rstrip()
        ready = sum(t.state == "ok" for t in self.tables)
        yield f"{ready} of {len(self.tables)} tables hold rows and all their columns"


def check(engine: Engine) -> ContractReport:
    """Compares the database with ``data_access.schema``, and counts the rows of its tables.

    Problem when the database cannot be reached.
    """
    found = look(engine)
    try:
        with engine.connect() as connection:
            figures = {
                t.table: _rows(connection, t.table, "updated_at" in t.present) for t in found.tables if t.present
            }
    except DBAPIError as error:
        raise Problem(unreachable(engine, error)) from error
    return found.counted(figures)


def look(engine: Engine) -> ContractReport:
    """As ``check``, without counting: a table that is there counts as filled until ``ContractReport.counted``.

    Problem when the database cannot be reached.
    """
    refuse_missing_file(engine)
    try:
        with engine.connect() as connection:
            found = _columns(connection)
    except DBAPIError as error:
        raise Problem(unreachable(engine, error)) from error
    return ContractReport(tuple(_state(t, found.get(t.name)) for t in crm.tables.values()))


def unreachable(engine: Engine, error: Exception) -> str:
    """One sentence for a CRM database that does not answer."""
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    where = engine.url.render_as_string(hide_password=True)
    return f"the CRM database {where} cannot be read ({reason}): check that it runs and that MIRROR_CRM_URL names it"


def _columns(connection: Connection) -> dict[str, dict[str, TypeEngine[object]]]:
    """Column types of every canonical table or view that exists."""
    inspector = inspect(connection)
    wanted = set(crm.tables)
    names = (set(inspector.get_table_names()) | set(inspector.get_view_names())) & wanted
    if not names:
        return {}
    found = inspector.get_multi_columns(filter_names=sorted(names), kind=ObjectKind.ANY)
    return {name: {c["name"]: c["type"] for c in columns} for (_, name), columns in found.items()}


def _state(expected: Table, found: dict[str, TypeEngine[object]] | None) -> TableState:
    name = expected.name
    if found is None:
        return TableState(name, "absent", None, (), tuple(expected.c.keys()), (), disabled(name, missing=None), None)
    missing = tuple(c.name for c in expected.c if c.name not in found)
    present = tuple(c.name for c in expected.c if c.name in found)
    changes = {c.name: _change(c.type, found[c.name]) for c in expected.c if c.name in found}
    changed = {column_name: change for column_name, change in changes.items() if change}
    return TableState(
        name,
        "columns_missing" if missing else "ok",
        None,
        present,
        missing,
        tuple(f"{column_name} ({change})" for column_name, change in changed.items()),
        disabled(name, missing={*missing, *changed}),
        None,
    )


def _counted(table: TableState, rows: int, newest: datetime | None) -> TableState:
    """An empty table disables what needs it, whatever its columns."""
    if rows:
        return replace(table, rows=rows, newest=newest)
    state: State = "empty" if table.state == "ok" else table.state
    return replace(table, rows=rows, newest=newest, state=state, disables=disabled(table.table, missing=None))


def disabled(name: str, *, missing: Collection[str] | None) -> tuple[str, ...]:
    """The page keys that need a column in ``missing`` of this table; None: the whole table."""
    needs = ((page, tables[name]) for page, tables in NEEDS.items() if name in tables)
    return tuple(page for page, columns in needs if missing is None or set(columns) & set(missing))


def _rows(connection: Connection, name: str, dated: bool) -> tuple[int, datetime | None]:
    figures = [func.count(), func.max(column("updated_at"))] if dated else [func.count()]
    rows, *newest = connection.execute(select(*figures).select_from(table(name))).one()
    return rows, _instant(newest[0]) if newest else None


def _instant(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)  # SQLite stores text
    except ValueError:
        return None


def _change(expected: TypeEngine[object], found: TypeEngine[object]) -> str | None:
    """What changed between two types, if values may no longer be read; anything reads as text."""
    was, now = _family(expected), _family(found)
    readable = {was, "unknown"} | ({"number"} if was == "boolean" else set())
    return None if was == "text" or now in readable else f"{now} instead of {was}"


def _family(kind: TypeEngine[object]) -> str:
    if isinstance(kind, Boolean):
        return "boolean"
    if isinstance(kind, Date | DateTime):
        return "date"
    if isinstance(kind, Numeric | Integer):
        return "number"
    return "text" if isinstance(kind, String) else "unknown"
