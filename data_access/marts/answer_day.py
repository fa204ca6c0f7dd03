"""One row per kind of survey, store and day (UTC) with an answer.

The store is where the person works who was judged, else that of the receipt; null where neither is known.
"""

from typing import Any

from sqlalchemy import Column, Date, Integer, Select, String, Table, case, cast, func, select

from data_access.marts._mart import Mart
from data_access.marts.tables import facts, sale_order, survey_answer

PROMOTER, DETRACTOR = 9, 6  # of 0 to 10: from this on; up to this

answer_day = Table(
    "answer_day",
    facts,
    Column("kind", String, nullable=False),  # nps (0-10) | csat | product | staff (1-5)
    Column("store_id", String),
    Column("day", Date, nullable=False),
    Column("answers", Integer, nullable=False),
    Column("score", Integer, nullable=False),  # sum
    Column("score_score", Integer, nullable=False),  # sum of squares
    Column("promoters", Integer, nullable=False),
    Column("detractors", Integer, nullable=False),
)


def query() -> Select[Any]:
    a, o = survey_answer.c, sale_order.c
    store_id, day = func.coalesce(a.store_id, o.store_id), cast(a.answered_at, Date)
    return (
        select(
            a.kind,
            store_id.label("store_id"),
            day.label("day"),
            func.count().label("answers"),
            func.sum(a.score).label("score"),
            func.sum(a.score * a.score).label("score_score"),
            func.sum(case((a.score >= PROMOTER, 1), else_=0)).label("promoters"),
            func.sum(case((a.score <= DETRACTOR, 1), else_=0)).label("detractors"),
        )
        .select_from(survey_answer.outerjoin(sale_order, sale_order.c.order_id == a.order_id))
        .group_by(a.kind, store_id, day)
    )


MART = Mart(answer_day, query, by="whole", order_by=("kind", "day", "store_id"))
