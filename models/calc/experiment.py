"""An experiment: the customers of treated arms against those held back, from what each arm did to a verdict.

By intention to treat: everybody assigned to an arm counts in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.calc import lift
from models.calc.lift import Moments, Outcome

# worked | hurt: it changed the money per customer; no_evidence: it would have shown, had it been worth it;
# cannot_tell: too few people for that; no_control: nobody was held back; arms_differ: the arms are not as planned
VERDICTS = ("worked", "hurt", "no_evidence", "cannot_tell", "no_control", "arms_differ")
SAMPLE_RATIO = 0.001  # a p-value below it says that the arms are not what was planned
LEVEL = 0.05  # two-sided, after Holm over the treated arms
WORTH = 0.10  # of the control group's money per customer: what a campaign ought to change, or its cost if that is more
SHARES = ("visit", "conversion")
METRICS = (*SHARES, "orders", "spend", "margin")
POOLED = "all"  # the treated arms together

LIFT = "arm metric treated control difference lo95 hi95 relative relative_lo relative_hi method p_value p_holm"
VERDICT = (
    "arm verdict people_needed smallest_detectable worth incremental incremental_lo incremental_hi cost roi roi_lo "
    "roi_hi"
)


@dataclass(frozen=True, slots=True)
class Arm:
    """What the customers of one arm did, or of several together; ``bought``: orders, spend, margin of the buyers."""

    name: str
    names: tuple[str, ...]
    people: int
    visitors: int
    bought: pd.DataFrame

    def outcome(self, metric: str) -> Outcome:
        values = self.bought[metric].to_numpy(dtype="float64")
        return Outcome(self.people, values[values != 0])


@dataclass(frozen=True, slots=True)
class Experiment:
    """The arms of one campaign.

    treated: each treated arm, then all together where there are several; control: everybody held back.
    money: what the verdict looks at, margin where the cost of every buyer's goods is known, else spend.
    ratio_p: of the arms being of the planned sizes.
    """

    treated: tuple[Arm, ...]
    control: Arm | None
    money: str
    ratio_p: float

    def lift(self, metrics: Sequence[str] = METRICS) -> pd.DataFrame:
        """One row per treated arm and metric; columns ``LIFT``. Visits only where those of the control are known."""
        if self.control is None or not self.treated:
            return pd.DataFrame(columns=LIFT.split())
        asked = [
            metric
            for metric in metrics
            if (metric != "visit" or self.control.visitors) and (metric != "margin" or self.money == "margin")
        ]
        frame = pd.DataFrame([_compared(arm, self.control, metric) for arm in self.treated for metric in asked])
        p_values = frame["p_value"].to_numpy(dtype="float64").reshape(len(self.treated), len(asked))
        p_holm = p_values.copy()
        looks = 1 if len(self.treated) == 1 else len(self.treated) - 1  # the treated together are no further look
        for column in range(len(asked)):
            p_holm[:looks, column] = lift.holm(p_values[:looks, column].tolist())
        return frame.assign(p_holm=p_holm.ravel())[LIFT.split()]

    def checks(self, past: pd.DataFrame) -> pd.DataFrame:
        """key, value: sample_ratio_p and, by treated arm, what CUPED makes of its spend.

        ``past``: what each arm spent before, as sums (arm, x, xx, xy).
        """
        found = {"sample_ratio_p": self.ratio_p}
        if self.control is not None and len(past):
            sums = dict(zip(past["arm"], past[["x", "xx", "xy"]].to_numpy(dtype="float64").tolist(), strict=True))
            control = _moments(self.control, sums)
            for arm in self.treated:
                adjusted = lift.cuped(_moments(arm, sums), control)
                found[f"cuped_difference.{arm.name}"] = adjusted.difference
                found[f"cuped_variance_reduction.{arm.name}"] = adjusted.variance_reduction
        return pd.DataFrame({"key": list(found), "value": list(found.values())})

    def verdicts(self, lifts: pd.DataFrame, cost: float) -> pd.DataFrame:
        """One row per treated arm; columns ``VERDICT``. ``lifts``: of ``money`` at least; ``cost``: NaN if unknown."""
        everybody = max((arm.people for arm in self.treated), default=0)
        rows = [self._verdict(arm, lifts, cost, everybody) for arm in self.treated]
        return pd.DataFrame(rows, columns=VERDICT.split())

    def _verdict(self, arm: Arm, lifts: pd.DataFrame, cost: float, everybody: int) -> dict[str, Any]:
        if self.control is None:
            return {"arm": arm.name, "verdict": "no_control"}
        found = lifts[(lifts["arm"] == arm.name) & (lifts["metric"] == self.money)].iloc[0]
        usual = self.control.outcome(self.money)
        deviation = float(np.sqrt(usual.variance))
        worth = worth_having(cost / everybody, usual.mean)
        detectable = lift.smallest_detectable(deviation, arm.people, self.control.people)
        share = arm.people / (arm.people + self.control.people)
        ends = {"": "difference", "_lo": "lo95", "_hi": "hi95"}
        incremental = {end: float(found[column]) * arm.people for end, column in ends.items()}
        row = {
            "arm": arm.name,
            "verdict": verdict(found["p_holm"], found["difference"], detectable, worth, self.ratio_p),
            "people_needed": lift.people_needed(deviation, worth, share),
            "smallest_detectable": detectable,
            "worth": worth,
            **{f"incremental{end}": money for end, money in incremental.items()},
        }
        if arm.people == everybody and cost > 0:
            row |= {"cost": cost, **{f"roi{end}": (money - cost) / cost for end, money in incremental.items()}}
        return row


def experiment(people: pd.DataFrame, buyers: pd.DataFrame) -> Experiment:
    """The arms of one campaign.

    people: one row per arm with arm, is_control, planned_share, people, visitors. buyers: one row per customer who
    bought with arm, orders, spend, margin (NaN where the cost is unknown).
    """
    arms = people["arm"].to_numpy()
    is_control = people["is_control"].to_numpy(dtype=bool)
    sizes = people[["people", "visitors"]].to_numpy(dtype="int64")
    arm_of_buyer = np.asarray(buyers["arm"])

    def arm(chosen: npt.NDArray[np.bool_]) -> Arm:
        names = tuple(arms[chosen].tolist())
        many, visitors = sizes[chosen].sum(axis=0).tolist()
        return Arm(names[0] if len(names) == 1 else POOLED, names, many, visitors, buyers[np.isin(arm_of_buyer, names)])

    treated = [arm((arms == name) & ~is_control) for name in arms[~is_control]]
    if len(treated) > 1:
        treated.append(arm(~is_control))
    return Experiment(
        tuple(treated),
        arm(is_control) if is_control.any() else None,
        "margin" if len(buyers) and buyers["margin"].notna().all() else "spend",
        lift.sample_ratio_p(people["people"].tolist(), people["planned_share"].tolist()),
    )


def verdict(p_value: float, difference: float, detectable: float, worth: float, ratio_p: float) -> str:
    """One of ``VERDICTS``, from the test of the money, and from what could have been seen of what would be worth it."""
    if ratio_p < SAMPLE_RATIO:
        return "arms_differ"
    if p_value < LEVEL:
        return "worked" if difference > 0 else "hurt"
    return "no_evidence" if detectable <= worth else "cannot_tell"


def worth_having(cost_each: float, usual: float) -> float:
    """What a campaign ought to bring per customer: its cost (NaN: unknown), or a tenth of what the control group spends
    (``usual``) if that is more."""
    return float(np.nanmax([cost_each, WORTH * usual]))


def _compared(arm: Arm, control: Arm, metric: str) -> dict[str, Any]:
    row = {"arm": arm.name, "metric": metric}
    return row | (_shares if metric in SHARES else _money)(arm, control, metric)


def _shares(arm: Arm, control: Arm, metric: str) -> dict[str, Any]:
    took = (arm.visitors, control.visitors) if metric == "visit" else (len(arm.bought), len(control.bought))
    table = (took[0], arm.people, took[1], control.people)
    found, ratio = lift.share_difference(*table), lift.share_ratio(*table)
    return {
        "treated": took[0] / arm.people,
        "control": took[1] / control.people,
        **_interval(found),
        "relative": ratio.value,
        "relative_lo": ratio.lo,
        "relative_hi": ratio.hi,
        "method": "newcombe",
        "p_value": _two_sided(lift.share_p(*table)),
    }


def _money(arm: Arm, control: Arm, metric: str) -> dict[str, Any]:
    one, other = arm.outcome(metric), control.outcome(metric)
    found = lift.mean_difference(one, other)
    return {
        "treated": one.mean,
        "control": other.mean,
        **_interval(found),
        "relative": found.value / other.mean if other.mean else np.nan,
        "relative_lo": np.nan,
        "relative_hi": np.nan,
        "method": "mean_interval" if np.isfinite(found.lo) else "no_interval",
        "p_value": _two_sided(lift.randomisation_p(one, other)),
    }


def _interval(found: lift.Estimate) -> dict[str, float]:
    return {"difference": found.value, "lo95": found.lo, "hi95": found.hi}


def _two_sided(sides: tuple[float, float]) -> float:
    return min(1.0, 2 * min(sides))


def _moments(arm: Arm, past: Mapping[str, Sequence[float]]) -> Moments:
    y = arm.bought["spend"].to_numpy(dtype="float64")
    x, xx, xy = np.sum([past[name] for name in arm.names if name in past] or [(0.0, 0.0, 0.0)], axis=0).tolist()
    return Moments(arm.people, x, float(y.sum()), xx, float((y * y).sum()), xy)
