"""One row per place, tie rule and combination of groups of customers that occurs, on the last day of the data.

Every table of the segments report, over all days and by net sales, is a sum of these rows.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, String, Table, and_
from sqlalchemy.sql.selectable import CompoundSelect

from data_access.marts._mart import Mart
from data_access.marts._scores import cells
from data_access.marts.customer_cut import customer_cut, people_of_places
from data_access.marts.tables import Money, facts

segment_cell = Table(
    "segment_cell",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # as in place_store
    Column("tie_rule", String, nullable=False),  # equal_size | keep_ties
    Column("r", Integer),  # 1 to 5; null: no order
    Column("f", Integer),
    Column("m", Integer),
    Column("segment", String),
    Column("abc", String, nullable=False),
    Column("quadrant", String),  # null: no order
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
    return cells(people, cut, people.outerjoin(customer_cut, here), "net_sales")


MART = Mart(segment_cell, query, by="whole", order_by=("level", "place_id", "tie_rule", "r", "f", "m"))
