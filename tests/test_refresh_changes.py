"""Reading only what has changed gives, row for row, what reading everything gives."""

import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, update

from data_access import collect, schema
from data_access.crm import crm_engine
from data_access.marts.tables import facts
from data_access.refresh import RefreshReport, refresh
from tests import tiny_crm
from tests.tiny_crm import facts_rows

# What says how a generation came to be, not what it holds.
HOW = {"generation_info", "table_load"}
START = datetime(2026, 7, 3)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    return place


@pytest.fixture
def engine(home: Path) -> Engine:
    made = crm_engine(f"sqlite:///{home}/crm.sqlite")
    content = tiny_crm.rows()
    for rows in content.values():
        for row in rows:
            row["updated_at"] = START - timedelta(days=1)
    tiny_crm.fill(made, content)
    return made


@pytest.fixture
def by_watermark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even tables of a few rows are read by their watermark."""
    monkeypatch.setattr(collect, "WHOLE_BELOW", 0)


def expect_same_as_everything(engine: Engine, home: Path, work: Path) -> None:
    """Compares the generation in force with one read from scratch."""
    scratch = work / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    shutil.copy(home / "pseudonym.key", scratch)
    refresh(engine, scratch, full=True)
    for name in sorted(set(facts.tables) - HOW):
        assert facts_rows(home, name) == facts_rows(scratch, name), name


def write(engine: Engine, *statements: Any) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def changed(report: RefreshReport) -> tuple[str, int]:
    return report.mode, report.rows_changed


@pytest.mark.usefixtures("by_watermark")
def test_nothing_changed_nothing_is_derived(engine: Engine, home: Path, tmp_path: Path) -> None:
    refresh(engine, home)
    assert changed(refresh(engine, home)) == ("changes", 0)
    expect_same_as_everything(engine, home, tmp_path)


def _order(order_id: str, **values: Any) -> Any:
    row = {"order_id": order_id, "store_id": "S1", "ordered_at": START, "kind": "sale", "channel": "store"}
    row["currency"] = "CNY"
    return insert(schema.sale_order).values({**row, "updated_at": START, **values})


def _line(order_id: str, line_no: int, net: str, **values: Any) -> Any:
    row = {"order_id": order_id, "line_no": line_no, "product_id": "P1", "quantity": 1, "net": Decimal(net)}
    return insert(schema.sale_line).values({**row, "updated_at": START, **values})


CHANGES: dict[str, list[Any]] = {
    "a new receipt": [_order("N1", customer_id="C1"), _line("N1", 1, "12.50"), _line("N1", 2, "3")],
    "a late receipt": [
        _order("N1", customer_id="C2", ordered_at=datetime(2026, 1, 1, 10)),
        _line("N1", 1, "8"),
    ],
    "a new customer, store and product": [
        insert(schema.customer).values(
            customer_id="B7", birthday=date(2001, 2, 3), home_store_id="S1", updated_at=START
        ),
        _order("N1", customer_id="B7", store_id="S7"),
        _line("N1", 1, "5", product_id="P7"),
    ],
    "a line that changes": [
        update(schema.sale_line)
        .where(schema.sale_line.c.order_id == "O1", schema.sale_line.c.line_no == 1)
        .values(net=Decimal("0.01"), product_id="P2", updated_at=START)
    ],
    "a line that changes without saying so": [
        update(schema.sale_line).where(schema.sale_line.c.order_id == "O2").values(net=Decimal("77"))
    ],
    "a receipt that changes hands, place and day": [
        update(schema.sale_order)
        .where(schema.sale_order.c.order_id == "O1")
        .values(customer_id="C2", store_id="S2", ordered_at=datetime(2026, 2, 2), updated_at=START)
    ],
    "a receipt that is cancelled": [
        update(schema.sale_order)
        .where(schema.sale_order.c.order_id == "O1")
        .values(cancelled_at=START, updated_at=START)
    ],
    "a receipt that goes with its lines": [
        delete(schema.sale_line).where(schema.sale_line.c.order_id == "O1"),
        delete(schema.sale_order).where(schema.sale_order.c.order_id == "O1"),
    ],
    "a receipt that leaves its lines behind": [delete(schema.sale_order).where(schema.sale_order.c.order_id == "O2")],
    "a line without a receipt": [_line("N9", 1, "4")],
    "a return of an old receipt": [
        insert(schema.return_line).values(
            return_id="R9", line_no=1, order_id="O5", order_line_no=1, store_id="S1", product_id="P2",
            returned_at=START, quantity=1, refund=Decimal("30"), updated_at=START,
        )
    ],
    "a return that goes": [delete(schema.return_line).where(schema.return_line.c.return_id == "R1")],
    "a customer who goes": [delete(schema.customer).where(schema.customer.c.customer_id == "C10")],
    "a customer of another age and tier": [
        update(schema.customer)
        .where(schema.customer.c.customer_id == "C2")
        .values(birthday=date(1950, 1, 1), home_store_id="S1", updated_at=START),
        insert(schema.tier_change).values(customer_id="C2", changed_at=START, tier_id="T1", updated_at=START),
    ],
    "a birthday between two days": [_order("N1", ordered_at=datetime(2026, 7, 4, 12)), _line("N1", 1, "1")],
    "visitors": [
        insert(schema.store_traffic).values(
            store_id="S1", hour_start=datetime(2026, 1, 2, 3), visitors=11, valid=True, updated_at=START
        )
    ],
    "another name and region": [
        update(schema.product).where(schema.product.c.product_id == "P1").values(name="日霜", updated_at=START),
        update(schema.store).where(schema.store.c.store_id == "S2").values(region_id="R1", updated_at=START),
    ],
    "a campaign with what people did in it": [
        insert(schema.campaign).values(
            campaign_id="K1", name="七夕", starts_on=date(2026, 1, 1), ends_on=date(2026, 1, 31), window_days=7,
            updated_at=START,
        ),
        insert(schema.campaign_arm).values(campaign_id="K1", arm="A", is_control=False, updated_at=START),
        insert(schema.campaign_member).values(
            [
                {"campaign_id": "K1", "customer_id": customer, "arm": "A", "assigned_at": START, "updated_at": START}
                for customer in ("C1", "C2", "X9")
            ]
        ),
        insert(schema.campaign_event).values(
            event_id="V1", campaign_id="K1", customer_id="C1", kind="sent", occurred_at=datetime(2026, 1, 1, 2),
            updated_at=START,
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize("whole_below", [0, 20_000], ids=["by watermark", "as a whole"])
@pytest.mark.parametrize("what", CHANGES)
def test_a_change_gives_what_reading_everything_gives(
    what: str, whole_below: int, engine: Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "WHOLE_BELOW", whole_below)
    refresh(engine, home)
    write(engine, *CHANGES[what])
    report = refresh(engine, home)
    assert report.rows_changed >= 1
    assert (report.mode == "full") == (what == "another name and region")
    expect_same_as_everything(engine, home, tmp_path)
