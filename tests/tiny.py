"""A facts file small enough to add up by hand, and an open snapshot over it.

Three stores in two regions, six customers, fifteen receipts, four returned lines. The data reach from 1 March 2025
to 20 March 2026; the period most tests look at is 1 to 20 March 2026 (MARCH), compared with 9 to 28 February 2026
and 1 to 20 March 2025. Money is excluding tax.

The facts are written by hand from the receipts below; the marts are built from them as at a refresh, and
``tests.test_marts`` compares each with plain loops over the same receipts.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from data_access.marts import tables
from data_access.marts._sql import sql
from data_access.marts.registry import MARTS
from data_access.pseudonym import customer_key
from data_access.scope import Period, Scope
from data_access.snapshot import GenerationInfo, Snapshot
from tests import tiny_campaigns, tiny_consents, tiny_service, tiny_staff

MARCH = Period(date(2026, 3, 1), date(2026, 3, 20))
FEBRUARY = Period(date(2026, 2, 9), date(2026, 2, 28))  # the twenty days before MARCH
MARCH_2025 = Period(date(2025, 3, 1), date(2025, 3, 20))
AS_OF = date(2026, 3, 20)

CHAIN = Scope("chain")
ONLY_A = Scope("stores", ("A",))
NORTH = Scope("stores", ("A", "B"))
NOTHING = Scope("stores")


@dataclass(frozen=True)
class Order:
    """A receipt; lines are (product, quantity, net of the line)."""

    order_id: str
    store_id: str
    customer: int | None
    at: datetime
    lines: tuple[tuple[str, int, str], ...]
    exclusion: str | None = None

    @property
    def net(self) -> Decimal:
        return sum((Decimal(net) for _, _, net in self.lines), Decimal(0))


@dataclass(frozen=True)
class Return:
    """A returned line, booked in ``store_id`` at ``at``; linked to (order, line) or to nothing."""

    return_id: str
    store_id: str
    customer: int | None
    at: datetime
    product_id: str
    quantity: int
    refund: str
    of: tuple[str, int] | None = None
    exclusion: str | None = None


STORES = (
    # store, name, region, region's name, opened
    ("A", "Alder Road", "north", "North", date(2020, 1, 1)),
    ("B", "Birch Mall", "north", "North", date(2020, 1, 1)),
    ("C", "Cedar Square", "south", "South", date(2026, 2, 20)),
)
PRODUCTS = (("P1", "Cream", "skin care"), ("P2", "Lipstick", "make-up"), ("P3", "Perfume", "fragrance"))
# customer number -> home store; 5 never bought anything that counts
CUSTOMERS = {1: "A", 2: "A", 3: "B", 4: "C", 5: "A", 6: None}

ORDERS = (
    Order("O1", "A", 1, datetime(2025, 3, 1, 10), (("P1", 1, "100"),)),
    Order("O2", "A", 1, datetime(2025, 3, 20, 11), (("P2", 2, "60"),)),
    Order("O3", "B", 2, datetime(2025, 6, 15, 12), (("P3", 1, "200"),)),
    Order("O4", "A", 2, datetime(2026, 2, 9, 10), (("P1", 1, "100"), ("P2", 1, "30"))),
    Order("O5", "B", 3, datetime(2026, 2, 20, 15), (("P2", 3, "90"),)),
    Order("O6", "C", 4, datetime(2026, 2, 28, 16), (("P3", 1, "210"),)),
    Order("O7", "A", 1, datetime(2026, 3, 2, 10), (("P1", 2, "190"),)),
    Order("O8", "A", 1, datetime(2026, 3, 2, 18), (("P2", 1, "30"),)),  # the second of the day: still one visit
    Order("O9", "B", 1, datetime(2026, 3, 5, 10), (("P3", 1, "205"),)),
    Order("O10", "A", None, datetime(2026, 3, 6, 11), (("P2", 1, "31"),)),
    Order("O11", "C", 4, datetime(2026, 3, 10, 14), (("P3", 2, "400"),)),
    Order("O12", "B", 3, datetime(2026, 3, 12, 15), (("P1", 1, "105"),)),
    Order("O13", "A", 6, datetime(2026, 3, 15, 12), (("P2", 2, "58"),)),
    Order("O14", "A", 5, datetime(2026, 3, 16, 12), (("P1", 1, "999"),), exclusion="test"),
    Order("O15", "B", 2, datetime(2026, 3, 20, 20, 30), (("P1", 1, "110.25"),)),
)
RETURNS = (
    Return("R1", "A", 2, datetime(2026, 3, 3, 10), "P2", 1, "30", of=("O4", 2)),
    Return("R2", "C", 4, datetime(2026, 3, 11, 14), "P3", 1, "15.50"),
    Return("R3", "A", 5, datetime(2026, 3, 17, 12), "P1", 1, "999", of=("O14", 1), exclusion="test"),
    Return("R4", "A", 2, datetime(2026, 2, 10, 10), "P3", 1, "200", of=("O3", 1)),  # bought in B, returned in A
)
# (store, day) -> people through the door; every other day has no valid count
VISITORS = {
    ("A", date(2026, 3, 2)): 40,
    ("A", date(2026, 3, 4)): 30,
    ("A", date(2026, 3, 6)): 20,
    ("B", date(2026, 3, 5)): 10,
    ("B", date(2026, 3, 12)): 10,
}


def snapshot(path: Path) -> Snapshot:
    """Writes the facts to ``path`` and opens them read-only."""
    engine = create_engine(f"duckdb:///{path}")
    tables.facts.create_all(engine)
    with engine.begin() as connection:
        for name, rows in _rows().items():
            table = tables.facts.tables[name]
            connection.execute(insert(table), [{c.name: row.get(c.name) for c in table.columns} for row in rows])
        for mart in MARTS:
            mart.table.create(connection, checkfirst=True)  # steps are none of the facts
            connection.exec_driver_sql(f"INSERT INTO {mart.name} BY NAME {sql(mart.query(), 'main')}")
    engine.dispose()
    info = GenerationInfo(
        7, datetime(2026, 3, 21, 2), datetime(2026, 3, 20, 20, 30), date(2025, 3, 1), AS_OF, "CNY", is_demo=False
    )
    return Snapshot("7", create_engine(f"duckdb:///{path}", connect_args={"read_only": True}), info)


def key(customer: int | None) -> str | None:
    """The pseudonym of a customer."""
    return None if customer is None else customer_key(customer)


def _rows() -> dict[str, list[dict[str, Any]]]:
    return {
        **tiny_campaigns.rows(),
        **tiny_consents.rows(),
        **tiny_service.rows(),
        **tiny_staff.rows(),
        "generation_info": [
            {
                "generation": 7,
                "built_at": datetime(2026, 3, 21, 2),
                "as_of": datetime(2026, 3, 20, 20, 30),
                "first_day": date(2025, 3, 1),
                "last_day": AS_OF,
                "currency": "CNY",
                "is_demo": False,
            }
        ],
        "table_status": [
            {"table_name": "sale_order", "state": "ok", "rows": 15, "newest": datetime(2026, 3, 21)},
            {"table_name": "campaign", "state": "empty", "rows": 0, "disables": "campaigns,campaign"},
        ],
        "reconciliation": [
            {"figure": "sale_line.net", "crm": Decimal("2918.25"), "snapshot": Decimal("2918.25"), "difference": 0}
        ],
        "data_source": [
            {"source_id": "1", "kind": "import", "name": "by hand", "loaded_at": datetime(2026, 3, 21), "rows_read": 19}
        ],
        "store": [
            {
                "store_id": store_id,
                "name": name,
                "region_id": region_id,
                "region_name": region,
                "kind": "shop",
                "opened_on": opened,
                "time_zone": "Asia/Shanghai",
                "currency": "CNY",
            }
            for store_id, name, region_id, region, opened in STORES
        ],
        "product": [
            {"product_id": product_id, "name": name, "category": category, "list_price": 120}
            for product_id, name, category in PRODUCTS
        ],
        # 1 and 5 are at home in A, 3 in B.
        "shared_contact": [{"kind": "phone", "group_no": 1, "customer_no": number} for number in (1, 3, 5)],
        "customer": [
            {
                "customer_no": customer,
                "home_store_id": home,
                "is_adult": customer not in tiny_consents.MINORS,
                "joined_on": date(2025, 1, 1),
            }
            for customer, home in CUSTOMERS.items()
        ],
        "customer_rank": [{"customer_no": customer, "id_rank": customer} for customer in _everybody()],
        "sale_order": _orders(),
        "sale_line": _lines(),
        "return_line": _returns(RETURNS),
        "store_traffic": [
            {"store_id": store_id, "day": day, "hour": 12, "visitors": visitors}
            for (store_id, day), visitors in VISITORS.items()
        ],
    }


def _orders() -> list[dict[str, Any]]:
    rows = []
    for order in ORDERS:
        rows.append(
            {
                "order_id": order.order_id,
                "store_id": order.store_id,
                "customer_no": order.customer,
                "staff_id": tiny_staff.SERVED.get(order.order_id),
                "channel": "store",
                "ordered_at": order.at,
                "utc": order.at - timedelta(hours=8),
                "day": order.at.date(),
                "gross_sales": order.net,
                "units": sum(quantity for _, quantity, _ in order.lines),
                "lines": len(order.lines),
                "exclusion": order.exclusion,
            }
        )
    return rows


def _lines() -> list[dict[str, Any]]:
    return [
        {
            "order_id": order.order_id,
            "line_no": line_no,
            "store_id": order.store_id,
            "customer_no": order.customer,
            "product_id": product_id,
            "day": order.at.date(),
            "channel": "store",
            "quantity": quantity,
            "net": Decimal(net),
            "exclusion": order.exclusion,
        }
        for order in ORDERS
        for line_no, (product_id, quantity, net) in enumerate(order.lines, start=1)
    ]


def _returns(returns: tuple[Return, ...]) -> list[dict[str, Any]]:
    return [
        {
            "return_id": back.return_id,
            "line_no": 1,
            "order_id": back.of[0] if back.of else None,
            "order_line_no": back.of[1] if back.of else None,
            "store_id": back.store_id,
            "customer_no": back.customer,
            "product_id": back.product_id,
            "returned_at": back.at,
            "day": back.at.date(),
            "quantity": back.quantity,
            "refund": Decimal(back.refund),
            "exclusion": back.exclusion,
            **dict(zip(("sale_store_id", "sale_day"), sold_at(back), strict=True)),
            "sale_channel": "store" if back.of else None,
        }
        for back in returns
    ]


def sold_at(back: Return) -> tuple[str, date]:
    """Where and when was sold what came back; without a receipt, where and when it came back."""
    if back.of is None:
        return back.store_id, back.at.date()
    order = next(o for o in ORDERS if o.order_id == back.of[0])
    return order.store_id, order.at.date()


def _everybody() -> list[int]:
    """Every customer who is registered, bought or returned something."""
    named = {order.customer for order in ORDERS} | {back.customer for back in RETURNS}
    return sorted({*CUSTOMERS, *(customer for customer in named if customer is not None)})
