"""How much an experiment on shares can find: the smallest lift it detects, and how many have to be held back.

Two shares are compared on Cohen's scale, on which a difference has about the same error wherever it lies:
h = 2 asin(sqrt(p)) - 2 asin(sqrt(q)), with error sqrt(1 / n + 1 / m). Source: J. Cohen, Statistical Power Analysis for
the Behavioral Sciences (1988), ch. 6. Two-sided at 5 %, found in four of five cases.
"""

import math

from models.calc.funnel import Z95
from models.calc.lift import Z80

_FOUND = Z95 + Z80


def smallest_lift(share: float, treated: int, held_back: int) -> float:
    """The smallest rise above ``share``, the buyers among those held back, that is found in four of five cases.

    NaN without people in one arm, or where no rise up to everybody would be found.
    """
    if not 0 <= share < 1 or treated <= 0 or held_back <= 0:
        return math.nan
    angle = math.asin(math.sqrt(share)) + _FOUND * math.sqrt(1 / treated + 1 / held_back) / 2
    return math.sin(angle) ** 2 - share if angle < math.pi / 2 else math.nan


def holdout_needed(share: float, lift: float, people: int) -> int | None:
    """How many of ``people`` have to be held back so that a rise of ``lift`` above ``share`` is found in four of five
    cases; None where even half of them would not do, or nothing is to be found."""
    if not 0 <= share < 1 or not 0 < lift <= 1 - share or people < 2:
        return None
    h = 2 * (math.asin(math.sqrt(share + lift)) - math.asin(math.sqrt(share)))
    # 1 / (n - m) + 1 / m = (h / found)^2, solved for the smaller m
    most = people / (h / _FOUND) ** 2
    rest = people**2 / 4 - most
    if rest < 0:
        return None
    return max(1, math.ceil(people / 2 - math.sqrt(rest) - 1e-9))
