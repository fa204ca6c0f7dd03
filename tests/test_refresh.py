"""Refresh: what the CRM holds becomes facts, to the cent, to the minute, and without a person in it."""

import shutil
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.marts.tables import facts
from data_access.refresh import RefreshReport, refresh
from data_access.snapshot import current_snapshot
from tests import tiny_crm
from tests.tiny_crm import facts_rows

D = Decimal


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RefreshReport]:
    """The tiny CRM, refreshed once: its home and the report."""
    home = tmp_path_factory.mktemp("tiny")
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    tiny_crm.fill(engine)
    return home, refresh(engine, home)


def test_days_are_local_to_the_store_across_midnight_and_summer_time(tiny: tuple[Path, RefreshReport]) -> None:
    home, _ = tiny
    local = {row[0]: row[1:] for row in facts_rows(home, "sale_order", "order_id", "ordered_at", "day")}
    assert local["O1"] == (datetime(2026, 1, 1, 23, 59, 59), date(2026, 1, 1))
    assert local["O2"] == (datetime(2026, 1, 2, 0, 0, 0), date(2026, 1, 2))
    assert local["O3"] == (datetime(2026, 3, 29, 0, 59, 59), date(2026, 3, 29))
    assert local["O4"] == (datetime(2026, 3, 29, 2, 0, 0), date(2026, 3, 29))
    assert local["O5"] == (datetime(2026, 7, 2, 0, 30, 0), date(2026, 7, 2))


def test_receipts_carry_the_sums_of_their_lines_and_why_they_are_left_out(tiny: tuple[Path, RefreshReport]) -> None:
    home, _ = tiny
    columns = ("order_id", "gross_sales", "units", "lines", "cost", "exclusion")
    receipts = {row[0]: row[1:] for row in facts_rows(home, "sale_order", *columns)}
    assert receipts["O1"] == (D("100.10") + D("50.05"), 2 + 1, 2, 40 + 20, None)
    assert receipts["O5"] == (90, 3, 1, 10, None)
    assert {order: row[-1] for order, row in receipts.items() if row[-1]} == {
        "O6": "cancelled",
        "O7": "test",
        "O8": "staff_purchase",
        "O9": "zero_value",
        "O10": "zero_value",
    }
    assert receipts["O10"] == (0, 0, 0, None, "zero_value")


def test_a_return_counts_where_and_when_it_is_brought_back_and_follows_its_receipt(
    tiny: tuple[Path, RefreshReport],
) -> None:
    home, _ = tiny
    keys = dict(facts_rows(home, "sale_order", "order_id", "customer_no"))
    columns = ("return_id", "store_id", "day", "customer_no", "refund", "exclusion")
    assert facts_rows(home, "return_line", *columns) == [
        ("R1", "S2", date(2026, 3, 30), keys["O1"], D("20.02"), None),
        ("R2", "S1", date(2026, 2, 2), keys["O4"], D("9.99"), None),
        ("R3", "S1", date(2026, 1, 6), keys["O1"], D("5.00"), "cancelled"),
    ]


def test_store_days_add_counted_receipts_returns_and_valid_visitors(tiny: tuple[Path, RefreshReport]) -> None:
    home, _ = tiny
    columns = (
        "store_id",
        "day",
        "gross_sales",
        "returns",
        "net_sales",
        "orders",
        "identified_orders",
        "units",
        "visitors",
    )
    first = D("100.10") + D("50.05")
    assert facts_rows(home, "store_day", *columns) == [
        ("S1", date(2026, 1, 1), first, 0, first, 1, 1, 2 + 1, 10),
        ("S1", date(2026, 1, 2), 60 + 30, 0, 60 + 30, 2, 2, 1 + 1, 7),
        ("S1", date(2026, 1, 4), 0, 0, 0, 0, 0, 0, 5),
        ("S1", date(2026, 2, 2), 0, D("9.99"), D("-9.99"), 0, 0, 0, None),
        ("S2", date(2026, 3, 29), 40 + 41, 0, 40 + 41, 2, 1, 1 + 1, None),
        ("S2", date(2026, 3, 30), 0, D("20.02"), D("-20.02"), 0, 0, 0, None),
        ("S2", date(2026, 7, 2), 90, 0, 90, 1, 1, 3, None),
        ("S9", date(2026, 1, 6), 7, 0, 7, 1, 1, 1, None),
    ]


