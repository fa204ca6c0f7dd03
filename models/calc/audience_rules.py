"""What holds for every list of customers that leaves: whom it may name, how large it must be, what is told of it.

And for audiences: why customers who fit one are withheld, how many are held back beside it, and which, by a draw.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.consents import VERDICTS, Verdict
from data_access.errors import Problem
from data_access.queries.audience import NEVER, WITHDRAWN

Ints = NDArray[np.int64]

LEAST = 50  # people in an audience: fewer would be a list of persons
SMALL = 5  # counts below are not told


@dataclass(frozen=True, slots=True)
class Audience:
    """A list after the rules: who stays in it, in the order given, and how many were withheld for which reason."""

    kept: tuple[str, ...]
    withheld: Mapping[Verdict, int]

    @property
    def asked(self) -> int:
        return len(self.kept) + sum(self.withheld.values())


def applied(customers: Sequence[str], verdicts: Mapping[str, Verdict]) -> Audience:
    """The audience of ``customers``, each once, under the verdict of each; without one nobody is kept.

    Everybody withheld counts under one reason, so that the counts add up to what was asked.
    """
    each = dict.fromkeys(customers)
    kept = tuple(customer for customer in each if verdicts.get(customer) == "allowed")
    reasons = Counter(verdicts.get(customer, "not_registered") for customer in each)
    return Audience(kept, {verdict: reasons[verdict] for verdict in VERDICTS[1:] if reasons[verdict]})


def expect_large(audience: Audience) -> None:
    """Problem when too few are left to be an audience; it tells no count below 5."""
    if len(audience.kept) < LEAST:
        raise Problem(
            f"the audience has {told(len(audience.kept))} people who may be contacted, and needs {LEAST}: widen it"
        )


def told(count: int) -> str:
    """A count of people as it may be shown: "<5" for 1 to 4."""
    return f"<{SMALL}" if 0 < count < SMALL else f"{count:,}"


def told_withheld(audience: Audience) -> dict[Verdict, str]:
    """The reasons with their counts as they may be shown."""
    return {verdict: told(count) for verdict, count in audience.withheld.items()}


# Why a customer who fits an audience is not in it, as of the last refresh, in the order in which it is looked for:
# held_back: in the control group of something that still runs; too_often: reached by enough campaigns lately.
REASONS = (
    "not_registered", "never_given", "withdrawn", "age_unknown", "under_age", "held_back", "too_often",
)  # fmt: skip


def sorted_out(candidates: pd.DataFrame, channel: int, most_contacts: int, held: Collection[int]) -> Ints:
    """For each row of ``candidates`` (``data_access.queries.audience``) the place among ``REASONS`` of the first one
    that speaks against contacting the customer in the channel with the number ``channel``; -1: none does.

    most_contacts: campaigns in 30 days after which there are no more; held: further customers who are held back.
    """
    agreed = candidates[f"agreed_{channel}"]
    speaks = [
        ~candidates["is_registered"],
        agreed == NEVER,
        agreed == WITHDRAWN,
        ~candidates["age_known"],
        ~candidates["is_adult"],
        candidates["is_held_back"] | candidates["customer_no"].isin(held),
        candidates["contacts"] >= most_contacts,
    ]
    return np.select([against.to_numpy(dtype=bool) for against in speaks], range(len(REASONS)), -1).astype(np.int64)


def sizes(wanted: int, held_share: float, reachable: int) -> tuple[int, int]:
    """How many are contacted and how many held back, of ``reachable``: as many as wanted with ``held_share`` of all
    held back beside them, or, where they are too few, all of them parted in that share."""
    if not 0 <= held_share < 1:
        raise ValueError(f"a share of people lies between 0 and 1, not at {held_share}")
    everybody = min(reachable, round(max(wanted, 0) / (1 - held_share)))
    held = round(everybody * held_share)
    return everybody - held, held


def drawn(customers: Ints, people: int, seed: int) -> Ints:
    """``people`` of ``customers`` at random, by rising number; the same for the same seed and customers."""
    ordered = np.sort(customers)
    return np.sort(np.random.default_rng([seed, 0]).permutation(ordered)[:people])


def held_back(sample: Ints, many: int, seed: int) -> NDArray[np.bool_]:
    """Which ``many`` of ``sample`` (by rising number) are held back: drawn at random, the same for the same seed."""
    chosen = np.random.default_rng([seed, 1]).permutation(len(sample))[:many]
    mask = np.zeros(len(sample), dtype=bool)
    mask[chosen] = True
    return mask
