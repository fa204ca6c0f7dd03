"""Lists to act on: at most eight columns, numbers right-aligned, a click on a row opens what it is about.

Units come from the metric registry, so a column of a report looks the same on every page.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal
from unicodedata import east_asian_width

import pandas as pd
import streamlit as st

from models.metrics import METRICS, is_money
from pages._ui import drill, keys
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import t, word

Kind = Literal[
    "text",
    "money",
    "amount",
    "signed",
    "count",
    "decimal",
    "tenth",
    "ratio",
    "percent",
    "change",
    "days",
    "day",
    "near_day",
    "instant",
    "month",
    "badge",
]

MOST_COLUMNS = 8
WHEN_NARROW = 3
# Pixels of a list on a phone, in a page and in half the page of a small desktop; of them for boxes to tick.
_PHONE, _PAGE, _HALF, _BOXES = 326, 966, 456, 44
# Of a letter, of a thin and of a wide one, of a Chinese character, and beside the text of a cell; a badge has a frame.
_LETTER, _THIN, _WIDE, _HAN, _BESIDE, _FRAME = 7.1, 3.8, 11.0, 13.2, 18, 14
_THIN_ONES, _WIDE_ONES = frozenset(" .,:;'|()"), frozenset("%@MWmw–×…")
_LEAST, _LEAST_OF_NAME = 96, 140  # of a text, which may be cut where a figure may not; of what a row is about
_HEADING = 112  # at most for a heading over narrower figures
_KEY = 9  # letters of a customer's key where room is short: enough to tell two apart, and the row opens the whole
# Texts that are written figures: right-aligned and never cut, as numbers are.
_WRITTEN = frozenset(
    {"likely", "range", "between", "interval", "change_text", "treated", "control", "own", "middle", "half",
     "peers_below", "standing_in_chain", "value", "team_value", "within", "mixed", "then", "now", "seen", "ordinary",
     "went_up", "went_down", "bought_30", "bought_90", "between80", "apart", "matched", "p_holm", "csat", "nps",
     "active_share", "net_sales"}
)  # fmt: skip
_READ_WHOLE = frozenset({"detail"})  # by opening the cell, and nowhere else
_WITHOUT_CENTS_WHEN_NARROW = 100  # on a phone, amounts from which on a list leaves the cents to its file
PAGE_ROWS = 20
# Between a figure and its unit or month no line ends.
_BESIDE_FIGURE = re.compile(r"(?<=\d) (?=[^\W\d])|(?<=\w) (?=\d)")
_REST_OF_KEY = re.compile(rf"^(\S{{{_KEY}}})\S*")
# What tells one name from the next: the day or number it ends in.
_NUMBER_AT_END = re.compile(r"[,，]\s?[^,，]{0,6}\d[^,，]{0,3}$|\s?\d[\d./-]*[A-Za-z]*$")
_LOOSE_ENDS = " ·×–,，、"  # at the end of what is left of a name
_ROW_PIXELS = 35
_THUMB_PIXELS = 44
_LINES_PIXELS = 66  # from 65 on a list breaks its texts into lines, of which three fit
_LINES = 2.5  # of them filled with text: words end before their line does


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list: ``name`` in the frame, ``kind`` of its values, ``words`` the prefix of the texts that
    its keys stand for (``segment`` for ``segment.loyal``), ``width`` its pixels, which the list finds, ``tones`` the
    colour of each key where the column shows badges. ``under``: the column of texts that on a phone stands in the same
    cell, whose text takes two lines there, so that what a row is about stands whole beside its figures."""

    name: str
    kind: Kind
    words: str = ""
    width: int | None = None
    tones: Mapping[str, str] = field(default_factory=dict)
    under: str = ""


