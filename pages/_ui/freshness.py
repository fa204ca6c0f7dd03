"""How old the reading of the CRM is, in words: beside the as-of instant of every page, and in full on data health."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st

from data_access.freshness import Freshness, freshness, utc_now
from data_access.settings import settings
from data_access.snapshot import GenerationInfo, last_read_at
from pages._ui import format as fmt
from pages._ui.i18n import t, tn

# Hours say more than "1 day" up to two days.
_STEPS = (
    ("days", timedelta(days=1), timedelta(days=2)),
    ("hours", timedelta(hours=1), timedelta(hours=1)),
    ("minutes", timedelta(minutes=1), timedelta(minutes=1)),
)


def of(info: GenerationInfo) -> Freshness:
    """How fresh the last reading that a generation shows is at this moment."""
    return freshness(last_read_at(settings().home, info), settings().refresh_every, utc_now())


def length(time: timedelta, *, short: bool = False) -> str:
    """A length of time in its largest fitting unit, rounded down: "3 hours", "47 hours", "2 days"; short "47 h"."""
    for key, unit, least in _STEPS:
        if time >= least:
            return t(f"freshness.short.{key}", n=time // unit) if short else tn(f"freshness.{key}", time // unit)
    return t("freshness.short.moment" if short else "freshness.moment")


def ago(fresh: Freshness, *, short: bool = False) -> str:
    """When the CRM was read, from now: "3 hours ago", "just now"; "–" where a wrong clock makes it unknown."""
    if fresh.ahead:
        return fmt.MISSING
    recent = fresh.age < timedelta(minutes=1)
    return t("freshness.now") if recent else t("freshness.ago", time=length(fresh.age, short=short))


def due(fresh: Freshness, *, short: bool = False) -> str:
    """When the next reading is expected, from now: "in 3 hours", "overdue"."""
    if fresh.ahead:
        return fmt.MISSING
    if fresh.late:
        return t("freshness.overdue")
    left = fresh.next_at - fresh.read_at - fresh.age
    return t("freshness.in", time=length(left, short=short)) if left >= timedelta(minutes=1) else t("freshness.soon")


def instant(utc: datetime) -> str:
    """A UTC instant on the reader's own clock, with the name of its zone; in UTC where the browser names none."""
    zone = _zone(st.context.timezone)
    local = utc.replace(tzinfo=UTC).astimezone(zone)
    return t("freshness.instant", instant=fmt.instant(local), zone=zone.key)


def local(utc: datetime) -> datetime:
    """A naive UTC instant on the reader's own clock, for columns of lists."""
    return utc.replace(tzinfo=UTC).astimezone(zone()).replace(tzinfo=None)


def locals_of(utc: pd.Series) -> pd.Series:
    """As ``local``, of a whole column."""
    return pd.to_datetime(utc).dt.tz_localize(UTC).dt.tz_convert(zone()).dt.tz_localize(None)


def zone() -> ZoneInfo:
    """The zone of the reader's clock; UTC where the browser names none."""
    return _zone(st.context.timezone)


def _zone(name: str | None) -> ZoneInfo:
    """The zone a browser names; UTC for none, and for a name that is none."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def beside_as_of(fresh: Freshness) -> str:
    """What the line under a title says of the reading: nothing while it is as fresh as agreed, or has its warning."""
    return t("freshness.beside", ago=ago(fresh)) if fresh.late and not fresh.stale else ""


def warning(fresh: Freshness, *, administrator: bool) -> str | None:
    """One sentence with what to do when the figures of a page are older than people assume; None otherwise."""
    if not fresh.stale:
        return None
    texts = {"time": length(fresh.age), "every": length(settings().refresh_every)}
    return t("freshness.stale_administrator" if administrator else "freshness.stale", **texts)
