"""The part of the demand page where the events that forecasts know are changed: another day, other days around it, none
this time (everywhere, in a region or in one kind of store), or one of people's own."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.state import event_changes as state
from data_access.state.event_changes import Change
from data_access.state.store import opened
from models.forecasting import events
from pages._ui import empty, head, load
from pages._ui import format as fmt
from pages._ui.attempt import attempt, say_again, tell, writer
from pages._ui.i18n import localized_text, t, word
from pages._ui.tables import Column, listing

_OFFERED = 400  # days ahead and back in which events are offered
_IN_VIEW = 8
_COLUMNS = (
    Column("event_name", "text"),
    Column("event_on", "text"),
    Column("event_span", "text"),
    Column("event_where", "text"),
    Column("event_change", "text"),
)
_OWN = ""

Offered = dict[str, tuple[str, date, int, int]]  # by label: event, day, days before, days after
Where = tuple[str | None, str | None]  # region, kind of store


def block(scope: Scope, last: date) -> None:
    """The changes in force that concern the scope, and the form for whoever sees a region or the chain as a whole."""
    found = state.reach(load.snapshot(), scope)
    stores = found.stores
    kept = [one for one in state.in_force(opened()) if _concerns(one, stores) and not _as_elsewhere(one)]
    head.block(t("events.title"), t("events.note"), t("events.help"))
    if kept:
        listing(_in_words(kept, stores), _COLUMNS, currency="", alt=t("events.title"), key="events", rows=_IN_VIEW)
    else:
        empty.nothing(t("events.none"))
    if found.level in ("chain", "region"):
        _form(scope, last, stores, found.region_id)


def _concerns(one: Change, stores: pd.DataFrame) -> bool:
    return (one.region_id is None or one.region_id in set(stores["region_id"])) and (
        one.kind is None or one.kind in set(stores["kind"])
    )


def _as_elsewhere(one: Change) -> bool:
    """A shipped event that is on again in a region where it was off."""
    shipped = events.china()
    return (
        not one.everywhere
        and one.day is not None
        and bool(((shipped["event"] == one.event) & (shipped["ds"] == pd.Timestamp(one.about))).any())
    )


def _in_words(kept: list[Change], stores: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "event_name": [word("event", one.event) for one in kept],
            "event_on": [fmt.day(one.day or one.about) for one in kept],
            "event_span": [t("events.around", before=one.before, after=one.after) for one in kept],
            "event_where": [_place((one.region_id, one.kind), stores) for one in kept],
            "event_change": [t("events.off" if one.day is None else "events.on") for one in kept],
        }
    )


def _place(where: Where, stores: pd.DataFrame) -> str:
    region, kind = where
    names = stores.drop_duplicates("region_id").set_index("region_id")["region"]
    said = [] if region is None else [localized_text("region.name", str(names.get(region, region)))]
    said += [] if kind is None else [localized_text("store.kind", kind)]
    return " · ".join(said) or t("events.everywhere")


def _form(scope: Scope, last: date, stores: pd.DataFrame, region: str | None) -> None:
    """The event first: day and days around it stand at what is in force."""
    tell()
    offered = _offered(last)
    wheres = _wheres(stores, region)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        own = [t("events.own")]
        ahead = next((at for at, one in enumerate(offered.values()) if one[1] > last), 0)
        label = st.selectbox(t("events.which"), [*offered, *own], ahead, width=270, key="events_which")
        event, day, before, after = offered.get(label, (_OWN, last + timedelta(days=1), 0, 0))
        name = event or st.text_input(t("events.name"), max_chars=state.LONGEST, width=190, key="events_name").strip()
        where: Where = st.selectbox(
            t("events.where"), wheres, format_func=lambda one: _place(one, stores), width=190, key="events_where"
        )
        # A shipped event is moved everywhere or nowhere; in a region, or a kind of store, it is on or off.
        only_off = bool(event) and where != (None, None)
        new_day, around = (day, (before, after)) if only_off else _days(label, day, before, after)
    with st.container(horizontal=True):
        kept = st.button(t("events.back_on" if only_off else "events.save"), type="primary", key="events_save")
        off = st.button(t("events.take_off"), help=t("events.take_off_help"), key="events_off")
    if (kept or off) and new_day is not None:
        about = day if event else new_day
        _put(scope, Change(name, about, None if off else new_day, *around, *where))


def _days(label: str, day: date, before: int, after: int) -> tuple[date | None, tuple[int, int]]:
    """The day and those around it as people put them."""
    chosen = st.date_input(t("events.day"), day, width=150, key=f"events_day_{label}")
    around = (
        int(st.number_input(t(f"events.{side}"), 0, state.MOST_AROUND, many, width=112, key=f"events_{side}_{label}"))
        for side, many in (("before", before), ("after", after))
    )
    return chosen if isinstance(chosen, date) else None, (next(around), next(around))


def _offered(last: date) -> Offered:
    """The shipped events of a year back and ahead, as they are in force."""
    changes = {(one.event, one.about): one for one in state.in_force(opened()) if one.everywhere}
    found: Offered = {}
    near = pd.Timedelta(days=_OFFERED)
    table = events.china().sort_values("ds")
    for row in table[(table["ds"] - pd.Timestamp(last)).abs() <= near].to_dict("records"):
        day = row["ds"].date()
        one = changes.get((row["event"], day))
        around = (one.before, one.after) if one else (row["before"], row["after"])
        found[f"{word('event', row['event'])} {fmt.day(day)}"] = (row["event"], day, *around)
    return found


def _wheres(stores: pd.DataFrame, region: str | None) -> list[Where]:
    """Everywhere, each region, each kind of store; of a region itself and its kinds of stores."""
    kinds: list[str | None] = sorted(stores["kind"].dropna().unique())
    regions = sorted(stores["region_id"].dropna().unique())
    if region is not None:
        return [(region, kind) for kind in (None, *kinds)]
    return [(None, None), *((one, None) for one in regions), *((None, kind) for kind in kinds)]


def _put(scope: Scope, change: Change) -> None:
    own, actor = writer()
    mine = scope if own.kind == "chain" else own.narrow(scope.store_ids)
    attempt(
        lambda: state.put(opened(), load.snapshot(), mine, actor, change, utc_now()),
        lambda _: say_again(t("events.saved")),
    )
