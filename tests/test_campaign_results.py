"""Results of campaigns in the batch: equal to what is computed, and never again different once a window has closed."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import create_engine, update

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.tables import data_source
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.jobs.campaigns import JOB
from models.reports import tables
from models.reports.campaign import campaign
from models.reports.campaigns import campaigns
from tests import tiny
from tests.results_kit import one_job
from tests.tiny import CHAIN, NORTH, ONLY_A

CLOSED, OPEN = "K1", "K5"  # K1 counted orders to 12 March; K5 begins on the 16th and ends with the data, on the 20th


@pytest.fixture
def fresh(tmp_path: Path) -> Snapshot:
    return tiny.snapshot(tmp_path / "facts.duckdb")


@pytest.fixture
def kept(fresh: Snapshot, tmp_path: Path) -> Snapshot:
    return one_job(fresh, JOB, tmp_path / "first")


def later(kept: Snapshot, path: Path, *changes: object) -> Snapshot:
    """A newer generation of the facts, in which something changed, with the results of the one before."""
    found = tiny.snapshot(path)
    found.engine.dispose()
    writable = create_engine(f"duckdb:///{path}")
    with writable.begin() as connection:
        for change in changes:
            connection.execute(change)  # type: ignore[call-overload]
    writable.dispose()
    info = replace(found.info, generation=8, as_of=datetime(2026, 3, 21, 20))
    return replace(found, info=info, results=kept.results)


# Everybody who bought in a window spent ten times as much, as if it had been booked late.
LATE = update(campaign_customer).values(gross_sales=campaign_customer.c.gross_sales * 10)


@pytest.mark.parametrize("scope", [CHAIN, NORTH, ONLY_A], ids=["chain", "region", "store"])
def test_what_a_batch_kept_is_what_would_be_computed(kept: Snapshot, fresh: Snapshot, scope: Scope) -> None:
    found, expected = campaigns(kept, scope).campaigns, campaigns(fresh, scope).campaigns
    pd.testing.assert_frame_equal(
        found.drop(columns="frozen_at"), expected.drop(columns="frozen_at"), check_dtype=False, rtol=1e-12
    )
    for name in expected["campaign_id"]:
        one, other = campaign(kept, scope, name), campaign(fresh, scope, name)
        assert (one.money, one.is_over) == (other.money, other.is_over)
        for table, frame in tables(other).items():
            pd.testing.assert_frame_equal(
                tables(one)[table], frame, check_dtype=False, rtol=1e-12, obj=f"{name} {table}"
            )


def test_a_result_is_final_once_the_window_has_closed(kept: Snapshot, fresh: Snapshot) -> None:
    frozen = campaigns(kept, CHAIN).campaigns.set_index("campaign_id")["frozen_at"]
    assert frozen[CLOSED] == pd.Timestamp(fresh.info.as_of)
    assert pd.isna(frozen[OPEN])
    assert campaign(kept, CHAIN, CLOSED).frozen_at == fresh.info.as_of
    assert campaign(kept, CHAIN, OPEN).frozen_at is None
    assert campaigns(fresh, CHAIN).campaigns["frozen_at"].isna().all()


def test_what_is_final_stays_whatever_the_data_say_later(kept: Snapshot, tmp_path: Path) -> None:
    newer = later(kept, tmp_path / "newer.duckdb", LATE)
    again = one_job(newer, JOB, tmp_path / "second")
    before, computed = sales(kept), sales(replace(newer, results=None))
    assert before[CLOSED] != computed[CLOSED]
    for snapshot in (newer, again):  # before the next batch and after it
        assert sales(snapshot)[CLOSED] == before[CLOSED]
        assert sales(snapshot)[OPEN] == computed[OPEN]
        for table in ("arms", "lift", "verdict"):
            one, other = (tables(campaign(s, CHAIN, CLOSED))[table] for s in (kept, snapshot))
            pd.testing.assert_frame_equal(one, other)
    once_more = one_job(later(again, tmp_path / "third.duckdb", LATE), JOB, tmp_path / "third")
    assert sales(once_more)[CLOSED] == before[CLOSED]
    assert campaign(once_more, CHAIN, CLOSED).frozen_at == datetime(2026, 3, 20, 20, 30)


def test_a_window_that_closes_is_frozen_by_the_next_batch(kept: Snapshot, tmp_path: Path) -> None:
    newer = later(kept, tmp_path / "newer.duckdb", LATE)
    again = one_job(newer, JOB, tmp_path / "second")
    assert campaign(again, CHAIN, OPEN).frozen_at == newer.info.as_of
    assert sales(again)[OPEN] == sales(newer)[OPEN]


@pytest.mark.parametrize(
    "change",
    [
        update(data_source).values(name="another chain"),
        update(tiny.tables.campaign).values(window_last=date(2026, 3, 13)),
    ],
    ids=["another chain", "other dates"],
)
def test_results_of_something_else_are_not_carried_over(kept: Snapshot, tmp_path: Path, change: object) -> None:
    newer = later(kept, tmp_path / "newer.duckdb", LATE, change)
    assert sales(newer)[CLOSED] == sales(replace(newer, results=None))[CLOSED]
    again = one_job(newer, JOB, tmp_path / "second")
    assert campaign(again, CHAIN, CLOSED).frozen_at == newer.info.as_of


def test_a_cost_that_becomes_known_later_gives_the_return(kept: Snapshot, tmp_path: Path) -> None:
    newer = later(kept, tmp_path / "newer.duckdb", update(tiny.tables.campaign).values(cost_media=50))
    row = campaigns(newer, CHAIN).campaigns.set_index("campaign_id").loc[CLOSED]
    assert row["roi"] == (row["incremental_margin"] - 50) / 50
    verdict = campaign(newer, CHAIN, CLOSED).verdict.iloc[-1]
    assert (verdict["cost"], verdict["roi"]) == (50, row["roi"])


def sales(snapshot: Snapshot) -> dict[str, float]:
    """Net sales of each campaign for the chain."""
    found = campaigns(snapshot, CHAIN).campaigns
    return dict(zip(found["campaign_id"], found["net_sales"], strict=True))
