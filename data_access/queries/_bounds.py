"""Refuses a statement that could read a row outside the scope of the call, before the database sees it.

It reads the statement as the database will and believes nobody: a table with stores must be limited, in the very
SELECT that reads it, to stores or places that lie within the scope. What a subquery gives on has then been limited; a
table without a store of its own may be joined to it by the customer, the names of stores by the store. Tables that say
nothing of any store are listed; a table that is neither is for the whole chain only, so that a new one is closed until
somebody has thought about it. SQL as text has no place here at all.

Statements of one form differ in their values only. The form is read once and leaves conditions on the values behind,
which are all that is looked at each time.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CTE, Alias, ClauseElement, FromClause, Join, Select, Subquery, Table, TextClause
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    AsBoolean,
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ColumnClause,
    False_,
    Grouping,
    Label,
    UnaryExpression,
)
from sqlalchemy.sql.selectable import (
    CompoundSelect,
    FromGrouping,
    ScalarSelect,
    SelectBase,
    SelectState,
    SelectStatementGrouping,
)

from data_access.marts.campaign_use import campaign_use
from data_access.marts.tables import (
    campaign,
    campaign_arm,
    campaign_product,
    coupon,
    coupon_product,
    course,
    customer,
    customer_rank,
    facts,
    generation_info,
    holiday,
    market_observation,
    points_rule,
    product,
    supplier,
    supply_term,
    table_status,
    tier,
    translation,
)
from data_access.results.tables import (
    category_next,
    demand_accuracy,
    newcomer_ramp,
    product_pair,
    product_season,
    recommendation_check,
    result_info,
    results,
    staff_quantile,
    staff_spread,
    stock_class,
    store_watch,
    training_effect,
    training_path,
)
from data_access.scope import Scope

# What says nothing of a store or of what anybody did: the range and who delivers it, the calendar of campaigns and
# their offers, rules and courses, facts about the file, and the order of customers' ids.
OPEN: frozenset[Table] = frozenset(
    {
        generation_info,
        table_status,
        translation,
        product,
        result_info,
        staff_quantile,
        staff_spread,
        stock_class,
        store_watch,
        campaign,
        campaign_arm,
        campaign_product,
        campaign_use,
        category_next,
        coupon,
        coupon_product,
        course,
        customer_rank,
        demand_accuracy,
        holiday,
        market_observation,
        newcomer_ramp,
        points_rule,
        product_pair,
        product_season,
        recommendation_check,
        supplier,
        supply_term,
        tier,
        training_effect,
        training_path,
    }
)
# What a customer is may be looked up beside rows in scope that name the customer.
_OF_CUSTOMERS = frozenset({customer})

PERSON, STORE = "customer_no", "store_id"
Places = Mapping[tuple[str, str], frozenset[str]]  # (level, place_id) -> its stores


class OutsideScope(Exception):
    """A statement that is not limited to the scope it was asked under: a mistake in the program, never in the data."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One run of a statement: under which scope, and the value of each parameter by its place among them."""

    stores: frozenset[str]
    places: Places
    kept: frozenset[Table]
    values: Sequence[Any]


_Need = Callable[[_Asked], bool]  # what must hold of a run
_Ways = dict[str, _Need]  # column by which a table is limited -> what must hold for it to be
_Kinds = dict[str, _Need]  # PERSON or STORE: the column names nobody, or no store, out of scope, if that holds


def _always(_: _Asked) -> bool:
    return True


def _all(needs: Collection[_Need]) -> _Need:
    return lambda asked: all(need(asked) for need in needs)


def _any(needs: Collection[_Need]) -> _Need:
    return lambda asked: any(need(asked) for need in needs)


_MOST_FORMS = 1_000
_FORMS: OrderedDict[Any, list[tuple[Table, _Need]]] = OrderedDict()


def check(scope: Scope, query: object, places: Places, kept: Collection[Table] = ()) -> None:
    """OutsideScope when ``query`` is not a SELECT, or could read a row outside ``scope``.

    ``places``: every region and store with its stores. ``kept``: temporary tables of the connection that were filled
    under this scope.
    """
    if not isinstance(query, Select | CompoundSelect):
        raise OutsideScope(f"only SELECT statements are run, not {type(query).__name__}")
    if scope.kind == "chain":
        return
    key = query._generate_cache_key()
    if key is None:
        raise OutsideScope("a statement of a page holds something that has no form of its own")
    needs = _FORMS.get(key.key)
    if needs is None:
        form = _Form({id(parameter): at for at, parameter in enumerate(key.bindparams)})
        form.columns(query, frozenset())
        needs = _FORMS[key.key] = form.needs
        if len(_FORMS) > _MOST_FORMS:
            _FORMS.popitem(last=False)
    values = [parameter.effective_value for parameter in key.bindparams]
    asked = _Asked(frozenset(scope.store_ids), places, frozenset(kept), values)
    for table, need in needs:
        if not need(asked):
            raise OutsideScope(_explain(table))


