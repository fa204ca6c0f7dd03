"""The passport of the figures on a page, one click away from each: definition, formula, filters, rows counted and left
out, as of when, how sure; and the gates, which grey a figure out and say why."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from data_access.scope import Period, Scope
from models.calc.gates import gate_of
from models.metrics import ESTIMATED, METRICS
from pages._ui import format as fmt
from pages._ui import freshness, load, session
from pages._ui.i18n import t
from pages._ui.tables import label

_PAGE, _COUNT = "_passport_page", "_passport_count"


@dataclass(frozen=True, slots=True)
class Page:
    """What the figures of a page are of: whose, which days (as of the last one without ``has_days``), of which
    snapshot; words: whose, days: which days."""

    scope: Scope
    period: Period
    has_days: bool
    generation: str
    words: str
    days: str
    category: str | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as a card shows it. key: of the registry, where it is a metric of it."""

    name: str
    value: str
    meaning: str
    key: str | None = None


def begin(page: Page | None) -> None:
    """Whose figures follow; None on a page that shows none yet."""
    st.session_state[_PAGE], st.session_state[_COUNT] = page, 0


def _page() -> Page | None:
    found: Page | None = st.session_state.get(_PAGE)
    return found


def greyed(metric: str) -> str | None:
    """Why the figure of ``metric`` is not to be relied on here, in a sentence; None when nothing stands against it."""
    page = _page()
    if page is None or not page.has_days:
        return None
    gate = gate_of(metric, load.provenance(page.scope, page.period, page.generation).ground)
    return t(f"gate.{gate.key}") if gate else None


def button(figures: Sequence[Figure]) -> None:
    """A quiet button after a row of cards that says where each comes from; read only once it is open."""
    page = _page()
    if page is None or not figures:
        return
    st.session_state[_COUNT] += 1
    opened = st.popover(
        t("passport.open"),
        icon=":material/fingerprint:",
        type="tertiary",
        key=f"passport_{st.session_state[_COUNT]}",
        on_change="rerun",
    )
    if opened.open:
        with opened:
            for figure in figures:
                st.markdown(of_figure(figure))
            st.markdown(of_page(page))
            # Also what makes a long passport scroll by keys: something in it has to take the focus.
            st.page_link("glossary.py", label=t("passport.glossary"), icon=":material/menu_book:")


def of_figure(figure: Figure) -> str:
    """What a figure means, how it is worked out, how sure it is."""
    lines = [f"**{figure.name}** {figure.value}", figure.meaning]
    worked_out = formula(figure.key) if figure.key is not None else None
    if worked_out is not None:
        lines.append(_grey(t("glossary.formula"), worked_out))
    if figure.key is not None:  # of others the meaning says it, with the range where there is one
        sure = "estimated" if figure.key in ESTIMATED else "counted"
        lines.append(_grey(t("passport.certainty"), t(f"passport.{sure}")))
    shut = greyed(figure.key) if figure.key else None
    if shut:
        lines.append(f":orange[:material/block: {shut}]")
    return "  \n".join(line for line in lines if line)


def formula(key: str) -> str | None:
    """How a metric is worked out, in words; None where its definition is all there is to say: a share, a mean or an
    expectation that comes ready-made is no sum."""
    metric = METRICS[key]
    if metric.denominator is None:
        is_sum = metric.unit in ("money", "count") and key not in ESTIMATED
        return t("passport.sum", name=t(f"metric.{key}")) if is_sum else None
    return f"{label(metric.numerator)} ÷ {label(metric.denominator)}"


def of_page(page: Page) -> str:
    """What all figures of a page have in common: filters, rows, as of when, from which reading."""
    info = load.snapshot().info
    days = page.days if page.has_days else fmt.day(page.period.last)
    lines = [
        _grey(t("passport.filters"), page.words),
        _grey(t("head.period"), days),
        *_rows(load.provenance(page.scope, page.period, page.generation).receipts),
        _of_category(page),
        _of_segment(page),
        _refused(page),
        _grey(t("head.as_of"), fmt.instant(info.as_of)),
        _grey(t("freshness.read"), freshness.instant(freshness.of(info).read_at)),
        _grey(t("head.generation"), page.generation),
    ]
    return "\n\n---\n\n" + "  \n".join(line for line in lines if line)


def short() -> str:
    """The filters and the last day, for the table of a chart."""
    page = _page()
    if page is None:
        return ""
    whose = f"{page.words} · {page.days}" if page.has_days else page.words
    return t("head.line", as_of=fmt.instant(load.snapshot().info.as_of), scope=whose)


def _rows(receipts: pd.DataFrame) -> list[str]:
    """How many receipts count and how many are left out, by reason."""
    counts = receipts["exclusion"].isna()
    counted = receipts[counts]["receipts"].sum()
    left = [
        t("passport.left", reason=t(f"exclusion.{reason}"), n=fmt.count(many))
        for reason, many in zip(receipts[~counts]["exclusion"], receipts[~counts]["receipts"], strict=True)
    ]
    return [
        _grey(t("passport.rows"), t("passport.receipts", n=fmt.count(counted))),
        _grey(t("passport.excluded"), " · ".join(left) if left else t("passport.none_left")),
    ]


def _of_category(page: Page) -> str:
    """Receipts have no one category: of one alone, the lines that were sold."""
    if page.category is None:
        return ""
    sold = load.lines_sold(page.scope, page.period, page.category, page.generation)
    return _grey(t("passport.of_category"), t("passport.lines", n=fmt.count(sold)))


def _of_segment(page: Page) -> str:
    if page.segment is None:
        return ""
    named = load.segments(page.scope, page.period.last, page.generation).named.set_index("segment")["customers"]
    return _grey(t("passport.of_segment"), t("passport.customers", n=fmt.count(named[page.segment])))


def _refused(page: Page) -> str:
    """Rows of the CRM that never came in, which only the whole chain may know."""
    if session.system_scope().kind != "chain":
        return ""
    refused = load.health(session.system_scope(), page.generation).quarantined["rows"].sum()
    return _grey(t("passport.refused"), t("passport.refused_rows", n=fmt.count(refused)))


def _grey(name: str, text: str) -> str:
    return f":gray[:small[{name}]] :small[{text}]"
