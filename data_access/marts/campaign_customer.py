"""One row per campaign and customer that was assigned to it or has an event in it.

Steps in the order of ``campaign_use.STEPS``: targeted, sent, delivered, opened, clicked, claimed, visited, bought,
bought again. To claim a coupon and to visit come after the click and do not require each other. Bought: the first
counted order from the campaign's first day to the last of its window (store-local days); bought again: the first
counted order on a later day, at most 60 days after that.

A step is reached when it happened at all. It is reached in order when every earlier step that anybody took in the
campaign happened first: by the first instant of each, equal instants count as in order, an unknown instant of the
assignment lies before everything. Of purchases any in the window may follow, not only the first. A control group gets
no messages: of it only the assignment and the visit are asked for.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    String,
    Subquery,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from data_access.marts._mart import Mart
from data_access.marts._returns import cost_back, returned
from data_access.marts.campaign_use import BIT, EVENTS, STEPS, campaign_use
from data_access.marts.tables import (
    Money,
    campaign,
    campaign_arm,
    campaign_event,
    campaign_member,
    customer,
    facts,
    return_line,
    sale_order,
)

DAYS_TO_RETURN = 60  # after the first purchase

campaign_customer = Table(
    "campaign_customer",
    facts,
    Column("campaign_id", String, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("arm", String),  # null: not assigned
    Column("is_control", Boolean, nullable=False),
    # home store; without one the store of the last counted order before the campaign, never one the campaign led to
    Column("store_id", String),
    Column("channel", String),  # of the messages sent to the customer, else of the campaign
    Column("furthest", String),  # the last step reached; null: unsubscribed or redeemed a coupon and nothing else
    Column("reached", Integer, nullable=False),  # the set of steps that happened
    Column("in_order", Integer, nullable=False),  # the set of those that happened in order
    # first instants, UTC
    Column("assigned_at", DateTime),
    Column("sent_at", DateTime),
    Column("delivered_at", DateTime),
    Column("opened_at", DateTime),
    Column("clicked_at", DateTime),
    Column("claimed_at", DateTime),
    Column("visited_at", DateTime),
    Column("redeemed_at", DateTime),
    Column("unsubscribed_at", DateTime),
    Column("bought_at", DateTime),
    Column("bought_again_at", DateTime),
    # the first purchase of the window after all earlier steps in order, and the first within 60 days of that one
    Column("converted_at", DateTime),
    Column("converted_again_at", DateTime),
    # counted orders of the window
    Column("orders", Integer, nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("returns_of_sales", Money, nullable=False),  # refunds so far to the customer of these orders
    # of the orders whose cost is known: gross sales less cost, less refunds so far, plus the cost of what came back;
    # null: of none
    Column("margin", Money),
)

_MESSAGES = ("sent", "delivered", "opened", "clicked")  # each requires the one before
_EITHER = ("claimed", "visited")  # both require the click, neither the other
_LONG_AGO, _NEVER = (cast(literal(at), DateTime) for at in (datetime(1900, 1, 1), datetime(9999, 12, 31)))
_NOT_OF_CONTROL = sum(BIT[step] for step in (*_MESSAGES, "claimed"))


def query() -> Select[Any]:
    walked = _walked().cte("walked")
    bought = _bought(walked).cte("bought")
    again, before = _again(bought), _store_before(walked)
    w, b, a = walked.c, bought.c, again.c

    def same(part: FromClause) -> ColumnElement[bool]:
        return and_(part.c.campaign_id == w.campaign_id, part.c.customer_no == w.customer_no)

    instants = {
        "bought": (b.bought_at, b.converted_at),
        "bought_again": (a.bought_again_at, a.converted_again_at),
    }
    reached = _set((step, any_.is_not(None)) for step, (any_, _) in instants.items())
    in_order = _set((step, converted.is_not(None)) for step, (_, converted) in instants.items())
    steps = w.reached + reached
    return select(
        w.campaign_id,
        w.customer_no,
        w.arm,
        w.is_control,
        func.coalesce(w.home_store_id, before.c.store_id).label("store_id"),
        w.channel,
        case(*((steps >= BIT[step], literal(step)) for step in reversed(STEPS))).label("furthest"),
        steps.label("reached"),
        (w.in_order + in_order).label("in_order"),
        w.assigned_at,
        *(w[f"{kind}_at"] for kind in (*EVENTS, "redeemed", "unsubscribed")),
        b.bought_at,
        a.bought_again_at,
        b.converted_at,
        a.converted_again_at,
        func.coalesce(b.orders, 0).label("orders"),
        func.coalesce(b.gross_sales, cast(0, Money)).label("gross_sales"),
        func.coalesce(b.returns_of_sales, cast(0, Money)).label("returns_of_sales"),
        b.margin,
    ).select_from(
        walked.outerjoin(bought, same(bought)).outerjoin(again, same(again)).outerjoin(before, same(before)),
    )


def _set(steps: Iterator[tuple[str, ColumnElement[bool]]]) -> ColumnElement[int]:
    """The set of the steps whose condition holds."""
    return reduce(add, (case((holds, BIT[step]), else_=0) for step, holds in steps))


def _touched() -> Subquery:
    """One row per campaign and customer with the first instant of each kind of event."""
    m, e = campaign_member.c, campaign_event.c
    kinds = {**EVENTS, "redeemed": ("redeemed",), "unsubscribed": ("unsubscribed",)}
    events = (
        select(
            e.campaign_id,
            e.customer_no,
            *(func.min(case((e.kind.in_(names), e.occurred_at))).label(f"{kind}_at") for kind, names in kinds.items()),
            func.min(case((e.kind == "sent", e.channel))).label("channel"),
        )
        .group_by(e.campaign_id, e.customer_no)
        .subquery("events")
    )
    return (
        select(
            func.coalesce(m.campaign_id, events.c.campaign_id).label("campaign_id"),
            func.coalesce(m.customer_no, events.c.customer_no).label("customer_no"),
            m.arm,
            m.assigned_at,
            *(events.c[f"{kind}_at"] for kind in kinds),
            events.c.channel,
        )
        .select_from(
            campaign_member.outerjoin(
                events,
                and_(events.c.campaign_id == m.campaign_id, events.c.customer_no == m.customer_no),
                full=True,
            )
        )
        .subquery("touched")
    )


def _walked() -> Select[Any]:
    """Every event step with the campaign's window; ``ready_at``: from when a purchase comes in order, if ever."""
    touched = _touched()
    t, c, use, arm = touched.c, campaign.c, campaign_use.c, campaign_arm.c
    is_control = func.coalesce(arm.is_control, False)
    asked = case((is_control, use.steps - use.steps.bitwise_and(_NOT_OF_CONTROL)), else_=use.steps)
    rows = (
        select(
            *(column for column in t if column.name != "channel"),
            is_control.label("is_control"),
            func.coalesce(t.channel, c.channel).label("channel"),
            customer.c.home_store_id,
            c.starts_on,
            c.window_last,
            asked.label("asked"),
        )
        .select_from(
            touched.join(campaign_use, use.campaign_id == t.campaign_id)
            .outerjoin(campaign, c.campaign_id == t.campaign_id)
            .outerjoin(campaign_arm, and_(arm.campaign_id == t.campaign_id, arm.arm == t.arm))
            .outerjoin(customer, customer.c.customer_no == t.customer_no)
        )
        .subquery("rows_of_use")
    )
    at = func.coalesce(rows.c.assigned_at, _LONG_AGO)
    assigned = case((rows.c.arm.is_not(None), at), (_asked(rows, "targeted"), _NEVER), else_=_LONG_AGO)
    ready = select(*rows.c, assigned.label("after_targeted")).subquery("ready_targeted")
    before = "after_targeted"
    for step in _MESSAGES:
        ready = select(*ready.c, _ready(ready, step, before).label(f"after_{step}")).subquery(f"ready_{step}")
        before = f"after_{step}"
    r = ready.c
    after_messages = dict(zip(_MESSAGES, ("targeted", *_MESSAGES), strict=False)) | dict.fromkeys(_EITHER, "clicked")
    return select(
        *(r[column.name] for column in rows.c if column.name != "asked"),
        func.greatest(*(_ready(ready, step, before) for step in _EITHER)).label("ready_at"),
        _set((step, _happened(ready, step)) for step in ("targeted", *EVENTS)).label("reached"),
        _set(
            (step, _happened(ready, step) if step == "targeted" else r[f"{step}_at"] >= r[f"after_{earlier}"])
            for step, earlier in {"targeted": "", **after_messages}.items()
        ).label("in_order"),
    )


