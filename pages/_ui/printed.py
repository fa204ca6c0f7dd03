"""A report on paper: the tables of a report as a PDF of cover, figures, charts and tables, with the fonts inside.

WeasyPrint lays it out with the pango of the system; no browser takes part, and nothing is fetched. The words are those
of the language that is being spoken (``i18n.speaking``), for it is built on a thread of its own.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from models.metrics import METRICS
from pages._gate.exports import Refused
from pages._ui import format as fmt
from pages._ui import print_charts, tables, worded
from pages._ui.i18n import exists, t, tn

MOST_ROWS = 25  # of one table; the workbook has them all
MOST_COLUMNS = 8
_LAST_DAYS = 14  # in figures; the chart has them all

_CSS = Path(__file__).with_name("print.css")
_WITHOUT_CENTS = 100  # amounts
_NUMBERS = ("money", "signed", "count", "decimal", "tenth", "ratio", "percent", "change", "days")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_FONTS = re.compile(r"CJK|Han|PingFang|YaHei|WenQuanYi|Hei|Song|Kai|Ming|Droid Sans Fallback", re.IGNORECASE)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Part:
    """What is printed of one place, or of all of them together: the tables of a report by name."""

    title: str
    tables: Mapping[str, pd.DataFrame]


def pdf(
    title: str,
    lines: Sequence[tuple[str, str]],
    parts: Iterable[Part],
    definitions: Sequence[tuple[str, str]],
    currency: str,
    *,
    rows: int = MOST_ROWS,
) -> bytes:
    """The report as PDF. lines: what the cover says of filters and origin. rows: of each table, at most.

    Refused where the machine cannot draw it: without pango, or without a font that has the characters.
    """
    return _drawn(html(title, lines, parts, definitions, currency, rows=rows))


def html(
    title: str,
    lines: Sequence[tuple[str, str]],
    parts: Iterable[Part],
    definitions: Sequence[tuple[str, str]],
    currency: str,
    *,
    rows: int = MOST_ROWS,
) -> str:
    """What ``pdf`` draws."""
    found = list(parts)
    about = " · ".join([t("app.name"), title, *(said for label, said in lines if label == t("export.file_id"))])
    body = [
        f'<div class="about">{escape(about)}</div>',
        f'<header><span class="name">{escape(t("app.name"))}</span><h1>{escape(title)}</h1>{_pairs(lines)}</header>',
    ]
    for part in found:
        sections = "".join(_table(name, frame, currency, rows) for name, frame in part.tables.items() if len(frame))
        if not sections:
            sections = f'<p class="note">{escape(t("print.nothing"))}</p>'
        head = f"<h1>{escape(part.title)}</h1>" if len(found) > 1 else ""
        body.append(f'<section class="{"place" if len(found) > 1 else ""}">{head}{sections}</section>')
    if definitions:
        body.append(
            f'<section class="definitions"><h2>{escape(t("export.definitions"))}</h2>{_pairs(definitions)}</section>'
        )
    style = _CSS.read_text(encoding="utf-8")
    return (
        f'<html lang="{escape(t("print.lang"))}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style}</style></head><body>{''.join(body)}</body></html>"
    )


def _pairs(lines: Sequence[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(label)}</dt><dd>{escape(said)}</dd>' for label, said in lines)}</dl>"


def _table(name: str, frame: pd.DataFrame, currency: str, rows: int) -> str:
    """One table of a report: key figures as cards, others with their chart above."""
    title = f"<h2>{escape(t(f'export.sheet.{name}'))}</h2>"
    if {"key", "value", "unit"} <= set(frame):
        return title + _cards(frame, currency)
    frame = worded.in_words(frame)
    columns = _columns(frame)
    if not columns:
        return ""
    heads = "".join(f"<th{_side(column)}>{escape(_heading(column, currency))}</th>" for column in columns)
    drawn = print_charts.chart(frame, currency)
    by_day, by_month = (bool(drawn) and column in frame for column in ("day", "month"))
    latest = _LAST_DAYS if by_day else rows if by_month else 0
    shown = frame[columns].tail(latest) if latest else frame[columns].head(rows)
    digits = {column: _digits(shown[column], column) for column in columns}
    lines = "".join(_row(row, digits, currency) for row in shown.itertuples(index=False))
    said = tn(f"print.{'last' if latest else 'first'}_of", len(frame), shown=len(shown), n=fmt.count(len(frame)))
    more = f'<p class="note">{escape(said)}</p>' if len(shown) < len(frame) else ""
    return f"{title}{drawn}<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>{more}"


def _cards(frame: pd.DataFrame, currency: str) -> str:
    cards = []
    for row in frame.to_dict("records"):
        if row["key"] not in METRICS:
            continue
        compared = [
            f"{t(f'charts.{other}')} {fmt.card_value(row[other], row['unit'], currency)}"
            for other in ("last_year", "previous")
            if other in row and not fmt.is_missing(row[other])
        ]
        value = fmt.card_value(row["value"], row["unit"], currency)
        said = "".join(f"<span>{escape(text)}</span>" for text in compared)
        name = t(f"metric.{row['key']}")
        cards.append(f'<div class="card"><span>{escape(name)}</span><b>{escape(value)}</b>{said}</div>')
    return f'<div class="cards">{"".join(cards)}</div>'


def _columns(frame: pd.DataFrame) -> list[str]:
    """The columns a reader can read: not empty, no ids beside a name, no keys that have no words."""
    found = []
    for column in map(str, frame):
        values = frame[column].dropna()
        if values.empty or (column.endswith("_id") and len(frame.columns) > 1) or not _labelled(column):
            continue
        if tables.kind_of(column) == "text" and all(_KEY.fullmatch(str(value)) for value in values):
            continue
        found.append(column)
    return found[:MOST_COLUMNS]


def _labelled(column: str) -> bool:
    return column in METRICS or exists(f"column.{column}")


def _heading(column: str, currency: str) -> str:
    name = tables.label(column)
    return t("column.with_unit", name=name, unit=fmt.symbol(currency)) if tables.kind_of(column) == "signed" else name


def _side(column: str) -> str:
    return ' class="n"' if tables.kind_of(column) in _NUMBERS else ""


def _digits(values: pd.Series, column: str) -> int:
    """Of amounts, after the point: sums of hundreds and more are read without their cents, which the file has."""
    sums = tables.kind_of(column) in ("money", "signed") and not tables.is_per_piece(column)
    return 0 if sums and float(values.astype(float).abs().max()) >= _WITHOUT_CENTS else 2


def _row(row: Sequence[Any], columns: Mapping[str, int], currency: str) -> str:
    cells = (
        f"<td{_side(column)}>{escape(_cell(value, column, currency, digits))}</td>"
        for value, (column, digits) in zip(row, columns.items(), strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: Any, column: str, currency: str, digits: int) -> str:
    if fmt.is_missing(value):
        return fmt.MISSING
    if isinstance(value, str):
        return fmt.month(value) if tables.kind_of(column) == "month" else value
    match kind := tables.kind_of(column):
        case "money":
            return fmt.money(value, currency, digits=digits)
        case "count" | "percent" | "decimal" | "ratio" | "days":
            return fmt.value(value, kind, currency)
        case "change":
            return fmt.change(value)
        case "signed":
            return ("+" if value > 0 else "") + fmt.decimal(value, digits)
        case "instant":
            return fmt.instant(value)
        case "day":
            return fmt.day(value)
    if isinstance(value, pd.Timestamp):
        return fmt.day(value)
    if isinstance(value, bool):
        return t("print.yes" if value else "print.no")
    return fmt.decimal(value) if isinstance(value, float) else str(value)


def _drawn(document: str) -> bytes:
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as missing:  # pango of the system is not there
        raise Refused("export.no_pango", 501) from missing
    nothing = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    laid_out = HTML(string=document, url_fetcher=nothing).render()
    written: bytes = laid_out.write_pdf()
    families = " ".join(font.family for font in laid_out.fonts.values())
    if _CHINESE.search(document) and not _FONTS.search(families):
        raise Refused("export.no_font", 501)
    return written
