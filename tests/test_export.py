"""Files to take away: what a spreadsheet reads, and what it must not run."""

import io
from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest

from pages._ui import export

COVER = export.Cover("Overview", (("Scope", "Whole chain"), ("Days", "Oct 24 – Nov 20, 2026")), "CNY")
FRAME = pd.DataFrame(
    {
        "product": ["玫瑰精华水", "=1+1", None],
        "net_sales": [1234.5, -2.0, float("nan")],
        "share": [0.25, 0.5, 0.25],
        "units": pd.array([3, 4, pd.NA], dtype="Int64"),
        "ordered_at": pd.to_datetime(["2026-11-20 18:40", "2026-11-20 00:00", None]),
    }
)


def book() -> openpyxl.Workbook:
    build = export._workbook_of(COVER, {"Products": FRAME})
    return openpyxl.load_workbook(io.BytesIO(build()))


def test_csv_is_read_by_a_spreadsheet_in_chinese() -> None:
    text = export.to_csv(FRAME)
    assert text.startswith(b"\xef\xbb\xbf")
    assert text.decode("utf-8-sig").split("\r\n")[1] == "玫瑰精华水,1234.5,0.25,3,2026-11-20 18:40"


def test_missing_values_are_empty_in_csv() -> None:
    assert export.to_csv(FRAME).decode("utf-8-sig").split("\r\n")[3] == ",,0.25,,"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    written = export.to_csv(pd.DataFrame({"name": [text]})).decode("utf-8-sig")
    assert f"'{text}" in written


def test_a_negative_number_is_a_number() -> None:
    assert export.to_csv(FRAME).decode("utf-8-sig").split("\r\n")[2].startswith("'=1+1,-2.0,")


def test_cells_of_a_workbook_are_typed() -> None:
    sheet = book()["Products"]
    assert sheet["B2"].value == 1234.5
    assert "¥" in sheet["B2"].number_format
    assert sheet["C2"].number_format == "0.0%"
    assert sheet["D2"].value == 3
    assert sheet["E2"].value == datetime(2026, 11, 20, 18, 40)
    assert sheet["B4"].value is None
    assert sheet["D4"].value is None


def test_a_formula_in_the_data_stays_text_in_a_workbook() -> None:
    cell = book()["Products"]["A3"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_the_cover_says_what_the_file_holds_and_what_its_figures_mean() -> None:
    cover = book().worksheets[0]
    texts = [cell.value for row in cover.iter_rows() for cell in row if cell.value]
    assert texts[:5] == ["Overview", "Scope", "Whole chain", "Days", "Oct 24 – Nov 20, 2026"]
    assert any("Net sales = gross sales − returns" in text for text in texts)


def test_days_are_days() -> None:
    build = export._workbook_of(COVER, {"D": pd.DataFrame({"last_day": [date(2026, 11, 20)]})})
    cell = openpyxl.load_workbook(io.BytesIO(build()))["D"]["A2"]
    assert (cell.value, cell.number_format) == (datetime(2026, 11, 20), "yyyy-mm-dd")
