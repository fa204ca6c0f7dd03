"""Membership tiers and the moves between them.

A customer joins in the lowest tier and moves up the moment the net sales of the last twelve months reach a
threshold. Every January the tier is reviewed over the same window: whoever no longer reaches the threshold
moves down. Between two reviews nobody moves down.
"""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import DAY, Array, Ground, at_local, days, only
from data_access.demo.world import translations

WINDOW = 365 * DAY
# id, name, English, threshold in net sales of the last twelve months, benefits
_TIERS = (
    ("basic", "普通会员", "Member", 0, "积分累积；生日月双倍积分"),
    ("silver", "银卡会员", "Silver", 1_200, "生日礼；每季度一次免费肌肤检测"),
    ("gold", "金卡会员", "Gold", 3_500, "专属导购；新品优先体验；全年九五折"),
    ("diamond", "钻石会员", "Diamond", 9_000, "私享沙龙；免费护理四次；优先预约；全年九折"),
)


def tier(g: Ground) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per tier, and the English names."""
    frame = pd.DataFrame(
        [(key, name, rank, threshold, text) for rank, (key, name, _, threshold, text) in enumerate(_TIERS, 1)],
        columns=["tier_id", "name", "rank", "threshold", "benefits"],
    )
    frame.insert(4, "basis", "net_sales")
    frame.insert(5, "window_months", 12)
    frame.insert(6, "review_month", 1)
    frame["updated_at"] = at_local(g.first_day - 60 * DAY, 10 * 3600)
    return frame, translations("tier.name", [(name, text) for _, name, text, _, _ in _TIERS])


def tier_change(g: Ground) -> pd.DataFrame:
    """One row per move of a customer, the first being the entry into the lowest tier."""
    spending = _spending(g)
    joins, moments = _entries(g, spending), _reviews(g)
    events = pd.concat([joins, spending, moments[moments["customer"].isin(joins["customer"])]], ignore_index=True)
    order = np.lexsort((events["rank"], events["at"], events["customer"]))
    customer = events["customer"].to_numpy()[order]
    at = events["at"].to_numpy().astype("datetime64[s]")[order]
    amount, review = events["amount"].to_numpy()[order], events["review"].to_numpy()[order]

    reached = np.searchsorted([row[3] for row in _TIERS[1:]], _rolling(customer, at, amount), side="right")
    # A new stretch starts with every customer and with every review; within it the tier only rises.
    stretch = np.cumsum(review | np.r_[True, customer[1:] != customer[:-1]])
    level = pd.Series(reached).groupby(stretch).cummax().to_numpy()
    first = np.r_[True, customer[1:] != customer[:-1]]
    before = np.r_[0, level[:-1]]
    moved = np.flatnonzero(first | (level != before))
    tiers = np.array([row[0] for row in _TIERS], dtype=object)
    reason = np.where(level > before, "upgrade", "downgrade").astype(object)
    reason[first] = "join"
    return pd.DataFrame(
        {
            "customer_id": g.label("customers", customer[moved]),
            "changed_at": at[moved],
            "tier_id": tiers[level[moved]],
            "from_tier_id": only(~first, tiers[before])[moved],
            "reason": reason[moved],
            "updated_at": at[moved],
        }
    )


def _spending(g: Ground) -> pd.DataFrame:
    """Receipts and refunds of known persons; ``rank`` orders what happens at the same instant."""
    person = np.append(g.customers["person"].to_numpy(), False)
    bought = g.orders[person[g.orders["customer"].to_numpy()]]
    back = g.refunds[person[g.refunds["customer"].to_numpy()] & (g.refunds["at"].to_numpy() <= g.end)]
    frame = pd.concat(
        [
            pd.DataFrame({"customer": bought["customer"], "at": bought["at"], "amount": bought["net"]}),
            pd.DataFrame({"customer": back["customer"], "at": back["at"], "amount": -back["refund"]}),
        ],
        ignore_index=True,
    )
    # Several bookings of the same second are one step, or a customer would move twice at one instant.
    frame = frame.groupby(["customer", "at"])["amount"].sum().reset_index()
    return frame.assign(review=False, rank=1)


def _entries(g: Ground, spending: pd.DataFrame) -> pd.DataFrame:
    """Entry into the lowest tier at ten in the morning of the joining day, or just before an earlier receipt."""
    joined = at_local(days(g.customers["joined"]), 10 * 3600)
    first = np.full(len(joined), np.datetime64("NaT", "s"))
    starts = spending.groupby("customer")["at"].min()
    first[starts.index.to_numpy()] = starts.to_numpy().astype("datetime64[s]") - np.timedelta64(60, "s")
    at = np.fmin(joined, first)
    members = np.flatnonzero(g.customers["person"].to_numpy() & (at <= g.end))
    return pd.DataFrame({"customer": members, "at": at[members], "amount": 0.0, "review": False, "rank": 0})


def _reviews(g: Ground) -> pd.DataFrame:
    """One row per customer and yearly review: in the night to 16 January."""
    years = np.arange(g.first_day.astype("datetime64[Y]") + 1, g.last_day.astype("datetime64[Y]") + 1)
    at = at_local(years.astype("datetime64[D]") + 15 * DAY, 3 * 3600)
    at = at[at <= g.end]
    customer = np.tile(np.arange(len(g.customers)), len(at))
    when = np.repeat(at, len(g.customers))
    old = days(g.customers["joined"])[customer] < when
    return pd.DataFrame({"customer": customer[old], "at": when[old], "amount": 0.0, "review": True, "rank": 2})


def _rolling(customer: Array, at: Array, amount: Array) -> Array:
    """Sum over the window that ends with each row, per customer; rows sorted by customer and time."""
    total = np.r_[0.0, np.cumsum(amount)]
    # One increasing key per row: customers far apart, seconds inside.
    key = customer.astype("int64") * 10**10 + at.astype("int64")
    oldest = np.searchsorted(key, key - WINDOW.astype("timedelta64[s]").astype(int), side="right")
    return np.round(total[1:] - total[oldest], 4)
