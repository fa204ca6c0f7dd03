"""One row per place with a buyer: the values that part its customers into groups, over all days.

With it a row of ``customer_place`` tells its own scores, class, quadrant and segment by plain comparisons.
"""

from functools import cache
from typing import Any

from sqlalchemy import Column, Select, String, Subquery, Table, or_, select, true

from data_access.marts._mart import Mart
from data_access.marts._scores import cut_columns, cuts
from data_access.marts.customer_place import customer_place
from data_access.marts.segment_rules import ABC_A, ABC_B
from data_access.marts.tables import facts, generation_info

customer_cut = Table(
    "customer_cut",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # as in place_store
    *cut_columns(),  # as documented there, with M from net sales
)


@cache
def people_of_places() -> Subquery:
    """The base of every place on the last day of the data, as ``_scores`` takes it, without who registered later."""
    c, last_day = customer_place.c, generation_info.c.last_day
    return (
        select(
            c.level,
            c.place_id,
            c.customer_no,
            c.orders.label("orders_ever"),
            c.first_day,
            c.last_day,
            c.orders,
            c.visits,
            c.gross_sales,
            c.net_sales,
            c.costed_sales,
            c.margin,
            c.gaps,
            c.median_gap,
            c.gap_trend,
            c.amount_trend,
            last_day.label("as_of"),
        )
        .join_from(customer_place, generation_info, true())
        .where(or_(c.orders > 0, c.joined_on.is_(None), c.joined_on <= last_day))
        .subquery("people")
    )


def query() -> Select[Any]:
    return cuts(people_of_places(), "net_sales", ABC_A, ABC_B)


MART = Mart(customer_cut, query, by="whole", order_by=("level", "place_id"))
