"""The named segment of every customer on an earlier day, by scores alone: a tenth of what all groups of a day take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Engine,
    Integer,
    MetaData,
    String,
    Subquery,
    Table,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from data_access.marts import _scores as grouping
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.segment_rules import PROSPECT
from data_access.marts.tables import Money, customer_rank
from data_access.queries._frame import first_row, kept
from data_access.queries._groups import NOT_KNOWN
from data_access.scope import Scope

_bought = Table(
    "bought_by_then",
    MetaData(),
    Column("level", String),
    Column("place_id", String),
    Column("customer_no", BigInteger),
    Column("orders", Integer),
    Column("last_day", Date),
    Column("net_sales", Money),
    Column("id_rank", Integer),
)


@dataclass(frozen=True, slots=True)
class Then:
    """The buyers of the stores in scope up to the end of ``day``, as only ``connection`` sees them: customer_no,
    segment."""

    connection: Connection
    day: date
    buyers: Subquery

    def segment(self, joined_on: ColumnElement[Any]) -> ColumnElement[str]:
        """The segment of somebody outer-joined to ``buyers``: who had not bought is a prospect from registering on."""
        registered = or_(joined_on.is_(None), joined_on <= self.day)
        return func.coalesce(self.buyers.c.segment, case((registered, PROSPECT), else_=NOT_KNOWN))


@contextmanager
def segments_then(scope: Scope, engine: Engine, day: date) -> Iterator[Then]:
    """Everybody's segment at the end of ``day``, as ``queries.segments`` has it with equal values sharing a score."""
    d = customer_store_day.c
    sums = (
        select(
            d.customer_no,
            cast(func.sum(d.orders), Integer).label("orders"),
            func.max(case((d.orders > 0, d.day))).label("last_day"),
            cast(func.sum(d.net_sales), Money).label("net_sales"),
        )
        .where(d.day <= day)
        .group_by(d.customer_no)
        .having(func.sum(d.orders) > 0)
    )
    s = scope.limit(sums, d.store_id).subquery("sums")
    same = (literal("asked", String).label("level"), literal("asked", String).label("place_id"))
    ranked = select(*same, *s.c, customer_rank.c.id_rank).join_from(
        s, customer_rank, customer_rank.c.customer_no == s.c.customer_no
    )
    with engine.connect() as connection, kept(scope, connection, ranked, _bought):
        found = first_row(scope, connection, grouping.score_cuts(_bought))
        cut = {name: literal(value) for name, value in found.items() if "_cut_" in name}
        b = _bought.c
        segment: ColumnElement[Any] = literal(NOT_KNOWN, String)
        if cut:
            scores = grouping.scores(_bought, cut, "net_sales", "keep_ties")
            segment = grouping.segment(scores["r"], scores["f"], scores["m"], b.orders)
        yield Then(connection, day, select(b.customer_no, segment.label("segment")).subquery("then"))
