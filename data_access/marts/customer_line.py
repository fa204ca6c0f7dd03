"""One row per line of a counted receipt of an identified customer; the rows of a customer lie together, by day."""

from typing import Any

from sqlalchemy import BigInteger, Column, Date, Integer, Numeric, Select, String, Table, select

from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, sale_line

customer_line = Table(
    "customer_line",
    facts,
    Column("customer_no", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("order_id", String, nullable=False),
    Column("line_no", Integer, nullable=False),
    Column("store_id", String, nullable=False),
    Column("channel", String),
    Column("product_id", String, nullable=False),
    Column("quantity", Numeric(18, 4), nullable=False),
    Column("net", Money, nullable=False),
    Column("discount", Money),
)


def query() -> Select[Any]:
    line = sale_line.c
    columns = (line[column.name] for column in customer_line.c)
    return select(*columns).where(line.exclusion.is_(None), line.customer_no.is_not(None))


MART = Mart(customer_line, query, by="receipt", order_by=("customer_no", "day", "order_id", "line_no"))
