"""Audiences: whom a campaign is to reach and whom it leaves out to compare with, frozen when they are saved.

The rows (customer, arm, since when) are added once and never changed; those of a customer who is erased go. An
audience is the chain's: other scopes see none. Linked to a campaign of the CRM, once and for good, it becomes that
campaign's members at the next refresh (``linked``), unless the CRM has members of its own. Sending is the CRM's job.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, inspect, make_url, select
from sqlalchemy.exc import DBAPIError

from data_access.errors import Problem
from data_access.scope import Scope
from data_access.state import audit, tokens
from data_access.state.rules import Rule
from data_access.state.schema import audience, audience_link, audience_member
from data_access.state.store import state_engine, writing

CONTACTED, HELD_BACK = "contacted", "held_back"  # the arms
LEAST = 50  # people to contact: fewer would be a list of persons
MOST = 500_000  # people in both arms
LONGEST_NAME = 60  # characters

_TOGETHER = 5_000  # rows in one statement


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of an audience when it is drawn.

    conditions: as the page chose them. withheld: customers who fit them and may not be contacted, by reason. seed: of
    the draw. reachable: those it was drawn from. window_days: in which a purchase is to count, and for which the
    control group is held back from others. base_share: of the reachable, who bought in as many days before; missing
    where nothing is known. generation, as_of: of the data.
    """

    name: str
    channel: str
    conditions: Mapping[str, Any]
    withheld: Mapping[str, int]
    seed: int
    reachable: int
    window_days: int
    base_share: float | None
    generation: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Audience:
    """A saved audience. at: UTC; actor: as in the audit log; contacted, held_back: people. campaign_id: that it was
    linked to, at ``linked_at``."""

    audience_id: str
    at: datetime
    actor: str
    contacted: int
    held_back: int
    held_until: date
    campaign_id: str | None
    linked_at: datetime | None
    draft: Draft


def save(
    engine: Engine,
    scope: Scope,
    actor: str,
    draft: Draft,
    customers: NDArray[np.int64],
    held_back: NDArray[np.bool_],
    now: datetime,
) -> str:
    """Freezes an audience: ``customers`` by number, and which of them are held back; its id.

    Rule when the name will not do or is taken, too few or too many are in it, or the scope is not the chain.
    """
    if scope.kind != "chain":
        raise Rule("audience_scope", "audiences are made for the whole chain")
    name = draft.name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Rule("audience_name", f"a name has 1 to {LONGEST_NAME} characters")
    contacted, held = int((~held_back).sum()), int(held_back.sum())
    if contacted < LEAST or contacted + held > MOST:
        raise Rule("audience_size", f"an audience has {LEAST} to {MOST:,} people")
    audience_id = tokens.fresh_id()
    arms = [HELD_BACK if one else CONTACTED for one in held_back.tolist()]
    with writing(engine) as connection:
        if connection.scalar(select(func.count()).select_from(audience).where(audience.c.name == name)):
            raise Rule("audience_taken", "another audience has this name")
        connection.execute(
            insert(audience).values(
                audience_id=audience_id,
                at=now,
                actor=audit.plain(actor),
                name=name,
                channel=draft.channel,
                conditions=json.dumps(draft.conditions, ensure_ascii=False, sort_keys=True),
                withheld=json.dumps(draft.withheld, sort_keys=True),
                seed=draft.seed,
                reachable=draft.reachable,
                contacted=contacted,
                held_back=held,
                window_days=draft.window_days,
                held_until=now.date() + timedelta(days=draft.window_days),
                base_share=draft.base_share,
                generation=draft.generation,
                as_of=draft.as_of,
            )
        )
        rows = [
            {"audience_id": audience_id, "customer_no": number, "arm": arm, "assigned_at": now}
            for number, arm in zip(customers.tolist(), arms, strict=True)
        ]
        for start in range(0, len(rows), _TOGETHER):
            connection.execute(insert(audience_member), rows[start : start + _TOGETHER])
        said = {"name": name, CONTACTED: contacted, HELD_BACK: held, "channel": draft.channel, "seed": draft.seed}
        audit.append(connection, actor, "audience_saved", audience_id, said, at=now)
    return audience_id


def every(engine: Engine, scope: Scope) -> tuple[Audience, ...]:
    """All audiences, the latest first; none for a scope that is not the chain."""
    return _found(engine, scope, _query())


def one(engine: Engine, scope: Scope, audience_id: str) -> Audience | None:
    """The audience of that id; None when there is none or the scope does not see it."""
    return next(iter(_found(engine, scope, _query().where(audience.c.audience_id == audience_id))), None)


def members(engine: Engine, scope: Scope, audience_id: str) -> pd.DataFrame:
    """The frozen rows of an audience, by number; none for a scope that is not the chain.

    Columns: customer_no, arm, assigned_at.
    """
    c = audience_member.c
    rows = select(c.customer_no, c.arm, c.assigned_at).where(c.audience_id == audience_id).order_by(c.customer_no)
    return _frame(engine, rows if scope.kind == "chain" else rows.limit(0))


def held_back_now(engine: Engine, scope: Scope, today: date) -> frozenset[int]:
    """The customers whom some audience still holds back, by number."""
    if scope.kind != "chain":
        return frozenset()
    m, a = audience_member.c, audience.c
    rows = (
        select(m.customer_no)
        .join_from(audience_member, audience, a.audience_id == m.audience_id)
        .where(m.arm == HELD_BACK, a.held_until >= today)
    )
    with engine.connect() as connection:
        return frozenset(connection.scalars(rows))


