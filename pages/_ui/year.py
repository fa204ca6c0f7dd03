"""The events of the year, on the days that people gave them for the stores that a page looks at."""

from datetime import date
from typing import Final

import streamlit as st

from data_access.queries import places
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import event_changes
from data_access.state.store import opened
from models.calc import calendar
from models.calc.calendar import Event, Shifts

_SHIFTS: Final = "year_shifts"


def here(scope: Scope, snapshot: Snapshot) -> None:
    """Says what a page looks at: an event that was taken off in all of its stores is none there."""
    changes = event_changes.in_force(opened())
    if any(not one.everywhere for one in changes):
        changes = event_changes.seen_from(changes, places.stores(scope, snapshot.engine))
    st.session_state[_SHIFTS] = event_changes.shifts(changes)


def events(first: date, last: date, currency: str) -> tuple[Event, ...]:
    """As ``calendar.events``."""
    return calendar.events(first, last, currency, shifts())


def shifts() -> Shifts:
    """By how much people moved them; outside of a page, everywhere."""
    found: Shifts | None = st.session_state.get(_SHIFTS)
    return event_changes.shifts(event_changes.in_force(opened())) if found is None else found
