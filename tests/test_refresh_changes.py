"""Reading only what has changed gives, row for row, what reading everything gives."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Connection, Engine, Table, delete, insert, select, update

from data_access import collect, schema
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.marts.tables import facts
from data_access.refresh import refresh
from data_access.schema import pii_columns
from data_access.snapshot import current_snapshot, last_read_at
from data_access.stage_file import stage_path
from tests import tiny_crm
from tests.tiny_crm import facts_rows

# What says how a generation came to be, not what it holds.
HOW = {"generation_info", "table_load"}
START = datetime(2026, 7, 3)


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the tiny CRM, read once in full."""
    place = tmp_path_factory.mktemp("refreshed") / "home"
    place.mkdir()
    engine = crm_engine(f"sqlite:///{place}/crm.sqlite")
    content = tiny_crm.rows()
    for rows in content.values():
        for row in rows:
            row["updated_at"] = START - timedelta(days=1)
    tiny_crm.fill(engine, content)
    refresh(engine, place)
    engine.dispose()
    return place


@pytest.fixture
def home(refreshed: Path, tmp_path: Path) -> Path:
    """The same again, for a test of its own; the CRM keeps its address, which the staged copy remembers."""
    return Path(shutil.copytree(refreshed, tmp_path / "home"))


@pytest.fixture
def engine(home: Path, refreshed: Path) -> Iterator[Engine]:
    made = crm_engine(f"sqlite:///{refreshed}/crm.sqlite")
    yield made
    made.dispose()
    for file in refreshed.glob("crm.sqlite*"):
        file.unlink()
    for file in home.glob("crm.sqlite*"):
        shutil.copy(file, refreshed)


