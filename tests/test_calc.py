"""Movers and cohorts, on numbers that can be followed by hand."""

import pandas as pd

from models.calc.cohorts import cohort_table, new_and_returning, retention_curve
from models.calc.movers import movers


def product_rows(*rows: tuple[str, float, float]) -> pd.DataFrame:
    every = pd.DataFrame(
        [
            {"product_id": p, "product": p, "category": "c", "net_sales": now, "units": 1, "compared_with": then}
            for p, now, then in rows
        ]
    )
    return every.assign(change_of_all=(every["net_sales"] - every["compared_with"]).sum(min_count=1))


def test_movers_are_the_best_sellers_and_the_largest_losses() -> None:
    found = movers(product_rows(("a", 100, 150), ("b", 90, 10), ("c", 5, 45), ("d", 0, 20)), count=2)
    assert found[["product_id", "movement"]].to_numpy().tolist() == [
        ["a", "top"],
        ["b", "top"],
        ["a", "falling"],
        ["c", "falling"],
    ]
    assert found["change"].tolist() == [-50, 80, -50, -40]
    assert found["change_ratio"].tolist() == [-50 / 150, 80 / 10, -50 / 150, -40 / 45]
    total = (100 + 90 + 5) - (150 + 10 + 45 + 20)
    assert found["contribution"].tolist() == [-50 / total, 80 / total, -50 / total, -40 / total]


def test_without_a_period_before_nothing_falls() -> None:
    nan = float("nan")
    found = movers(product_rows(("a", 100, nan), ("b", 90, nan), ("c", 0, nan)))
    assert found["movement"].tolist() == ["top", "top"]
    assert found[["compared_with", "change", "change_ratio", "contribution"]].isna().all(axis=None)


def test_a_product_new_in_the_period_has_a_change_but_no_ratio() -> None:
    found = movers(product_rows(("a", 100, 0)))
    assert found["change"].tolist() == [100]
    assert found["change_ratio"].isna().all()


ACTIVITY = pd.DataFrame(
    # cohort, month, customers, gross, net
    [
        (10, 10, 4, 400, 400),
        (10, 11, 2, 150, 140),
        (10, 13, 1, 50, 50),
        (12, 12, 3, 300, 300),
        (-1, 12, 0, 0, -20),
    ],
    columns=["cohort", "month", "customers", "gross_sales", "net_sales"],
)


def test_a_cohort_has_a_row_for_every_month_that_has_begun() -> None:
    table = cohort_table(ACTIVITY, last_month=13, last_complete_month=12)
    assert table[["cohort", "month_number", "size", "customers"]].to_numpy().tolist() == [
        [10, 0, 4, 4],
        [10, 1, 4, 2],
        [10, 2, 4, 0],
        [10, 3, 4, 1],
        [12, 0, 3, 3],
        [12, 1, 3, 0],
    ]
    assert table["rate"].tolist() == [1, 2 / 4, 0, 1 / 4, 1, 0]
    assert table["complete"].tolist() == [True, True, True, False, True, False]


def test_the_curve_weighs_cohorts_by_size_and_leaves_unfinished_months_out() -> None:
    curve = retention_curve(cohort_table(ACTIVITY, last_month=13, last_complete_month=12))
    assert curve["month_number"].tolist() == [0, 1, 2]
    assert curve["rate"].tolist() == [(4 + 3) / (4 + 3), 2 / 4, 0 / 4]


def test_new_and_returning_share_a_month() -> None:
    table = new_and_returning(ACTIVITY, last_complete_month=12).set_index("month")
    assert table["new"].to_dict() == {10: 4, 11: 0, 12: 3, 13: 0}
    assert table["returning"].to_dict() == {10: 0, 11: 2, 12: 0, 13: 1}
    assert table["returning_net_sales"].to_dict() == {10: 0, 11: 140, 12: -20, 13: 50}
    assert table["complete"].to_dict() == {10: True, 11: True, 12: True, 13: False}
    assert table[["new_net_sales", "returning_net_sales"]].sum(axis=None) == ACTIVITY["net_sales"].sum()


def test_no_activity_no_cohorts() -> None:
    empty = ACTIVITY.iloc[:0]
    assert cohort_table(empty, 13, 12).empty
    assert new_and_returning(empty, 12).empty
    assert retention_curve(cohort_table(empty, 13, 12)).empty
