"""Movers: the best sellers, and who lost most against the period before."""

import numpy as np
import pandas as pd

MOVERS = 10  # of each kind, unless told
MOVERS_COLUMNS = (
    "product_id", "product", "category", "net_sales", "units", "compared_with", "change", "change_ratio",
    "contribution", "movement",
)  # fmt: skip


def movers(sales: pd.DataFrame, count: int = MOVERS) -> pd.DataFrame:
    """The ``count`` best sellers, best first, then up to ``count`` with the largest losses, largest first.

    Args:
        sales: one row per product in order of product_id, at least the ``count`` of each kind: product_id, product,
            category, net_sales, units, compared_with (net sales of the period before, NaN when there is none),
            change_of_all (of all products, the same in every row).

    Returns:
        The same columns with change (net_sales - compared_with), change_ratio (change / compared_with, NaN when
        that is not positive), contribution (change / change of all products, NaN when that is 0) and movement
        ('top' | 'falling'). A best seller that fell most stands in both parts.
    """
    net_sales, before, of_all = (sales[name].to_numpy() for name in ("net_sales", "compared_with", "change_of_all"))
    change = net_sales - before
    # A stable order leaves equal ones in that of their ids.
    top = np.argsort(-net_sales, kind="stable")[:count]
    falling = np.argsort(change, kind="stable")[:count]
    top, falling = top[net_sales[top] > 0], falling[change[falling] < 0]
    chosen = np.concatenate([top, falling])
    change, before, of_all = change[chosen], before[chosen], of_all[chosen]
    shown = sales.take(chosen).reset_index(drop=True)
    shown["change"] = change
    shown["change_ratio"] = np.divide(change, before, out=np.full(len(chosen), np.nan), where=before > 0)
    shown["contribution"] = np.divide(change, of_all, out=np.full(len(chosen), np.nan), where=of_all != 0)
    shown["movement"] = pd.array(["top"] * len(top) + ["falling"] * len(falling), dtype="str")
    return shown[list(MOVERS_COLUMNS)]