def is_by_place(table: Table) -> bool:
    """Whether a table holds rows of places: the chain, regions, stores."""
    return "level" in table.c and "place_id" in table.c


@dataclass
class _Froms:
    """The tables and subqueries of one SELECT: the conditions that hold for every row of each, and what is known."""

    conditions: dict[FromClause, list[Any]]
    kinds: dict[FromClause, dict[str, _Kinds]] = field(default_factory=dict)  # of those that are limited

    def kinds_of(self, column: Any) -> _Kinds:
        column = _bare(column)
        if not isinstance(column, ColumnClause) or column.table is None:
            return {}
        return self.kinds.get(column.table, {}).get(column.key, {})


@dataclass
class _Form:
    """A statement while it is read."""

    position: dict[int, int]  # id of a parameter -> its place among all
    needs: list[tuple[Table, _Need]] = field(default_factory=list)
    known: dict[Any, list[_Kinds]] = field(default_factory=dict)  # kinds of the columns of a query, in their order

    def columns(self, query: Any, around: frozenset[FromClause]) -> list[_Kinds]:
        """What each column of a query names. ``around``: the tables of the SELECT in whose expressions it stands."""
        key = query, around
        if key not in self.known:
            self.known[key] = []  # a recursive query meets itself
            self.known[key] = self._columns(query, around)
        return self.known[key]

    def _columns(self, query: Any, around: frozenset[FromClause]) -> list[_Kinds]:
        for added in getattr(query, "_independent_ctes", ()):
            self.columns(added.element, frozenset())
        match query:
            case SelectStatementGrouping():
                return self.columns(query.element, around)
            case CompoundSelect():
                parts = [self.columns(part, around) for part in query.selects]
                return [_in_each(list(kinds)) for kinds in zip(*parts, strict=True)]
            case Select():
                return self._of_select(query, around)
        raise OutsideScope(f"only SELECT statements are run, not {type(query).__name__}")

    def _of_select(self, query: Select[Any], around: frozenset[FromClause]) -> list[_Kinds]:
        if query._prefixes or query._suffixes or query._hints or query._statement_hints:
            raise OutsideScope("a statement of a page holds SQL as text: prefixes, suffixes and hints are refused")
        found = self._froms(query, around)
        inside = frozenset(found.conditions)
        rest = [part for part in found.conditions if part not in found.kinds]
        while rest:
            for part in rest:
                self._limit(part, found, inside)
            left = [part for part in rest if part not in found.kinds]
            if len(left) == len(rest):
                raise OutsideScope(_explain(_table(left[0])))
            rest = left
        self._scan(query, inside)
        return [found.kinds_of(column) for column in query.selected_columns]

    def _froms(self, query: Select[Any], around: frozenset[FromClause]) -> _Froms:
        """The tables of a SELECT but for those it has from the statement around it, the open ones and subqueries
        with what they name."""
        where = _conjuncts(query.whereclause)
        found = _Froms({})
        for source in _sources(query, around):
            for part, holds in _parts(source):
                found.conditions[part] = [*holds, *where]
        for part in found.conditions:
            match part:
                case Subquery() | CTE():
                    kinds = self.columns(part.element, frozenset())
                    found.kinds[part] = dict(zip(part.c.keys(), kinds, strict=False))
                case Table() | Alias() if isinstance(table := _table(part), Table):
                    if table in OPEN:
                        found.kinds[part] = {}
                    elif table.metadata not in (facts, results):
                        found.kinds[part] = {PERSON: {PERSON: _always}}
                        self.needs.append((table, _is_kept(table)))
                case _:
                    raise OutsideScope(f"a query reads tables and subqueries, not {type(part).__name__}")
        return found

    def _limit(self, part: FromClause, found: _Froms, inside: frozenset[FromClause]) -> None:
        """Notes what keeps ``part`` within the scope, where something does."""
        table = _table(part)
        ways = self._ways(found.conditions[part], part, found, inside)
        if not ways:
            return
        self.needs.append((table, _any(list(ways.values()))))
        kinds: dict[str, _Kinds] = {name: {STORE: need} for name, need in ways.items() if name.endswith(STORE)}
        if "place_id" in ways and STORE in table.c:
            kinds[STORE] = {STORE: ways["place_id"]}  # a row of a place is about a store of that place
        if PERSON in table.c:
            kinds[PERSON] = {PERSON: _always}  # the table is limited, or the statement does not run
        found.kinds[part] = kinds

    # --- conditions -----------------------------------------------------------------------------

    def _ways(self, conditions: Sequence[Any], part: FromClause, found: _Froms, inside: frozenset[FromClause]) -> _Ways:
        """How conditions that all hold keep ``part`` within the scope; none when they do not."""
        ways = self._by_place(conditions, part) if is_by_place(_table(part)) else {}
        for condition in conditions:
            for name, need in self._ways_of_one(condition, part, found, inside).items():
                ways[name] = _any([ways[name], need]) if name in ways else need
        return ways

    def _ways_of_one(self, condition: Any, part: FromClause, found: _Froms, inside: frozenset[FromClause]) -> _Ways:
        table = _table(part)
        match _bare(condition):
            case False_():
                return dict.fromkeys(table.c.keys(), _always)  # there are no rows, so they name nothing
            case BooleanClauseList(operator=operators.or_) as either:
                branches = [self._ways(_conjuncts(branch), part, found, inside) for branch in either.clauses]
                if not all(branches):
                    return {}
                shared = set.intersection(*(set(ways) for ways in branches))
                anyhow = {"": _all([_any(list(ways.values())) for ways in branches])}
                return anyhow | {name: _all([ways[name] for ways in branches]) for name in shared}
            case UnaryExpression(operator=operators.exists) as exists:
                return self._ways_of_rows(_query(exists.element), part, inside)
            case BinaryExpression(operator=operators.in_op) as among if _is_of(part, among.left):
                values = _query(among.right)
                if isinstance(values, BindParameter):
                    return self._by_values(among.left, values, many=True)
                if isinstance(values, SelectBase):
                    kinds = self.columns(values, inside)
                    return _joined(table, among.left, kinds[0]) if len(kinds) == 1 else {}
            case BinaryExpression(operator=operators.eq) as equal:
                ways: _Ways = {}
                for column, other in _both_ways(equal):
                    if _is_of(part, column) and isinstance(other, BindParameter):
                        ways |= self._by_values(column, other, many=False)
                    elif _is_of(part, column):
                        ways |= _joined(table, column, found.kinds_of(other))
                return ways
        return {}

    def _by_values(self, column: Any, parameter: BindParameter[Any], *, many: bool) -> _Ways:
        """A column of stores is compared with values; the sums of a place are those of all its stores."""
        if not column.key.endswith(STORE) or is_by_place(_table(column.table)):
            return {}
        at = self.position[id(parameter)]
        if many:
            return {column.key: lambda asked: asked.stores.issuperset(asked.values[at])}
        return {column.key: lambda asked: asked.values[at] in asked.stores}

    def _by_place(self, conditions: Sequence[Any], part: FromClause) -> _Ways:
        """Conditions name a level and places of it."""
        named: dict[str, Callable[[_Asked], Collection[str]]] = {}
        for condition in map(_bare, conditions):
            if not isinstance(condition, BinaryExpression) or not _is_of(part, condition.left):
                continue
            column: Any = condition.left
            value = _bare(condition.right)
            if isinstance(value, BindParameter) and condition.operator is operators.eq:
                named[column.key] = _one(self.position[id(value)])
            elif isinstance(value, BindParameter) and condition.operator is operators.in_op:
                named[column.key] = _many(self.position[id(value)])
        if not {"level", "place_id"} <= named.keys():
            return {}
        levels, places = named["level"], named["place_id"]

        def lie_within(asked: _Asked) -> bool:
            return all(_lies_within(level, place, asked) for level in levels(asked) for place in places(asked))

        return {"place_id": lie_within}

    def _ways_of_rows(self, query: Any, part: FromClause, inside: frozenset[FromClause]) -> _Ways:
        """EXISTS asks for a row in scope of the same customer or store."""
        if not isinstance(query, Select):
            return {}
        self.columns(query, inside)
        found = self._froms(query, inside)
        for inner in found.conditions:
            if inner not in found.kinds:
                self._limit(inner, found, frozenset(found.conditions))
        ways: _Ways = {}
        for condition in map(_bare, _conjuncts(query.whereclause)):
            if isinstance(condition, False_):
                return {"": _always}
            if isinstance(condition, BinaryExpression) and condition.operator is operators.eq:
                for column, other in _both_ways(condition):
                    if _is_of(part, column):
                        ways |= _joined(_table(part), column, found.kinds_of(other))
        return ways

    # --- everything that is no FROM -------------------------------------------------------------

    def _scan(self, query: Select[Any], inside: frozenset[FromClause]) -> None:
        """Checks the queries within the expressions of ``query``, and refuses text among them."""
        waiting: list[Any] = [query, *(on for source in _sources(query) for on in _on_clauses(source))]
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


