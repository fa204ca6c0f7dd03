"""Which campaign an order is credited to by its last touch, and whom messages reached, by which channels, how often.

Credit describes what came after what; it does not say what a campaign caused (``models.calc.lift`` does). An order
is credited to the last touch before it whose time had not run out; a redeemed coupon is the last touch of its order.
Customers are those of the stores in scope, and of their orders only those in these stores count.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Double,
    Engine,
    Interval,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.tables import campaign_event, sale_order
from data_access.queries._frame import customer_key, fetch, fetch_many
from data_access.queries.audience import FATIGUE_DAYS
from data_access.results.tables import contacted_customer, credited_order
from data_access.scope import Scope

# Hours after a touch in which an order is credited to it, by kind of touch and channel (None: any other). As e-mail and
# text-message tools have it by default: 5 days for a click and for an opened e-mail, 24 hours for anything else opened,
# 12 hours for a text message that was only delivered; whoever came to an event counts as whoever clicked.
CREDIT_HOURS: dict[str, dict[str | None, int]] = {
    "clicked": {None: 120},
    "attended": {None: 120},
    "opened": {"email": 120, None: 24},
    "delivered": {"sms": 12},
}
By = Literal["campaign_id", "channel"]
DAYS = (90, 30, 365)  # up to the last day of the data for which a batch keeps whom messages reached
JOINED = "+"  # between the channels of a set
COUPON = "redeemed"  # a coupon of the campaign on the order itself


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the customers whom messages reached: in exactly these channels (none: any), by at least so many."""

    channels: tuple[str, ...] = ()
    least: int = 1


