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

_TYPING = 4.0  # seconds
# When the form was sent, and when a chart, table or card came last.
_WATCH = """if (window === window.top) {
    const now = () => performance.timeOrigin + performance.now();
    addEventListener("submit", () => { sessionStorage.clicked = now(); }, true);
    let seen = 0;
    new MutationObserver(() => {
        const parts = ".main-svg, [data-testid=stMetric], [data-testid=stDataFrame] canvas";
        const there = document.querySelectorAll(parts).length;
        if (there !== seen) { seen = there; window.drawn = now(); }
    }).observe(document, { childList: true, subtree: true });
}"""


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
    """From the click on sign-in until the last chart, table or card of the first page of a role stands there.

    cold: the first visitor of a server that has just said that it is ready, with a browser that has never been there;
    another browser: the next such visitor; warm: the same browser, closed and opened again; at once: the same, which
    clicks as soon as there is something to click. All others are on the sign-in page for ``_TYPING`` seconds, as people
    are who type a password. cpu_s: of the server meanwhile.
    """
    seconds: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            server = serve(home, Path(folder) / "log.txt", settings={"MIRROR_BATCH": "never"})
            at = next(server)
            for role in ("regional", "manager"):
                cold = "cold" if role == "regional" else "another browser"
                for visit in (cold, "warm", "at once"):
                    browser = playwright.chromium.launch_persistent_context(
                        Path(folder) / role, viewport={"width": 1360, "height": 1000}, locale="zh-CN", **chromium()
                    )
                    browser.clear_cookies()
                    browser.add_init_script(_WATCH)
                    typing = 0 if visit == "at once" else _TYPING
                    seconds.setdefault((role, visit), []).append(_signs_in(browser, at, role, typing))
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


def _signs_in(browser: BrowserContext, server: Server, role: str, typing: float) -> tuple[float, float]:
    """Wall seconds until the page is drawn, on the clock of the browser, and CPU seconds of the server."""
    page = browser.pages[0]
    page.goto(f"{server.url}/sign-in")
    button = page.locator("form", has=page.locator(f'input[value="{role}"]')).get_by_role("button")
    button.wait_for()
    page.wait_for_timeout(1000 * typing)
    spent = _cpu(server.process)
    button.click()
    page.locator('[data-testid="stMetric"]').first.wait_for()
    settled(page)
    page.locator(".main-svg").first.wait_for()
    page.wait_for_timeout(1000)  # nothing may come afterwards
    settled(page)
    wall = page.evaluate("window.drawn - sessionStorage.clicked")
    return wall / 1000, _cpu(server.process) - spent


def _cpu(process: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _signed_in(home: Path) -> Iterator[Page]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = serve(home, Path(folder) / "log.txt", settings={"MIRROR_BATCH": "never"})
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
