"""Requests of customers to be forgotten: asked, due within 30 days, done or declined.

While a request is open it names the customer by the CRM's id. When it ends only the pseudonym stays, which names nobody
without the key of this home: a tombstone, by which the same customer is known if an import brings the person back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import uuid4

from sqlalchemy import Connection, Engine, Row, Select, insert, select, update

from data_access import customer_data
from data_access.pseudonym import number_of
from data_access.results.forget import forget
from data_access.settings import settings
from data_access.state import actions, audiences, audit
from data_access.state.rules import Rule
from data_access.state.schema import erasure_request
from data_access.state.store import writing

WITHIN = timedelta(days=30)  # GDPR article 12 says a month, the PIPL "in time"

Reason = Literal["identity", "must_keep", "taken_back"]  # of declining
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; instants in UTC. customer_id: the CRM's, None once it has ended. outcome: erased, or why declined;
    None while it is open."""

    request_id: str
    customer_key: str
    customer_id: str | None
    asked_at: datetime
    ended_at: datetime | None
    outcome: str | None

    @property
    def due_at(self) -> datetime:
        return self.asked_at + WITHIN

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


def ask(engine: Engine, actor: str, customer_id: str, customer_key: str, asked_at: datetime, now: datetime) -> str:
    """Notes a request of a customer whom the CRM has; its id. Rule when one is open already, or it lies ahead."""
    if asked_at > now:
        raise Rule("erasure_instant", "a request cannot come from the future")
    request_id = uuid4().hex[:12]
    row = {
        "request_id": request_id,
        "customer_key": customer_key,
        "customer_id": customer_id,
        "asked_at": asked_at,
    }
    with writing(engine) as connection:
        same = erasure_request.c.customer_key == customer_key
        if connection.execute(_requests().where(same, erasure_request.c.ended_at.is_(None))).first():
            raise Rule("erasure_open", "a request of this customer is open already")
        connection.execute(insert(erasure_request).values(row))
        audit.append(connection, actor, "erasure_asked", customer_key, {"request": request_id}, at=now)
    return request_id


def carry_out(engine: Engine, crm: Engine, actor: str, request_id: str, now: datetime) -> bool:
    """Forgets the customer in our own CRM and in what a batch computed, and ends the request; what was cut short is
    done again by a second call. False while a batch is at work, which leaves the customer out when it ends.

    The log says that it begins before anything is destroyed. Rule when there is no such request or it has ended;
    Problem when the CRM is not ours or does not answer.
    """
    with writing(engine) as connection:
        request = _open(connection, request_id)
        audit.append(connection, actor, "erasure_begun", request.customer_key, {"request": request_id}, at=now)
    customer_data.erase(crm, str(request.customer_id), now)
    _end(engine, actor, request_id, "erased", now)
    # The batch that is at work, and every later one, asks who was erased: after the end of the request it is told.
    return forget(settings().home, numbers(engine))


def decline(engine: Engine, actor: str, request_id: str, reason: str, now: datetime) -> None:
    """Ends a request without erasing. Rule when there is no such request or it has ended."""
    if reason not in REASONS:
        raise ValueError(f"no such reason: {reason!r}")
    _end(engine, actor, request_id, reason, now)


def everything(engine: Engine) -> tuple[Request, ...]:
    """Every request: the open ones by when they are due, then the latest ended."""
    with engine.connect() as connection:
        found = [_request(row) for row in connection.execute(_requests())]
    still_open = sorted((one for one in found if one.is_open), key=lambda one: one.asked_at)
    ended = sorted((one for one in found if not one.is_open), key=lambda one: str(one.ended_at), reverse=True)
    return (*still_open, *ended)


def forgotten(engine: Engine) -> frozenset[str]:
    """The keys of customers who were erased."""
    query = select(erasure_request.c.customer_key).where(erasure_request.c.outcome == "erased")
    with engine.connect() as connection:
        return frozenset(connection.scalars(query))


def numbers(engine: Engine) -> frozenset[int]:
    """The numbers of customers who were erased, as snapshots know them."""
    return frozenset(number for key in forgotten(engine) if (number := number_of(key)) is not None)


def _end(engine: Engine, actor: str, request_id: str, outcome: str, now: datetime) -> None:
    with writing(engine) as connection:
        request = _open(connection, request_id)
        ended = {"customer_id": None, "ended_at": now, "outcome": outcome}
        own = erasure_request.c.request_id == request_id
        connection.execute(update(erasure_request).where(own).values(ended))
        if outcome == "erased":
            actions.forget(connection, request.customer_key)
            number = number_of(request.customer_key)
            if number is not None:
                audiences.forget(connection, number)
        action = "erased" if outcome == "erased" else "erasure_declined"
        detail = {"request": request_id} | ({} if outcome == "erased" else {"reason": outcome})
        audit.append(connection, actor, action, request.customer_key, detail, at=now)


def _open(connection: Connection, request_id: str) -> Request:
    row = connection.execute(_requests().where(erasure_request.c.request_id == request_id)).one_or_none()
    if row is None:
        raise Rule("no_erasure", "there is no such request")
    if row.ended_at is not None:
        raise Rule("erasure_over", "this request has ended")
    return _request(row)


def _requests() -> Select[Any]:
    c = erasure_request.c
    return select(c.request_id, c.customer_key, c.customer_id, c.asked_at, c.ended_at, c.outcome)


def _request(row: Row[Any]) -> Request:
    return Request(**row._mapping)