def link(
    engine: Engine, scope: Scope, actor: str, audience_id: str, campaign_id: str, now: datetime, free: Collection[str]
) -> None:
    """Links an audience to a campaign of ``free``, those that nobody was assigned to; it stays so.

    Rule when there is no such audience, it is linked already, or the campaign is none of those or has an audience.
    """
    if one(engine, scope, audience_id) is None:
        raise Rule("no_audience", "there is no such audience")
    if campaign_id not in free:
        raise Rule("audience_campaign", "choose a campaign that nobody was assigned to yet")
    c = audience_link.c
    with writing(engine) as connection:
        taken = connection.execute(select(c.audience_id, c.campaign_id)).all()
        if any(row.audience_id == audience_id for row in taken):
            raise Rule("audience_linked", "this audience belongs to a campaign already")
        if any(row.campaign_id == campaign_id for row in taken):
            raise Rule("audience_campaign", "choose a campaign that nobody was assigned to yet")
        connection.execute(
            insert(audience_link).values(
                audience_id=audience_id, campaign_id=campaign_id, at=now, actor=audit.plain(actor)
            )
        )
        audit.append(connection, actor, "audience_linked", audience_id, {"campaign": campaign_id}, at=now)


def about(engine: Engine, number: int) -> list[dict[str, Any]]:
    """The audiences a customer is in, the first first: to hand it to the customer."""
    m, a = audience_member.c, audience.c
    query = (
        select(a.name, a.channel, m.arm, m.assigned_at, a.held_until)
        .join_from(audience_member, audience, a.audience_id == m.audience_id)
        .where(m.customer_no == number)
        .order_by(m.assigned_at, a.audience_id)
    )
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def forget(connection: Connection, number: int) -> None:
    """Takes a customer who is erased out of every audience, in the caller's transaction; the counts stay."""
    connection.execute(delete(audience_member).where(audience_member.c.customer_no == number))


def linked(url: str) -> pd.DataFrame:
    """The rows of all audiences that are linked to a campaign, of the store at ``url``, by campaign and number.

    For the refresh, which makes them members of these campaigns; a store that does not exist yet has none. Columns:
    campaign_id, customer_no, arm, is_control, planned_share (of the arm), assigned_at. Problem when the store does not
    answer.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        return _NONE_LINKED
    engine = state_engine(url)
    try:
        if not inspect(engine).has_table(audience_link.name):
            return _NONE_LINKED  # made by a version without audiences
        return _linked(engine)
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Problem(
            f"the app's own store does not answer ({reason}), so nobody knows which audiences belong to campaigns: "
            "check MIRROR_STATE_URL; the snapshot in force stays as it is"
        ) from error
    finally:
        engine.dispose()


_NONE_LINKED = pd.DataFrame(
    {
        "campaign_id": pd.Series(dtype="str"),
        "customer_no": pd.Series(dtype="int64"),
        "arm": pd.Series(dtype="str"),
        "is_control": pd.Series(dtype="bool"),
        "planned_share": pd.Series(dtype="float64"),
        "assigned_at": pd.Series(dtype="datetime64[us]"),
    }
)


def _linked(engine: Engine) -> pd.DataFrame:
    a, m, k = audience.c, audience_member.c, audience_link.c
    query = (
        select(k.campaign_id, m.customer_no, m.arm, m.assigned_at, a.contacted, a.held_back)
        .join_from(audience_link, audience, a.audience_id == k.audience_id)
        .join(audience_member, m.audience_id == k.audience_id)
        .order_by(k.campaign_id, m.customer_no)
    )
    rows = _frame(engine, query)
    if rows.empty:
        return _NONE_LINKED
    control = rows["arm"] == HELD_BACK
    people = rows["contacted"].mask(control, rows["held_back"])
    share = people / (rows["contacted"] + rows["held_back"])
    return rows.assign(is_control=control, planned_share=share)[list(_NONE_LINKED)].astype(
        _NONE_LINKED.dtypes.to_dict()
    )


def _frame(engine: Engine, query: Select[Any]) -> pd.DataFrame:
    with engine.connect() as connection:
        rows = connection.execute(query)
        return pd.DataFrame(rows.all(), columns=list(rows.keys()))


def _query() -> Select[Any]:
    k = audience_link.c
    return (
        select(audience, k.campaign_id, k.at.label("linked_at"))
        .select_from(audience.outerjoin(audience_link, k.audience_id == audience.c.audience_id))
        .order_by(audience.c.at.desc(), audience.c.audience_id)
    )


def _found(engine: Engine, scope: Scope, query: Select[Any]) -> tuple[Audience, ...]:
    if scope.kind != "chain":
        return ()
    with engine.connect() as connection:
        return tuple(_audience(row) for row in connection.execute(query))


def _audience(row: Row[Any]) -> Audience:
    draft = Draft(
        row.name,
        row.channel,
        json.loads(row.conditions),
        json.loads(row.withheld),
        row.seed,
        row.reachable,
        row.window_days,
        row.base_share,
        row.generation,
        row.as_of,
    )
    return Audience(
        row.audience_id,
        row.at,
        row.actor,
        row.contacted,
        row.held_back,
        row.held_until,
        row.campaign_id,
        row.linked_at,
        draft,
    )
