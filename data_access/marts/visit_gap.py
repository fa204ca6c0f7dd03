"""One row per place, local day with an order and day of the same customers' order before it there.

Distinct buyers of a period are the customers of its days whose day before lies before the period, or who have none;
the new ones among them are those who have none.
"""

from typing import Any

from sqlalchemy import Column, Date, Integer, Select, String, Table, and_, func, literal, select, union_all

from data_access.marts._mart import Mart
from data_access.marts.tables import facts
from data_access.marts.visit import Level, levels, numbered_places, visit

visit_gap = Table(
    "visit_gap",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # as in place_store
    Column("day", Date, nullable=False),
    Column("previous_day", Date),  # null: their first order there
    Column("customers", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
)


def query() -> Select[Any]:
    sums = union_all(*(_of_level(level) for level in levels())).subquery("sums")
    places = numbered_places()
    s, p = sums.c, places.c
    return select(p.level, p.place_id, s.day, s.previous_day, s.rows.label("customers"), s.rows).join_from(
        sums, places, and_(p.level == s.level, p.place_no == s.place_no)
    )


def _of_level(level: Level) -> Select[Any]:
    place_no, previous_day = level.place_no.label("place_no"), level.previous_day.label("previous_day")
    days = select(place_no, visit.c.day, previous_day).where(level.first_of_day).subquery(f"days_of_{level.name}")
    d = days.c
    return select(
        literal(level.name).label("level"), d.place_no, d.day, d.previous_day, func.count().label("rows")
    ).group_by(d.place_no, d.day, d.previous_day)


MART = Mart(visit_gap, query, by="customer_sum", order_by=("level", "place_id", "day", "previous_day"))
