"""A CRM database small enough to add up by hand: three stores, two time zones, every kind of receipt.

Receipts (net of their lines; local time of the store):

=====  ========  =====  ===================  ======================================================
O1     C1        S1     2026-01-01 23:59:59  2 x P1 100.10 + 1 x P2 50.05
O2     C1        S1     2026-01-02 00:00:00  1 x P1 60.00
O2b    C1        S1     2026-01-02 00:00:00  1 x P2 30.00, the same instant as O2
O3     -         S2     2026-03-29 00:59:59  1 x P1 40.00, a second before the clocks go forward
O4     C2        S2     2026-03-29 02:00:00  1 x P1 41.00, a second later
O5     C2        S2     2026-07-02 00:30:00  3 x P2 90.00, summer time: still 1 July in UTC
O6     C1        S1     2026-01-05           1 x P1 500.00, cancelled
O7     -         S1     2026-01-05           1 x P1 501.00, a test
O8     -         S1     2026-01-05           1 x P1 502.00, bought by staff
O9     C1        S1     2026-01-05           1 x P1 0.00, a gift
O10    C2        S1     2026-01-05           no lines
O11    C3        S9     2026-01-06 10:00:00  1 x P9 7.00: store, product and customer are not in their tables
=====  ========  =====  ===================  ======================================================

Returns: R1 (20.02, line 2 of O1, brought to S2 on 2026-03-30), R2 (9.99, without a receipt, C2, in S1 on
2026-02-02), R3 (5.00, of the cancelled O6).
"""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select

from data_access.crm import prepare
from data_access.marts.tables import facts
from data_access.schema import crm
from data_access.snapshot import current_snapshot

# What identifies a person and must never leave the CRM.
PERSONAL = ("李雷", "13800000001", "lilei@example.cn", "1990-05-06", "王小美", "Wang Xiaomei", "wx_lilei", "韩梅梅")


def _order(
    order_id: str, customer: str | None, store: str, at: datetime, kind: str = "sale", **more: Any
) -> dict[str, Any]:
    order = {"order_id": order_id, "customer_id": customer, "store_id": store, "ordered_at": at, "kind": kind}
    return {**order, "staff_id": "E1", "channel": "store", "currency": "CNY", "cancelled_at": None, **more}


def _line(order_id: str, line_no: int, product: str, quantity: int, net: str, cost: str = "10") -> dict[str, Any]:
    line = {"order_id": order_id, "line_no": line_no, "product_id": product, "quantity": Decimal(quantity)}
    amounts = {"net": Decimal(net), "tax": Decimal("1.30"), "discount": Decimal("0.50"), "cost": Decimal(cost)}
    return {**line, **amounts, "list_price": Decimal("99.9000")}


def _return(return_id: str, store: str, at: datetime, refund: str, **more: Any) -> dict[str, Any]:
    line = {"return_id": return_id, "line_no": 1, "store_id": store, "returned_at": at, "refund": Decimal(refund)}
    empty = {"order_id": None, "order_line_no": None, "customer_id": None}
    return {**line, "product_id": "P2", "quantity": Decimal(1), "currency": "CNY", "reason": "allergy", **empty, **more}


