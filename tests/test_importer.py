"""Imports, from files to rows in the CRM database: what is loaded, what is quarantined, what is refused."""

import json
import stat
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import Engine, insert, select

from data_access import vault
from data_access.crm import crm_engine, prepare
from data_access.errors import Problem
from data_access.importer import import_files
from data_access.schema import crm, customer, data_source, product, return_line, sale_line, sale_order, store
from tests.import_kit import HEADER, LATER, LINES, NOW, TEMPLATE, Load, counts, mapping_file, quarantined, rows, write

# --- what a good file becomes ---------------------------------------------------------------------


def test_the_template_loads_receipts_members_and_shops(import_database: Engine, load: Load) -> None:
    shops = "门店编号,门店名称,城市,大区\nS01,南京路店,上海,华东\n"
    members = "会员号,姓名,手机号,生日,性别,入会日期\nM7,王芳,013800138000,1990-02-28,female,2025/12/31\n"
    report = load(members, HEADER + LINES, shops)

    assert report.read.rows == 1 + 1 + 4
    assert report.read.amount == Decimal("398.00") + Decimal("59.50") + Decimal("199.00") - Decimal("59.50")
    assert [(step.label, step.amount) for step in report.loaded] == [
        ("gross sales", Decimal("398.00") + Decimal("59.50") + Decimal("199.00")),
        ("returns", Decimal("-59.50")),
    ]
    assert report.difference == 0
    assert rows(import_database, customer.c.customer_id, customer.c.joined_on) == [("M7", date(2025, 12, 31))]
    with import_database.connect() as connection:
        assert vault.contact(connection, "M7", ["name", "phone", "email", "birthday"]) == {
            "name": "王芳",
            "phone": "013800138000",
            "email": None,
            "birthday": "1990-02-28",
        }
    assert rows(import_database, store.c.store_id, store.c.name, store.c.region_id, store.c.currency) == [
        ("S01", "南京路店", "华东", "CNY"),
        ("S02", "S02", None, "CNY"),
    ]
    assert rows(import_database, product.c.product_id, product.c.name) == [("0012", "玫瑰面霜"), ("0013", "=1+1")]
    # Shanghai is eight hours ahead of UTC: half past midnight is the day before there.
    assert rows(import_database, sale_order.c.order_id, sale_order.c.customer_id, sale_order.c.ordered_at) == [
        ("R1", "M7", datetime(2026, 3, 1, 2)),
        ("R2", None, datetime(2026, 3, 1, 16, 30)),
    ]
    assert rows(import_database, return_line.c.return_id, return_line.c.quantity, return_line.c.refund) == [
        ("T1", Decimal(1), Decimal("59.50"))
    ]


def test_the_load_is_recorded_with_its_bridge(import_database: Engine, load: Load) -> None:
    report = load(HEADER + LINES + "R3,1,S01,,0012,,0,5.00,2026-03-01 10:00:00\n")
    with import_database.connect() as connection:
        row = connection.execute(select(data_source)).one()
    assert (row.kind, row.name, row.currency, row.loaded_at) == ("import", "my_export", "CNY", NOW)
    assert (row.rows_read, row.rows_loaded, row.rows_quarantined) == (5, 4, 1)
    assert (row.amount_read, row.amount_loaded, row.amount_quarantined) == (Decimal(602), Decimal(597), Decimal(5))
    bridge = json.loads(row.details)["bridge"]
    assert bridge["quarantined"] == [{"label": "a line without quantity", "amount": "5.0000", "rows": 1}]
    assert Decimal(bridge["difference"]) == 0
    assert "quarantined" in report.text()
    assert "597.00" in report.text()


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_workbooks_and_parquet_give_the_rows_of_the_csv(
    kind: str, import_database: Engine, load: Load, tmp_path: Path
) -> None:
    text = write(tmp_path / "same.csv", HEADER + LINES)
    frame = pd.read_csv(text, dtype={"sku": str, "receipt_no": str}, parse_dates=["sold_at"])
    path = tmp_path / f"same.{kind}"
    if kind == "xlsx":
        # Text that looks like a formula must be typed as text, or the workbook really holds a formula.
        workbook = openpyxl.Workbook()
        sheet = workbook.active
        sheet.append(list(frame.columns))
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
            sheet.append([value.to_pydatetime() if isinstance(value, pd.Timestamp) else value for value in row])
        for cells in sheet.iter_rows():
            for cell in cells:
                if cell.value == "=1+1":
                    cell.data_type = "s"
        workbook.save(path)
    else:
        frame.to_parquet(path)
    load(path)
    before = counts(import_database)
    report = load(text)
    assert {t.table: (t.inserted, t.changed) for t in report.tables if t.inserted or t.changed} == {}
    assert counts(import_database) | {"data_source": 1} == before | {"data_source": 1}


