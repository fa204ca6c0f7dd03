"""Refuses a statement that could read a row outside the scope of the call, before the database sees it.

It reads the statement as the database will and believes nobody: a table with stores must be limited, in the very
SELECT that reads it, to stores or places that lie within the scope. What a subquery gives on has then been limited; a
table without a store of its own may be joined to it by the customer, the names of stores by the store. Tables that say
nothing of any store are listed; a table that is neither is for the whole chain only, so that a new one is closed until
somebody has thought about it. SQL as text has no place here at all.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CTE, Alias, Column, FromClause, Join, Select, Subquery, Table, TextClause
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    AsBoolean,
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ClauseElement,
    ColumnClause,
    False_,
    Grouping,
    Label,
    UnaryExpression,
)
from sqlalchemy.sql.selectable import CompoundSelect, FromGrouping, ScalarSelect, SelectBase, SelectStatementGrouping

from data_access.marts.campaign_use import campaign_use
from data_access.marts.order_place import order_place
from data_access.marts.tables import (
    campaign,
    campaign_arm,
    customer,
    customer_rank,
    facts,
    generation_info,
    product,
    store,
    table_status,
    translation,
)
from data_access.scope import Scope

# What says nothing of a store or of what anybody did: the range, the calendar of campaigns, facts about the file, the
# order of customers' ids, and on which day a receipt lies whose id is known already.
OPEN: frozenset[Table] = frozenset(
    {
        generation_info,
        table_status,
        translation,
        product,
        campaign,
        campaign_arm,
        campaign_use,
        customer_rank,
        order_place,
    }
)
# What a customer is, and what a store is called, may be looked up beside rows in scope that name them.
_OF_CUSTOMERS = frozenset({customer})
_OF_STORES = frozenset({store})

PERSON = "customer_no"
Places = Mapping[tuple[str, str], frozenset[str]]  # (level, place_id) -> its stores
_Kinds = frozenset[str]  # what a column holds, all of it in scope: "store", "person"
_NO_KINDS: _Kinds = frozenset()


class OutsideScope(Exception):
    """A statement that is not limited to the scope it was asked under: a mistake in the program, never in the data."""


def store_columns(table: Table) -> tuple[Column[Any], ...]:
    """The columns of a table that name a store."""
    return tuple(column for column in table.c if column.name.endswith("store_id"))


def is_by_place(table: Table) -> bool:
    """Whether a table holds rows of places: the chain, regions, stores."""
    return "level" in table.c and "place_id" in table.c


def check(scope: Scope, query: object, places: Places, kept: Collection[Table] = ()) -> None:
    """OutsideScope when ``query`` is not a SELECT, or could read a row outside ``scope``.

    ``places``: every place of the marts with its stores. ``kept``: temporary tables of the connection that were
    filled under this scope.
    """
    if not isinstance(query, Select | CompoundSelect):
        raise OutsideScope(f"only SELECT statements are run, not {type(query).__name__}")
    if scope.kind != "chain":
        _Check(frozenset(scope.store_ids), places, frozenset(kept)).columns(query, frozenset())


@dataclass
class _Froms:
    """The tables and subqueries of one SELECT, each with the conditions that hold for every row it gives."""

    conditions: dict[FromClause, list[ClauseElement]]
    kinds: dict[FromClause, dict[str, _Kinds]] = field(default_factory=dict)  # of those known to be limited

    def kinds_of(self, column: object) -> _Kinds:
        column = _bare(column)
        if not isinstance(column, ColumnClause) or column.table is None:
            return _NO_KINDS
        return self.kinds.get(column.table, {}).get(column.key, _NO_KINDS)


@dataclass
class _Check:
    stores: frozenset[str]
    places: Places
    kept: frozenset[Table]
    known: dict[SelectBase, list[_Kinds]] = field(default_factory=dict)  # kinds of the columns, in their order

    def columns(self, query: SelectBase, around: frozenset[FromClause]) -> list[_Kinds]:
        """What each column of a query holds. ``around``: the tables of the statements it stands in."""
        if query not in self.known:
            self.known[query] = []  # a recursive query meets itself
            self.known[query] = self._columns(query, around)
        return self.known[query]

    def _columns(self, query: SelectBase, around: frozenset[FromClause]) -> list[_Kinds]:
        for added in getattr(query, "_independent_ctes", ()):
            self.columns(added.element, around)
        match query:
            case SelectStatementGrouping():
                return self.columns(query.element, around)
            case CompoundSelect():
                parts = [self.columns(part, around) for part in query.selects]
                return [frozenset.intersection(*kinds) for kinds in zip(*parts, strict=True)]
            case Select():
                return self._of_select(query, around)
        raise OutsideScope(f"only SELECT statements are run, not {type(query).__name__}")

    def _of_select(self, query: Select[Any], around: frozenset[FromClause]) -> list[_Kinds]:
        if query._prefixes or query._suffixes or query._hints or query._statement_hints:
            raise OutsideScope("a statement of a page holds SQL as text: prefixes, suffixes and hints are refused")
        where = _conjuncts(query.whereclause)
        found = _Froms({})
        for source in query.get_final_froms():
            for part, holds in _parts(source):
                if part not in around:  # otherwise it is a column of the statement around this one
                    found.conditions[part] = [*holds, *where]
        inside = around | found.conditions.keys()
        for part in found.conditions:
            self._admit(part, found, inside)
        self._limit_the_rest(found, inside)
        self._scan(query, inside)
        return [found.kinds_of(column) for column in query.selected_columns]

    def _admit(self, part: FromClause, found: _Froms, inside: frozenset[FromClause]) -> None:
        """Notes what ``part`` holds where that does not depend on the tables beside it."""
        match part:
            case Subquery() | CTE():
                kinds = self.columns(part.element, frozenset())
                found.kinds[part] = dict(zip(part.c.keys(), kinds, strict=False))
                return
            case Table() | Alias() if isinstance(table := _table(part), Table):
                if table in self.kept:
                    found.kinds[part] = {PERSON: frozenset({"person"})}
                elif table.metadata is not facts:
                    raise OutsideScope(f"{table.name!r} is none of the tables of a snapshot")
                elif table in OPEN:
                    found.kinds[part] = {}
                elif limited_by := self._limits(part, table, found, inside):
                    found.kinds[part] = _kinds_when_limited(table, limited_by)
                return
        raise OutsideScope(f"a query reads tables and subqueries, not {type(part).__name__}")

    def _limit_the_rest(self, found: _Froms, inside: frozenset[FromClause]) -> None:
        """Tables that are limited by those beside them, until none is left or one cannot be."""
        rest = [part for part in found.conditions if part not in found.kinds]
        while rest:
            for part in rest:
                table = _table(part)
                limited_by = self._limits(part, table, found, inside)
                if limited_by:
                    found.kinds[part] = _kinds_when_limited(table, limited_by)
            left = [part for part in rest if part not in found.kinds]
            if len(left) == len(rest):
                raise OutsideScope(_explain(_table(left[0])))
            rest = left

    # --- conditions -----------------------------------------------------------------------------

    def _limits(
        self, part: FromClause, table: Table, found: _Froms, inside: frozenset[FromClause]
    ) -> frozenset[str] | None:
        """The columns by which the conditions keep ``part`` within the scope; None when they do not."""
        return self._limited_by(found.conditions[part], part, table, found, inside)

    def _limited_by(
        self,
        conditions: Sequence[ClauseElement],
        part: FromClause,
        table: Table,
        found: _Froms,
        inside: frozenset[FromClause],
    ) -> frozenset[str] | None:
        if is_by_place(table) and self._is_of_places(conditions, part):
            return frozenset({"place_id"})
        for condition in conditions:
            limited_by = self._limited_by_one(condition, part, table, found, inside)
            if limited_by is not None:
                return limited_by
        return None

    def _limited_by_one(
        self, condition: ClauseElement, part: FromClause, table: Table, found: _Froms, inside: frozenset[FromClause]
    ) -> frozenset[str] | None:
        match _bare(condition):
            case False_():
                return frozenset(table.c.keys())  # there are no rows, so whatever they hold is in scope
            case BooleanClauseList(operator=operators.or_) as either:
                ways = [self._limited_by(_conjuncts(c), part, table, found, inside) for c in either.clauses]
                if not ways or any(way is None for way in ways):
                    return None
                return frozenset.union(*(way for way in ways if way is not None))
            case UnaryExpression(operator=operators.exists) as exists:
                return self._limited_by_rows(exists.element, part, table, inside)
            case BinaryExpression(operator=operators.in_op) as among if _is_of(part, among.left):
                column, values = among.left, _query(among.right)
                if isinstance(values, BindParameter):
                    return self._if_in_scope(column, values.value)
                if isinstance(values, SelectBase):
                    kinds = self.columns(values, inside)
                    return _if_joined(table, column, kinds[0] if len(kinds) == 1 else _NO_KINDS)
            case BinaryExpression(operator=operators.eq) as equal:
                for column, other in _both_ways(equal):
                    if _is_of(part, column) and isinstance(other, BindParameter):
                        return self._if_in_scope(column, [other.value])
                    if _is_of(part, column) and (way := _if_joined(table, column, found.kinds_of(other))):
                        return way
        return None

    def _if_in_scope(self, column: ColumnClause[Any], values: Any) -> frozenset[str] | None:
        in_scope = column.key.endswith("store_id") and isinstance(values, Collection) and self.stores.issuperset(values)
        return frozenset({column.key}) if in_scope else None

    def _is_of_places(self, conditions: Sequence[ClauseElement], part: FromClause) -> bool:
        """Whether conditions name a level and places of it whose stores all lie in the scope."""
        named: dict[str, set[str]] = {}
        for condition in map(_bare, conditions):
            if not isinstance(condition, BinaryExpression) or not _is_of(part, condition.left):
                continue
            column, value = condition.left.key, _bare(condition.right)
            if isinstance(value, BindParameter) and condition.operator is operators.eq:
                named[column] = {value.value}
            elif isinstance(value, BindParameter) and condition.operator is operators.in_op:
                named[column] = set(value.value)
        pairs = [(level, place) for level in named.get("level", ()) for place in named.get("place_id", ())]
        # A store that nobody knows has no rows, whatever it is called.
        unknown = {"level", "place_id"} <= named.keys() and named["level"] == {"store"}
        return ("level" in named and "place_id" in named) and all(
            self.places[pair] <= self.stores if pair in self.places else unknown for pair in pairs
        )

    def _limited_by_rows(
        self, rows: ClauseElement, part: FromClause, table: Table, inside: frozenset[FromClause]
    ) -> frozenset[str] | None:
        """Whether EXISTS asks for a row in scope of the same customer or store."""
        query = _query(rows)
        if not isinstance(query, Select):
            return None
        self.columns(query, inside)
        found = _Froms({part: []})
        where = _conjuncts(query.whereclause)
        for source in query.get_final_froms():
            for inner, holds in _parts(source):
                if inner not in inside:
                    found.conditions[inner] = [*holds, *where]
        for inner in [p for p in found.conditions if p is not part]:
            self._admit(inner, found, inside | found.conditions.keys())
        for condition in where:
            match _bare(condition):
                case BinaryExpression(operator=operators.eq) as equal:
                    for column, other in _both_ways(equal):
                        if _is_of(part, column) and (way := _if_joined(table, column, found.kinds_of(other))):
                            return way
        return None

    # --- everything that is no FROM -------------------------------------------------------------

    def _scan(self, query: Select[Any], inside: frozenset[FromClause]) -> None:
        """Checks the queries within the expressions of ``query``, and refuses text among them."""
        waiting: list[Any] = [query]
        for source in query.get_final_froms():
            waiting += _on_clauses(source)
        met = {id(query)}
        while waiting:
            for child in waiting.pop().get_children():
                if id(child) in met:
                    continue
                met.add(id(child))
                if isinstance(child, SelectBase):
                    self.columns(child, inside)
                elif isinstance(child, TextClause) or (getattr(child, "is_literal", False) and child.name != "*"):
                    raise OutsideScope(f"a statement of a page holds SQL as text: {str(child)[:60]!r}")
                elif isinstance(getattr(child, "operator", None), operators.custom_op):
                    raise OutsideScope(f"a statement of a page holds an operator as text: {str(child)[:60]!r}")
                elif not isinstance(child, FromClause):
                    waiting.append(child)


def _bare(element: Any) -> Any:
    while isinstance(element, Grouping | Label) or (
        isinstance(element, AsBoolean) and element.operator is operators.is_true
    ):
        element = element.element
    return element


def _query(element: Any) -> Any:
    element = _bare(element)
    while isinstance(element, ScalarSelect | SelectStatementGrouping):
        element = _bare(element.element)
    return element


def _is_of(part: FromClause, column: Any) -> bool:
    return isinstance(column, ColumnClause) and column.table is part


def _both_ways(equal: BinaryExpression[Any]) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    left, right = _bare(equal.left), _bare(equal.right)
    return (left, right), (right, left)


def _conjuncts(condition: ClauseElement | None) -> list[ClauseElement]:
    """The conditions of which each must hold."""
    condition = _bare(condition)
    if condition is None:
        return []
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        return [one for clause in condition.clauses for one in _conjuncts(clause)]
    return [condition]


def _parts(source: FromClause) -> Iterator[tuple[FromClause, list[ClauseElement]]]:
    """The tables and subqueries of a FROM with the ON conditions that hold for each row they give."""
    if isinstance(source, FromGrouping):
        yield from _parts(source.element)
    elif isinstance(source, Join):
        on = _conjuncts(source.onclause)
        for part, holds in _parts(source.left):
            yield part, [*holds, *([] if source.isouter or source.full else on)]
        for part, holds in _parts(source.right):
            yield part, [*holds, *([] if source.full else on)]
    else:
        yield source, []


def _on_clauses(source: FromClause) -> list[Any]:
    if isinstance(source, FromGrouping):
        return _on_clauses(source.element)
    if isinstance(source, Join):
        return [Grouping(source.onclause), *_on_clauses(source.left), *_on_clauses(source.right)]
    return []


def _table(part: FromClause) -> Any:
    return part.element if isinstance(part, Alias) else part


def _if_joined(table: Table, column: ColumnClause[Any], kinds: _Kinds) -> frozenset[str] | None:
    """The column, where it may carry the limit of another table over to this one."""
    of_customers = table in _OF_CUSTOMERS or (not store_columns(table) and not is_by_place(table))
    if column.key == PERSON and "person" in kinds and of_customers:
        return frozenset({PERSON})
    if column.key == "store_id" and "store" in kinds and (table in _OF_STORES or not is_by_place(table)):
        return frozenset({"store_id"})
    return None


def _kinds_when_limited(table: Table, limited_by: frozenset[str]) -> dict[str, _Kinds]:
    kinds = {name: frozenset({"store"}) for name in limited_by if name.endswith("store_id")}
    if "place_id" in limited_by and "store_id" in table.c:
        kinds["store_id"] = frozenset({"store"})  # a row of a place is about a store of that place
    return {**kinds, **({PERSON: frozenset({"person"})} if PERSON in table.c else {})}


def _explain(table: Table) -> str:
    """What to write where a table is not limited."""
    if is_by_place(table):
        todo = "add `.where(place.rows(TABLE))` of the scope's own place, or `summable_rows(scope, engine, TABLE)`"
    elif columns := store_columns(table):
        todo = f"wrap the SELECT that reads it in `scope.limit(query, {table.name}.c.{columns[0].name})`"
    elif PERSON in table.c:
        todo = "join it by customer_no to rows that are limited to the scope"
    else:
        todo = "name it in data_access.queries._bounds.OPEN if it says nothing of a store, else ask under the chain"
    return f"a query reads {table.name!r} beyond its scope: {todo}"
