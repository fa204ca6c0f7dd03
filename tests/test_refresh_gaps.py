"""Refresh of a CRM as it comes: dirty rows are counted, gaps are named, and what is left works."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.refresh import refresh
from data_access.snapshot import current_generation, current_snapshot
from tests import tiny_crm
from tests.tiny_crm import facts_rows

D = Decimal


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


def test_numeric_customer_ids_are_numbered_as_numbers(changed: Callable[..., tuple[Engine, Path]]) -> None:
    def renumber(content: dict[str, Any]) -> None:
        for customer, number in zip(content["customer"], ("10", "9", "100"), strict=True):
            customer["customer_id"] = number

    engine, home = changed(renumber)
    refresh(engine, home)
    number = dict(facts_rows(home, "customer", "birth_month_day", "customer_no"))
    rank = dict(facts_rows(home, "customer_rank", "customer_no", "id_rank"))
    assert rank[number["07-03"]] < rank[number["05-06"]] < rank[number[None]]


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
