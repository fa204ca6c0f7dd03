"""Imports, from the strict reading of a file to the rows in the CRM database."""

import csv
import json
import stat
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, select

from data_access.crm import crm_engine, prepare
from data_access.errors import Problem
from data_access.importer import ImportReport, import_files
from data_access.importing import reading
from data_access.importing.mapping import SHIPPED, load_mapping
from data_access.importing.reading import read
from data_access.schema import crm, customer, data_source, product, return_line, sale_line, sale_order, store

NOW = datetime(2026, 11, 21, 12)
LATER = datetime(2026, 11, 22, 12)
HEADER = "receipt_no,line_no,store_no,member_no,sku,product_name,quantity,amount,sold_at\n"
LINES = (
    "R1,1,S01,M7,0012,玫瑰面霜,2,398.00,2026-03-01 10:00:00\n"
    "R1,2,S01,M7,0013,=1+1,1,59.50,2026-03-01 10:00:00\n"
    "R2,1,S02,,0012,玫瑰面霜,1,199.00,2026-03-02 00:30:00\n"
    "T1,1,S01,M7,0013,=1+1,-1,-59.50,2026-03-05 09:00:00\n"
)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return crm_engine(f"sqlite:///{tmp_path / 'crm.sqlite'}")


@pytest.fixture
def load(engine: Engine, tmp_path: Path) -> Callable[..., ImportReport]:
    """Imports files, or texts that become csv files, with the template's mapping unless another is named."""

    def run(
        *contents: str | Path, mapping: str | Path = SHIPPED / "template.toml", now: datetime = NOW
    ) -> ImportReport:
        files = [
            content if isinstance(content, Path) else _write(tmp_path / f"file{number}.csv", content)
            for number, content in enumerate(contents, start=1)
        ]
        return import_files(engine, mapping, files, quarantine=tmp_path / "quarantine", now=now)

    return run


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _rows(engine: Engine, *columns: object) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        query = select(*columns).order_by(*columns)  # type: ignore[call-overload]
        return [tuple(row) for row in connection.execute(query)]


def _counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: count
            for name, table in crm.tables.items()
            if (count := connection.scalar(select(func.count()).select_from(table)))
        }


def _quarantined(report: ImportReport) -> list[dict[str, str]]:
    assert report.quarantine_file is not None
    with report.quarantine_file.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- what a good file becomes ---------------------------------------------------------------------


def test_the_template_loads_receipts_members_and_shops(engine: Engine, load: Callable[..., ImportReport]) -> None:
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
    assert _rows(engine, customer.c.customer_id, customer.c.phone, customer.c.birthday, customer.c.joined_on) == [
        ("M7", "013800138000", date(1990, 2, 28), date(2025, 12, 31))
    ]
    assert _rows(engine, store.c.store_id, store.c.name, store.c.region_id, store.c.currency) == [
        ("S01", "南京路店", "华东", "CNY"),
        ("S02", "S02", None, "CNY"),
    ]
    assert _rows(engine, product.c.product_id, product.c.name) == [("0012", "玫瑰面霜"), ("0013", "=1+1")]
    # Shanghai is eight hours ahead of UTC: half past midnight is the day before there.
    assert _rows(engine, sale_order.c.order_id, sale_order.c.customer_id, sale_order.c.ordered_at) == [
        ("R1", "M7", datetime(2026, 3, 1, 2)),
        ("R2", None, datetime(2026, 3, 1, 16, 30)),
    ]
    assert _rows(engine, return_line.c.return_id, return_line.c.quantity, return_line.c.refund) == [
        ("T1", Decimal(1), Decimal("59.50"))
    ]


def test_the_load_is_recorded_with_its_bridge(engine: Engine, load: Callable[..., ImportReport]) -> None:
    report = load(HEADER + LINES + "R3,1,S01,,0012,,0,5.00,2026-03-01 10:00:00\n")
    with engine.connect() as connection:
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
    kind: str, engine: Engine, load: Callable[..., ImportReport], tmp_path: Path
) -> None:
    text = _write(tmp_path / "same.csv", HEADER + LINES)
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
    before = _counts(engine)
    report = load(text)
    assert {t.table: (t.inserted, t.changed) for t in report.tables if t.inserted or t.changed} == {}
    assert _counts(engine) | {"data_source": 1} == before | {"data_source": 1}


