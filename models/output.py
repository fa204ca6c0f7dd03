"""Reports as json, csv and xlsx, without a browser.

Money has two decimals, days are YYYY-MM-DD, instants YYYY-MM-DDTHH:MM:SS; what is missing is null in json and an
empty cell elsewhere, never 0.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter

from models.metrics import is_money

# What a spreadsheet takes for a formula when text begins with it; spreadsheets of East Asia read full width alike.
_FORMULA_SIGNS = ("=", "+", "-", "\N{MINUS SIGN}", "@")


def to_json(head: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    """``head`` and, under "tables", one list of records per table."""
    rows = {name: _records(frame) for name, frame in tables.items()}
    return json.dumps({**head, "tables": rows}, ensure_ascii=False, indent=1)


def to_csv(tables: Mapping[str, pd.DataFrame]) -> str:
    """One table as csv; several as blocks, each under a line "# name" and parted by an empty line.

    Text that a spreadsheet would run as a formula has an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for position, (name, frame) in enumerate(tables.items()):
        if len(tables) > 1:
            text.write(("\n" if position else "") + f"# {name}\n")
        writer.writerow(frame.columns)
        columns = [map(_cell, values(frame, column)) for column in frame]
        writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def to_xlsx(head: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> bytes:
    """A workbook with one sheet per table after a sheet that says what it is; text is never a formula or a link, also
    when it is saved as csv later."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        about = book.add_worksheet("about")
        about.set_column(0, 1, 30)
        for row, (key, value) in enumerate(head.items()):
            about.write_string(row, 0, key, bold)
            about.write_string(
                row, 1, _safe(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            )
        for name, frame in tables.items():
            sheet = book.add_worksheet(name[:31])
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(len(frame.columns) - 1, 0), 16)
            for position, column in enumerate(frame):
                sheet.write_string(0, position, str(column), bold)
                sheet.write_column(1, position, map(_safe, values(frame, column)))
    return file.getvalue()


def values(frame: pd.DataFrame, column: Any) -> list[Any]:
    """The cells of a column as plain Python values: None for what is missing, money rounded to two decimals."""
    cells = frame[column]
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind == "M":
        texts = cells.dt.strftime("%Y-%m-%dT%H:%M:%S" if _is_instant(str(column)) else "%Y-%m-%d")
        return list(texts.astype(object).where(cells.notna(), None))
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind == "f":
        numbers = cells.to_numpy()
        if is_money(str(column)):
            numbers = np.round(numbers, 2)
        if "unit" in frame:  # one figure per row, each with its own unit
            numbers = np.where(frame["unit"] == "money", np.round(numbers, 2), numbers)
        return [None if number != number else number for number in numbers.tolist()]
    return [
        None if value is None or value is pd.NA or value != value else value for value in cells.astype(object).tolist()
    ]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    names = [str(column) for column in frame]
    columns = [values(frame, column) for column in frame]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_instant(column: str) -> bool:
    return column.endswith("_at") or column in ("as_of", "newest")


def _cell(value: Any) -> Any:
    # The writer quotes only the line break that ends its own lines.
    return "" if value is None else _safe(value).replace("\r", "\n") if isinstance(value, str) else value


def _safe(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value


def harmless(text: str) -> str:
    """``text`` as a cell that no spreadsheet runs: an apostrophe stands before what would be a formula.

    So it does before a tab, a line break or another control character, which some drop before they look.
    """
    if text[:1].isalnum():
        return text
    first = next((character for character in text if not _is_skipped(character)), "")
    sign = unicodedata.normalize("NFKC", first).startswith(_FORMULA_SIGNS)
    return f"'{text}" if sign or unicodedata.category(text[:1] or " ") == "Cc" else text


def _is_skipped(character: str) -> bool:
    """Blanks, control characters and what has no width: nothing in a cell."""
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf")