def _happened(rows: FromClause, step: str) -> ColumnElement[bool]:
    return (rows.c.arm if step == "targeted" else rows.c[f"{step}_at"]).is_not(None)


def _asked(rows: FromClause, step: str) -> ColumnElement[bool]:
    """Whether those who go on must have taken ``step``."""
    return rows.c.asked.bitwise_and(BIT[step]) > 0


def _ready(rows: FromClause, step: str, before: str) -> ColumnElement[datetime]:
    """From when the next step comes in order, once ``step`` has to be taken after the instant ``before``."""
    at, earlier = rows.c[f"{step}_at"], rows.c[before]
    return case((~_asked(rows, step), earlier), (at >= earlier, at), else_=_NEVER)


def _bought(walked: FromClause) -> Select[Any]:
    """The counted orders in the window of each campaign and customer with any."""
    w, o, r = walked.c, sale_order.c, return_line.c
    refunds = (
        select(
            r.order_id,
            r.customer_no,
            func.sum(r.refund).label("refund"),
            func.sum(cost_back() - r.refund).label("margin"),
        )
        .select_from(returned())
        .where(r.exclusion.is_(None), r.order_id.is_not(None))
        .group_by(r.order_id, r.customer_no)
        .subquery("refunds")
    )
    in_order = o.utc >= w.ready_at
    return (
        select(
            w.campaign_id,
            w.customer_no,
            func.min(o.utc).label("bought_at"),
            func.min(o.day).label("bought_on"),
            func.min(case((in_order, o.utc))).label("converted_at"),
            func.min(case((in_order, o.day))).label("converted_on"),
            func.count().label("orders"),
            # the sums of one customer are small: as wide as they are stored, they are sorted in half the memory
            cast(func.sum(o.gross_sales), Money).label("gross_sales"),
            cast(func.sum(refunds.c.refund), Money).label("returns_of_sales"),
            cast(func.sum(o.gross_sales - o.cost + func.coalesce(refunds.c.margin, 0)), Money).label("margin"),
        )
        .select_from(
            walked.join(
                sale_order,
                and_(
                    o.customer_no == w.customer_no,
                    o.exclusion.is_(None),
                    o.day >= w.starts_on,
                    o.day <= w.window_last,
                ),
            ).outerjoin(refunds, and_(refunds.c.order_id == o.order_id, refunds.c.customer_no == o.customer_no))
        )
        .group_by(w.campaign_id, w.customer_no)
    )


