"""Funnels: how many of those who took a step took the next one."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Number = TypeVar("Number", float, pd.Series, NDArray[np.float64])

Z95 = 1.959963984540054  # the normal quantile of a two-sided 95 % interval


def wilson(successes: pd.Series, trials: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The 95 % Wilson interval of each share; NaN without trials and where there are more successes than trials."""
    hits, n = (counts.to_numpy(dtype=np.float64, na_value=np.nan) for counts in (successes, trials))
    n = np.where((n > 0) & (hits <= n), n, np.nan)
    lo, hi = wilson_of_share(hits / n, n)
    return pd.Series(lo, trials.index), pd.Series(hi, trials.index)


def wilson_of_share(share: Number, n: Number) -> tuple[Number, Number]:
    """The 95 % Wilson interval of shares among ``n`` > 0."""
    middle = share + Z95**2 / (2 * n)
    spread = Z95 * (share * (1 - share) / n + Z95**2 / (4 * n**2)) ** 0.5
    return (middle - spread) / (1 + Z95**2 / n), (middle + spread) / (1 + Z95**2 / n)


def previous_steps(steps: Sequence[str]) -> dict[str, str]:
    """The step each of ``steps`` is compared with: the one before it; the first has none.

    To claim a coupon and to visit do not require each other, so a visit is compared with what precedes the claim.
    """
    previous = {}
    for position, step in enumerate(steps):
        earlier = [name for name in steps[:position] if (name, step) != ("claimed", "visited")]
        if earlier:
            previous[step] = earlier[-1]
    return previous


def funnel(steps: pd.DataFrame) -> pd.DataFrame:
    """``steps`` of funnels (campaign_id, step, customers; each in its order) with the rates.

    Adds previous (None for the first, else as in ``previous_steps``), rate_overall (of the first step's customers),
    rate_step (of those of the previous step; NaN for the first) with the Wilson interval lo95 and hi95.
    """
    campaign = steps.groupby("campaign_id", sort=False)
    one, two = (campaign[["step", "customers"]].shift(back) for back in (1, 2))
    beside = (steps["step"] == "visited") & (one["step"] == "claimed")
    previous = one["step"].mask(beside, two["step"]).astype(object)
    base = one["customers"].mask(beside, two["customers"])
    first = campaign["customers"].transform("first")
    lo, hi = wilson(steps["customers"], base)
    return steps.assign(
        previous=previous.where(previous.notna(), None),
        rate_overall=steps["customers"] / first.where(first > 0),
        rate_step=steps["customers"] / base.where(base > 0),
        lo95=lo,
        hi95=hi,
    )
