"""What campaigns cost by parts, and what their coupons did.

A coupon may cover many products, so orders are counted by the order on which it was redeemed, never by its products.
"""

from typing import Any

import pandas as pd
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Double,
    Engine,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    true,
)

from data_access.marts._returns import cost_back, returned
from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import (
    campaign,
    campaign_event,
    coupon,
    points_entry,
    points_rule,
    return_line,
    sale_line,
    sale_order,
)
from data_access.queries._frame import fetch
from data_access.queries.campaigns import concerns
from data_access.scope import Scope

_COSTS = ("cost_media", "cost_message", "cost_other")


def cost_parts(scope: Scope, engine: Engine, campaign_id: str | None = None) -> pd.DataFrame:
    """One row per campaign (all unless told) for the chain; none for stores: nobody knows which part is theirs.

    Columns: campaign_id, cost_media, cost_message, cost_other (NaN when unknown), staff_hours, points_value (points
    granted for it times what a point is worth; NaN without a worth).
    """
    if scope.kind != "chain":
        return pd.DataFrame(columns=["campaign_id", *_COSTS, "staff_hours", "points_value"])
    c, p, r = campaign.c, points_entry.c, points_rule.c
    worth = select(func.max(r.value_per_point)).scalar_subquery()
    of_campaign = p.campaign_id.is_not(None) if campaign_id is None else p.campaign_id == campaign_id
    points = (
        select(p.campaign_id, func.sum(p.points).label("points"))
        .where(of_campaign, p.points > 0)
        .group_by(p.campaign_id)
        .subquery("granted")
    )
    query = (
        select(
            c.campaign_id,
            *(cast(c[name], Double).label(name) for name in _COSTS),
            c.staff_hours,
            cast(points.c.points * worth, Double).label("points_value"),
        )
        .select_from(campaign.outerjoin(points, points.c.campaign_id == c.campaign_id))
        .order_by(c.campaign_id)
    )
    return fetch(scope, engine, query if campaign_id is None else query.where(c.campaign_id == campaign_id))