_KINDS: dict[str, Kind] = {
    "change": "signed",
    **dict.fromkeys(("difference", "apart_from"), "signed"),
    "ordered_at": "instant",
    "returned_at": "instant",
    "loaded_at": "instant",
    "newest": "instant",
    "last_day": "day",
    "month": "month",
    "commission_base": "money",
    "share": "percent",
    "change_ratio": "change",
    "contribution": "percent",
    "customer_share": "percent",
    "net_sales_share": "percent",
    "rate": "percent",
    "quantity": "count",
    "hours": "tenth",
    "peers": "count",
    "shifts": "count",
    "answers": "count",
    "hired_on": "day",
    **dict.fromkeys(("contacted", "held_back", "agreed", "reachable"), "count"),
    **dict.fromkeys(("assigned_at", "saved_at"), "instant"),
    "held_until": "day",
    **dict.fromkeys(("valid", "measured", "caused", "caused_lo", "caused_hi", "redeeming"), "count"),
    **dict.fromkeys(("invited", "attended", "attended_bought", "absent", "platform_conversions"), "count"),
    **dict.fromkeys(("delivered", "clicked"), "count"),
    **dict.fromkeys(("earned_per_unit", "earned_lo", "earned_hi", "reported_ratio"), "decimal"),
    **dict.fromkeys(("redemption_rate", "attended_rate", "attended_bought_rate", "absent_rate"), "percent"),
    "recommendation_rate": "percent",
    **dict.fromkeys(("credited_orders", "credited_buyers", "only_here", "reacted", "credit_hours"), "count"),
    **dict.fromkeys(("credited_sales", "credited_margin"), "money"),
    **dict.fromkeys(("unsubscribe_rate", "customers_share"), "percent"),
    "last_contact": "instant",
    **dict.fromkeys(("units_needed", "coming", "short_units"), "count"),
    **dict.fromkeys(("short_sales", "sales_then"), "money"),
    "runs_out_on": "day",
    **dict.fromkeys(("cost_each", "cost_each_lo", "cost_each_hi", "margin_each"), "money"),
    "rows": "count",
    "rows_changed": "count",
    "rows_deleted": "count",
    "rows_per_second": "count",
    "seconds": "decimal",
    "read_at": "instant",
    "started": "instant",
    "rows_read": "count",
    "rows_loaded": "count",
    "rows_quarantined": "count",
    "size": "count",
    "stores": "count",
    **dict.fromkeys(("expires_on", "promised_on", "ordered_on", "next_promised_on"), "day"),
    **dict.fromkeys(
        (
            "available",
            "demand_month",
            "demand_p90",
            "demand_quarter",
            "days_left",
            "days_late",
            "difference_units",
            "empty_days",
            "minimum_quantity",
            "moved",
            "near_expiry",
            "on_hand",
            "on_order",
            "open_quantity",
            "order_multiple",
            "order_up_to",
            "overstock_units",
            "reorder_point",
            "reserved",
            "suggested_quantity",
            "unsold_units",
            "warnings",
        ),
        "count",
    ),
    **dict.fromkeys(("actual_median_days", "actual_p90_days", "promised_days", "until_receipt"), "days"),
    **dict.fromkeys(("daily_demand", "expected_demand", "lost_units", "safety_stock", "z", "plain_z"), "decimal"),
    **dict.fromkeys(("stockout_probability", "attained"), "percent"),
    **dict.fromkeys(("expected", "next_week", "series", "receipts", "on_shelf", "nameless"), "count"),
    **dict.fromkeys(("wape", "wape_naive", "coverage80", "coverage95", "discount"), "percent"),
    **dict.fromkeys(("bias", "effect"), "change"),
    **dict.fromkeys(("ends_on", "starts_on", "order_until"), "day"),
    **dict.fromkeys(("festival_units", "usual_units", "expected_units", "units_before"), "count"),
    "uplift": "change",
    "rmsse": "decimal",
    "happened_at": "instant",
    **dict.fromkeys(("claimed", "redeemed", "contacts", "unsubscribed", "known_rhythm", "own_rhythm"), "count"),
    **dict.fromkeys(("redemption_rate", "due_anyway"), "percent"),
    **dict.fromkeys(
        (
            "cost",
            "cost_media",
            "cost_message",
            "cost_other",
            "cost_staff",
            "points_value",
            "discount_given",
            "face_value",
        ),
        "money",
    ),
    "staff_hours": "tenth",
    **dict.fromkeys(
        ("numerator", "denominator", "base", "stopped", "lost_people", "targeted", "earlier", "day_number"), "count"
    ),
    **dict.fromkeys(
        ("rate_step", "rate_overall", "overall_lo", "overall_hi", "rest_rate", "rate_value", "baseline"), "percent"
    ),
    **dict.fromkeys(
        (
            "share_delivered",
            "share_opened",
            "share_clicked",
            "share_claimed",
            "share_visited",
            "share_bought",
            "share_bought_again",
        ),
        "percent",
    ),
    "p90_hours": "tenth",
    "new": "count",
    "returning": "count",
    "previous_new": "count",
    "growth": "change",
    "first_day": "day",
    "joined_on": "day",
    "days_since_joining": "days",
    "joined": "count",
    "without_order": "count",
    "median_days": "days",
    "p90_days": "days",
    "customer_months": "count",
    "visits_per_month": "decimal",
    "twice_share": "percent",
    "active": "count",
    "lost": "count",
    "auc": "percent",
    "discounted_share": "percent",
    "base_share": "percent",
    "affinity_index": "decimal",
    "customers_to_mean": "ratio",
    "lapsed_with": "count",
    "lapsed_share": "percent",
    "stayed_share": "percent",
    "event_day": "day",
    "own_gaps": "tenth",
    "returned": "count",
    "usual_gap": "days",
    "days_since": "days",
    "probability_gone": "percent",
    "value_at_risk": "money",
    "r": "count",
    "f": "count",
    "m": "count",
}


