"""An interval that stays valid however often one looks at a campaign while it runs.

The cumulative difference of two means, day after day. An ordinary interval holds at one look; with a look each day
chance gets a new try each day. This one holds for all days together: Robbins' mixture of normal tests (H. Robbins,
Annals of Mathematical Statistics 41, 1970), with the variance as the time, as in asymptotic confidence sequences (I.
Waudby-Smith and others, Annals of Statistics 52, 2024).
"""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.calc.lift import ENOUGH_BUYERS

Floats = npt.NDArray[np.float64]

ALPHA = 0.05
# The mixture is narrowest where the variance is this many times its own: at the end of what is planned.
NARROWEST = 2 * math.log(1 / ALPHA) + math.log(1 + 2 * math.log(1 / ALPHA))


def width(variance: Floats, last: float) -> Floats:
    """Half of the interval at each ``variance`` of the difference; narrowest about the variance ``last``."""
    rho = last / NARROWEST
    found: Floats = np.sqrt((variance + rho) * np.log((variance + rho) / (rho * ALPHA**2)))
    return found


def curve(bought: pd.DataFrame, people: int, others: int, days: int, planned: int) -> pd.DataFrame:
    """The difference per customer up to each day, with an interval that holds for all days together.

    bought: one row per buyer and day with customer_no, is_control, day_number (from 0), amount. people, others: in the
    treated arms and the control group; days: that have passed; planned: of the whole window.

    Columns: day_number, treated, control (per customer, up to the day), difference, lo95, hi95 (NaN before each group
    has ``ENOUGH_BUYERS``, and for groups of nobody).
    """
    sums = {flag: _moments(bought[bought["is_control"] == flag], days) for flag in (False, True)}
    means, variances = {}, {}
    for flag, many in ((False, people), (True, others)):
        total, squares, _ = sums[flag]
        means[flag] = total / many if many else np.full(days, np.nan)
        spread = (squares - total**2 / many) / (many - 1) if many > 1 else np.full(days, np.nan)
        variances[flag] = spread / many if many else np.full(days, np.nan)
    difference, variance = means[False] - means[True], variances[False] + variances[True]
    enough = np.minimum(sums[False][2], sums[True][2]) >= ENOUGH_BUYERS
    half = np.full(days, np.nan)
    if enough.any() and days:
        half = np.where(enough, width(variance, float(variance[-1]) * planned / days), np.nan)
    return pd.DataFrame(
        {
            "day_number": range(days),
            "treated": means[False],
            "control": means[True],
            "difference": difference,
            "lo95": difference - half,
            "hi95": difference + half,
        }
    )


def _moments(bought: pd.DataFrame, days: int) -> tuple[Floats, Floats, Floats]:
    """Up to each day: the sum of what customers spent, of its square over customers, and how many bought."""
    rows = bought.sort_values("day_number", kind="stable")
    so_far = rows.groupby("customer_no")["amount"].cumsum().to_numpy()
    before = so_far - rows["amount"].to_numpy()
    is_new = ~rows.duplicated("customer_no").to_numpy()
    day = rows["day_number"].to_numpy()

    def up_to(values: Floats) -> Floats:
        found: Floats = np.cumsum(np.bincount(day, weights=values, minlength=days)[:days])
        return found

    squares = up_to(so_far**2 - before**2)
    return up_to(rows["amount"].to_numpy()), squares, up_to(is_new.astype("float64"))
