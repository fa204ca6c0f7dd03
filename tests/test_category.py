"""One category of the range, added up by hand: in the tiny chain each has one product."""

import numpy as np
import pytest

from data_access.errors import Problem
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.category import category
from models.reports.overview import overview
from models.reports.product import product
from models.reports.store import store
from tests.report_fixtures import figure
from tests.tiny import CHAIN, MARCH, NOTHING, ONLY_A


def test_the_key_figures(tiny_snapshot: Snapshot) -> None:
    kpis = category(tiny_snapshot, CHAIN, MARCH, "fragrance").kpis
    assert figure(kpis, "gross_sales") == 205 + 400
    assert figure(kpis, "returns") == 15.5
    assert figure(kpis, "average_price") == (205 + 400 - 15.5) / 3
    assert figure(kpis, "net_sales", "previous") == 210 - 200
    assert np.isnan(figure(kpis, "average_price", "last_year"))  # nothing sold: no price, not 0


@pytest.mark.parametrize("scope", [CHAIN, ONLY_A])
def test_a_category_of_one_product_is_that_product(tiny_snapshot: Snapshot, scope: Scope) -> None:
    whole, one = category(tiny_snapshot, scope, MARCH, "skin care"), product(tiny_snapshot, scope, MARCH, "P1")
    for day in ("net_sales", "previous", "last_year"):
        np.testing.assert_array_equal(whole.by_day[day], one.by_day[day])
    assert whole.by_store.equals(one.by_store)
    row = whole.products.iloc[0]
    assert (row["product_id"], row["net_sales"], row["share"]) == ("P1", figure(one.kpis, "net_sales"), 1)
    assert row["change"] == figure(one.kpis, "net_sales") - figure(one.kpis, "net_sales", "previous")


def test_categories_of_a_place_add_up_to_its_sales(tiny_snapshot: Snapshot) -> None:
    chain = overview(tiny_snapshot, CHAIN, MARCH)
    assert chain.by_category["net_sales"].sum() == figure(chain.kpis, "net_sales")
    assert chain.by_category["previous"].sum() == figure(chain.kpis, "net_sales", "previous")
    here = store(tiny_snapshot, CHAIN, MARCH, "A")
    assert here.by_category.set_index("category")["net_sales"].to_dict()["skin care"] == 190


def test_unknown_categories_and_empty_scopes_are_refused(tiny_snapshot: Snapshot) -> None:
    with pytest.raises(Problem, match="no category 'gardening'"):
        category(tiny_snapshot, CHAIN, MARCH, "gardening")
    with pytest.raises(Problem, match="no category"):
        category(tiny_snapshot, NOTHING, MARCH, "skin care")
