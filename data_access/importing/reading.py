"""Reads csv, xlsx and parquet strictly: every value as text, exactly as it stands, or one clear ``Problem``.

Nothing is guessed: leading zeros stay, "NA" is a text, "=1+1" is a text, and a row that does not fit its
header is refused instead of shifted.
"""

import _csv
import csv
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from openpyxl import load_workbook  # type: ignore[import-untyped]
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

from data_access.errors import Problem

# Beyond these a file is an accident or an attack; a genuine export of that size can be split.
MAX_COLUMNS = 1_000
MAX_ROWS = 20_000_000
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_RATIO = 400

_BATCH = 50_000
_MAGIC = ((b"PK\x03\x04", ".xlsx", "an Excel workbook"), (b"PAR1", ".parquet", "a parquet file"))
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # marks that a text of no other encoding begins with
# openpyxl has no error of its own for a damaged workbook: these are what reading one raises.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError, TypeError, IndexError,
    AttributeError, EOFError, NotImplementedError, RuntimeError, OSError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one file, or of one sheet of a workbook.

    ``rows`` has one text column per header; an empty cell is null or ''. ``lines`` gives the line of the
    file (csv), or the row (xlsx, parquet), on which each row begins. ``typed`` tells that dates come from
    typed cells and stand as YYYY-MM-DDTHH:MM:SS.
    """

    label: str
    path: Path
    rows: pa.Table
    lines: pa.Array
    typed: bool

    @property
    def headers(self) -> list[str]:
        return list(self.rows.column_names)


def read(path: Path, *, time_zone: str = "UTC", encoding: str = "utf-8", delimiter: str = ",") -> list[Part]:
    """The parts of one file. Instants in parquet that carry a zone become local to ``time_zone``.

    encoding: of csv, unless its first bytes mark it as UTF-16.

    Raises:
        Problem: the file is missing, empty, damaged, of another kind than its name says, or not a clean table.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise Problem(f"there is no file {path}: check its name and folder")
    if suffix not in {".csv", ".txt", ".tsv", ".xlsx", ".parquet"}:
        raise Problem(
            f"{path.name} is neither csv, xlsx nor parquet: save it as one of these", "file_kind", file=path.name
        )
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise Problem(f"{path.name} cannot be read: {error.strerror}; check its permissions") from error
    if not start:
        raise Problem(f"{path.name} is empty: export it again", "file_empty", file=path.name)
    _check_kind(path, suffix, start)
    if suffix == ".xlsx":
        return _read_xlsx(path)
    if suffix == ".parquet":
        return [_read_parquet(path, time_zone)]
    return [_read_csv(path, "utf-16" if is_utf_16(start) else encoding, delimiter)]


def is_utf_16(start: bytes) -> bool:
    """Whether a text that begins with these bytes says that it is UTF-16."""
    return start.startswith(_UTF_16)


def _check_kind(path: Path, suffix: str, start: bytes) -> None:
    for magic, its_suffix, kind in _MAGIC:
        if start == magic and suffix != its_suffix:
            raise Problem(
                f"{path.name} is {kind}, not {suffix}: rename it to {its_suffix}",
                "file_renamed",
                file=path.name,
                kind=its_suffix,
            )
        if start != magic and suffix == its_suffix:
            raise Problem(f"{path.name} is not {kind}, or is damaged: export it again", "file_damaged", file=path.name)
    if start == _OLD_EXCEL:
        raise Problem(
            f"{path.name} is a workbook of an old or protected kind: save it as .xlsx without a password",
            "file_old_excel",
            file=path.name,
        )


def _check_header(label: str, header: Sequence[str]) -> list[str]:
    """The header's names without blanks around them; unnamed columns are '' and left out later."""
    if len(header) > MAX_COLUMNS:
        raise Problem(
            f"{label} has {len(header):,} columns, more than {MAX_COLUMNS:,}: export only those needed",
            "file_large",
            file=label,
        )
    names = [name.strip() for name in header]
    if not any(names):
        raise Problem(f"{label} has no header: its first row must name the columns", "file_header", file=label)
    first: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if name and name in first:
            raise Problem(
                f"{label} has two columns named {name!r} (columns {first[name]} and {number}): rename or remove one",
                "file_twice",
                file=label,
                column=name,
            )
        first.setdefault(name, number)
    return names


