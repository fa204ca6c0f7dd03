"""Files to take away: the list on the screen as csv or xlsx, or the whole report as a workbook or on paper.

A workbook opens with a cover sheet (what, whose, which days, as of when, the definitions of its figures, who took it
away when); its cells are typed, so that sums work. Keys stand in words in the language of the page, also in a csv,
whose columns keep the names that they have in the reports; its last line says who took it away when. No snapshot
holds a name, phone number or address, so no file can. Files leave through ``pages._gate.exports`` only.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from html import escape
from typing import Any, BinaryIO, Protocol
from zipfile import ZIP_DEFLATED, ZipFile

import pandas as pd
import streamlit as st
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from data_access.scope import Period, Scope
from data_access.state import tokens
from models.metrics import METRICS
from models.output import harmless
from pages._gate import exports
from pages._gate.exports import MOST_ROWS, Refused, Stamp, Written
from pages._gate.gate import EXPORT
from pages._ui import format as fmt
from pages._ui import handover, load, printed, session, tables, worded
from pages._ui.access import Detail
from pages._ui.i18n import exists, language, localized_text, speaking, t, text

CUSTOMER = "customer_key"  # a table with this column names customers

_A4 = 9  # as spreadsheets number paper
_WIDEST, _NARROWEST, _HEAD = 48, 9, 20  # columns, in characters; _HEAD: what a heading asks for at most
_ARROW = 3  # of the filter, in a heading
_LOOKED_AT = 200  # rows, to see how wide a column is
_MOST_IN_A_WORKBOOK = 200_000  # rows; building more would take minutes
_OFFERED = "_exports"
# Pages whose report can be told of each place by itself, and of how many places one file takes it.
_OF_PLACES = ("overview", "segments", "retention", "lapse", "spending", "value", "why", "staff", "stock", "demand")
_MOST_PLACES = 60
_ROWS_OF_A_PLACE = 12


@dataclass(frozen=True, slots=True)
class Cover:
    """The first sheet: the title and pairs of label and text. page, detail, scope, period, generation: what the file
    is of."""

    title: str
    lines: tuple[tuple[str, str], ...]
    currency: str
    page: str
    detail: Detail
    scope: Scope
    period: Period | None = None
    generation: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A list that nobody has read yet: its columns in order, how many rows it holds, and what reads it.

    ``fetch`` runs when a file is chosen, on a thread that knows no language.
    """

    columns: Sequence[str]
    rows: int
    fetch: Callable[[], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class File:
    """A file that can be chosen: what the button says, the name with its ending, and what writes it."""

    label: str
    name: str
    ending: str
    write: Callable[[BinaryIO, Stamp], Written]


_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")  # in the name of a sheet


def menu(
    key: str,
    cover: Cover,
    report: Mapping[str, pd.DataFrame],
    listed: pd.DataFrame | Unread | None = None,
    *,
    customers: Sequence[str] = (),
) -> None:
    """A button that offers ``listed`` as csv and xlsx and the tables of ``report`` as one workbook.

    Files are built when one is chosen, not before. Tables that name customers are left out for whoever may not take
    customers away; of a page about ``customers``, every table is.
    """
    takes = session.current_person().takes_customers

    def may_leave(columns: Iterable[object]) -> bool:
        return takes or not (customers or CUSTOMER in columns)

    read = _read(listed) if isinstance(listed, pd.DataFrame) else listed
    wanted = {name: frame for name, frame in report.items() if len(frame)}
    free = {name: frame for name, frame in wanted.items() if may_leave(frame)}
    list_is_free = read is None or may_leave(read.columns)
    sheets = _sheets(cover, free)
    with st.popover(t("export.open"), icon=":material/download:", key=f"{key}_export"):
        files = []
        if read and list_is_free:
            use = handover.choose(key, cover.scope) if CUSTOMER in read.columns and not customers else None
            files = _of_list(key, *(_for_use(cover, read, use) if use else (cover, read)), f"{key}_list")
        if sheets:
            book = _book(cover, sheets, _definitions(cover.page, free))
            files.append(File(t("export.report_xlsx"), key, "xlsx", book))
        if printed.readable(free):
            files.append(File(t("export.report_pdf"), key, "pdf", _paper(cover, lambda: [printed.Part("", free)])))
            for kind, parts in _of_places(cover).items():
                name = f"{key}_{kind}"
                files.append(File(t(f"export.report_each_{kind}"), name, "pdf", _paper(cover, parts, _ROWS_OF_A_PLACE)))
                files.append(File(t(f"export.books_each_{kind}"), name, "zip", _books(cover, parts)))
        buttons(key, cover, [replace(file, write=_naming(file.write, customers)) for file in files])
        if len(free) < len(wanted) or not list_is_free:
            st.caption(t("export.no_customers"))


def later(
    key: str, cover: Cover, columns: Sequence[str], fetch: Callable[[], pd.DataFrame], *, rows: int, note: str
) -> None:
    """A button that offers a list nobody has read yet as csv and xlsx; ``fetch`` reads it when a file is chosen.

    columns: of the list, in order. rows: how many it holds; too many for a workbook are offered as csv only.
    ``fetch`` runs on a thread that knows no language.
    """
    with st.popover(note, icon=":material/download:", key=f"{key}_export"):
        buttons(key, cover, _of_list(key, cover, Unread(columns, rows, fetch), key))


def book(key: str, cover: Cover, label: str, sheets: Callable[[], Mapping[str, pd.DataFrame]]) -> None:
    """A button that offers one workbook with a sheet for each frame of ``sheets`` (name -> frame).

    ``sheets`` is read when the file is fetched, in the language of this run.
    """
    said, build = language(), _builder(cover)

    def write(file: BinaryIO, stamp: Stamp) -> Written:
        with speaking(said):
            frames = sheets()
            drawn = [_sheet(_FORBIDDEN.sub(" ", name), list(frame), _held(frame)) for name, frame in frames.items()]
            return build(file, stamp, drawn, _definitions(cover.page, frames))

    with st.popover(label, icon=":material/download:", key=f"{key}_export"):
        buttons(key, cover, [File(t("export.book_xlsx"), key, "xlsx", write)])


def _books(cover: Cover, parts: Callable[[], Sequence[printed.Part]]) -> Callable[[BinaryIO, Stamp], Written]:
    """A workbook for each of ``parts``, which are read when the file is fetched, in one zip."""
    said, build = language(), _builder(cover)

    def write(file: BinaryIO, stamp: Stamp) -> Written:
        frames: list[pd.DataFrame] = []
        with speaking(said), ZipFile(file, "w", ZIP_DEFLATED) as pack:
            for number, part in enumerate(parts(), start=1):
                book = io.BytesIO()
                build(book, stamp, _sheets(cover, part.tables), _definitions(cover.page, part.tables), part.title)
                # Two places may have one name.
                pack.writestr(f"{number:02} {_FORBIDDEN.sub(' ', part.title)}.xlsx", book.getvalue())
                frames += part.tables.values()
        return written(frames)

    return write


def _for_use(cover: Cover, listed: Unread, use: handover.Use) -> tuple[Cover, Unread]:
    """The cover and the list of those who may be contacted; how many they are turns out when the file is fetched."""
    columns = list(listed.columns)
    columns.insert(1, "customer_id")
    said = replace(cover, lines=(*cover.lines, (t("handover.use"), use.words)))
    return said, Unread(columns, listed.rows, handover.for_use(listed.fetch, cover.scope, use))


def _read(frame: pd.DataFrame) -> Unread:
    return Unread([str(column) for column in frame], len(frame), _held(frame))


def _held(frame: pd.DataFrame) -> Callable[[], pd.DataFrame]:
    return lambda: frame


def _of_list(key: str, cover: Cover, listed: Unread, book: str) -> list[File]:
    """The list as csv and, where it fits, as a workbook."""
    if not listed.rows:
        return []
    files = [File(t("export.list_csv", rows=fmt.count(listed.rows)), key, "csv", _lines(listed.fetch))]
    if listed.rows <= _MOST_IN_A_WORKBOOK:
        sheet = _sheet(t(f"export.list.{key}"), listed.columns, listed.fetch)
        definitions = _definitions(cover.page, {key: pd.DataFrame(columns=list(listed.columns))})
        files.append(File(t("export.list_xlsx"), book, "xlsx", _book(cover, [sheet], definitions)))
    return files


def buttons(key: str, cover: Cover, files: Sequence[File]) -> None:
    """One button for each file. A plain form: the answer is a file, so the page stays as it is."""
    choices = " · ".join(f"{label}: {said}" for label, said in cover.lines)
    about = (session.current_person().sign_in, cover.page, cover.detail, cover.scope, choices, language())
    drawn = []
    for file in files:
        token = _token(cover.page, f"{key} {file.name} {file.ending}")
        exports.offers.put(token, exports.Offer(*about, file.name, file.ending, file.write))
        drawn.append(f'<button name="offer" value="{token}">{escape(file.label)}</button>')
    if drawn:
        st.html(f'<form class="files" method="post" action="{EXPORT}">{"".join(drawn)}</form>')


def _token(page: str, file: str) -> str:
    """What stands for a file in the buttons of this window: the same from run to run, while the page is the same."""
    before, held = st.session_state.get(_OFFERED, (page, {}))
    if before != page:
        exports.offers.withdraw(held.values())
        held = {}
    token = held.setdefault(file, tokens.fresh())
    st.session_state[_OFFERED] = (page, held)
    return str(token)


def _naming(
    write: Callable[[BinaryIO, Stamp], Written], customers: Sequence[str]
) -> Callable[[BinaryIO, Stamp], Written]:
    """``write``, with ``customers`` among those whom the file names."""

    def named(file: BinaryIO, stamp: Stamp) -> Written:
        found = write(file, stamp)
        return replace(found, customers=tuple(dict.fromkeys((*customers, *found.customers))))

    return named


def _who() -> str:
    """Who takes a file away, in words."""
    person = session.current_person()
    return person.name or f"{t(f'role.{person.role}')} · {session.in_words(person)}"


def _lines(fetch: Callable[[], pd.DataFrame]) -> Callable[[BinaryIO, Stamp], Written]:
    said, who = language(), _who()

    def write(file: BinaryIO, stamp: Stamp) -> Written:
        frame = _within(fetch())
        line = text(said, "export.stamp", file=stamp.file_id, who=who, at=stamp.at)
        with speaking(said):
            shown = worded.in_words(frame)
        to_csv(shown, file, " · ".join(filter(None, (line, frame.attrs.get(handover.NOTE)))))
        return written([frame])

    return write


def to_csv(frame: pd.DataFrame, file: BinaryIO, stamp: str) -> None:
    """``frame`` as csv for a spreadsheet: UTF-8 with a mark, column names as in the reports, days as YYYY-MM-DD.

    Text that a spreadsheet would run as a formula is written with an apostrophe in front. The last line is ``stamp``.
    """
    opened = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(opened, lineterminator="\r\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_csv_cell(cell) for cell in row])
    writer.writerow([harmless(stamp), *[""] * (len(frame.columns) - 1)])
    opened.detach()


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return harmless(cell)
    if isinstance(cell, datetime):
        return "" if cell is pd.NaT else cell.isoformat(sep=" ", timespec="minutes")
    return "" if fmt.is_missing(cell) and not isinstance(cell, date) else cell


def written(frames: Sequence[pd.DataFrame]) -> Written:
    """What a file with these tables holds."""
    columns = dict.fromkeys(str(column) for frame in frames for column in frame)
    customers = {key: None for frame in frames if CUSTOMER in frame for key in frame[CUSTOMER].dropna()}
    return Written(sum(map(len, frames)), tuple(columns), tuple(customers))


def _within(frame: pd.DataFrame) -> pd.DataFrame:
    if len(frame) > MOST_ROWS:
        raise Refused("export.too_large", 413)
    return frame


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet with its words chosen: the file is built on a thread that knows no language."""

    name: str
    headings: tuple[str, ...]
    kinds: tuple[str, ...]
    read: Callable[[], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Words:
    """What a workbook says besides its cover: the names of the cover's sheet and of its list, and the money sign."""

    cover: str
    definitions: str
    money: str


def _sheets(cover: Cover, tables: Mapping[str, pd.DataFrame]) -> list[Sheet]:
    """A sheet for each table of the report of a page."""
    return [_sheet(worded.heading(cover.page, name), list(frame), _held(frame)) for name, frame in tables.items()]


def _sheet(name: str, columns: Iterable[object], read: Callable[[], pd.DataFrame]) -> Sheet:
    names = tuple(map(str, columns))
    return Sheet(name, tuple(map(_heading, names)), tuple(map(tables.kind_of, names)), read)


def _heading(column: str) -> str:
    known = column in METRICS or exists(f"column.{column}")
    return tables.label(column) if known else column


def _definitions(page: str, frames: Mapping[str, pd.DataFrame]) -> list[tuple[str, str]]:
    """The figures in ``frames`` and what they mean on ``page``."""
    metrics = [column for frame in frames.values() for column in frame if column in METRICS]
    metrics += [key for frame in frames.values() if "key" in frame for key in frame["key"] if key in METRICS]
    return [(t(f"metric.{key}"), worded.meaning(page, key)) for key in dict.fromkeys(metrics)]


def _book(
    cover: Cover, sheets: Sequence[Sheet], definitions: Sequence[tuple[str, str]]
) -> Callable[[BinaryIO, Stamp], Written]:
    build = _builder(cover)
    return lambda file, stamp: build(file, stamp, sheets, definitions)


class _Build(Protocol):
    """Writes sheets and definitions behind a cover. place: the one of the scope that they are about, if only one."""

    def __call__(
        self,
        file: BinaryIO,
        stamp: Stamp,
        sheets: Sequence[Sheet],
        definitions: Sequence[tuple[str, str]],
        place: str = "",
    ) -> Written: ...


def _builder(cover: Cover) -> _Build:
    """What writes sheets and definitions behind the cover, all its own words chosen now."""
    words = Words(t("export.cover"), t("export.definitions"), fmt.symbol(cover.currency))
    labels, who = tuple(t(f"export.{name}") for name in ("file_id", "who", "at")), _who()
    left_out, said, whose = t("handover.left_out"), language(), t("head.scope")

    def write(
        file: BinaryIO,
        stamp: Stamp,
        sheets: Sequence[Sheet],
        definitions: Sequence[tuple[str, str]],
        place: str = "",
    ) -> Written:
        frames = [_within(sheet.read()) for sheet in sheets]
        own = [(label, place if place and label == whose else text) for label, text in cover.lines]
        lines = [*own, *zip(labels, (stamp.file_id, who, stamp.at), strict=True)]
        lines += [(left_out, frame.attrs[handover.NOTE]) for frame in frames if handover.NOTE in frame.attrs]
        with speaking(said):
            to_xlsx(file, cover.title, lines, list(zip(sheets, frames, strict=True)), definitions, words)
        return written(frames)

    return write


def _paper(
    cover: Cover, parts: Callable[[], Sequence[printed.Part]], rows: int = printed.MOST_ROWS
) -> Callable[[BinaryIO, Stamp], Written]:
    """The report to print; ``parts`` are read when the file is fetched. rows: of each table, at most."""
    said, who = language(), _who()

    def write(file: BinaryIO, stamp: Stamp) -> Written:
        with speaking(said):
            found = parts()
            frames = [frame.head(rows) for part in found for frame in printed.readable(part.tables).values()]
            labels = tuple(t(f"export.{name}") for name in ("file_id", "who", "at"))
            lines = [*cover.lines, *zip(labels, (stamp.file_id, who, stamp.at), strict=True)]
            definitions = _definitions(cover.page, {str(number): frame for number, frame in enumerate(frames)})
            file.write(printed.pdf(cover.title, lines, found, definitions, cover.currency, page=cover.page, rows=rows))
        return written(frames)

    return write


def _of_places(cover: Cover) -> dict[str, Callable[[], Sequence[printed.Part]]]:
    """What reads the report of each store and of each region in the scope, where there are several of them.

    Tables that name customers are left out.
    """
    period = cover.period
    if cover.page not in _OF_PLACES or period is None:
        return {}
    stores = load.named_places(cover.generation)
    seen = stores[stores["store_id"].map(cover.scope.allows) & stores["closed_on"].isna()]

    def parts(kind: str) -> Sequence[printed.Part]:
        found = []
        for (name, _), own in seen.groupby([kind, f"{kind}_id"], sort=False):
            scope = cover.scope.narrow(own["store_id"])
            report = load.report_tables(cover.page, scope, period, cover.generation)
            free = {table: frame for table, frame in report.items() if len(frame) and CUSTOMER not in frame}
            found.append(printed.Part(localized_text(f"{kind}.name", str(name)), free))
        return found

    counts = {kind: seen[f"{kind}_id"].nunique() for kind in ("store", "region")}
    return {kind: partial(parts, kind) for kind, many in counts.items() if 1 < many <= _MOST_PLACES}


def to_xlsx(
    file: BinaryIO,
    title: str,
    lines: Sequence[tuple[str, str]],
    sheets: Sequence[tuple[Sheet, pd.DataFrame]],
    definitions: Sequence[tuple[str, str]],
    words: Words,
) -> None:
    """A workbook: the cover with ``lines`` and what the figures mean, then one sheet per table.

    Cells are typed, keys in the words of the language that is spoken; text that a spreadsheet would run as a formula
    has an apostrophe in front. Rows go to the disk as they are written.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    formats = {
        "title": book.add_format({"bold": True, "font_size": 15}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "label": book.add_format({"font_color": "#6E6783", "valign": "top"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "signed": book.add_format({"num_format": "+#,##0.00;-#,##0.00;0.00"}),
        "money": book.add_format({"num_format": f'"{words.money}"#,##0.00;-"{words.money}"#,##0.00'}),
        "count": book.add_format({"num_format": "#,##0"}),
        "days": book.add_format({"num_format": "#,##0"}),
        "decimal": book.add_format({"num_format": "#,##0.00"}),
        "ratio": book.add_format({"num_format": "#,##0.00"}),
        "percent": book.add_format({"num_format": "0.0%"}),
        "change": book.add_format({"num_format": "+0.0%;-0.0%;0.0%"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    }
    _cover_sheet(book.add_worksheet(words.cover), title, lines, definitions, words.definitions, formats)
    for sheet, frame in sheets:
        _table_sheet(book.add_worksheet(sheet.name[:31]), sheet, frame, formats)
    book.close()


def _cover_sheet(
    page: Worksheet,
    title: str,
    lines: Sequence[tuple[str, str]],
    definitions: Sequence[tuple[str, str]],
    heading: str,
    formats: Mapping[str, Format],
) -> None:
    page.hide_gridlines(2)
    page.set_landscape()
    page.set_paper(_A4)
    page.fit_to_pages(1, 0)
    page.set_column(0, 0, 22)
    page.set_column(1, 1, 90)
    page.write_string(0, 0, harmless(title), formats["title"])
    row = 2
    for label, said in lines:
        page.write_string(row, 0, label, formats["label"])
        page.write_string(row, 1, harmless(said), formats["wrap"])
        row += 1
    if definitions:
        row += 1
        page.write_string(row, 0, heading, formats["head"])
        for label, said in definitions:
            row += 1
            page.write_string(row, 0, label, formats["label"])
            page.write_string(row, 1, said, formats["wrap"])


def _table_sheet(page: Worksheet, sheet: Sheet, frame: pd.DataFrame, formats: Mapping[str, Format]) -> None:
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.set_paper(_A4)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_footer("&L&A&R&P / &N")
    said = worded.in_words(frame)
    kinds = [_kind(said.iloc[:, column], kind) for column, kind in enumerate(sheet.kinds)]
    for column, (heading, kind) in enumerate(zip(sheet.headings, kinds, strict=True)):
        page.write_string(0, column, heading, formats["head"])
        page.set_column(column, column, _width(heading, said.iloc[:_LOOKED_AT, column], kind))
    # Of a table of key figures each row has a unit of its own.
    units = frame["unit"].tolist() if {"key", "value", "unit"} <= set(frame) else []
    for row, values in enumerate(said.itertuples(index=False), start=1):
        for column, (value, kind) in enumerate(zip(values, kinds, strict=True)):
            _write(page, row, column, value, units[row - 1] if units else kind, formats)
    if len(frame):
        page.autofilter(0, 0, len(frame), len(sheet.headings) - 1)


def _kind(values: pd.Series, kind: str) -> str:
    """What the cells of a column are; where its name does not say: days without hours, numbers with fractions."""
    known = values.dropna()
    if known.empty or kind != "text":
        return kind
    if known.dtype.kind == "M":
        return "day" if (known == known.dt.normalize()).all() else "instant"
    return "decimal" if known.dtype.kind == "f" and (known % 1 != 0).any() else kind


def _width(heading: str, values: pd.Series, kind: str) -> int:
    """Of a column in characters: its cells as they are shown; a heading of several words may take two lines."""
    known = values.dropna()
    shown = [_shown(value, kind) for value in known]
    longest = max((fmt.cells(text) for text in shown), default=0)
    return int(min(max(_NARROWEST, longest + 2, min(fmt.cells(heading) + _ARROW, _HEAD)), _WIDEST))


def _shown(value: Any, kind: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}" if kind == "day" else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool) or fmt.is_missing(value):
        return str(value)
    if kind in ("percent", "change"):
        return f"+{value:.1%}"
    return f"{value:,.0f}" if kind in ("count", "days") else f"¥-{value:,.2f}"


def _write(page: Worksheet, row: int, column: int, value: Any, kind: str, formats: Mapping[str, Format]) -> None:
    if isinstance(value, str):
        page.write_string(row, column, harmless(value))
    elif isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, datetime) and value is not pd.NaT:
        page.write_datetime(row, column, value.replace(tzinfo=None), formats["day" if kind == "day" else "instant"])
    elif isinstance(value, date) and value is not pd.NaT:
        page.write_datetime(row, column, datetime(value.year, value.month, value.day), formats["day"])
    elif not fmt.is_missing(value):
        page.write_number(row, column, float(value), formats.get(kind))
