"""Key figures as cards: label, value, change against last year and against the period before."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from models.metrics import ESTIMATED, METRICS, Metric
from pages._ui import compared, palette, passport
from pages._ui import format as fmt
from pages._ui.i18n import exists, t

CARD_WIDTH = 138  # six in a row on a desktop, two on a phone


@dataclass(frozen=True, slots=True)
class Change:
    """A change as a card shows it: its text, the way it points, and whether that is good (None: neither)."""

    text: str
    arrow: str  # up | down | off
    better: bool | None


def kpi_row(kpis: pd.DataFrame, currency: str, keys: Sequence[str]) -> None:
    """One card per key of ``keys`` found in ``kpis`` (key, value, unit and, if compared, previous and last_year)."""
    rows = {str(row["key"]): row for _, row in kpis.iterrows()}
    chosen = [key for key in keys if key in rows]
    grid = st.grid(len(chosen), min_column_width=CARD_WIDTH, border=True, gap="small")
    for key in chosen:
        row = rows[key]
        shut = passport.greyed(key)
        with grid.cell(), st.container(gap=None, key=f"greyed_{key}" if shut else None):
            if "last_year" in row.index:
                _compared_card(row, key, currency)
            else:
                number = fmt.card_value(row["value"], row["unit"], currency)
                st.metric(_name(key), number, help=_help(row, key, currency))
            if shut:
                st.caption(f":material/block: {shut}")
    passport.button([_figure(rows[key], key, currency) for key in chosen])


def _figure(row: pd.Series, key: str, currency: str) -> passport.Figure:
    return passport.Figure(
        t(f"metric.{key}"), fmt.value(row["value"], row["unit"], currency), t(f"metric.{key}.help"), key
    )


def _compared_card(row: pd.Series, key: str, currency: str) -> None:
    first = compared.column()
    other: compared.Column = "last_year" if first == "previous" else "previous"
    main, more = (change_of(row["value"], row[name], row["unit"], METRICS[key].direction) for name in (first, other))
    st.metric(
        _name(key),
        fmt.card_value(row["value"], row["unit"], currency),
        compared.word("cards", first, change=main.text),
        delta_arrow=main.arrow,  # type: ignore[arg-type]
        delta_color=palette.verdict(main.better),  # type: ignore[arg-type]
        help=_help(row, key, currency),
    )
    st.caption(compared.word("cards", other, change=more.text))


def _name(key: str) -> str:
    """The name of a metric that fits a card: the short one where there is one."""
    return t(f"metric.{key}.short") if exists(f"metric.{key}.short") else t(f"metric.{key}")


def change_of(value: float, base: float, unit: str, direction: int) -> Change:
    """The change from ``base`` to ``value``: in percentage points for shares, otherwise relative.

    Unknown (no value, no base, or a base that is not positive) reads "–" and points nowhere.
    """
    if fmt.is_missing(value) or fmt.is_missing(base) or (unit != "percent" and base <= 0):
        return Change(fmt.MISSING, "off", None)
    difference = value - base
    ratio = difference if unit == "percent" else difference / base
    text = fmt.points(ratio) if unit == "percent" else fmt.change(ratio)
    if not any(digit in text for digit in "123456789"):
        return Change(text, "off", None)
    rising = ratio > 0
    return Change(text, "up" if rising else "down", None if direction == 0 else rising == (direction > 0))


def _help(row: pd.Series, key: str, currency: str) -> str:
    """The definition and the full numbers behind the short ones of the card."""
    lines = [t(f"metric.{key}.help"), t("cards.now", value=fmt.value(row["value"], row["unit"], currency))]
    names: tuple[compared.Column, ...] = ("last_year", "previous")
    for column in names:
        if column in row.index:
            known = not fmt.is_missing(row[column])
            shown = fmt.value(row[column], row["unit"], currency) if known else t("cards.not_covered")
            lines.append(compared.word("cards.full", column, value=shown))
    return "  \n".join([lines[0] + "\n", *lines[1:]])


def amounts(row: pd.Series, keys: Sequence[str], currency: str) -> None:
    """One card per metric of ``keys``, with the full number: for a single thing, such as a receipt."""
    figures = {key: fmt.value(row[key], METRICS[key].unit, currency) for key in keys}
    _plain_grid([(t(f"metric.{key}"), value, t(f"metric.{key}.help")) for key, value in figures.items()])
    passport.button(
        [passport.Figure(t(f"metric.{key}"), value, t(f"metric.{key}.help"), key) for key, value in figures.items()]
    )


def plain_row(items: Sequence[tuple[str, str, str | None]]) -> None:
    """One card per item: label, value as text, help (None: no more to say)."""
    _plain_grid(items)
    passport.button([passport.Figure(name, value, hint or "") for name, value, hint in items])


def _plain_grid(items: Sequence[tuple[str, str, str | None]]) -> None:
    grid = st.grid(max(len(items), 1), min_column_width=CARD_WIDTH, border=True, gap="small")
    for name, value, hint in items:
        grid.metric(name, value, help=hint)


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """What is known about one thing, as short labelled texts in a row that wraps; unknown ones are left out."""
    known = [(name, text) for name, text in pairs if text and text != fmt.MISSING]
    with st.container(horizontal=True, gap="medium", key="facts"):
        for name, text in known:
            st.markdown(f":small[:gray[{name}]]  \n{_plain(text)}", width="content")


def _plain(text: str) -> str:
    """Data as text, whatever signs of Markdown it holds."""
    for sign in "\\`*_[]#:$~<>|":
        text = text.replace(sign, f"\\{sign}")
    return text


def metrics_matching(word: str) -> list[Metric]:
    """The metrics whose key, name or definition holds ``word``, in the order of the registry; all for no word."""
    sought = word.strip().casefold()
    return [
        metric
        for key, metric in METRICS.items()
        if sought in f"{key} {t(f'metric.{key}')} {t(f'metric.{key}.help')}".casefold()
    ]


def definition(metric: Metric) -> str:
    """One metric in full: name, definition, formula, certainty, unit and which way is good."""
    direction = {1: "up", -1: "down", 0: "neither"}[metric.direction]
    lines = [f"**{t(f'metric.{metric.key}')}**\n", t(f"metric.{metric.key}.help") + "\n"]
    if worked_out := passport.formula(metric.key):
        lines.append(f":gray[:small[{t('glossary.formula')}]] :small[{worked_out}]")
    sure = t(f"passport.{'estimated' if metric.key in ESTIMATED else 'counted'}")
    lines.append(f":gray[:small[{t('passport.certainty')}]] :small[{sure}]")
    unit, way = t(f"unit.{metric.unit}"), t(f"glossary.{direction}")
    lines.append(f":gray[:small[{t('glossary.unit')}]] :small[{unit}] :gray[:small[ · {way}]]")
    return "  \n".join(lines)
