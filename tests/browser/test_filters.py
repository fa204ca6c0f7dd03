"""Filters in a real browser: the URL says what is chosen, pages share it, Back steps through it."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAs, Server, settled


def choose(page: Page, name: str, option: str) -> None:
    page.locator(f".st-key-filter_{name}").get_by_role("combobox").click()
    page.get_by_role("option", name=option, exact=True).click()


def summary(page: Page, words: str) -> None:
    expect(page.get_by_text(words).first).to_be_visible()
    settled(page)


def test_choices_live_in_the_url_and_back_undoes_them(page_as: PageAs, server: Server) -> None:
    page = page_as("marketing", locale="en-US")
    summary(page, "Last 28 days")
    choose(page, "period", "Last 7 days")
    summary(page, "Last 7 days")
    expect(page).to_have_url(f"{server.url}/?period=7d")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=re.compile("Store$")).click()
    expect(page).to_have_url(f"{server.url}/store?period=7d")
    settled(page)
    page.go_back()
    expect(page).to_have_url(f"{server.url}/?period=7d")
    summary(page, "Last 7 days")
    page.go_back()
    expect(page).to_have_url(f"{server.url}/")
    summary(page, "Last 28 days")


def test_a_link_means_the_same_in_both_languages(page_as: PageAs) -> None:
    for locale, words in (("zh-CN", "上月"), ("en-US", "Last month")):
        summary(page_as("regional", path="/?period=last_month", locale=locale), words)


def test_days_are_picked_in_the_language_of_the_browser(page_as: PageAs) -> None:
    page = page_as("administrator", path="/audit", locale="zh-CN")
    page.get_by_test_id("stDateInputCalendarButton").first.click()
    expect(page.get_by_test_id("stDateInputCalendar")).to_contain_text("月")
    # Streamlit's own choice of ranges speaks English only.
    expect(page.get_by_test_id("stDateInputQuickSelect")).to_have_count(1)
    expect(page.get_by_test_id("stDateInputQuickSelect")).to_be_hidden()


def test_a_manager_sees_no_other_store_whatever_the_url_says(page_as: PageAs, server: Server) -> None:
    page = page_as("manager")
    own = page.locator(".st-key-account p").first.inner_text().splitlines()[-1]
    page.goto(f"{server.url}/?stores=S002,S003&region=R2")
    summary(page, own)
    expect(page.locator(".st-key-filter_stores")).to_have_count(0)
