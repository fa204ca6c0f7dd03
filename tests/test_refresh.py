"""Refresh: what the CRM holds becomes facts, to the cent, to the minute, and without a person in it."""

import shutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.pool import StaticPool

from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.marts.tables import facts
from data_access.refresh import RefreshReport, refresh
from data_access.snapshot import current_generation, current_snapshot
from tests import tiny_crm

D = Decimal


def facts_rows(home: Path, table: str, *columns: str, **equal: Any) -> list[tuple[Any, ...]]:
    """Rows of a facts table in the generation in force, sorted by all columns."""
    t = facts.tables[table]
    query = select(*(t.c[c] for c in columns or t.c.keys())).where(*(t.c[k] == v for k, v in equal.items()))
    with current_snapshot(home).engine.connect() as connection:
        return sorted(map(tuple, connection.execute(query)), key=lambda row: [(v is None, str(v)) for v in row])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RefreshReport]:
    """The tiny CRM, refreshed once: its home and the report."""
    home = tmp_path_factory.mktemp("tiny")
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    tiny_crm.fill(engine)
    return home, refresh(engine, home)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., tuple[Engine, Path]]:
    """Makes a tiny CRM whose rows ``change`` may alter first, or on which SQL runs afterwards."""

    def make(change: Callable[[dict[str, Any]], object] = lambda _: None, *statements: str) -> tuple[Engine, Path]:
        content = tiny_crm.rows()
        change(content)
        engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
        tiny_crm.fill(engine, {name: rows for name, rows in content.items() if rows})
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        return engine, tmp_path

    return make


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


def test_orders_are_numbered_per_customer_and_store_by_instant_then_id(tiny: tuple[Path, RefreshReport]) -> None:
    home, _ = tiny
    numbers = {r[0]: r[1:] for r in facts_rows(home, "sale_order", "order_id", "order_number", "store_order_number")}
    assert (numbers["O1"], numbers["O2"], numbers["O2b"]) == ((1, 1), (2, 2), (3, 3))
    assert (numbers["O4"], numbers["O5"]) == ((1, 1), (2, 2))
    assert (numbers["O3"], numbers["O9"], numbers["O10"]) == ((None, None),) * 3


