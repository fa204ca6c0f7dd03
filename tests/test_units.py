"""What is asked of every region or store at once is what each of them is asked for by itself."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access.queries import lapse, places, preferences, reasons, value
from data_access.queries._units import UNIT, By
from data_access.scope import Period, Scope
from models.reports._places import at_place, rows_of
from tests.tiny import CHAIN, ONLY_A
from tests.two_chains import build, rows

LAST = date(2026, 3, 22)
YEAR = Period(LAST - timedelta(days=364), LAST)
ASKED: dict[Any, tuple[Any, ...]] = {
    lapse.rhythms: (LAST - timedelta(days=90),),
    lapse.sales: (YEAR,),
    lapse.steps: (LAST,),
    preferences.bought: (YEAR, ("age_band", "city_tier"), "category"),
    preferences.by_month: (YEAR, "gender"),
    preferences.habits: (YEAR, ("age_band", "city_tier")),
    reasons.events: (YEAR,),
    value.customers: (LAST - timedelta(days=90),),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = build(tmp_path_factory.mktemp("chain") / "facts.duckdb", rows())
    yield engine
    engine.dispose()


@pytest.mark.parametrize("by", ["region", "store"])
@pytest.mark.parametrize("query", ASKED, ids=lambda query: query.__name__)
def test_rows_of_a_unit_are_those_of_its_stores(query: Any, by: By, engine: Engine) -> None:
    apart = query(CHAIN, engine, *ASKED[query], by=by)
    assert not apart.empty
    for unit, stores in places.stores(CHAIN, engine).groupby(f"{by}_id")["store_id"]:
        alone = query(Scope("stores", tuple(stores)), engine, *ASKED[query])
        pd.testing.assert_frame_equal(_sorted(apart[apart[UNIT] == unit].drop(columns=UNIT)), _sorted(alone))


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(list(rows), ignore_index=True)


def test_a_batch_asks_once_for_all_stores(engine: Engine) -> None:
    asked: list[tuple[Scope, By]] = []

    def query(scope: Scope, _: Engine, by: By = "scope") -> pd.DataFrame:
        asked.append((scope, by))
        return pd.DataFrame({"n": [1, 2], UNIT: ["A", "B"]})

    with at_place(engine, "chain", "chain", CHAIN, CHAIN):
        rows_of(CHAIN, engine, query)
    found = {}
    for store in ("A", "B", "C"):
        scope = Scope("stores", (store,))
        with at_place(engine, "store", store, scope, CHAIN):
            found[store] = rows_of(scope, engine, query)["n"].tolist()
    assert found == {"A": [1], "B": [2], "C": []}
    assert asked == [(CHAIN, "scope"), (CHAIN, "store")]


def test_another_scope_than_the_place_at_hand_is_asked_for_by_itself(engine: Engine) -> None:
    with at_place(engine, "store", "B", Scope("stores", ("B",)), CHAIN):
        found = rows_of(ONLY_A, engine, lapse.rhythms, LAST)
    pd.testing.assert_frame_equal(found, lapse.rhythms(ONLY_A, engine, LAST))
