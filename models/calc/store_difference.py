"""What a campaign of some stores changed against the stores without it: difference in differences.

Each store's net sales of the campaign's days against its own eight weeks before; then the stores that take part against
the others. One number per store, so that days of one store are not taken for many stores: with one first day for all,
this is the two-way fixed-effects estimate with errors clustered by store.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Floats = npt.NDArray[np.float64]

WEEKS = 8  # before the campaign
LEAST_OTHERS = 3  # stores without it


@dataclass(frozen=True, slots=True)
class Change:
    """The stores' relative change beyond that of the others: 0.05 is 5 % more; with its 95 % interval and p-value."""

    stores: int
    others: int
    difference: float
    lo: float
    hi: float
    p_value: float
    before_difference: float  # the same of the four weeks before against the four before those: should be nothing
    before_p: float
    sold: float  # net sales of the stores that take part, of the campaign's days

    def beyond(self, difference: float) -> float:
        """Of ``sold`` what would not have come if the stores had changed as the others did, at a ``difference``."""
        return self.sold * difference / (1 + difference)


def difference(days: pd.DataFrame, first_day: pd.Timestamp, last_day: pd.Timestamp) -> Change | None:
    """``days``: store_id, takes_part, day, net_sales from ``WEEKS`` weeks before the first day to the last.

    None without a store that takes part, with fewer than ``LEAST_OTHERS`` others, or without sales before.
    """
    length = (last_day - first_day).days + 1
    start, middle = first_day - pd.Timedelta(weeks=WEEKS), first_day - pd.Timedelta(weeks=WEEKS // 2)
    period = np.select([days["day"] >= first_day, days["day"] >= middle], ["after", "later"], "earlier")
    inside = days["day"].between(start, last_day)
    sums = (
        days[inside]
        .assign(period=period[inside])
        .pivot_table(
            index=["store_id", "takes_part"], columns="period", values="net_sales", aggfunc="sum", fill_value=0.0
        )
        .reindex(columns=["earlier", "later", "after"], fill_value=0.0)
    )
    sums = sums[(sums["earlier"] > 0) & (sums["later"] > 0)]
    part = sums.index.get_level_values("takes_part").to_numpy(dtype=bool)
    if not part.any() or int((~part).sum()) < LEAST_OTHERS:
        return None
    before = (sums["earlier"] + sums["later"]) / (7 * WEEKS)
    change = (np.log(np.maximum(sums["after"] / length, 1e-9)) - np.log(before)).to_numpy()
    earlier = (np.log(sums["later"]) - np.log(sums["earlier"])).to_numpy()
    found, lo, hi, p = _compared(change, part)
    before_difference, _, _, before_p = _compared(earlier, part)
    return Change(
        int(part.sum()),
        int((~part).sum()),
        float(np.expm1(found)),
        float(np.expm1(lo)),
        float(np.expm1(hi)),
        p,
        float(np.expm1(before_difference)),
        before_p,
        float(sums["after"].to_numpy()[part].sum()),
    )


def _compared(values: Floats, part: npt.NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """The difference of two means of stores with its interval and p-value, by Student's t with one common variance:
    often only one or two stores take part, which have none of their own."""
    one, other = values[part], values[~part]
    freedom = len(values) - 2
    spread = ((one - one.mean()) ** 2).sum() + ((other - other.mean()) ** 2).sum()
    error = float(np.sqrt(spread / freedom * (1 / len(one) + 1 / len(other))))
    found = float(one.mean() - other.mean())
    if error == 0:
        return found, found, found, 1.0 if found == 0 else 0.0
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return found, found - reach, found + reach, 2 * float(stats.t.sf(abs(found) / error, freedom))
