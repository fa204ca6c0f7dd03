"""Back, in a real browser: whoever opens a page by a click gets back to where they were, filters and all."""

import re

import pytest
from playwright.sync_api import Page, expect

from pages._gate.identity import Role
from pages._ui import access
from pages._ui.i18n import text
from tests.browser.conftest import PageAs, Server, settled
from tests.browser.screenshots import HOMES, examples
from tests.browser.test_pages import bar, click_first_row, click_middle, open_path

FILTERS = "period=90d&category=%E6%8A%A4%E8%82%A4&segment=loyal"


def here(page: Page) -> tuple[str, str, str]:
    """The title, what is shown in words, and the address."""
    settled(page)
    shown = page.get_by_test_id("stCaptionContainer").first.inner_text()
    return page.get_by_role("heading", level=1).first.inner_text(), shown, page.url


def opened_and_back(page: Page, was: tuple[str, str, str]) -> None:
    """Another page stands there now, and Back leads to the one before as it was."""
    expect(page.get_by_role("heading", level=1).first).not_to_have_text(was[0])
    settled(page)
    page.go_back()
    expect(page.get_by_role("heading", level=1).first).to_have_text(was[0])
    assert here(page) == was


@pytest.mark.slow
@pytest.mark.parametrize("role", ["manager", "regional", "marketing", "administrator"])
def test_back_from_every_page_of_the_menu(page_as: PageAs, server: Server, role: Role) -> None:
    page = page_as(role, home=HOMES.get(role, ""), locale="en-US", path=f"/?{FILTERS}")
    was = here(page)
    first = access.first_page(role)
    for entry in access.PAGES:
        if role not in entry.detail or not entry.listed or entry.key == first:
            continue
        name = re.compile(f"{re.escape(text('en', f'page.{entry.key}'))}$")
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).first.click()
        opened_and_back(page, was)


@pytest.mark.slow
def test_back_from_every_level_of_a_drill(page_as: PageAs, server: Server) -> None:
    page = page_as("regional", home=HOMES["regional"], locale="en-US")
    known = examples(server.home)
    for address, chart, opens in (
        ("/overview?period=90d", "overview_stores", "store"),
        ("/overview?period=90d", "overview_categories", "category"),
        ("/store?period=90d", "store_categories", "category"),
        (f"/category?period=90d&goods={known['goods']}", "category_stores", "category"),
        ("/store?period=90d", "store_top", "product"),
        (f"/product?period=90d&product={known['product']}", "product_stores", "store"),
    ):
        open_path(page, server, address)
        was = here(page)
        click_middle(page, bar(page, chart))
        expect(page).to_have_url(re.compile(f"/{opens}\\?"))
        if address.startswith(f"/{opens}?"):  # the same page of another place has another address
            expect(page).to_have_url(re.compile("store="))
            settled(page)
            page.go_back()
            assert here(page) == was
        else:
            opened_and_back(page, was)
    for address, table, opens in (
        (f"/category?period=90d&goods={known['goods']}", "category_products", "product"),
        (f"/product?period=90d&product={known['product']}", "product_orders", "order"),
    ):
        open_path(page, server, address)
        was = here(page)
        click_first_row(page, table)
        expect(page).to_have_url(re.compile(f"/{opens}\\?"))
        opened_and_back(page, was)
