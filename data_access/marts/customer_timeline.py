"""One row per counted order and per counted return of an identified customer, by customer and time."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Numeric, String, Table, func, literal, null, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, return_line, sale_order

customer_timeline = Table(
    "customer_timeline",
    facts,
    Column("customer_no", BigInteger, nullable=False),
    Column("happened_at", DateTime, nullable=False),  # store-local
    Column("kind", String, nullable=False),  # purchase | return
    Column("order_id", String),  # of a return: the receipt it is linked to; null without a link
    Column("return_id", String),  # null: a purchase
    Column("store_id", String, nullable=False),  # of a return: where it was brought back
    Column("units", Numeric(18, 4), nullable=False),  # sold or brought back, so never negative
    Column("amount", Money, nullable=False),  # gross sales or refund, so never negative
)


def query() -> CompoundSelect[Any]:
    o, r = sale_order.c, return_line.c
    return union_all(
        select(
            o.customer_no,
            o.ordered_at.label("happened_at"),
            literal("purchase").label("kind"),
            o.order_id,
            null().label("return_id"),
            o.store_id,
            o.units,
            o.gross_sales.label("amount"),
        ).where(o.exclusion.is_(None), o.customer_no.is_not(None)),
        select(
            r.customer_no,
            func.min(r.returned_at).label("happened_at"),
            literal("return").label("kind"),
            r.order_id,
            r.return_id,
            r.store_id,
            func.sum(r.quantity).label("units"),
            func.sum(r.refund).label("amount"),
        )
        .where(r.exclusion.is_(None), r.customer_no.is_not(None))
        .group_by(r.customer_no, r.return_id, r.order_id, r.store_id),
    )


MART = Mart(
    customer_timeline, query, by="customer", order_by=("customer_no", "happened_at", "kind", "order_id", "return_id")
)
