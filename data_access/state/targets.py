"""What stores are to sell in a month, as regional heads set it; where nobody did, the CRM's target counts.

Rows are added, never changed: the newest of a store and month counts, the others are its history.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, insert, select

from data_access.queries import places
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit
from data_access.state.rules import Rule
from data_access.state.schema import store_target
from data_access.state.store import writing

MOST: Final = 1_000_000_000  # of one store and month
AHEAD: Final = timedelta(days=400)  # how far ahead, and back


@dataclass(frozen=True, slots=True)
class Target:
    """What a store is to sell in a month (its first day): gross sales in whole units of the chain's currency."""

    store_id: str
    month: date
    amount: int


def put(
    engine: Engine, snapshot: Snapshot, scope: Scope, actor: str, store_id: str, month: date, amount: int | None,
    now: datetime,
) -> None:  # fmt: skip
    """Sets what a store of the scope is to sell in a month; None: the CRM's target counts again.

    Whether a person may set targets at all is for the caller to ask. Rule when the store lies outside ``scope``, or the
    month or the amount make no sense.
    """
    known = places.stores(scope, snapshot.engine)
    if not scope.allows(store_id) or store_id not in set(known["store_id"]):
        raise Rule("target_store", "this store lies outside of what this account sees")
    if month.day != 1 or abs(month - now.date()) > AHEAD:
        raise Rule("target_month", "choose a month at most a year from now")
    if amount is not None and not 0 < amount <= MOST:
        raise Rule("target_amount", f"a target is a whole amount between 1 and {MOST:,}")
    with writing(engine) as connection:
        number = (connection.scalar(select(func.max(store_target.c.number))) or 0) + 1
        row = {"number": number, "at": now, "actor": audit.plain(actor), "store_id": store_id}
        connection.execute(insert(store_target), [{**row, "month": month, "amount": amount}])
        said = {"month": f"{month:%Y-%m}", "amount": "" if amount is None else amount}
        audit.append(connection, actor, "target_set", store_id, said, at=now)


def current(engine: Engine, scope: Scope) -> tuple[Target, ...]:
    """What counts of each store in scope and month for which somebody set a target, by month and store."""
    c = store_target.c
    newest = scope.limit(select(func.max(c.number)), c.store_id).group_by(c.store_id, c.month)
    query = select(c.store_id, c.month, c.amount).where(c.number.in_(newest), c.amount.is_not(None))
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(c.month, c.store_id)).all()
    return tuple(Target(row.store_id, row.month, row.amount) for row in rows)
