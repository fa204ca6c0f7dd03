"""Digests: who gets the figures of which page, when and by which channel; and what became of each.

A digest is its recipient's: it is written when it is sent, with the rights and the rows that person has at that moment.
One is due at an hour of this server's clock, each day or on one weekday. What fails is tried again later and later,
five times, then waits for its next time. Whoever runs the command twice at once sends nothing twice: a digest is
claimed before it is sent.

One with a limit is looked at when it is due, and leaves only when its figure has passed the limit since the last look.
One that tells at once is looked at each hour by day, and leaves when there is something that it has not told.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete, insert, select, update

from data_access.state import audit
from data_access.state.rules import Rule
from data_access.state.schema import digest
from data_access.state.store import writing

EVERY_DAY: Final = 0  # else 1 = Monday
AT_ONCE: Final = -1  # looked at each hour by day
BY_DAY: Final = (7, 21)  # the first and the last of these hours: nobody is woken
MOST = 10  # digests of one person
TRIES: Final = 6
FIRST_WAIT: Final = timedelta(minutes=5)  # doubles with each try
CLAIMED_FOR: Final = timedelta(minutes=15)  # after that whoever claimed it is taken for dead


@dataclass(frozen=True, slots=True)
class Limit:
    """Of which figure (a metric of the page's report) somebody is told, and when: above or below ``threshold``.

    threshold: in the unit of the metric, a share of one for percent.
    """

    metric: str
    falls: bool
    threshold: float

    def passed(self, value: float) -> bool:
        """Whether the figure lies beyond the limit; one that equals it has not passed it."""
        return value < self.threshold if self.falls else value > self.threshold


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest. weekday: 1 = Monday, 0 each day, -1 at once; hour: of this server's clock. created_at, sent_at,
    next_try_at: UTC.

    slot: the time of this server's clock it was last due, tried or sent; tries: for that time, 0 once it is sent.
    failure: why the last try came to nothing (a key of ``digest.failure``). metric, threshold, falls: its ``limit``;
    passed: whether the figure lay beyond it at the last look. told: what one that tells at once has told, a line each.
    """

    digest_id: str
    account_id: str
    page: str
    channel: str
    language: str
    weekday: int
    hour: int
    created_at: datetime
    slot: datetime | None
    tries: int
    next_try_at: datetime | None
    sent_at: datetime | None
    failure: str | None
    metric: str | None = None
    threshold: float | None = None
    falls: bool | None = None
    passed: bool | None = None
    told: str | None = None

    @property
    def known(self) -> frozenset[str]:
        """The keys of what it has told."""
        return frozenset((self.told or "").splitlines())

    @property
    def limit(self) -> Limit | None:
        """None: it leaves each time it is due."""
        if self.metric is None or self.threshold is None:
            return None
        return Limit(self.metric, bool(self.falls), self.threshold)

    @property
    def _same(self) -> tuple[object, ...]:
        """What nobody needs twice."""
        return self.page, self.channel, self.weekday, self.hour, self.limit


def subscribe(
    engine: Engine,
    account_id: str,
    page: str,
    channel: str,
    language: str,
    weekday: int,
    hour: int,
    now: datetime,
    local: datetime,
    limit: Limit | None = None,
    told: Collection[str] = (),
) -> Digest:
    """A new digest, first due at its next time; with a limit it leaves only when the figure has passed that.

    ``now`` in UTC, ``local`` the same on this server's clock; ``told``: keys of what the person knows already.
    Rule when the person has it already, or ten others.
    """
    if not (AT_ONCE <= weekday <= 7 and 0 <= hour <= 23):
        raise ValueError(f"no weekday and hour: {weekday}, {hour}")
    made = Digest(uuid4().hex[:12], account_id, page, channel, language, weekday, hour, now, local, 0, None, None, None)
    made = replace(made, told=_lines(told))
    if limit is not None:
        made = replace(made, metric=limit.metric, threshold=limit.threshold, falls=limit.falls)
    with writing(engine) as connection:
        own = _of(connection, account_id)
        if len(own) >= MOST:
            raise Rule("digest_many", f"a person has at most {MOST} digests: remove one first")
        if any(one._same == made._same for one in own):
            raise Rule("digest_taken", "this digest is there already")
        connection.execute(insert(digest).values({name: getattr(made, name) for name in Digest.__slots__}))
        said = {"page": page, "channel": channel} | ({"metric": limit.metric} if limit else {})
        audit.append(connection, account_id, "digest_subscribed", made.digest_id, said, at=now)
    return made


def remove(engine: Engine, account_id: str, digest_id: str, now: datetime) -> None:
    """Ends one's own digest. Rule when it is nobody's of this person."""
    with writing(engine) as connection:
        mine = (digest.c.digest_id == digest_id) & (digest.c.account_id == account_id)
        if connection.execute(delete(digest).where(mine)).rowcount == 0:
            raise Rule("no_digest", "this digest is not there any more")
        audit.append(connection, account_id, "digest_removed", digest_id, at=now)


def of(engine: Engine, account_id: str | None = None) -> tuple[Digest, ...]:
    """The digests of a person, or of everybody, oldest first."""
    with engine.connect() as connection:
        return _of(connection, account_id)


def claim(engine: Engine, now: datetime, local: datetime) -> tuple[Digest, ...]:
    """The digests that are due, each for whoever called: nobody else gets it before it has failed or been lost.

    ``now`` in UTC, ``local`` the same on this server's clock.
    """
    with writing(engine) as connection:
        due = [one for one in _of(connection) if is_due(one, now, local)]
        claimed = [_claimed(one, now, local) for one in due]
        for one in claimed:
            values = {"slot": one.slot, "tries": one.tries, "next_try_at": one.next_try_at}
            connection.execute(update(digest).where(digest.c.digest_id == one.digest_id).values(values))
    return tuple(claimed)


def is_due(one: Digest, now: datetime, local: datetime) -> bool:
    """Whether a digest's time has come since it was last due, or a try that failed is to be made again."""
    if one.slot is None or slot(one, local) > one.slot:
        return True
    return 0 < one.tries < TRIES and one.next_try_at is not None and one.next_try_at <= now


def slot(one: Digest, local: datetime) -> datetime:
    """The latest time not after ``local`` at which the digest is due, on this server's clock."""
    at = local.replace(hour=one.hour, minute=0, second=0, microsecond=0)
    if one.weekday == AT_ONCE:
        first, last = BY_DAY
        at = at.replace(hour=min(local.hour, last))
        return at if local.hour >= first else at.replace(hour=last) - timedelta(days=1)
    back = (at.isoweekday() - one.weekday) % 7 if one.weekday else 0
    at -= timedelta(days=back)
    return at if at <= local else at - timedelta(days=7 if one.weekday else 1)


def sent(engine: Engine, one: Digest, now: datetime, told: Collection[str] = ()) -> None:
    """Notes that a claimed digest has left; one with a limit, because its figure has passed it.

    told: keys of all that it tells at once, in this message or before; what is not among them would be told again.
    """
    with writing(engine) as connection:
        passed = True if one.limit else None
        values = {
            "tries": 0,
            "next_try_at": None,
            "sent_at": now,
            "failure": None,
            "passed": passed,
            "told": _lines(told),
        }
        connection.execute(update(digest).where(digest.c.digest_id == one.digest_id).values(values))
        said = {"page": one.page, "channel": one.channel}
        audit.append(connection, one.account_id, "digest_sent", one.digest_id, said, at=now)


def looked(engine: Engine, one: Digest, passed: bool) -> None:
    """Notes that a claimed digest had nothing to tell: a limit ``passed`` as before, or not passed, or no news."""
    with writing(engine) as connection:
        values = {"tries": 0, "next_try_at": None, "failure": None, "passed": passed}
        connection.execute(update(digest).where(digest.c.digest_id == one.digest_id).values(values))


def failed(engine: Engine, one: Digest, reason: str, now: datetime) -> None:
    """Notes why a claimed digest has not left, and when it is tried again; after six tries at its next time."""
    again = now + FIRST_WAIT * 2 ** (one.tries - 1) if one.tries < TRIES else None
    with writing(engine) as connection:
        values = {"next_try_at": again, "failure": reason}
        connection.execute(update(digest).where(digest.c.digest_id == one.digest_id).values(values))
        said = {"page": one.page, "channel": one.channel, "reason": reason}
        audit.append(connection, one.account_id, "digest_failed", one.digest_id, said, at=now)


def _claimed(one: Digest, now: datetime, local: datetime) -> Digest:
    again = one.slot is not None and slot(one, local) <= one.slot
    at, tries = (one.slot, one.tries + 1) if again else (slot(one, local), 1)
    return replace(one, slot=at, tries=tries, next_try_at=now + CLAIMED_FOR)


def _lines(keys: Collection[str]) -> str | None:
    return "\n".join(sorted(keys)) or None


def _of(connection: Connection, account_id: str | None = None) -> tuple[Digest, ...]:
    query = select(*(digest.c[name] for name in Digest.__slots__)).order_by(digest.c.created_at, digest.c.digest_id)
    if account_id is not None:
        query = query.where(digest.c.account_id == account_id)
    return tuple(Digest(**row) for row in connection.execute(query).mappings())