def test_product_and_customer_days_hold_the_same_money(tiny: tuple[Path, RefreshReport]) -> None:
    home, _ = tiny
    columns = ("product_id", "store_id", "day", "units", "gross_sales", "returns", "returned_units", "orders")
    assert [r for r in facts_rows(home, "product_store_day", *columns) if r[0] == "P2"] == [
        ("P2", "S1", date(2026, 1, 1), 1, D("50.05"), 0, 0, 1),
        ("P2", "S1", date(2026, 1, 2), 1, 30, 0, 0, 1),
        ("P2", "S1", date(2026, 2, 2), 0, 0, D("9.99"), 1, 0),
        ("P2", "S2", date(2026, 3, 30), 0, 0, D("20.02"), 1, 0),
        ("P2", "S2", date(2026, 7, 2), 3, 90, 0, 0, 1),
    ]
    c1 = dict(facts_rows(home, "sale_order", "order_id", "customer_no"))["O1"]
    columns = ("store_id", "day", "orders", "gross_sales", "returns", "net_sales")
    first = D("100.10") + D("50.05")
    assert facts_rows(home, "customer_store_day", *columns, customer_no=c1) == [
        ("S1", date(2026, 1, 1), 1, first, 0, first),
        ("S1", date(2026, 1, 2), 2, 60 + 30, 0, 60 + 30),
        ("S2", date(2026, 3, 30), 0, 0, D("20.02"), D("-20.02")),
    ]


def test_what_nobody_knows_gets_a_placeholder(tiny: tuple[Path, RefreshReport]) -> None:
    home, report = tiny
    columns = ("store_id", "name", "region_id", "region_name", "kind", "time_zone")
    assert facts_rows(home, "store", *columns) == [
        ("S1", "南京路", "R1", "华东", "shop", "Asia/Shanghai"),
        ("S2", "Soho", "unknown", "unknown", "shop", "Europe/London"),
        ("S9", "S9", "unknown", "unknown", "unknown", "Asia/Shanghai"),
        ("W1", "仓库", "R1", "华东", "warehouse", "Asia/Shanghai"),
    ]
    assert facts_rows(home, "product", "product_id", "name", "category") == [
        ("P1", "面霜", "护肤"),
        ("P2", "口红", "彩妆"),
        ("P9", "P9", None),
    ]
    assert any("1 store ids" in w for w in report.warnings)
    assert any("1 product ids" in w for w in report.warnings)
    assert any("1 customer ids" in w for w in report.warnings)


def test_a_customer_keeps_age_band_majority_and_month_day_only(tiny: tuple[Path, RefreshReport]) -> None:
    home, report = tiny
    # As of 2026-07-02: C2 turns 18 on the next day; the birthday of C10 lies in the future.
    columns = ("customer_no", "age_band", "is_adult", "birth_month_day", "tier", "home_store_id")
    rank = dict(facts_rows(home, "customer_rank", "customer_no", "id_rank"))
    assert sorted((rank[number], *rest) for number, *rest in facts_rows(home, "customer", *columns)) == [
        (1, "35-44", True, "05-06", "金卡", "S1"),
        (2, None, False, None, None, None),
        (3, "under 18", False, "07-03", None, "S2"),
    ]
    assert any("1 birthdays" in w for w in report.warnings)


def test_nothing_that_identifies_a_person_is_in_the_published_files(tiny: tuple[Path, RefreshReport]) -> None:
    home, _ = tiny
    files = [p for p in (home / "snapshots").rglob("*") if p.is_file()]
    content = b"".join(p.read_bytes() for p in files)
    assert b"Nanjing Road" in content  # the bytes are readable, so the search means something
    for value in tiny_crm.PERSONAL:
        assert value.encode() not in content, value
    cells = {str(cell) for table in facts.tables for row in facts_rows(home, table) for cell in row}
    assert not cells & {*tiny_crm.PERSONAL, "C1", "C2", "C3", "C10"}


