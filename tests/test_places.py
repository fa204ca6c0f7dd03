"""Scopes and the places of the marts: exactly the chain, a region or a store, or none of them."""

import pytest

from data_access.marts.place_store import place_store
from data_access.queries._places import Place, place_of, summable_rows
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from tests.tiny import CHAIN, NORTH, NOTHING, ONLY_A


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        (CHAIN, Place("chain", "chain")),
        (ONLY_A, Place("store", "A")),
        (NORTH, Place("region", "north")),
        (Scope("stores", ("A", "C")), None),
        (Scope("stores", ("A", "nowhere")), None),
        (NOTHING, None),
    ],
)
def test_a_scope_is_a_place_only_when_it_is_exactly_its_stores(
    scope: Scope, place: Place | None, tiny_snapshot: Snapshot
) -> None:
    assert place_of(scope, tiny_snapshot.engine) == place


def test_sums_of_a_scope_that_is_no_place_are_those_of_its_stores(tiny_snapshot: Snapshot) -> None:
    engine = tiny_snapshot.engine

    def stores(scope: Scope) -> list[tuple[str, str]]:
        query = place_store.select().where(summable_rows(scope, engine, place_store))
        with engine.connect() as connection:
            return sorted((row.level, row.store_id) for row in connection.execute(query))

    assert stores(NORTH) == [("region", "A"), ("region", "B")]
    assert stores(Scope("stores", ("A", "C"))) == [("store", "A"), ("store", "C")]
    assert stores(NOTHING) == []
