"""One row per campaign that has a row of its own, an arm, a member or an event: the steps people took in it.

A set of steps is kept as one number: the n-th of ``STEPS`` has the value 2 ** n.
"""

from typing import Any

from sqlalchemy import Column, Integer, Select, String, Table, case, func, literal, select, union_all

from data_access.marts._mart import Mart
from data_access.marts.tables import campaign, campaign_arm, campaign_event, campaign_member, facts

# What a customer can do in a campaign, from the first step to the last.
STEPS = ("targeted", "sent", "delivered", "opened", "clicked", "claimed", "visited", "bought", "bought_again")
BIT = {step: 1 << position for position, step in enumerate(STEPS)}

# The kinds of events by the step they prove: to attend is to visit.
EVENTS = {
    "sent": ("sent",),
    "delivered": ("delivered",),
    "opened": ("opened",),
    "clicked": ("clicked",),
    "claimed": ("claimed",),
    "visited": ("visited", "attended"),
}

campaign_use = Table(
    "campaign_use",
    facts,
    Column("campaign_id", String, nullable=False),
    # the set of steps that anybody took in it, 'targeted' when it has members; purchases are left out
    Column("steps", Integer, nullable=False),
)


def query() -> Select[Any]:
    e, m = campaign_event.c, campaign_member.c
    kinds = {kind: BIT[step] for step, names in EVENTS.items() for kind in names}
    every = union_all(
        select(e.campaign_id, case(kinds, value=e.kind, else_=0).label("step")).group_by(e.campaign_id, e.kind),
        select(m.campaign_id, literal(BIT["targeted"]).label("step")).group_by(m.campaign_id),
        select(campaign_arm.c.campaign_id, literal(0).label("step")),
        select(campaign.c.campaign_id, literal(0).label("step")),
    ).subquery("every")
    steps = func.bit_or(every.c.step, type_=Integer)
    return select(every.c.campaign_id, steps.label("steps")).group_by(every.c.campaign_id)


MART = Mart(campaign_use, query, by="whole", order_by=("campaign_id",))
