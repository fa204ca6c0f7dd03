"""What is remembered of the last refreshes, and who sees it."""

from datetime import datetime
from pathlib import Path

import pytest

from data_access import refresh_log
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.refresh import refresh
from data_access.refresh_log import past_refreshes, remembered
from data_access.scope import Scope
from models.reports.health import refreshes
from tests import tiny_crm

CHAIN = Scope("chain")


def test_every_refresh_is_remembered_with_how_it_ended(tmp_path: Path) -> None:
    engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    with pytest.raises(Problem):
        refresh(engine, tmp_path)
    tiny_crm.fill(engine)
    first = refresh(engine, tmp_path)
    refresh(engine, tmp_path)
    shown = refreshes(tmp_path, CHAIN)
    assert shown["outcome"].tolist() == ["nothing", "full", "failed"]
    assert shown["generation"].tolist()[:2] == [first.generation, first.generation]
    assert shown["failure"].notna().tolist() == [False, False, True]
    assert shown["rows_read"].tolist()[1] == first.rows_read
    assert "there is no CRM database" in shown["failure"][2] or "no table" in shown["failure"][2]
    assert shown["started"].is_monotonic_decreasing
    assert refreshes(tmp_path, Scope("stores", ("S1",))).empty


def test_only_the_last_ones_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh_log, "KEPT", 3)
    for number in range(5):
        with remembered(tmp_path) as past:
            past.generation = str(number)
    assert [past.generation for past in past_refreshes(tmp_path)] == ["4", "3", "2"]


def test_a_file_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    for text in ("", "{}", '[{"started": "yesterday"}]', "[1]"):
        (tmp_path / "refreshes.json").write_text(text)
        assert past_refreshes(tmp_path) == []
    with remembered(tmp_path) as past:
        past.started = datetime(2026, 1, 1)
    assert [past.started for past in past_refreshes(tmp_path)] == [datetime(2026, 1, 1)]
