"""Files to take away: what a spreadsheet reads, and what it must not run."""

import csv
import io
from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest

from data_access.scope import Scope
from models import output
from pages._gate.exports import MOST_ROWS, Refused, Stamp, Written
from pages._gate.identity import Person
from pages._ui import export, worded
from pages._ui.i18n import LANGUAGES, speaking

STAMP = Stamp("0123456789abcdef", "2026-11-20 18:40")
COVER = export.Cover(
    "Overview",
    (("Scope", "Whole chain"), ("Days", "Oct 24 – Nov 20, 2026")),
    "CNY",
    "overview",
    "full",
    Scope("chain"),
)
FRAME = pd.DataFrame(
    {
        "product": ["玫瑰精华水", "=1+1", None],
        "net_sales": [1234.5, -2.0, float("nan")],
        "share": [0.25, 0.5, 0.25],
        "units": pd.array([3, 4, pd.NA], dtype="Int64"),
        "ordered_at": pd.to_datetime(["2026-11-20 18:40", "2026-11-20 00:00", None]),
    }
)
PEOPLE = pd.DataFrame({"customer_key": ["c1", "c2", "c1", None], "orders": [1, 2, 3, 4]})


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.session.identity", lambda: Person("marketing", (), "a1", "王芳"))
    monkeypatch.setattr("pages._ui.i18n._translations", lambda field, language: {})


def csv_lines(frame: pd.DataFrame) -> list[str]:
    file = io.BytesIO()
    export._lines(lambda: frame)(file, STAMP)
    assert file.getvalue().startswith(b"\xef\xbb\xbf")
    return file.getvalue().decode("utf-8-sig").split("\r\n")


def book(name: str, frame: pd.DataFrame) -> openpyxl.Workbook:
    file = io.BytesIO()
    sheet = export._sheet(name, frame, lambda: frame)
    export._book(COVER, [sheet], export._definitions(COVER.page, {name: frame}))(file, STAMP)
    return openpyxl.load_workbook(file)


def test_csv_is_read_by_a_spreadsheet_in_chinese() -> None:
    assert csv_lines(FRAME)[1] == "玫瑰精华水,1234.5,0.25,3,2026-11-20 18:40"


def test_missing_values_are_empty_in_csv() -> None:
    assert csv_lines(FRAME)[3] == ",,0.25,,"


def test_the_last_line_of_a_csv_says_who_took_it_away() -> None:
    assert csv_lines(FRAME)[4:] == ["File 0123456789abcdef · 王芳 · 2026-11-20 18:40,,,,", ""]


RUN = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1+1", "＋1", "－1", "＠SUM(A1)", "﹦1", "−1",
    "  =1+1", "\u3000=1", "\u00a0=1", "\u200b=1", "\ufeff=1", "\t", "=HYPERLINK(\"https://evil.example\")",
]  # fmt: skip


@pytest.mark.parametrize("text", RUN, ids=ascii)
def test_text_that_a_spreadsheet_would_run_is_neutralised_in_every_file(text: str) -> None:
    frame = pd.DataFrame({"name": [text]})
    written = io.BytesIO()
    export._lines(lambda: frame)(written, STAMP)
    rows = list(csv.reader(io.StringIO(written.getvalue().decode("utf-8-sig"), newline="")))
    assert rows[1] == [f"'{text}"]
    cell = book("S", frame)["S"]["A2"]
    assert (cell.value[:1], cell.data_type) == ("'", "s")
    sheet = openpyxl.load_workbook(io.BytesIO(output.to_xlsx({}, {"S": frame})))["S"]
    assert (sheet["A2"].value[:1], sheet["A2"].data_type) == ("'", "s")
    rows = list(csv.reader(io.StringIO(output.to_csv({"S": frame}), newline="")))
    assert rows[1] == [f"'{text}".replace("\r", "\n")]


