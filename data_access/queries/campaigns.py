"""Campaigns: which there are, and how far the customers of the stores in scope went in them.

A customer of a campaign belongs to one store, so every count is the sum over stores.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Select, and_, case, cast, extract, false, func, or_, select, true

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.campaign_step import UNASSIGNED, campaign_step
from data_access.marts.campaign_use import BIT, campaign_use
from data_access.marts.tables import campaign
from data_access.queries._elsewhere import withheld
from data_access.queries._frame import count, fetch
from data_access.queries._places import summable_rows
from data_access.scope import Period, Scope

PURCHASES = ("bought", "bought_again")  # steps that every campaign uses


def known(scope: Scope, engine: Engine, campaign_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """One row per campaign that concerns the scope (of these, where told), the latest first, those without a first day
    last.

    Columns: campaign_id, name, type, channel, objective, offer, starts_on, ends_on, window_last (last day on which an
    order counts for it), is_planned.
    """
    return fetch(scope, engine, _known(scope, engine, campaign_ids))


def ran(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per campaign that concerns the scope and ran on a day of ``period``, the earliest first.

    Columns: campaign_id, name, starts_on, ends_on; one without a last day ran on its first.
    """
    c, campaign_id = campaign.c, campaign_use.c.campaign_id
    last = func.coalesce(c.ends_on, c.starts_on)
    return fetch(
        scope,
        engine,
        select(campaign_id, func.coalesce(c.name, campaign_id).label("name"), c.starts_on, last.label("ends_on"))
        .join_from(campaign_use, campaign, c.campaign_id == campaign_id)
        .where(concerns(scope, engine, campaign_id), c.starts_on <= period.last, last >= period.first)
        .order_by(c.starts_on, campaign_id),
    )


def campaigns(scope: Scope, engine: Engine) -> pd.DataFrame:
    """As ``known``, with how far their customers went.

    Columns: campaign_id, name, type, channel, objective, offer, starts_on, ends_on, window_last, is_planned, targeted
    and held_back (customers in scope assigned to its treated arms, and to its control groups); of those not held back
    reached (a message was delivered; where nobody notes that, sent) and engaged (clicked; where nobody notes that,
    claimed, else visited), NaN where nothing of the kind is noted.
    """
    s = campaign_step.c

    def taken(step: str, of: ColumnElement[bool] | None = None) -> ColumnElement[int]:
        return count(s.customers, and_(s.step == step, ~s.is_control if of is None else of))

    assigned = (
        select(
            s.campaign_id,
            taken("targeted").label("targeted"),
            taken("targeted", s.is_control).label("held_back"),
            _first_noted(taken, "delivered", "sent").label("reached"),
            _first_noted(taken, "clicked", "claimed", "visited").label("engaged"),
        )
        .where(summable_rows(scope, engine, campaign_step))
        .group_by(s.campaign_id)
        .subquery("assigned")
    )
    counted = _known(scope, engine, None).add_columns(
        func.coalesce(assigned.c.targeted, 0).label("targeted"),
        func.coalesce(assigned.c.held_back, 0).label("held_back"),
        cast(assigned.c.reached, Double).label("reached"),
        cast(assigned.c.engaged, Double).label("engaged"),
    )
    joined = counted.outerjoin_from(campaign_use, assigned, assigned.c.campaign_id == campaign_use.c.campaign_id)
    return fetch(scope, engine, joined)


def _known(scope: Scope, engine: Engine, campaign_ids: Sequence[str] | None) -> Select[Any]:
    c, campaign_id = campaign.c, campaign_use.c.campaign_id
    return (
        select(
            campaign_id,
            func.coalesce(c.name, campaign_id).label("name"),
            c.type,
            c.channel,
            c.objective,
            c.offer,
            c.starts_on,
            c.ends_on,
            c.window_last,
            func.coalesce(c.is_planned, False).label("is_planned"),
        )
        .outerjoin_from(campaign_use, campaign, c.campaign_id == campaign_id)
        .where(concerns(scope, engine, campaign_id), _one_of(campaign_id, campaign_ids))
        .order_by(c.starts_on.desc().nulls_last(), campaign_id)
    )


def _one_of(campaign_id: ColumnElement[str], campaign_ids: Sequence[str] | None) -> ColumnElement[bool]:
    return true() if campaign_ids is None else campaign_id.in_(campaign_ids)


def _first_noted(taken: Callable[[str], ColumnElement[int]], *steps: str) -> ColumnElement[Any]:
    """How many took the first of ``steps`` that anybody is noted to have taken; null: none of them."""
    return func.coalesce(*(func.nullif(taken(step), 0) for step in steps))


