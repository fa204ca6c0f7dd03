"""axe-core over the pages: no finding that keeps somebody from reading or using them, and no error in the console.

What Streamlit draws itself and nobody here can change is named below, with the reason.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from pages._ui import access
from tests.browser.conftest import PageAs, Server, settled
from tests.browser.screenshots import HOMES, examples

ROLES = ("manager", "regional", "marketing", "administrator", "staff")
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


def findings_everywhere(page: Page) -> dict[str, list[str]]:
    """What is found on a page as it opens, and in all that it keeps shut: expanders, other tabs, one popover of each
    name."""
    found = {"": lasting_findings(page)}
    main = page.get_by_test_id("stMain")
    tabs = main.get_by_role("tab")
    for number in range(max(tabs.count(), 1)):
        if number:
            tabs.nth(number).click()
            settled(page)
        shut = main.locator("details:not([open]) > summary")
        if number or shut.count():
            while shut.count():
                shut.first.click()
                settled(page)
            found[f"tab {number}, opened"] = lasting_findings(page)
        buttons = main.locator("[data-testid=stPopoverButton]:enabled")
        for number_of_button, name in enumerate(buttons.all_inner_texts()):
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
    body.wait_for(state="hidden")
    settled(page)
    return found


def addresses(role: str, server: Server) -> Iterator[str]:
    ids = examples(server.home)
    for entry in access.PAGES:
        if role in entry.detail and (entry.listed or entry.key in DRILLS):
            yield f"/{entry.key}?{DRILLS.get(entry.key, '').format(**ids)}"


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
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_accessible(page_as: PageAs, server: Server, role: str, phone: bool, dark: bool) -> None:
    language = "zh-CN" if phone != dark else "en-US"
    page = page_as(role, home=HOMES.get(role, ""), locale=language, phone=phone, dark=dark)
    found = {}
    for address in addresses(role, server):
        page.goto(server.url + address)
        settled(page)
        found[address] = findings_everywhere(page)
    assert {address: what for address, what in found.items() if what} == {}


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
