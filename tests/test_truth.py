"""Planted facts of the demo chain, recovered from the reports alone and compared with the truth file."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data_access.queries import places
from data_access.refresh import refresh
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot, current_snapshot
from models.reports.overview import overview
from models.reports.store import store
from tests.demo_chain import write
from tests.report_fixtures import figure

CHAIN = Scope("chain")


@dataclass(frozen=True)
class Chain:
    """A demo chain as the reports see it, and its hidden truth."""

    snapshot: Snapshot
    truth: dict[str, Any]

    @property
    def last_weeks(self) -> Period:
        """The 28 days the reports show unless told otherwise."""
        last = self.snapshot.info.last_day
        assert last is not None
        return Period(last - timedelta(days=27), last)

    @property
    def whole(self) -> Period:
        first = self.snapshot.info.first_day
        assert first is not None
        return Period(first, self.last_weeks.last)

    def stores(self) -> pd.DataFrame:
        return places.stores(CHAIN, self.snapshot.engine)

    def region(self, region_id: str) -> Scope:
        stores = self.stores()
        return Scope("stores", tuple(stores.loc[stores["region_id"] == region_id, "store_id"]))


def build(folder: Path, **options: Any) -> Chain:
    written = write(folder, "chain", **options)
    refresh(written.engine, folder)
    return Chain(current_snapshot(folder), written.truth)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return build(tmp_path_factory.mktemp("truth"), scale="tiny", seed=1)


def conversions(chain: Chain) -> pd.Series:
    """The conversion of each shop over all history, from the store report."""
    stores = chain.stores()
    shops = stores.loc[stores["kind"] == "shop", "store_id"]
    return pd.Series(
        {shop: figure(store(chain.snapshot, CHAIN, chain.whole, shop).kpis, "conversion") for shop in shops}
    )


def largest_change(chain: Chain, region_id: str) -> tuple[str, str]:
    """The product whose net sales changed most in a region, and the direction, from the overview."""
    products = overview(chain.snapshot, chain.region(region_id), chain.last_weeks).products
    mover = products.loc[products["change"].abs().idxmax()]
    return mover["product_id"], "rise" if mover["change"] > 0 else "fall"


def assert_planted_facts_are_found(chain: Chain) -> None:
    found, planted = conversions(chain), pd.Series(chain.truth["store_conversion"])
    assert found.idxmin() == planted.idxmin()
    assert found.sort_index().to_numpy() == pytest.approx(planted.sort_index().to_numpy(), rel=0.1)
    movers = {mover["region_id"]: (mover["product_id"], mover["direction"]) for mover in chain.truth["movers"]}
    assert {region_id: largest_change(chain, region_id) for region_id in movers} == movers


def test_the_store_that_converts_least_and_the_product_that_moved_each_region(chain: Chain) -> None:
    assert_planted_facts_are_found(chain)


def test_without_a_planted_mover_its_product_does_not_move_the_region(
    chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> None:
    unmoved = build(tmp_path_factory.mktemp("unmoved"), scale="tiny", seed=1, null=("mover",))
    assert unmoved.truth["movers"] == []
    for mover in chain.truth["movers"]:
        assert largest_change(unmoved, mover["region_id"])[0] != mover["product_id"]


@pytest.mark.slow
def test_planted_facts_are_found_in_the_chain_of_make_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert_planted_facts_are_found(build(tmp_path_factory.mktemp("demo"), scale="demo", seed=1))


def test_a_store_that_only_receipts_mention_shows_where_it_has_a_figure(chain: Chain) -> None:
    lost = chain.truth["dirty_rows"]["unknown_store"]["store_id"]
    with_figure = overview(chain.snapshot, CHAIN, chain.whole).by_store
    days = overview(chain.snapshot, Scope("stores", (lost,)), chain.whole).by_day
    silent = days.loc[days["orders"] == 0, "day"].iloc[0].date()
    assert with_figure.set_index("store_id").loc[lost, "orders"] > 0
    assert lost not in overview(chain.snapshot, CHAIN, Period(silent, silent)).by_store["store_id"].tolist()
    assert chain.stores()["store_id"].iloc[-1] == lost
