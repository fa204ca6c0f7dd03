"""What coupons brought after their discount, and how many were used by people who were due to come anyway."""

import pandas as pd

LEAST_GAPS = 2  # between visits, that make a rhythm


def in_own_rhythm(redeemed: pd.DataFrame) -> pd.Series:
    """Whether each redemption came no earlier than the customer's own rhythm would have brought a visit.

    redeemed: of the visits before it gaps (how many), usual_days (their median), since (days from the last). Half to
    one and a half times the median counts as the own rhythm; NA for customers with fewer than two gaps before, of whom
    nobody knows a rhythm.
    """
    due = (redeemed["since"] / redeemed["usual_days"]).between(0.5, 1.5)
    return due.astype("boolean").mask(~(redeemed["gaps"] >= LEAST_GAPS))