# --- importing again ------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(engine: Engine, load: Callable[..., ImportReport]) -> None:
    load(HEADER + LINES)
    before = _counts(engine)
    report = load(HEADER + LINES, now=LATER)
    assert _counts(engine) == before
    assert sum(t.inserted + t.changed for t in report.tables) == 0
    assert {row[0] for row in _rows(engine, sale_line.c.updated_at)} == {NOW}


def test_a_changed_row_replaces_the_old_one_and_only_it(engine: Engine, load: Callable[..., ImportReport]) -> None:
    load(HEADER + LINES)
    load(HEADER + LINES.replace("398.00", "388.00"), now=LATER)
    assert _rows(engine, sale_line.c.order_id, sale_line.c.line_no, sale_line.c.net, sale_line.c.updated_at) == [
        ("R1", 1, Decimal("388.00"), LATER),
        ("R1", 2, Decimal("59.50"), NOW),
        ("R2", 1, Decimal("199.00"), NOW),
    ]


def test_columns_that_a_mapping_does_not_fill_survive_an_update(
    engine: Engine, load: Callable[..., ImportReport]
) -> None:
    members = "member_no,birthday,joined_on,gender\nM7,1990-02-28,2025-12-31,{}\n"
    load(HEADER + LINES, members.format("female"))
    with engine.begin() as connection:
        connection.execute(customer.update().values(importance="vip"))
    load(HEADER + LINES, members.format("male"))
    assert _rows(engine, customer.c.gender, customer.c.importance) == [("male", "vip")]


RETAIL = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
PEN = "1,P,PEN,1,12/1/2010 8:26,2.50,17850.0,France\n"
CUP = "1,C,CUP,2,12/1/2010 8:27,4.00,17850.0,France\n"
LID = "1,L,LID,1,12/1/2010 8:27,1.00,17850.0,France\n"
JAR = "2,J,JAR,1,12/2/2010 9:00,1.25,,France\n"


def test_equal_lines_of_one_receipt_all_count(engine: Engine, load: Callable[..., ImportReport]) -> None:
    load(RETAIL + PEN + CUP + PEN, mapping="online_retail")
    assert _rows(engine, sale_line.c.line_no, sale_line.c.product_id, sale_line.c.net) == [
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
    runs: list[list[str]], engine: Engine, load: Callable[..., ImportReport]
) -> None:
    for files in runs:
        report = load(*(RETAIL + content for content in files), mapping="online_retail")
        assert report.difference == 0
    lines = _rows(engine, sale_line.c.order_id, sale_line.c.product_id)
    # The lid is only there to make the parts of the cut receipt differ.
    assert [line for line in lines if line[1] != "L"] == [("1", "C"), ("1", "P"), ("1", "P"), ("2", "J")]


def test_the_bridge_shows_what_a_second_file_repeats(load: Callable[..., ImportReport]) -> None:
    report = load(RETAIL + PEN + CUP, RETAIL + CUP + PEN + JAR, mapping="online_retail")
    assert (report.read.rows, report.read.amount) == (5, 2 * (Decimal("2.5") + 8) + Decimal("1.25"))
    assert (report.repeated.rows, report.repeated.amount) == (2, Decimal("10.50"))
    assert report.loaded_amount == Decimal("2.5") + 8 + Decimal("1.25")


