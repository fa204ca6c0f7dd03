"""How long a page takes in Chromium, from the click to the last chart drawn: after the sign-in, and on a switch."""

import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from pages._gate.identity import Role
from pages._ui.access import PAGES
from tests.browser.conftest import Server, chromium, serve, settled

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


def first_page(home: Path, repeats: int) -> Iterator[dict[str, object]]:
    """From the click on sign-in until the first page of a role is drawn.

    cold: the first visitor of a server that has just said that it is ready, with a browser that has never been there;
    another browser: the next such visitor; warm: the same browser signs in again. cpu_s: of the server meanwhile.
    """
    seconds: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            server = serve(home, Path(folder) / "log.txt")
            at = next(server)
            browser = playwright.chromium.launch(**chromium())
            for role in ("regional", "manager"):
                context = browser.new_context(viewport={"width": 1360, "height": 1000}, locale="zh-CN")
                cold = "cold" if role == "regional" else "another browser"
                seconds.setdefault((role, cold), []).append(_signs_in(context, at, role))
                context.clear_cookies()
                seconds.setdefault((role, "warm"), []).append(_signs_in(context, at, role))
                context.close()
            browser.close()
            server.close()
    for (role, visit), runs in seconds.items():
        wall, cpu = zip(*runs, strict=True)
        yield {
            "role": role,
            "visit": visit,
            "median_s": round(statistics.median(wall), 2),
            "worst_s": round(max(wall), 2),
            "cpu_s": round(statistics.median(cpu), 2),
            "load": os.getloadavg()[0],
        }


def _signs_in(context: BrowserContext, server: Server, role: str) -> tuple[float, float]:
    """Wall seconds until the page is drawn, and CPU seconds of the server."""
    page = context.new_page()
    page.goto(f"{server.url}/sign-in")
    button = page.locator("form", has=page.locator(f'input[value="{role}"]')).get_by_role("button")
    button.wait_for()
    spent, started = _cpu(server.process), time.monotonic()
    button.click()
    page.locator('[data-testid="stMetric"]').first.wait_for()
    settled(page)
    page.locator(".main-svg").first.wait_for()
    settled(page)
    wall = time.monotonic() - started
    page.close()
    return wall, _cpu(server.process) - spent


def _cpu(process: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