# --- importing again ------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(import_database: Engine, load: Load) -> None:
    load(HEADER + LINES)
    before = counts(import_database)
    report = load(HEADER + LINES, now=LATER)
    assert counts(import_database) == before
    assert sum(t.inserted + t.changed for t in report.tables) == 0
    assert {row[0] for row in rows(import_database, sale_line.c.updated_at)} == {NOW}


def test_a_changed_row_replaces_the_old_one_and_only_it(import_database: Engine, load: Load) -> None:
    load(HEADER + LINES)
    load(HEADER + LINES.replace("398.00", "388.00"), now=LATER)
    assert rows(
        import_database, sale_line.c.order_id, sale_line.c.line_no, sale_line.c.net, sale_line.c.updated_at
    ) == [
        ("R1", 1, Decimal("388.00"), LATER),
        ("R1", 2, Decimal("59.50"), NOW),
        ("R2", 1, Decimal("199.00"), NOW),
    ]


def test_columns_that_a_mapping_does_not_fill_survive_an_update(import_database: Engine, load: Load) -> None:
    members = "member_no,birthday,joined_on,gender\nM7,1990-02-28,2025-12-31,{}\n"
    load(HEADER + LINES, members.format("female"))
    with import_database.begin() as connection:
        connection.execute(customer.update().values(importance="vip"))
    load(HEADER + LINES, members.format("male"))
    assert rows(import_database, customer.c.gender, customer.c.importance) == [("male", "vip")]


RETAIL = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
PEN = "1,P,PEN,1,12/1/2010 8:26,2.50,17850.0,France\n"
CUP = "1,C,CUP,2,12/1/2010 8:27,4.00,17850.0,France\n"
LID = "1,L,LID,1,12/1/2010 8:27,1.00,17850.0,France\n"
JAR = "2,J,JAR,1,12/2/2010 9:00,1.25,,France\n"


def test_equal_lines_of_one_receipt_all_count(import_database: Engine, load: Load) -> None:
    load(RETAIL + PEN + CUP + PEN, mapping="online_retail")
    assert rows(import_database, sale_line.c.line_no, sale_line.c.product_id, sale_line.c.net) == [
        (1, "P", Decimal("2.50")),
        (2, "C", Decimal("8.00")),
        (3, "P", Decimal("2.50")),
    ]


@pytest.mark.parametrize(
    "runs",
    [
        [[PEN + CUP + PEN + JAR], [PEN + CUP + PEN + JAR]],
        [[PEN + CUP + PEN, JAR]],
        [[PEN + CUP + PEN], [JAR]],
        [[JAR], [PEN + CUP + PEN]],
        [[PEN + CUP, PEN + LID + JAR]],
        [[PEN + CUP], [PEN + LID + JAR]],
        [[PEN + CUP + PEN + JAR, CUP + PEN + PEN]],
        [[PEN + CUP + PEN], [CUP + PEN + PEN + JAR]],
        [[PEN + CUP + PEN + JAR, PEN + CUP + PEN + JAR]],
    ],
    ids=[
        "twice", "in two files", "in two imports", "later part first", "cut inside a receipt",
        "cut inside a receipt, in two imports", "overlapping files", "overlapping imports", "two copies",
    ],
)  # fmt: skip
def test_overlapping_and_partial_exports_give_each_line_once(
    runs: list[list[str]], import_database: Engine, load: Load
) -> None:
    for files in runs:
        report = load(*(RETAIL + content for content in files), mapping="online_retail")
        assert report.difference == 0
    lines = rows(import_database, sale_line.c.order_id, sale_line.c.product_id)
    # The lid is only there to make the parts of the cut receipt differ.
    assert [line for line in lines if line[1] != "L"] == [("1", "C"), ("1", "P"), ("1", "P"), ("2", "J")]


def test_the_bridge_shows_what_a_second_file_repeats(load: Load) -> None:
    report = load(RETAIL + PEN + CUP, RETAIL + CUP + PEN + JAR, mapping="online_retail")
    assert (report.read.rows, report.read.amount) == (5, 2 * (Decimal("2.5") + 8) + Decimal("1.25"))
    assert (report.repeated.rows, report.repeated.amount) == (2, Decimal("10.50"))
    assert report.loaded_amount == Decimal("2.5") + 8 + Decimal("1.25")


