"""The watcher: a newer generation is warm before anybody sees it, and a bad one harms nobody."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit as st

import app
from data_access.crm import crm_engine
from data_access.refresh import refresh
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot, current_snapshot, folder, held
from models.reports.overview import OverviewReport
from pages._gate import warm
from pages._gate.state import State, state
from pages._ui import load
from tests import small_chain


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The small chain in use by this process, held as a server holds it."""
    with small_chain.served(tmp_path / "home") as home, held(home):
        current_snapshot(home)
        yield home


def refresh_again(home: Path) -> str:
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
    try:
        return refresh(engine, home, full=True).generation
    finally:
        engine.dispose()


def test_a_newer_generation_is_warm_before_it_is_in_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[tuple[str, str]] = []  # generation of the report, generation in use at that moment
    real = load.overview_report

    def report(snapshot: Snapshot, scope: Scope, period: Period, category: str | None) -> OverviewReport:
        computed.append((snapshot.generation, load.generation()))
        return real(snapshot, scope, period)

    monkeypatch.setattr(load, "overview_report", report)
    watcher = warm.Watcher()
    watcher.look()
    assert (load.generation(), computed) == ("1", [])  # nothing new, nothing done
    assert refresh_again(home) == "2"
    assert load.generation() == "1"
    watcher.look()
    assert load.generation() == "2"
    assert computed == [("2", "1")] * (1 + len(small_chain.REGIONS))
    load.overview(Scope("chain"), Period(small_chain.LAST_DAY.replace(day=1), small_chain.LAST_DAY), None, "2")
    assert computed[-1] == ("2", "2")  # other days are computed when somebody asks


def test_a_report_that_fails_does_not_keep_new_data_back(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def report(snapshot: Snapshot, scope: Scope, period: Period, category: str | None) -> OverviewReport:
        raise ArithmeticError("not today")

    monkeypatch.setattr(load, "overview_report", report)
    refresh_again(home)
    warm.Watcher().look()
    assert load.generation() == "2"
    assert "generation 2 could not be warmed" in caplog.text


def test_a_generation_that_cannot_be_opened_is_passed_over_and_the_next_one_is_not(home: Path) -> None:
    watcher = warm.Watcher()
    refresh_again(home)
    (folder(home) / "facts_2.duckdb").write_bytes(b"cut")
    watcher.look()
    assert load.generation() == "1"
    assert state() is State.OPEN
    failure = load.unusable()
    assert failure
    assert failure.file == "facts_2.duckdb"
    refresh_again(home)
    watcher.look()
    assert load.generation() == "3"
    assert load.unusable() is None


def test_the_generation_before_is_let_go_a_while_after_the_change(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = warm.Watcher()
    pool = load.snapshot().engine.pool
    refresh_again(home)
    watcher.look()
    load.snapshot()
    watcher.look()
    assert load._at("1").generation == "1"  # whoever began with it can finish
    monkeypatch.setattr(warm, "_RELEASE_AFTER", 0.0)
    watcher.look()
    gc.collect()
    assert pool.checkedin() == 0
    with pytest.raises(LookupError, match="generation 1 is no longer open"):
        load._at("1")


def test_the_watcher_follows_new_generations_and_stops_with_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(warm, "warmed", threading.Event())

    async def serve(home: Path) -> None:
        async with app.lifespan(app.app):
            assert await asyncio.to_thread(warm.warmed.wait, 60)
            await asyncio.to_thread(refresh_again, home)
            for _ in range(600):
                if load.generation() == "2":
                    return
                await asyncio.sleep(0.05)
            pytest.fail("the new generation did not come into use")

    with small_chain.served(tmp_path / "home") as home:
        # In a thread of its own: a browser test before may have left an event loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, serve(home)).result()
        assert "watcher" not in [thread.name for thread in threading.enumerate()]
        refresh_again(home)
        assert load.generation() == "3"  # without a watcher the pointer is looked at again
    st.cache_data.clear()
