"""What customers agreed to, whether that was kept, and what is due to be forgotten: in sums, never by customer.

A customer belongs to the home store; customers of none are seen by the chain only.
"""

from datetime import date, datetime, time
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Engine, case, extract, false, func, select

from data_access.marts.consent_breach import MARKETING, consent_breach
from data_access.marts.consent_store import ANY, consent_store
from data_access.marts.customer_place import customer_place
from data_access.marts.place_store import CHAIN
from data_access.marts.tables import campaign, consent, customer, incident, store
from data_access.queries._frame import count, fetch
from data_access.scope import Scope

_MINOR = "under 18"


def coverage(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per purpose and channel with a consent, and one per purpose for any channel ('').

    Columns: purpose, channel, agreed (customers who ever did), live (still do), withdrawn (the others), live_adults (of
    those who still do, known to be 18 or older).
    """
    c = consent_store.c
    query = (
        select(
            c.purpose,
            c.channel,
            count(c.agreed).label("agreed"),
            count(c.live).label("live"),
            (count(c.agreed) - count(c.live)).label("withdrawn"),
            count(c.live_adults).label("live_adults"),
        )
        .group_by(c.purpose, c.channel)
        .order_by(c.purpose, c.channel)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def by_store(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per home store with a customer, by its id; customers of none last (NA).

    Columns: store_id, store (name), customers (registered), minors, age_unknown, live (agree to marketing in some
    channel), contactable (of these, known to be 18 or older).
    """
    c, s = customer.c, consent_store.c
    people = scope.limit(
        select(
            c.home_store_id,
            func.count().label("customers"),
            func.sum(case((c.age_band == _MINOR, 1), else_=0)).label("minors"),
            func.sum(case((c.age_band.is_(None), 1), else_=0)).label("age_unknown"),
        ).group_by(c.home_store_id),
        c.home_store_id,
    ).subquery("people")
    agreeing = scope.limit(
        select(s.store_id, s.live, s.live_adults).where(s.purpose == MARKETING, s.channel == ANY), s.store_id
    ).subquery("agreeing")
    same = agreeing.c.store_id.is_not_distinct_from(people.c.home_store_id)
    query = (
        select(
            people.c.home_store_id.label("store_id"),
            func.coalesce(store.c.name, people.c.home_store_id).label("store"),
            people.c.customers,
            count(people.c.minors).label("minors"),
            count(people.c.age_unknown).label("age_unknown"),
            count(agreeing.c.live).label("live"),
            count(agreeing.c.live_adults).label("contactable"),
        )
        .select_from(people.outerjoin(agreeing, same).outerjoin(store, store.c.store_id == people.c.home_store_id))
        .group_by(people.c.home_store_id, store.c.name, people.c.customers)
        .order_by(people.c.home_store_id.nulls_last())
    )
    return fetch(scope, engine, query)


def contacts_without_consent(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per campaign, channel and reason, the latest first: messages that nobody had agreed to.

    Columns: campaign_id, campaign (name), channel (whose consent was needed), reason (withdrawn: before the message |
    never_given), contacts, customers, first_at and last_at (datetime64, UTC).
    """
    b = consent_breach.c
    name = func.coalesce(campaign.c.name, b.campaign_id)
    last_at = func.max(b.last_at)
    query = (
        select(
            b.campaign_id,
            name.label("campaign"),
            b.channel,
            b.reason,
            count(b.contacts).label("contacts"),
            count(b.customers).label("customers"),
            func.min(b.first_at).label("first_at"),
            last_at.label("last_at"),
        )
        .join_from(consent_breach, campaign, campaign.c.campaign_id == b.campaign_id, isouter=True)
        .group_by(b.campaign_id, campaign.c.name, b.channel, b.reason)
        .order_by(last_at.desc(), b.campaign_id, b.channel, b.reason)
    )
    return fetch(scope, engine, scope.limit(query, b.store_id))


def incidents(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per incident with data that the CRM records, the latest first; none outside the chain scope.

    Columns: incident_id, kind, detected_at, contained_at, notified_at (datetime64, UTC), records_affected.
    """
    c = incident.c
    query = select(c.incident_id, c.kind, c.detected_at, c.contained_at, c.notified_at, c.records_affected)
    query = query.order_by(c.detected_at.desc(), c.incident_id)
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(false()))


def without_purchase(scope: Scope, engine: Engine, before: date) -> pd.DataFrame:
    """One row per year of the last purchase, or of joining: customers who joined and last bought before a day.

    Nothing outside the chain scope; customers of whom neither day is known are not counted. Columns: year, customers.
    """
    p = customer_place.c
    last_seen = func.greatest(p.last_day, p.joined_on)  # either may be unknown
    gone = select(p.customer_no, last_seen.label("last_seen")).where(
        p.level == CHAIN, p.place_id == CHAIN, last_seen < before
    )
    g = (gone if scope.kind == "chain" else gone.where(false())).subquery("gone").c
    year: ColumnElement[Any] = extract("year", g.last_seen)
    query = (
        select(year.label("year"), func.count().label("customers"))
        .join_from(g.customer_no.table, customer, customer.c.customer_no == g.customer_no)  # who is registered
        .group_by(year)
        .order_by(year)
    )
    return fetch(scope, engine, query)


def withdrawn_before(scope: Scope, engine: Engine, before: date) -> pd.DataFrame:
    """One row per purpose: consents withdrawn before a day (UTC). Nothing outside the chain scope.

    Columns: purpose, consents.
    """
    c = consent.c
    query = (
        select(c.purpose, func.count().label("consents"))
        .where(c.withdrawn_at < datetime.combine(before, time.min))
        .group_by(c.purpose)
        .order_by(c.purpose)
    )
    return fetch(scope, engine, query if scope.kind == "chain" else query.where(false()))
