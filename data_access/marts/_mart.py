"""What a mart is: a table of figures that pages ask for again and again, added up once, at refresh.

The rule for having one: a page asks for it on every visit, and from the facts it would cost more than 20 ms at ten
million lines, or more the more customers there are. Each states its grain and is a sum, a count or a choice over facts
and earlier marts, written once in SQLAlchemy Core, so that any engine can build it. Marts of customers and of products
exist per place: the chain, each region, each store. Customers of two stores are two rows at the grain of stores and
one at that of their region, so the figures of places are not sums of one another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Integer, Numeric, Select, Table
from sqlalchemy.sql.selectable import CompoundSelect

# What of a mart is built again when some facts have changed:
#   receipt       the rows of every touched order_id; such a mart has the receipt's day, too
#   store_day     the rows of every touched (store_id, day)
#   product_day   the rows of every touched (product_id, day)
#   customer      the rows of every touched customer_no
#   customer_sum  a sum over customers: what the touched ones contributed before goes, what they contribute now comes
#   whole         all of it
By = Literal["receipt", "store_day", "product_day", "customer", "customer_sum", "whole"]

KEYS: dict[By, tuple[str, ...]] = {
    "receipt": ("order_id",),
    "store_day": ("store_id", "day"),
    "product_day": ("product_id", "day"),
    "customer": ("customer_no",),
}


@dataclass(frozen=True)
class Mart:
    """One mart: its table, the query that fills it, what is built again together, and the order of its rows.

    ``query`` reads tables of ``data_access.marts.tables`` and of marts before it. A mart by ``customer_sum`` has
    the columns of its group (``order_by`` names the numbers among them) and sums; one of them is ``rows``, the number
    of rows added up: without any, the row goes. A ``step`` serves other marts only and is not kept.
    """

    table: Table
    query: Callable[[], Select[Any] | CompoundSelect[Any]]
    by: By
    order_by: tuple[str, ...]
    step: bool = False

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def sums(self) -> list[str]:
        """Of a mart by ``customer_sum``: its numbers, but for those that name a group."""
        numbers = (c for c in self.table.c if isinstance(c.type, Integer | Numeric))
        return [c.name for c in numbers if c.name not in self.order_by]