def test_online_retail_knows_returns_corrections_and_bad_debt(
    engine: Engine, load: Callable[..., ImportReport]
) -> None:
    back = "C3,P,PEN,-1,12/3/2010 10:00,2.50,17850.0,France\n"
    lost = "4,P,damaged,-7,12/4/2010 10:00,0,,France\n"
    gift = "5,P,PEN,1,12/5/2010 10:00,0,,France\n"
    debt = "A6,B,Adjust bad debt,1,12/6/2010 10:00,-100.00,,France\n"
    report = load(RETAIL + PEN + back + lost + gift + debt, mapping="online_retail")
    assert report.read.amount == Decimal("2.5") - Decimal("2.5") + 0 + 0 - 100
    assert (report.quarantined_rows, report.quarantined_amount) == (1, Decimal(-100))
    assert _rows(engine, return_line.c.return_id, return_line.c.quantity, return_line.c.refund) == [
        ("C3", Decimal(1), Decimal("2.50"))
    ]
    movement = crm.tables["stock_movement"]
    assert _rows(engine, movement.c.kind, movement.c.quantity) == [("adjustment", -7)]
    assert _rows(engine, sale_order.c.order_id, sale_order.c.customer_id) == [("1", "17850"), ("5", None)]
    assert _rows(engine, product.c.name) == [("PEN",)]


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
    line: str, reason: str, engine: Engine, load: Callable[..., ImportReport]
) -> None:
    report = load(HEADER + LINES + line + "\n")
    [row] = _quarantined(report)
    assert row["reason"].startswith(reason)
    assert (row["file"], row["line"]) == ("file1.csv", "6")
    assert json.loads(row["content"])["receipt_no"] == (line.split(",")[0] or None)
    assert report.difference == 0
    assert report.loaded_amount == Decimal("398.00") + Decimal("59.50") + Decimal("199.00") - Decimal("59.50")
    assert _counts(engine)["sale_line"] == 3


def test_the_line_of_a_row_counts_breaks_inside_quotes(load: Callable[..., ImportReport]) -> None:
    text = 'R0,1,S01,,X,"two\nlines",1,5,2026-03-01 10:00:00\n\nR9,1,S01,,X,,1,bad,2026-03-01 10:00:00\n'
    [row] = _quarantined(load(HEADER + text))
    assert row["line"] == "5"


def test_odd_text_arrives_as_it_is(engine: Engine, load: Callable[..., ImportReport]) -> None:
    names = ["💄 lipstick", "\u202eright to left", "=cmd|' /C calc'!A0", "NA", "null", "**bold** <b>", "a'b;--"]
    lines = [f'R{i},1,S01,,P{i},"{name}",1,1,2026-03-01 10:00:00\n' for i, name in enumerate(names)]
    load(HEADER + "".join(lines))
    assert _rows(engine, product.c.product_id, product.c.name) == [(f"P{i}", name) for i, name in enumerate(names)]


def test_the_quarantine_file_is_private(load: Callable[..., ImportReport]) -> None:
    report = load(HEADER + LINES + "R9,1,S01,,X,,1,abc,2026-03-01 10:00:00\n")
    assert report.quarantine_file is not None
    assert stat.S_IMODE(report.quarantine_file.stat().st_mode) == 0o600


