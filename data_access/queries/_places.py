"""Which place of the marts a scope is: the chain, a region or a store, or a set of stores that is none of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, Table, and_, false, select

from data_access.marts.place_store import CHAIN, place_store
from data_access.scope import Scope

Level = Literal["chain", "region", "store"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place that marts have rows of."""

    level: Level
    place_id: str

    def rows(self, table: Table) -> ColumnElement[bool]:
        """The rows of a mart that belong to this place."""
        return and_(table.c.level == self.level, table.c.place_id == self.place_id)


@dataclass(frozen=True, slots=True)
class _Known:
    """The places of one file: each set of stores with its place, and each place with its stores."""

    of_stores: dict[frozenset[str], Place]
    stores: dict[tuple[str, str], frozenset[str]]


# The places of a published file never change, so each is read once.
_PLACES: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()


def place_of(scope: Scope, engine: Engine) -> Place | None:
    """The chain, region or store that the scope is; None for any other set of stores, and for none.

    A region of one store is that store.
    """
    if scope.kind == "chain":
        return Place("chain", CHAIN)
    return _places(engine).of_stores.get(frozenset(scope.store_ids))


def summable_rows(scope: Scope, engine: Engine, table: Table) -> ColumnElement[bool]:
    """The rows of a mart by place whose sums are those of the scope: of its own place, or of each of its stores.

    Only for figures that add up over stores, such as money; never for distinct customers.
    """
    place = place_of(scope, engine)
    if place is not None:
        return place.rows(table)
    if not scope.store_ids:
        return false()
    return and_(table.c.level == "store", table.c.place_id.in_(scope.store_ids))


def stores_of_places(engine: Engine) -> Mapping[tuple[str, str], frozenset[str]]:
    """Every region and store by level and id, with its stores."""
    return _places(engine).stores


def _places(engine: Engine) -> _Known:
    found = _PLACES.get(engine)
    if found is None:
        stores: dict[tuple[Level, str], set[str]] = {}
        query = select(place_store).where(place_store.c.level != CHAIN).order_by(place_store.c.level)
        with engine.connect() as connection:
            for level, place_id, store_id in connection.execute(query):
                stores.setdefault((level, place_id), set()).add(store_id)
        sets = {Place(*place): frozenset(ids) for place, ids in stores.items()}
        found = _PLACES[engine] = _Known(
            {ids: place for place, ids in sets.items()}, {(p.level, p.place_id): ids for p, ids in sets.items()}
        )
    return found
