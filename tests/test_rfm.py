"""RFM scores under both tie rules, and the named segments made from them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calc.named_segments import GRID, SEGMENTS, rule, segment_of
from models.calc.rfm import TIE_RULES, cuts_below, rfm_scores


def base(recency: list[int], orders: list[int], spend: list[float], numbers: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id_rank": numbers or range(1, len(orders) + 1),
            "recency_days": recency,
            "orders": orders,
            "net_sales": spend,
        }
    )


def test_equal_size_parts_ties_by_customer_id() -> None:
    customers = base([9, 9, 9, 9, 9], [1, 1, 1, 1, 1], [5, 5, 5, 5, 5], numbers=[50, 40, 30, 20, 10])
    scores = rfm_scores(customers, "net_sales", "equal_size")
    assert scores["f"].tolist() == [5, 4, 3, 2, 1]
    assert scores["m"].tolist() == [5, 4, 3, 2, 1]
    assert scores["r"].tolist() == [5, 4, 3, 2, 1]  # all as recent: still the lowest id first, which is the worst


def test_equal_size_scores_the_most_recent_highest() -> None:
    scores = rfm_scores(base([1, 30, 60, 90, 120], [5, 4, 3, 2, 1], [50, 40, 30, 20, 10]), "net_sales", "equal_size")
    assert scores["r"].tolist() == scores["f"].tolist() == scores["m"].tolist() == [5, 4, 3, 2, 1]


def test_keep_ties_counts_cut_points_strictly_below() -> None:
    # orders 1 1 1 2 6: the quintile cut points are 1.0, 1.0, 1.4 and 2.8
    orders = [1, 1, 1, 2, 6]
    assert np.quantile(orders, [0.2, 0.4, 0.6, 0.8]).tolist() == pytest.approx([1, 1, 1.4, 2.8])
    scores = rfm_scores(base([10, 10, 20, 30, 40], orders, [1, 2, 3, 4, 5]), "net_sales", "keep_ties")
    assert scores["f"].tolist() == [1, 1, 1, 4, 5]
    # recency cut points are 10, 16, 24 and 32
    assert scores["r"].tolist() == [5, 5, 3, 2, 1]


def test_the_monetary_column_is_chosen() -> None:
    customers = base([1, 1], [1, 1], [10, 20]).assign(gross_sales=[20, 10])
    assert rfm_scores(customers, "gross_sales", "keep_ties")["m"].tolist() == [5, 1]


def test_no_customers_no_scores() -> None:
    empty = base([], [], [])
    for tie_rule in TIE_RULES:
        assert rfm_scores(empty, "net_sales", tie_rule).empty


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="recency_days"):
        rfm_scores(base([1], [1], [1]).drop(columns="recency_days"), "net_sales", "keep_ties")
    with pytest.raises(ValueError, match="tie rule"):
        rfm_scores(base([1], [1], [1]), "net_sales", "by_luck")  # type: ignore[arg-type]


customers_strategy = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 30), st.integers(-50_000, 500_000)), min_size=1, max_size=80
)


@settings(max_examples=60, deadline=None)
@given(customers_strategy, st.sampled_from(TIE_RULES))
def test_scores_are_bounded_and_monotone(rows: list[tuple[int, int, int]], tie_rule: str) -> None:
    recency, orders, cents = (list(values) for values in zip(*rows, strict=True))
    customers = base(recency, orders, [c / 100 for c in cents])
    scores = rfm_scores(customers, "net_sales", tie_rule)  # type: ignore[arg-type]
    assert scores.min(axis=None) >= 1
    assert scores.max(axis=None) <= 5
    for column, letter in (("orders", "f"), ("net_sales", "m")):
        in_order = scores[letter].to_numpy()[np.lexsort((customers["id_rank"], customers[column]))]
        assert (np.diff(in_order) >= 0).all()
    oldest_first = np.lexsort((customers["id_rank"], -customers["recency_days"]))
    assert (np.diff(scores["r"].to_numpy()[oldest_first]) >= 0).all()
    if tie_rule == "keep_ties":
        assert (scores["f"].groupby(customers["orders"]).nunique() == 1).all()
    else:
        sizes = scores["m"].value_counts().reindex(range(1, 6), fill_value=0)
        assert sizes.max() - sizes.min() <= 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_cut_points_below_agree_with_a_plain_loop(values: list[int]) -> None:
    cuts = np.quantile(values, [0.2, 0.4, 0.6, 0.8])
    assert cuts_below(np.array(values, dtype=float)).tolist() == [sum(cut < v for cut in cuts) for v in values]


@pytest.mark.parametrize(
    ("r", "f", "m", "segment"),
    [
        (5, 5, 5, "champions"),
        (5, 3, 4, "champions"),  # FM = floor(3.5 + .5) = 4
        (5, 1, 1, "new"),
        (4, 1, 2, "active"),  # FM = floor(1.5 + .5) = 2
        (3, 5, 4, "loyal"),
        (2, 4, 4, "at_risk"),
        (1, 3, 3, "at_risk"),
        (1, 5, 5, "previously_loyal"),
        (1, 1, 2, "dormant"),
    ],
)
def test_the_named_segment_of_a_score(r: int, f: int, m: int, segment: str) -> None:
    assert list(segment_of(pd.DataFrame({"r": [r], "f": [f], "m": [m]}))) == [segment]


def test_the_rule_shown_is_the_rule_that_decides() -> None:
    shown = rule()
    scores = pd.DataFrame({"r": shown["r"], "f": shown["fm"], "m": shown["fm"]})
    assert list(segment_of(scores)) == shown["segment"].tolist()
    assert {name for names in GRID.values() for name in names} | {"prospect"} == set(SEGMENTS)