# --- files that are refused -----------------------------------------------------------------------


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", HEADER.encode(), "a.csv has a header but no rows"),
        ("a.csv", b"\n\n\n", "a.csv has no header"),
        ("a.csv", b"a,b,a\n1,2,3\n", "two columns named 'a' (columns 1 and 3)"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "a.csv, line 3: 3 columns where the header has 2"),
        ("a.csv", b"a,b\n1,2\n1\n", "a.csv, line 3: 1 columns where the header has 2"),
        ("a.csv", b"a,b\n1,\x00\n", "a.csv, line 2: holds a NUL byte"),
        ("a.csv", b'a,b\n1,"2\n', "a.csv, line 2: unexpected end of data"),
        ("a.csv", b'a,b\n1,"2"3\n', "a.csv, line 2: "),
        ("a.csv", "a,b\n1,面霜\n".encode("gb18030"), "a.csv, line 2: not UTF-8 text"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "a.csv, line 1: not UTF-8 text"),
        ("a.csv", b"a,b\n1," + b"x" * 200_000 + b"\n", "field larger than field limit"),
        ("a.csv", ",".join(f"c{i}" for i in range(1001)).encode(), "1,001 columns, more than 1,000"),
        ("a.csv", b"PK\x03\x04....", "a.csv is an Excel workbook, not .csv"),
        ("a.csv", b"PAR1....", "a.csv is a parquet file, not .csv"),
        ("a.csv", b"\xd0\xcf\x11\xe0....", "old or protected kind"),
        ("a.xls", b"\xd0\xcf\x11\xe0....", "neither csv, xlsx nor parquet"),
        ("a.xlsx", b"a,b\n1,2\n", "a.xlsx is not an Excel workbook"),
        ("a.xlsx", b"PK\x03\x04" + b"x" * 99, "a.xlsx is a damaged workbook"),
        ("a.parquet", b"a,b\n", "a.parquet is not a parquet file"),
        ("a.parquet", b"PAR1" + b"x" * 99, "a.parquet is a damaged parquet file"),
        ("a.csv", b"a,b\n1,2\n", "lacks the columns"),
        ("a.csv", HEADER.replace("sold_at", "when").encode() + LINES.encode(), "lacks the column sold_at"),
    ],
)
def test_a_file_that_is_no_clean_table_is_refused_in_one_sentence(
    name: str, content: bytes, sentence: str, engine: Engine, load: Callable[..., ImportReport], tmp_path: Path
) -> None:
    with pytest.raises(Problem) as caught:
        load(_write(tmp_path / name, content))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_workbook_that_would_fill_the_memory_is_refused_unopened(tmp_path: Path) -> None:
    _bomb(tmp_path / "bomb.xlsx")
    with pytest.raises(Problem, match="would unpack to 60 MB"):
        read(tmp_path / "bomb.xlsx")


def test_a_file_with_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    with pytest.raises(Problem, match="more than 2 rows"):
        read(_write(tmp_path / "a.csv", "a\n1\n2\n3\n"))


def test_a_missing_file_is_named(load: Callable[..., ImportReport], tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"there is no file .*nowhere\.csv"):
        load(tmp_path / "nowhere.csv")


def test_a_needed_file_that_is_not_given_is_named(load: Callable[..., ImportReport]) -> None:
    with pytest.raises(Problem, match="needs a file for line with the columns receipt_no"):
        load("store_no,store_name,city,region\nS01,A,B,C\n")


def test_sheets_that_hold_something_else_are_ignored(load: Callable[..., ImportReport], tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    notes, sheet, _ = workbook.active, workbook.create_sheet("lines"), workbook.create_sheet("empty")
    notes.append(["exported by the till"])
    for line in (HEADER + LINES).splitlines():
        sheet.append(line.split(","))
    workbook.save(tmp_path / "book.xlsx")
    assert load(tmp_path / "book.xlsx").read.rows == 4


def test_numbers_in_cells_lose_nothing(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["text", "whole", "float", "day", "flag"])
    workbook.active.append(["007", 17850.0, 0.1, datetime(2026, 2, 28, 9, 30), True])
    workbook.save(tmp_path / "a.xlsx")
    [part] = read(tmp_path / "a.xlsx")
    assert part.rows.to_pylist() == [
        {"text": "007", "whole": "17850", "float": "0.1", "day": "2026-02-28T09:30:00", "flag": "true"}
    ]


def test_instants_with_a_zone_become_local(tmp_path: Path) -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2026-03-01 16:30"]).tz_localize("UTC")})
    frame.to_parquet(tmp_path / "a.parquet")
    [part] = read(tmp_path / "a.parquet", time_zone="Asia/Shanghai")
    assert part.rows.to_pylist() == [{"at": "2026-03-02T00:30:00"}]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(alphabet='a,"\n\r\0é', max_size=60).map(str.encode))
