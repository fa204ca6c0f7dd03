"""How concentrated net sales are, per place: at most some 120 points, the best customers first, over all days."""

from typing import Any

from sqlalchemy import Column, Integer, Select, String, Table

from data_access.marts._mart import Mart
from data_access.marts._scores import spend_curve as curve_of
from data_access.marts.customer_cut import people_of_places
from data_access.marts.tables import Money, facts

POINTS = 120

spend_curve = Table(
    "spend_curve",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # as in place_store
    Column("customers", Integer, nullable=False),  # so many of the best, of those with net sales above 0
    Column("net_sales", Money, nullable=False),  # of these together
)


def query() -> Select[Any]:
    return curve_of(people_of_places(), POINTS)


MART = Mart(spend_curve, query, by="whole", order_by=("level", "place_id", "customers"))
