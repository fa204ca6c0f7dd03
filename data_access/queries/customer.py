"""One customer, as far as the stores in scope know them: who bought or returned something there or is registered there.

Of anybody else, as of a key that nobody has, there is nothing at all.
"""

from collections.abc import Collection
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Date,
    Double,
    Engine,
    Select,
    Subquery,
    case,
    cast,
    exists,
    false,
    func,
    null,
    or_,
    select,
    union,
)

from data_access.marts._bridge import days_between
from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_line import customer_line
from data_access.marts.customer_timeline import customer_timeline
from data_access.marts.stock_position import stock_position
from data_access.marts.tables import (
    appointment,
    campaign,
    consent,
    coupon,
    customer,
    customer_tag,
    follow_up,
    points_entry,
    product,
    staff,
    store,
    ticket,
    tier,
    tier_change,
)
from data_access.pseudonym import number_of
from data_access.queries._frame import fetch
from data_access.scope import Scope


def profile(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row for a registered customer of the stores in scope, none for anybody else.

    Columns: store_id (home store), store (its name), time_zone (its own), joined_on (date) and owner_staff_id (who
    looks after them), NA for somebody who is at home outside the scope; gender, age_band, is_adult (unknown age is not
    adult), city, source, account_type, importance, tier (name), occupation, skin_type and skin_concern (NA unless the
    customer agrees to their being kept).
    """
    c = customer.c
    facts = (
        *(c.gender, c.age_band, c.is_adult, c.city, c.source, c.account_type, c.importance, c.tier),
        *(c.occupation, c.skin_type, c.skin_concern),
    )
    home = (
        *(c.home_store_id.label("store_id"), store.c.name.label("store"), store.c.time_zone),
        *(c.joined_on, c.owner_staff_id),
    )
    at_home = select(*home, *facts).select_from(customer.outerjoin(store, store.c.store_id == c.home_store_id))
    elsewhere = select(*(null().label(column.name) for column in home), *facts)
    return _first_of(scope, engine, customer_key, at_home, elsewhere)


def origin(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """What finds a registered customer of the stores in scope in the CRM again, and what may be done with a contact.

    One row or none. Columns: store_id (home store) and joined_on (date), NA for somebody who is at home outside the
    scope; is_adult, birth_month_day ('MM-DD').
    """
    c = customer.c
    home = (c.home_store_id.label("store_id"), c.joined_on)
    facts = (c.is_adult, c.birth_month_day)
    elsewhere = select(*(null().label(column.name) for column in home), *facts)
    return _first_of(scope, engine, customer_key, select(*home, *facts), elsewhere)


def timeline(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per counted order and return of a customer in the stores in scope, newest first.

    Nothing for a key that nobody has. Columns: happened_at (datetime64, store-local), kind (purchase | return),
    order_id (of a return: the receipt it is linked to, else NA), return_id (NA for a purchase), store_id, store (name),
    units, amount (gross sales or refund, neither negative).
    """
    c = customer_timeline.c
    query = (
        select(
            c.happened_at,
            c.kind,
            c.order_id,
            c.return_id,
            c.store_id,
            func.coalesce(store.c.name, c.store_id).label("store"),
            cast(c.units, Double).label("units"),
            cast(c.amount, Double).label("amount"),
        )
        .join_from(customer_timeline, store, store.c.store_id == c.store_id, isouter=True)
        .where(_is(c.customer_no, customer_key))
        .order_by(c.happened_at.desc(), c.kind.desc(), c.order_id, c.return_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def lines(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per line of the counted orders of a customer in the stores in scope, the newest order first, in it the
    most expensive line.

    Columns: order_id, line_no, day (datetime64), store_id, channel, product_id, product (name), brand, category,
    pack_size, price_band (low | middle | high: the third of the range's list prices the product's lies in), quantity,
    net and discount (of the line).
    """
    line, p = customer_line.c, product.c
    one, two = (select(func.quantile_cont(p.list_price, part / 3)).scalar_subquery() for part in (1, 2))
    band = case((p.list_price <= one, "low"), (p.list_price <= two, "middle"), (p.list_price > two, "high"))
    query = (
        select(
            line.order_id,
            line.line_no,
            line.day,
            line.store_id,
            line.channel,
            line.product_id,
            func.coalesce(p.name, line.product_id).label("product"),
            p.brand,
            p.category,
            p.pack_size,
            band.label("price_band"),
            cast(line.quantity, Double).label("quantity"),
            cast(line.net, Double).label("net"),
            cast(line.discount, Double).label("discount"),
        )
        .select_from(customer_line.outerjoin(product, p.product_id == line.product_id))
        .where(_is(line.customer_no, customer_key))
        .order_by(line.day.desc(), line.order_id, line.net.desc(), line.line_no)
    )
    return fetch(scope, engine, scope.limit(query, line.store_id))


def contacts(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per campaign that a customer got a message of or answered, as a customer of a store in scope, the newest
    first.

    Columns: campaign_id, campaign (name), channel, store_id, time_zone (of the store), and the first instants (UTC, NaT
    where it did not happen): sent_at, opened_at, clicked_at, claimed_at, visited_at, redeemed_at, unsubscribed_at.
    """
    c = campaign_customer.c
    steps = (c.sent_at, c.opened_at, c.clicked_at, c.claimed_at, c.visited_at, c.redeemed_at, c.unsubscribed_at)
    query = (
        select(
            c.campaign_id,
            func.coalesce(campaign.c.name, c.campaign_id).label("campaign"),
            c.channel,
            c.store_id,
            store.c.time_zone,
            *steps,
        )
        .select_from(
            campaign_customer.outerjoin(campaign, campaign.c.campaign_id == c.campaign_id).outerjoin(
                store, store.c.store_id == c.store_id
            )
        )
        .where(_is(c.customer_no, customer_key), or_(*(step.is_not(None) for step in steps)))
        .order_by(func.coalesce(*steps).desc(), c.campaign_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def consents(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per purpose and channel for which a customer of the stores in scope ever agreed.

    Columns: purpose, channel, lives (whether the agreement holds), granted_at (UTC, the latest), withdrawn_at (UTC, the
    latest; NaT while it holds).
    """
    g, here = consent.c, _here(scope, customer_key)
    lives = func.bool_or(g.withdrawn_at.is_(None))
    query = (
        select(
            g.purpose,
            g.channel,
            lives.label("lives"),
            func.max(g.granted_at).label("granted_at"),
            case((lives, null()), else_=func.max(g.withdrawn_at)).label("withdrawn_at"),
        )
        .join_from(consent, here, here.c.customer_no == g.customer_no)
        .where(_is(g.customer_no, customer_key))
        .group_by(g.purpose, g.channel)
        .order_by(g.purpose, g.channel)
    )
    return fetch(scope, engine, query)


def tickets(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per service contact that a store in scope has with a customer, the newest first.

    Columns: ticket_id, opened_at (UTC), store_id, store (name), time_zone (of the store), channel, category, reason,
    is_complaint, product (name), resolved_at (UTC, NaT: open).
    """
    c = ticket.c
    query = (
        select(
            c.ticket_id,
            c.opened_at,
            c.store_id,
            store.c.name.label("store"),
            store.c.time_zone,
            c.channel,
            c.category,
            c.reason,
            c.is_complaint,
            func.coalesce(product.c.name, c.product_id).label("product"),
            c.resolved_at,
        )
        .select_from(
            ticket.outerjoin(store, store.c.store_id == c.store_id).outerjoin(
                product, product.c.product_id == c.product_id
            )
        )
        .where(_is(c.customer_no, customer_key))
        .order_by(c.opened_at.desc(), c.ticket_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def calls(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per planned contact with a customer that people of the stores in scope made, the newest first.

    Columns: done_at (UTC), rule, channel, outcome, store_id and store (of whoever made it), time_zone.
    """
    c = follow_up.c
    people = scope.limit(select(staff.c.staff_id, staff.c.home_store_id), staff.c.home_store_id).subquery("people")
    here = _here(scope, customer_key)
    query = (
        select(
            c.done_at,
            c.rule,
            c.channel,
            c.outcome,
            people.c.home_store_id.label("store_id"),
            store.c.name.label("store"),
            store.c.time_zone,
        )
        .select_from(
            follow_up.join(here, here.c.customer_no == c.customer_no)
            .join(people, people.c.staff_id == c.staff_id)
            .join(store, store.c.store_id == people.c.home_store_id)
        )
        .where(_is(c.customer_no, customer_key), c.done_at.is_not(None))
        .order_by(c.done_at.desc(), c.follow_up_id)
    )
    return fetch(scope, engine, query)


def appointments(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per service that a customer booked in a store in scope, the newest first.

    Columns: starts_at (store-local), status, service (name), store_id, store (name).
    """
    c = appointment.c
    query = (
        select(
            c.starts_at,
            c.status,
            func.coalesce(product.c.name, c.product_id).label("service"),
            c.store_id,
            store.c.name.label("store"),
        )
        .select_from(
            appointment.outerjoin(store, store.c.store_id == c.store_id).outerjoin(
                product, product.c.product_id == c.product_id
            )
        )
        .where(_is(c.customer_no, customer_key))
        .order_by(c.starts_at.desc(), c.appointment_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def points(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per booking in a customer's ledger of points, the newest first; outside the chain scope only those that
    belong to an order in the stores in scope.

    Columns: booked_at (UTC), points (negative when spent or expired), kind (earn | burn | expire | adjust), order_id.
    """
    c, t = points_entry.c, customer_timeline.c
    here = _here(scope, customer_key)
    query = (
        select(c.booked_at, c.points, c.kind, c.order_id)
        .join_from(points_entry, here, here.c.customer_no == c.customer_no)
        .where(_is(c.customer_no, customer_key))
        .order_by(c.booked_at.desc(), c.entry_id)
    )
    if scope.kind != "chain":
        orders = scope.limit(select(t.order_id).where(_is(t.customer_no, customer_key)), t.store_id)
        query = query.where(c.order_id.in_(orders))
    return fetch(scope, engine, query)


def standing(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """What benefits a customer of the stores in scope has, whichever store they come from: one row, or none.

    Columns: points_balance (NA without a ledger), tier_id (NA without one).
    """
    e, m, here = points_entry.c, tier_change.c, _here(scope, customer_key)
    balance = (
        select(e.customer_no, cast(func.sum(e.points), Double).label("points_balance"))
        .join_from(points_entry, here, here.c.customer_no == e.customer_no)
        .where(_is(e.customer_no, customer_key))
        .group_by(e.customer_no)
        .subquery("balance")
    )
    latest = (
        select(m.customer_no, func.arg_max(m.tier_id, m.changed_at).label("tier_id"))
        .join_from(tier_change, here, here.c.customer_no == m.customer_no)
        .where(_is(m.customer_no, customer_key))
        .group_by(m.customer_no)
        .subquery("latest")
    )
    query = select(balance.c.points_balance, latest.c.tier_id).select_from(
        here.outerjoin(balance, balance.c.customer_no == here.c.customer_no).outerjoin(
            latest, latest.c.customer_no == here.c.customer_no
        )
    )
    return fetch(scope, engine, query)


def tier_changes(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per move of a customer into a tier, the newest first. A rise tells of a purchase, so outside the chain
    scope it is told only when the customer bought in a store in scope about that day.

    Columns: changed_at (UTC), tier (name), reason.
    """
    c, t = tier_change.c, customer_timeline.c
    here = _here(scope, customer_key)
    name = func.coalesce(tier.c.name, c.tier_id).label("tier")
    query = (
        select(c.changed_at, name, c.reason)
        .select_from(
            tier_change.join(here, here.c.customer_no == c.customer_no).outerjoin(tier, tier.c.tier_id == c.tier_id)
        )
        .where(_is(c.customer_no, customer_key))
        .order_by(c.changed_at.desc(), c.tier_id)
    )
    if scope.kind != "chain":
        bought = scope.limit(
            select(cast(t.happened_at, Date).label("day")).distinct().where(_is(t.customer_no, customer_key)),
            t.store_id,
        ).subquery("bought")
        about = func.abs(days_between(bought.c.day, cast(c.changed_at, Date))) <= 1
        query = query.where(or_(c.reason.in_(_NO_PURCHASE), exists().where(about).select_from(bought)))
    return fetch(scope, engine, query)


def tiers(scope: Scope, engine: Engine) -> pd.DataFrame:
    """The tiers, the lowest first; none when the scope holds no store.

    Columns: tier_id, tier (name), threshold (money), basis, window_months, review_month.
    """
    c = tier.c
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    query = select(
        c.tier_id,
        c.name.label("tier"),
        cast(c.threshold, Double).label("threshold"),
        c.basis,
        c.window_months,
        c.review_month,
    )
    return fetch(scope, engine, query.where(exists(some_store)).order_by(c.rank, c.tier_id))


def coupons(scope: Scope, engine: Engine, campaign_ids: Collection[str]) -> pd.DataFrame:
    """One row per campaign of these with a coupon, the first to end first; none when the scope holds no store.

    Columns: campaign_id, campaign (name), face_value (the highest of the campaign's coupons), valid_to (the latest).
    """
    c, k = campaign.c, coupon.c
    ends = func.max(k.valid_to)
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    query = (
        select(
            k.campaign_id,
            func.coalesce(func.max(c.name), k.campaign_id).label("campaign"),
            cast(func.max(k.face_value), Double).label("face_value"),
            ends.label("valid_to"),
        )
        .select_from(coupon.outerjoin(campaign, c.campaign_id == k.campaign_id))
        .where(k.campaign_id.in_(sorted(campaign_ids)), exists(some_store))
        .group_by(k.campaign_id)
        .order_by(ends, k.campaign_id)
    )
    return fetch(scope, engine, query)


def tags(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """The tags on a customer of the stores in scope, by name. Column: tag."""
    c, here = customer_tag.c, _here(scope, customer_key)
    query = select(c.tag).distinct().join_from(customer_tag, here, here.c.customer_no == c.customer_no)
    return fetch(scope, engine, query.where(_is(c.customer_no, customer_key)).order_by(c.tag))


def in_stock(scope: Scope, engine: Engine, store_id: str) -> pd.DataFrame:
    """One row per product of which a store in scope has more on hand than is reserved.

    Columns: product_id, product (name), need (subcategory, or the product without one), category, kind, list_price,
    attributes (JSON), units.
    """
    c, p = stock_position.c, product.c
    query = (
        select(
            c.product_id,
            func.coalesce(p.name, c.product_id).label("product"),
            func.coalesce(p.subcategory, c.product_id).label("need"),
            p.category,
            p.kind,
            cast(p.list_price, Double).label("list_price"),
            p.attributes,
            (c.on_hand - c.reserved).label("units"),
        )
        .join_from(stock_position, product, p.product_id == c.product_id, isouter=True)
        .where(c.store_id == store_id, c.on_hand > c.reserved)
        .order_by(c.product_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


_NO_PURCHASE = ("join", "downgrade")  # reasons of tier changes that tell of no purchase


def _here(scope: Scope, customer_key: str) -> Subquery:
    """The customer's number when the customer is registered or was ever seen in a store in scope."""
    c, t = customer.c, customer_timeline.c
    at_home = scope.limit(select(c.customer_no).where(_is(c.customer_no, customer_key)), c.home_store_id)
    seen = scope.limit(select(t.customer_no).where(_is(t.customer_no, customer_key)), t.store_id)
    return union(at_home, seen).subquery("here")


def _is(column: ColumnElement[Any], customer_key: str) -> ColumnElement[bool]:
    number = number_of(customer_key)
    return false() if number is None else column == number


def _first_of(
    scope: Scope,
    engine: Engine,
    customer_key: str,
    at_home: Select[*tuple[Any, ...]],
    elsewhere: Select[*tuple[Any, ...]],
) -> pd.DataFrame:
    """The row of ``at_home`` when the customer is registered in scope; else, of a customer of its stores, the other."""
    c, t = customer.c, customer_timeline.c
    one = _is(c.customer_no, customer_key)
    found = fetch(scope, engine, scope.limit(at_home.where(one), c.home_store_id))
    if not found.empty:
        return found
    seen = scope.limit(select(t.customer_no).distinct().where(_is(t.customer_no, customer_key)), t.store_id)
    here = seen.subquery("here")
    return fetch(scope, engine, elsewhere.join(here, here.c.customer_no == c.customer_no).where(one))
