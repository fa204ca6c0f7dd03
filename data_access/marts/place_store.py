"""One row per place and store in it: the chain, each region and each store are places."""

from typing import Any

from sqlalchemy import Column, String, Table, literal, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from data_access.marts._mart import Mart
from data_access.marts.tables import facts, store

CHAIN = "chain"  # the level of the chain, and its only place

place_store = Table(
    "place_store",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # 'chain', region_id or store_id
    Column("store_id", String, nullable=False),
)


def query() -> CompoundSelect[Any]:
    s = store.c
    return union_all(
        select(literal(CHAIN).label("level"), literal(CHAIN).label("place_id"), s.store_id),
        select(literal("region").label("level"), s.region_id.label("place_id"), s.store_id),
        select(literal("store").label("level"), s.store_id.label("place_id"), s.store_id),
    )


MART = Mart(place_store, query, by="whole", order_by=("level", "place_id", "store_id"))
