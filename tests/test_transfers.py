"""Transfers between stores: plans that can be reckoned by hand, and what holds for every plan."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import OptimizeResult

from models.calc import transfers
from models.calc.transfers import PLAN, Offers, plan


def offers(
    donors: list[tuple[str, str, float, float, float]],
    gains: list[tuple[str, str, list[float]]],
    lanes: list[tuple[str, str, float, int]],
    rooms: list[tuple[str, str, float]] = [],  # noqa: B006 - never changed
) -> Offers:
    each = [(store, product, n, gain) for store, product, many in gains for n, gain in enumerate(many, start=1)]
    return Offers(
        pd.DataFrame(donors, columns=["store_id", "product_id", "surplus", "near_expiry", "unit_cost"]),
        pd.DataFrame(each, columns=["store_id", "product_id", "nth", "gain"]),
        pd.DataFrame(rooms, columns=["store_id", "product_id", "room"]),
        pd.DataFrame(lanes, columns=["from_store", "to_store", "cost", "minimum_quantity"]),
    )


def rows(found: pd.DataFrame) -> list[tuple[object, ...]]:
    return list(found[["from_store", "to_store", "product_id", "quantity"]].itertuples(index=False, name=None))


def test_units_go_where_they_bring_most_as_long_as_they_bring_more_than_the_lane_costs() -> None:
    found = plan(
        offers(
            [("A", "P", 3, 0, 5.0)],
            [("B", "P", [40.0, 20.0, 1.0]), ("C", "P", [30.0, 2.0])],
            [("A", "B", 15, 1), ("A", "C", 25, 1)],
        )
    )
    # B's first three bring 40 + 20 + 1 - 15; the third would bring 30 in C, but another shipment costs 25
    assert rows(found) == [("A", "B", "P", 2), ("A", "C", "P", 1)]
    assert found["saving"].tolist() == [40 + 20 - 15, 30 - 25]


def test_a_shipment_that_costs_more_than_it_brings_is_not_sent() -> None:
    assert plan(offers([("A", "P", 3, 0, 5.0)], [("B", "P", [9.0])], [("A", "B", 10, 1)])).empty
    assert tuple(plan(offers([], [], []))) == PLAN


def test_a_shipment_carries_at_least_the_minimum_of_its_lane_of_all_products_together() -> None:
    few = offers([("A", "P", 3, 0, 5.0)], [("B", "P", [9.0, 8.0])], [("A", "B", 1, 3)])
    assert plan(few).empty
    both = offers(
        [("A", "P", 3, 0, 5.0), ("A", "Q", 1, 0, 5.0)], [("B", "P", [9.0, 8.0]), ("B", "Q", [2.0])], [("A", "B", 1, 3)]
    )
    found = plan(both)
    assert rows(found) == [("A", "B", "P", 2), ("A", "B", "Q", 1)]
    assert found["lane_cost"].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_what_would_expire_goes_first_as_far_as_the_receiver_can_still_sell_it() -> None:
    found = plan(
        offers(
            [("A", "P", 5, 4, 10.0), ("B", "P", 5, 0, 10.0)],
            [("C", "P", [6.0, 5.0, 4.0])],
            [("A", "C", 1, 1), ("B", "C", 1, 1)],
            [("C", "P", 2)],
        )
    )
    assert rows(found) == [("A", "C", "P", 3)]
    assert found["near_expiry"].tolist() == [2]
    assert found["gain"].tolist() == [6 + 5 + 4 + 2 * 10]


def drawn(seed: int) -> Offers:
    rng = np.random.default_rng(seed)
    stores, products = [f"S{i}" for i in range(6)], [f"P{i}" for i in range(8)]
    donors, gains, rooms = [], [], []
    for store in stores:
        for product in products:
            if rng.random() < 0.5:
                surplus = float(rng.integers(0, 9))
                donors.append((store, product, surplus, float(rng.integers(0, int(surplus) + 1)), rng.uniform(1, 30)))
            else:
                gains.append((store, product, np.sort(rng.uniform(0, 50, rng.integers(1, 7)))[::-1].tolist()))
                rooms.append((store, product, float(rng.integers(0, 5))))
    lanes = [(a, b, rng.uniform(5, 60), int(rng.integers(1, 9))) for a in stores for b in stores if a != b]
    return offers(donors, gains, lanes, rooms)


@pytest.mark.parametrize("seed", range(6))
def test_no_plan_takes_what_a_donor_needs_or_gives_more_than_is_wanted_or_loses_money(seed: int) -> None:
    asked = drawn(seed)
    found = plan(asked)
    assert not found.empty
    given = found.groupby(["from_store", "product_id"])[["quantity", "near_expiry"]].sum()
    limits = asked.donors.set_index(["store_id", "product_id"]).loc[given.index]
    assert (given["quantity"].to_numpy() <= limits["surplus"].to_numpy()).all()
    assert (given["near_expiry"].to_numpy() <= limits["near_expiry"].to_numpy()).all()
    got = found.groupby(["to_store", "product_id"])["quantity"].sum()
    wanted = asked.gains.groupby(["store_id", "product_id"]).size().loc[got.index]
    assert (got.to_numpy() <= wanted.to_numpy()).all()
    shipped = found.groupby(["from_store", "to_store"]).agg(quantity=("quantity", "sum"), cost=("lane_cost", "sum"))
    lanes = asked.lanes.set_index(["from_store", "to_store"]).loc[shipped.index]
    assert (shipped["quantity"].to_numpy() >= lanes["minimum_quantity"].to_numpy()).all()
    assert shipped["cost"].to_numpy() == pytest.approx(lanes["cost"].to_numpy())
    assert found["saving"].sum() > 0


def test_a_solver_out_of_time_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "milp", lambda *_, **__: OptimizeResult(x=None))
    assert plan(drawn(1)).empty
