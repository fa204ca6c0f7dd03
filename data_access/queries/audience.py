"""Who could be in an audience: the customers that fit some conditions, with what decides whether they may be contacted.

The conditions look at orders in the stores in scope. Consent is that of the last refresh; when a list leaves, the CRM
itself is asked again (``data_access.consents``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import (
    CTE,
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
    literal,
    select,
    true,
)

from data_access.marts._bridge import days_between
from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.consent_breach import MARKETING
from data_access.marts.segment_rules import SEGMENTS, STAGES, Preset
from data_access.marts.tables import campaign, consent, customer, product, sale_line
from data_access.queries._frame import fetch, fetch_many
from data_access.queries._groups import groups
from data_access.queries._people import Question, people_of
from data_access.queries.segments import literals
from data_access.scope import Scope

STAGE: Preset = "five_phase"  # the stages of life that tell who is about to be lost
FATIGUE_DAYS = 30  # back from the last day in which campaigns that reached a customer count
NEVER, WITHDRAWN, LIVES = range(3)  # what a customer says to a channel


@dataclass(frozen=True, slots=True)
class Bought:
    """Counted lines of a category or a product (None: of anything) in the last ``days`` (None: ever).

    least: in all for at least this much, excluding tax. none: whoever did not is meant.
    """

    category: str | None = None
    product_id: str | None = None
    days: int | None = None
    least: float = 0.0
    none: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """Whom an audience is made of: whoever fits all conditions; one without values is none.

    birthday_within: days ahead of the last day in which the birthday lies. quiet_for: days since the last order at
    least.
    """

    segments: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    bought: Bought | None = None
    birthday_within: int | None = None
    quiet_for: int | None = None

    def __post_init__(self) -> None:
        if not set(self.segments) <= set(SEGMENTS) or not set(self.stages) <= set(STAGES[STAGE]):
            raise ValueError("no such segment or stage of life")


def candidates(
    scope: Scope,
    engine: Engine,
    as_of: date,
    conditions: Conditions,
    cuts: Any,
    channels: Sequence[str],
) -> pd.DataFrame:
    """One row per customer of the stores in scope who fits ``conditions`` at the end of ``as_of``, by number.

    ``cuts``: the row of ``segments.cuts``, by which segments are named.

    Columns: customer_no, days_since (the last order in scope; NaN: none), is_registered, age_known, is_adult, contacts
    (campaigns that reached the customer in the last 30 days), is_held_back (in the control group of a campaign whose
    window is still open) and one per place in ``channels``: agreed_0, agreed_1, ... (``NEVER``, ``WITHDRAWN`` or
    ``LIVES``: what the customer says to marketing there).
    """
    people = people_of(scope, engine, Question(as_of))
    named = {"segment": conditions.segments, STAGE: conditions.stages, "tier": conditions.tiers}
    asked = {name: values for name, values in named.items() if values}
    source, found = groups(people, literals(cuts), Question(as_of), "keep_ties", scope, asked)
    wanted: list[ColumnElement[bool]] = [found[name].in_(values) for name, values in asked.items()]
    p, k = people.c, customer.c
    since = days_between(p.last_day, cast(literal(as_of), Date))
    if conditions.quiet_for is not None:
        wanted.append(and_(p.orders_ever > 0, since >= conditions.quiet_for))
    if conditions.bought is not None:
        buyers = _bought(scope, as_of, conditions.bought)
        wanted.append(p.customer_no.not_in(buyers) if conditions.bought.none else p.customer_no.in_(buyers))
    chosen = (
        select(p.customer_no, cast(case((p.orders_ever > 0, since)), Double).label("days_since"))
        .select_from(source)
        .where(and_(true(), *wanted))
        .cte("chosen")
    )
    agreed, reached, held = _agreed(chosen, channels), _reached(scope, as_of), _held(scope, as_of)
    n = chosen.c
    query = (
        select(
            n.customer_no,
            n.days_since,
            k.customer_no.is_not(None).label("is_registered"),
            k.age_band.is_not(None).label("age_known"),
            func.coalesce(k.is_adult, False).label("is_adult"),
            cast(func.coalesce(reached.c.contacts, 0), Integer).label("contacts"),
            held.c.customer_no.is_not(None).label("is_held_back"),
            *(
                cast(func.coalesce(agreed.c[f"agreed_{at}"], NEVER), Integer).label(f"agreed_{at}")
                for at in range(len(channels))
            ),
        )
        .select_from(chosen)
        .outerjoin(customer, k.customer_no == n.customer_no)
        .outerjoin(agreed, agreed.c.customer_no == n.customer_no)
        .outerjoin(reached, reached.c.customer_no == n.customer_no)
        .outerjoin(held, held.c.customer_no == n.customer_no)
        .order_by(n.customer_no)
    )
    if conditions.birthday_within is not None:
        query = query.where(k.birth_month_day.in_(_birthdays(as_of, conditions.birthday_within)))
    return fetch_many(scope, engine, query)


def offers(scope: Scope, engine: Engine) -> pd.DataFrame:
    """What was sold in the stores in scope, to choose from: one row per product with a counted line, by category and
    name. Columns: category ('' unknown), product_id, product (name)."""
    n, p = sale_line.c, product.c
    sold = scope.limit(select(n.product_id).where(n.exclusion.is_(None)).distinct(), n.store_id).subquery("sold")
    query = (
        select(func.coalesce(p.category, "").label("category"), p.product_id, p.name.label("product"))
        .join_from(sold, product, p.product_id == sold.c.product_id)
        .order_by("category", "product", p.product_id)
    )
    return fetch(scope, engine, query)


def tiers(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per tier that customers at home in the stores in scope are in. Columns: tier, customers."""
    k = customer.c
    query = (
        select(k.tier, func.count().label("customers"))
        .where(k.tier.is_not(None))
        .group_by(k.tier)
        .order_by(func.count().desc(), k.tier)
    )
    return fetch(scope, engine, scope.limit(query, k.home_store_id))


