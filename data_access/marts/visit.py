"""One row per identified customer, store and local day with a counted order or a return, and what came before it.

Whoever bought in a place in a period, and not earlier in it, is one buyer of the period. So the step back to the
customer's order before makes distinct buyers of any period, in a store, a region or the chain, sums of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    Date,
    Integer,
    MetaData,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)

from data_access.marts._mart import Mart
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import CHAIN, place_store
from data_access.marts.tables import Money

visit = Table(
    "visit",
    MetaData(),
    Column("customer_no", BigInteger, nullable=False),
    Column("store_no", Integer, nullable=False),  # of numbered_stores, as are the regions
    Column("region_no", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("costed_sales", Money, nullable=False),
    Column("margin", Money, nullable=False),
    # Days of the customer's orders before this row's, in the order of day and store; null: none, or no order here.
    # The same day: another store of the place has counted the visit.
    Column("previous_in_store", Date),
    Column("previous_in_region", Date),
    Column("previous_in_chain", Date),
)


@dataclass(frozen=True, slots=True)
class Level:
    """The rows of ``visit`` as rows of the places of one level."""

    name: str
    place_no: ColumnElement[int]
    previous_day: ColumnElement[Any]

    @property
    def first_of_day(self) -> ColumnElement[bool]:
        """Whether a row is the first one with an order of its customer, place and day."""
        return and_(visit.c.orders > 0, or_(self.previous_day.is_(None), self.previous_day < visit.c.day))


def levels() -> Iterator[Level]:
    """The chain, the regions and the stores."""
    v = visit.c
    yield Level(CHAIN, literal(0), v.previous_in_chain)
    yield Level("region", v.region_no, v.previous_in_region)
    yield Level("store", v.store_no, v.previous_in_store)


@cache
def numbered_stores() -> CTE:
    """Every store and its region with numbers in the order of their ids: sums by number cost half of those by id."""
    p = place_store.c
    return (
        select(
            p.store_id,
            p.place_id.label("region_id"),
            cast(func.row_number().over(order_by=p.store_id), Integer).label("store_no"),
            cast(func.dense_rank().over(order_by=p.place_id), Integer).label("region_no"),
        )
        .where(p.level == "region")
        .cte("numbered_stores")
    )


@cache
def numbered_places() -> CTE:
    """The level, id and number of every place."""
    s = numbered_stores().c
    return union_all(
        select(literal(CHAIN).label("level"), literal(CHAIN).label("place_id"), literal(0).label("place_no")),
        select(literal("region"), s.region_id, s.region_no).distinct(),
        select(literal("store"), s.store_id, s.store_no),
    ).cte("numbered_places")


def query() -> Select[Any]:
    c, stores = customer_store_day.c, numbered_stores()
    s = stores.c

    def previous(*place: ColumnElement[int]) -> ColumnElement[Any]:
        # Days with returns only are steps of their own, which count nowhere.
        before = func.lag(c.day).over(partition_by=[c.customer_no, *place, c.orders > 0], order_by=[c.day, s.store_no])
        return case((c.orders > 0, before))

    return select(
        c.customer_no,
        s.store_no,
        s.region_no,
        c.day,
        c.orders,
        c.gross_sales,
        c.net_sales,
        c.costed_sales,
        c.margin,
        previous(s.store_no).label("previous_in_store"),
        previous(s.region_no).label("previous_in_region"),
        previous().label("previous_in_chain"),
    ).join_from(customer_store_day, stores, s.store_id == c.store_id)


MART = Mart(visit, query, by="customer", order_by=("customer_no", "day"), step=True)
