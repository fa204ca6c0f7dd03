"""Digests as they are written and sent: the figures of a page in a few lines, with the rights of the one who gets them.

Only sums leave: key figures and stores by name, never a customer, an order or a colleague. Runs without a page, from
the command ``python -m pages digests``.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from data_access.channels import Channels, channels, send
from data_access.freshness import utc_now
from data_access.scope import Period
from data_access.settings import settings
from data_access.state import accounts, digests
from data_access.state.accounts import Account, Role
from data_access.state.digests import Digest
from data_access.state.store import opened
from models.metrics import METRICS
from pages._ui import access, load, session
from pages._ui import format as fmt
from pages._ui.i18n import localized_text, speaking, t

# Pages whose reports have key figures of sums alone.
OFFERED = ("overview", "stock")

_FIGURES = 6
_STORES = 3
_COMPARED = ("last_year", "previous")

_log = logging.getLogger("mirror")


class NotSent(Exception):
    """Why a digest does not leave: a key of ``digest.failure``."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    title: str
    text: str


def offered(role: Role) -> tuple[str, ...]:
    """The pages somebody of this role may have a digest of."""
    return tuple(page for page in OFFERED if access.may_open(role, page))


def send_due(now: datetime, local: datetime) -> Iterator[tuple[Digest, str | None]]:
    """Sends what is due, one after the other; gives each with None, or the reason why it was not sent.

    ``now`` in UTC, ``local`` the same on this server's clock.
    """
    engine, ways = opened(), channels(settings().home)
    for one in digests.claim(engine, now, local):
        reason = _sent(one, ways)
        if reason is None:
            digests.sent(engine, one, utc_now())
        else:
            digests.failed(engine, one, reason, utc_now())
        yield one, reason


def _sent(one: Digest, ways: Channels) -> str | None:
    """Sends a digest with the rights of this moment; why it could not be, None when it was."""
    try:
        person = accounts.find(opened(), one.account_id)
        if person is None or person.disabled:
            raise NotSent("no_account")
        way = next((way for way in ways.of(person.sign_in_name) if way.name == one.channel), None)
        if way is None:
            raise NotSent("no_channel")
        said = message(person, one.page, one.language, one.weekday, ways.link)
        return None if send(way, said.title, said.text) else "refused"
    except NotSent as reason:
        return str(reason)
    except Exception:  # noqa: BLE001
        # One digest that cannot be written keeps no other from leaving.
        _log.exception("digest %s of %s", one.digest_id, one.page)
        return "failed"


def message(person: Account, page: str, language: str, weekday: int, link: str) -> Message:
    """What ``person`` would get now. NotSent when the page is not for them any more, or there is nothing to tell."""
    with speaking(language):
        if page not in offered(person.role):
            raise NotSent("not_yours")
        who = session.person(person)
        scope, snapshot = session.scope_of(who), load.snapshot()
        last = snapshot.info.last_day
        if last is None:
            raise NotSent("no_data")
        period = Period(last if weekday == digests.EVERY_DAY else last - timedelta(days=6), last)
        tables = load.report_tables(page, scope, period, snapshot.generation)
        lines = list(_figures(tables["kpis"], snapshot.info.currency))
        if not lines:
            raise NotSent("no_data")
        lines += _stores(tables.get("by_store"), snapshot.info.currency)
        days = fmt.period(period.first, period.last) if page == "overview" else fmt.day(last)
        title = t("digest.title", page=t(f"page.{page}"), scope=session.in_words(who), days=days)
        lines += ["", t("digest.as_of", instant=fmt.instant(snapshot.info.as_of))]
        if link:
            lines.append(f"{link}/{page}")
        return Message(title, "\n".join(lines))


def _figures(kpis: pd.DataFrame, currency: str) -> Iterator[str]:
    """The first key figures that are known, each with the change against last year and the period before."""
    known = kpis[kpis["value"].notna() & kpis["key"].isin(METRICS)]
    for row in known.head(_FIGURES).to_dict("records"):
        value = fmt.card_value(row["value"], row["unit"], currency)
        changes = [
            f"{t(f'charts.{other}')} {_change(row['value'], row[other], row['unit'])}"
            for other in _COMPARED
            if other in row and not fmt.is_missing(row[other])
        ]
        name = t(f"metric.{row['key']}")
        yield f"{name} {value}" + (f" ({', '.join(changes)})" if changes else "")


def _change(now: float, before: float, unit: str) -> str:
    if unit == "percent":
        return fmt.points(now - before)
    return fmt.change(now / before - 1) if before > 0 else fmt.MISSING


def _stores(by_store: pd.DataFrame | None, currency: str) -> list[str]:
    """The stores that sold most and those that fell most against last year or the period before, where there are
    several."""
    if by_store is None or len(by_store) < 2:
        return []
    best = by_store.head(_STORES)
    said = [f"{_name(row['store'])} {fmt.money_compact(row['net_sales'], currency)}" for row in best.to_dict("records")]
    lines = ["", t("digest.best", stores=t("digest.and").join(said))]
    other = next((column for column in _COMPARED if (by_store[column] > 0).any()), None)
    if other is not None:
        known = by_store[by_store[other] > 0]
        ratios = (known["net_sales"] / known[other] - 1).rename("change")
        fell = known.assign(change=ratios)[ratios < 0].sort_values("change").head(_STORES)
        falls = [f"{_name(row['store'])} {fmt.change(row['change'])}" for row in fell.to_dict("records")]
        if falls:
            against = t(f"charts.{other}")
            lines.append(t("digest.fell", against=against, stores=t("digest.and").join(falls)))
    return lines


def _name(store: str) -> str:
    return localized_text("store.name", store)