def _table(label: str, names: list[str], batches: Iterable[Sequence[Sequence[str | None]]]) -> pa.Table:
    """The named columns of all rows as text."""
    kept = [i for i, name in enumerate(names) if name]
    schema = pa.schema([(names[i], pa.string()) for i in kept])
    tables = []
    rows = 0
    for batch in batches:
        rows += len(batch)
        if rows > MAX_ROWS:
            raise Problem(
                f"{label} has more than {MAX_ROWS:,} rows: split it into several files", "file_large", file=label
            )
        columns = list(zip(*batch, strict=True))
        tables.append(pa.Table.from_arrays([pa.array(columns[i], pa.string()) for i in kept], schema=schema))
    if not rows:
        raise Problem(f"{label} has a header but no rows below it: export it again", "file_no_rows", file=label)
    return pa.concat_tables(tables)


def _batches(rows: Iterator[list[str | None]]) -> Iterator[list[list[str | None]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


# --- csv ------------------------------------------------------------------------------------------


def _read_csv(path: Path, encoding: str, delimiter: str) -> Part:
    label = path.name
    # utf-8-sig takes off the mark that Excel puts before UTF-8 text.
    codec = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    lines: list[int] = []
    try:
        with path.open(encoding=codec, newline="") as file:
            reader = csv.reader(_without_nul(file, label), delimiter=delimiter, strict=True)
            names = _check_header(label, next(reader, []))
            rows = _csv_rows(reader, label, len(names), lines)
            table = _table(label, names, _batches(rows))
    except UnicodeError as error:
        raise Problem(_not_text(path, codec, encoding), "file_not_text", file=label) from error
    except csv.Error as error:
        line = lines[-1] + 1 if lines else 2  # where the row begins of which the reader saw no end
        raise Problem(
            f"{label}, line {line}: {error}; check the quotes there, or export it again",
            "file_quotes",
            file=label,
            line=line,
        ) from error
    return Part(label, path, table, pa.array(lines, pa.int64()), typed=False)


def _csv_rows(reader: "_csv.Reader", label: str, width: int, lines: list[int]) -> Iterator[list[str | None]]:
    """The rows that are not blank; appends the line each begins on to ``lines``."""
    line = reader.line_num + 1
    for row in reader:
        if row:
            if len(row) != width:
                # One column beside several: a title above the header, or two separators in one file.
                key = "file_title" if width == 1 else "file_separator" if len(row) == 1 else "file_width"
                raise Problem(
                    f"{label}, line {line}: {len(row)} columns where the header has {width}; "
                    "put text that holds the separator in quotes, or export it again",
                    key,
                    file=label,
                    line=line,
                    columns=len(row),
                    header=width,
                )
            lines.append(line)
            yield list(row)
        line = reader.line_num + 1


def _without_nul(file: Iterable[str], label: str) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        if "\0" in line:
            raise Problem(
                f"{label}, line {number}: holds a NUL byte, so it is damaged or not text; export it again",
                "file_damaged",
                file=label,
            )
        yield line


def _not_text(path: Path, codec: str, encoding: str) -> str:
    """Says on which line the text stops being in ``encoding``."""
    if codec == "utf-16":
        return f"{path.name} begins as UTF-16 text and does not go on as such; save it as 'CSV UTF-8'"
    number = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):  # noqa: B007
            try:
                line.decode(codec)
            except UnicodeError:
                break
    return (
        f"{path.name}, line {number}: not {encoding.upper()} text; save it as 'CSV UTF-8', "
        "or state its encoding in the mapping (for example gb18030)"
    )


# --- xlsx -----------------------------------------------------------------------------------------


def _read_xlsx(path: Path) -> list[Part]:
    _check_package(path)
    parts = []
    try:
        workbook = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        sheets = workbook.worksheets
        for sheet in sheets:
            sheet.reset_dimensions()
            label = path.name if len(sheets) == 1 else f"{path.name} [{sheet.title}]"
            part = _read_sheet(path, label, sheet.iter_rows(values_only=True), alone=len(sheets) == 1)
            if part is not None:
                parts.append(part)
        workbook.close()
    except _DAMAGED as error:
        raise Problem(
            f"{path.name} is a damaged workbook ({type(error).__name__}): save it again as .xlsx",
            "file_damaged",
            file=path.name,
        ) from error
    if not parts:
        raise Problem(f"{path.name} has no sheet with rows: export it again", "file_no_rows", file=path.name)
    return parts


def _check_package(path: Path) -> None:
    """Refuses a workbook that would fill the memory, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Problem(
            f"{path.name} is a damaged workbook: save it again as .xlsx", "file_damaged", file=path.name
        ) from error
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > 50_000_000 and unpacked / packed > MAX_RATIO):
        raise Problem(
            f"{path.name} would unpack to {unpacked / 1e6:,.0f} MB, which is refused: export it as csv or parquet",
            "file_large",
            file=path.name,
        )


def _read_sheet(path: Path, label: str, rows: Iterator[tuple[object, ...]], *, alone: bool) -> Part | None:
    """The rows below the first row that holds anything; None for an empty sheet, or one of several with no rows."""
    numbered = enumerate(rows, start=1)
    header = next((row for _, row in numbered if any(cell is not None for cell in row)), None)
    if header is None:
        return None
    width = max(i for i, cell in enumerate(header, start=1) if cell is not None)
    names = _check_header(label, [_text(cell) or "" for cell in header[:width]])
    lines: list[int] = []

    def texts() -> Iterator[list[str | None]]:
        for number, row in numbered:
            if all(cell is None for cell in row):
                continue
            if any(cell is not None for cell in row[width:]):
                raise Problem(
                    f"{label}, row {number}: holds cells beyond the header's last column; name or clear them",
                    "file_beyond",
                    file=label,
                    line=number,
                )
            lines.append(number)
            values = [_text(cell) for cell in row[:width]]
            yield values + [None] * (width - len(values))

    body = texts()
    first_row = next(body, None)
    if first_row is None and not alone:
        return None
    table = _table(label, names, _batches(chain([first_row] if first_row else [], body)))
    return Part(label, path, table, pa.array(lines, pa.int64()), typed=True)


def _text(cell: object) -> str | None:
    """A cell as text: 7.0 is "7", a date is in ISO form, a formula is its last result."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):
        # Excel stores days as fractions: whole seconds come back a few microseconds off.
        return (cell + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell)


# --- parquet --------------------------------------------------------------------------------------


def _read_parquet(path: Path, time_zone: str) -> Part:
    try:
        with pq.ParquetFile(path) as file:
            metadata = file.metadata
            names = _check_header(path.name, file.schema_arrow.names)
            unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
            if metadata.num_rows > MAX_ROWS or unpacked > MAX_UNPACKED_BYTES:
                raise Problem(
                    f"{path.name} has {metadata.num_rows:,} rows, too many: split it into several files",
                    "file_large",
                    file=path.name,
                )
            table = file.read()
        texts = {name: _as_text(table[i], time_zone) for i, name in enumerate(names) if name}
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise Problem(
            f"{path.name} is a damaged parquet file: export it again", "file_damaged", file=path.name
        ) from error
    if not table.num_rows:
        raise Problem(f"{path.name} has columns but no rows: export it again", "file_no_rows", file=path.name)
    rows = pa.table({name: column for name, column in texts.items() if column is not None})
    return Part(path.name, path, rows, pa.array(range(1, table.num_rows + 1), pa.int64()), typed=True)


def _as_text(column: pa.ChunkedArray, time_zone: str) -> pa.ChunkedArray | None:
    """A column as text; None for lists and structures, which no mapping can name."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return None
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            column = pc.local_timestamp(column.cast(pa.timestamp("us", time_zone), safe=False))
        column = column.cast(pa.timestamp("s"), safe=False)
        return pc.strftime(column, "%Y-%m-%dT%H:%M:%S")
    if pa.types.is_date(kind):
        return pc.strftime(column.cast(pa.timestamp("s"), safe=False), "%Y-%m-%dT%H:%M:%S")
    if pa.types.is_floating(kind):
        return _plain_decimals(pc.if_else(pc.is_nan(column), None, column).cast(pa.string()))
    return column.cast(pa.string())


def _plain_decimals(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """9.1e-13 (what is left when sums of binary fractions should cancel) without its exponent."""
    if not pc.any(pc.match_substring(texts, "e")).as_py():
        return texts
    plain = [text if text is None or "e" not in text else format(Decimal(text), "f") for text in texts.to_pylist()]
    return pa.chunked_array([pa.array(plain, pa.string())])
