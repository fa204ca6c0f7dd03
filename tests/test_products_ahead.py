"""Products in stores: shares of what their category will sell there, and the orders that rely on them."""

import numpy as np
import pandas as pd
import pytest

from models.calc.demand_rates import Ahead, from_history
from models.calc.inventory import up_to
from models.forecasting import products
from models.forecasting.products import Items

DAYS, WEEKS = 364, 8


def items(sold: np.ndarray, discount: np.ndarray | None = None, categories: str = "") -> Items:
    count = len(sold)
    off = np.zeros((count, DAYS + 7 * WEEKS)) if discount is None else discount
    names = np.array([f"P{number}" for number in range(count)])
    return Items(np.full(count, "A"), names, np.array(list(categories or "F" * count)), sold, off, np.zeros((count, 1)))


def category(weeks: np.ndarray, name: str = "F") -> pd.DataFrame:
    return pd.DataFrame([weeks]).assign(store_id="A", category=name)


def test_weeks_of_products_add_up_to_their_category_and_stand_as_they_sold() -> None:
    sold = np.repeat([[3.0], [1.0]], DAYS, axis=1)
    whole = np.linspace(40, 75, WEEKS)
    found = products.forecast(items(sold), category(whole), []).pivot(index="product_id", columns="week", values="mean")
    assert found.sum().tolist() == whole.tolist()
    assert found.loc["P0"].tolist() == pytest.approx(whole * 3 / (3 + 1))


def test_days_of_an_empty_shelf_do_not_make_a_product_small() -> None:
    sold = np.repeat([[2.0], [2.0]], DAYS, axis=1)
    sold[1, -60:] = np.nan
    found = products.forecast(items(sold), category(np.full(WEEKS, 30.0)), [])
    assert found["mean"].tolist() == pytest.approx([30 / 2] * 2 * WEEKS)
    empty = np.isnan(sold)
    assert products.lost(items(sold), empty)[1, -60:].tolist() == pytest.approx([2.0] * 60)


def test_an_offer_ahead_raises_the_share_by_what_such_offers_did() -> None:
    off = np.zeros((2, DAYS + 7 * WEEKS))
    off[0, 200:221] = off[0, DAYS : DAYS + 7] = 0.2
    sold = np.full((2, DAYS), 4.0)
    sold[0, 200:221] = 8.0  # with its category's pace of (8 + 4) / (4 + 4) taken off, a third more for a fifth off
    found = products.forecast(items(sold, off), category(np.full(WEEKS, 56.0)), [])
    share = found.loc[found["product_id"] == "P0", "mean"].to_numpy() / 56
    assert share[0] == pytest.approx(0.57, abs=0.02)
    assert share[1:] == pytest.approx(0.5, abs=0.02)


def test_a_new_product_begins_as_its_like_sells() -> None:
    sold = np.full((12, DAYS), 5.0)
    sold[-1, :-3] = np.nan
    sold[-1, -3:] = 0.0
    found = products.forecast(items(sold), category(np.full(WEEKS, 11 * 35.0)), [])
    assert found[found["product_id"] == "P11"]["mean"].min() > 0.5 * 35


def test_orders_know_of_the_event_ahead() -> None:
    sold = np.random.default_rng(1).poisson(2.0, (1, DAYS)).astype(np.float64)
    rates = from_history(sold)
    usual = np.full((1, WEEKS), 7 * rates.rate[0])
    busy = usual.copy()
    busy[0, 1] *= 3
    days, spread, z = np.array([14.0]), np.zeros(1), np.array([1.6])
    calm, ahead = (up_to(Ahead(rates, weeks), days, spread, z)[0] for weeks in (usual, busy))
    assert calm == pytest.approx(up_to(rates, days, spread, z)[0])
    # a week of three times as much: the mean grows by two weeks' sales, and what it strays by, too
    assert ahead > calm + 2 * usual[0, 0]


def test_what_is_not_forecast_goes_on_as_in_history() -> None:
    rates = from_history(np.ones((2, DAYS)))
    ahead = Ahead(rates, np.array([[14.0] * WEEKS, [np.nan] * WEEKS]))
    mean, _ = ahead.over(np.array([10.0, 10.0]))
    assert mean.tolist() == pytest.approx([14 + 3 / 7 * 14, 10.0])
    assert ahead.over(np.array([70.0, 70.0]))[0].tolist() == pytest.approx([8 * 14 + 14 * 1.0, 70.0])