def test_pseudonyms_are_keyed_stable_and_the_key_is_private(tiny: tuple[Path, RefreshReport], tmp_path: Path) -> None:
    home, _ = tiny
    before = facts_rows(home, "customer", "customer_no")
    assert all(0 < number < 2**60 for (number,) in before)
    assert (home / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    refresh(engine, home)
    assert facts_rows(home, "customer", "customer_no") == before
    refresh(engine, tmp_path)
    assert not set(facts_rows(tmp_path, "customer", "customer_no")) & set(before)
    (tmp_path / "pseudonym.key").write_text("short")
    with pytest.raises(Problem, match=r"pseudonym\.key is damaged"):
        refresh(engine, tmp_path)


def test_the_generation_says_what_it_is(tiny: tuple[Path, RefreshReport]) -> None:
    home, report = tiny
    info = current_snapshot(home).info
    assert info.as_of == datetime(2026, 7, 2, 0, 30)
    assert (info.first_day, info.last_day) == (date(2026, 1, 1), date(2026, 7, 2))
    assert (info.currency, info.is_demo) == ("CNY", False)
    assert report.rows["sale_line"] == 12
    assert report.rows["sale_order"] == 12


def test_money_reconciles_with_the_crm_and_the_report_says_so(tiny: tuple[Path, RefreshReport]) -> None:
    _, report = tiny
    lines = D("100.10") + D("50.05") + 60 + 30 + 40 + 41 + 90 + 500 + 501 + 502 + 0 + 7
    assert [(f.name, f.crm, f.snapshot, f.quarantined, f.difference) for f in report.reconciliation] == [
        ("sale_line.net", lines, lines, 0, 0),
        ("return_line.refund", D("35.01"), D("20.02") + D("9.99") + 5, 0, 0),
    ]
    printed = "\n".join(report.lines())
    assert f"sale_line.net: CRM {lines:,.2f} = facts {lines:,.2f} + quarantined 0.00" in printed


# --- the same from every database -----------------------------------------------------------------


@pytest.mark.database
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_every_database_gives_the_same_facts(
    server: str, tiny: tuple[Path, RefreshReport], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    home, _ = tiny
    shutil.copy(home / "pseudonym.key", tmp_path)
    engine = crm_engine(request.getfixturevalue(f"{server}_url"))
    tiny_crm.fill(engine)
    refresh(engine, tmp_path)
    engine.dispose()
    for table in sorted(set(facts.tables) - {"generation_info", "table_load", "table_status"}):
        assert facts_rows(tmp_path, table) == facts_rows(home, table), table
    states = ("table_name", "state", "rows", "missing_columns", "disables")
    assert facts_rows(tmp_path, "table_status", *states) == facts_rows(home, "table_status", *states)


def test_the_generic_reader_gives_the_same_facts(tiny: tuple[Path, RefreshReport], tmp_path: Path) -> None:
    home, _ = tiny
    shutil.copy(home / "pseudonym.key", tmp_path)
    # SQLite in memory cannot be read by DuckDB's scanner.
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    tiny_crm.fill(engine)
    refresh(engine, tmp_path)
    for table in sorted(set(facts.tables) - {"generation_info", "table_load"}):
        assert facts_rows(tmp_path, table) == facts_rows(home, table), table


@pytest.mark.parametrize(
    "server",
    [
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.database),
        pytest.param("mariadb", marks=pytest.mark.database),
    ],
)
def test_all_tables_are_read_as_they_were_at_one_instant(
    server: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/crm.sqlite" if server == "sqlite" else request.getfixturevalue(f"{server}_url")
    engine, till = crm_engine(url), crm_engine(url)
    tiny_crm.fill(engine)
    written = []

    def sell_meanwhile(step: str) -> None:
        if step.startswith("sale_order:"):
            with till.begin() as connection:
                connection.execute(text("UPDATE sale_line SET net = 1000 WHERE order_id = 'O2'"))
            written.append(step)

    report = refresh(engine, tmp_path, progress=sell_meanwhile)
    assert written
    assert facts_rows(tmp_path, "sale_order", "gross_sales", order_id="O2") == [(60,)]
    assert report.reconciliation[0].difference == 0
    refresh(engine, tmp_path)
    assert facts_rows(tmp_path, "sale_order", "gross_sales", order_id="O2") == [(1000,)]
    engine.dispose()
    till.dispose()
