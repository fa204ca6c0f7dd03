"""The contract check names what a database lacks and what that disables."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from data_access.contract import NEEDS, ContractReport, check
from data_access.crm import crm_engine, prepare
from data_access.errors import Problem
from data_access.schema import crm
from tests import tiny_crm


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., ContractReport]:
    """Checks the tiny CRM after running some SQL on it."""

    def run(*statements: str) -> ContractReport:
        engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
        tiny_crm.fill(engine)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        return check(engine)

    return run


def test_every_canonical_table_has_a_state(checked: Callable[..., ContractReport]) -> None:
    report = checked()
    assert [t.table for t in report.tables] == list(crm.tables)
    assert report.whole
    filled = {t.table for t in report.tables if t.state == "ok"}
    assert filled == set(tiny_crm.rows())
    assert {t.state for t in report.tables if t.table not in filled} == {"empty"}
    assert (report["sale_line"].rows, report["campaign"].rows) == (12, 0)


def test_an_empty_or_absent_table_disables_what_needs_it(checked: Callable[..., ContractReport]) -> None:
    report = checked("DELETE FROM store_traffic", "DROP TABLE return_line")
    assert not report.whole
    assert (report["store_traffic"].state, report["store_traffic"].disables) == ("empty", ("store.conversion",))
    assert (report["return_line"].state, report["return_line"].rows) == ("absent", None)
    assert report["return_line"].disables == ("overview.returns", "product.returns", "order.returns")


def test_a_renamed_column_is_named_with_what_it_disables(checked: Callable[..., ContractReport]) -> None:
    report = checked(
        "DROP INDEX ix_sale_order_customer_id", "ALTER TABLE sale_order RENAME COLUMN customer_id TO member"
    )
    state = report["sale_order"]
    assert (state.state, state.missing) == ("columns_missing", ("customer_id",))
    assert state.disables == ("segments", "retention")
    printed = "\n".join(report.lines())
    assert "missing: customer_id; disables: segments, retention" in printed


def test_a_column_nothing_needs_disables_nothing(checked: Callable[..., ContractReport]) -> None:
    state = checked("ALTER TABLE sale_line DROP COLUMN coupon_code")["sale_line"]
    assert (state.state, state.missing, state.disables) == ("columns_missing", ("coupon_code",), ())


def test_a_column_of_another_kind_is_named(checked: Callable[..., ContractReport]) -> None:
    report = checked(
        "ALTER TABLE sale_line DROP COLUMN net",
        "ALTER TABLE sale_line ADD COLUMN net VARCHAR(20)",
        "ALTER TABLE customer DROP COLUMN joined_on",
        "ALTER TABLE customer ADD COLUMN joined_on INTEGER",
        "ALTER TABLE customer DROP COLUMN city",
        "ALTER TABLE customer ADD COLUMN city INTEGER",  # reads as text like any other value
        "ALTER TABLE store_traffic DROP COLUMN valid",
        "ALTER TABLE store_traffic ADD COLUMN valid INTEGER",  # 0 and 1 are what many databases call a boolean
    )
    assert report["sale_line"].changed == ("net (text instead of number)",)
    assert "overview" in report["sale_line"].disables
    assert report["customer"].changed == ("joined_on (number instead of date)",)
    assert report["customer"].disables == ("segments.lifecycle",)
    assert report["store_traffic"].changed == ()
    assert not report.whole


def test_the_newest_change_of_a_table_is_reported(checked: Callable[..., ContractReport]) -> None:
    report = checked(
        "UPDATE store SET updated_at = '2026-05-06 07:08:09.000000' WHERE store_id = 'S1'",
        "UPDATE store SET updated_at = '2025-05-06 07:08:09.000000' WHERE store_id = 'S2'",
        "UPDATE product SET updated_at = 'yesterday'",
    )
    assert report["store"].newest == datetime(2026, 5, 6, 7, 8, 9)
    assert report["product"].newest is None
    assert report["region"].newest is None


def test_a_view_under_the_canonical_name_is_as_good_as_a_table(checked: Callable[..., ContractReport]) -> None:
    report = checked(
        "ALTER TABLE region RENAME TO gebiet", "CREATE VIEW region AS SELECT region_id, name, updated_at FROM gebiet"
    )
    assert (report["region"].state, report["region"].rows) == ("ok", 1)


def test_what_pages_need_exists_in_the_schema() -> None:
    for page, tables in NEEDS.items():
        for table, columns in tables.items():
            assert set(columns) <= set(crm.tables[table].c.keys()), (page, table)


def test_a_missing_database_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no CRM database at"):
        check(crm_engine(f"sqlite:///{tmp_path}/none.sqlite"))


@pytest.mark.database
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_our_own_tables_pass_on_every_server(server: str, request: pytest.FixtureRequest) -> None:
    engine: Engine = crm_engine(request.getfixturevalue(f"{server}_url"))
    prepare(engine)
    report = check(engine)
    assert report.whole
    assert [t.changed for t in report.tables if t.changed] == []
    engine.dispose()
