"""Movers: the best sellers, and who lost most against the period before."""

import pandas as pd

MOVERS = 10  # of each kind, unless told
MOVERS_COLUMNS = (
    "product_id", "product", "category", "net_sales", "units", "compared_with", "change", "change_ratio",
    "contribution", "movement",
)  # fmt: skip


def movers(sales: pd.DataFrame, count: int = MOVERS) -> pd.DataFrame:
    """The ``count`` best sellers, best first, then up to ``count`` with the largest losses, largest first.

    Args:
        sales: one row per product, at least the ``count`` of each kind: product_id, product, category, net_sales,
            units, compared_with (net sales of the period before, NaN when there is none), change_of_all (of all
            products, the same in every row).

    Returns:
        The same columns with change (net_sales - compared_with), change_ratio (change / compared_with, NaN when
        that is not positive), contribution (change / change of all products, NaN when that is 0) and movement
        ('top' | 'falling'). A best seller that fell most stands in both parts.
    """
    change = sales["net_sales"] - sales["compared_with"]
    every = sales.assign(
        change=change,
        change_ratio=(change / sales["compared_with"]).where(sales["compared_with"] > 0),
        contribution=change / sales["change_of_all"].where(sales["change_of_all"] != 0),
    )
    top = every.sort_values(["net_sales", "product_id"], ascending=[False, True]).head(count)
    falling = every[every["change"] < 0].sort_values(["change", "product_id"]).head(count)
    both = pd.concat([top[top["net_sales"] > 0].assign(movement="top"), falling.assign(movement="falling")])
    return both.reset_index(drop=True)[list(MOVERS_COLUMNS)]