def credited(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per counted order from ``first`` to ``last`` that a campaign is credited with, computed now.

    Columns: order_id, store_id (of the order), member_store_id (of the customer in the campaign; missing: of none),
    customer_no, day, campaign_id, channel (of the touch), touch (its kind), gross_sales and margin of the order (NaN
    where its cost is unknown).
    """
    query = _credited(scope, first, last).order_by(sale_order.c.order_id)
    return fetch_many(scope, engine, query, categories=["campaign_id", "channel", "touch"])


def credit(scope: Scope, engine: Engine, by: By, first: date, last: date, *, ready: bool = False) -> pd.DataFrame:
    """One row per campaign or channel with credited orders from ``first`` to ``last``. ``ready``: ``engine`` is that of
    the results, which hold them.

    Columns: ``by`` (campaign_id or channel), credited_orders, credited_buyers, credited_sales and credited_margin (NaN
    where the cost of one of the orders is unknown).
    """
    rows = _ready(scope, first, last) if ready else _credited(scope, first, last)
    r = rows.subquery("credited").c
    query = (
        select(
            r[by],
            func.count().label("credited_orders"),
            func.count(r.customer_no.distinct()).label("credited_buyers"),
            func.sum(r.gross_sales).label("credited_sales"),
            case((func.count(r.margin) == func.count(), func.sum(r.margin))).label("credited_margin"),
        )
        .where(r[by].is_not(None))
        .group_by(r[by])
        .order_by(r[by])
    )
    return fetch(scope, engine, query)


def contacts(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per channel in which campaigns wrote to customers in scope from ``first`` to ``last``.

    Columns: channel, contacts (campaigns that wrote to a customer, added over customers).
    """
    m = campaign_customer.c
    query = (
        select(m.channel, func.count().label("contacts"))
        .where(m.channel.is_not(None), _written(first, last))
        .group_by(m.channel)
        .order_by(m.channel)
    )
    return fetch(scope, engine, scope.limit(query, m.store_id))


def contacted(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per customer in scope to whom a campaign wrote from ``first`` to ``last``, those with most messages
    first, computed now.

    Columns: customer_no, store_id (missing: nobody knows one), contacts (campaigns that wrote), lately and left_lately
    (of the last ``FATIGUE_DAYS``: campaigns that wrote, and in which the customer unsubscribed), reacted (campaigns
    in which the customer opened or clicked), last_contact (UTC), channel_set (by name, joined by '+').
    """
    query = _contacted(scope, engine, first, last)
    c = query.selected_columns
    return fetch_many(scope, engine, query.order_by(*_most_first(c)), categories=["channel_set"])


def reach(scope: Scope, engine: Engine, first: date, last: date, *, ready: bool = False) -> pd.DataFrame:
    """One row per set of channels that wrote to a customer in scope from ``first`` to ``last``, and how many campaigns
    did so in the last ``FATIGUE_DAYS`` of them. ``ready``: ``engine`` is that of the results, which hold these days.

    Columns: channel_set (joined by '+'; empty: channels without a name), lately, customers, unsubscribed (customers, in
    a campaign of those last days).
    """
    c = _each(scope, engine, first, last, ready=ready).subquery("each").c
    query = (
        select(
            c.channel_set,
            c.lately,
            func.count().label("customers"),
            func.count().filter(c.left_lately > 0).label("unsubscribed"),
        )
        .group_by(c.channel_set, c.lately)
        .order_by(c.channel_set, c.lately)
    )
    return fetch(scope, engine, query)


def reached(
    scope: Scope, engine: Engine, first: date, last: date, part: Part, limit: int, *, ready: bool = False
) -> pd.DataFrame:
    """The customers in scope of a ``part``, those with most messages first. ``ready``: as of ``reach``.

    Columns: customer_key, store_id (missing: nobody knows one), contacts, reacted (campaigns in which they opened or
    clicked), last_contact (UTC).
    """
    each = _each(scope, engine, first, last, ready=ready).subquery("each").c
    most = select(each.customer_no, each.store_id, each.contacts, each.reacted, each.last_contact)
    most = most.where(each.contacts >= part.least).order_by(*_most_first(each)).limit(limit)
    if part.channels:
        most = most.where(each.channel_set == JOINED.join(part.channels))
    c = most.subquery("most").c  # keys are written for these only
    query = select(customer_key(c.customer_no).label("customer_key"), c.store_id, c.contacts, c.reacted, c.last_contact)
    return fetch_many(scope, engine, query.order_by(*_most_first(c)))


def _ready(scope: Scope, first: date, last: date) -> Select[Any]:
    """The rows of ``credited`` as a batch left them."""
    k = credited_order.c
    query = select(credited_order).where(k.day.between(first, last))
    return scope.limit(scope.limit(query, k.member_store_id), k.store_id)


def _credited(scope: Scope, first: date, last: date) -> Select[Any]:
    m, e, o = campaign_customer.c, campaign_event.c, sale_order.c
    channel = func.coalesce(e.channel, m.channel)
    on_it = and_(e.kind == COUPON, e.order_id == o.order_id)
    in_time = and_(o.utc >= e.occurred_at, o.utc <= e.occurred_at + _time_of(e.kind, channel))
    latest = func.row(case((e.kind == COUPON, 1), else_=0), e.occurred_at, e.event_id)
    query = (
        select(
            o.order_id,
            func.max(o.store_id).label("store_id"),
            func.arg_max(m.store_id, latest).label("member_store_id"),
            func.max(o.customer_no).label("customer_no"),
            func.max(o.day).label("day"),
            func.arg_max(m.campaign_id, latest).label("campaign_id"),
            func.arg_max(channel, latest).label("channel"),
            func.arg_max(e.kind, latest).label("touch"),
            cast(func.max(o.gross_sales), Double).label("gross_sales"),
            cast(func.max(o.gross_sales - o.cost), Double).label("margin"),
        )
        .select_from(sale_order)
        .join(campaign_event, e.customer_no == o.customer_no)
        .join(campaign_customer, and_(m.campaign_id == e.campaign_id, m.customer_no == e.customer_no))
        .where(
            o.exclusion.is_(None),
            o.day.between(first, last),
            e.kind.in_((*CREDIT_HOURS, COUPON)),
            e.occurred_at >= first - timedelta(days=_LONGEST),
            or_(on_it, in_time),
        )
        .group_by(o.order_id)
    )
    return scope.limit(scope.limit(query, m.store_id), o.store_id)


def _each(scope: Scope, engine: Engine, first: date, last: date, *, ready: bool) -> Select[Any]:
    """The rows of ``contacted``: as a batch left them, or computed."""
    if not ready:
        return _contacted(scope, engine, first, last)
    k = contacted_customer.c
    query = select(*(k[name] for name in _CONTACTED)).where(k.days == (last - first).days + 1)
    return scope.limit(query, k.store_id)


_CONTACTED = [column.name for column in contacted_customer.c if column.name != "days"]


def _contacted(scope: Scope, engine: Engine, first: date, last: date) -> Select[Any]:
    m = campaign_customer.c
    recent = _written(last - timedelta(days=FATIGUE_DAYS - 1), last)
    names = contacts(scope, engine, first, last)["channel"].tolist()
    taken = [case((func.count().filter(m.channel == name) > 0, name)) for name in names]
    query: Select[Any] = (
        select(
            m.customer_no,
            func.max(m.store_id).label("store_id"),
            func.count().label("contacts"),
            func.count().filter(recent).label("lately"),
            func.count(m.unsubscribed_at).filter(recent).label("left_lately"),
            func.count().filter(func.coalesce(m.clicked_at, m.opened_at).is_not(None)).label("reacted"),
            func.max(_written_at()).label("last_contact"),
            func.concat_ws(JOINED, null(), *taken, type_=String).label("channel_set"),
        )
        .where(_written(first, last))
        .group_by(m.customer_no)
    )
    return scope.limit(query, m.store_id)


def _most_first(c: Any) -> list[ColumnElement[Any]]:
    """The order of lists of customers to whom campaigns wrote."""
    return [c.contacts.desc(), c.last_contact.desc(), c.customer_no]


def _written_at() -> ColumnElement[Any]:
    """When a campaign wrote to a customer: by its sending, or where only deliveries are recorded, by those."""
    return func.coalesce(campaign_customer.c.sent_at, campaign_customer.c.delivered_at)


def _written(first: date, last: date) -> ColumnElement[bool]:
    """Whether that lies in these days (UTC)."""
    begin, end = (cast(literal(day), DateTime) for day in (first, last + timedelta(days=1)))
    return and_(_written_at() >= begin, _written_at() < end)


_LONGEST = max(hours for by_channel in CREDIT_HOURS.values() for hours in by_channel.values()) // 24 + 1  # days


def _time_of(kind: ColumnElement[str], channel: ColumnElement[Any]) -> ColumnElement[Any]:
    """How long an order is credited to a touch; null where it never is."""
    whens = []
    for name, by_channel in CREDIT_HOURS.items():
        for of, hours in sorted(by_channel.items(), key=lambda one: one[0] is None):
            holds = kind == name if of is None else and_(kind == name, channel == of)
            whens.append((holds, cast(literal(timedelta(hours=hours)), Interval)))
    return case(*whens, else_=cast(null(), Interval))
