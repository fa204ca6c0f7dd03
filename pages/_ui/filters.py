"""The filters every page shares: which days, places, category and segment. In the URL, checked against the scope.

``apply`` draws them where a page calls it and returns what the page may show; nothing that a URL or a widget says
can widen the scope it was given.
"""

from collections.abc import Callable, Sequence
from datetime import date

import pandas as pd
import streamlit as st

from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.periods import PRESETS, festivals, possible, preset, within
from pages._ui import charts, compared, format, load, params
from pages._ui.i18n import localized_text, t, tn

DEFAULT = "28d"
SHOP, ONLINE = "shop", "online"  # channels, which are kinds of stores

# The pages whose figures a category, or the customers of a segment, have of their own; the others do not offer it.
BY_CATEGORY = ("overview", "demand", "stock", "run_out", "why")
BY_SEGMENT = ("run_out", "spending")
_WHOSE, _DAYS, _CHOSEN = "_filters_whose", "_filters_days", "_filters_chosen"
_ALL = tuple(name for name in params.SHARED if name != "lang")

CUSTOM = "custom"  # days of one's own: ?period=2026-11-01..2026-11-11, in older links ?period=custom&from=..&to=..
_TO = ".."


def apply(scope: Scope, snapshot: Snapshot, *, dates: bool = True, page: str = "") -> tuple[Scope, Period]:
    """Draws the filters into the row they are called in; returns the narrowed scope and the days to show.

    ``dates=False`` leaves the choice of days out, for pages that describe a state at a day; their period is then
    all data. ``page`` says what the days may be compared with. The data must have a day at all: the shell sees to that.
    """
    first_day, last_day = snapshot.info.first_day, snapshot.info.last_day
    if first_day is None or last_day is None:
        raise ValueError("a snapshot without a single day of data has no period")
    stores = _stores_in(scope, load.named_places(snapshot.generation))
    currency = snapshot.info.currency
    period = _period_bar(first_day, last_day, currency) if dates else Period(first_day, last_day)
    narrowed = _places_bar(scope, stores)
    st.session_state[_DAYS] = ""
    if dates:
        period = compared.bar(page, period, first_day, currency)
        st.session_state[_DAYS] = _period_in_words(first_day, last_day, currency)
    parts = [*_places_in_words(narrowed, _stores_in(narrowed, stores)), *parts_bar(narrowed, snapshot, page)]
    _reset()
    st.session_state[_WHOSE] = " · ".join(parts)
    return narrowed, period


def whose() -> str:
    """What the page shows, in words: "华东区 · 5 家门店". After ``apply``."""
    return str(st.session_state[_WHOSE])


def days() -> str:
    """Which days the page shows: "近 28 天，对比去年同期"; empty where none are chosen. After ``apply``."""
    return str(st.session_state[_DAYS])


def parts_bar(scope: Scope, snapshot: Snapshot, page: str) -> list[str]:
    """The category of goods and the segment of customers to show, on a page that can show one alone; gives their names
    as parts of the summary.

    Offered is what the stores of ``scope`` ever sold or took back, and the segments that somebody is in.
    """
    categories = load.categories(scope, snapshot.generation) if page in BY_CATEGORY else ()
    day = snapshot.info.last_day
    segments = load.segments_in_use(scope, day, snapshot.generation) if page in BY_SEGMENT and day else ()
    chosen = {
        "category": _part_bar("category", categories, lambda one: localized_text("product.category", one)),
        "segment": _part_bar("segment", segments, lambda one: t(f"segment.{one}")),
    }
    st.session_state[_CHOSEN] = {name: value for name, (value, _) in chosen.items()}
    return [words for value, words in chosen.values() if value]


