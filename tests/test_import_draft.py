"""A file nobody wrote a mapping for: its columns guessed, its rows previewed, its faults named."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from data_access.errors import Problem
from data_access.importer import Preview, preview
from data_access.importing.draft import draft, guess, known, look
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
