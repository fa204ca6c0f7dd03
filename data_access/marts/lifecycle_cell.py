"""One row per place, preset of the lifecycle and stage that occurs, on the last day of the data."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, String, Table, and_
from sqlalchemy.sql.selectable import CompoundSelect

from data_access.marts._mart import Mart
from data_access.marts._scores import stages
from data_access.marts.customer_cut import customer_cut, people_of_places
from data_access.marts.tables import Money, facts

lifecycle_cell = Table(
    "lifecycle_cell",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # as in place_store
    Column("preset", String, nullable=False),  # as in segment_rules, as are the stages
    Column("stage", String, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("visits", BigInteger, nullable=False),
    Column("orders", BigInteger, nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("costed_sales", Money, nullable=False),
    Column("margin", Money, nullable=False),
)


def query() -> CompoundSelect[Any]:
    people, cut = people_of_places(), customer_cut.c
    here = and_(cut.level == people.c.level, cut.place_id == people.c.place_id)
    return stages(people, cut, people.outerjoin(customer_cut, here))


MART = Mart(lifecycle_cell, query, by="whole", order_by=("level", "place_id", "preset", "stage"))
