"""Digests as they are written and sent: the figures of a page, with the rights of the one who gets them.

Messengers get a few lines of text, e-mail the same as a page with links (``mail``) and what needs its reader today.

One with a limit tells that a figure has passed it, once: again when it has come back and passes it anew. One of alerts
leaves as soon as there is one that it has not told.
Only sums leave: key figures and stores by name, never a customer, an order or a colleague. Runs without a page, from
the command ``python -m pages digests``.
"""

import logging
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

import pandas as pd

from data_access.channels import Channels, channels, send
from data_access.freshness import utc_now
from data_access.scope import Period, Scope
from data_access.settings import settings
from data_access.snapshot import GenerationInfo, Snapshot
from data_access.state import accounts, digests
from data_access.state.accounts import Account, Role
from data_access.state.digests import EVERY_DAY, Digest, Limit
from data_access.state.store import opened
from models.metrics import METRICS
from models.reports.registry import REPORTS
from pages._gate.identity import Person
from pages._ui import access, alert_views, cards, drill, load, mail, session, task_views
from pages._ui import format as fmt
from pages._ui.i18n import localized_text, speaking, t, tn

# Pages whose reports have key figures of sums alone, and the one whose rows are told at once.
OFFERED = ("overview", "stock", ALERTS := "alerts")

_FIGURES = 6
_STORES = 3
_ALERTS = 3
_ALERTS_AT_ONCE = 5
_REMEMBERED = timedelta(days=30)
_COMPARED = ("last_year", "previous")

_log = logging.getLogger("mirror")


# Headings and their lines.
_Lists = list[tuple[str, list[mail.Entry]]]

# What became of a digest that was due, else the reason why it was not sent.
Outcome = Literal["sent", "still_passed", "not_passed", "nothing_new"]


