"""One customer, as far as the stores in scope know them: who bought or returned something there or is registered there.

Of anybody else, as of a key that nobody has, there is nothing at all.
"""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Select, case, cast, false, func, null, or_, select, union

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.customer_timeline import customer_timeline
from data_access.marts.tables import campaign, consent, customer, product, sale_line, store
from data_access.pseudonym import number_of
from data_access.queries._frame import fetch, values
from data_access.scope import Scope


def profile(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row for a registered customer of the stores in scope, none for anybody else.

    Columns: store_id (home store), store (its name) and joined_on (date), NA for somebody who is at home outside the
    scope; gender, age_band, is_adult (unknown age is not adult), city, source, account_type, importance, tier (name).
    """
    c = customer.c
    facts = (c.gender, c.age_band, c.is_adult, c.city, c.source, c.account_type, c.importance, c.tier)
    home = (c.home_store_id.label("store_id"), store.c.name.label("store"), c.joined_on)
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
    line, p, d = sale_line.c, product.c, customer_store_day.c
    one, two = (select(func.quantile_cont(p.list_price, part / 3)).scalar_subquery() for part in (1, 2))
    band = case((p.list_price <= one, "low"), (p.list_price <= two, "middle"), (p.list_price > two, "high"))
    bought_on = select(d.day).distinct().where(_is(d.customer_no, customer_key), d.orders > 0)
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
        .select_from(sale_line.outerjoin(product, p.product_id == line.product_id))
        # Lines lie by day: only the blocks of these days are read.
        .where(
            _is(line.customer_no, customer_key),
            line.exclusion.is_(None),
            line.day.in_(values(scope, engine, scope.limit(bought_on, d.store_id))),
        )
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
    g, c, t = consent.c, customer.c, customer_timeline.c
    at_home = scope.limit(select(c.customer_no).where(_is(c.customer_no, customer_key)), c.home_store_id)
    seen = scope.limit(select(t.customer_no).where(_is(t.customer_no, customer_key)), t.store_id)
    here = union(at_home, seen).subquery("here")
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
