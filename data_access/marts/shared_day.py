"""One row per customer, local day and store of the days on which the customer ordered in two stores or more.

Visits to any set of stores are days with an order in each, less those that such days count twice.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Date, Select, String, Table, and_, select

from data_access.marts._mart import Mart
from data_access.marts.tables import facts
from data_access.marts.visit import numbered_stores, visit

shared_day = Table(
    "shared_day",
    facts,
    Column("customer_no", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("store_id", String, nullable=False),
)


def query() -> Select[Any]:
    v, stores = visit.c, numbered_stores()
    days = select(v.customer_no, v.day).where(v.previous_in_chain == v.day).distinct().subquery("days")
    return (
        select(v.customer_no, v.day, stores.c.store_id)
        .join_from(visit, days, and_(days.c.customer_no == v.customer_no, days.c.day == v.day))
        .join(stores, stores.c.store_no == v.store_no)
        .where(v.orders > 0)
    )


MART = Mart(shared_day, query, by="customer", order_by=("customer_no", "day", "store_id"))
