"""Sign-in with an OpenID provider in Chromium: there and back, and out of both. Both sites are on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from data_access.freshness import utc_now
from data_access.state import accounts, identities
from data_access.state.accounts import Rights
from data_access.state.identities import Identity
from data_access.state.store import prepare, state_engine
from tests.browser.conftest import Server, serve, settled
from tests.gate.openid import CLIENT_ID, SECRET, Provider


@pytest.fixture
def op() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def with_provider(op: Provider, chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with the demo chain, where people sign in with the provider; ann is linked to a manager's account."""
    url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    store = state_engine(url)
    prepare(store)
    ann = accounts.create(
        store,
        "terminal:test",
        "ann",
        "Ann",
        Rights("manager", ("S1",)),
        "purple-kettle-river-9",
        utc_now(),
        initial=False,
    )
    identities.link(store, "terminal:test", ann.account_id, Identity(op.issuer, "sub-of-ann"), utc_now())
    store.dispose()
    monkeypatch.setenv("MIRROR_STATE_URL", url)
    for name, value in {"ISSUER": op.issuer, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": SECRET}.items():
        monkeypatch.setenv(f"MIRROR_OIDC_{name}", value)
    for server in serve(chain, tmp_path / "log.txt"):
        op.allow(server.url)
        yield server


def test_there_and_back_and_out_of_both(browser: Browser, with_provider: Server, op: Provider) -> None:
    page = browser.new_context(locale="en-GB").new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(f"{with_provider.url}/segments")
    page.get_by_role("link", name="Continue with company sign-in").click()
    settled(page)
    assert page.url == f"{with_provider.url}/segments"
    assert "state=" not in page.url
    page.goto(f"{with_provider.url}/sign-out")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Continue with company sign-in")).to_be_visible()
    assert op.asked[-1] == "session"
    assert page.url == f"{with_provider.url}/sign-in"
    assert [one["name"] for one in page.context.cookies() if one["name"].startswith("mirror")] != []
    assert not any(one["name"] in ("mirror", "mirror_visit") for one in page.context.cookies())
    assert wrong == []


def test_somebody_unknown_reads_what_to_do(browser: Browser, with_provider: Server, op: Provider) -> None:
    op.user = "bo"
    page = browser.new_context(locale="zh-CN").new_page()
    page.goto(with_provider.url)
    page.get_by_role("link", name="使用公司账号登录").click()
    expect(page.get_by_role("heading", name="您还没有访问权限")).to_be_visible()
    expect(page.get_by_text("sub-of-bo")).to_be_visible()