class NotSent(Exception):
    """Why a digest does not leave: a key of ``digest.failure``."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    title: str
    text: str
    html: str  # for channels that show it
    passed: bool | None = None  # its figure the limit, where it has one
    news: bool = True  # whether it says anything that was not told before
    told: frozenset[str] = frozenset()  # keys of what is told at once, now or before


def offered(role: Role) -> tuple[str, ...]:
    """The pages somebody of this role may have a digest of."""
    return tuple(page for page in OFFERED if access.may_open(role, page))


def send_due(now: datetime, local: datetime) -> Iterator[tuple[Digest, str, bool]]:
    """Sends what is due, one after the other; gives each with what became of it, and whether that is a failure.

    ``now`` in UTC, ``local`` the same on this server's clock.
    """
    engine, ways = opened(), channels(settings().home)
    for one in digests.claim(engine, now, local):
        try:
            outcome, told = _sent(one, ways)
        except NotSent as reason:
            digests.failed(engine, one, str(reason), utc_now())
            yield one, str(reason), True
            continue
        if outcome == "sent":
            digests.sent(engine, one, utc_now(), told)
        else:
            digests.looked(engine, one, passed=outcome == "still_passed")
        yield one, outcome, False


def _sent(one: Digest, ways: Channels) -> tuple[Outcome, frozenset[str]]:
    """Sends a digest with the rights of this moment, where there is something to tell; gives what became of it, and the
    keys of what it told. NotSent when it could not be sent."""
    try:
        person = accounts.find(opened(), one.account_id)
        if person is None or person.disabled:
            raise NotSent("no_account")
        way = next((way for way in ways.of(person.sign_in_name) if way.name == one.channel), None)
        if way is None:
            raise NotSent("no_channel")
        said = message(person, one.page, one.language, one.weekday, ways.link, one.limit, one.known)
        if not said.news:
            return "nothing_new", said.told
        if said.passed is False:
            return "not_passed", said.told
        if said.passed and one.passed:
            return "still_passed", said.told
        if not send(way, said.title, said.text, said.html):
            raise NotSent("refused")
    except NotSent:
        raise
    except Exception as error:
        # One digest that cannot be written keeps no other from leaving.
        _log.exception("digest %s of %s", one.digest_id, one.page)
        raise NotSent("failed") from error
    return "sent", said.told


def message(
    person: Account,
    page: str,
    language: str,
    weekday: int,
    link: str,
    limit: Limit | None = None,
    known: frozenset[str] = frozenset(),
) -> Message:
    """What ``person``, who knows of ``known``, would get now. NotSent when the page is not for them any more, or there
    are no figures."""
    with speaking(language):
        if page not in offered(person.role):
            raise NotSent("not_yours")
        who = session.person(person)
        scope, snapshot = session.scope_of(who), load.snapshot()
        if page == ALERTS:
            return _alerts(who, scope, snapshot, link, known)
        period = _days(page, snapshot.info, weekday, whole=limit is not None)
        tables = load.report_tables(page, scope, period, snapshot.generation)
        currency = snapshot.info.currency
        shown = list(_figures(tables["kpis"], currency))
        if not shown:
            raise NotSent("no_data")
        days = fmt.period(period.first, period.last) if REPORTS[page].over == "period" else fmt.day(period.last)
        title = t("digest.title", page=t(f"page.{page}"), scope=session.in_words(who), days=days)
        passed, told = None, ""
        if limit is not None:
            value, unit = figure(tables["kpis"], limit.metric)
            passed = limit.passed(value)
            now = fmt.card_value(value, unit, currency)
            told = t("digest.limit", limit=in_words(limit, currency), now=now)
            title = f"{told} · {title}"
        stores = _stores(tables.get("by_store"), currency, link)
        said = mail.Contents(
            page=t(f"page.{page}"),
            scope=session.in_words(who),
            days=days,
            passed=told,
            figures=shown,
            lists=[*_needs(who, scope, snapshot.generation, link), *_shelves(tables, currency, link), *stores],
            as_of=t("digest.as_of", instant=fmt.instant(snapshot.info.as_of)),
            address=f"{link}/{page}" if link else "",
        )
        return Message(title, "\n".join(_lines(said, stores)), mail.html(said), passed)


def _alerts(who: Person, scope: Scope, snapshot: Snapshot, link: str, known: frozenset[str]) -> Message:
    """The alerts that are not told yet, the latest first, each with its range and a link to where it is explained."""
    report = load.alerts(scope, snapshot.generation)
    found = alert_views.rows(report)
    new = found[(found["kind"] == "alert") & ~found["alert"].isin(known)]
    # Only the last two weeks are ever told: older keys, which end in their day, need no remembering.
    since = (report.until - _REMEMBERED).isoformat() if report.until else ""
    heading = tn("digest.alerts", len(new), n=fmt.count(len(new)))
    entries = [
        mail.Entry(alert_views.sentence(row), address=_address(link, ALERTS, alert=row["alert"]))
        for _, row in new.head(_ALERTS_AT_ONCE).iterrows()
    ]
    if more := len(new) - len(entries):
        entries.append(mail.Entry(t("digest.more", n=fmt.count(more)), address=_address(link, ALERTS)))
    said = mail.Contents(
        page=t(f"page.{ALERTS}"),
        scope=session.in_words(who),
        days="",
        passed="",
        figures=(),
        lists=[(heading, entries)],
        as_of=t("digest.as_of", instant=fmt.instant(snapshot.info.as_of)),
        address=_address(link, ALERTS),
    )
    lines = [part for one in entries for part in (one.name, one.address) if part]
    title = f"{heading} · {said.scope}"
    told = frozenset(new["alert"]) | {key for key in known if key[-10:] >= since}
    return Message(title, "\n".join([*lines, "", said.as_of]), mail.html(said), news=not new.empty, told=told)


def _lines(said: mail.Contents, stores: _Lists) -> Iterator[str]:
    """A digest as text: a line for each figure, one for each list of ``stores``."""
    for one in said.figures:
        changes = fmt.enumerated(f"{other} {change}" for other, change, _ in one.changes)
        yield fmt.beside(f"{one.name} {one.value}", changes) if changes else f"{one.name} {one.value}"
    if stores:
        yield ""
    for heading, entries in stores:
        names = t("digest.and").join(f"{one.name} {one.value}" for one in entries)
        yield t("digest.stores", heading=heading, stores=names)
    yield from ("", said.as_of)
    if said.address:
        yield said.address


def _needs(who: Person, scope: Scope, generation: str, link: str) -> _Lists:
    """What needs its reader today, of the lists that are for them: rows marked for them, then the latest alerts."""
    entries = []
    if access.may_open(who.role, "tasks") and (waiting := len(task_views.tasks(scope, who.actor).mine)):
        entries.append(mail.Entry(tn("digest.tasks", waiting), address=_address(link, "tasks")))
    if access.may_open(who.role, "alerts"):
        found = alert_views.rows(load.alerts(scope, generation))
        for _, row in found[found["kind"] == "alert"].head(_ALERTS).iterrows():
            entries.append(mail.Entry(alert_views.sentence(row), address=_address(link, "alerts", alert=row["alert"])))
    return [(t("digest.needs"), entries)] if entries else []


def _shelves(tables: Mapping[str, pd.DataFrame], currency: str, link: str) -> _Lists:
    """The warnings of the stock with the most sales at risk, on the page that has them."""
    if "warnings" not in tables or tables["warnings"].empty:
        return []
    worst = tables["warnings"].head(_ALERTS)
    entries = [
        mail.Entry(
            f"{localized_text('product.name', row['product'])} · {localized_text('store.name', row['store'])}",
            fmt.money_compact(row["money_at_risk"], currency),
            _address(link, "stock"),
        )
        for row in worst.to_dict("records")
    ]
    return [(t("digest.shelves", n=fmt.count(len(tables["warnings"]))), entries)]


def _address(link: str, page: str, **ids: str) -> str:
    """Where a page is for these ids; empty where the dashboard has no address."""
    if not link:
        return ""
    query = urlencode(drill.link(page, **ids))
    return f"{link}/{page}" + (f"?{query}" if query else "")


def figures(page: str, scope: Scope) -> pd.DataFrame:
    """The key figures of a page somebody may set a limit for: key, value of the last whole day, unit."""
    snapshot = load.snapshot()
    period = _days(page, snapshot.info, EVERY_DAY, whole=True)
    kpis = load.report_tables(page, scope, period, snapshot.generation)["kpis"]
    return _known(kpis)[["key", "value", "unit"]]


def figure(kpis: pd.DataFrame, metric: str) -> tuple[float, str]:
    """Value and unit of a key figure. NotSent when it is unknown."""
    row = kpis[(kpis["key"] == metric) & kpis["value"].notna()]
    if row.empty:
        raise NotSent("no_data")
    return float(row["value"].iloc[0]), str(row["unit"].iloc[0])


def in_words(limit: Limit, currency: str) -> str:
    """The limit as a sentence has it: net sales below ¥10,000."""
    wanted = fmt.value(limit.threshold, METRICS[limit.metric].unit, currency)
    return t("digest.below" if limit.falls else "digest.above", figure=t(f"metric.{limit.metric}"), limit=wanted)


def _days(page: str, info: GenerationInfo, weekday: int, *, whole: bool) -> Period:
    """The last day, or seven days to it; ``whole``: a day still under way is no day of sales yet.

    NotSent when there are no sales.
    """
    last = info.last_day
    if last is None:
        raise NotSent("no_data")
    if whole and REPORTS[page].over == "period":
        last = min(last, info.as_of.date() - timedelta(days=1))
    return Period(last if weekday == EVERY_DAY else last - timedelta(days=6), last)


def _known(kpis: pd.DataFrame) -> pd.DataFrame:
    return kpis[kpis["value"].notna() & kpis["key"].isin(METRICS)]


def _figures(kpis: pd.DataFrame, currency: str) -> Iterator[mail.Figure]:
    """The first key figures that are known, each with the change against last year and the period before."""
    for row in _known(kpis).head(_FIGURES).to_dict("records"):
        value, unit, direction = row["value"], row["unit"], METRICS[row["key"]].direction
        changes = tuple(
            (
                t(f"charts.{other}"),
                _change(value, row[other], unit),
                cards.change_of(value, row[other], unit, direction).better,
            )
            for other in _COMPARED
            if other in row and not fmt.is_missing(row[other])
        )
        yield mail.Figure(t(f"metric.{row['key']}"), fmt.card_value(value, unit, currency), changes)


def _change(now: float, before: float, unit: str) -> str:
    if unit == "percent":
        return fmt.points(now - before)
    return fmt.change(now / before - 1) if before > 0 else fmt.MISSING


def _stores(by_store: pd.DataFrame | None, currency: str, link: str) -> _Lists:
    """The stores that sold most and those that fell most against last year or the period before, where there are
    several."""
    if by_store is None or len(by_store) < 2:
        return []
    best = by_store.head(_STORES).to_dict("records")
    found = [(t("digest.best"), [_entry(row, fmt.money_compact(row["net_sales"], currency), link) for row in best])]
    other = next((column for column in _COMPARED if (by_store[column] > 0).any()), None)
    if other is not None:
        known = by_store[by_store[other] > 0]
        ratios = (known["net_sales"] / known[other] - 1).rename("change")
        fell = known.assign(change=ratios)[ratios < 0].sort_values("change").head(_STORES).to_dict("records")
        if fell:
            against = t("digest.fell", against=t(f"charts.{other}"))
            found.append((against, [_entry(row, fmt.change(row["change"]), link) for row in fell]))
    return found


def _entry(row: Mapping[Hashable, Any], value: str, link: str) -> mail.Entry:
    name = localized_text("store.name", row["store"])
    return mail.Entry(name, value, _address(link, "store", store=row["store_id"]))
