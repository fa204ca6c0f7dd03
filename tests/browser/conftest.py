"""The real server with a small demo chain, and a real Chromium in front of it.

Every page a test opens through ``page_as`` is watched: at the end there must have been no error in the browser's
console, no request that failed and none to another host.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

ROOT = Path(__file__).parents[2]
START_WITHIN = 90.0  # seconds; imports dominate on a busy machine
PATIENCE = 120_000  # milliseconds until a wait gives up; what is there on time costs none of them

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives Chromium."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium() -> dict[str, Any]:
    """How to launch the system's Chromium, which nothing downloads; LookupError where there is none."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        raise LookupError("no Chromium on this machine: install it (Debian: apt install chromium)")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
    return {"executable_path": found, "args": ["--no-sandbox", *quiet]}


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Without Chromium the browser tests are skipped on a person's machine and fail in CI."""
    try:
        return chromium()
    except LookupError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    home: Path
    log: Path
    process: int


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a tiny demo chain and its snapshot."""
    from data_access.crm import crm_engine
    from data_access.demo import write_demo
    from data_access.refresh import refresh

    home = tmp_path_factory.mktemp("home")
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
    write_demo(engine, scale="tiny", truth_path=home / "truth.json", home=home)
    refresh(engine, home)
    engine.dispose()
    return home


@pytest.fixture(scope="session")
def server(chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the session, warm."""
    with_log = tmp_path_factory.mktemp("server") / "log.txt"
    yield from serve(chain, with_log)


@pytest.fixture
def fresh_server(chain: Path, tmp_path: Path) -> Iterator[Server]:
    """A server of its own that nobody has visited yet."""
    yield from serve(chain, tmp_path / "log.txt", wait_for="/healthz")


def serve(
    home: Path, log: Path, wait_for: str = "/readyz", settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Starts the server on a free port of the loopback address and stops it at the end.

    settings: variables of the environment that differ from this process's.
    """
    port = free_port()
    # Nothing of the tests' own: the server is the product, not a test of it.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "STREAMLIT_"))}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("wb") as opened:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**inherited, "MIRROR_HOME": str(home), "MIRROR_CRM_URL": "", **(settings or {})},
            stdout=opened,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url + wait_for, process, log)
        yield Server(url, home, log, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the server stopped at once:\n{log.read_text(encoding='utf-8')}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.1)
    pytest.fail(f"the server was not ready within {START_WITHIN:.0f} s:\n{log.read_text(encoding='utf-8')}")


@dataclass
class Watched:
    """What went wrong in the browser while a test ran."""

    host: str
    console: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("crash", lambda _: self.console.append("the page crashed"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            self.console.append(f"{message.text} ({message.location.get('url', '')})")

    def _answered(self, response: Response) -> None:
        """The console tells of a refusal late, and was seen not to tell of it at all."""
        if response.status >= 400:
            self.refused.append(f"{response.status} {response.url}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self.host:
            self.elsewhere.append(url)


@pytest.fixture
def watched(server: Server) -> Iterator[Watched]:
    """The watch over every page of a test. A test that provokes an error clears it."""
    watch = Watched(urlsplit(server.url).netloc)
    yield watch
    assert watch.console == []
    assert watch.refused == []
    assert watch.elsewhere == []


PageAs = Callable[..., Page]


@pytest.fixture
def page_as(browser: Browser, server: Server, watched: Watched) -> Iterator[PageAs]:
    """``page_as("manager")`` opens a browser, signs in with one click and returns the settled page.

    More: ``home`` (a store or region id), ``path``, ``locale``, ``phone=True``, ``dark=True``.
    """
    contexts = []

    def open_page(
        role: str, *, home: str = "", path: str = "/", locale: str = "zh-CN", phone: bool = False, dark: bool = False
    ) -> Page:
        context = browser.new_context(
            locale=locale,
            viewport={"width": 390, "height": 844} if phone else {"width": 1360, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watched.watch(page)
        page.goto(server.url + path)
        form = page.locator(f"form.role:has(input[value={role}])")
        if home:
            form.locator("select").select_option(home)
        form.get_by_role("button").click()
        settled(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


def settled(page: Page) -> None:
    """Waits until Streamlit has run the page to its end and every chart is drawn."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    # As a whole: charts of the page before may still go while one looks at them one by one.
    expect(page.locator("[data-testid=stPlotlyChart]:not(:has(.main-svg))")).to_have_count(0)
