"""A change taken apart: by hand, for any figures, and from receipts."""

from datetime import date
from math import prod

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data_access.errors import Problem
from data_access.queries.customers import buyers
from data_access.queries.why import doors, receipts, returned
from data_access.scope import Period
from data_access.snapshot import Snapshot
from models.calc.decomposition import mix_and_rate, price_volume_mix, shapley, to_the_cent
from models.reports.why import BY, By, Ratio, why, why_mix
from tests.tiny import CHAIN, FEBRUARY, MARCH, NOTHING, ONLY_A, VISITORS

FACTORS = st.lists(
    st.tuples(st.floats(0, 1e3, allow_subnormal=False), st.floats(0, 1e3, allow_subnormal=False)),
    min_size=1,
    max_size=4,
)


def test_two_factors_share_what_they_changed_together() -> None:
    effects = shapley({"orders": 10, "ticket": 100}, {"orders": 12, "ticket": 110})
    # 2 orders more at the mean ticket of 105, 10 more a ticket at the mean of 11 orders
    assert effects == pytest.approx({"orders": 2 * 105, "ticket": 10 * 11})
    assert sum(effects.values()) == pytest.approx(12 * 110 - 10 * 100)


def test_a_factor_that_was_zero_is_no_trouble() -> None:
    effects = shapley({"visitors": 0, "conversion": 0, "price": 0}, {"visitors": 50, "conversion": 0.2, "price": 30})
    assert sum(effects.values()) == pytest.approx(50 * 0.2 * 30)
    assert effects["visitors"] == pytest.approx(effects["price"])


def test_factors_of_another_figure_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the factors differ: \['a'\] before, \['b'\] after"):
        shapley({"a": 1}, {"b": 1})


@given(FACTORS)
def test_effects_add_up_whatever_the_factors_and_in_whatever_order(values: list[tuple[float, float]]) -> None:
    before = {f"f{i}": then for i, (then, _) in enumerate(values)}
    after = {f"f{i}": now for i, (_, now) in enumerate(values)}
    change = prod(after.values()) - prod(before.values())
    scale = max(prod(max(pair) for pair in values), 1.0)
    effects = shapley(before, after)
    assert sum(effects.values()) == pytest.approx(change, abs=1e-9 * scale)
    backwards = shapley(dict(reversed(before.items())), dict(reversed(after.items())))
    assert {name: backwards[name] for name in effects} == pytest.approx(effects, abs=1e-9 * scale)
    cents = to_the_cent(effects, change)
    assert sum(cents.values()) == pytest.approx(round(change, 2), abs=1e-9 * scale)
    assert all(round(effect, 2) == effect for effect in cents.values())


def test_price_volume_and_mix_by_hand() -> None:
    products = pd.DataFrame(
        [
            ("dearer", 10, 120.0, 10, 100.0),
            ("more", 30, 150.0, 20, 100.0),
            ("new", 1, 40.0, 0, 0.0),
            ("lost", 0, 0.0, 2, 25.0),
        ],
        columns=["product_id", "units", "sales", "units_before", "sales_before"],
    )
    effects = price_volume_mix(products)
    assert effects["price"] == (12 - 10) * (10 + 10) / 2  # the other still costs 5
    mean_price = (270 / 40 + 200 / 30) / 2
    assert effects["volume"] == pytest.approx(10 * mean_price)
    assert effects["mix"] == pytest.approx(70 - 20 - 10 * mean_price)
    assert (effects["new_products"], effects["lost_products"]) == (40, -25)
    assert sum(effects.values()) == pytest.approx(310 - 225)


AMOUNT = st.tuples(st.integers(0, 50), st.integers(0, 10_000))


