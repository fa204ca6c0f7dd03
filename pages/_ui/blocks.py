"""Blocks that several pages show alike: net sales by day, and places ranked by net sales."""

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import streamlit as st

from data_access.scope import Period
from pages._ui import charts, compared, drill, empty, head, year
from pages._ui.i18n import localized, t

_IN_VIEW = 12  # stores beside the days; more of them scroll
_DRAWN = 100  # stores with a bar of their own; the filter and the search find the others


def sales_by_day(
    by_day: pd.DataFrame,
    period: Period,
    currency: str,
    *,
    key: str,
    beside: int = 0,
    campaigns: pd.DataFrame | None = None,
) -> None:
    """Net sales over the days of ``period``, with events, the best comparison there is and the campaigns that ran.

    ``by_day``: day, net_sales, previous, last_year; ``campaigns``: name, starts_on, ends_on. ``beside``: how many bars
    stand in the block at its side.
    """
    head.block(t("overview.by_day"), t("charts.click_week" if len(by_day) > charts.DAYS_DRAWN else "charts.click_day"))
    line = charts.time_line(
        by_day,
        value="net_sales",
        name=t("charts.this_period"),
        compare=compared.lines(),
        events=year.events(period.first, period.last, currency),
        height=charts.height_beside(beside),
        currency=currency,
    )
    if campaigns is not None:
        named, drawn = localized(campaigns, {"name": "campaign.name"}), pd.Series(line.data[-1].x)
        each = 7 if len(by_day) > charts.DAYS_DRAWN else 1
        charts.rules_below(line, named, drawn, line.layout.yaxis.tickvals[-1], t("page.campaigns"), each=each)
    charts.clicked(line, alt=t("overview.by_day"), key=key, then=drill.keep_days)


def sales_by_day_and_store(
    by_day: pd.DataFrame,
    stores: pd.DataFrame,
    period: Period,
    currency: str,
    *,
    compare: compared.Column,
    key: str,
    campaigns: pd.DataFrame | None = None,
) -> str | None:
    """Net sales by day and, beside them where there is more than one store, the stores ranked.

    Gives the id of the store that was clicked. ``stores`` as for ``ranked_places``.
    """
    days, ranking = st.columns([3, 2]) if len(stores) > 1 else (st.container(), None)
    with days.container(border=True, height="stretch"):
        bars = min(len(stores), _IN_VIEW)
        sales_by_day(by_day, period, currency, key=f"{key}_days", beside=bars, campaigns=campaigns)
    if ranking is None:
        return None
    with ranking.container(border=True, height="stretch"):
        height = charts.spread_beside(len(stores)) if len(stores) <= _IN_VIEW else None
        return ranked_places(stores, "store", currency, compare=compare, key=f"{key}_stores", height=height)


def categories(frame: pd.DataFrame, currency: str, *, compare: compared.Column, key: str) -> str | None:
    """The categories of the range by net sales; gives the one that was clicked. Nothing where there is one at most.

    ``frame``: category, net_sales and the column ``compare``.
    """
    known = frame[frame["category"].notna()]
    if len(known) < 2:
        return None
    named = localized(known.assign(category_id=known["category"]), {"category": "product.category"})
    with st.container(border=True):
        return ranked_places(named, "category", currency, compare=compare, key=key)


def moved_products(products: pd.DataFrame, currency: str) -> str | None:
    """The products of a store that sell best and those that fall most, side by side; the id of the clicked one.

    ``products``: product_id, product, movement (top | falling), net_sales, change.
    """
    opened: str | None = None
    sides = zip(("top", "falling"), ("net_sales", "change"), charts.RISE_AND_FALL, st.columns(2), strict=True)
    for name, value, colour, place in sides:
        moved = products[products["movement"] == name]
        with place.container(border=True, height="stretch"):
            head.block(t(f"store.{name}"), t("charts.click_product"))
            if moved.empty:
                empty.nothing(t("overview.nothing_falls"))
                continue
            bars = charts.ranked_bars(
                moved, label="product", value=value, ids="product_id", colour=colour, currency=currency
            )
            opened = charts.clicked(bars, alt=t(f"store.{name}"), key=f"store_{name}") or opened
    return opened


def ranked_places(
    frame: pd.DataFrame,
    place: Literal["store", "city", "region", "category"],
    currency: str,
    *,
    compare: compared.Column,
    key: str,
    height: int | None = None,
    then: Callable[[str], None] | None = None,
) -> str | None:
    """Stores, cities, regions or categories by net sales; gives the id of the clicked one, or calls ``then`` with it.

    ``frame``: store_id and store (or those of the city, region or category), net_sales and the column ``compare``.
    """
    beside = compared.word("charts", compare)
    title = t(f"overview.by_{place}")
    note = charts.bar_note(t(f"charts.click_{place}"), frame.head(_DRAWN)[compare], beside)
    return ranked(
        frame, title, note, key=key, then=then, label=place, value="net_sales", ids=f"{place}_id", compare=compare,
        compare_name=beside, height=height, currency=currency,
    )  # fmt: skip


def ranked(
    frame: pd.DataFrame, title: str, note: str, *, key: str, then: Callable[[str], None] | None = None, **how: Any
) -> str | None:
    """Bars in the order of ``frame``, the largest first, which says how many there are: beyond a dozen they scroll,
    of more than a hundred the largest are drawn. Gives the id of the clicked one, or calls ``then`` with it.

    how: as of ``charts.ranked_bars``.
    """
    drawn = frame.head(_DRAWN)
    if len(drawn) < len(frame):
        note = t("charts.largest", note=note, drawn=len(drawn), every=len(frame))
    elif len(frame) > _IN_VIEW:
        note = t("charts.scroll", note=note, shown=_IN_VIEW, every=len(frame))
    head.block(title, note)
    bars = charts.ranked_bars(drawn, **how)
    if len(drawn) <= _IN_VIEW:
        return charts.clicked(bars, alt=title, key=key, then=then)
    with st.container(height=charts.height_beside(_IN_VIEW), border=False):
        return charts.clicked(bars, alt=title, key=key, then=then)