def test_online_retail_knows_returns_corrections_and_bad_debt(import_database: Engine, load: Load) -> None:
    back = "C3,P,PEN,-1,12/3/2010 10:00,2.50,17850.0,France\n"
    lost = "4,P,damaged,-7,12/4/2010 10:00,0,,France\n"
    gift = "5,P,PEN,1,12/5/2010 10:00,0,,France\n"
    debt = "A6,B,Adjust bad debt,1,12/6/2010 10:00,-100.00,,France\n"
    report = load(RETAIL + PEN + back + lost + gift + debt, mapping="online_retail")
    assert report.read.amount == Decimal("2.5") - Decimal("2.5") + 0 + 0 - 100
    assert (report.quarantined_rows, report.quarantined_amount) == (1, Decimal(-100))
    assert rows(import_database, return_line.c.return_id, return_line.c.quantity, return_line.c.refund) == [
        ("C3", Decimal(1), Decimal("2.50"))
    ]
    movement = crm.tables["stock_movement"]
    assert rows(import_database, movement.c.kind, movement.c.quantity) == [("adjustment", -7)]
    assert rows(import_database, sale_order.c.order_id, sale_order.c.customer_id) == [("1", "17850"), ("5", None)]
    assert rows(import_database, product.c.name) == [("PEN",)]


# --- bad rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("R9,1,S01,,X,,1,abc,2026-03-01 10:00:00", "amount is not a number with at most 4 decimals: abc"),
        ("R9,1,S01,,X,,1,1.00005,2026-03-01 10:00:00", "amount is not a number with at most 4 decimals: 1.00005"),
        ("R9,1,S01,,X,,1,1e5,2026-03-01 10:00:00", "amount is not a number with at most 4 decimals: 1e5"),
        ("R9,1,S01,,X,,1,99999999999999,2026-03-01 10:00:00", "amount is not a number with at most 4 decimals"),
        ("R9,one,S01,,X,,1,5,2026-03-01 10:00:00", "line_no is not a whole number: one"),
        ("R9,1,S01,,X,,1,5,2026-02-30 10:00:00", "sold_at is not a time of the form %Y-%m-%d %H:%M:%S or"),
        ("R9,1,S01,,X,,1,5,46082.5", "sold_at is not a time of the form"),
        ("R9,1,S01,,X,,1,5,yesterday", "sold_at is not a time of the form"),
        ("R9,1,S01,,X,,1,5,1900-01-01 00:00:00", "sold_at lies before 1970-01-01: 1900-01-01 00:00:00"),
        ("R9,1,S01,,X,,1,5,2099-01-01 00:00:00", "sold_at lies in the future: 2099-01-01 00:00:00"),
        (",1,S01,,X,,1,5,2026-03-01 10:00:00", "receipt_no is empty"),
        ("R9,1,  ,,X,,1,5,2026-03-01 10:00:00", "store_no is empty"),
        ("R9,1,S01,,X,,,5,2026-03-01 10:00:00", "quantity is empty"),
        ("R9,1,S01,,X,,0,5,2026-03-01 10:00:00", "a line without quantity"),
        (f"R9,1,S01,,{'X' * 65},,1,5,2026-03-01 10:00:00", "sku is longer than 64 characters"),
        (f"R9,1,S01,,X,{'长' * 201},1,5,2026-03-01 10:00:00", "product_name is longer than 200 characters"),
        ("R1,1,S01,,0012,,3,5,2026-03-01 10:00:00", "sale_line: repeats the order_id, line_no of an earlier row"),
    ],
    ids=lambda value: value[:40] if " " in value else None,
)
def test_a_bad_row_is_quarantined_with_reason_file_and_line(
    line: str, reason: str, import_database: Engine, load: Load
) -> None:
    report = load(HEADER + LINES + line + "\n")
    [row] = quarantined(report)
    assert row["reason"].startswith(reason)
    assert (row["file"], row["line"]) == ("file1.csv", "6")
    assert json.loads(row["content"])["receipt_no"] == (line.split(",")[0] or None)
    assert report.difference == 0
    assert report.loaded_amount == Decimal("398.00") + Decimal("59.50") + Decimal("199.00") - Decimal("59.50")
    assert counts(import_database)["sale_line"] == 3


