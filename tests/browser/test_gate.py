"""Sign-in in a real browser: what nobody sees without it, and what each role sees with it."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from pages._gate import ahead
from pages._ui import access
from pages._ui.i18n import text
from tests.browser.conftest import PageAs, Server, Watched, settled

NOT_PAGES = ("secret", "overview", "order", "_shell", "_ui/access")
SEEN_BY_ADMINISTRATORS = [
    "Data health",
    "Programme scorecard",
    "Bring in data",
    "Digests",
    "Privacy",
    "Accounts",
    "Audit log",
    "Glossary",
]


def test_the_first_requests_of_a_fresh_server_show_a_stranger_nothing(browser: Browser, fresh_server: Server) -> None:
    page = browser.new_page(locale="en-US")
    for path in NOT_PAGES:
        page.goto(f"{fresh_server.url}/{path}")
        expect(page).to_have_url(f"{fresh_server.url}/sign-in?next=%2F{path.replace('/', '%2F')}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Beauty Mirror")
        expect(page.get_by_test_id("stApp")).to_have_count(0)
    page.close()


@pytest.mark.parametrize("path", ["secret", "overview"])
def test_the_first_page_run_of_a_fresh_server_shows_no_page_that_is_not_registered(
    browser: Browser, fresh_server: Server, path: str
) -> None:
    """Streamlit serves any file in a folder ``pages`` beside its script by URL until the script has run once.

    The gate would answer 404; here the browser is given the start page all the same, so that the first thing the
    fresh server ever runs is asked for by the name of a page that an administrator does not have.
    """
    context = browser.new_context(locale="en-US")
    page, with_start_page = context.new_page(), context.new_page()
    page.goto(f"{fresh_server.url}/sign-in?next=/{path}")
    page.locator("form.role:has(input[value=administrator])").get_by_role("button").click()
    expect(page.get_by_text("There is no such page, or your role cannot open it.")).to_be_visible()

    with_start_page.route(f"**/{path}", lambda route: route.continue_(url=f"{fresh_server.url}/"))
    with_start_page.goto(f"{fresh_server.url}/{path}")
    expect(with_start_page.get_by_text("Page not found")).to_be_visible()
    settled(with_start_page)
    assert shown_pages(with_start_page) == SEEN_BY_ADMINISTRATORS
    expect(with_start_page.get_by_role("heading", name="Data health")).to_be_visible()
    expect(with_start_page.get_by_text("Net sales")).to_have_count(0)
    context.close()


def test_the_front_end_starts_ahead_with_open_files_only_and_signs_in_where_it_is(
    browser: Browser, server: Server, watched: Watched
) -> None:
    page = browser.new_page(locale="en-US")
    watched.watch(page)
    asked, sockets = [], []
    page.on("request", lambda request: asked.append(urlsplit(request.url)))
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"{server.url}/sign-in")
    expect(page.locator("html")).to_have_attribute("data-ahead", "done", timeout=60_000)
    ours = {"/sign-in", ahead.SCRIPT, ahead.SAMPLE}
    assert {url.path for url in asked if url.scheme == "http"} - ahead.files() == ours
    assert sockets == []

    begun = page.evaluate("performance.timeOrigin")
    page.locator("form.role:has(input[value=manager])").get_by_role("button").click()
    settled(page)
    assert shown_pages(page)
    expect(page.locator("main.slim, form.role")).to_have_count(0)
    expect(page).to_have_url(f"{server.url}/")
    assert page.evaluate("performance.timeOrigin") == begun
    page.close()


def shown_pages(page: Page) -> list[str]:
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links.first).to_be_visible()
    return [link.inner_text().strip().splitlines()[-1] for link in links.all()]


@pytest.mark.parametrize("role", ["manager", "regional", "marketing", "administrator", "staff"])
def test_each_role_enters_with_one_click_and_sees_its_pages(page_as: PageAs, role: str) -> None:
    page = page_as(role)
    listed = [entry.key for entry in access.PAGES if entry.listed and role in entry.detail]
    assert shown_pages(page) == [text("zh_CN", f"page.{key}") for key in listed]
    expect(page.locator(".st-key-account")).to_contain_text(text("zh_CN", f"role.{role}"))
    expect(page.get_by_text("⟦")).to_have_count(0)
    expect(page.get_by_text(text("zh_CN", "shell.failed", incident="").split("{")[0][:8])).to_have_count(0)


def test_a_link_to_a_page_survives_the_sign_in(page_as: PageAs, server: Server) -> None:
    page = page_as("regional", path="/segments?period=90d")
    expect(page).to_have_url(f"{server.url}/segments?period=90d")


def test_sign_out_ends_it_for_every_tab(page_as: PageAs, server: Server) -> None:
    page = page_as("marketing")
    other = page.context.new_page()
    other.goto(f"{server.url}/glossary")
    settled(other)
    page.get_by_role("button", name="退出登录").click()
    expect(page).to_have_url(f"{server.url}/sign-in")
    # Without a click: no figures stay on a screen that nobody is signed in at.
    expect(other).to_have_url(f"{server.url}/sign-in?next=%2Fglossary")
    page.goto(f"{server.url}/")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2F$"))


def test_the_language_switch_keeps_the_page_and_stays(page_as: PageAs, server: Server) -> None:
    page = page_as("regional", path="/segments")
    page.get_by_role("radio", name="English").or_(page.get_by_role("button", name="English")).click()
    settled(page)
    expect(page).to_have_url(f"{server.url}/segments?lang=en")
    expect(page.get_by_test_id("stSidebarNav")).to_contain_text("Retention")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Retention").click()
    settled(page)
    expect(page).to_have_url(f"{server.url}/retention?lang=en")
    page.go_back()
    settled(page)
    expect(page).to_have_url(f"{server.url}/segments?lang=en")


def test_an_unknown_page_is_ours(page_as: PageAs, server: Server, watched: Watched) -> None:
    page = page_as("manager")
    page.goto(f"{server.url}/secret")
    expect(page.get_by_text("没有这个页面，或者您的角色不能查看它。")).to_be_visible()
    assert len(watched.console) == 1
    assert "404" in watched.console.pop()
    assert watched.refused.pop() == f"404 {server.url}/secret"


def test_the_start_page_has_our_name_before_anything_runs(page_as: PageAs) -> None:
    page = page_as("manager", locale="en-GB")
    assert page.title() == "Beauty Mirror" or page.title().startswith("Overview")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_sign_in_page_fits_a_phone(browser: Browser, server: Server, locale: str) -> None:
    context = browser.new_context(locale=locale, viewport={"width": 390, "height": 844}, is_mobile=True)
    page = context.new_page()
    page.goto(server.url)
    assert page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]") == [390, 390]
    context.close()


def test_nothing_scrolls_sideways_on_a_phone(page_as: PageAs) -> None:
    page = page_as("manager", phone=True)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