def rows() -> dict[str, list[dict[str, Any]]]:
    """The rows by canonical table; a fresh copy, for tests to change."""
    return {
        "data_source": [
            {"source_id": "1", "kind": "import", "name": "by hand", "loaded_at": datetime(2026, 7, 3, 1, 2, 3)}
        ],
        "translation": [
            {"field": "store.name", "source_text": "南京路", "language": "en", "text": "Nanjing Road"},
            {"field": "staff.name", "source_text": "王小美", "language": "en", "text": "Wang Xiaomei"},
        ],
        "region": [{"region_id": "R1", "name": "华东"}],
        "store": [
            {"store_id": "S1", "name": "南京路", "region_id": "R1", "kind": "shop", "time_zone": "Asia/Shanghai"}
            | {"currency": "CNY", "area_m2": 120.5, "opened_on": date(2020, 1, 1)},
            {"store_id": "S2", "name": "Soho", "region_id": None, "kind": "shop", "time_zone": "Europe/London"}
            | {"currency": "CNY", "area_m2": None, "opened_on": None},
            {"store_id": "W1", "name": "仓库", "region_id": "R1", "kind": "warehouse", "time_zone": "Asia/Shanghai"}
            | {"currency": "CNY", "area_m2": None, "opened_on": None},
        ],
        "product": [
            {
                "product_id": "P1",
                "name": "面霜",
                "category": "护肤",
                "list_price": Decimal("99.90"),
                "attributes": '{"a": "b,\nc"}',
            },
            {"product_id": "P2", "name": "口红", "category": "彩妆", "list_price": Decimal("59.90"), "attributes": ""},
        ],
        "staff": [{"staff_id": "E1", "home_store_id": "S1", "name": "王小美", "role": "adviser"}],
        "customer": [
            {"customer_id": "C1", "name": "李雷", "phone": "13800000001", "email": "lilei@example.cn"}
            | {"birthday": date(1990, 5, 6), "gender": "male", "home_store_id": "S1", "joined_on": date(2025, 1, 1)},
            {"customer_id": "C2", "name": "韩梅梅", "phone": None, "email": None}
            | {"birthday": date(2008, 7, 3), "gender": "female", "home_store_id": "S2", "joined_on": date(2025, 2, 1)},
            {"customer_id": "C10", "name": None, "phone": None, "email": None}
            | {"birthday": date(2099, 1, 1), "gender": None, "home_store_id": None, "joined_on": None},
        ],
        "customer_identity": [{"channel": "wechat", "external_id": "wx_lilei", "customer_id": "C1"}],
        "tier": [{"tier_id": "T1", "name": "银卡", "rank": 1}, {"tier_id": "T2", "name": "金卡", "rank": 2}],
        "tier_change": [
            {"customer_id": "C1", "changed_at": datetime(2025, 6, 1), "tier_id": "T2"},
            {"customer_id": "C1", "changed_at": datetime(2025, 1, 1), "tier_id": "T1"},
        ],
        "sale_order": [
            _order("O1", "C1", "S1", datetime(2026, 1, 1, 15, 59, 59)),
            _order("O2", "C1", "S1", datetime(2026, 1, 1, 16, 0, 0)),
            _order("O2b", "C1", "S1", datetime(2026, 1, 1, 16, 0, 0)),
            _order("O3", None, "S2", datetime(2026, 3, 29, 0, 59, 59)),
            _order("O4", "C2", "S2", datetime(2026, 3, 29, 1, 0, 0)),
            _order("O5", "C2", "S2", datetime(2026, 7, 1, 23, 30, 0)),
            _order("O6", "C1", "S1", datetime(2026, 1, 5, 2), cancelled_at=datetime(2026, 1, 5, 3)),
            _order("O7", None, "S1", datetime(2026, 1, 5, 2), kind="test"),
            _order("O8", None, "S1", datetime(2026, 1, 5, 2), kind="staff_purchase"),
            _order("O9", "C1", "S1", datetime(2026, 1, 5, 2)),
            _order("O10", "C2", "S1", datetime(2026, 1, 5, 2)),
            _order("O11", "C3", "S9", datetime(2026, 1, 6, 2)),
        ],
        "sale_line": [
            _line("O1", 1, "P1", 2, "100.10", cost="40"),
            _line("O1", 2, "P2", 1, "50.05", cost="20"),
            _line("O2", 1, "P1", 1, "60.00"),
            _line("O2b", 1, "P2", 1, "30.00"),
            _line("O3", 1, "P1", 1, "40.00"),
            _line("O4", 1, "P1", 1, "41.00"),
            _line("O5", 1, "P2", 3, "90.00"),
            _line("O6", 1, "P1", 1, "500.00"),
            _line("O7", 1, "P1", 1, "501.00"),
            _line("O8", 1, "P1", 1, "502.00"),
            _line("O9", 1, "P1", 1, "0.00"),
            _line("O11", 1, "P9", 1, "7.00"),
        ],
        "return_line": [
            _return("R1", "S2", datetime(2026, 3, 30, 9), "20.02", order_id="O1", order_line_no=2),
            _return("R2", "S1", datetime(2026, 2, 1, 16, 30), "9.99", customer_id="C2"),
            _return("R3", "S1", datetime(2026, 1, 6, 2), "5.00", order_id="O6", order_line_no=1, product_id="P1"),
        ],
        "store_traffic": [
            {"store_id": "S1", "hour_start": datetime(2026, 1, 1, 15), "visitors": 10, "valid": True},
            {"store_id": "S1", "hour_start": datetime(2026, 1, 1, 16), "visitors": 7, "valid": None},
            {"store_id": "S1", "hour_start": datetime(2026, 1, 2, 2), "visitors": 99, "valid": False},
            {"store_id": "S1", "hour_start": datetime(2026, 1, 3, 2), "visitors": 99, "valid": False},
            {"store_id": "S1", "hour_start": datetime(2026, 1, 4, 2), "visitors": 5, "valid": True},
        ],
    }


def fill(engine: Engine, content: dict[str, list[dict[str, Any]]] | None = None) -> None:
    """Creates the CRM and writes ``content``, by default all of ``rows()``."""
    prepare(engine)
    with engine.begin() as connection:
        for table, table_rows in (rows() if content is None else content).items():
            connection.execute(insert(crm.tables[table]), table_rows)


def facts_rows(home: Path, table: str, *columns: str, **equal: Any) -> list[tuple[Any, ...]]:
    """Rows of a facts table in the generation in force, sorted by all columns."""
    t = facts.tables[table]
    query = select(*(t.c[c] for c in columns or t.c.keys())).where(*(t.c[k] == v for k, v in equal.items()))
    with current_snapshot(home).engine.connect() as connection:
        return sorted(map(tuple, connection.execute(query)), key=lambda row: [(v is None, str(v)) for v in row])