@pytest.mark.parametrize("text", ["", " ", "玫瑰", "a=1", "1-1", "a@b.cn", "'=1", "(=1)", "·"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert output.harmless(text) == text


def test_a_negative_number_is_a_number() -> None:
    assert csv_lines(FRAME)[2].startswith("'=1+1,-2.0,")
    assert book("P", FRAME)["P"]["B3"].value == -2


def test_cells_of_a_workbook_are_typed() -> None:
    sheet = book("Products", FRAME)["Products"]
    assert sheet["B2"].value == 1234.5
    assert "¥" in sheet["B2"].number_format
    assert sheet["C2"].number_format == "0.0%"
    assert sheet["D2"].value == 3
    assert sheet["E2"].value == datetime(2026, 11, 20, 18, 40)
    assert sheet["B4"].value is None
    assert sheet["D4"].value is None


def test_the_cover_says_what_the_file_holds_who_took_it_and_what_its_figures_mean() -> None:
    cover = book("Products", FRAME).worksheets[0]
    texts = [cell.value for row in cover.iter_rows() for cell in row if cell.value]
    assert texts[:5] == ["Overview", "Scope", "Whole chain", "Days", "Oct 24 – Nov 20, 2026"]
    assert texts[5:11] == ["File", STAMP.file_id, "Taken away by", "王芳", "Taken away at", STAMP.at]
    assert any("Net sales = gross sales − returns" in text for text in texts)


def test_days_are_days() -> None:
    cell = book("D", pd.DataFrame({"last_day": [date(2026, 11, 20)]}))["D"]["A2"]
    assert (cell.value, cell.number_format) == (datetime(2026, 11, 20), "yyyy-mm-dd")


def test_a_file_says_how_many_rows_which_columns_and_which_customers_it_holds() -> None:
    assert export.written([FRAME, PEOPLE]) == Written(
        3 + 4, ("product", "net_sales", "share", "units", "ordered_at", "customer_key", "orders"), ("c1", "c2")
    )


def test_a_file_of_a_page_about_a_customer_names_the_customer() -> None:
    write = export._naming(export._lines(lambda: FRAME), ["c9"])
    assert write(io.BytesIO(), STAMP).customers == ("c9",)
    assert export._naming(export._lines(lambda: PEOPLE), ["c2"])(io.BytesIO(), STAMP).customers == ("c2", "c1")


def test_more_rows_than_a_spreadsheet_opens_are_no_file() -> None:
    many = pd.DataFrame({"orders": range(MOST_ROWS + 1)})
    with pytest.raises(Refused, match="too_large"):
        export._lines(lambda: many)(io.BytesIO(), STAMP)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_speaks_the_language_of_the_page_that_offered_it(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
    write = export._lines(lambda: FRAME)
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: "another")
    file = io.BytesIO()
    write(file, STAMP)
    last = file.getvalue().decode().split("\r\n")[-2]
    assert last.startswith({"en": "File 0123", "zh_CN": "文件 0123"}[language])


def test_days_have_no_hours_and_fractions_two_digits_whatever_their_column_is_called() -> None:
    frame = pd.DataFrame({"some_day": pd.to_datetime(["2026-11-20", None]), "some_number": [39.2881861575179, 1.0]})
    sheet = book("S", frame)["S"]
    assert (sheet["A2"].number_format, sheet["B2"].number_format) == ("yyyy-mm-dd", "#,##0.00")


def test_columns_are_as_wide_as_their_cells_are_shown() -> None:
    frame = pd.DataFrame({"share": [1 / 3], "store": ["上海南京路旗舰店"], "net_sales": [1234.5]})
    sheet = book("S", frame)["S"]
    # a heading of 5 and its arrow of 3 are under 9; eight signs of Chinese and 2; a heading of 9 and its arrow
    assert [round(sheet.column_dimensions[letter].width - 0.71) for letter in "ABC"] == [9, 2 * 8 + 2, 9 + 3]


def test_tables_of_one_name_are_called_what_they_are_on_their_page() -> None:
    with speaking("en"):
        said = {page: worded.heading(page, "returns") for page in ("lapse", "product")}
    assert said == {"lapse": "Came back, by time away", "product": "Returns"}
