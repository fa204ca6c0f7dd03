"""How new people come up to the sales an hour of their settled colleagues, month by month since they were hired."""

from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import t as student

MONTHS: Final = 12
LEAST_NEW: Final = 5  # people, for a month of the curve
_SETTLED: Final = 12  # months after which somebody is a colleague to compare with


def ramp(months: pd.DataFrame) -> pd.DataFrame:
    """The curve: one row per month since being hired (0 to ``MONTHS``) with at least ``LEAST_NEW`` people.

    ``months``: one row per person, store and month with work: staff_id, store_id, month, age (months since being
    hired), log_rate (logarithm of sales an hour). Columns: month, people, ratio (1 = as the settled colleagues of the
    same store in the same month), lo95, hi95 (a mean of people, by Student's t).
    """
    old = months[months["age"] > _SETTLED].groupby(["store_id", "month"])["log_rate"].mean().rename("usual")
    new = months[months["age"].between(0, MONTHS)].merge(old, "inner", ["store_id", "month"])
    gap = (new["log_rate"] - new["usual"]).groupby([new["age"], new["staff_id"]]).mean()
    found = gap.groupby(level=0).agg(["count", "mean", "std"])
    found = found[found["count"] >= LEAST_NEW]
    reach = student.ppf(0.975, found["count"] - 1) * found["std"] / np.sqrt(found["count"])
    levels = {"ratio": found["mean"], "lo95": found["mean"] - reach, "hi95": found["mean"] + reach}
    return pd.DataFrame(
        {"month": found.index.to_numpy(dtype="int64"), "people": found["count"].to_numpy(dtype="int64")}
        | {name: np.exp(values.to_numpy(dtype="float64")) for name, values in levels.items()}
    )
