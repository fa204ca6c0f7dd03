"""One row per campaign, home store, channel and reason: messages of campaigns to people who did not agree to them.

There should be no row. A message counts when it was sent, or delivered without a record of its sending; it was allowed
when a consent to marketing in its channel had been given by then and not been withdrawn before. A CRM without a single
consent says nothing about them, so nothing is counted.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    Select,
    String,
    Subquery,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)

from data_access.marts._mart import Mart
from data_access.marts.tables import campaign, campaign_event, consent, customer, facts

MARKETING = "marketing"  # the purpose that campaigns need

# Messages by the channel whose consent they need: mini-program and invitations reach people through WeChat.
CONSENT_OF = {"mini_program": "wechat", "event": "wechat"}
UNKNOWN = "unknown"  # no channel on record: nobody can have agreed to it

WITHDRAWN, NEVER_GIVEN = "withdrawn", "never_given"
_NEVER = cast(literal(datetime(9999, 12, 31)), DateTime)

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
    wrong = _wrong()
    w, c = wrong.c, consent.c
    first = (
        select(c.customer_no, c.channel, func.min(c.granted_at).label("first_granted_at"))
        .where(c.purpose == MARKETING)
        .group_by(c.customer_no, c.channel)
        .subquery("first_consent")
    )
    reason = case((first.c.first_granted_at <= w.occurred_at, literal(WITHDRAWN)), else_=literal(NEVER_GIVEN))
    given = and_(first.c.customer_no == w.customer_no, first.c.channel == w.channel)
    at_home = customer.c.customer_no == w.customer_no
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
        .select_from(wrong.outerjoin(first, given).outerjoin(customer, at_home))
        .group_by(w.campaign_id, customer.c.home_store_id, w.channel, reason)
    )


def _wrong() -> Subquery:
    """One row per message without a consent that lived, with the channel whose consent it needed."""
    messages, c = _messages(), consent.c
    m = messages.c
    alive = exists().where(
        c.customer_no == m.customer_no,
        c.channel == m.channel,
        c.purpose == MARKETING,
        c.granted_at <= m.occurred_at,
        func.coalesce(c.withdrawn_at, _NEVER) >= m.occurred_at,
    )
    # Few are left: only of these it matters whether a delivery has its sending beside it.
    left = select(m.campaign_id, m.customer_no, m.kind, m.channel, m.occurred_at).where(~alive).subquery("left_over")
    x, sent = left.c, campaign_event.alias("sent")
    recorded = exists().where(
        sent.c.campaign_id == x.campaign_id, sent.c.customer_no == x.customer_no, sent.c.kind == "sent"
    )
    return (
        select(x.campaign_id, x.customer_no, x.channel, x.occurred_at)
        .where(or_(x.kind == "sent", ~recorded))
        .subquery("wrong")
    )


def _messages() -> Subquery:
    """One row per message that was sent or delivered; none where the CRM records no consent at all."""
    e = campaign_event.c
    channel = func.coalesce(e.channel, campaign.c.channel, UNKNOWN)
    any_consent = select(func.count()).select_from(consent).scalar_subquery()
    return (
        select(
            e.campaign_id,
            e.customer_no,
            e.kind,
            e.occurred_at,
            case(CONSENT_OF, value=channel, else_=channel).label("channel"),
        )
        .join_from(campaign_event, campaign, campaign.c.campaign_id == e.campaign_id, isouter=True)
        .where(e.kind.in_(("sent", "delivered")), any_consent > 0)
        .subquery("messages")
    )


MART = Mart(consent_breach, query, by="whole", order_by=("campaign_id", "store_id", "channel", "reason"))