def concerns(scope: Scope, engine: Engine, campaign_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a campaign is for the scope: for the chain every one, for stores one that somebody of them is in, or
    nobody at all yet. What other stores are up to is theirs."""
    if scope.kind == "chain":
        return true()
    if not scope.store_ids:
        return false()
    s = campaign_step.c
    own = select(s.campaign_id).where(summable_rows(scope, engine, campaign_step), s.customers > 0)
    u, c = campaign_use.c, campaign.c
    planned = (
        select(u.campaign_id).join_from(campaign_use, campaign, c.campaign_id == u.campaign_id).where(u.steps == 0)
    )
    return or_(campaign_id.in_(own), campaign_id.in_(planned))


def funnel_steps(scope: Scope, engine: Engine, campaign_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """One row per campaign with customers in scope, arm and step; of all campaigns unless told.

    Columns: campaign_id, arm ('' for customers whom nobody assigned), is_control, step (``campaign_use.STEPS`` in
    their order, then redeemed and unsubscribed), is_used (whether anybody took it in the campaign; purchases always),
    and the customers who took it: customers (in any order), customers_at_least (it or a later one),
    customers_in_order (after every earlier step the campaign uses). Of campaigns ``withheld`` without purchases: those
    steps are missing, and customers_at_least counts the step alone.
    """
    hidden = withheld(scope, engine, campaign_ids)
    s, use = campaign_step.c, campaign_use.c
    used = or_(use.steps.bitwise_and(case(BIT, value=s.step, else_=0)) > 0, s.step.in_(PURCHASES))
    query = (
        select(
            s.campaign_id,
            s.arm,
            s.is_control,
            s.step,
            func.bool_or(used).label("is_used"),
            *(count(column).label(column.name) for column in (s.customers, s.customers_at_least, s.customers_in_order)),
        )
        .join_from(campaign_step, campaign_use, use.campaign_id == s.campaign_id)
        .where(summable_rows(scope, engine, campaign_step))
        .group_by(s.campaign_id, s.arm, s.is_control, s.step)
        .order_by(s.campaign_id, s.arm, case(BIT, value=s.step, else_=2 * max(BIT.values())), s.step)
    )
    if hidden:
        query = query.where(or_(s.campaign_id.not_in(hidden), s.step.not_in((*PURCHASES, "redeemed"))))
    found = fetch(scope, engine, query.where(_one_of(s.campaign_id, campaign_ids)))
    alone = found["campaign_id"].isin(hidden)
    return found.assign(customers_at_least=found["customers_at_least"].mask(alone, found["customers"]))


def step_hours(
    scope: Scope, engine: Engine, campaign_id: str, previous: Mapping[str, str], arms: Sequence[str]
) -> pd.DataFrame:
    """One row per step of ``previous``: how long those in scope and in ``arms`` took who took it in order.

    ``previous`` names the earlier step the hours are counted from. Columns: step, median_hours (NaN when nobody took
    it or the earlier instant is unknown).
    """
    c = campaign_customer.c
    hidden = PURCHASES if withheld(scope, engine, [campaign_id]) else ()
    asked = {step: earlier for step, earlier in previous.items() if _sees_anything(scope) and step not in hidden}
    medians = []
    for step, earlier in asked.items():
        seconds = extract("epoch", _instant(step)) - extract("epoch", _instant(earlier))
        taken = c.in_order.bitwise_and(BIT[step]) > 0
        medians.append(cast(func.median(case((taken, seconds))) / 3600, Double).label(step))
    in_arms = func.coalesce(c.arm, UNASSIGNED).in_(arms)
    hours: dict[Any, Any] = {}
    if medians:
        query = select(*medians).where(c.campaign_id == campaign_id, in_arms)
        hours = fetch(scope, engine, scope.limit(query, c.store_id)).iloc[0].to_dict()
    return pd.DataFrame(
        {
            "step": pd.Series(list(hours), dtype="str"),
            "median_hours": pd.Series(list(hours.values()), dtype="float64"),
        }
    )


def _instant(step: str) -> ColumnElement[Any]:
    """When the customer took a step in order."""
    return campaign_customer.c[
        {"targeted": "assigned_at", "bought": "converted_at", "bought_again": "converted_again_at"}.get(
            step, f"{step}_at"
        )
    ]


def _sees_anything(scope: Scope) -> bool:
    return scope.kind == "chain" or bool(scope.store_ids)
