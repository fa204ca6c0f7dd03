"""Files to take away: the list on the screen as csv or xlsx, or the whole report as a workbook.

A workbook opens with a cover sheet (what, whose, which days, as of when, the definitions of its figures); its cells
are typed, so that sums work. No snapshot holds a name, phone number or address, so no file can.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from models.metrics import METRICS
from models.output import harmless
from pages._ui import format as fmt
from pages._ui import tables
from pages._ui.i18n import exists, t

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDEST = 48
_MOST_IN_A_WORKBOOK = 200_000  # rows; building more would take minutes and gigabytes


@dataclass(frozen=True, slots=True)
class Cover:
    """The first sheet: the title and pairs of label and text."""

    title: str
    lines: tuple[tuple[str, str], ...]
    currency: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A list that nobody has read yet: its columns in order, how many rows it holds, and what reads it.

    ``fetch`` runs when a file is chosen, on a thread that knows no language.
    """

    columns: Sequence[str]
    rows: int
    fetch: Callable[[], pd.DataFrame]


def menu(
    key: str, cover: Cover, report: Mapping[str, pd.DataFrame], listed: pd.DataFrame | Unread | None = None
) -> None:
    """A button that offers ``listed`` as csv and xlsx and the tables of ``report`` as one workbook.

    Files are built when one is chosen, not before.
    """
    with st.popover(t("export.open"), icon=":material/download:", key=f"{key}_export"):
        if isinstance(listed, Unread):
            _unread(key, cover, listed)
        elif listed is not None and len(listed):
            name, rows = t(f"export.list.{key}"), {t(f"export.list.{key}"): listed}
            _button(
                t("export.list_csv", rows=fmt.count(len(listed))), partial(to_csv, listed), f"{key}.csv", "text/csv"
            )
            _button(t("export.list_xlsx", name=name), _workbook_of(cover, rows), f"{key}_list.xlsx", _XLSX)
        sheets = {t(f"export.sheet.{name}"): frame for name, frame in report.items() if len(frame)}
        _button(t("export.report_xlsx"), _workbook_of(cover, sheets), f"{key}.xlsx", _XLSX)


def later(
    key: str, cover: Cover, columns: Sequence[str], fetch: Callable[[], pd.DataFrame], *, rows: int, note: str
) -> None:
    """A button that offers a list nobody has read yet as csv and xlsx; ``fetch`` reads it when a file is chosen.

    columns: of the list, in order. rows: how many it holds; too many for a workbook are offered as csv only.
    ``fetch`` runs on a thread that knows no language.
    """
    with st.popover(note, icon=":material/download:", key=f"{key}_export"):
        _unread(key, cover, Unread(columns, rows, fetch), book=f"{key}.xlsx")


def _unread(key: str, cover: Cover, listed: Unread, book: str | None = None) -> None:
    if not listed.rows:
        return
    read = partial(_csv_of, listed.fetch)
    _button(t("export.list_csv", rows=fmt.count(listed.rows)), read, f"{key}.csv", "text/csv")
    if listed.rows <= _MOST_IN_A_WORKBOOK:
        headings, kinds = tuple(map(_heading, listed.columns)), tuple(map(tables.kind_of, listed.columns))
        sheet = partial(_Sheet, t(f"export.list.{key}"), headings=headings, kinds=kinds)
        words = (t("export.cover"), t("export.definitions"), fmt.symbol(cover.currency))
        build = partial(_xlsx_of, cover, sheet, listed.fetch, words)
        _button(t("export.list_xlsx"), build, book or f"{key}_list.xlsx", _XLSX)


def _csv_of(fetch: Callable[[], pd.DataFrame]) -> bytes:
    return to_csv(fetch())


def _xlsx_of(
    cover: Cover, sheet: Callable[..., "_Sheet"], fetch: Callable[[], pd.DataFrame], words: tuple[str, str, str]
) -> bytes:
    return to_xlsx(cover, [sheet(frame=fetch())], (), words)


def _button(text: str, data: Any, name: str, mime: str) -> None:
    st.download_button(
        text, data, file_name=name, mime=mime, on_click="ignore", type="tertiary", icon=":material/description:"
    )


def to_csv(frame: pd.DataFrame) -> bytes:
    """``frame`` as csv for a spreadsheet: UTF-8 with a mark, column names as in the reports, days as YYYY-MM-DD.

    Text that a spreadsheet would run as a formula is written with an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_csv_cell(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return harmless(cell)
    if isinstance(cell, datetime):
        return "" if cell is pd.NaT else cell.isoformat(sep=" ", timespec="minutes")
    return "" if fmt.is_missing(cell) and not isinstance(cell, date) else cell


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One sheet with its words chosen: the file is built on a thread that knows no language."""

    name: str
    frame: pd.DataFrame
    headings: tuple[str, ...]
    kinds: tuple[str, ...]