def _part_bar(name: str, offered: Sequence[str], words: Callable[[str], str]) -> tuple[str | None, str]:
    """A choice of one of ``offered`` or all; what is chosen (None: all), and its words."""
    chosen = params.get(name) if params.get(name) in offered else ""
    if len(offered) > 1 or chosen:
        st.session_state[f"filter_{name}"] = chosen
        st.selectbox(
            t(f"filters.{name}"),
            ["", *offered],
            key=f"filter_{name}",
            placeholder=t(f"filters.{name}"),
            format_func=lambda one: words(one) if one else t(f"filters.{name}.all"),
            label_visibility="collapsed",
            width=135,
            on_change=_choose_part,
            args=(name,),
            filter_mode=None,
        )
    return chosen or None, words(chosen) if chosen else ""


def category() -> str | None:
    """The category that the page shows alone; None: all goods. After ``parts_bar``, which ``apply`` draws too."""
    found: str | None = st.session_state[_CHOSEN]["category"]
    return found


def segment() -> str | None:
    """The segment whose customers the page shows alone; None: all. After ``parts_bar``."""
    found: str | None = st.session_state[_CHOSEN]["segment"]
    return found


def chosen_period(first_day: date, last_day: date, currency: str) -> tuple[str, Period]:
    """The preset's or festival's name and its days as the URL says; the default when it says nothing that makes
    sense."""
    name = params.get("period")
    known = festivals(first_day, last_day, currency)
    if name in known:
        return name, known[name]
    own = None
    if name == CUSTOM:
        own = _custom(params.get("from"), params.get("to"), first_day, last_day)
    elif _TO in name:
        first, _, last = name.partition(_TO)
        own = _custom(first, last, first_day, last_day)
    if own is not None:
        return CUSTOM, own
    if name not in PRESETS:
        name = DEFAULT
    return name, preset(name, first_day, last_day)


def default_period(first_day: date, last_day: date) -> Period:
    """The days a page shows when nobody chose any."""
    return preset(DEFAULT, first_day, last_day)


def _custom(first: str, last: str, first_day: date, last_day: date) -> Period | None:
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return None
    if start > end or end < first_day or start > last_day:
        return None
    return within(Period(start, end), first_day, last_day)


def _period_bar(first_day: date, last_day: date, currency: str) -> Period:
    name, period = chosen_period(first_day, last_day, currency)
    offered = possible(first_day, last_day)
    # The usual days, and those of a link, are offered even where the data are shorter.
    usual = [one for one in PRESETS if one in offered or one in (DEFAULT, name)]
    st.session_state["filter_period"] = name
    st.selectbox(
        t("filters.period"),
        [*usual, *festivals(first_day, last_day, currency), CUSTOM],
        key="filter_period",
        placeholder=t("filters.period"),
        format_func=_period_name,
        label_visibility="collapsed",
        width=155,
        on_change=_choose_period,
        args=(period,),
        filter_mode=None,
    )
    if name == CUSTOM:
        st.session_state["filter_dates"] = (period.first, period.last)
        st.date_input(
            t("filters.dates"),
            key="filter_dates",
            min_value=first_day,
            max_value=last_day,
            format="YYYY-MM-DD",
            label_visibility="collapsed",
            width=240,
            on_change=_choose_dates,
        )
    return period


def _period_name(name: str) -> str:
    return t(f"filters.period.{name}") if name in (*PRESETS, CUSTOM) else t(f"event.{name}")


def _choose_period(shown: Period) -> None:
    name = st.session_state["filter_period"]
    if name == CUSTOM:
        # Own dates begin with what is on the screen.
        params.put(**own_days(shown.first.isoformat(), shown.last.isoformat()))
    else:
        params.put(**{"period": "" if name == DEFAULT else name, "from": "", "to": ""})


def own_days(first: str, last: str) -> dict[str, str]:
    """The shared parameters that choose these days (ISO): in one, so that Back undoes them in one step."""
    return {"period": f"{first}{_TO}{last}", "from": "", "to": ""}


def _reset() -> None:
    """A way back to the usual days and all stores, where something else is chosen."""
    if any(params.get(name) for name in _ALL) or charts.PICK in st.query_params:
        st.button(
            t("filters.reset"), key="filter_reset", icon=":material/restart_alt:", type="tertiary", on_click=reset
        )


def reset() -> None:
    """Sets every filter back to what is usual; from a callback."""
    params.put(**dict.fromkeys(_ALL, ""))
    st.query_params.pop(charts.PICK, None)


