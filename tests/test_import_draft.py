"""A file nobody wrote a mapping for: its columns guessed, its rows previewed, its faults named."""

import csv
from datetime import datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from data_access.errors import Problem
from data_access.importer import Preview, preview
from data_access.importing.draft import draft, guess, known, look, refuse_other_tables
from tests.import_kit import HEADER, LINES, write

NOW = datetime(2026, 11, 22)
TILL = """Invoice;Date;SKU;Qty;Amount
1;01/11/2026 10:00;A;2;10.00
1;01/11/2026 10:00;B;1;5.50
2;13/11/2026 11:00;A;-1;-10.00
3;13/11/2026 11:00;A;many;1.00
"""


def previewed(path: Path, *, by_unit: bool = False, **columns: str) -> Preview:
    found = look(path)
    mapping = draft(guess(found.headers) | columns, found, currency="EUR", time_zone="Europe/Berlin", by_unit=by_unit)
    return preview(mapping, [path], NOW)


def test_columns_are_known_by_what_exports_call_them() -> None:
    assert guess(["小票号", "销售时间", "商品编码", "数量", "实收金额", "门店"]) == {
        "receipt": "小票号",
        "sold_at": "销售时间",
        "product": "商品编码",
        "quantity": "数量",
        "amount": "实收金额",
        "store": "门店",
    }
    assert guess(["Customer_ID", "something"]) == {"member": "Customer_ID"}


def test_a_preview_counts_what_an_import_would_load(tmp_path: Path) -> None:
    found = previewed(write(tmp_path / "till.csv", TILL))
    assert (found.read.rows, found.loaded_rows, found.difference) == (4, 3, 0)
    assert [step.amount for step in found.loaded] == [Decimal("15.50"), Decimal("-10.00")]
    assert [step.label for step in found.quarantined] == ["Qty is not a number with at most 4 decimals"]
    assert dict(found.tables) == {"store": 1, "product": 2, "sale_order": 1, "sale_line": 2, "return_line": 1}
    assert found.first_rows["ordered_at"].tolist() == [datetime(2026, 11, 1, 10)] * 2  # the day before the month


def test_an_amount_may_be_of_one_piece(tmp_path: Path) -> None:
    found = previewed(write(tmp_path / "till.csv", TILL), by_unit=True)
    assert found.loaded[0].amount == Decimal("25.50")  # 2 * 10.00 + 1 * 5.50


def test_times_that_a_workbook_holds_as_text_are_read(tmp_path: Path) -> None:
    book = Workbook()
    for row in csv.reader(StringIO(TILL), delimiter=";"):
        book.active.append(row)
    book.save(tmp_path / "till.xlsx")
    assert previewed(tmp_path / "till.xlsx").loaded_rows == 3


def test_whole_seconds_may_have_a_fraction_of_noughts(tmp_path: Path) -> None:
    exact = TILL.replace(" 10:00;", " 10:00:00.000000;").replace(" 11:00;", " 11:00:00.5;")
    found = previewed(write(tmp_path / "till.csv", exact))
    assert found.loaded_rows == 2
    assert [(step.key, step.rows) for step in found.quarantined] == [("instant", 2)]
    assert found.quarantined[0].named == {
        "column": "Date",
        "value": "13/11/2026 11:00:00.5",
        "form": "20/11/2026 18:40:00",
    }


def test_what_excel_saves_as_unicode_text_with_decimal_commas_is_read(tmp_path: Path) -> None:
    german = TILL.replace(".00", ",00").replace(".50", ",50").replace(";", "\t").replace("/", ".")
    found = previewed(write(tmp_path / "till.txt", german.encode("utf-16")))
    assert [step.amount for step in found.loaded] == [Decimal("15.50"), Decimal("-10.00")]
    assert [(why.key, why.named["value"]) for why in found.quarantined] == [("decimal", "many")]


@pytest.mark.parametrize(
    ("amounts", "loaded"),
    [
        (("10,00", "5,5", "6,125"), ("21.625", [])),
        (("10,00", "5,5", "1.234,50"), ("15.5", ["1.234,50"])),
        (("10,00", "5.5", "7"), ("12.5", ["10,00"])),
        (("1,234", "5", "6"), ("11", ["1,234"])),  # may be thousands
    ],
)
def test_a_comma_is_before_decimals_only_where_it_can_be_nothing_else(
    tmp_path: Path, amounts: tuple[str, ...], loaded: tuple[str, list[str]]
) -> None:
    lines = "".join(f"{number};01.11.2026;A;1;{amount}\n" for number, amount in enumerate(amounts))
    found = previewed(write(tmp_path / "till.csv", "Invoice;Date;SKU;Qty;Amount\n" + lines))
    assert found.loaded[0].amount == Decimal(loaded[0])
    assert [why.named["value"] for why in found.quarantined] == loaded[1]


def test_a_reason_names_the_column_and_the_first_value(tmp_path: Path) -> None:
    (why,) = previewed(write(tmp_path / "till.csv", TILL)).quarantined
    assert (why.key, why.named) == ("decimal", {"column": "Qty", "value": "many"})


@pytest.mark.parametrize(
    ("content", "key", "named"),
    [
        ("Sales of November\n" + TILL.replace(";", ","), "file_title", {"line": 2, "columns": 5}),
        (TILL.replace("A;-1;-10.00", "A;-1"), "file_width", {"line": 4}),
        (TILL.splitlines()[0] + "\n" + TILL.split("\n", 1)[1].replace(";", ","), "file_separator", {"line": 2}),
        (TILL.replace("2;13", '2;"13'), "file_quotes", {"line": 4}),
    ],
)
def test_a_table_that_is_none_is_named_for_what_it_is(
    tmp_path: Path, content: str, key: str, named: dict[str, int]
) -> None:
    with pytest.raises(Problem) as problem:
        look(write(tmp_path / "till.csv", content))
    assert problem.value.key == key
    assert named.items() <= problem.value.named.items()


def test_a_file_of_other_things_is_refused_before_its_columns_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(Problem) as problem:
        refuse_other_tables(look(write(tmp_path / "people.csv", "name,phone\nLi,138\n")))
    assert (problem.value.key, problem.value.named["headers"]) == ("file_few_columns", "name, phone")


def test_a_file_of_a_shipped_mapping_is_known(tmp_path: Path) -> None:
    assert known([look(write(tmp_path / "lines.csv", HEADER + LINES))]) == "template"
    assert known([look(write(tmp_path / "till.csv", TILL))]) is None


def test_chinese_text_of_older_programs_is_read(tmp_path: Path) -> None:
    assert look(write(tmp_path / "till.csv", "小票号,数量\n1,2\n".encode("gb18030"))).headers == ["小票号", "数量"]


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"amount": ""}, "columns_lacking"),
        ({"amount": "Qty"}, "column_twice"),
        ({"sold_at": "SKU"}, "column_times"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, columns: dict[str, str], key: str) -> None:
    path = write(tmp_path / "till.csv", TILL)
    with pytest.raises(Problem) as problem:
        previewed(path, **({"product": "Date"} | columns if key == "column_times" else columns))
    assert problem.value.key == key
