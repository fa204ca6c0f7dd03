"""A mapping without a mapping file: a till's export of one row per receipt line, by the headers of its columns."""

import csv
import re
from collections.abc import Mapping as Columns
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_access.errors import Problem
from data_access.importing.mapping import SHIPPED, Mapping, load_mapping
from data_access.importing.reading import Part, is_utf_16, read
from data_access.importing.staging import match

NAME = "one_file"  # of the mapping of a file nobody wrote one for
NEEDED = ("receipt", "product", "quantity", "amount", "sold_at")
FIELDS = ("receipt", "sold_at", "product", "product_name", "quantity", "amount", "store", "member")

# How exports call these, in lower case and without blanks, underscores and hyphens.
_CALLED: dict[str, str] = {
    "receipt": "receiptno receipt invoiceno invoice orderid orderno 小票号 订单号 单号 订单编号",
    "sold_at": "soldat invoicedate orderedat ordertime datetime date 销售时间 下单时间 时间 日期",
    "product": "sku stockcode productid productcode itemcode 商品编码 商品编号 货号 条码",
    "product_name": "productname description product itemname item 商品名称 品名 商品",
    "quantity": "quantity qty units 数量 件数",
    "amount": "amount net netsales total linetotal 实收金额 实付金额 金额 销售额",
    "store": "storeno storeid storecode store shop branch 门店编号 门店 店铺",
    "member": "memberno memberid customerid customer member 会员号 会员编号 顾客编号 客户编号",
}
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y")
_INSTANTS = (*(f"{day} {time}" for day in _DAYS for time in ("%H:%M:%S", "%H:%M")), *_DAYS[:2], _DAYS[4])
_TYPED = "%Y-%m-%dT%H:%M:%S"  # of a cell that is a time
_TRIED_ROWS = 2_000  # rows of a file that its form of times is read from
_DELIMITERS = ",;\t|"
_TEXTS = (".csv", ".txt", ".tsv")


@dataclass(frozen=True, slots=True)
class Found:
    """What a file looks like: its parts as text, and how to read it again."""

    parts: tuple[Part, ...]
    encoding: str
    delimiter: str

    @property
    def headers(self) -> list[str]:
        return [header for header in self.parts[0].headers if header]


def look(path: Path) -> Found:
    """Reads a file whose encoding and separator nobody stated. Problem as ``reading.read`` says."""
    if path.suffix.lower() not in _TEXTS:
        return Found(tuple(read(path)), "utf-8", ",")
    delimiter = _delimiter(path)
    try:
        return Found(tuple(read(path, delimiter=delimiter)), "utf-8", delimiter)
    except Problem as as_utf8:
        if _is_text(path, "utf-8"):
            raise
        if not _is_text(path, "gb18030"):
            raise as_utf8 from None
    return Found(tuple(read(path, encoding="gb18030", delimiter=delimiter)), "gb18030", delimiter)


def known(files: Sequence[Found]) -> str | None:
    """The shipped mapping that files of these columns belong to; None where there is none."""
    parts = [part for found in files for part in found.parts]
    for path in sorted(SHIPPED.glob("*.toml")):
        mapping = load_mapping(path.stem)
        if any((mapping.encoding, mapping.delimiter) != (found.encoding, found.delimiter) for found in files):
            continue
        try:
            match(mapping, parts)
        except Problem:
            continue
        return path.stem
    return None


def refuse_other_tables(found: Found) -> None:
    """Problem when a file has fewer columns than one row per receipt line needs."""
    headers = found.headers
    if len(headers) < len(NEEDED):
        raise Problem(
            f"{found.parts[0].label} has only the columns {', '.join(headers)}: one row per receipt line has more",
            "file_few_columns",
            file=found.parts[0].label,
            headers=", ".join(headers),
        )


def guess(headers: Sequence[str]) -> dict[str, str]:
    """Which column holds which field, as far as its header says so; no column twice."""
    plain = {re.sub(r"[\s_\-]", "", header).lower(): header for header in reversed(headers)}
    found: dict[str, str] = {}
    for field in FIELDS:
        for called in _CALLED[field].split():
            if called in plain and plain[called] not in found.values():
                found[field] = plain[called]
                break
    return found


def instant_form(found: Found, header: str) -> str | None:
    """The form in which most of a column's times are written (strptime); None where no known form fits.

    Cells that a workbook knows as times need none; it may hold others as text.
    """
    part = found.parts[0]
    times = pc.utf8_trim_whitespace(part.rows[header].slice(0, _TRIED_ROWS))
    times = pc.replace_substring_regex(times, r"(:\d\d)\.0+$", r"\1")  # whole seconds, as the import takes them
    fits = {form: _fitting(times, form) for form in _INSTANTS}
    best = max(fits, key=lambda form: fits[form])
    return best if fits[best] or (part.typed and _fitting(times, _TYPED)) else None


