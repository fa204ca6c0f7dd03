"""axe-core over the pages: no finding that keeps somebody from reading or using them, and no error in the console.

On the way no word of the other language is in sight, and no text is cut (``test_words``).

What Streamlit draws itself and nobody here can change is named below, with the reason.

The slow walk sees every page on both devices in both themes: four times, each time as the next of the roles that have
the page (``visits``), so that each role sees all of its pages and meets each device and theme; each page is seen in
both languages on both devices. Tabs and expanders are opened every time. What popovers hold is framed alike everywhere
(the passport of a figure, the rows of a chart, the files): those of a page are opened in two of the four, which are
both devices and both themes.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from pages._ui import access
from tests.browser.conftest import PageAs, Server, settled
from tests.browser.screenshots import HOMES, examples
from tests.browser.test_words import cut, foreign

ROLES = ("manager", "regional", "marketing", "administrator", "staff")
# (phone, dark) in the order in which the roles take turns: the popovers of a page are opened in the first two or in the
# last two of them, which share neither device nor theme nor, where two roles have the page, the role.
TURNS = ((False, False), (True, True), (False, True), (True, False))
GRAVE = ("serious", "critical")
# rule -> what stands in the HTML of Streamlit's own elements
STREAMLITS_OWN = {
    # The navigation puts the headings of its sections into the list, as divs, and so its items out of it.
    "list": 'data-testid="stSidebarNavItems"',
    "listitem": "<li class=",
}
# Pages that open by a drill, with the address of an example.
DRILLS = {
    "audience": "",
    "lot": "product={product}",
    "product_demand": "product={product}",
    "customer": "customer={customer}",
    "campaign": "campaign={campaign}",
    "staff_member": "staff={staff}",
    "category": "goods={goods}",
    "product": "product={product}",
    "order": "order={order}",
}


def findings(page: Page, within: str | None = None) -> list[str]:
    """What axe finds that is grave and ours: the rule and the element. ``within``: of a part of the page only."""
    found = [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in Axe().run(page, within).response["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
        if STREAMLITS_OWN.get(violation["id"], "\0") not in node["html"]
    ]
    return found


def lasting_findings(page: Page, within: str | None = None) -> list[str]:
    """What is found three times in a row: a text that is fading in, or waits for the run at work, is pale meanwhile."""
    for _ in range(3):
        found = findings(page, within)
        if not found:
            return []
        page.wait_for_timeout(1_500)
    return found


def unread(page: Page, language: str) -> list[str]:
    """What is grave to axe, not in the language or cut."""
    foreign_words = [f"not in the language: {word}" for word in sorted(foreign(page, language))]
    return [*lasting_findings(page), *foreign_words, *(f"cut: {text}" for text in cut(page))]


def findings_everywhere(page: Page, language: str, popovers: bool) -> dict[str, list[str]]:
    """What is found on a page as it opens, and in all that it keeps shut: expanders, other tabs and, with ``popovers``,
    one popover of each name."""
    found = {"": unread(page, language)}
    main = page.get_by_test_id("stMain")
    tabs = main.get_by_role("tab")
    for number in range(max(tabs.count(), 1)):
        if number:
            tabs.nth(number).click()
            settled(page)
        shut = main.locator("details:not([open]) > summary:visible")  # others stand in tabs that are shut
        if number or shut.count():
            while shut.count():
                shut.first.click()
                settled(page)
            found[f"tab {number}, opened"] = unread(page, language)
        buttons = main.locator("[data-testid=stPopoverButton]:enabled")
        for number_of_button, name in enumerate(buttons.all_inner_texts() if popovers else ()):
            if name not in found and number_of_button < buttons.count():
                found[name] = findings_in_popover(page, buttons.nth(number_of_button))
    return {where: what for where, what in found.items() if what}


def findings_in_popover(page: Page, button: Locator) -> list[str]:
    body = page.get_by_test_id("stPopoverBody")
    button.click()
    body.wait_for()
    settled(page)
    found = lasting_findings(page, "[data-testid=stPopoverBody]")
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    if body.is_visible():  # on a busy machine the key comes before the focus is in the popover
        page.keyboard.press("Escape")
    body.wait_for(state="hidden")
    settled(page)
    return found


def visits(turn: int) -> dict[str, list[tuple[str, bool]]]:
    """Who opens which pages in a turn, and whether their popovers too: every page once."""
    shown = [entry for entry in access.PAGES if entry.listed or entry.key in DRILLS]
    seen: dict[str, list[tuple[str, bool]]] = {role: [] for role in ROLES}
    for number, entry in enumerate(shown):
        having = [role for role in ROLES if role in entry.detail]
        seen[having[(number + turn) % len(having)]].append((entry.key, turn // 2 == number % 2))
    return seen


def test_each_role_meets_its_pages_and_every_device_and_theme() -> None:
    turns = [visits(turn) for turn in range(len(TURNS))]
    assert all(seen[role] for seen in turns for role in ROLES)
    met = {(role, key) for seen in turns for role in ROLES for key, _ in seen[role]}
    having = {(role, entry.key) for entry in access.PAGES for role in entry.detail}
    assert {key for _, key in having - met} <= {"glossary"}  # the only page of five roles: one of them less


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_the_first_page_is_accessible(page_as: PageAs, phone: bool) -> None:
    page = page_as("manager", home="S001", locale="en-US", phone=phone, dark=phone)
    assert lasting_findings(page) == []


def test_the_sign_in_page_is_accessible(page_as: PageAs, server: Server) -> None:
    page = page_as("manager")
    page.context.clear_cookies()
    page.goto(f"{server.url}/sign-in")
    assert lasting_findings(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(len(TURNS)), ids=["desktop-light", "phone-dark", "desktop-dark", "phone-light"])
def test_every_page_is_accessible_translated_and_whole(page_as: PageAs, server: Server, turn: int) -> None:
    phone, dark = TURNS[turn]
    language = "zh-CN" if phone != dark else "en-US"
    ids = examples(server.home)
    found = {}
    for role, pages in visits(turn).items():
        page = page_as(role, home=HOMES.get(role, ""), locale=language, phone=phone, dark=dark)
        for key, popovers in pages:
            page.goto(f"{server.url}/{key}?{DRILLS.get(key, '').format(**ids)}")
            settled(page)
            found[f"{key} for {role}"] = findings_everywhere(page, language, popovers)
    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_filters_and_menus_that_are_open_are_accessible(page_as: PageAs, dark: bool) -> None:
    """What stands outside the page while it is open: the list of a choice, the calendar, the main menu."""
    page = page_as("marketing", locale="en-US", path="/overview?period=2026-11-01..2026-11-11", dark=dark)
    settled(page)
    found = {}
    for opener, body in (
        ("[data-testid=stSelectbox] button", "[role=listbox]"),
        ("[data-testid=stMultiSelect] button", "[role=listbox]"),
        ("[data-testid=stDateInputCalendarButton]", "[data-testid=stDateInputCalendar]"),
        ("[data-testid=stMainMenuButton]", "[data-testid=stMainMenuPopover]"),
    ):
        page.locator(opener).first.click()
        page.locator(body).wait_for()
        found[body] = lasting_findings(page, body)
        page.keyboard.press("Escape")
        page.locator(body).wait_for(state="hidden")
    assert {body: what for body, what in found.items() if what} == {}