def column(name: str, *, words: str = "") -> Column:
    """The column ``name`` of a report, with the kind that the registry or its name gives it."""
    return Column(name, kind_of(name), words)


def badge(name: str, words: str, tones: Mapping[str, str]) -> Column:
    """A column of states: each key of ``tones`` is a badge in its colour, with the text ``words.<key>``."""
    return Column(name, "badge", words, tones=tones)


def kind_of(name: str) -> Kind:
    """What the values of a report's column are."""
    if name in METRICS:
        return METRICS[name].unit
    return _KINDS.get(name) or ("money" if is_money(name) else "text")


def label(name: str) -> str:
    """The heading of a report's column."""
    return t(f"metric.{name}") if name in METRICS else t(f"column.{name}")


def _heading(column: Column, currency: str) -> str:
    """The heading of a list's column. Before an amount with a sign stands that sign, so the currency goes to the
    heading."""
    if column.name == "customer_key" and narrow():
        return t("column.customer_key.short")
    name = label(column.name)
    if column.kind in ("signed", "amount"):
        return t("column.with_unit", name=name, unit=fmt.symbol(currency))
    days = t("unit.days")
    return (
        t("column.with_unit", name=name, unit=days) if column.kind == "days" and days not in name.casefold() else name
    )


def listing(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    currency: str,
    alt: str,
    key: str,
    opens: str | None = None,
    rows: int | None = None,
    half: bool = False,
) -> str | None:
    """Draws ``frame`` and gives the id (column ``opens``) of the row that was clicked, None before any click.

    Columns without a single value are left out. Without ``opens`` rows are not clickable. ``rows`` is the height in
    rows; longer frames scroll. ``half``: the list stands in half the page, and shows the columns that fit there.
    """
    if len(columns) > MOST_COLUMNS:
        raise ValueError(f"a list has at most {MOST_COLUMNS} columns, this one {len(columns)}")
    drawn, settings = _drawn(frame, columns, currency, rows, _ROW_PIXELS, room=_room(half=half))
    if opens is None:
        st.dataframe(drawn, alt=alt, key=key, **settings)
        return None
    widget = drill.clickable(key)
    with keys.clickable(widget):
        state = st.dataframe(drawn, alt=alt, key=widget, on_select="rerun", selection_mode="single-cell", **settings)
    return _opened(frame, opens, state, widget)


def choosing(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    currency: str,
    alt: str,
    key: str,
    opens: str | None = None,
    rows: int | None = None,
) -> tuple[str | None, list[int]]:
    """As ``listing``, with a box to tick before each row; gives also the positions of the rows that are ticked.

    In a narrow window rows are as high as a thumb needs.
    """
    height = _THUMB_PIXELS if narrow() else _ROW_PIXELS
    drawn, settings = _drawn(frame, columns, currency, rows, height, room=_room() - _BOXES)
    modes: list[Literal["multi-row", "single-cell"]] = ["multi-row", "single-cell"] if opens else ["multi-row"]
    widget = drill.clickable(key)
    with keys.clickable(widget) if opens else nullcontext():
        state = st.dataframe(drawn, alt=alt, key=widget, on_select="rerun", selection_mode=modes, **settings)
    ticked = [row for row in state["selection"]["rows"] if 0 <= row < len(frame)]
    return (_opened(frame, opens, state, widget) if opens else None), ticked


