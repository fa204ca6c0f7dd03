"""``python -m tests.canary --home FOLDER``: crawls the real app over a marked chain as every role, in this process.

Notes one JSON line per visit: who, where, how, how much was sent, which foreign marks were in it, and marks of what
kinds that this person may see. ``--plants NAME...`` plants leaks afterwards, one by one, and looks again at two pages,
which must find them.
"""

import argparse
import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from app import app
from data_access.freshness import utc_now
from data_access.marts.tables import store
from data_access.queries import _frame
from data_access.scope import Scope
from data_access.settings import settings
from data_access.state import sessions
from data_access.state.sessions import Visitor
from data_access.state.store import opened
from pages._gate.identity import COOKIE
from pages._gate.warm import warmed
from pages._ui import access, keys
from tests.canary.browser import Browser, Page, Run, set_to, used
from tests.canary.chain import Chain, Ids, Mark, build, foreign_to, own_of
from tests.canary.people import FORGED_FIELDS, account, asking, sign_in

# In the home folder: what was found, one JSON line per visit, and all that the process writes to its log.
FOUND, LOG = "crawl.jsonl", "crawl.log"
# On every page: the switch of languages, and buttons that a script presses and that only run the page again.
IN_THE_SHELL = ("Language", "theme", keys.BY_KEYS, keys.OPEN, keys.BY_POINTER)
ROLES = ("manager", "regional", "marketing", "administrator", "staff")
# Whose data each forges an interest in, and whose are their own.
TARGET = {"manager": "S2", "regional": "S3", "marketing": "S1", "administrator": "S1", "staff": "S2"}


def no_limit(patch: pytest.MonkeyPatch) -> None:
    """Every query forgets its scope, and nobody notices."""
    patch.setattr(Scope, "limit", lambda scope, query, column: query)
    patch.setattr(_frame, "check", lambda *_: None)


def one_query_without_limit(patch: pytest.MonkeyPatch) -> None:
    """One query forgets its scope, and nobody notices: the stores that a filter offers."""
    one_query_without_limit_that_is_checked(patch)
    patch.setattr(_frame, "check", lambda *_: None)


def one_query_without_limit_that_is_checked(patch: pytest.MonkeyPatch) -> None:
    """The same, and the check is where it should be."""
    limit = Scope.limit

    def forgetful(scope: Scope, query: Any, column: Any) -> Any:
        return query if column is store.c.store_id else limit(scope, query, column)

    patch.setattr(Scope, "limit", forgetful)


def a_failure_that_names_somebody(patch: pytest.MonkeyPatch) -> None:
    """A page fails, and what it fails with says whose number it could not read."""

    def failing(*_: object, **__: object) -> None:
        raise ValueError(f"cannot read the number {PLANTED_NUMBER}")

    patch.setattr("pages._ui.load.store_report", failing)


PLANTED_NUMBER = "+86 138 0013 8000"
PLANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    plant.__name__: plant
    for plant in (
        no_limit,
        one_query_without_limit,
        one_query_without_limit_that_is_checked,
        a_failure_that_names_somebody,
    )
}
PLANTED_PAGES = ("overview", "store")
# What is not the same for an account as with one click: contacts, files that name customers, people and their log.
ACCOUNT_PAGES = {
    "manager": ("customer", "segments"),
    "regional": ("customer",),
    "marketing": ("segments",),
    "administrator": ("accounts", "audit"),
    "staff": ("mine",),
}