def _is_kept(table: Table) -> _Need:
    return lambda asked: table in asked.kept


def _one(at: int) -> Callable[[_Asked], Collection[str]]:
    return lambda asked: (asked.values[at],)


def _many(at: int) -> Callable[[_Asked], Collection[str]]:
    return lambda asked: asked.values[at]


def _lies_within(level: str, place_id: str, asked: _Asked) -> bool:
    if level == "store":
        return place_id in asked.stores
    stores = asked.places.get((level, place_id))
    return stores is not None and stores <= asked.stores


def _in_each(kinds: list[_Kinds]) -> _Kinds:
    """What a column of a union names: what it names in each of its parts."""
    shared = set.intersection(*(set(part) for part in kinds))
    return {kind: _all([part[kind] for part in kinds]) for kind in shared}


def _joined(table: Table, column: Any, kinds: _Kinds) -> _Ways:
    """How a table is limited by a column that equals one of another table, which names only what is in scope."""
    has_stores = is_by_place(table) or any(column.name.endswith(STORE) for column in table.c)
    of_persons = table in _OF_CUSTOMERS or not has_stores
    if column.key == PERSON and PERSON in kinds and of_persons:
        return {PERSON: kinds[PERSON]}
    if column.key == STORE and STORE in kinds and not is_by_place(table):
        return {STORE: kinds[STORE]}
    return {}


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