def draft(columns: Columns[str, str], found: Found, *, currency: str, time_zone: str, by_unit: bool = False) -> Mapping:
    """The mapping of one row per receipt line with ``columns`` (field -> header); ``by_unit``: amounts are per piece.

    Without a store all is sold in one; lines are numbered by their order. Problem when a needed column is missing, one
    is named twice, or the times have no known form.
    """
    lacking = [field for field in NEEDED if not columns.get(field)]
    if lacking:
        raise Problem(
            f"say which columns hold {', '.join(lacking)}: without them there are no sales",
            "columns_lacking",
            columns=lacking,
        )
    twice = sorted({header for header in columns.values() if list(columns.values()).count(header) > 1})
    if twice:
        raise Problem(
            f"the column {twice[0]} is named twice: each field needs a column of its own",
            "column_twice",
            column=twice[0],
        )
    form = instant_form(found, columns["sold_at"])
    if form is None:
        raise Problem(
            f"the column {columns['sold_at']} holds no times of a known form: write them as 2026-11-20 18:40",
            "column_times",
            column=columns["sold_at"],
        )
    types: dict[str, dict[str, Any]] = {
        "receipt": {"type": "number_id"},
        "sold_at": {"type": "instant", "formats": [form]},
        "product": {"type": "number_id"},
        "product_name": {"may_be_empty": True},
        "quantity": {"type": "decimal"},
        "amount": {"type": "decimal"},
        "store": {"type": "number_id"},
        "member": {"type": "number_id", "may_be_empty": True},
    }
    chosen = {field: {"from": [header], **types[field]} for field, header in columns.items() if header}
    amount = "quantity * amount" if by_unit else "amount"
    line = {
        "columns": chosen,
        "derived": {"is_return": f"quantity < 0 OR {amount} < 0"},
        "belongs_to": "receipt",
        "amount": amount,
        "refuse": [{"when": "quantity = 0", "reason": "a line without quantity"}],
    }
    return Mapping.model_validate(
        {
            "name": NAME,
            "title": "One row per receipt line",
            "time_zone": time_zone,
            "currency": currency,
            "encoding": found.encoding,
            "delimiter": found.delimiter,
            "decimal_mark": _decimal_mark(found.parts[0], (columns["quantity"], columns["amount"])),
            "inputs": {"line": line},
            "tables": list(_tables(chosen, currency, time_zone, amount)),
        }
    )


def _tables(chosen: Columns[str, Any], currency: str, time_zone: str, amount: str) -> list[dict[str, Any]]:
    store = "store" if "store" in chosen else "'S1'"
    member = "member" if "member" in chosen else "CAST(NULL AS VARCHAR)"
    named = "coalesce(max(product_name), product)" if "product_name" in chosen else "product"
    money = f"'{currency}' AS currency"
    tables: list[dict[str, Any]] = [
        {
            "name": "store",
            "if_absent": True,
            "select": f"SELECT DISTINCT {store} AS store_id, {store} AS name, 'shop' AS kind, "
            f"'{time_zone}' AS time_zone, {money} FROM line",
        },
        {
            "name": "product",
            "select": f"SELECT product AS product_id, product AS sku, {named} AS name, 'goods' AS kind FROM line "
            "GROUP BY product",
        },
        {
            "name": "sale_order",
            "keep": {"ordered_at": "earliest"},
            "select": f"SELECT receipt AS order_id, min({member}) AS customer_id, min({store}) AS store_id, "
            f"'shop' AS channel, 'sale' AS kind, min(sold_at) AS ordered_at, {money} FROM line WHERE NOT is_return "
            "GROUP BY receipt",
        },
        {
            "name": "sale_line",
            "number": "line_no",
            "amount": "net",
            "label": "gross sales",
            "select": f"SELECT receipt AS order_id, product AS product_id, quantity, {amount} AS net, _row FROM line "
            "WHERE NOT is_return",
        },
        {
            "name": "return_line",
            "number": "line_no",
            "amount": "-refund",
            "label": "returns",
            "select": f"SELECT receipt AS return_id, {store} AS store_id, {member} AS customer_id, "
            "product AS product_id, sold_at AS returned_at, abs(quantity) AS quantity, "
            f"-({amount}) AS refund, {money}, _row FROM line WHERE is_return",
        },
    ]
    if "member" in chosen:
        members = "SELECT DISTINCT member AS customer_id FROM line WHERE member IS NOT NULL"
        tables.insert(1, {"name": "customer", "if_absent": True, "select": members})
    return tables


def _decimal_mark(part: Part, headers: Sequence[str]) -> str:
    """A comma where numbers end in one with one or two digits and none in such a point; 1,234 may be thousands."""
    numbers = pa.chunked_array([chunk for header in headers for chunk in part.rows[header].chunks], pa.string())
    comma, point = (pc.any(pc.match_substring_regex(numbers, rf"\d{mark}\d\d?\s*$")).as_py() for mark in (",", r"\."))
    return "," if comma and not point else "."


def _delimiter(path: Path) -> str:
    """The separator of a csv file's header: the one that is there most often; a comma where none is."""
    with path.open("rb") as file:
        line = file.readline(100_000)
    header = line.decode("utf-16" if is_utf_16(line) else "utf-8", "replace")
    try:
        return csv.Sniffer().sniff(header, _DELIMITERS).delimiter
    except csv.Error:
        return max(_DELIMITERS, key=header.count)


def _is_text(path: Path, encoding: str) -> bool:
    try:
        path.read_bytes().decode(encoding)
    except UnicodeError:
        return False
    return True


def _fitting(times: pa.ChunkedArray, form: str) -> int:
    """How many of ``times`` have exactly this form."""
    parsed = pc.strptime(times, format=form, unit="s", error_is_null=True)
    return int(pc.sum(pc.and_kleene(pc.is_valid(parsed), pc.is_valid(times)).cast(pa.int64())).as_py() or 0)