def test_a_return_counts_where_and_when_it_is_brought_back_and_follows_its_receipt(
    tiny: tuple[Path, RefreshReport],
) -> None:
    home, _ = tiny
    keys = dict(facts_rows(home, "sale_order", "order_id", "customer_key"))
    columns = ("return_id", "store_id", "day", "customer_key", "refund", "exclusion")
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
    c1 = dict(facts_rows(home, "sale_order", "order_id", "customer_key"))["O1"]
    columns = ("store_id", "day", "orders", "gross_sales", "returns", "net_sales")
    first = D("100.10") + D("50.05")
    assert facts_rows(home, "customer_store_day", *columns, customer_key=c1) == [
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
    assert facts_rows(home, "customer", *columns) == [
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
    before = facts_rows(home, "customer", "customer_key")
    assert all(key.startswith("c") and len(key) == 16 for (key,) in before)
    assert (home / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    refresh(engine, home)
    assert facts_rows(home, "customer", "customer_key") == before
    refresh(engine, tmp_path)
    assert not set(facts_rows(tmp_path, "customer", "customer_key")) & set(before)
    (tmp_path / "pseudonym.key").write_text("short")
    with pytest.raises(Problem, match=r"pseudonym\.key is damaged"):
        refresh(engine, tmp_path)


def test_numeric_customer_ids_are_numbered_as_numbers(changed: Callable[..., tuple[Engine, Path]]) -> None:
    def renumber(content: dict[str, Any]) -> None:
        for customer, number in zip(content["customer"], ("10", "9", "100"), strict=True):
            customer["customer_id"] = number

    engine, home = changed(renumber)
    refresh(engine, home)
    by_day = dict(facts_rows(home, "customer", "birth_month_day", "customer_no"))
    assert by_day["07-03"] < by_day["05-06"] < by_day[None]


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
    for table in sorted(set(facts.tables) - {"generation_info", "table_status"}):
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
    for table in sorted(set(facts.tables) - {"generation_info"}):
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


# --- dirty rows -----------------------------------------------------------------------------------


def loose(table: str) -> list[str]:
    """SQL that rebuilds a table without keys or types, as exports often come."""
    return [
        f"CREATE TABLE loose AS SELECT * FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE loose RENAME TO {table}",
    ]


def test_rows_that_cannot_be_used_are_quarantined_with_a_reason_and_the_money_still_reconciles(
    changed: Callable[..., tuple[Engine, Path]],
) -> None:
    line = "INSERT INTO sale_line (order_id, line_no, product_id, quantity, net) VALUES "
    order = "INSERT INTO sale_order (order_id, store_id, ordered_at, kind) VALUES "
    engine, home = changed(
        lambda _: None,
        *loose("sale_line"),
        *loose("sale_order"),
        *loose("return_line"),
        line + "('O404', 1, 'P1', 1, 11.11)",
        line + "(NULL, 1, 'P1', 1, 22.22)",
        line + "('O1', 3, '', 1, 33.33)",
        line + "('O1', 1, 'P1', 1, 44.44)",  # the key of O1's first line
        line + "('O1', 4, 'P1', NULL, 55.55)",
        line + "('O1', 5, 'P1', 'many', 66.66)",
        order + "('X1', 'S1', '2026-02-30 10:00:00', 'sale')",
        order + "('X2', 'S1', '1900-01-01 10:00:00', 'sale')",
        order + "('X3', NULL, '2026-02-01 10:00:00', 'sale')",
        line + "('X1', 1, 'P1', 1, 77.77)",
        "INSERT INTO return_line (return_id, line_no, store_id, product_id, returned_at, quantity, refund, reason) "
        "VALUES ('R9', 1, NULL, 'P1', '2026-02-01 10:00:00', 1, 6.60, 'allergy')",
        line + "('X3', 1, 'P1', 1, 88.88)",
    )
    report = refresh(engine, home)
    assert report.refused == {
        ("return_line", "null_key"): 1,
        ("sale_line", "duplicate"): 1,
        ("sale_line", "no_order"): 1,
        ("sale_line", "null_key"): 2,
        ("sale_line", "null_value"): 1,
        ("sale_line", "order_refused"): 2,
        ("sale_line", "unreadable"): 1,
        ("sale_order", "implausible_date"): 1,
        ("sale_order", "null_key"): 1,
        ("sale_order", "unreadable"): 1,
    }
    net = report.reconciliation[0]
    refused = sum(map(D, ("11.11", "22.22", "33.33", "44.44", "55.55", "66.66", "77.77", "88.88")))
    assert (net.quarantined, net.difference) == (refused, 0)
    assert net.crm == net.snapshot + refused
    assert (report.reconciliation[1].quarantined, report.reconciliation[1].difference) == (D("6.60"), 0)
    quarantined = facts_rows(home, "quarantine", "row_key", "reason", "amount", table_name="sale_line")
    assert ("O404/1", "no_order", D("11.11")) in quarantined
    assert any("sale_line.quantity: 1 values" in w for w in report.warnings)


def test_an_amount_that_is_no_number_is_a_warning_not_a_failure(changed: Callable[..., tuple[Engine, Path]]) -> None:
    engine, home = changed(lambda _: None, "UPDATE sale_line SET net = '12abc' WHERE order_id = 'O2'")
    report = refresh(engine, home)
    assert report.refused == {("sale_line", "unreadable"): 1}
    assert report.reconciliation[0].difference == 12  # what SQLite makes of '12abc' in a sum
    assert any("sale_line.net" in w and "difference" in w for w in report.warnings)


def test_values_with_an_offset_become_utc_first(changed: Callable[..., tuple[Engine, Path]]) -> None:
    engine, home = changed(
        lambda _: None, "UPDATE sale_order SET ordered_at = '2026-01-01T23:00:00+08:00' WHERE order_id = 'O1'"
    )
    refresh(engine, home)
    assert facts_rows(home, "sale_order", "ordered_at", order_id="O1") == [(datetime(2026, 1, 1, 23, 0),)]


@pytest.mark.parametrize("table", ["store", "sale_order", "return_line"])
def test_currencies_are_never_added(table: str, changed: Callable[..., tuple[Engine, Path]]) -> None:
    engine, home = changed(lambda content: content[table][0].update(currency="EUR"))
    with pytest.raises(Problem, match=rf"mixes currencies \(CNY in .*; EUR in {table}\)"):
        refresh(engine, home)
    with pytest.raises(Problem, match="no snapshot"):
        current_generation(home)


def test_a_time_zone_nobody_knows_gives_way_to_the_most_common_one(
    changed: Callable[..., tuple[Engine, Path]],
) -> None:
    engine, home = changed(lambda content: content["store"][1].update(time_zone="Mars/Olympus"))
    report = refresh(engine, home)
    assert facts_rows(home, "store", "time_zone", store_id="S2") == [("Asia/Shanghai",)]
    assert any("1 stores name no time zone" in w for w in report.warnings)


# --- what may be missing --------------------------------------------------------------------------

CORE = ("store", "product", "sale_order", "sale_line")


def test_four_tables_are_enough(changed: Callable[..., tuple[Engine, Path]]) -> None:
    def keep_core(content: dict[str, Any]) -> None:
        for name in set(content) - set(CORE):
            del content[name]

    optional = (
        "region",
        "customer",
        "return_line",
        "store_traffic",
        "tier",
        "tier_change",
        "data_source",
        "translation",
    )
    engine, home = changed(keep_core, *(f"DROP TABLE {name}" for name in optional))
    report = refresh(engine, home)
    assert report.rows["return_line"] == 0
    first = D("100.10") + D("50.05")
    assert facts_rows(home, "store_day", "net_sales", "visitors", store_id="S1", day=date(2026, 1, 1)) == [
        (first, None)
    ]
    assert facts_rows(home, "store", "region_id", "region_name", store_id="S1") == [("R1", "R1")]
    assert facts_rows(home, "table_status", "state", table_name="return_line") == [("absent",)]


@pytest.mark.parametrize("table", CORE)
def test_without_a_core_table_the_sentence_names_it(table: str, changed: Callable[..., tuple[Engine, Path]]) -> None:
    engine, home = changed(lambda _: None, f"DROP TABLE {table}")
    with pytest.raises(Problem, match=f"no table {table}"):
        refresh(engine, home)


def test_a_renamed_core_column_is_named_and_the_old_generation_stays(
    changed: Callable[..., tuple[Engine, Path]],
) -> None:
    engine, home = changed()
    refresh(engine, home)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE sale_line RENAME COLUMN net TO amount"))
    with pytest.raises(Problem, match="sale_line has no column net"):
        refresh(engine, home)
    assert current_generation(home) == "1"


def test_a_dropped_optional_column_is_named_and_everything_else_works(
    changed: Callable[..., tuple[Engine, Path]],
) -> None:
    engine, home = changed(
        lambda _: None,
        "ALTER TABLE sale_line DROP COLUMN cost",
        "ALTER TABLE store_traffic RENAME COLUMN visitors TO people",
        "ALTER TABLE sale_order DROP COLUMN cancelled_at",
    )
    report = refresh(engine, home)
    assert {"sale_line has no column cost", "store_traffic has no column visitors"} <= set(report.warnings)
    assert facts_rows(home, "sale_order", "gross_sales", "cost", order_id="O2") == [(60, None)]
    assert facts_rows(home, "sale_order", "exclusion", order_id="O6") == [(None,)]
    assert facts_rows(home, "table_status", "missing_columns", "disables", table_name="store_traffic") == [
        ("visitors", "store.conversion")
    ]


def test_an_empty_chain_is_a_generation_that_says_so(tmp_path: Path) -> None:
    engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    tiny_crm.fill(engine, {})
    report = refresh(engine, tmp_path)
    info = current_snapshot(tmp_path).info
    assert (info.first_day, info.last_day, info.currency) == (None, None, "XXX")
    assert any("no receipts" in w for w in report.warnings)


def test_no_database_file_is_a_sentence_and_creates_none(tmp_path: Path) -> None:
    engine = crm_engine(f"sqlite:///{tmp_path}/nowhere.sqlite")
    with pytest.raises(Problem, match=r"no CRM database at .*nowhere\.sqlite"):
        refresh(engine, tmp_path)
    assert not (tmp_path / "nowhere.sqlite").exists()


def test_a_server_that_does_not_answer_is_a_sentence_without_the_password(tmp_path: Path) -> None:
    engine = crm_engine("postgresql+psycopg://someone:secret@127.0.0.1:9/crm")
    with pytest.raises(Problem, match="cannot be read") as caught:
        refresh(engine, tmp_path)
    assert "secret" not in str(caught.value)
