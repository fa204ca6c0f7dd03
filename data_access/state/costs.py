"""What the platform costs by month and kind, as administrators enter it: it stands against what campaigns brought.

Rows are added, never changed: the newest of a month and kind counts, the others are its history. Costs are the chain's:
other scopes see none.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, get_args

from sqlalchemy import Engine, func, insert, select

from data_access.scope import Scope
from data_access.state import audit
from data_access.state.rules import Rule
from data_access.state.schema import platform_cost
from data_access.state.store import writing

Kind = Literal["software", "hardware", "training", "maintenance", "storage"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
MOST: Final = 1_000_000_000
_BACK: Final = 60  # months
_AHEAD: Final = 12


@dataclass(frozen=True, slots=True)
class Cost:
    """What one kind of cost was in a month (its first day), in whole units of the chain's currency."""

    month: date
    kind: Kind
    amount: int


def put(
    engine: Engine, scope: Scope, actor: str, month: date, kind: Kind, amount: int | None, now: datetime
) -> None:  # fmt: skip
    """Notes what a kind cost in a month; None: nothing is known of it any more. Whether a person may is for the caller.

    Rule when the scope is not the chain, or the month, kind or amount make no sense.
    """
    if scope.kind != "chain":
        raise Rule("cost_place", "the platform's cost is the chain's")
    ahead = (month.year - now.year) * 12 + month.month - now.month
    if month.day != 1 or not -_BACK <= ahead <= _AHEAD:
        raise Rule("cost_month", "choose a month of the last five years or the coming one")
    if kind not in KINDS or (amount is not None and not 0 <= amount <= MOST):
        raise Rule("cost_amount", f"a cost is a whole amount between 0 and {MOST:,}")
    with writing(engine) as connection:
        number = (connection.scalar(select(func.max(platform_cost.c.number))) or 0) + 1
        row = {"number": number, "at": now, "actor": audit.plain(actor), "month": month, "kind": kind, "amount": amount}
        connection.execute(insert(platform_cost), [row])
        said = {"month": f"{month:%Y-%m}", "amount": "" if amount is None else amount}
        audit.append(connection, actor, "platform_cost_set", kind, said, at=now)


def current(engine: Engine, scope: Scope) -> tuple[Cost, ...]:
    """What counts of each month and kind, by month; none for a scope that is not the chain."""
    if scope.kind != "chain":
        return ()
    c = platform_cost.c
    newest = select(func.max(c.number)).group_by(c.month, c.kind)
    query = select(c.month, c.kind, c.amount).where(c.number.in_(newest), c.amount.is_not(None))
    with engine.connect() as connection:
        return tuple(
            Cost(row.month, row.kind, row.amount) for row in connection.execute(query.order_by(c.month, c.kind))
        )
