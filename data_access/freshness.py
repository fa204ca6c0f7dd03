"""How old the reading of the CRM is, and whether that is older than agreed.

Two instants are easily confused: up to when the data reaches (``as_of``, the newest receipt) and when the CRM was
read (``read_at``). Only the second one says whether the refresh works; one that finds nothing new moves it on, too
(``snapshot.last_read_at``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from data_access.snapshot import Snapshot

# What a refresh may take, and what clocks of two machines may differ by, before anybody needs to know.
SLACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The age of one reading of the CRM; instants are UTC.

    age: never negative.
    late: the next reading is overdue. stale: by so much that people should know.
    ahead: the reading lies in the future, so one of two clocks is wrong and the age says nothing.
    """

    read_at: datetime
    age: timedelta
    next_at: datetime
    late: bool
    stale: bool
    ahead: bool


def freshness(read_at: datetime, every: timedelta, now: datetime) -> Freshness:
    """The state at ``now`` of a reading made at ``read_at``, where one is expected ``every`` so often; all UTC."""
    age = now - read_at
    return Freshness(
        read_at=read_at,
        age=max(age, timedelta(0)),
        next_at=read_at + every,
        late=age > every,
        stale=age > 2 * every + SLACK,
        ahead=-age > SLACK,
    )


def lines(snapshot: Snapshot, read_at: datetime, every: timedelta, now: datetime) -> Iterator[str]:
    """The freshness of a snapshot for the terminal: one line, and one more when something is wrong with it."""
    info = snapshot.info
    found = freshness(read_at, every, now)
    age = str(timedelta(seconds=int(found.age.total_seconds())))
    yield (
        f"snapshot {snapshot.generation}: CRM read {found.read_at:%Y-%m-%d %H:%M} UTC ({age} ago), next expected "
        f"{found.next_at:%Y-%m-%d %H:%M} UTC; data as of {info.as_of:%Y-%m-%d %H:%M}, the stores' own time"
    )
    if found.stale:
        yield "stale: run `python -m data_access refresh`, or check the service that does"
    if found.ahead:
        yield "the reading lies in the future: compare the clocks of this machine and of the one that refreshes"


def utc_now() -> datetime:
    """This instant, UTC, without a zone: as the facts write instants."""
    return datetime.now(UTC).replace(tzinfo=None)