def _choose_dates() -> None:
    dates = st.session_state["filter_dates"]
    if len(dates) == 2:  # while only the first day is picked nothing changes yet
        params.put(**own_days(dates[0].isoformat(), dates[1].isoformat()))


def _stores_in(scope: Scope, stores: pd.DataFrame) -> pd.DataFrame:
    """The stores a person may see: the only ones the filters ever name."""
    return stores if scope.kind == "chain" else stores[stores["store_id"].isin(scope.store_ids)]


def _places_bar(scope: Scope, stores: pd.DataFrame) -> Scope:
    regions = dict(zip(stores["region_id"], stores["region"], strict=True))
    region = params.get("region") if params.get("region") in regions else ""
    if len(regions) > 1:
        st.session_state["filter_region"] = region
        st.selectbox(
            t("filters.region"),
            ["", *regions],
            key="filter_region",
            placeholder=t("filters.region"),
            format_func=lambda option: (
                localized_text("region.name", regions[option]) if option else t("filters.region.all")
            ),
            label_visibility="collapsed",
            width=125,
            on_change=_choose_region,
            filter_mode=None,
        )
    offered = stores[stores["region_id"] == region] if region else stores
    channel = _channel_bar(offered)
    if channel:
        offered = offered[(offered["kind"] == ONLINE) == (channel == ONLINE)]
    names = dict(zip(offered["store_id"], offered["store"], strict=True))
    picked = [store_id for store_id in params.get("stores").split(",") if store_id in names]
    if len(names) > 1:
        st.session_state["filter_stores"] = picked
        st.multiselect(
            t("filters.stores"),
            list(names),
            key="filter_stores",
            format_func=lambda option: localized_text("store.name", names[option]),
            placeholder=t("filters.stores.all"),
            select_all=False,  # none chosen is all; Streamlit's own entry has no translation
            label_visibility="collapsed",
            width=175,
            on_change=_choose_stores,
        )
    if picked:
        return scope.narrow(picked)
    return scope.narrow(names) if region or channel else scope


def _channel_bar(stores: pd.DataFrame) -> str:
    """In shops or online, where ``stores`` holds both; gives the chosen channel, empty for all."""
    online = stores["kind"] == ONLINE
    if online.all() or not online.any():
        return ""
    channel = params.get("channel") if params.get("channel") in (SHOP, ONLINE) else ""
    st.session_state["filter_channel"] = channel
    st.selectbox(
        t("filters.channel"),
        ["", SHOP, ONLINE],
        key="filter_channel",
        placeholder=t("filters.channel"),
        format_func=lambda option: t(f"filters.channel.{option or 'all'}"),
        label_visibility="collapsed",
        width=160,
        on_change=_choose_channel,
        filter_mode=None,
    )
    return channel


def _choose_region() -> None:
    params.put(region=st.session_state["filter_region"], channel="", stores="")


def _choose_channel() -> None:
    params.put(channel=st.session_state["filter_channel"], stores="")


def _choose_part(name: str) -> None:
    params.put(**{name: st.session_state[f"filter_{name}"]})


def _choose_stores() -> None:
    params.put(stores=",".join(st.session_state["filter_stores"]))


def _period_in_words(first_day: date, last_day: date, currency: str) -> str:
    """The days, and what they are compared with, where there is anything."""
    name, period = chosen_period(first_day, last_day, currency)
    words = format.period(period.first, period.last) if name == CUSTOM else _period_name(name)
    return compared.word("filters.summary", period=words) if compared.chosen() else words


def _places_in_words(scope: Scope, seen: pd.DataFrame) -> list[str]:
    if len(seen) == 1:
        return [localized_text("store.name", seen["store"].iloc[0])]
    regions = seen["region"].unique()
    if scope.kind == "chain":
        place = t("scope.chain")
    elif len(regions) == 1:
        place = localized_text("region.name", regions[0])
    else:
        place = t("scope.several_regions")
    return [place, tn("filters.summary.stores", len(seen))]
