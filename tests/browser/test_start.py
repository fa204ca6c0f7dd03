"""From an empty home to a page with figures, in the browser alone: by the demo chain, and by one file of a till."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts, totp
from data_access.state.accounts import Rights
from data_access.state.store import prepare, state_engine
from tests.browser.conftest import Server, serve, settled

PASSWORD = "purple-kettle-river-9"
WITHIN = 120_000  # milliseconds for a chain or an import, and its snapshot, on a busy machine
TILL = """小票号,销售时间,商品编码,商品名称,数量,实收金额,门店,会员号
1001,2026-11-01 10:00,A1,精华,2,199.00,南京路店,M1
1001,2026-11-01 10:00,A2,面霜,1,88.50,南京路店,M1
1002,2026-11-02 11:30,A1,精华,-1,-99.50,南京路店,M1
1003,2026-11-02 12:00,A2,面霜,many,88.50,万象城店,
1004,2026-11-03 12:00,A2,面霜,1,88.50,万象城店,
"""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of an installation that nobody has begun; this process keeps its keys in the same home."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("MIRROR_HOME", str(home))
    settings.cache_clear()
    yield from serve(home, tmp_path / "log.txt", wait_for="/healthz")
    settings.cache_clear()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window in Chinese in which nothing may go wrong unseen."""
    page = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900}).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert wrong == []
    page.context.close()


def test_the_demo_chain_is_one_click_away(empty: Server, page: Page) -> None:
    page.goto(empty.url)
    page.locator("select[name=size]").select_option("tiny")
    page.get_by_role("button", name="生成演示数据").click()
    expect(page.get_by_role("heading", name="正在接入数据")).to_be_visible()
    form = page.locator("form.role:has(input[value=marketing])")
    expect(form).to_be_visible(timeout=WITHIN)
    form.get_by_role("button").click()
    settled(page)
    expect(page.get_by_test_id("stMetric").first).to_contain_text("净销售额")
    expect(page.get_by_test_id("stMetricValue").first).to_contain_text("¥")


def test_one_file_of_a_till_becomes_figures(empty: Server, page: Page, tmp_path: Path) -> None:
    code = an_administrator(empty.home)
    page.goto(empty.url)
    page.get_by_role("link", name="登录").click()
    page.locator("[name=name]").fill("li.na")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.locator("[name=code]").fill(code)
    page.get_by_role("button", name="登录").click()
    settled(page)
    (tmp_path / "wrong.csv").write_bytes(b"a,a\n1,2\n")
    (tmp_path / "till.csv").write_bytes(TILL.encode("gb18030"))
    upload = page.locator("input[type=file]")
    upload.set_input_files(tmp_path / "wrong.csv")
    expect(page.get_by_text("有两列都叫 a")).to_be_visible()
    page.reload()
    settled(page)
    upload.set_input_files(tmp_path / "till.csv")
    read, loaded, left_out, amount = (page.get_by_test_id("stMetricValue").nth(number) for number in range(4))
    expect(read).to_have_text("5")
    expect(loaded).to_have_text("4")
    expect(left_out).to_have_text("1")
    expect(amount).to_contain_text("276.50")  # 199 + 88.50 - 99.50 + 88.50
    page.get_by_role("button", name="开始导入").click()
    expect(page.get_by_text("有 1 行未导入")).to_be_visible(timeout=WITHIN)
    settled(page)
    a_colleague(empty.home)
    page.context.clear_cookies()
    page.goto(f"{empty.url}/sign-in")
    page.locator("[name=name]").fill("sun")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    settled(page)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("¥277")  # 276.50 of all days


def an_administrator(home: Path) -> str:
    """An administrator with a second factor, as the setup link makes them; gives the next code of the authenticator."""
    engine = state_engine(f"sqlite:///{home / 'state.sqlite'}")
    prepare(engine)
    rights, now = Rights("administrator"), utc_now()
    made = accounts.create(engine, "terminal:test", "li.na", "Li Na", rights, PASSWORD, now, initial=False)
    offered = totp.enrol(engine, made.account_id, now)
    key, step = base64.b32decode(offered.key.replace(" ", "")), totp.step_at(now)
    totp.confirm(engine, made.account_id, totp.code_at(key, step), now)
    engine.dispose()
    return totp.code_at(key, step + 1)


def a_colleague(home: Path) -> None:
    """Somebody of marketing, who sees the chain."""
    engine = state_engine(f"sqlite:///{home / 'state.sqlite'}")
    rights = Rights("marketing")
    accounts.create(engine, "terminal:test", "sun", "Sun", rights, PASSWORD, utc_now(), initial=False)
    engine.dispose()