def test_any_bytes_give_a_table_or_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = _write(tmp_path / "any.csv", content)
    try:
        [part] = read(path)
    except Problem as problem:
        assert "any.csv" in str(problem)
    else:
        assert part.rows.num_rows == len(part.lines) > 0


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_gives_a_table_or_a_sentence(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    good = tmp_path / f"good.{kind}"
    if not good.exists():
        frame = pd.DataFrame({"a": ["1", "2"], "b": [1.5, None]})
        frame.to_parquet(good) if kind == "parquet" else frame.to_excel(good, index=False)
    content = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = _write(tmp_path / f"bad.{kind}", bytes(content[: data.draw(st.integers(5, len(content)))]))
    try:
        parts = read(path)
    except Problem as problem:
        assert path.name in str(problem)
    else:
        assert all(part.rows.num_rows for part in parts)


# --- databases that are refused -------------------------------------------------------------------


def test_the_demo_chain_is_left_alone(engine: Engine, load: Callable[..., ImportReport]) -> None:
    prepare(engine)
    with engine.begin() as connection:
        connection.execute(insert(data_source).values(source_id="demo", kind="demo", name="tiny", loaded_at=NOW))
    with pytest.raises(Problem, match="MIRROR_CRM_URL"):
        load(HEADER + LINES)


def test_currencies_are_never_mixed(engine: Engine, load: Callable[..., ImportReport], tmp_path: Path) -> None:
    load(HEADER + LINES)
    with pytest.raises(Problem, match="holds amounts in CNY and mapping online_retail brings GBP"):
        load(RETAIL + PEN, mapping="online_retail")
    mapping = _mapping(tmp_path, 'money = { from = ["money"], type = "currency" }')
    with pytest.raises(Problem, match=r"file1\.csv, line 3: currency EUR where mapping mine states CNY"):
        load("id,name,money\n1,A,CNY\n2,B,EUR\n", mapping=mapping)


def test_nothing_is_written_when_the_money_does_not_reconcile(
    engine: Engine, load: Callable[..., ImportReport], tmp_path: Path
) -> None:
    forgetful = (
        (SHIPPED / "template.toml")
        .read_text(encoding="utf-8")
        .replace("FROM line WHERE is_return", "FROM line WHERE false")
    )
    with pytest.raises(Problem, match=r"does not reconcile: -59\.5000 CNY"):
        load(HEADER + LINES, mapping=_write(tmp_path / "forgetful.toml", forgetful))
    assert _counts(engine).keys() <= {"alembic_version"}


def test_nothing_is_written_when_the_quarantine_cannot_be(engine: Engine, tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", HEADER + LINES + "R9,1,S01,,X,,1,abc,2026-03-01 10:00:00\n")
    blocked = _write(tmp_path / "blocked", "a file where the folder should be")
    with pytest.raises(Problem, match="nothing is imported"):
        import_files(engine, SHIPPED / "template.toml", [path], quarantine=blocked)
    assert _counts(engine).keys() <= {"alembic_version"}


# --- mappings -------------------------------------------------------------------------------------


def _mapping(tmp_path: Path, columns: str = "", tables: str = "", **settings_: str) -> Path:
    values = {"name": "mine", "title": "Mine", "time_zone": "Asia/Shanghai", "currency": "CNY"} | settings_
    head = "\n".join(f'{key} = "{value}"' for key, value in values.items())
    target = """
    [[tables]]
    name = "product"
    from = "one"
    columns = { product_id = "id", name = "name" }
    """
    text = f"""{head}
    [inputs.one.columns]
    id = {{ from = ["id"], type = "id" }}
    name = "name"
    {columns}
    {tables or target}
    """
    return _write(tmp_path / "mine.toml", dedent(text))


def test_plain_columns_are_enough_for_a_mapping(
    engine: Engine, load: Callable[..., ImportReport], tmp_path: Path
) -> None:
    report = load("id,name,more\n001,A,x\n002,,x\n001,A,x\n001,Z,x\n", mapping=_mapping(tmp_path))
    assert _rows(engine, product.c.product_id, product.c.name) == [("001", "A")]
    assert [(row["line"], row["reason"]) for row in _quarantined(report)] == [
        ("3", "product.name is empty"),
        ("5", "product: repeats the product_id of an earlier row"),
    ]


def test_another_encoding_and_separator_can_be_stated(
    engine: Engine, load: Callable[..., ImportReport], tmp_path: Path
) -> None:
    path = _write(tmp_path / "gb.csv", "id;name\n1;面霜\n".encode("gb18030"))
    load(path, mapping=_mapping(tmp_path, encoding="gb18030", delimiter=";"))
    assert _rows(engine, product.c.name) == [("面霜",)]


@pytest.mark.parametrize(
    ("settings_", "columns", "tables", "sentence"),
    [
        ({"time_zone": "Shanghai"}, "", "", "wrong at time_zone: there is no time zone 'Shanghai'"),
        ({"currency": "yuan"}, "", "", "wrong at currency"),
        ({"encoding": "utf-9"}, "", "", "no text encoding 'utf-9'"),
        ({"colour": "red"}, "", "", "wrong at colour"),
        ({}, 'x = { from = ["x"], type = "number" }', "", "wrong at inputs.one.columns.x.type"),
        ({}, 'x = { from = ["x"], formats = ["%Y"] }', "", "formats are for dates"),
        ({}, "", '[[tables]]\nname = "salez"\nselect = "SELECT 1"', "no canonical table 'salez'"),
        ({}, "", '[[tables]]\nname = "product"', "needs either select, or from and columns"),
        ({}, "", '[[tables]]\nname = "product"\nfrom = "two"\ncolumns = { name = "name" }', "none of the inputs"),
        ({}, "", '[[tables]]\nname = "product"\nfrom = "one"\ncolumns = { nam = "name" }', "has no column nam"),
        ({}, "", '[[tables]]\nname = "product"\nselect = "SELECT id AS product_id FROM one"', "it leaves out name"),
        ({}, "", '[[tables]]\nname = "product"\nselect = "SELECT wrong FROM one"', "tables.0 (product): Binder Error"),
        ({}, "", "[[tables]]\nname = \"product\"\nselect = \"SELECT * FROM '/etc/passwd'\"", "tables.0 (product)"),
        ({}, "", '[[tables]]\nname = "product"\nselect = "SELECT 1 AS x, id AS product_id, name FROM one"', "no column x"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_explained_in_one_sentence(
    settings_: dict[str, str],
    columns: str,
    tables: str,
    sentence: str,
    load: Callable[..., ImportReport],
    tmp_path: Path,
) -> None:
    with pytest.raises(Problem) as caught:
        load("id,name,x\n1,A,1\n", mapping=_mapping(tmp_path, columns, tables, **settings_))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mapping_that_does_not_exist_names_the_shipped_ones() -> None:
    with pytest.raises(Problem, match="cdnow, complete_journey, hillstrom, online_retail"):
        load_mapping("nowhere")


def test_a_mapping_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not readable TOML"):
        load_mapping(_write(tmp_path / "broken.toml", "name = "))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_is_valid_and_named_after_its_file(path: Path) -> None:
    mapping = load_mapping(path)
    assert mapping.name == ("my_export" if path.stem == "template" else path.stem)
    assert {target.name for target in mapping.tables} <= set(crm.tables)


# --- the other databases --------------------------------------------------------------------------


@pytest.mark.database
@pytest.mark.parametrize("url", ["postgresql_url", "mariadb_url"])
def test_postgresql_and_mariadb_take_the_same_rows(url: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    engine = crm_engine(request.getfixturevalue(url))
    path = _write(tmp_path / "a.csv", HEADER + LINES + 'R3,1,s01,M7,0012,\'"x",1,0.0001,2026-03-01 10:00:00\n')
    for now, changed in ((NOW, 0), (LATER, 0)):
        report = import_files(engine, SHIPPED / "template.toml", [path], quarantine=tmp_path, now=now)
        assert sum(t.changed for t in report.tables) == changed
    assert sum(t.inserted for t in report.tables) == 0
    assert {row[0] for row in _rows(engine, store.c.store_id)} == {"S01", "S02", "s01"}
    assert _rows(engine, sale_line.c.net) == [(Decimal(n),) for n in ("0.0001", "59.5000", "199.0000", "398.0000")]
    changed_file = _write(tmp_path / "a.csv", HEADER + LINES.replace("398.00", "388.00"))
    report = import_files(engine, SHIPPED / "template.toml", [changed_file], quarantine=tmp_path, now=LATER)
    assert {t.table: t.changed for t in report.tables if t.changed} == {"sale_line": 1}
    engine.dispose()
