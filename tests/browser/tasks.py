"""The five tasks of docs/tasks.md, done in Chromium: ``python -m tests.browser.tasks --home HOME``.

Each begins on the first page after sign-in and touches only what is visible. As a mouse user a step is a click; as a
keyboard user it is every key: Tab to the thing, then Enter or what it takes. Prints one line per task. HOME is that of
a chain whose batch has run.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from pages._ui.i18n import text
from tests.browser.conftest import Server, chromium, serve, settled
from tests.browser.screenshots import enter

MOST_TABS = 150  # on the way to one thing


# What the data and whole sentences are called, which no key of the catalogues gives.
WORDS = {
    "en": {
        "moved": "Net sales are",
        "again": "Run it again",
        "stores": "2 stores",
        "compared": "Hangzhou Lakeside|Wuhu Jinghu",
    },
    "zh_CN": {"moved": "净销售额比", "again": "可以再做", "stores": "2 家门店", "compared": "杭州湖滨店|芜湖镜湖店"},
}
LOCALES = {"en": "en-US", "zh_CN": "zh-CN"}
language = "en"


def said(key: str) -> str:
    return text(language, key)


def words(key: str) -> str:
    return WORDS[language][key]


@dataclass
class Hand:
    """Somebody at work on a page, with a mouse or with keys alone; counts what it takes."""

    page: Page
    keys: bool
    steps: int = 0

    def press(self, thing: Locator) -> None:
        """Chooses a thing: a link, a button, a choice."""
        if self.keys:
            self.reach(thing)
            self.key("Enter")
        else:
            thing.click()
            self.steps += 1
        settled(self.page)

    def reach(self, thing: Locator) -> None:
        """Tabs to a thing, or to what it lies in; past the menu by the link that every page begins with."""
        thing.wait_for()
        body = "document.activeElement === document.body"
        if self.page.evaluate(body) and self.page.get_by_test_id("stMain").locator(thing).count():
            self.key("Tab", "Enter")
        for _ in range(MOST_TABS):
            if thing.evaluate("e => e === document.activeElement || e.contains(document.activeElement)"):
                return
            self.key("Tab")
        raise SystemExit(f"no way to {thing} by Tab")

    def key(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)
            self.steps += 1

    def choose(self, filter_: str, option: str) -> None:
        """One option of a filter."""
        box = self.page.locator(f".st-key-{filter_}").get_by_role("combobox")
        if self.keys:
            self.reach(box)
            self.key("ArrowDown")
            offered = self.page.get_by_role("option")
            offered.first.wait_for()
            names = offered.all_inner_texts()
            marked = self.page.locator("[role=option][aria-selected=true]")
            chosen = names.index(marked.first.inner_text()) if marked.count() else -1
            way = "ArrowDown" if names.index(option) > chosen else "ArrowUp"
            for _ in range(len(names) + 1):
                if self.page.locator("[role=option][data-focused]").all_inner_texts() == [option]:
                    break
                self.key(way)
            self.key("Enter")
        else:
            box.click()
            self.page.get_by_role("option", name=option, exact=True).click()
            self.steps += 2
        settled(self.page)

    def add(self, filter_: str, option: str) -> None:
        """One more of several."""
        box = self.page.locator(f".st-key-{filter_}").get_by_role("combobox")
        if self.keys:
            self.reach(box)
            self.key("ArrowDown")
            self.page.get_by_role("option").first.wait_for()
            while self.page.locator("[role=option][data-focused]").all_inner_texts() != [option]:
                self.key("ArrowDown")
            self.key("Enter", "Escape")
        else:
            box.click()
            self.page.get_by_role("option", name=option, exact=True).click()
            self.page.keyboard.press("Escape")
            self.steps += 2
        settled(self.page)

    def open_row(self, table: str) -> None:
        """The first row of a list."""
        canvas = self.page.locator(f".st-key-{table} canvas").first
        if self.keys:
            self.reach(canvas)
            self.key("Enter")
        else:
            box = canvas.bounding_box()
            assert box is not None
            self.page.mouse.click(box["x"] + 60, box["y"] + 35 + 17)
            self.steps += 1
        settled(self.page)

    def write(self, key: str, words: str) -> None:
        field = self.page.locator(f".st-key-{key} input")
        if self.keys:
            self.reach(field)
        else:
            field.click()
            self.steps += 1
        self.page.keyboard.type(words)
        settled(self.page)

    def go(self, page: str) -> None:
        """To a page of the menu."""
        name = re.compile(f"{re.escape(said(f'page.{page}'))}$")
        self.press(self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name))
        expect(self.page.get_by_role("heading", level=1)).to_have_text(said(f"page.{page}"))


def why_sales_moved(hand: Hand) -> None:
    hand.choose("filter_period", said("filters.period.7d"))
    hand.press(hand.page.get_by_test_id("stMain").get_by_role("link", name=said("why.open")))
    expect(hand.page.get_by_text(re.compile(words("moved"))).first).to_be_visible()


def pick_customers(hand: Hand) -> None:
    hand.go("audiences")
    hand.write("audience_name", f"Coupon {time.time():.0f}")
    hand.press(hand.page.get_by_role("button", name=said("audiences.save")))
    expect(hand.page.get_by_role("heading", level=1)).to_contain_text("Coupon")
    expect(hand.page.get_by_text(said("audiences.hand_over")).first).to_be_visible()


def which_campaign(hand: Hand) -> None:
    hand.go("campaigns")
    hand.open_row("campaigns_list")
    expect(hand.page.get_by_text(re.compile(words("again"))).first).to_be_visible()


def order_what_runs_out(hand: Hand) -> None:
    hand.go("stock")
    hand.press(hand.page.get_by_role("button", name=said("stock.orders_by_supplier")))
    with hand.page.expect_download():
        hand.press(hand.page.locator("form.files button:visible").first)


def compare_two_stores(hand: Hand) -> None:
    hand.go("stores")
    for store in words("compared").split("|"):
        hand.add("filter_stores", store)
    expect(hand.page.get_by_text(re.compile(words("stores"))).first).to_be_visible()
    hand.choose("choice_figures", said("stores.figures.peers"))
    expect(hand.page.get_by_text(said("stores.list")).first).to_be_visible()


TASKS: dict[str, tuple[str, Callable[[Hand], None]]] = {
    "find why a store's sales moved last week": ("manager", why_sales_moved),
    "pick 500 customers for a coupon and hand them over": ("marketing", pick_customers),
    "say which campaign to repeat": ("marketing", which_campaign),
    "order what runs out this week": ("manager", order_what_runs_out),
    "compare two stores fairly": ("regional", compare_two_stores),
}


def timed(
    browser: Browser, server: Server, role: str, task: Callable[[Hand], None], *, keys: bool
) -> tuple[int, float]:
    """Steps and seconds from the first page on."""
    context = browser.new_context(
        locale=LOCALES[language], viewport={"width": 1360, "height": 900}, accept_downloads=True
    )
    page = context.new_page()
    enter(page, server, role)
    hand = Hand(page, keys)
    begun = time.monotonic()
    task(hand)
    taken = time.monotonic() - begun
    context.close()
    return hand.steps, taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="of a chain whose batch has run")
    parser.add_argument("--only", default="", help="tasks whose name holds this")
    parser.add_argument("--keys", action="store_true", help="with keys alone")
    parser.add_argument("--language", choices=LOCALES, default="en")
    chosen = parser.parse_args()
    global language
    language = chosen.language
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium())
        for server in serve(chosen.home, Path(folder) / "server.log", settings={"MIRROR_BATCH": "never"}):
            for name, (role, task) in TASKS.items():
                if chosen.only in name:
                    steps, seconds = timed(browser, server, role, task, keys=chosen.keys)
                    way = "keys" if chosen.keys else "clicks"
                    sys.stdout.write(f"{name}: {steps} {way}, {seconds:.1f} s\n")
                    sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main()
