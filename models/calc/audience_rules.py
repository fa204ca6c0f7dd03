"""What holds for every list of customers that leaves: whom it may name, how large it must be, what is told of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data_access.consents import VERDICTS, Verdict
from data_access.errors import Problem

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
