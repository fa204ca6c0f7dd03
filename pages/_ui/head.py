"""The top of every page, always the same: where you are, title, as of when, whose figures, then the filters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from pages._ui import compared, drill, empty, export, filters, freshness, load, passport, session, year
from pages._ui import format as fmt
from pages._ui.access import Detail
from pages._ui.i18n import localized_text, t


@dataclass(frozen=True, slots=True)
class Opened:
    """What a page may show, after the filters: how much detail, whose figures, which days, of which snapshot."""

    page: str
    title: str
    detail: Detail
    scope: Scope
    period: Period
    snapshot: Snapshot
    words: str  # whose figures
    days: str  # in words
    category: str | None
    segment: str | None

    @property
    def generation(self) -> str:
        return self.snapshot.generation

    @property
    def currency(self) -> str:
        return self.snapshot.info.currency

    def cover(self, *more: tuple[str, str]) -> export.Cover:
        """The cover sheet of an export of this page; ``more`` are further choices of the reader."""
        info = self.snapshot.info
        lines = (
            (t("head.scope"), self.words),
            (t("head.period"), self.days),
            (t("head.as_of"), fmt.instant(info.as_of)),
            (t("freshness.read"), freshness.instant(freshness.of(info).read_at)),
            (t("head.generation"), self.snapshot.generation),
            (t("head.currency"), info.currency),
        )
        about = (self.page, self.detail, self.scope, self.period, self.generation)
        return export.Cover(self.title, lines + more, info.currency, *about)


def begin(
    page: str,
    *,
    scope: Scope | None = None,
    title: str | None = None,
    above: Sequence[drill.Step] = (),
    choices: Literal["all", "places", "days", "none"] = "all",
    beside: Callable[[], None] | None = None,
) -> Opened:
    """Checks that the signed-in person may open ``page`` and draws its top.

    scope: what the page looks at, within the person's own scope, which is the default.
    title: says more than the page's own name (a store, a product); ``above``: the levels above, as a breadcrumb.
    choices: which of the shared filters apply; without days the period is all data.
    beside: draws a choice of the page's own in the row of the filters.
    """
    detail = session.detail(page)
    compared.forget()
    drill.here(page)
    seen = session.current_scope() if scope is None else scope
    snapshot = load.snapshot()
    name = title or t(f"page.{page}")
    if above:
        drill.breadcrumb(*above)
    st.title(name, anchor=False)
    line = st.container(gap=None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        if beside is not None:
            beside()
        narrowed, period, words, chosen = _filters(page, seen, snapshot, choices)
    category, segment = filters.category(), filters.segment()
    year.here(narrowed, snapshot)
    with line:
        _as_of(snapshot, " · ".join(filter(None, (words, chosen))))
    has_days = choices in ("all", "days")
    days = _days(period, chosen)
    passport.begin(passport.Page(narrowed, period, has_days, snapshot.generation, words, days, category, segment))
    empty.needs(load.health(session.current_scope(), snapshot.generation).table_status, page)
    return Opened(page, name, detail, narrowed, period, snapshot, words, days, category, segment)


def _as_of(snapshot: Snapshot, words: str) -> None:
    """Up to when the data reaches, whose they are, and how old the reading of the CRM is when that matters."""
    fresh = freshness.of(snapshot.info)
    line = t("head.line", as_of=fmt.instant(snapshot.info.as_of), scope=words)
    st.caption(line + freshness.beside_as_of(fresh))
    stale = freshness.warning(fresh, administrator=session.current_person().role == "administrator")
    if stale:
        st.markdown(f":orange[:material/schedule:] :small[{stale}]")


def _days(period: Period, chosen: str) -> str:
    """The days of a page with what was ``chosen``: "近 28 天，对比去年同期（2026年11月1日至28日）"."""
    days = fmt.period(period.first, period.last)
    return fmt.beside(chosen, days) if chosen and days not in chosen else chosen or days


def _filters(page: str, seen: Scope, snapshot: Snapshot, choices: str) -> tuple[Scope, Period, str, str]:
    """What the page may show, and in words whose figures and which days were chosen (none: empty)."""
    if choices == "none":
        first, last = snapshot.info.first_day, snapshot.info.last_day
        if first is None or last is None:
            raise ValueError("a snapshot without a single day of data has no period")
        return seen, Period(first, last), " · ".join([_whose(seen), *filters.parts_bar(seen, snapshot, page)]), ""
    applied = filters.apply(seen, snapshot, dates=choices in ("all", "days"), page=page)
    return *applied, filters.whose(), filters.days()


def _whose(seen: Scope) -> str:
    """The store by name where the page looks at a single one, else the homes of the reader."""
    if len(seen.store_ids) == 1:
        names = load.places(load.generation()).set_index("store_id")["store"]
        if seen.store_ids[0] in names:
            return localized_text("store.name", str(names[seen.store_ids[0]]))
    return session.in_words(session.current_person())


def block(title: str, note: str | None = None, note_help: str | None = None) -> None:
    """The heading of a chart or list, with a short note in grey beside it."""
    text = f"**{title}**" + (f" :gray[:small[ {note}]]" if note else "")
    st.markdown(text, help=note_help)
