"""Reading of csv, xlsx and parquet: a clean table, or one sentence that says what is wrong where."""

import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access.errors import Problem
from data_access.importing import reading
from data_access.importing.reading import Part, read
from tests.import_kit import HEADER, LINES, Load, write


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
        ("a.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "a.csv begins as UTF-16 text and does not go on as such"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16-le"), "a.csv, line 1: holds a NUL byte"),
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
    name: str, content: bytes, sentence: str, load: Load, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as caught:
        load(write(tmp_path / name, content))
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
        read(write(tmp_path / "a.csv", "a\n1\n2\n3\n"))


def test_a_missing_file_is_named(load: Load, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"there is no file .*nowhere\.csv"):
        load(tmp_path / "nowhere.csv")


def test_a_needed_file_that_is_not_given_is_named(load: Load) -> None:
    with pytest.raises(Problem, match="needs a file for line with the columns receipt_no"):
        load("store_no,store_name,city,region\nS01,A,B,C\n")


def test_sheets_that_hold_something_else_are_ignored(load: Load, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("order", ["le", "be"])
def test_text_that_begins_with_the_mark_of_utf_16_is_read_as_such(tmp_path: Path, order: str) -> None:
    content = "\ufeffa\tb\r\n1\t面霜\r\n".encode(f"utf-16-{order}")
    [part] = read(write(tmp_path / "a.txt", content), delimiter="\t")
    assert part.rows.to_pylist() == [{"a": "1", "b": "面霜"}]


def test_instants_with_a_zone_become_local(tmp_path: Path) -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2026-03-01 16:30"]).tz_localize("UTC")})
    frame.to_parquet(tmp_path / "a.parquet")
    [part] = read(tmp_path / "a.parquet", time_zone="Asia/Shanghai")
    assert part.rows.to_pylist() == [{"at": "2026-03-02T00:30:00"}]


def _read_or_sentence(path: Path) -> list[Part] | str:
    try:
        return read(path)
    except Problem as problem:
        return str(problem)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(alphabet='a,"\n\r\0é', max_size=60).map(str.encode))
def test_any_bytes_give_a_table_or_a_sentence(tmp_path: Path, content: bytes) -> None:
    outcome = _read_or_sentence(write(tmp_path / "any.csv", content))
    if isinstance(outcome, str):
        assert "any.csv" in outcome
    else:
        assert outcome[0].rows.num_rows == len(outcome[0].lines) > 0


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
    path = write(tmp_path / f"bad.{kind}", bytes(content[: data.draw(st.integers(5, len(content)))]))
    outcome = _read_or_sentence(path)
    if isinstance(outcome, str):
        assert path.name in outcome
    else:
        assert all(part.rows.num_rows for part in outcome)