def _conjuncts(condition: ClauseElement | None) -> list[Any]:
    """The conditions of which each must hold."""
    condition = _bare(condition)
    if condition is None:
        return []
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        return [one for clause in condition.clauses for one in _conjuncts(clause)]
    return [condition]


def _sources(query: Select[Any], around: frozenset[FromClause] = frozenset()) -> Sequence[FromClause]:
    """What a SELECT reads itself, as `query.get_final_froms()`, which compiles the whole statement for it.

    In the expressions of a SELECT around it, what both read stands for the row of that one: where this one reads
    something else, too, or is told so. By itself, it would be read once more.
    """
    sources: Sequence[FromClause] = SelectState(query, None)._get_display_froms()  # type: ignore[arg-type]
    taken = set(query._correlate) & around
    if query._auto_correlate and len(sources) > 1:
        taken |= around
    return [source for source in sources if source not in taken]


def _parts(source: Any) -> Iterator[tuple[FromClause, list[Any]]]:
    """The tables and subqueries of a FROM with the ON conditions that hold for each row they give."""
    if isinstance(source, FromGrouping):
        yield from _parts(source.element)
    elif isinstance(source, Join):
        on = _conjuncts(source.onclause)
        for part, holds in _parts(source.left):
            yield part, holds if source.isouter or source.full else [*holds, *on]
        for part, holds in _parts(source.right):
            yield part, holds if source.full else [*holds, *on]
    else:
        yield source, []


def _on_clauses(source: Any) -> list[Any]:
    if isinstance(source, FromGrouping):
        return _on_clauses(source.element)
    if isinstance(source, Join):
        on = [] if source.onclause is None else [Grouping(source.onclause)]
        return [*on, *_on_clauses(source.left), *_on_clauses(source.right)]
    return []


def _table(part: FromClause) -> Any:
    return part.element if isinstance(part, Alias) else part


def _explain(table: Table) -> str:
    """What to write where a table is not limited."""
    stores = [column.name for column in table.c if column.name.endswith(STORE)]
    if table.metadata not in (facts, results):
        todo = "it is no table of a snapshot; a temporary one is read within `_frame.kept`, under the same scope"
    elif is_by_place(table):
        todo = "add `.where(place.rows(TABLE))` of the scope's own place, or `summable_rows(scope, engine, TABLE)`"
    elif stores:
        todo = f"wrap the SELECT that reads it in `scope.limit(query, {table.name}.c.{stores[0]})`"
    elif PERSON in table.c:
        todo = "join it by customer_no to rows that are limited to the scope"
    else:
        todo = "name it in data_access.queries._bounds.OPEN if it says nothing of a store, else ask under the chain"
    return f"a query reads {table.name!r} beyond its scope: {todo}"
