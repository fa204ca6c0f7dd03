"""What coupons brought after their discount, and how many were used by people who were due to come anyway."""

import numpy as np
import pandas as pd


def in_own_rhythm(redeemed: pd.DataFrame, visits: pd.DataFrame) -> pd.Series:
    """Whether each redemption came no earlier than the customer's own rhythm would have brought a visit.

    redeemed: customer_no and day; visits: customer_no, day, every day with an order up to then. Half to one and a half
    times the median of the own gaps before counts as the own rhythm; NA for customers with fewer than two gaps before,
    of whom nobody knows a rhythm.
    """
    days = {
        number: rows.to_numpy(dtype="datetime64[D]")
        for number, rows in pd.to_datetime(visits["day"]).groupby(visits["customer_no"])
    }
    found: list[bool | None] = []
    for number, day in zip(redeemed["customer_no"], pd.to_datetime(redeemed["day"]), strict=True):
        before = days.get(number, np.empty(0, dtype="datetime64[D]"))
        before = before[before < day.to_datetime64().astype("datetime64[D]")]
        gaps = np.diff(before).astype(int)
        if len(gaps) < 2:
            found.append(None)
            continue
        since = int((day.to_datetime64().astype("datetime64[D]") - before[-1]).astype(int))
        found.append(bool(0.5 <= since / float(np.median(gaps)) <= 1.5))
    return pd.Series(found, index=redeemed.index, dtype="boolean")