@given(st.lists(st.tuples(AMOUNT, AMOUNT), max_size=8))
def test_price_volume_and_mix_add_up_for_any_range(sold: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    rows = [(now[0], now[1] / 100, then[0], then[1] / 100) for now, then in sold]
    products = pd.DataFrame(rows, columns=["units", "sales", "units_before", "sales_before"], dtype=float)
    change = products["sales"].sum() - products["sales_before"].sum()
    assert sum(price_volume_mix(products).values()) == pytest.approx(change, abs=1e-6)


def test_what_moved_march(tiny_snapshot: Snapshot) -> None:
    report = why(tiny_snapshot, CHAIN, MARCH, "previous")
    assert report.other == FEBRUARY
    row = report.summary.iloc[0]
    february = 130 + 90 + 210 - 200  # O4, O5, O6 less R4, booked on the 10th
    march = 190 + 30 + 205 + 31 + 400 + 105 + 58 + 110.25 - 30 - 15.50
    assert (row["net_sales"], row["compared_with"], row["change"]) == (march, february, march - february)
    # nobody counts at the door for most receipts, so the factors begin with these
    assert report.effects["factor"].tolist() == ["orders", "units_per_transaction", "price", "returns"]
    assert report.effects["effect"].sum() == pytest.approx(march - february, abs=1e-9)
    orders = report.effects.set_index("factor").loc["orders"]
    assert (orders["before"], orders["after"]) == (3, 8)
    assert report.effects.set_index("factor").loc["returns", "effect"] == 200 - (30 + 15.50)
    assert report.product_effects["effect"].sum() == pytest.approx(march + 45.5 - (february + 200), abs=1e-9)
    for frame in (report.stores, report.categories, report.products):
        assert frame["change"].sum() == pytest.approx(march - february)
        assert frame["contribution"].sum() == pytest.approx(1)


def test_what_moved_one_store_is_its_own(tiny_snapshot: Snapshot) -> None:
    report = why(tiny_snapshot, ONLY_A, MARCH, "previous")
    assert report.stores["store_id"].tolist() == ["A"]
    assert report.customer_effects.set_index("factor").loc["buyers", ["before", "after"]].tolist() == [1, 2]


def test_the_goods_of_one_category_alone(tiny_snapshot: Snapshot) -> None:
    every = why(tiny_snapshot, CHAIN, MARCH, "previous")
    name = every.categories["category"].dropna().iloc[0]
    alone = why(tiny_snapshot, CHAIN, MARCH, "previous", name)
    assert (
        alone.summary["change"].tolist()
        == every.categories.loc[every.categories["category"] == name, "change"].tolist()
    )
    assert alone.effects.empty  # a receipt, and so a visitor or buyer, has no one category
    assert alone.customer_effects.empty
    for frame in (alone.stores, alone.categories, alone.products):
        assert frame["change"].sum() == pytest.approx(alone.summary["change"].iloc[0])
    assert set(alone.products["category"]) == {name}


def test_without_the_other_days_nothing_is_said(tiny_snapshot: Snapshot) -> None:
    early = why(tiny_snapshot, CHAIN, Period(date(2025, 3, 1), date(2025, 3, 20)), "last_year")
    assert (early.other, len(early.effects)) == (None, 0)
    nobody = why(tiny_snapshot, NOTHING, MARCH, "previous")
    assert nobody.summary["change"].tolist() == [0]
    assert nobody.effects["effect"].abs().sum() == 0


def test_a_ratio_moves_by_its_groups_and_by_their_weights() -> None:
    groups = pd.DataFrame(
        {"top": [300.0, 100], "bottom": [3.0, 2], "top_before": [80.0, 160], "bottom_before": [1.0, 4]}
    )
    found = mix_and_rate(groups)
    # tickets of 100 and 50 now, 80 and 40 then; .6 and .4 of the orders now, .2 and .8 then; 80 and 48 in all
    assert found["rate_effect"].tolist() == pytest.approx([(0.6 + 0.2) / 2 * 20, (0.4 + 0.8) / 2 * 10])
    assert found["mix_effect"].tolist() == pytest.approx([(90 - 64) * 0.4, (45 - 64) * -0.4])
    assert found[["rate_effect", "mix_effect"]].to_numpy().sum() == pytest.approx(80 - 48)


@given(st.lists(st.tuples(*[st.integers(0, 1_000)] * 4), min_size=1, max_size=6))
def test_rate_and_mix_add_up_whatever_comes_and_goes(sums: list[tuple[int, int, int, int]]) -> None:
    groups = pd.DataFrame(sums, columns=["top", "bottom", "top_before", "bottom_before"], dtype=float)
    assume(groups["bottom"].sum() > 0 and groups["bottom_before"].sum() > 0)
    found = mix_and_rate(groups)
    whole = groups.sum()
    change = whole["top"] / whole["bottom"] - whole["top_before"] / whole["bottom_before"]
    assert found[["rate_effect", "mix_effect"]].to_numpy().sum() == pytest.approx(change, abs=1e-9 * (1 + abs(change)))


def test_visitors_of_days_on_which_nobody_bought_count_as_they_came(tiny_snapshot: Snapshot) -> None:
    days = Period(date(2026, 3, 6), date(2026, 3, 7))  # the two days before: visitors, and no receipt
    report = why(tiny_snapshot, ONLY_A, days, "previous")
    effects = report.effects.set_index("factor")
    assert effects.loc["traffic", "before"] == VISITORS["A", date(2026, 3, 4)]
    assert effects.loc["conversion", "before"] == 0
    assert effects["effect"].sum() == pytest.approx(report.summary["change"].iloc[0])


COUNTED = [(by, ratio) for by, ratios in BY.items() for ratio in ratios if ratio != "conversion"]


@pytest.mark.parametrize(("by", "ratio"), COUNTED)
def test_a_ratio_of_march_is_taken_apart(tiny_snapshot: Snapshot, by: By, ratio: Ratio) -> None:
    found = why_mix(tiny_snapshot, CHAIN, MARCH, "previous", ratio, by)
    total = found.total.iloc[0]
    assert total["rate_effect"] + total["mix_effect"] == pytest.approx(total["change"])
    assert found.groups[["rate_effect", "mix_effect"]].to_numpy().sum() == pytest.approx(total["change"])
    assert found.groups["weight"].sum() == pytest.approx(1)
    assert why_mix(tiny_snapshot, NOTHING, MARCH, "previous", ratio, by).groups.empty


def test_a_receipt_has_no_one_category(tiny_snapshot: Snapshot) -> None:
    with pytest.raises(Problem, match="ticket cannot be taken apart by category"):
        why_mix(tiny_snapshot, CHAIN, MARCH, "previous", "ticket", "category")


def test_conversion_is_taken_apart_by_the_stores_that_count(tiny_snapshot: Snapshot) -> None:
    half = Period(date(2026, 3, 1), date(2026, 3, 15))
    sums = doors(CHAIN, tiny_snapshot.engine, MARCH, half)
    counted = {store: people for (store, day), people in VISITORS.items() if day in march_days()}
    assert set(sums["key"]) == set(counted)
    assert sums["traffic"].sum() == sum(people for (_, day), people in VISITORS.items() if day in march_days())
    assert why_mix(tiny_snapshot, CHAIN, MARCH, "previous", "conversion", "store").groups.empty  # nobody counted before


def march_days() -> set[date]:
    return {day.date() for day in pd.date_range(MARCH.first, MARCH.last)}


def test_returns_belong_to_the_sale(tiny_snapshot: Snapshot) -> None:
    by_store = returned(CHAIN, tiny_snapshot.engine, MARCH, FEBRUARY, "store_id")
    for by in ("channel", "staff_id", "customers", "category"):
        other = returned(CHAIN, tiny_snapshot.engine, MARCH, FEBRUARY, by)
        for column in ("returns_of_sales", "returns_of_sales_before"):
            assert other[column].sum() == pytest.approx(by_store[column].sum())


def test_customers_are_new_in_the_period_of_their_first_order(tiny_snapshot: Snapshot) -> None:
    sums = receipts(CHAIN, tiny_snapshot.engine, MARCH, FEBRUARY, "customers").set_index("key")
    found = buyers(CHAIN, tiny_snapshot.engine, [MARCH]).iloc[0]
    assert sums.at["new", "orders"] >= found["new_customers"] > 0
    assert sums["orders"].sum() == 8