def _room(*, half: bool = False) -> int:
    """Pixels there are for a list in this window."""
    return _PHONE if narrow() else _HALF if half else _PAGE


def _drawn(
    frame: pd.DataFrame, columns: Sequence[Column], currency: str, rows: int | None, row_height: int, *, room: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What is shown of ``frame`` in this window, and how; ``room``: pixels there are for it."""
    lines = 1.0
    if narrow():
        frame, columns, lines = _stacked(_short_keys(frame), columns)
        row_height = row_height if lines == 1 else _LINES_PIXELS
    known = [column for column in columns if frame[column.name].notna().any()] or list(columns)
    known = [_below_zero(frame[column.name], column) for column in known]
    if sum(_all_wanted(frame, known, currency).values()) > room:
        frame = _short_keys(frame)
    shown = _fitted(frame, known[:WHEN_NARROW] if narrow() else known, currency, room, lines)
    digits = _digits(frame, shown)
    drawn = pd.DataFrame({column.name: _values(frame[column.name], column) for column in shown})
    for column in shown:
        if _is_name(column) and column.name not in _READ_WHOLE and column.width is not None:
            drawn[column.name] = drawn[column.name].map(partial(shortened, room=int(lines * (column.width - _BESIDE))))
    return drawn, {
        "hide_index": True,
        "placeholder": fmt.MISSING,
        "column_config": {
            column.name: _config(column, currency, digits[column.name], signs=_differs(frame[column.name], column))
            for column in shown
        },
        "row_height": row_height,
        "height": row_height * (rows + 1) + 3 if rows and len(frame) > rows else "content",
    }


def _short_keys(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with as much of a customer's key as tells two apart."""
    if "customer_key" not in frame:
        return frame
    return frame.assign(customer_key=frame["customer_key"].str.replace(_REST_OF_KEY, r"\1", regex=True))


def _stacked(frame: pd.DataFrame, columns: Sequence[Column]) -> tuple[pd.DataFrame, list[Column], float]:
    """The frame with the texts that share a cell, the columns that are left, and how many lines a cell has."""
    below = {column.under for column in columns}
    shared = [column for column in columns if column.under and frame[column.under].notna().any()]
    texts = {
        one.name: _values(frame[one.name], one)
        .str.cat(frame[one.under].str.replace(_BESIDE_FIGURE, "\xa0", regex=True), " · ")
        .fillna(frame[one.name])
        for one in shared
    }
    kept = [column for column in columns if column.name not in below]
    return frame.assign(**texts), kept, _LINES if shared else 1.0


def _opened(frame: pd.DataFrame, opens: str, state: Any, widget: str) -> str | None:
    cells = state["selection"]["cells"]
    if not cells or not 0 <= cells[0][0] < len(frame) or keys.only_chosen(widget, tuple(cells[0])):
        return None
    return str(frame[opens].iloc[cells[0][0]])


def first_row(rows: int, *, key: str, size: int = PAGE_ROWS) -> int:
    """Where the page that the reader chose begins (from 0), with the page numbers below the list drawn next."""
    asked = str(st.session_state.get(key) or st.query_params.get(key, ""))
    number = int(asked) if asked.isdecimal() else 1
    return (min(max(number, 1), max(-(-rows // size), 1)) - 1) * size


def pager(rows: int, *, key: str, size: int = PAGE_ROWS) -> None:
    """The page numbers of ``first_row``; nothing when one page holds everything."""
    pages = max(-(-rows // size), 1)
    if pages > 1:
        with st.container(horizontal_alignment="right"):
            st.pagination(pages, key=key, bind="query-params")


def in_words(values: pd.Series, prefix: str) -> pd.Series:
    """Keys as words: ``segment.<key>`` and the like; a key without a text stays as it is."""
    plain = values.astype(object)
    words = {key: word(prefix, key) for key in plain.unique() if isinstance(key, str)}
    return plain.map(lambda key: words.get(key, key))


def _values(values: pd.Series, column: Column) -> pd.Series:
    if column.kind == "badge":
        return in_words(values, column.words).map(lambda word: [word])
    if column.words:
        return in_words(values, column.words)
    match column.kind:
        case "percent" | "change":
            return values.astype(float) * 100  # the format below writes the sign only
        case "money" | "amount" | "signed" | "count" | "decimal" | "tenth" | "ratio" | "days":
            return values.astype(float)
        case "month":
            return values.map(fmt.month)
        case "near_day":
            return values.map(fmt.day_short)
        case "text":
            return values.where(values != "", None)  # a cell without a text is a missing one, and has its dash
        case _:
            return values


def _fitted(
    frame: pd.DataFrame, columns: Sequence[Column], currency: str, room: int, lines: float = 1.0
) -> list[Column]:
    """As many of the columns as fit, at least two, and how wide each is: figures whole, texts as long as they are, or
    what is left of the room, which whole headings have after them. A long text is cut rather than a figure, and within
    rather than at a number it ends in; the row it opens shows it whole. In a whole page every column is kept, and they
    share what is left."""
    wanted = _all_wanted(frame, columns, currency)
    cut = {column.name for column in columns if _is_name(column)}
    wanted |= {name: max(round(wanted[name] / lines), _LEAST) for name in cut if lines > 1}
    least = {name: _LEAST_OF_NAME if name == columns[0].name else _LEAST for name in cut}
    needed = {name: min(pixels, least.get(name, pixels)) for name, pixels in wanted.items()}
    shown = list(columns)
    while len(shown) > 2 and room < _PAGE - _BOXES and sum(needed[column.name] for column in shown) > room:
        shown.pop()
    widths = {column.name: needed[column.name] for column in shown}
    left = room - sum(widths.values())
    first = "" if narrow() else columns[0].name  # what a row is about
    for name in sorted(cut & widths.keys(), key=lambda one: (one != first, wanted[one])):
        more = min(wanted[name] - widths[name], max(left, 0))
        widths[name], left = widths[name] + more, left - more
    for column in shown:
        more = min(_pixels(_heading(column, currency)) + _BESIDE - widths[column.name], left)
        if more > 0:
            widths[column.name], left = widths[column.name] + more, left - more
    if narrow():
        widths[shown[0].name] = max(widths[shown[0].name] + left, _LEAST // 2)
    return [replace(column, width=widths[column.name]) for column in shown]


def _all_wanted(frame: pd.DataFrame, columns: Sequence[Column], currency: str) -> dict[str, int]:
    digits = _digits(frame, columns)
    return {column.name: _wanted(frame[column.name], column, currency, digits[column.name]) for column in columns}


def _wanted(values: pd.Series, column: Column, currency: str, digits: int) -> int:
    """Pixels of the longest text of a column, its heading included."""
    texts = _written(values.dropna(), column, currency, digits)
    longest = max((_pixels(text) for text in texts), default=0)
    frame = _FRAME if column.kind == "badge" else 0
    return max(longest + frame, min(_pixels(_heading(column, currency)), _HEADING)) + _BESIDE


def _written(values: pd.Series, column: Column, currency: str, digits: int) -> list[str]:
    """The values as a list shows them, of numbers only the longest; ``digits`` after the point."""
    match column.kind:
        case "day":
            return ["2026-12-31"]
        case "instant":
            return ["2026-12-31 23:59"]
        case "badge":
            return [str(text) for text in in_words(values, column.words).unique()]
        case "text" | "month" | "near_day":
            return [str(text) for text in _values(values, column).unique()]
    ends = [float(end) for end in values.astype(float).agg(["min", "max"])] if len(values) else []
    match column.kind:
        case "money":
            return [fmt.symbol(currency) + fmt.decimal(end, digits) for end in ends]
        case "percent" | "change":
            return [("+" if column.kind == "change" else "") + fmt.percent(end) for end in ends]
        case "signed":
            return ["+" + fmt.decimal(end, digits) for end in ends]
        case _:
            return [fmt.decimal(end, digits) for end in ends]


def _is_written(column: Column) -> bool:
    """Whether the texts of a column are figures."""
    if column.kind == "near_day":
        return True
    return column.kind == "text" and (column.name in _WRITTEN or column.name.endswith("_range"))


def _is_name(column: Column) -> bool:
    """Whether the texts of a column are names and sentences, which may be cut, and no days."""
    return column.kind == "text" and not _is_written(column) and column.name != "span"


def shortened(value: Any, *, room: int, measured: Callable[[str], int] | None = None) -> Any:
    """A text that is longer than ``room``, in pixels or as ``measured``, shortened; one that ends in a number, as a
    campaign in its month and a product in its size, keeps that: names of one kind differ in nothing else."""
    wide = measured or _pixels
    if not isinstance(value, str) or wide(value) <= room:
        return value
    end = _NUMBER_AT_END.search(value)
    kept, number = (value[: end.start()], end.group()) if end else (value, "")
    while kept and wide(f"{kept}…{number}") > room:
        kept = kept[:-1]
    return f"{kept.rstrip(_LOOSE_ENDS)}…{number}"


def _pixels(text: str) -> int:
    return round(sum(map(_width, text)))


def _width(letter: str) -> float:
    if letter in _THIN_ONES:
        return _THIN
    if letter in _WIDE_ONES:
        return _WIDE
    return _HAN if east_asian_width(letter) in "WF" else _LETTER


def _digits(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, int]:
    """Digits after the point of each column of numbers. The sums of a list have cents together or none has; an amount
    per order or piece goes by its own size; hours without a part of one need no digit."""
    most = _WITHOUT_CENTS_WHEN_NARROW if narrow() else fmt.WITHOUT_CENTS
    largest = {
        column.name: float(frame[column.name].astype(float).abs().max())
        for column in columns
        if column.kind in ("money", "amount", "signed") and frame[column.name].notna().any()
    }
    sums = max((size for name, size in largest.items() if not is_per_piece(name)), default=0.0)

    def of(column: Column) -> int:
        match column.kind:
            case "money" | "amount" | "signed":
                return 2 if (largest.get(column.name, 0.0) if is_per_piece(column.name) else sums) < most else 0
            case "tenth":
                return int(bool((frame[column.name].dropna().astype(float) % 1).any()))
            case "decimal" | "ratio":
                return 2
        return 0

    return {column.name: of(column) for column in columns}


def is_per_piece(name: str) -> bool:
    """Whether a column holds amounts of one order, piece or customer, and no sums."""
    return name.endswith("_each") or (name in METRICS and METRICS[name].denominator is not None)


def _below_zero(values: pd.Series, column: Column) -> Column:
    """A column of money, as "amount" where some of it is below zero: a list's format cannot write "-¥1,154"."""
    return replace(column, kind="amount") if column.kind == "money" and (values.astype(float) < 0).any() else column


def _differs(values: pd.Series, column: Column) -> bool:
    """Whether a column of signed amounts holds any but zero, which has no sign."""
    return column.kind == "signed" and bool(values.astype(float).any())


def _config(column: Column, currency: str, digits: int, *, signs: bool) -> Any:
    name, width = _heading(column, currency), column.width
    number = partial(st.column_config.NumberColumn, width=width, alignment="right")
    hint = t(f"metric.{column.name}.help") if column.name in METRICS else None
    match column.kind:
        case "money":
            return number(name, help=hint, format=f"{fmt.symbol(currency)}%,.{digits}f")
        case "amount":
            return number(name, help=hint, format=f"%,.{digits}f")
        case "signed":
            return number(name, help=hint, format=f"%{'+' if signs else ''},.{digits}f")
        case "count" | "days":
            return number(name, help=hint, format="%,.0f")
        case "tenth" | "decimal" | "ratio":
            return number(name, help=hint, format=f"%,.{digits}f")
        case "percent":
            return number(name, help=hint, format="%.1f%%")
        case "change":
            return number(name, help=hint, format="%+.1f%%")
        case "badge":
            texts = [t(f"{column.words}.{key}") for key in column.tones]
            return st.column_config.MultiselectColumn(
                name, help=hint, width=width, options=texts, color=list(column.tones.values())
            )
        case "day":
            return st.column_config.DateColumn(name, help=hint, width=width, format="YYYY-MM-DD")
        case "instant":
            return st.column_config.DatetimeColumn(name, help=hint, width=width, format="YYYY-MM-DD HH:mm")
        case _:
            side: Literal["right"] | None = "right" if _is_written(column) else None
            return st.column_config.TextColumn(name, help=hint, width=width, alignment=side)
