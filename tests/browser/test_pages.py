"""The pages in a real Chromium: as each role, with real clicks, in the colours of the theme."""

import re

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from data_access.scope import Scope
from data_access.snapshot import current_snapshot
from models.calc.periods import PRESETS
from models.reports.overview import overview
from pages._ui import access
from pages._ui.i18n import text
from tests.browser.conftest import PageAs, Server, settled
from tests.browser.screenshots import examples

ROLES = ("manager", "regional", "marketing", "administrator", "staff")
LIGHT_ACCENT, DARK_ACCENT = "rgb(140, 59, 94)", "rgb(224, 147, 174)"


def click_middle(page: Page, mark: Locator) -> None:
    """Clicks the middle of a mark: Plotly keeps a transparent layer above all marks, which takes the click."""
    box = in_view(page, mark)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.wait_for_timeout(200)  # a click counts for the mark that Plotly has found under the pointer
    page.mouse.click(x, y)


def in_view(page: Page, mark: Locator) -> FloatRect:
    """Where ``mark`` is after scrolling to it: Streamlit scrolls a box of its own, and charts settle late."""
    mark.evaluate("element => element.scrollIntoView({block: 'center', behavior: 'instant'})")
    page.wait_for_timeout(300)
    box = mark.bounding_box()
    assert box is not None
    return box


def bar(page: Page, chart: str, number: int = 0) -> Locator:
    return page.locator(f".st-key-{chart} .bars .point path").nth(number)


def click_first_row(page: Page, table: str) -> None:
    box = in_view(page, page.locator(f".st-key-{table} canvas").first)
    page.mouse.click(box["x"] + 60, box["y"] + 35 + 17)


def open_path(page: Page, server: Server, path: str) -> None:
    page.goto(server.url + path)
    settled(page)


def menu(role: str) -> list[str]:
    return [entry.key for entry in access.PAGES if role in entry.detail and entry.listed]


def first_met(role: str) -> list[str]:
    """The pages of a role that none before it in ``ROLES`` has: each page once, all roles together."""
    before = {key for other in ROLES[: ROLES.index(role)] for key in menu(other)}
    return [key for key in menu(role) if key not in before]


@pytest.mark.parametrize(
    ("role", "keys"),
    [
        *(pytest.param(role, first_met(role), id=role) for role in ROLES if first_met(role)),
        # The first role opens its whole menu above.
        *(pytest.param(role, menu(role), id=f"{role}-all", marks=pytest.mark.slow) for role in ROLES[1:]),
    ],
)
def test_every_page_opens_without_an_error_and_without_asking_another_host(
    page_as: PageAs, server: Server, role: str, keys: list[str]
) -> None:
    page = page_as(role, locale="en-US")
    for key in keys:
        open_path(page, server, f"/{key}")
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_text("Something went wrong")).to_have_count(0)  # the text of shell.failed


def test_pages_of_one_thing_ask_no_other_host(page_as: PageAs, server: Server) -> None:
    """Those that no menu lists: of a product, a receipt, a customer, a campaign, somebody of the staff, an audience."""
    known = examples(server.home)
    things = {
        "category": "goods",
        "product": "product",
        "lot": "product",
        "product_demand": "product",
        "order": "order",
        "customer": "customer",
        "staff_member": "staff",
    }
    page = page_as("regional", home="R1", locale="en-US")
    for key, thing in things.items():
        open_path(page, server, f"/{key}?{thing}={known[thing]}")
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
    page = page_as("marketing", locale="en-US")
    for key, address in {"campaign": f"?campaign={known['campaign']}", "audience": ""}.items():
        open_path(page, server, f"/{key}{address}")
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
    assert {entry.key for entry in access.PAGES if not entry.listed} == {*things, "campaign", "audience"}


