"""A picture of every page: ``python -m tests.browser.screenshots --out screenshots``.

Desktop and phone, Chinese and English, light and dark, sign-in included, on the demo chain. Looked at after every
change of the pages; nothing here is a test.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.refresh import refresh
from data_access.scope import Period, Scope
from data_access.snapshot import current_snapshot
from models.reports.campaigns import campaigns
from models.reports.overview import overview
from models.reports.product import product
from models.reports.staff import staff
from tests.browser.conftest import Server, chromium, serve, settled

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
WIDTHS = {"desktop": 1360, "phone": 390}
LOCALES = {"zh": "zh-CN", "en": "en-US"}
THEMES = ("light", "dark")
TALLEST = 6_000
# Name of the picture -> who looks, and at what.
PAGES = {
    "overview": ("regional", "/overview"),
    "overview_chain": ("marketing", "/overview"),
    "audiences": ("marketing", "/audiences"),
    "allocation": ("marketing", "/allocation"),
    "store": ("regional", "/store"),
    "category": ("regional", "/category?goods={goods}&store={store}"),
    "product": ("regional", "/product?product={product}"),
    "lot": ("regional", "/lot?product={product}"),
    "order": ("regional", "/order?order={order}"),
    "segments": ("regional", "/segments"),
    "retention": ("regional", "/retention"),
    "lapse": ("regional", "/lapse"),
    "spending": ("regional", "/spending"),
    "run_out": ("manager", "/run_out"),
    "customer": ("regional", "/customer?customer={customer}"),
    "value": ("regional", "/value"),
    "why": ("regional", "/why"),
    "stores": ("regional", "/stores"),
    "alerts": ("regional", "/alerts"),
    "staff": ("regional", "/staff"),
    "targets": ("regional", "/targets"),
    "training": ("regional", "/training"),
    "scorecard": ("marketing", "/scorecard"),
    "readiness": ("regional", "/readiness"),
    "staff_member": ("regional", "/staff_member?staff={staff}"),
    "mine": ("staff", "/mine"),
    "tasks": ("manager", "/tasks"),
    "demand": ("regional", "/demand"),
    "product_demand": ("regional", "/product_demand?product={product}"),
    "stock": ("manager", "/stock"),
    "stock_orders": ("regional", "/stock?list=orders"),
    "stock_quadrants": ("regional", "/stock?list=products"),
    "suppliers": ("regional", "/suppliers?supplier=V01"),
    "campaigns": ("marketing", "/campaigns"),
    "campaign": ("marketing", "/campaign?campaign={campaign}"),
    "funnel": ("marketing", "/funnel?campaign={campaign}"),
    "attribution": ("marketing", "/attribution"),
    "data_health": ("administrator", "/data_health"),
    "start": ("administrator", "/start"),
    "digests": ("administrator", "/digests"),
    "privacy": ("administrator", "/privacy"),
    "accounts": ("administrator", "/accounts"),
    "audit": ("administrator", "/audit"),
    "glossary": ("administrator", "/glossary"),
    "refused": ("manager", "/store?store=elsewhere"),
}
HOMES = {"manager": "S001", "regional": "R1"}
# The pictures of the README, each the top of one of these.
README = {
    "overview-desktop-zh": "overview-desktop-zh-light",
    "stores-desktop-en": "stores-desktop-en-light",
    "campaign-desktop-zh": "campaign-desktop-zh-light",
    "segments-desktop-zh-dark": "segments-desktop-zh-dark",
    "audiences-desktop-en-dark": "audiences-desktop-en-dark",
    "overview-phone-zh": "overview-phone-zh-light",
    "stock-phone-zh": "stock-phone-zh-light",
    "tasks-phone-en": "tasks-phone-en-light",
    "sign-in-phone-zh": "sign_in-phone-zh-light",
}
README_HEIGHT = {"desktop": 1_000, "phone": 844}


@contextmanager
def demo_server(scale: str) -> Iterator[Server]:
    """A server with a demo chain of its own."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
        write_demo(engine, scale=scale, truth_path=home / "truth.json", home=home)
        refresh(engine, home)
        engine.dispose()
        yield from serve(home, home / "server.log")


