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

import numpy as np
import pandas as pd

from models.metrics import METRICS
from pages._gate.exports import Refused
from pages._ui import format as fmt
from pages._ui import print_charts, tables, worded
from pages._ui import print_layout as layout
from pages._ui.i18n import t, tn

MOST_ROWS = 25  # of one table; the workbook has them all
MOST_COLUMNS = 8
_LAST_DAYS = 14  # in figures; the chart has them all
_KEPT_WHOLE = 8  # rows; shorter tables are never parted from their heading and chart
_COHORTS = 12  # months of first purchases, and after them

_CSS = Path(__file__).with_name("print.css")
_WITHOUT_CENTS = 100  # amounts
_FOOT = ("head.as_of", "export.file_id")  # lines of the cover that stand on every page, beside title and scope
_NUMBERS = ("money", "signed", "count", "decimal", "tenth", "ratio", "percent", "change", "days")
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
    page: str = "",
    rows: int = MOST_ROWS,
) -> bytes:
    """The report of ``page`` as PDF. lines: what the cover says of filters and origin. rows: of each table, at most.

    Refused where the machine cannot draw it: without pango, or without a font that has the characters.
    """
    return _drawn(html(title, lines, parts, definitions, currency, page=page, rows=rows))


def html(
    title: str,
    lines: Sequence[tuple[str, str]],
    parts: Iterable[Part],
    definitions: Sequence[tuple[str, str]],
    currency: str,
    *,
    page: str = "",
    rows: int = MOST_ROWS,
) -> str:
    """What ``pdf`` draws."""
    found = [Part(part.title, layout.of_one_store(readable(part.tables))) for part in parts]
    said = dict(lines)
    about = [
        t("app.name"),
        title,
        said.get(t("head.scope")),
        said.get(t("head.period")),
        *(f"{t(f'{key}')} {said[t(key)]}" for key in _FOOT if t(key) in said),
    ]
    body = [
        f'<div class="about">{escape(" · ".join(filter(None, about)))}</div>',
        f'<header><span class="name">{escape(t("app.name"))}</span><h1>{escape(title)}</h1>{_pairs(lines)}</header>',
    ]
    if several := len(found) > 1:
        body.append(_contents([part.title for part in found]))
    for number, part in enumerate(found):
        sections = "".join(
            _table(worded.heading(page, name), name, frame, currency, rows) for name, frame in part.tables.items()
        )
        if not sections:
            sections = f'<p class="note">{escape(t("print.nothing"))}</p>'
        head = f'<h1 id="part{number}">{escape(part.title)}</h1>' if several else ""
        body.append(f'<section class="{"place" if several else ""}">{head}{sections}</section>')
    if definitions:
        body.append(
            f'<section class="definitions"><h2>{escape(t("export.definitions"))}</h2>{_pairs(definitions)}</section>'
        )
    style = _CSS.read_text(encoding="utf-8")
    return (
        f'<html lang="{escape(t("print.lang"))}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style}</style></head><body>{''.join(body)}</body></html>"
    )


