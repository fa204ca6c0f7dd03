"""How much to order of what: quantities by hand, the expiry cap on drawn stock, and what the rule attains."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

import models.__main__ as command
from data_access.errors import Problem
from models.calc.demand_rates import Floats, expected_above, from_history, levels, probability_above, quantile
from models.calc.inventory import SLOWEST, Stock, Supply, calibrate, classes, order_quantity, propose, up_to
from models.calc.replenishment import replay
from models.reorder import PROPOSAL, history, reorder
from tests.benchmarks import inventory
from tests.simulated_shelves import draw, keep, together


def of(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def stock(on_hand: float, on_order: float = 0, pack: float = 1, least: float = 1, sellable: float = np.inf) -> Stock:
    return Stock(of(on_hand), of(0), of(on_order), of(pack), of(least), of(sellable))


# --- demand ---------------------------------------------------------------------------------------------------------


def test_a_level_is_the_mean_of_the_days_that_are_known_recent_ones_weighing_more() -> None:
    sold = np.array([[np.nan, 4.0, np.nan, 1.0]])
    found = levels(sold, half_life=1)
    assert found[0].tolist() == [0, 0, 4, 4, pytest.approx((0.5 * 4 + 1) / (0.5 + 1))]


def test_even_demand_is_expected_to_go_on_and_its_errors_add_up() -> None:
    rng = np.random.default_rng(3)
    sold = rng.poisson(2.0, (300, 364)).astype(float)
    rates = from_history(sold)
    mean, variance = rates.over(np.full(300, 14.0))
    assert float(mean.mean()) == pytest.approx(14 * 2, rel=0.02)
    # 14 days of Poisson, and a level known from about 150 days: 14^2 x 2 / 150
    assert float(np.median(variance)) == pytest.approx(14 * 2 + 14**2 * 2 / 150, rel=0.15)


def test_the_tail_of_demand_is_that_of_a_negative_binomial() -> None:
    mean, variance = of(3.0), of(7.5)
    size, chance = 3.0**2 / (7.5 - 3.0), 3.0 / 7.5
    units = np.arange(500)
    mass = stats.nbinom.pmf(units, size, chance)
    assert probability_above(of(4), mean, variance)[0] == pytest.approx(mass[5:].sum())
    assert probability_above(of(-1), mean, variance)[0] == 1
    assert expected_above(of(4), mean, variance)[0] == pytest.approx((mass * np.maximum(units - 4, 0)).sum())
    assert expected_above(of(0), mean, variance)[0] == pytest.approx(3.0)
    assert quantile(mean, variance, 0.9)[0] == np.argmax(np.cumsum(mass) >= 0.9)


# --- a shelf by hand ------------------------------------------------------------------------------------------------


def test_a_shelf_is_filled_up_at_each_review_and_the_order_comes_after_its_lead_time() -> None:
    demand = np.array([[2.0, 2, 2, 2, 2, 2]])
    leads, review = np.full((1, 6), 2), np.array([3])
    attained = replay(demand, lambda _: np.array([[5.0]]), leads, review, 0, 0, 6)
    # day 0: 5 on hand, order 0, sells 2; day 1: sells 2; day 2: 1 left, 2 asked; day 3: orders 5; day 4: nothing; the
    # order is there on day 5
    assert attained.lost[0, 0] == 1 + 2 + 2
    assert attained.demand[0, 0] == 12
    assert attained.closing_stock[0, 0] == pytest.approx((3 + 1 + 0 + 0 + 0 + 3) / 6)
    # the deliveries of days 2 (of nothing) and 5: the shelf was full before the first, empty before the second
    assert (attained.cycles[0, 0], attained.cycles_served[0, 0]) == (2, 1)


# --- quantities -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shelf", "level", "ordered"),
    [
        (stock(4), 10, 6),
        (stock(4, on_order=3), 10, 3),
        (stock(4, pack=4), 10, 8),  # 6 in packs of 4
        (stock(4, least=9, pack=4), 10, 12),  # at least 9, in packs of 4
        (stock(12), 10, 0),
        (stock(4, sellable=9), 9, 5),
        (stock(4, pack=4, sellable=9), 9, 4),  # 5 wanted: 2 packs would not sell, 1 does
        (stock(4, least=6, sellable=9), 9, 0),  # the smallest order would not sell
    ],
)
def test_an_order_fills_the_position_up_in_packs_and_never_beyond_what_sells(
    shelf: Stock, level: float, ordered: float
) -> None:
    assert order_quantity(shelf, of(level))[0] == ordered


def test_no_order_is_ever_more_than_can_be_sold_in_time() -> None:
    rng = np.random.default_rng(4)
    n = 5_000
    on_hand, reserved, on_order = rng.integers(0, 30, (3, n)).astype(float)
    pack, least = rng.integers(1, 7, n).astype(float), rng.integers(1, 13, n).astype(float)
    shelf = Stock(on_hand, reserved, on_order, pack, least, rng.uniform(0, 60, n))
    level = np.minimum(rng.uniform(0, 90, n), shelf.sellable)
    ordered = order_quantity(shelf, level)
    assert (ordered > 0).any()
    assert (shelf.position + ordered <= np.maximum(shelf.sellable, shelf.position) + 1e-9).all()
    assert (ordered % shelf.order_multiple == 0).all()
    assert (ordered[ordered > 0] >= shelf.minimum_quantity[ordered > 0]).all()


def test_what_is_proposed_follows_the_formula() -> None:
    rates = from_history(np.random.default_rng(5).poisson(3.0, (1, 364)).astype(float))
    supply = Supply(of(10), of(2), of(7))
    found = propose(rates, supply, stock(12, on_order=5, pack=6), of(1.5))
    mean, variance = rates.over(of(17))
    level = mean[0] + 1.5 * np.sqrt(variance[0] + (rates.rate[0] * 2) ** 2)
    assert found.expected_demand[0] == mean[0]
    assert found.safety_stock[0] == pytest.approx(level - mean[0])
    assert found.order_up_to[0] == np.ceil(level)
    assert found.order_quantity[0] == np.ceil((np.ceil(level) - 17) / 6) * 6
    assert found.days_of_cover[0] == pytest.approx(12 / rates.rate[0])
    assert found.reorder_point[0] == np.ceil(up_to(rates, of(10), of(2), of(1.5))[0])
    assert found.stockout_probability[0] > 0.9  # 12 on hand, 30 asked for until the order is there


def test_classes_are_by_value_and_by_how_evenly_the_weeks_sell() -> None:
    even, uneven = np.full((1, 28), 2.0), np.tile([0.0] * 14 + [4.0] * 14, (1, 1))
    rare = np.tile([1.0] + [0.0] * 27, (1, 1))
    sold = np.concatenate([even, uneven, rare, even])
    # values 80 : 16 : 1 : 3 of 100, so that the second begins at 80 % and the last at 96 %
    prices = of(40, 8, 28, 1.5)
    assert classes(sold, prices).tolist() == ["AX", "BY", SLOWEST, "CX"]


def test_without_enough_history_z_is_that_of_a_normal_curve() -> None:
    found = calibrate(np.ones((2, 30)), Supply(of(7, 7), of(0, 0), of(7, 7)), np.array(["AX", "AX"]), 0.95)
    assert found.z.tolist() == pytest.approx([1.6449, 1.6449], abs=1e-4)
    assert found.table["items"].tolist() == [0]


# --- tables ---------------------------------------------------------------------------------------------------------

DEMAND = pd.DataFrame(
    {"unique_id": ["a", "a", "b"], "ds": ["2026-01-01", "2026-01-04", "2026-01-03"], "y": [2.0, 1.0, 5.0]}
)
SHELF = pd.DataFrame({"unique_id": ["b", "a", "c"], "on_hand": [3, 0, 1], "lead_time_days": [5, 5, 5]})


def test_a_day_without_a_row_sold_nothing_and_before_the_first_nothing_is_known() -> None:
    sold = history(DEMAND, SHELF["unique_id"])
    assert sold[0, 2:].tolist() == [5, 0]
    assert np.isnan(sold[0, :2]).all()
    assert sold[1].tolist() == [2, 0, 0, 1]
    assert np.isnan(sold[2]).all()


def test_each_row_of_the_stock_gets_its_proposal() -> None:
    found = reorder(DEMAND, SHELF)
    assert tuple(found) == ("unique_id", *PROPOSAL)
    assert found["unique_id"].tolist() == ["b", "a", "c"]
    _, empty, never_sold = found.to_dict("records")
    assert empty["order_quantity"] == empty["order_up_to"] > 0
    assert empty["stockout_probability"] > 0.9
    # Nothing is expected, nothing is ordered, its stock lasts nobody knows how long.
    assert (never_sold["expected_demand"], never_sold["order_quantity"]) == (0, 0)
    assert np.isnan(never_sold["days_of_cover"])


@pytest.mark.parametrize(
    ("demand", "shelf", "said"),
    [
        (DEMAND.drop(columns="y"), SHELF, "the demand lacks the column 'y': its columns are unique_id, ds"),
        (DEMAND, SHELF.drop(columns="on_hand"), "the stock lacks the column 'on_hand'"),
        (DEMAND, SHELF.assign(unique_id="a"), "the stock names 'a' twice"),
        (DEMAND, SHELF.assign(on_hand=[1, -2, 3]), r"the stock's on_hand in row 2 is below 0 \(-2\)"),
        (DEMAND, SHELF.assign(on_hand=["1", "x", "3"]), r"the stock's on_hand in row 2 is not a number \(x\)"),
        (DEMAND, SHELF.assign(lead_time_days=[1, np.nan, 3]), "the stock's lead_time_days in row 2 is empty"),
        (DEMAND.assign(ds=["2026-01-01", "soon", "2026-01-03"]), SHELF, r"the demand's ds in row 2 is not a day"),
        (DEMAND.head(0), SHELF, "the demand holds no rows"),
        (pd.concat([DEMAND, DEMAND]), SHELF, "the demand has two rows of '.*' on .*: add them up first"),
        (DEMAND.assign(unique_id=None), SHELF, "the demand has no unique_id in row 1"),
        (DEMAND.assign(y=np.inf), SHELF, "the demand's y in row 1 is not a number"),
        (DEMAND, SHELF.head(0), "the stock holds no rows"),
        (DEMAND, SHELF.assign(review_days=0), "review_days in row 1 must be above 0"),
        (DEMAND, SHELF.assign(order_multiple=[1, 0, 1]), "order_multiple in row 2 must be above 0"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(demand: pd.DataFrame, shelf: pd.DataFrame, said: str) -> None:
    with pytest.raises(Problem, match=said):
        reorder(demand, shelf)


def test_a_service_level_is_a_share() -> None:
    with pytest.raises(Problem, match=r"at least 0\.5 and below 1, not 95"):
        reorder(DEMAND, SHELF, 95)


def test_the_command_writes_the_proposals_of_two_files(tmp_path: Path) -> None:
    DEMAND.to_csv(tmp_path / "demand.csv", index=False)
    SHELF.to_parquet(tmp_path / "stock.parquet")
    files = ["--demand", str(tmp_path / "demand.csv"), "--stock", str(tmp_path / "stock.parquet")]
    result = CliRunner().invoke(command.app, ["reorder", *files, "--out", str(tmp_path / "out.csv")])
    assert result.exit_code == 0, result.output
    written = pd.read_csv(tmp_path / "out.csv")
    pd.testing.assert_frame_equal(written, reorder(DEMAND, SHELF), check_dtype=False)


# --- what the rule attains ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("target", "most_days"), [(0.95, 15.5), (0.98, 19.5)])
def test_the_promise_is_kept_by_every_class_with_little_stock(target: float, most_days: float) -> None:
    kept = keep(together(*(draw(seed) for seed in inventory.SEEDS)), target)
    every = np.ones(len(kept.slow), dtype=bool)
    assert kept.attained.cycle_service(every)[0] >= target
    assert kept.days_of_cover(every) <= most_days
    for name in sorted(set(kept.item_class.tolist())):
        mine = kept.item_class == name
        if mine.sum() >= 40:
            service = kept.attained.fill_rate(mine) if name == SLOWEST else kept.attained.cycle_service(mine)
            assert service[0] == pytest.approx(target, abs=0.01), name
    if target == 0.95:
        assert kept.attained.fill_rate(kept.slow)[0] >= 0.95
        assert kept.days_of_cover(kept.slow) <= 27


@pytest.mark.slow
def test_sixteen_thousand_proposals_take_under_ten_seconds() -> None:
    (row,) = inventory.proposals()
    assert float(str(row["cpu_s"])) < 10
