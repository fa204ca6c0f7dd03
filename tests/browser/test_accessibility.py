"""axe-core over the pages: no finding that keeps somebody from reading or using them, and no error in the console.

What Streamlit draws itself and nobody here can change is named below, with the reason.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

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
    "customer": "customer={customer}",
    "campaign": "campaign={campaign}",
    "staff_member": "staff={staff}",
    "category": "goods={goods}",
    "product": "product={product}",
    "order": "order={order}",
}


def findings(page: Page) -> list[str]:
    """What axe finds that is grave and ours: the rule and the element."""
    found = [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
        if STREAMLITS_OWN.get(violation["id"], "\0") not in node["html"]
    ]
    return found


def lasting_findings(page: Page) -> list[str]:
    """What is found three times in a row: a text that is fading in, or waits for the run at work, is pale meanwhile."""
    for _ in range(3):
        found = findings(page)
        if not found:
            return []
        page.wait_for_timeout(1_500)
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
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_accessible(page_as: PageAs, server: Server, role: str, phone: bool) -> None:
    page = page_as(role, home=HOMES.get(role, ""), locale="zh-CN" if phone else "en-US", phone=phone, dark=phone)
    found = {}
    for address in addresses(role, server):
        page.goto(server.url + address)
        settled(page)
        found[address] = lasting_findings(page)
    assert {address: what for address, what in found.items() if what} == {}