def readable(report: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of a report that are printed; the others are in its workbook only."""
    return {name: frame for name, frame in report.items() if len(frame) and name not in layout.WORKBOOK_ONLY}


def _contents(titles: Sequence[str]) -> str:
    """The places of a report and the page where each begins."""
    places = (f'<li><a href="#part{number}">{escape(title)}</a></li>' for number, title in enumerate(titles))
    return f"<nav><h2>{escape(t('print.contents'))}</h2><ol>{''.join(places)}</ol></nav>"


def _pairs(lines: Sequence[tuple[str, str]]) -> str:
    pairs = (f"<div><dt>{escape(label)}</dt><dd>{escape(said)}</dd></div>" for label, said in lines)
    return f"<dl>{''.join(pairs)}</dl>"


def _table(said: str, name: str, frame: pd.DataFrame, currency: str, rows: int) -> str:
    """One table of a report under what it is called: key figures as cards, first purchases by month as shades, others
    with their chart above.

    Empty where the table holds nothing to read.
    """
    title = f"<h2>{escape(said)}</h2>"
    if {"key", "value", "unit"} <= set(frame):
        cards = _cards(frame, currency)
        return f'<div class="whole">{title}{cards}</div>' if cards else ""
    if name == "cohorts":
        return f'<div class="whole">{title}{_shades(frame)}</div>'
    named = layout.in_words(frame)
    fields = layout.fields(name, named, MOST_COLUMNS)
    if not fields or named.empty:
        return ""
    kinds = {one.column: one.kind for one in fields if not one.until}
    drawn = print_charts.chart(named, currency, kinds)
    measure = print_charts.measure_of(named, kinds)
    if drawn and measure is not None and (measured := layout.said(name, measure)) not in said:
        drawn = f'<p class="note">{escape(measured)}</p>{drawn}'
    by_day, by_month = (bool(drawn) and column in kinds for column in ("day", "month"))
    latest = _LAST_DAYS if by_day else rows if by_month else 0
    shown = named.tail(latest) if latest else named.head(rows)
    columns = [_column(name, frame.loc[shown.index], shown, one, currency) for one in fields]
    heads = "".join(f"<th{side}>{escape(heading)}</th>" for heading, side, _ in columns)
    lines = "".join(
        f"<tr>{''.join(f'<td{side}>{escape(cells[row])}</td>' for _, side, cells in columns)}</tr>"
        for row in range(len(shown))
    )
    how_many = tn(f"print.{'last' if latest else 'first'}_of", len(named), shown=len(shown), n=fmt.count(len(named)))
    more = f'<p class="note">{escape(how_many)}</p>' if len(shown) < len(named) else ""
    printed = f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>{more}"
    return f'<div class="{"whole" if len(shown) <= _KEPT_WHOLE else "long"}">{title}{drawn}{printed}</div>'


def _column(
    name: str, frame: pd.DataFrame, shown: pd.DataFrame, field: layout.Field, currency: str
) -> tuple[str, str, list[str]]:
    """Heading, side and cells of a column. frame: the rows that are ``shown``, with their keys."""
    values = shown[field.column]
    kinds = [field.kind] * len(shown) if field.kind else layout.kinds_of_rows(name, frame)
    amounts = values[[kind in ("money", "signed") for kind in kinds]]
    digits = _digits(amounts, field.column) if len(amounts) else 2
    cells = [_cell(value, kind, currency, digits) for value, kind in zip(values, kinds, strict=True)]
    if field.until:
        ends = [_cell(value, kind, currency, digits) for value, kind in zip(shown[field.until], kinds, strict=True)]
        cells = [fmt.MISSING if fmt.MISSING in pair else fmt.between(*pair) for pair in zip(cells, ends, strict=True)]
        range_of = "between80" if field.column.endswith("80") else "ordinary" if field.column == "lo" else "between"
        return t(f"column.{range_of}"), ' class="n"', cells
    heading = layout.said(name, field.column)
    if field.kind == "signed":
        heading = t("column.with_unit", name=heading, unit=fmt.symbol(currency))
    return heading, ' class="n"' if field.kind in _NUMBERS or field.kind is None else "", cells


def _shades(frame: pd.DataFrame) -> str:
    """Of the latest months of first purchases, one row each: what share bought again in each month after."""
    within = frame[frame["month_number"].between(1, _COHORTS)]
    wide = (
        within.pivot(index="cohort", columns="month_number", values="rate")
        .tail(_COHORTS)
        .dropna(axis="columns", how="all")
    )
    later = list(wide.columns)
    sizes = dict(zip(frame["cohort"], frame["size"], strict=True))
    most = float(wide[later].max().max()) if later else 1.0
    heads = "".join(f'<th class="n">{escape(text)}</th>' for text in (tables.label("size"), *map(str, later)))
    lines = []
    for cohort, rates in wide.iterrows():
        cells = "".join(_shade(rates[number], most) for number in later)
        size = escape(fmt.count(sizes[str(cohort)]))
        lines.append(f'<tr><td>{escape(fmt.month(str(cohort)))}</td><td class="n">{size}</td>{cells}</tr>')
    first = escape(tables.label("cohort"))
    note = f'<p class="note">{escape(t("print.cohorts"))}</p>'
    table = (
        f'<table class="shades"><thead><tr><th>{first}</th>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    )
    return table + note


def _shade(rate: Any, most: float) -> str:
    if fmt.is_missing(rate):
        return "<td></td>"
    depth = 0.06 + 0.5 * float(rate) / (most or 1.0)
    return f'<td class="n" style="background:rgba(140,59,94,{depth:.2f})">{escape(fmt.percent(rate, 0))}</td>'


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
    return f'<div class="cards">{"".join(cards)}</div>' if cards else ""


def _digits(values: pd.Series, column: str) -> int:
    """Of amounts, after the point: sums of hundreds and more are read without their cents, which the file has."""
    largest = float(values.astype(float).abs().max())
    return 0 if not tables.is_per_piece(column) and largest >= _WITHOUT_CENTS else 2


def _cell(value: Any, kind: tables.Kind | None, currency: str, digits: int) -> str:
    if fmt.is_missing(value):
        return fmt.MISSING
    if isinstance(value, str):
        return fmt.month(value) if kind == "month" else value
    if isinstance(value, (bool, np.bool_)):
        return t("print.yes" if value else "print.no")
    match kind:
        case "money":
            return fmt.money(value, currency, digits=digits)
        case "count" | "percent" | "decimal" | "ratio" | "days":
            return fmt.value(value, kind, currency)
        case "tenth":
            return fmt.decimal(value, 1)
        case "change":
            return fmt.change(value)
        case "signed":
            return ("+" if value > 0 else "") + fmt.decimal(value, digits)
        case "instant":
            return fmt.instant(value)
        case "day":
            return _day(value)
    if isinstance(value, pd.Timestamp):
        return _day(value)
    if isinstance(value, float):
        return fmt.count(value) if value == round(value) else fmt.decimal(value)
    return str(value)


def _day(value: Any) -> str:
    return fmt.day(value).replace(" ", "\N{NO-BREAK SPACE}")


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