def _again(bought: FromClause) -> Subquery:
    """Who came back on a later day, within the days that count."""
    b, o = bought.c, sale_order.c

    def soon_after(day: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(o.day > day, o.day <= day + DAYS_TO_RETURN)

    return (
        select(
            b.campaign_id,
            b.customer_no,
            func.min(case((soon_after(b.bought_on), o.utc))).label("bought_again_at"),
            func.min(case((soon_after(b.converted_on), o.utc))).label("converted_again_at"),
        )
        .select_from(bought.join(sale_order, and_(o.customer_no == b.customer_no, o.exclusion.is_(None))))
        .where(or_(soon_after(b.bought_on), soon_after(b.converted_on)))
        .group_by(b.campaign_id, b.customer_no)
        .subquery("again")
    )


def _store_before(walked: FromClause) -> Subquery:
    """The store of the last counted order before the campaign, of customers without a home store."""
    w, o = walked.c, sale_order.c
    last_first = func.row_number().over(
        partition_by=(w.campaign_id, w.customer_no), order_by=(o.utc.desc(), o.order_id.desc())
    )
    orders = (
        select(w.campaign_id, w.customer_no, o.store_id, last_first.label("place"))
        .select_from(
            walked.join(sale_order, and_(o.customer_no == w.customer_no, o.exclusion.is_(None), o.day < w.starts_on))
        )
        .where(w.home_store_id.is_(None))
        .subquery("orders_before")
    )
    return select(orders).where(orders.c.place == 1).subquery("before")


MART = Mart(campaign_customer, query, by="customer", order_by=("campaign_id", "customer_no"))