@pytest.fixture
def by_watermark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even tables of a few rows are read by their watermark."""
    monkeypatch.setattr(collect, "WHOLE_BELOW", 0)


def expect_same_as_everything(engine: Engine, home: Path, work: Path) -> None:
    """Compares the generation in force with one read from scratch."""
    scratch = Path(tempfile.mkdtemp(dir=work))
    shutil.copy(home / "pseudonym.key", scratch)
    refresh(engine, scratch, full=True)
    for name in sorted(set(facts.tables) - HOW):
        assert facts_rows(home, name) == facts_rows(scratch, name), name


def write(engine: Engine, *statements: Any) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.usefixtures("by_watermark")
def test_nothing_changed_nothing_is_published(engine: Engine, home: Path, tmp_path: Path) -> None:
    files = sorted(path.name for path in (home / "snapshots").iterdir())
    read_at = last_read_at(home, current_snapshot(home).info)
    report = refresh(engine, home)
    assert (report.mode, report.rows_changed, report.published) == ("changes", 0, False)
    (line,) = report.lines()
    assert line.startswith("nothing has changed: generation 1 stays in force")
    assert sorted(path.name for path in (home / "snapshots").iterdir()) == sorted([*files, "CHECKED"])
    assert last_read_at(home, current_snapshot(home).info) > read_at
    expect_same_as_everything(engine, home, tmp_path)
    write(engine, _order("N1", customer_id="C1"), _line("N1", 1, "12.50"))
    assert refresh(engine, home).published
    # what was noted for the generation before says nothing about this one
    info = current_snapshot(home).info
    assert last_read_at(home, info) == info.read_at


def test_a_count_that_only_the_data_health_page_shows_is_published(engine: Engine, home: Path, tmp_path: Path) -> None:
    write(
        engine,
        insert(schema.competitor_observation).values(
            observation_id="M1", observed_on=date(2026, 10, 1), competitor="丽妍", promotion="满减", updated_at=START
        ),
    )
    report = refresh(engine, home)
    assert (report.rows_changed, report.published) == (0, True)
    expect_same_as_everything(engine, home, tmp_path)


def test_damaged_facts_are_built_again_even_if_nothing_changed(engine: Engine, home: Path) -> None:
    with (home / "snapshots" / "facts_1.duckdb").open("r+b") as file:
        file.seek(-100, 2)
        file.write(b"\0" * 50 + b"\1" * 50)
    assert refresh(engine, home).mode == "full"


def test_a_note_that_cannot_be_read_leaves_the_instant_of_the_generation(home: Path) -> None:
    info = current_snapshot(home).info
    for text in ("", "[]", '{"generation": 1}', '{"generation": 1, "read_at": "yesterday"}'):
        (home / "snapshots" / "CHECKED").write_text(text)
        assert last_read_at(home, info) == info.read_at


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
    "a consent, one that is withdrawn, and an incident": [
        insert(schema.consent).values(
            [
                {"customer_id": customer, "purpose": "marketing", "channel": "sms", "granted_at": START,
                 "withdrawn_at": withdrawn, "updated_at": START}
                for customer, withdrawn in (("C1", None), ("C2", START), ("X9", None))
            ]
        ),
        insert(schema.data_incident).values(incident_id="I1", detected_at=START, kind="other", updated_at=START),
    ],
    "skin somebody agreed to have kept, and tags": [
        update(schema.customer)
        .where(schema.customer.c.customer_id.in_(["C1", "C2"]))
        .values(skin_type="dry", skin_concern="acne", owner_staff_id="T1", income_band="high", updated_at=START),
        insert(schema.consent).values(
            customer_id="C1", purpose="skin_profile", channel="store", granted_at=START, updated_at=START
        ),
        insert(schema.customer_tag).values(
            [{"customer_id": customer, "tag": "vip", "updated_at": START} for customer in ("C1", "X8")]
        ),
    ],
    "tiers, points and planned contacts": [
        insert(schema.tier_change).values(customer_id="X7", changed_at=START, tier_id="T1", updated_at=START),
        insert(schema.points_rule).values(rule_id="R1", kind="purchase", points_per_unit=1, updated_at=START),
        insert(schema.points_entry).values(
            [
                {"entry_id": f"E{i}", "customer_id": customer, "booked_at": START, "points": points, "kind": "earn",
                 "updated_at": START}
                for i, (customer, points) in enumerate((("C1", 10), ("C1", -4), ("X6", 1)))
            ]
        ),
        insert(schema.follow_up).values(
            follow_up_id="F1", customer_id="C2", rule="d3", due_on=date(2026, 3, 1), updated_at=START
        ),
    ],
    "contacts, answers and appointments, some of nobody": [
        insert(schema.ticket).values(
            [
                {"ticket_id": f"K{i}", "customer_id": customer, "store_id": store, "opened_at": START,
                 "is_complaint": True, "updated_at": START}
                for i, (customer, store) in enumerate((("C1", "S1"), (None, "S1"), ("X5", None)))
            ]
        ),
        insert(schema.staff).values(staff_id="T1", home_store_id="S1", updated_at=START),
        insert(schema.survey_answer).values(
            answer_id="A1", kind="staff", score=5, answered_at=START, staff_id="T1", updated_at=START
        ),
        insert(schema.appointment).values(
            appointment_id="A1", store_id="S1", booked_at=START, starts_at=START, status="booked", customer_id="C2",
            updated_at=START,
        ),
    ],
    "a roster, targets and training": [
        insert(schema.staff).values(staff_id="T1", home_store_id="S1", updated_at=START),
        insert(schema.shift).values(
            shift_id="H1", staff_id="T1", store_id="S1", starts_at=START, ends_at=START + timedelta(hours=8),
            break_minutes=30, updated_at=START,
        ),
        insert(schema.sales_target).values(
            target_id="G1", store_id="S1", month=date(2026, 1, 1), amount=Decimal("1000"), updated_at=START
        ),
        insert(schema.course).values(course_id="U1", name="护肤", updated_at=START),
        insert(schema.training_record).values(
            staff_id="T1", course_id="U1", completed_on=date(2026, 1, 5), updated_at=START
        ),
        insert(schema.recognition).values(recognition_id="N1", staff_id="T1", given_at=START, updated_at=START),
        insert(schema.store_closure).values(store_id="S1", day=date(2026, 1, 2), updated_at=START),
    ],
    "supply": [
        insert(schema.supplier).values(supplier_id="V1", name="供应商", updated_at=START),
        insert(schema.supply_term).values(supplier_id="V1", product_id="P1", lead_time_days=5, updated_at=START),
        insert(schema.transfer_lane).values(from_store_id="S1", to_store_id="S2", cost=Decimal("20"), updated_at=START),
        insert(schema.stock_lot).values(
            store_id="S1", product_id="P1", lot_id="L1", quantity=3, expires_on=date(2027, 1, 1), updated_at=START
        ),
        insert(schema.stock_movement).values(
            [
                {"movement_id": f"M{i}", "store_id": "S1", "product_id": "P1", "kind": "sale", "quantity": -i - 1,
                 "moved_at": START, "updated_at": START}
                for i in range(2)
            ]
        ),
    ],
    "coupons, promotions and holidays": [
        insert(schema.coupon).values(campaign_id="K1", coupon_code="Q", face_value=Decimal("5"), updated_at=START),
        insert(schema.coupon_product).values(
            campaign_id="K1", coupon_code="Q", product_id="P1", updated_at=START
        ),
        insert(schema.campaign_store).values(campaign_id="K1", store_id="S1", updated_at=START),
        insert(schema.campaign_product).values(campaign_id="K1", product_id="P1", updated_at=START),
        insert(schema.price_promotion).values(
            [
                {"promotion_id": f"P{i}", "store_id": store, "starts_on": date(2026, 6, 1), "ends_on": date(2026, 6, 9),
                 "updated_at": START}
                for i, store in enumerate(("S1", None))
            ]
        ),
        insert(schema.holiday).values(day=date(2026, 10, 1), event="国庆", region="all", name="国庆", updated_at=START),
        insert(schema.market_observation).values(
            observation_id="M1", observed_on=date(2026, 10, 1), metric="search_index", value=1.02, updated_at=START
        ),
    ],
}  # fmt: skip


@pytest.mark.usefixtures("by_watermark")
def test_withdrawing_and_agreeing_again_give_what_reading_everything_gives(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    """With the messages that they allow and forbid."""
    consent, event = schema.consent, schema.campaign_event
    given = {"customer_id": "C1", "purpose": "marketing", "channel": "sms"}
    message = {"campaign_id": "K1", "customer_id": "C1", "channel": "sms", "kind": "sent"}
    days = [START + timedelta(days=n) for n in range(5)]
    steps = [
        [
            insert(consent).values(**given, granted_at=days[0], updated_at=days[0]),
            insert(event).values(**message, event_id="V1", occurred_at=days[1], updated_at=days[1]),
        ],
        [
            update(consent).values(withdrawn_at=days[2], updated_at=days[2]),
            insert(event).values(**message, event_id="V2", occurred_at=days[3], updated_at=days[3]),
        ],
        [insert(consent).values(**given, granted_at=days[4], updated_at=days[4])],
        [delete(consent)],
    ]
    wrong = []
    for step in steps:
        write(engine, *step)
        refresh(engine, home)
        expect_same_as_everything(engine, home, tmp_path)
        wrong.append([row[0] for row in facts_rows(home, "consent_breach", "contacts")])
    # the second message came after the withdrawal; without a single consent nothing can be said
    assert wrong == [[], [1], [1], []]


@pytest.mark.usefixtures("by_watermark")
@pytest.mark.parametrize("what", CHANGES)
def test_a_change_gives_what_reading_everything_gives(what: str, engine: Engine, home: Path, tmp_path: Path) -> None:
    write(engine, *CHANGES[what])
    report = refresh(engine, home)
    assert report.rows_changed >= 1
    assert (report.mode == "full") == (what == "another name and region")
    expect_same_as_everything(engine, home, tmp_path)


@pytest.mark.usefixtures("by_watermark")
def test_what_is_joined_to_two_tables_brings_only_the_one_that_changed(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    # Answers and training both name people: training that changes must not take the answers away.
    write(engine, *CHANGES["contacts, answers and appointments, some of nobody"])
    refresh(engine, home)
    training = schema.training_record
    write(
        engine,
        insert(schema.course).values(course_id="U1", name="护肤", updated_at=START),
        insert(training).values(staff_id="T1", course_id="U1", completed_on=date(2026, 1, 5), updated_at=START),
    )
    assert refresh(engine, home).mode == "changes"
    expect_same_as_everything(engine, home, tmp_path)


def test_small_tables_are_read_as_a_whole_and_compared(engine: Engine, home: Path, tmp_path: Path) -> None:
    """Even a change that says nothing in any sum or count."""
    swap = [
        update(schema.sale_line).where(schema.sale_line.c.order_id == order).values(net=Decimal(net))
        for order, net in (("O3", "41.00"), ("O4", "40.00"))
    ]
    write(engine, *swap)
    report = refresh(engine, home)
    assert (report.mode, report.rows_changed) == ("changes", 1 + 1)
    expect_same_as_everything(engine, home, tmp_path)


@pytest.mark.usefixtures("by_watermark")
def test_only_what_has_changed_leaves_the_crm(engine: Engine, home: Path) -> None:
    write(engine, _order("N1", customer_id="C1"), _line("N1", 1, "12.50"))
    refresh(engine, home)
    loads = {
        row[0]: row[1:] for row in facts_rows(home, "table_load", "table_name", "mode", "rows_read", "rows_changed")
    }
    # All that was there bears the same instant, so it lies within the overlap and is looked at again.
    assert loads["sale_order"] == ("changes", 12 + 1, 1)
    assert loads["sale_line"] == ("changes", 12 + 1, 1)
    assert loads["return_line"] == ("changes", 3, 0)


def test_a_column_that_goes_is_read_again_everywhere(engine: Engine, home: Path, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sale_line DROP COLUMN tax")
    report = refresh(engine, home)
    assert report.mode == "changes"
    assert any("sale_line has no column tax" in warning for warning in report.warnings)
    expect_same_as_everything(engine, home, tmp_path)


def test_a_key_that_is_no_key_makes_it_read_everything(engine: Engine, home: Path, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE loose AS SELECT * FROM return_line")
        connection.exec_driver_sql("DROP TABLE return_line")
        connection.exec_driver_sql("ALTER TABLE loose RENAME TO return_line")
        connection.exec_driver_sql("INSERT INTO return_line SELECT * FROM return_line LIMIT 1")
    steps: list[str] = []
    assert refresh(engine, home, progress=steps.append).mode == "full"
    assert "reading everything: return_line has 1 keys that are empty or occur twice" in steps
    expect_same_as_everything(engine, home, tmp_path)


def test_another_database_or_a_lost_copy_is_read_in_full(engine: Engine, home: Path) -> None:
    write(engine, _order("N1"), _line("N1", 1, "1"))
    stage_path(home).unlink()
    assert refresh(engine, home).mode == "full"
    assert refresh(engine, home).mode == "changes"
    assert refresh(engine, home, full=True).mode == "full"
    elsewhere = crm_engine(f"sqlite:///{home}/crm.sqlite")
    assert refresh(elsewhere, home).mode == "full"


def test_a_refresh_that_fails_leaves_the_copy_unfinished_and_the_next_reads_everything(
    engine: Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(engine, _order("N1", customer_id="C1"), _line("N1", 1, "12.50"))

    def power_cut(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("data_access.marts.change.update_marts", power_cut)
        with pytest.raises(Problem, match="no space left"):
            refresh(engine, home)
    assert refresh(engine, home).mode == "full"
    expect_same_as_everything(engine, home, tmp_path)


def test_the_staged_copy_is_closed_to_others_and_knows_no_birthday(home: Path) -> None:
    path = stage_path(home)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with duckdb.connect(str(path), read_only=True) as copy:
        columns = {row[0] for row in copy.execute("SELECT column_name FROM information_schema.columns").fetchall()}
    assert "birth_month_day" in columns
    pii = {c.name for c in pii_columns()} - {"name"}  # stores and products have names, too
    assert not columns & pii
    content = path.read_bytes()
    assert not [value for value in tiny_crm.PERSONAL if value.encode() in content]


# --- random histories -----------------------------------------------------------------------------


def _random_change(rng: random.Random, connection: Connection, number: int) -> None:
    """One thing that happens in a CRM, most often with ``updated_at``."""
    now = START + timedelta(minutes=number)
    stamp = {"updated_at": now} if rng.random() < 0.9 else {}
    line, order, back = schema.sale_line, schema.sale_order, schema.return_line

    def some(table: Table) -> Any:
        key = tuple(table.primary_key)
        rows = connection.execute(select(*key)).all()
        chosen = rng.choice(rows)
        return [column == value for column, value in zip(key, chosen, strict=True)]

    def amount() -> Decimal:
        return Decimal(rng.randint(1, 9999)) / 100

    day = datetime(2026, 1, 1) + timedelta(days=rng.randint(0, 180), hours=rng.randint(0, 23))
    happens = {
        "order": lambda: [
            _order(f"N{number}", customer_id=rng.choice(["C1", "C2", "C3", "C10", None, f"Z{number}"]), ordered_at=day)
            .values(store_id=rng.choice(["S1", "S2", "S8"]), updated_at=now),
            *(_line(f"N{number}", i, str(amount()), product_id=rng.choice(["P1", "P2", "P8"])).values(updated_at=now)
              for i in range(1, rng.randint(2, 4))),
        ],
        "line": lambda: [update(line).where(*some(line)).values(net=amount(), **stamp)],
        "no line": lambda: [delete(line).where(*some(line))],
        "move": lambda: [update(order).where(*some(order)).values(
            customer_id=rng.choice(["C1", "C2", None]), ordered_at=day, updated_at=now)],
        "kind": lambda: [update(order).where(*some(order)).values(kind=rng.choice(["sale", "test"]), updated_at=now)],
        "no order": lambda: [delete(order).where(*some(order))],
        "return": lambda: [insert(back).values(
            return_id=f"B{number}", line_no=1, order_id=rng.choice(["O1", "O5", "N1", None]), store_id="S1",
            product_id="P1", returned_at=day, quantity=1, refund=amount(), updated_at=now)],
        "no return": lambda: [delete(back).where(*some(back))],
        "customer": lambda: [insert(schema.customer).values(
            customer_id=f"A{number}", home_store_id=rng.choice(["S1", None]), birthday=day.date(), updated_at=now)],
        "consent": lambda: [insert(schema.consent).values(
            customer_id=rng.choice(["C1", "C2", "X9"]), purpose="marketing", channel="sms",
            granted_at=START + timedelta(minutes=number),
            withdrawn_at=rng.choice([None, START + timedelta(minutes=number + 3)]), updated_at=now)],
        "no consent": lambda: [delete(schema.consent)],
        "message": lambda: [insert(schema.campaign_event).values(
            event_id=f"V{number}", campaign_id="K1", customer_id=rng.choice(["C1", "C2"]), kind="sent",
            channel="sms", occurred_at=START + timedelta(minutes=number), updated_at=now)],
        "skin": lambda: [update(schema.customer).where(*some(schema.customer)).values(skin_type="dry", updated_at=now),
            insert(schema.consent).values(
                customer_id=rng.choice(["C1", "C2"]), purpose="skin_profile", channel="store",
                granted_at=START + timedelta(minutes=number), updated_at=now)],
        "points": lambda: [insert(schema.points_entry).values(
            entry_id=f"E{number}", customer_id=rng.choice(["C1", "X9"]), booked_at=day, points=5, kind="earn",
            updated_at=now)],
        "no points": lambda: [delete(schema.points_entry)],
        "ticket": lambda: [insert(schema.ticket).values(
            ticket_id=f"K{number}", customer_id=rng.choice(["C1", "X4", None]), opened_at=day, updated_at=now)],
        "no ticket": lambda: [delete(schema.ticket)],
        "no customer": lambda: [delete(schema.customer).where(*some(schema.customer))],
    }  # fmt: skip
    for statement in rng.choice(list(happens.values()))():
        connection.execute(statement)


@pytest.mark.slow
@pytest.mark.usefixtures("by_watermark")
@pytest.mark.parametrize("seed", range(12))
def test_a_random_history_gives_what_reading_everything_gives(
    seed: int, engine: Engine, home: Path, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    for turn in range(5):
        for step in range(rng.randint(1, 6)):
            with engine.begin() as connection:
                _random_change(rng, connection, 10 * turn + step)
        refresh(engine, home)
        expect_same_as_everything(engine, home, tmp_path)