def _workbook_of(cover: Cover, sheets: Mapping[str, pd.DataFrame]) -> Any:
    ready = tuple(
        _Sheet(name, frame, tuple(_heading(str(c)) for c in frame), tuple(tables.kind_of(str(c)) for c in frame))
        for name, frame in sheets.items()
    )
    metrics = [column for frame in sheets.values() for column in frame if column in METRICS]
    metrics += [key for frame in sheets.values() if "key" in frame for key in frame["key"] if key in METRICS]
    definitions = tuple((t(f"metric.{key}"), t(f"metric.{key}.help")) for key in dict.fromkeys(metrics))
    words = (t("export.cover"), t("export.definitions"), fmt.symbol(cover.currency))
    return partial(to_xlsx, cover, ready, definitions, words)


def _heading(column: str) -> str:
    known = column in METRICS or exists(f"column.{column}")
    return tables.label(column) if known else column


def to_xlsx(
    cover: Cover, sheets: Sequence[_Sheet], definitions: Sequence[tuple[str, str]], words: tuple[str, str, str]
) -> bytes:
    """A workbook: the cover, then one sheet per table. ``words``: names of the cover and its list, money sign."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 15}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "label": book.add_format({"font_color": "#6E6783", "valign": "top"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "signed": book.add_format({"num_format": "+#,##0.00;-#,##0.00;0.00"}),
        "money": book.add_format({"num_format": f'"{words[2]}"#,##0.00;-"{words[2]}"#,##0.00'}),
        "count": book.add_format({"num_format": "#,##0"}),
        "days": book.add_format({"num_format": "#,##0"}),
        "decimal": book.add_format({"num_format": "#,##0.00"}),
        "ratio": book.add_format({"num_format": "#,##0.00"}),
        "percent": book.add_format({"num_format": "0.0%"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    }
    _cover_sheet(book.add_worksheet(words[0]), cover, definitions, words[1], formats)
    for sheet in sheets:
        _table_sheet(book.add_worksheet(sheet.name[:31]), sheet, formats)
    book.close()
    return target.getvalue()


def _cover_sheet(
    page: Worksheet, cover: Cover, definitions: Sequence[tuple[str, str]], heading: str, formats: Mapping[str, Format]
) -> None:
    page.hide_gridlines(2)
    page.set_column(0, 0, 22)
    page.set_column(1, 1, 90)
    page.write_string(0, 0, cover.title, formats["title"])
    row = 2
    for label, text in cover.lines:
        page.write_string(row, 0, label, formats["label"])
        page.write_string(row, 1, text, formats["wrap"])
        row += 1
    if definitions:
        row += 1
        page.write_string(row, 0, heading, formats["head"])
        for label, text in definitions:
            row += 1
            page.write_string(row, 0, label, formats["label"])
            page.write_string(row, 1, text, formats["wrap"])


def _table_sheet(page: Worksheet, sheet: _Sheet, formats: Mapping[str, Format]) -> None:
    page.freeze_panes(1, 0)
    for column, (heading, kind) in enumerate(zip(sheet.headings, sheet.kinds, strict=True)):
        page.write_string(0, column, heading, formats["head"])
        values = sheet.frame.iloc[:, column]
        for row, value in enumerate(values, start=1):
            _write(page, row, column, value, kind, formats)
        longest = max((len(str(value)) for value in values.head(200)), default=0)
        page.set_column(column, column, min(max(12, 2 * len(heading), longest + 2), _WIDEST))
    if len(sheet.frame):
        page.autofilter(0, 0, len(sheet.frame), len(sheet.headings) - 1)


def _write(page: Worksheet, row: int, column: int, value: Any, kind: str, formats: Mapping[str, Format]) -> None:
    if isinstance(value, str):
        page.write_string(row, column, value)
    elif isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, datetime) and value is not pd.NaT:
        page.write_datetime(row, column, value.replace(tzinfo=None), formats["day" if kind == "day" else "instant"])
    elif isinstance(value, date) and value is not pd.NaT:
        page.write_datetime(row, column, datetime(value.year, value.month, value.day), formats["day"])
    elif not fmt.is_missing(value):
        page.write_number(row, column, float(value), formats.get(kind))
