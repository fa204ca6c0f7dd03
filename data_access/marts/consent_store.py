"""One row per home store, purpose and channel: the registered customers who agreed, and who still do.

A consent lives until a withdrawal is recorded, even one dated ahead; who agreed again after withdrawing has agreed.
"""

from typing import Any

from sqlalchemy import Column, Integer, Select, String, Table, and_, case, func, literal, select, union_all

from data_access.marts._mart import Mart
from data_access.marts.tables import consent, customer, facts

ANY = ""  # any channel at all; a CRM's own channels have names

consent_store = Table(
    "consent_store",
    facts,
    Column("store_id", String),  # home store; null: customers of none
    Column("purpose", String, nullable=False),
    Column("channel", String, nullable=False),  # '': any
    # customers
    Column("agreed", Integer, nullable=False),  # ever
    Column("live", Integer, nullable=False),  # now
    Column("live_adults", Integer, nullable=False),  # of these, known to be 18 or older
)


def query() -> Select[Any]:
    c = consent.c
    lives = func.max(case((c.withdrawn_at.is_(None), 1), else_=0)).label("lives")
    single = select(c.customer_no, c.purpose, c.channel, lives).group_by(c.customer_no, c.purpose, c.channel)
    whole = select(c.customer_no, c.purpose, literal(ANY).label("channel"), lives).group_by(c.customer_no, c.purpose)
    states = union_all(single, whole).subquery("states")
    s = states.c
    adult_too = and_(s.lives == 1, customer.c.is_adult)
    return (
        select(
            customer.c.home_store_id.label("store_id"),
            s.purpose,
            s.channel,
            func.count().label("agreed"),
            func.sum(s.lives).label("live"),
            func.sum(case((adult_too, 1), else_=0)).label("live_adults"),
        )
        .join_from(states, customer, customer.c.customer_no == s.customer_no)
        .group_by(customer.c.home_store_id, s.purpose, s.channel)
    )


MART = Mart(consent_store, query, by="whole", order_by=("store_id", "purpose", "channel"))
