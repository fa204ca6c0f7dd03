"""Saving and handing over an audience: what is frozen, what leaves, and who is never in a file."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import Engine

from data_access.pseudonym import customer_key
from data_access.queries.audience import Bought, Conditions
from data_access.scope import Scope
from data_access.state import audiences
from data_access.state.audiences import CONTACTED, Draft
from data_access.state.store import prepare, state_engine
from models.calc.audience_rules import held_back
from models.reports.audience import Wish
from pages._ui import audience_views as views

CHAIN, NOW = Scope("chain"), datetime(2026, 11, 22, 3)
CUSTOMERS = np.arange(1, 101, dtype=np.int64)
DRAFT = Draft("Winter", "sms", {}, {}, 5, 100, 30, 0.2, "4", date(2026, 11, 20))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = state_engine(f"sqlite:///{tmp_path}/state.sqlite")
    prepare(engine)
    monkeypatch.setattr(views, "opened", lambda: engine)
    monkeypatch.setattr(views.session, "current_scope", lambda: CHAIN)
    yield engine
    engine.dispose()


def test_the_held_back_are_never_in_the_file(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    held = held_back(CUSTOMERS, 30, seed=5)
    audience_id = audiences.save(store, CHAIN, "anna", DRAFT, CUSTOMERS, held, NOW)
    found = audiences.one(store, CHAIN, audience_id)
    assert found is not None
    monkeypatch.setattr(views.handover, "use_of", lambda purpose, channel: (purpose, channel))
    monkeypatch.setattr(views.handover, "for_use", lambda fetch, scope, use: fetch)
    monkeypatch.setattr(views.freshness, "local", lambda instant: instant)
    listed, use = views.hand_over(found)
    assert use == ("marketing", "sms")
    rows = listed.fetch()
    assert (listed.rows, list(rows)) == (70, ["customer_key"])
    assert set(rows["customer_key"]) == set(map(customer_key, CUSTOMERS[~held].tolist()))
    everybody = views.rows_of(found)
    assert everybody["arm"].tolist() == [CONTACTED] * 70 + ["held_back"] * 30


def test_the_advice_is_the_smallest_share_that_finds_the_effect() -> None:
    assert views.advised(0.1, 0.05, 20_000, 50_000) == 0.05
    assert views.advised(0.1, 0.05, 2_000, 50_000) == 0.2
    assert views.advised(0.1, 0.01, 200, 50_000) == views.MUCH  # none does


def test_conditions_are_kept_without_what_was_left_open() -> None:
    page = SimpleNamespace(scope=Scope("stores", ("S1",)))
    asked = Wish(Conditions(segments=("loyal",), bought=Bought("Face", days=90)), ("sms",), "sms", 14)
    assert views._kept_conditions(page, asked) == {  # type: ignore[arg-type]
        "segments": ("loyal",),
        "bought": {"category": "Face", "product_id": None, "days": 90, "least": 0.0, "none": False},
        "runs_out_within": 14,
        "most_contacts": 4,
        "stores": ("S1",),
    }


def test_an_audience_waits_for_the_refresh_that_makes_it_members(store: Engine) -> None:
    audience_id = audiences.save(store, CHAIN, "anna", DRAFT, CUSTOMERS, held_back(CUSTOMERS, 30, 5), NOW)
    states = [views.state_of(*(audiences.every(store, CHAIN)[0], set()))]
    audiences.link(store, CHAIN, "anna", audience_id, "K1", NOW, ["K1"])
    (found,) = audiences.every(store, CHAIN)
    states += [views.state_of(found, set()), views.state_of(found, {"K1"})]
    assert states == ["draft", "waiting", "members"]