def test_nothing_scrolls_sideways_on_a_phone(page_as: PageAs, server: Server) -> None:
    page = page_as("manager", phone=True)
    for path in ("/overview", "/store", "/segments", "/retention", "/glossary", "/data_health"):
        open_path(page, server, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        main = page.get_by_test_id("stMain")
        assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0, path


@pytest.mark.parametrize(("dark", "colour"), [(False, LIGHT_ACCENT), (True, DARK_ACCENT)], ids=["light", "dark"])
def test_bars_have_the_colour_of_the_theme_and_not_of_plotly(page_as: PageAs, dark: bool, colour: str) -> None:
    page = page_as("marketing", dark=dark)
    expect(bar(page, "overview_stores")).to_have_css("fill", colour)


def test_a_click_on_a_store_opens_it_and_back_returns(page_as: PageAs, server: Server) -> None:
    page = page_as("marketing", locale="en-US")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Overview")
    click_middle(page, bar(page, "overview_stores"))
    expect(page).to_have_url(re.compile(r"/store\?store=\w+"))
    settled(page)
    best = best_store(server)
    expect(page).to_have_url(re.compile(f"store={best}"))
    expect(heading).not_to_have_text("Overview")
    page.go_back()
    expect(heading).to_have_text("Overview")
    expect(page).to_have_url(f"{server.url}/")


def best_store(server: Server) -> str:
    snapshot = current_snapshot(server.home)
    info = snapshot.info
    assert info.first_day is not None
    assert info.last_day is not None
    report = overview(snapshot, Scope("chain"), PRESETS["28d"](info.first_day, info.last_day))
    return str(report.by_store["store_id"].iloc[0])


def test_a_drill_ends_at_a_receipt_and_every_level_has_its_address(page_as: PageAs, server: Server) -> None:
    page = page_as("regional", home="R1", path="/store?period=90d", locale="en-US")
    settled(page)
    click_middle(page, bar(page, "store_top"))
    expect(page).to_have_url(re.compile(r"/product\?.*product=\w+"))
    settled(page)
    expect(page).to_have_url(re.compile(r"period=90d"))
    click_first_row(page, "product_orders")
    expect(page).to_have_url(re.compile(r"/order\?.*order=\w+"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order ")
    settled(page)
    # the address alone leads back to the same receipt
    receipt = page.get_by_role("heading", level=1).inner_text()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(receipt)


def test_a_row_that_opens_the_same_page_for_another_campaign_opens_it_once(page_as: PageAs) -> None:
    page = page_as("marketing", path="/funnel", locale="en-US")
    settled(page)
    click_first_row(page, "funnel_compared")
    expect(page).to_have_url(re.compile(r"campaign=\w+"))
    settled(page)  # without end, if what was clicked were opened again in every run


def test_a_breadcrumb_leads_up_again(page_as: PageAs) -> None:
    page = page_as("regional", home="R1", path="/store", locale="en-US")
    page.locator(".st-key-breadcrumb").get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_a_click_on_a_region_keeps_only_that_region(page_as: PageAs) -> None:
    page = page_as("marketing", locale="en-US")
    click_middle(page, bar(page, "overview_regions"))
    expect(page).to_have_url(re.compile(r"region=R\d"))
    expect(page.get_by_text("Net sales by city")).to_be_visible()


def test_a_click_on_a_cell_of_the_grid_narrows_the_list(page_as: PageAs) -> None:
    page = page_as("marketing", path="/segments", locale="en-US")
    expect(page.get_by_text(re.compile(r"All customers · "))).to_be_visible()
    cell = page.locator(".st-key-segments_grid .scatterlayer .point").nth(4)
    click_middle(page, cell)
    expect(page.get_by_text(re.compile(r"R5 · FM5 · \d"))).to_be_visible()


def test_a_click_on_a_cohort_follows_it_below(page_as: PageAs) -> None:
    page = page_as("marketing", path="/retention", locale="en-US")
    first = page.locator(
        ".st-key-retention_cohorts .yaxislayer-above text, .st-key-retention_cohorts .ytick text"
    ).first
    month = (first.text_content() or "").split(" · ")[0]
    click_middle(page, page.locator(".st-key-retention_cohorts .scatterlayer .point").first)
    expect(page.get_by_text(f"Customers who first bought in {month}")).to_be_visible()


def test_only_the_open_tab_is_drawn(page_as: PageAs) -> None:
    page = page_as("marketing", path="/segments", locale="en-US")
    expect(page.locator(".st-key-segments_grid .main-svg").first).to_be_visible()
    page.get_by_role("tab", name=text("en", "segments.view.moves")).click()
    expect(page.locator(".st-key-segments_grid")).to_have_count(0)


@pytest.mark.parametrize("role", ["manager", "regional"])
def test_a_forged_store_shows_nothing_of_it(page_as: PageAs, server: Server, role: str) -> None:
    page = page_as(role, home="S001" if role == "manager" else "R1", locale="en-US")
    open_path(page, server, "/store?store=S002")
    expect(page.get_by_text(text("en", "empty.no_store"))).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_have_count(0)
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(0)


def test_the_list_can_be_taken_away(page_as: PageAs) -> None:
    page = page_as("marketing", path="/segments", locale="en-US")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as loading:
        page.get_by_role("button", name=re.compile("This list as CSV")).click()
    content = loading.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbfcustomer_key,")
    assert re.fullmatch(r"segments-[0-9a-f]{16}\.csv", loading.value.suggested_filename)
    # the page stays, and the same button gives the file again
    with page.expect_download() as again:
        page.get_by_role("button", name=re.compile("This list as CSV")).click()
    assert again.value.url != loading.value.url
    assert page.request.get(loading.value.url).status == 404


def test_a_file_comes_once_and_only_to_the_window_that_asked(page_as: PageAs, server: Server) -> None:
    page, other = (page_as("marketing", path="/segments", locale="en-US") for _ in range(2))
    page.get_by_role("button", name="Export").click()
    offer = page.locator("form.files button").first.get_attribute("value")
    assert offer
    form = {"form": {"offer": offer}, "headers": {"origin": server.url}, "max_redirects": 0}
    assert other.request.post(f"{server.url}/export", **form).status == 404  # type: ignore[arg-type]
    place = server.url + page.request.post(f"{server.url}/export", **form).headers["location"]  # type: ignore[arg-type]
    assert [who.request.get(place).status for who in (other, page, page)] == [404, 200, 404]
