"""One row per campaign, home store, channel and reason: messages of campaigns to people who did not agree to them.

There should be no row. A message counts when it was sent, or delivered without a record of its sending; it was allowed
when a consent to marketing in its channel had been given by then and not been withdrawn before. A CRM without a single
consent says nothing about them, so nothing is counted.
"""

from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    Select,
    String,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from data_access.marts._mart import Mart
from data_access.marts.tables import campaign, campaign_event, consent, customer, facts

MARKETING = "marketing"  # the purpose that campaigns need

# Messages by the channel whose consent they need: mini-program and invitations reach people through WeChat.
CONSENT_OF = {"mini_program": "wechat", "event": "wechat"}
UNKNOWN = "unknown"  # no channel on record: nobody can have agreed to it

WITHDRAWN, NEVER_GIVEN = "withdrawn", "never_given"

consent_breach = Table(
    "consent_breach",
    facts,
    Column("campaign_id", String, nullable=False),
    Column("store_id", String),  # home store of the customers; null: none, or not registered
    Column("channel", String, nullable=False),  # of the consent that was needed
    Column("reason", String, nullable=False),  # withdrawn | never_given
    Column("contacts", Integer, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("first_at", DateTime, nullable=False),  # UTC
    Column("last_at", DateTime, nullable=False),
)


def query() -> Select[Any]:
    contacts = _contacts()
    m, c = contacts.c, consent.c

    def given(*more: Any) -> Any:
        same = and_(c.customer_no == m.customer_no, c.channel == m.channel, c.purpose == MARKETING)
        return exists().where(same, c.granted_at <= m.occurred_at, *more)

    alive = or_(c.withdrawn_at.is_(None), c.withdrawn_at >= m.occurred_at)
    wrong = select(m.campaign_id, m.customer_no, m.channel, m.occurred_at).where(~given(alive)).subquery("wrong")
    w = wrong.c
    earlier = select(c.customer_no, c.channel, func.min(c.granted_at).label("first_granted_at")).where(
        c.purpose == MARKETING
    )
    first = earlier.group_by(c.customer_no, c.channel).subquery("first_consent")
    withdrawn = and_(first.c.first_granted_at.is_not(None), first.c.first_granted_at <= w.occurred_at)
    reason = case((withdrawn, literal(WITHDRAWN)), else_=literal(NEVER_GIVEN))
    return (
        select(
            w.campaign_id,
            customer.c.home_store_id.label("store_id"),
            w.channel,
            reason.label("reason"),
            func.count().label("contacts"),
            func.count(w.customer_no.distinct()).label("customers"),
            func.min(w.occurred_at).label("first_at"),
            func.max(w.occurred_at).label("last_at"),
        )
        .select_from(
            wrong.outerjoin(first, and_(first.c.customer_no == w.customer_no, first.c.channel == w.channel)).outerjoin(
                customer, customer.c.customer_no == w.customer_no
            )
        )
        .group_by(w.campaign_id, customer.c.home_store_id, w.channel, reason)
    )


def _contacts() -> Any:
    """One row per message, with the channel whose consent it needed."""
    sent, delivered = campaign_event.alias("sent"), campaign_event.alias("delivered")
    before = campaign_event.alias("before")
    recorded = exists().where(
        before.c.campaign_id == delivered.c.campaign_id,
        before.c.customer_no == delivered.c.customer_no,
        before.c.kind == "sent",
    )
    parts = [
        _message(sent).where(sent.c.kind == "sent"),
        _message(delivered).where(delivered.c.kind == "delivered", ~recorded),
    ]
    any_consent = select(func.count()).select_from(consent).scalar_subquery()
    return union_all(*(part.where(any_consent > 0) for part in parts)).subquery("contacts")


def _message(event: Any) -> Select[Any]:
    channel = func.coalesce(event.c.channel, campaign.c.channel, UNKNOWN)
    return select(
        event.c.campaign_id,
        event.c.customer_no,
        event.c.occurred_at,
        case(CONSENT_OF, value=channel, else_=channel).label("channel"),
    ).join_from(event, campaign, campaign.c.campaign_id == event.c.campaign_id, isouter=True)


MART = Mart(consent_breach, query, by="whole", order_by=("campaign_id", "store_id", "channel", "reason"))