def discounts(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per campaign whose coupons took something off in the stores in scope.

    Columns: campaign_id, discount_given (of the lines of counted orders with a coupon of it).
    """
    n, k = sale_line.c, coupon.c
    query = (
        select(k.campaign_id, cast(func.sum(n.discount), Double).label("discount_given"))
        .join_from(sale_line, coupon, k.coupon_code == n.coupon_code)
        .where(n.exclusion.is_(None), n.coupon_code.is_not(None))
        .group_by(k.campaign_id)
        .order_by(k.campaign_id)
    )
    return fetch(scope, engine, scope.limit(query, n.store_id))


def coupons(scope: Scope, engine: Engine, campaign_id: str | None = None) -> pd.DataFrame:
    """One row per coupon of a campaign (of all unless told).

    Columns: campaign_id, coupon_code, kind, face_value (NaN when unknown), valid_from, valid_to, claimed (customers of
    the stores in scope who claimed it), arm (the treated arm whose customers alone claimed or redeemed it; None: nobody
    did, or customers of several).
    """
    k, e, m = coupon.c, campaign_event.c, campaign_customer.c
    treated = case((~m.is_control, m.arm))
    used = scope.limit(
        select(
            e.campaign_id,
            e.coupon_code,
            func.count(e.customer_no.distinct()).filter(e.kind == "claimed").label("claimed"),
            case((func.count(treated.distinct()) == 1, func.max(treated))).label("arm"),
        )
        .join_from(
            campaign_customer,
            campaign_event,
            and_(
                e.customer_no == m.customer_no,
                e.campaign_id == m.campaign_id,
                e.kind.in_(("claimed", "redeemed")),
            ),
        )
        # Of a campaign's customers few did either; the others need not be looked up.
        .where(_of(m.campaign_id, campaign_id), or_(m.claimed_at.is_not(None), m.redeemed_at.is_not(None)))
        .group_by(e.campaign_id, e.coupon_code),
        m.store_id,
    ).subquery("used")
    own = and_(used.c.campaign_id == k.campaign_id, used.c.coupon_code == k.coupon_code)
    query = (
        select(
            k.campaign_id,
            k.coupon_code,
            k.kind,
            cast(k.face_value, Double).label("face_value"),
            k.valid_from,
            k.valid_to,
            cast(func.coalesce(used.c.claimed, 0), BigInteger).label("claimed"),
            used.c.arm,
        )
        .select_from(coupon.outerjoin(used, own))
        .where(_of(k.campaign_id, campaign_id), concerns(scope, engine, k.campaign_id))
        .order_by(k.campaign_id, k.coupon_code)
    )
    return fetch(scope, engine, query)


def redemptions(scope: Scope, engine: Engine, campaign_id: str | None = None) -> pd.DataFrame:
    """One row per coupon of a campaign (of all unless told) and order in the stores in scope on which it was redeemed.

    Columns: campaign_id, coupon_code, order_id, customer_no, day, discount (of the lines that the coupon took something
    off), net_sales and margin (of the whole order, discounts and what came back so far taken off; margin NaN when the
    cost is unknown), and of the customer's visits in the stores in scope before that day gaps (how many), usual_days
    (their median) and since (days from the last of them); NaN without any.
    """
    n = sale_line.c
    redeemed = _redeemed(scope, campaign_id).cte("redeemed")  # asked twice, for its rows and for who they are of
    of_campaign = select(coupon.c.coupon_code).where(_of(coupon.c.campaign_id, campaign_id))
    lines = scope.limit(
        select(n.order_id, n.coupon_code, cast(func.sum(n.discount), Double).label("discount"))
        .where(n.coupon_code.in_(of_campaign))
        .group_by(n.order_id, n.coupon_code),
        n.store_id,
    ).subquery("lines")
    same = and_(lines.c.order_id == redeemed.c.order_id, lines.c.coupon_code == redeemed.c.coupon_code)
    back = _back(scope, redeemed)
    rhythm = _rhythm(scope, redeemed)
    before = and_(rhythm.c.customer_no == redeemed.c.customer_no, rhythm.c.day == redeemed.c.day)
    query = (
        select(
            *(redeemed.c[name] for name in ("campaign_id", "coupon_code", "order_id", "customer_no", "day")),
            (redeemed.c.gross_sales - func.coalesce(back.c.refund, 0.0)).label("net_sales"),
            (redeemed.c.margin + func.coalesce(back.c.margin, 0.0)).label("margin"),
            func.coalesce(lines.c.discount, 0.0).label("discount"),
            rhythm.c.gaps,
            rhythm.c.usual_days,
            rhythm.c.since,
        )
        .select_from(
            redeemed.outerjoin(lines, same)
            .outerjoin(back, back.c.order_id == redeemed.c.order_id)
            .outerjoin(rhythm, before)
        )
        .order_by(redeemed.c.campaign_id, redeemed.c.day, redeemed.c.order_id, redeemed.c.coupon_code)
    )
    return fetch(scope, engine, query)


def _redeemed(scope: Scope, campaign_id: str | None) -> Select[Any]:
    """The orders in the stores in scope on which coupons were redeemed, each coupon once."""
    e, o = campaign_event.c, sale_order.c
    return scope.limit(
        select(
            e.campaign_id,
            e.coupon_code,
            o.order_id,
            o.customer_no,
            o.day,
            cast(o.gross_sales, Double).label("gross_sales"),
            cast(o.gross_sales - o.cost, Double).label("margin"),
        )
        .join_from(
            sale_order,
            campaign_event,
            and_(e.order_id == o.order_id, e.customer_no == o.customer_no, e.kind == "redeemed"),
        )
        .where(_of(e.campaign_id, campaign_id), o.exclusion.is_(None))
        .distinct(),
        o.store_id,
    )


def _back(scope: Scope, redeemed: CTE) -> Subquery:
    """One row per order with a redemption that something came back of: refund, and what that took off the margin."""
    n, r = sale_line.c, return_line.c
    orders = select(redeemed.c.order_id)
    sold = scope.limit(
        select(n.order_id, n.line_no, n.quantity, n.cost).where(n.order_id.in_(orders)), n.store_id
    ).subquery("sold")
    query = (
        select(
            r.order_id,
            cast(func.sum(r.refund), Double).label("refund"),
            cast(func.sum(cost_back(sold) - r.refund), Double).label("margin"),
        )
        .select_from(returned(sold))
        .where(r.exclusion.is_(None), r.order_id.in_(orders))
        .group_by(r.order_id)
    )
    return scope.limit(query, r.sale_store_id).subquery("back")


def _rhythm(scope: Scope, redeemed: CTE) -> Subquery:
    """One row per customer and day with a redemption: the gaps between the visits before it."""
    d = customer_store_day.c
    who = select(redeemed.c.customer_no, redeemed.c.day).distinct().cte("who")
    visit = scope.limit(
        select(d.customer_no, d.day)
        .where(d.orders > 0, d.customer_no.in_(select(who.c.customer_no)))
        .group_by(d.customer_no, d.day),
        d.store_id,
    ).subquery("visit")
    v = visit.c
    earlier = func.lag(v.day, type_=Date).over(partition_by=v.customer_no, order_by=v.day)
    gap = select(v.customer_no, v.day, cast(v.day - earlier, Integer).label("days")).subquery("gap")
    g = gap.c
    return (
        select(
            who.c.customer_no,
            who.c.day,
            func.count(g.days).label("gaps"),
            func.median(g.days, type_=Double).label("usual_days"),
            cast(who.c.day - func.max(g.day, type_=Date), Integer).label("since"),
        )
        .join_from(who, gap, and_(g.customer_no == who.c.customer_no, g.day < who.c.day))
        .group_by(who.c.customer_no, who.c.day)
        .subquery("rhythm")
    )


def _of(column: ColumnElement[str], campaign_id: str | None) -> ColumnElement[bool]:
    return true() if campaign_id is None else column == campaign_id