def test_the_line_of_a_row_counts_breaks_inside_quotes(load: Load) -> None:
    text = 'R0,1,S01,,X,"two\nlines",1,5,2026-03-01 10:00:00\n\nR9,1,S01,,X,,1,bad,2026-03-01 10:00:00\n'
    [row] = quarantined(load(HEADER + text))
    assert row["line"] == "5"


def test_odd_text_arrives_as_it_is(import_database: Engine, load: Load) -> None:
    names = ["💄 lipstick", "\u202eright to left", "=cmd|' /C calc'!A0", "NA", "null", "**bold** <b>", "a'b;--"]
    lines = [f'R{i},1,S01,,P{i},"{name}",1,1,2026-03-01 10:00:00\n' for i, name in enumerate(names)]
    load(HEADER + "".join(lines))
    assert rows(import_database, product.c.product_id, product.c.name) == [
        (f"P{i}", name) for i, name in enumerate(names)
    ]


def test_the_quarantine_file_is_private(load: Load) -> None:
    report = load(HEADER + LINES + "R9,1,S01,,X,,1,abc,2026-03-01 10:00:00\n")
    assert report.quarantine_file is not None
    assert stat.S_IMODE(report.quarantine_file.stat().st_mode) == 0o600


# --- databases that are refused -------------------------------------------------------------------


def test_the_demo_chain_is_left_alone(import_database: Engine, load: Load) -> None:
    prepare(import_database)
    with import_database.begin() as connection:
        connection.execute(insert(data_source).values(source_id="demo", kind="demo", name="tiny", loaded_at=NOW))
    with pytest.raises(Problem, match="MIRROR_CRM_URL"):
        load(HEADER + LINES)


def test_currencies_are_never_mixed(import_database: Engine, load: Load, tmp_path: Path) -> None:
    load(HEADER + LINES)
    with pytest.raises(Problem, match="holds amounts in CNY and mapping online_retail brings GBP"):
        load(RETAIL + PEN, mapping="online_retail")
    mapping = mapping_file(tmp_path, 'money = { from = ["money"], type = "currency" }')
    with pytest.raises(Problem, match=r"file1\.csv, line 3: currency EUR where mapping mine states CNY"):
        load("id,name,money\n1,A,CNY\n2,B,EUR\n", mapping=mapping)


def test_nothing_is_written_when_the_money_does_not_reconcile(
    import_database: Engine, load: Load, tmp_path: Path
) -> None:
    forgetful = TEMPLATE.read_text(encoding="utf-8").replace("FROM line WHERE is_return", "FROM line WHERE false")
    with pytest.raises(Problem, match=r"does not reconcile: -59\.5000 CNY"):
        load(HEADER + LINES, mapping=write(tmp_path / "forgetful.toml", forgetful))
    assert counts(import_database).keys() <= {"alembic_version"}


def test_nothing_is_written_when_the_quarantine_cannot_be(import_database: Engine, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER + LINES + "R9,1,S01,,X,,1,abc,2026-03-01 10:00:00\n")
    blocked = write(tmp_path / "blocked", "a file where the folder should be")
    with pytest.raises(Problem, match="nothing is imported"):
        import_files(import_database, TEMPLATE, [path], quarantine=blocked)
    assert counts(import_database).keys() <= {"alembic_version"}


# --- the other databases --------------------------------------------------------------------------


@pytest.mark.database
@pytest.mark.parametrize("url", ["postgresql_url", "mariadb_url"])
def test_postgresql_and_mariadb_take_the_same_rows(url: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    engine = crm_engine(request.getfixturevalue(url))
    path = write(tmp_path / "a.csv", HEADER + LINES + 'R3,1,s01,M7,0012,\'"x",1,0.0001,2026-03-01 10:00:00\n')
    for now, changed in ((NOW, 0), (LATER, 0)):
        report = import_files(engine, TEMPLATE, [path], quarantine=tmp_path, now=now)
        assert sum(t.changed for t in report.tables) == changed
    assert sum(t.inserted for t in report.tables) == 0
    assert {row[0] for row in rows(engine, store.c.store_id)} == {"S01", "S02", "s01"}
    assert rows(engine, sale_line.c.net) == [(Decimal(n),) for n in ("0.0001", "59.5000", "199.0000", "398.0000")]
    changed_file = write(tmp_path / "a.csv", HEADER + LINES.replace("398.00", "388.00"))
    report = import_files(engine, TEMPLATE, [changed_file], quarantine=tmp_path, now=LATER)
    assert {t.table: t.changed for t in report.tables if t.changed} == {"sale_line": 1}
    engine.dispose()