def take(server: Server, browser: Browser, out: Path, only: set[str]) -> Iterator[Path]:
    """Takes every picture whose page is in ``only`` (all when it is empty)."""
    ids = examples(server.home)
    for device, width in WIDTHS.items():
        for language, locale in LOCALES.items():
            for theme in THEMES:
                context = new_context(browser, device, width, locale, theme)
                page = context.new_page()
                if not only or "sign_in" in only:
                    page.goto(server.url)
                    yield shoot(page, out / f"sign_in-{device}-{language}-{theme}.png", width)
                entered = ""
                for name, (role, path) in PAGES.items():
                    if only and name not in only:
                        continue
                    if role != entered:
                        enter(page, server, role)
                        entered = role
                    page.goto(server.url + path.format(**ids))
                    settled(page)
                    yield shoot(page, out / f"{name}-{device}-{language}-{theme}.png", width)
                context.close()


def new_context(browser: Browser, device: str, width: int, locale: str, theme: str) -> BrowserContext:
    more = {"user_agent": PHONE, "is_mobile": True, "has_touch": True} if device == "phone" else {}
    return browser.new_context(
        viewport={"width": width, "height": 900},
        locale=locale,
        color_scheme=theme,
        **more,
    )


def enter(page: Page, server: Server, role: str) -> None:
    page.context.clear_cookies()
    page.goto(server.url)
    form = page.locator(f"form.role:has(input[value={role}])")
    if role in HOMES:
        form.locator("select").select_option(HOMES[role])
    form.get_by_role("button").click()
    settled(page)


def shoot(page: Page, target: Path, width: int) -> Path:
    """The whole page in one picture: the window grows to its content, which Streamlit scrolls in a box of its own."""
    main = page.get_by_test_id("stMain")
    # Behind the sign-in page one is drawn ahead, which nobody sees.
    height = int(main.evaluate("element => element.scrollHeight")) if main.is_visible() else 900
    page.set_viewport_size({"width": width, "height": min(max(height, 600), TALLEST)})
    page.wait_for_timeout(1_200)  # charts follow the window
    page.screenshot(path=target)
    page.set_viewport_size({"width": width, "height": 900})
    return target


def for_readme(out: Path, folder: Path) -> None:
    """The pictures of the README, small files, from those in ``out``."""
    for name, source in README.items():
        with Image.open(out / f"{source}.png") as picture:
            height = min(README_HEIGHT["phone" if "-phone-" in name else "desktop"], picture.height)
            top = picture.convert("RGB").crop((0, 0, picture.width, height))
            top.quantize(256, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)


def examples(home: Path) -> dict[str, str]:
    """A store, its best category and product, the latest receipt that holds it, a customer and the best campaign."""
    snapshot = current_snapshot(home)
    last = snapshot.info.last_day
    if last is None:
        raise SystemExit("the demo chain has no sales")
    period, scope = Period(last.replace(day=1), last), Scope("stores", (HOMES["manager"],))
    sold = overview(snapshot, scope, period)
    best = str(sold.products["product_id"].iloc[0])
    orders = product(snapshot, scope, period, best).recent_orders
    return {
        "staff": str(staff(snapshot, scope, period).staff["staff_id"].iloc[0]),
        "store": scope.store_ids[0],
        "goods": str(sold.by_category["category"].iloc[0]),
        "product": best,
        "order": str(orders["order_id"].iloc[0]),
        "customer": str(orders["customer_key"].dropna().iloc[0]),
        "campaign": str(campaigns(snapshot, Scope("chain")).campaigns["campaign_id"].iloc[0]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("screenshots"), help="folder for the pictures")
    parser.add_argument("--scale", default="demo", help="scale of the demo chain")
    parser.add_argument("--only", nargs="*", default=[], help=f"pages: sign_in {' '.join(PAGES)}")
    parser.add_argument("--readme", type=Path, help="takes nothing: makes the README's pictures from those in --out")
    chosen = parser.parse_args()
    if chosen.readme:
        for_readme(chosen.out, chosen.readme)
        return
    chosen.out.mkdir(parents=True, exist_ok=True)
    with demo_server(chosen.scale) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium())
        for number, picture in enumerate(take(server, browser, chosen.out, set(chosen.only)), start=1):
            sys.stdout.write(f"{number:3} {picture}\n")
            sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main()
