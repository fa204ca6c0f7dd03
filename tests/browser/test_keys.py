"""Lists by keys, and a theme that changes while a page is open."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import PageAs, settled
from tests.browser.test_pages import DARK_ACCENT, LIGHT_ACCENT, bar, in_view


def reached_by_keys(page_as: PageAs) -> Locator:
    """A list whose first row has the focus by keys and is not open."""
    page = page_as("regional", home="R1", locale="en-US", path="/overview?period=90d")
    losing = page.locator(".st-key-overview_falling canvas").first
    losing.wait_for()
    page.get_by_role("button", name="Export").focus()
    while not losing.evaluate("list => list.contains(document.activeElement)"):
        page.keyboard.press("Shift+Tab")
    page.wait_for_timeout(600)  # the list tells of its focus after a moment
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    return losing


def test_a_row_reached_by_keys_waits_for_enter(page_as: PageAs) -> None:
    page = reached_by_keys(page_as).page
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/product\?.*product=\w+"))


@pytest.mark.slow
def test_a_click_on_the_headings_of_a_list_reached_by_keys_opens_nothing(page_as: PageAs) -> None:
    losing = reached_by_keys(page_as)
    box = in_view(losing.page, losing)
    losing.page.mouse.click(box["x"] + 60, box["y"] + 8)  # the headings sort and open nothing
    losing.page.wait_for_timeout(900)
    settled(losing.page)
    expect(losing.page.get_by_role("heading", level=1)).to_have_text("Overview")


@pytest.mark.slow
def test_a_click_on_the_cell_that_keys_have_reached_opens_it(page_as: PageAs) -> None:
    losing = reached_by_keys(page_as)
    box = in_view(losing.page, losing)
    losing.page.mouse.click(box["x"] + 60, box["y"] + 35 + 17)
    expect(losing.page).to_have_url(re.compile(r"/product\?.*product=\w+"))


def test_charts_follow_a_theme_that_changes(page_as: PageAs) -> None:
    page = page_as("marketing")
    expect(bar(page, "overview_stores")).to_have_css("fill", LIGHT_ACCENT)
    page.emulate_media(color_scheme="dark")
    expect(bar(page, "overview_stores")).to_have_css("fill", DARK_ACCENT)
    page.emulate_media(color_scheme="light")
    expect(bar(page, "overview_stores")).to_have_css("fill", LIGHT_ACCENT)
