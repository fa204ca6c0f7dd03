"""What figures are compared with: the same dates of last year, the period before, or last year's same festival.

Only what the data cover in full can be chosen. The URL names it as ``?compare=`` unless it is the usual one; a link
to days with which it cannot be compared falls back to that.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

import streamlit as st

from data_access.scope import Period
from models.calc.periods import festival_of, like_its_festival
from pages._ui import params
from pages._ui.i18n import t

Compared = Literal["last_year", "previous", "festival"]
Column = Literal["last_year", "previous"]

_USUAL: tuple[Compared, ...] = ("last_year", "previous", "festival")
# The pages that compare, and with what; a page in peace with one comparison has nothing to choose.
PAGES: dict[str, tuple[Compared, ...]] = {
    **dict.fromkeys(("overview", "store", "product", "why"), _USUAL),
    "stores": ("last_year", "festival"),
}
_CHOSEN, _FESTIVAL, _WIDGET = "_compared", "_compared_festival", "filter_compare"


def possible(page: str, period: Period, first_day: date, currency: str) -> list[Compared]:
    """What ``period`` can be compared with on ``page``, the usual one first: a festival with itself."""
    like = like_its_festival(period, currency)
    days: dict[Compared, Period | None] = {
        "last_year": replace(period, year_back=None).last_year(),
        "previous": period.before(),
        "festival": like.last_year() if like else None,
    }
    order = sorted(PAGES.get(page, ()), key=lambda one: one != "festival" or period.year_back is None)
    return [name for name in order if (other := days[name]) is not None and other.first >= first_day]


def bar(page: str, period: Period, first_day: date, currency: str) -> Period:
    """Draws the choice where there is one; gives ``period`` as the reports compare it."""
    offered = possible(page, period, first_day, currency)
    chosen = _asked(offered)
    event = festival_of(period, currency)
    st.session_state[_CHOSEN] = chosen
    festival = t(f"event.{event.key}") if event else ""
    st.session_state[_FESTIVAL] = festival
    if len(offered) > 1:
        st.session_state[_WIDGET] = chosen
        st.selectbox(
            t("filters.compare"),
            offered,
            key=_WIDGET,
            placeholder=t("filters.compare"),
            format_func=lambda one: t(f"filters.compare.{one}", festival=festival),
            label_visibility="collapsed",
            width=145,
            on_change=_choose,
            args=(offered[0],),
            filter_mode=None,
        )
    like = like_its_festival(period, currency) if chosen == "festival" else None
    return like or replace(period, year_back=None)


def _asked(offered: Sequence[Compared]) -> Compared | None:
    return next((one for one in offered if one == params.get("compare")), offered[0] if offered else None)


def _choose(usual: Compared) -> None:
    chosen = st.session_state[_WIDGET]
    params.put(compare="" if chosen == usual else chosen)


def forget() -> None:
    """Nothing is compared until the filters of a page say so; the first thing a page does."""
    st.session_state[_CHOSEN] = None


def chosen() -> Compared | None:
    """What the page compares with; None: nothing. After the filters are drawn."""
    found: Compared | None = st.session_state.get(_CHOSEN)
    return found


def column() -> Column:
    """The column of a report that holds what the page compares with: last year's, whose days the period knows."""
    return "previous" if chosen() == "previous" else "last_year"


def lines() -> dict[str, str]:
    """The columns of a report to draw beside its own line, in order of preference, with their names."""
    order: tuple[Column, ...] = ("previous", "last_year") if chosen() == "previous" else ("last_year", "previous")
    return {name: word("charts", name) for name in order}


def word(prefix: str, of: Column | None = None, **values: str) -> str:
    """The text ``<prefix>.<what is compared with>`` of a report's column, the chosen one by default."""
    name = of or column()
    if name == "last_year" and chosen() == "festival":
        return t(f"{prefix}.festival", festival=st.session_state[_FESTIVAL], **values)
    return t(f"{prefix}.{name}", **values)
