"""What the process says of itself when it starts."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app import app, lifespan
from data_access.freshness import utc_now
from data_access.state import accounts
from data_access.state.accounts import Rights
from data_access.state.store import opened
from pages._gate import warm
from pages._ui.i18n import text
from tests.gate.openid import Provider
from tests.gate.test_oidc import somebody

AWAY, FACTOR = (text("en", f"accounts.missing.{key}") for key in ("break_glass", "second_factor"))


def said_at_the_start(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> str:
    monkeypatch.setattr(warm, "start", lambda: SimpleNamespace(stop=lambda: None))
    monkeypatch.setattr("app.private.from_now_on", lambda: None)
    caplog.clear()

    async def start() -> None:
        async with lifespan(app):
            pass

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, start()).result()
    return caplog.text


def test_a_way_in_that_is_missing_is_said_in_the_log(
    op: Provider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chief = somebody("chief", Rights("administrator"))
    said = said_at_the_start(monkeypatch, caplog)
    assert AWAY in said
    assert FACTOR in said
    assert text("zh_CN", "accounts.missing.break_glass") in said
    accounts.set_break_glass(opened(), "terminal:test", chief.account_id, utc_now(), on=True)
    said = said_at_the_start(monkeypatch, caplog)
    assert AWAY not in said
    assert FACTOR in said


def _shown() -> None:
    from pages._ui import people

    people.say_what_is_missing()


def test_and_on_the_page_of_the_accounts(op: Provider) -> None:
    somebody("chief", Rights("administrator"))
    page = AppTest.from_function(_shown).run()
    assert not page.exception
    assert len(page.warning) == 2