def _bought(scope: Scope, as_of: date, bought: Bought) -> Select[Any]:
    """The customers with such lines."""
    n, p = sale_line.c, product.c
    rows = (
        select(n.customer_no)
        .join_from(sale_line, product, p.product_id == n.product_id)
        .where(n.exclusion.is_(None), n.customer_no.is_not(None), n.day <= as_of)
        .group_by(n.customer_no)
        .having(func.sum(n.net) >= bought.least)
    )
    if bought.days is not None:
        rows = rows.where(n.day > as_of - timedelta(days=bought.days))
    if bought.category is not None:
        rows = rows.where(func.coalesce(p.category, "") == bought.category)
    if bought.product_id is not None:
        rows = rows.where(n.product_id == bought.product_id)
    return scope.limit(rows, n.store_id)


def _agreed(chosen: CTE, channels: Sequence[str]) -> Subquery:
    """What each of the chosen customers says to marketing in each channel."""
    c = consent.c
    says = case((c.withdrawn_at.is_(None), LIVES), else_=WITHDRAWN)
    return (
        select(
            c.customer_no,
            *(
                func.max(case((c.channel == channel, says), else_=NEVER)).label(f"agreed_{at}")
                for at, channel in enumerate(channels)
            ),
        )
        .join_from(consent, chosen, chosen.c.customer_no == c.customer_no)
        .where(c.purpose == MARKETING)
        .group_by(c.customer_no)
        .subquery("agreed")
    )


def _reached(scope: Scope, as_of: date) -> Subquery:
    """How many campaigns sent each customer something in the days up to ``as_of``."""
    m = campaign_customer.c
    day = cast(func.coalesce(m.sent_at, m.delivered_at), Date)
    query = (
        select(m.customer_no, func.count().label("contacts"))
        .where(day > as_of - timedelta(days=FATIGUE_DAYS), day <= as_of)
        .group_by(m.customer_no)
    )
    return scope.limit(query, m.store_id).subquery("reached")


def _held(scope: Scope, as_of: date) -> Subquery:
    """Who is held back by a campaign whose window is open, or has not begun."""
    m, c = campaign_customer.c, campaign.c
    query = (
        select(m.customer_no)
        .join_from(campaign_customer, campaign, c.campaign_id == m.campaign_id)
        .where(m.is_control, c.window_last >= as_of)
        .distinct()
    )
    return scope.limit(query, m.store_id).subquery("held")


def _birthdays(as_of: date, days: int) -> list[str]:
    """The days of the year, MM-DD, from the one after ``as_of``; somebody born on 29 February has it on the 28th."""
    ahead = [as_of + timedelta(days=day) for day in range(1, days + 1)]
    found = {f"{day:%m-%d}" for day in ahead}
    return sorted(found | ({"02-29"} if "02-28" in found else set()))