class Incidents(logging.Handler):
    """Counts the pages that failed."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("incident"):
            self.count += 1


class Crawl:
    """The visits of one person. A mark that this person has sent in this window is no find when it comes back."""

    def __init__(
        self, chain: Chain, role: str, browser: Browser, incidents: Incidents, plant: str = "", *, account: bool = False
    ) -> None:
        self.chain, self.role, self.browser, self.incidents, self.plant = chain, role, browser, incidents, plant
        self.account = account  # signed in with a password and a code, not with one click
        self.foreign: list[Mark] = list(foreign_to(chain, role))
        self.own: list[Mark] = own_of(chain, role)
        self.target, self.home = chain.ids[TARGET[role]], chain.ids["S1"]
        self.said: set[str] = set()

    def uses(self, page: str) -> bool:
        """Whether there are stores that this person must not see, and the page is one of theirs with widgets.

        The address of somebody else's page shows their first page, which is used at its own address.
        """
        sees_some = self.role in ("manager", "regional", "staff")
        return sees_some and not self.plant and access.may_open(self.role, page)

    async def everything(self, pages: Iterable[str]) -> None:
        for page in pages:
            await self.page(page)

    async def page(self, page: str) -> None:
        """A page as it comes, with everything used, every file fetched, and everything forged."""
        async with self.window() as window:
            first = await self.visit(window, page, "as it comes", about(self.home))
            for widget in first.widgets if self.uses(page) else ():
                if widget.label not in IN_THE_SHELL and (state := used(widget)) is not None:
                    await self.visit(window, page, f"{widget.kind} {widget.last}".strip(), about(self.home), [state])
            await self.files(page, first, about(self.home).values())
        if self.plant:
            return
        async with self.window() as window:
            forged = about(self.target) | {"stores": self.target.store, "region": self.target.region}
            answered = await self.visit(window, page, "a forged address", forged)
            await self.files(page, answered, forged.values())
            if not self.uses(page):
                return
            for value in (self.target.store, self.target.region, self.target.product, self.target.order):
                widgets = [state for widget in first.widgets if (state := set_to(widget, value)) is not None]
                await self.visit(window, page, "forged widgets", about(self.home), widgets, forged=value)

    @asynccontextmanager
    async def window(self) -> AsyncIterator[Page]:
        """A new window, in which an address has been typed or followed: it opens there and nowhere before."""
        async with self.browser.open() as window:
            self.said = {""}
            yield window

    async def visit(
        self,
        window: Page,
        page: str,
        what: str,
        query: dict[str, str],
        widgets: list[Any] | None = None,
        forged: str = "",
        known: Iterable[str] = (),
    ) -> Run:
        before = self.incidents.count
        self.said |= {*query.values(), forged}
        run = await window.run(page, query, widgets)
        self.tell(page, what, run.sent, {*self.said, *known}, failed=self.incidents.count - before)
        return run

    async def contacts(self, form: Run) -> None:
        """Reveals what this person may, and then forges: fields, reasons, customers of others.

        form: the page of a customer as somebody saw it who may reveal; its widgets are sent though this page has none.
        """
        own, foreign = about(self.home), about(self.target)
        # A field that nobody offers comes down to the one that is chosen at first: revealed, and in the log as such.
        told = self.home.contact.values() if self.account and self.role == "manager" else ()
        async with self.window() as window:
            await self.visit(window, "customer", "a reveal", own, asking(form), known=told)
            await self.visit(window, "customer", "after a reveal", own)
            await self.visit(window, "customer", "a forged reveal of a customer", foreign, asking(form))
            for field in FORGED_FIELDS:
                asked = asking(form, field=field)
                await self.visit(window, "customer", "a forged reveal of a field", own, asked, known=told)
            for reason in ("", "none that is offered"):
                await self.visit(window, "customer", "a forged reveal for no reason", own, asking(form, reason=reason))
            asked = asking(form, note=f"{self.target.customer} 13800138000")  # no reason holds a number
            await self.visit(window, "customer", "a forged reveal with a note", own, asked, forged=self.target.customer)
        async with self.window() as window:
            await self.visit(window, "customer", "a forged reveal of a customer", foreign, asking(form))
            await self.visit(window, "overview", "a forged reveal elsewhere", own, asking(form))

    async def files(self, page: str, run: Run, known: Iterable[str]) -> None:
        for offer in run.offers:
            self.tell(page, "a file", await self.browser.file(offer), known)
        for address in run.media:
            _, _, body = await self.browser.get(address)
            self.tell(page, "media", body, known)

    def tell(self, page: str, what: str, sent: bytes, known: Iterable[str], failed: int = 0) -> None:
        said = set(known)
        found = [mark for mark in self.foreign if mark.text.encode() in sent and mark.text not in said]
        if self.target.product in said:  # the range is the chain's: who knows the id may look up what it is called
            found = [mark for mark in found if mark.kind != "product"]
        if page == "customer" and self.role == "marketing":  # what a customer bought, receipt by receipt, of nobody
            found = [mark for mark in found if mark.kind != "order"]
        own = sorted({mark.kind for mark in self.own if mark.text.encode() in sent})
        revealed = [field for field, value in self.home.contact.items() if value.encode() in sent]
        line = {"plant": self.plant, "role": self.role, "page": page, "what": what, "bytes": len(sent)}
        line |= {
            "account": self.account,
            "revealed": revealed,
            "failed": failed,
            "named": PLANTED_NUMBER.encode() in sent,
        }
        note(self.chain.home, {**line, "foreign": [mark.text for mark in found], "own": own})


def note(home: Path, line: dict[str, Any]) -> None:
    with (home / FOUND).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def about(ids: Ids) -> dict[str, str]:
    """What pages of one thing take from their address."""
    return {"store": ids.store, "product": ids.product, "order": ids.order, "customer": ids.customer}


@asynccontextmanager
async def started(app: Any) -> AsyncIterator[dict[str, Any]]:
    """The app between start and stop, as a server does it; gives what its start hands over."""
    to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    handed: dict[str, Any] = {}
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": handed}
    life = asyncio.ensure_future(app(scope, to_app.get, from_app.put))
    to_app.put_nowait({"type": "lifespan.startup"})
    answer = await from_app.get()
    if answer["type"] != "lifespan.startup.complete":
        raise RuntimeError(f"the app does not start: {answer}")
    try:
        yield handed
    finally:
        to_app.put_nowait({"type": "lifespan.shutdown"})
        await life


async def crawl(
    chain: Chain, roles: Iterable[str], only: Iterable[str], plants: Iterable[str], *, thorough: bool
) -> None:
    """Every role on every page, those of other roles too: their addresses can be typed."""
    incidents = Incidents()
    logging.getLogger("mirror").addHandler(incidents)
    pages = list(only) or [page.key for page in access.PAGES]
    async with started(app) as handed:
        await asyncio.to_thread(warmed.wait, 120)
        for role in roles:
            await Crawl(chain, role, signed_in(chain, role, handed), incidents).everything(pages)
        await with_accounts(chain, roles, pages if thorough else (), handed, incidents)
        for plant in plants:
            with pytest.MonkeyPatch.context() as patch:
                PLANTS[plant](patch)
                st.cache_data.clear()
                browser = signed_in(chain, "manager", handed)
                await Crawl(chain, "manager", browser, incidents, plant).everything(PLANTED_PAGES)


async def with_accounts(
    chain: Chain, roles: Iterable[str], pages: Iterable[str], handed: dict[str, Any], incidents: Incidents
) -> None:
    """The same people with real accounts: ``pages`` or those that differ for them, and what they or a forger reveal."""
    form = Run()
    for role in roles:
        known, codes = account(chain, role)  # type: ignore[arg-type]
        browser = Browser(app, "", handed)
        await sign_in(browser, known, codes[0])
        person = Crawl(chain, role, browser, incidents, account=True)
        await person.everything(pages or ACCOUNT_PAGES[role])
        if role == "manager":
            async with person.window() as window:
                form = await person.visit(window, "customer", "a form", about(person.home))
        await person.contacts(form)
    await Crawl(chain, "manager", signed_in(chain, "manager", handed), incidents).contacts(form)


def signed_in(chain: Chain, role: Any, handed: dict[str, Any]) -> Browser:
    ids = chain.ids["S1"]
    home = {"manager": ids.store, "regional": ids.region, "staff": ids.staff}.get(role, "")
    token = sessions.begin(opened(), Visitor(role, home), utc_now(), address="127.0.0.1", device="crawl")
    return Browser(app, f"{COOKIE}={token}", handed)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--plants", nargs="*", default=(), choices=PLANTS)
    parser.add_argument("--roles", nargs="*", default=ROLES, choices=ROLES)
    parser.add_argument("--pages", nargs="*", default=())
    parser.add_argument("--thorough", action="store_true", help="every page with real accounts, too")
    arguments = parser.parse_args()
    os.environ["MIRROR_HOME"] = str(arguments.home)
    settings.cache_clear()
    chain = build(arguments.home)
    logging.basicConfig(filename=arguments.home / LOG, level=logging.DEBUG, force=True)
    for name in ("mirror", "streamlit"):
        logging.getLogger(name).addHandler(logging.FileHandler(arguments.home / LOG))
    asyncio.run(crawl(chain, arguments.roles, arguments.pages, arguments.plants, thorough=arguments.thorough))
    note(arguments.home, {"cpu_seconds": round(time.process_time(), 1)})
    os._exit(0)  # threads of the app may wait for somebody still; nobody will come


if __name__ == "__main__":
    main()
