"""Where a funnel loses people: rates with their denominators, groups against the others, rates against the usual."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from models.calc.funnel import previous_steps, wilson
from models.calc.lift import holm

# What a marketing person asks for: the step, and the step it is a share of (the first of these that is used).
RATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "delivery_rate": ("delivered", ("sent", "targeted")),
    "open_rate": ("opened", ("delivered", "sent", "targeted")),
    "click_rate": ("clicked", ("delivered", "sent", "targeted")),
    "claim_rate": ("claimed", ("delivered", "sent", "targeted")),
    "redemption_rate": ("redeemed", ("claimed", "delivered", "sent", "targeted")),
    "conversion_rate": ("bought", ("targeted",)),
}
SMALL = 5  # customers below which groups are put together
LEVEL = 0.05  # of a test, after Holm over all that are made
LEAST_EARLIER = 3  # campaigns that make a baseline
OTHERS = "others"  # the groups that are too small to stand alone
_GAPS = (
    *("part", "step", "previous", "base", "rate_step", "rest_rate", "difference", "lo95", "hi95", "lost", "verdict"),
)
_BASELINE = (
    *("campaign_id", "channel", "starts_on", "key", "numerator", "denominator", "value", "earlier", "baseline"),
    *("lo95", "hi95"),
)


def rates(customers: Mapping[str, int]) -> pd.DataFrame:
    """The rates of ``RATES`` whose steps somebody took; ``customers`` by step, in any order. That nobody redeemed is a
    rate only where coupons were claimed: elsewhere nothing says that there was one.

    Columns: key, of (the step that is the denominator), numerator, denominator, value, lo95, hi95 (Wilson).
    """
    frame = pd.DataFrame(counted(customers), columns=["key", "of", "numerator", "denominator"])
    lo, hi = wilson(frame["numerator"], frame["denominator"])
    value = frame["numerator"] / frame["denominator"].where(frame["denominator"] > 0)
    return frame.assign(value=value.astype("float64"), lo95=lo.astype("float64"), hi95=hi.astype("float64"))


def counted(customers: Mapping[str, int]) -> list[tuple[str, str, int, int]]:
    """Of each rate of ``rates`` its key, the step that is its denominator, numerator and denominator."""
    found = []
    for key, (step, bases) in RATES.items():
        of = next((base for base in bases if customers.get(base)), None)
        if step == "redeemed" and of != "claimed" and not customers.get(step):
            continue
        if customers.get(step) is not None and of is not None:
            found.append((key, of, customers[step], customers[of]))
    return found


def by_step(paths: pd.DataFrame, bits: Mapping[str, int]) -> pd.DataFrame:
    """One row per part and step of ``bits`` (step -> bit, in their order): who took it, and where they came from.

    paths: part, taken (a set of steps), customers. Columns: part, step, previous (None for the first), customers (who
    took the step), stopped (it and none after it), base (who took the previous step), passed (who took both).
    """
    before = previous_steps(list(bits))
    number, parts = pd.factorize(paths["part"], sort=True)
    taken, many = (paths[name].to_numpy(dtype=np.int64) for name in ("taken", "customers"))
    counts: dict[str, list[NDArray[np.int64]]] = {name: [] for name in ("customers", "stopped", "base", "passed")}
    for position, (step, bit) in enumerate(bits.items()):
        later = sum(list(bits.values())[position + 1 :])
        previous = before.get(step)
        has, came = (taken & bit) > 0, (taken & bits[previous]) > 0 if previous else np.ones(len(paths), dtype=bool)
        counted_here = {"customers": has, "stopped": has & ((taken & later) == 0), "base": came, "passed": has & came}
        for name, rows in counted_here.items():
            sums = np.bincount(number[rows], many[rows], minlength=len(parts))
            counts[name].append(sums.astype(np.int64))
    return pd.DataFrame(
        {
            "part": parts.repeat(len(bits)),
            "step": list(bits) * len(parts),
            "previous": pd.Series([before.get(step) for step in bits] * len(parts), dtype=object),
            **{name: np.column_stack(sums).ravel() for name, sums in counts.items()},
        }
    )


def with_small_together(paths: pd.DataFrame, first: int) -> pd.DataFrame:
    """``paths`` with the parts of fewer than ``SMALL`` customers who took the step ``first`` (a bit) as one part; left
    out where they are too few together."""
    begun = paths.assign(customers=paths["customers"].where((paths["taken"] & first) > 0, 0))
    sizes = begun.groupby("part")["customers"].sum()
    small = sizes.index[sizes < SMALL]
    if sizes[small].sum() < SMALL:
        paths = paths[~paths["part"].isin(small)]
    part = paths["part"].where(~paths["part"].isin(small), OTHERS)
    return paths.assign(part=part).groupby(["part", "taken"])["customers"].sum().reset_index()


def gaps(parts: pd.DataFrame) -> pd.DataFrame:
    """Where most are lost: each part and step against all other parts, what matters most first.

    parts: as ``by_step``. Columns: part, step, previous, base, rate_step, rest_rate (of all others together),
    difference with lo95 and hi95 (by Newcombe), lost (customers more who would have come so far at the rate of the
    others; below 0: fewer), verdict (below, above or unclear: a two-sided test of two shares at 5 % after Holm over
    all rows; of groups with fewer than 20 customers it says nothing).
    """
    rows = parts[parts["previous"].notna()].copy()
    totals = rows.groupby("step")[["base", "passed"]].transform("sum")
    n, x = rows["base"].astype(float), rows["passed"].astype(float)
    others, took = totals["base"] - n, totals["passed"] - x
    rows = rows[(n > 0) & (others > 0)]
    n, x, others, took = (series[rows.index] for series in (n, x, others, took))
    rate, rest = x / n, took / others
    (lo, hi), (rest_lo, rest_hi) = wilson(x, n), wilson(took, others)
    together = (x + took) / (n + others)
    error = (together * (1 - together) * (1 / n + 1 / others)) ** 0.5
    z = ((rate - rest) / error.where(error > 0)).fillna(0.0).where((n >= 20) & (others >= 20), 0.0)
    p = holm((2 * stats.norm.sf(np.abs(z))).tolist())
    clear = p < LEVEL
    found = rows.assign(
        rate_step=rate,
        rest_rate=rest,
        difference=rate - rest,
        lo95=rate - rest - np.hypot(rate - lo, rest_hi - rest),
        hi95=rate - rest + np.hypot(hi - rate, rest - rest_lo),
        lost=(rest - rate) * n,
        verdict=np.where(clear, np.where(rate < rest, "below", "above"), "unclear"),
    )
    return found.sort_values("lost", ascending=False, kind="stable", ignore_index=True)[list(_GAPS)]


def against_baseline(campaigns: pd.DataFrame) -> pd.DataFrame:
    """Each rate of each campaign against the earlier campaigns of its channel.

    campaigns: campaign_id, channel, starts_on, key (the rate), numerator, denominator; one row per campaign and rate.
    Adds value, earlier (how many campaigns), baseline (their mean), lo95 and hi95 (where the rate of one more campaign
    would lie), verdict: below, above or usual; none with fewer than ``LEAST_EARLIER``. What varies is the share itself
    and the campaigns from one to the next, so a campaign is named only where both do not explain it: Student's t over
    the earlier campaigns, and Holm over the rates of one campaign.
    """
    rows = campaigns[campaigns["denominator"] > 0].sort_values(["channel", "key", "starts_on"], kind="stable")
    frame = _expected(rows.assign(value=rows["numerator"] / rows["denominator"]).reset_index(drop=True))
    clear = _holm_within(frame["campaign_id"], frame["p"]) < LEVEL
    side = np.where(frame["value"] < frame["baseline"], "below", "above")
    verdict = pd.Series(np.where(clear, side, "usual"), index=frame.index, dtype=object)
    return frame[list(_BASELINE)].assign(verdict=verdict.where(frame["p"].notna(), None))


def _expected(rows: pd.DataFrame) -> pd.DataFrame:
    """``rows`` by channel, rate and day with where the rate of each lies after the earlier ones: earlier, baseline,
    lo95, hi95 and the p-value of the rate itself."""
    rate, people = rows["value"], rows["denominator"]
    of = [rows["channel"], rows["key"]]
    # About the mean of all of them, as squares of small numbers lose nothing when they are taken from each other.
    apart = rate - rate.groupby(of).transform("mean")
    each = pd.DataFrame({"rate": rate, "chance": rate * (1 - rate) / people, "apart": apart, "square": apart**2})
    by_usual = each.groupby(of)
    earlier = by_usual.cumcount()
    k = earlier.where(earlier >= LEAST_EARLIER)
    before = by_usual.cumsum() - each
    mean, chance = before["rate"] / k, before["chance"] / k
    spread = (before["square"] - before["apart"] ** 2 / k) / (k - 1)
    between = np.maximum(spread, chance)
    error = np.sqrt(mean * (1 - mean) / people + np.maximum(between - chance, 0.0) + between / k)
    reach = stats.t.ppf(0.975, k - 1) * error
    p = 2 * stats.t.sf(np.abs(rate - mean) / error.where(error > 0), k - 1)
    return rows.assign(
        earlier=earlier,
        baseline=mean,
        lo95=np.maximum(mean - reach, 0.0),
        hi95=np.minimum(mean + reach, 1.0),
        p=np.where(error > 0, p, np.nan),
    )


def _holm_within(groups: pd.Series, p_values: pd.Series) -> NDArray[np.float64]:
    """``models.calc.lift.holm`` within each of the ``groups``, of which there are many."""
    known = pd.DataFrame({"group": groups, "p": p_values}).dropna().sort_values(["group", "p"], kind="stable")
    of = known.groupby("group")["p"]
    factors = of.transform("size") - of.cumcount()
    adjusted = (known["p"] * factors).groupby(known["group"]).cummax().clip(upper=1.0)
    return adjusted.reindex(p_values.index).to_numpy(dtype=np.float64)
