"""How long a page switch takes in Chromium: from the click to the last chart drawn."""

import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pages._gate.identity import Role
from pages._ui.access import PAGES
from tests.browser.conftest import chromium, serve

_ROLE: Role = "marketing"
# What the navigation names for that role: every page it can go to without having chosen something.
_PAGES = tuple(page.key for page in PAGES if page.listed and _ROLE in page.detail)
# How many charts are drawn, and whether the script still runs or an element waits to be replaced.
_DRAWN = """() => ({
    title: document.querySelector('[data-testid="stMain"] h1')?.innerText ?? '',
    charts: document.querySelectorAll('[data-testid="stMain"] .js-plotly-plot .cartesianlayer .xy').length,
    running: document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== 'notRunning'
        || document.querySelector('[data-testid="stMain"] [data-stale="true"]') !== null,
})"""


def switches(home: Path, repeats: int) -> Iterator[dict[str, object]]:
    """One row per page: median, 95th percentile and worst wall seconds of a warm switch to it."""
    with _signed_in(home) as page:
        drawn = {name: _settled(page, name) for name in _PAGES}
        seconds: dict[str, list[float]] = {name: [] for name in _PAGES}
        for _ in range(repeats):
            for name in _PAGES:
                seconds[name].append(_switch(page, name, drawn[name]))
    every = [second for runs in seconds.values() for second in runs]
    for name, runs in {"all": every, **seconds}.items():
        yield {
            "page": name,
            "charts": drawn[name]["charts"] if name in drawn else None,
            "median_s": round(statistics.median(runs), 2),
            "p95_s": round(statistics.quantiles(runs, n=20, method="inclusive")[-1], 2),
            "worst_s": round(max(runs), 2),
        }


@contextmanager
def _signed_in(home: Path) -> Iterator[Page]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = serve(home, Path(folder) / "log.txt")
        url = next(server).url
        browser = playwright.chromium.launch(**chromium())
        page = browser.new_page(viewport={"width": 1360, "height": 1000}, locale="en-US")
        page.goto(f"{url}/sign-in")
        page.locator("form", has=page.locator(f'input[value="{_ROLE}"]')).get_by_role("button").click()
        yield page
        browser.close()
        server.close()


def _link(page: Page, name: str) -> None:
    # the default page is served at the root
    path = r"/(\?.*)?$" if name == "overview" else rf"/{name}(\?.*)?$"
    links = page.locator('[data-testid="stSidebarNavLink"]')
    hrefs = [links.nth(i).get_attribute("href") or "" for i in range(links.count())]
    links.nth(next(i for i, href in enumerate(hrefs) if re.search(path, href))).click()


def _settled(page: Page, name: str) -> dict[str, object]:
    """What a page shows when nothing has changed for two seconds."""
    page.locator('[data-testid="stSidebarNavLink"]').first.wait_for()
    _link(page, name)
    page.wait_for_timeout(1000)
    before, since = None, time.monotonic()
    while time.monotonic() - since < 2:
        now = page.evaluate(_DRAWN)
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(0.05)
    return dict(before or {})


def _switch(page: Page, name: str, drawn: dict[str, object]) -> float:
    started = time.monotonic()
    _link(page, name)
    while page.evaluate(_DRAWN) != drawn:
        if time.monotonic() - started > 30:
            raise TimeoutError(f"the page {name} was not drawn within 30 s")
        time.sleep(0.01)
    return time.monotonic() - started
