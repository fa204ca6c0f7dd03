"""When a figure is not to be relied on: what it rests on is missing or too little. A page greys it out and says why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Ground:
    """What the sales figures of some days rest on.

    receipts: those that count; identified: of known customers among them; gross_sales, costed_sales: all, and of
    receipts whose cost is known; traded_days, counted_days: days of shops with a receipt, and with a valid door
    count; money_missing: what the CRM holds and neither arrived nor was refused, in money.
    """

    receipts: int
    identified: int
    gross_sales: float
    costed_sales: float
    traded_days: int
    counted_days: int
    money_missing: float


@dataclass(frozen=True, slots=True)
class Gate:
    """A reason to grey out ``metrics``; its words are ``gate.<key>``."""

    key: str
    metrics: frozenset[str]
    shuts: Callable[[Ground], bool]


LEAST_IDENTIFIED: Final = 0.5  # of receipts: below it customers are mostly guesses
LEAST_COSTED: Final = 0.8  # of gross sales
LEAST_COUNTED: Final = 0.8  # of the days on which shops traded
LEAST_RECEIPTS: Final = 10  # below it an average or a share says nothing
LEAST_MONEY: Final = 0.01

_CUSTOMERS = frozenset(
    {
        "buyers", "new_customers", "returning_customers", "customers", "repeat_customers", "repeat_purchase_rate",
        "repeat_sales_rate", "orders_per_customer",
    }
)  # fmt: skip
_MARGINS = frozenset({"margin_rate", "historic_margin", "gmroi"})
_DOORS = frozenset({"traffic", "conversion"})
_AVERAGES = frozenset({"average_ticket", "average_price", "units_per_transaction", "return_rate", "identified_share"})
_MONEY = frozenset({"gross_sales", "net_sales", "returns", "average_ticket", "sales_per_hour", "sales_per_m2"})

GATES: Final = (
    Gate("money", _MONEY, lambda ground: abs(ground.money_missing) >= LEAST_MONEY),
    Gate("few_receipts", _AVERAGES, lambda ground: 0 < ground.receipts < LEAST_RECEIPTS),
    Gate("few_identified", _CUSTOMERS, lambda ground: ground.identified < LEAST_IDENTIFIED * ground.receipts),
    Gate("few_costed", _MARGINS, lambda ground: ground.costed_sales < LEAST_COSTED * ground.gross_sales),
    Gate("few_counted", _DOORS, lambda ground: 0 < ground.counted_days < LEAST_COUNTED * ground.traded_days),
)


def gate_of(metric: str, ground: Ground) -> Gate | None:
    """Why ``metric`` is not to be relied on; None when nothing stands against it."""
    return next((gate for gate in GATES if metric in gate.metrics and gate.shuts(ground)), None)
