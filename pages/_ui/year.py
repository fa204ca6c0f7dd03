"""The events of the year, on the days that people gave them for all stores."""

from datetime import date

from data_access.state import event_changes
from data_access.state.store import opened
from models.calc import calendar
from models.calc.calendar import Event, Shifts


def events(first: date, last: date, currency: str) -> tuple[Event, ...]:
    """As ``calendar.events``."""
    return calendar.events(first, last, currency, shifts())


def shifts() -> Shifts:
    """By how much people moved them."""
    return event_changes.shifts(event_changes.in_force(opened()))
