"""Campaigns by segment: figures of those who were in it the day before, kept by a batch, and the paths of a funnel."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data_access.marts.campaign_customer import campaign_customer
from data_access.queries import campaign_segments as queries
from data_access.queries import funnel
from data_access.queries._groups import NOT_KNOWN, groups
from data_access.queries._people import Question, base
from data_access.queries.funnel import Walk
from data_access.queries.segments import literals
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.jobs.campaign_segments import JOB
from models.reports import campaign_segments
from models.reports.campaign_segments import by_segment
from models.reports.campaigns import campaigns
from models.reports.funnel_detail import funnel_detail
from tests.results_kit import one_job
from tests.tiny import CHAIN, NORTH, ONLY_A

K1 = Walk("K1", date(2026, 3, 1), date(2026, 3, 12))


@pytest.fixture(scope="module")
def kept(tiny_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return one_job(tiny_snapshot, JOB, tmp_path_factory.mktemp("segments"))


@pytest.mark.parametrize("scope", [CHAIN, NORTH, ONLY_A], ids=["chain", "region", "store"])
def test_a_segment_of_an_earlier_day_is_the_one_of_the_segments_page(tiny_snapshot: Snapshot, scope: Scope) -> None:
    first = K1.first_day
    assert first is not None
    eve = Question(first - timedelta(days=1))
    with base(scope, tiny_snapshot.engine, eve) as then:
        source, found = groups(then.people, literals(then.cuts), eve, "keep_ties", scope, {"segment"})
        every = select(then.people.c.customer_no, found["segment"]).select_from(source)
        of = dict(then.connection.execute(every).tuples().all())
        m = campaign_customer.c
        asked = scope.limit(select(m.customer_no).where(m.campaign_id == "K1", m.arm.is_not(None)), m.store_id)
        expected = sorted(of.get(number, NOT_KNOWN) for number in then.connection.scalars(asked))
    rows = queries.members(scope, tiny_snapshot.engine, K1)
    assert sorted(rows.loc[rows["arm"].notna(), "segment"]) == expected


@pytest.mark.parametrize("scope", [CHAIN, NORTH, ONLY_A], ids=["chain", "region", "store"])
def test_who_walked_how_far_by_segment_is_what_the_funnel_asks(tiny_snapshot: Snapshot, scope: Scope) -> None:
    rows = queries.members(scope, tiny_snapshot.engine, K1)
    walked = rows[rows["taken"] >= 0].groupby(["segment", "taken"]).size()
    people = funnel.walked(scope, tiny_snapshot.engine, K1)
    assert walked.groupby("taken").sum().to_dict() == people.groupby("taken").size().to_dict()


def people(treated: int, held_back: int, buyers: tuple[int, int], spend: float) -> pd.DataFrame:
    """Customers of one segment: the treated and the control group, so many buyers in each, each for ``spend``."""
    control = np.arange(treated + held_back) >= treated
    place = np.where(control, np.arange(treated + held_back) - treated, np.arange(treated + held_back))
    bought = place < np.where(control, buyers[1], buyers[0])
    money = np.where(bought, spend, 0.0)
    frame = {"segment": "loyal", "arm": "gift", "is_control": control, "taken": 1, "reached": 4}
    return pd.DataFrame(frame | {"orders": bought.astype(int), "spend": money, "margin": money / 2})


def test_treated_and_held_back_are_compared_within_a_segment() -> None:
    row = by_segment(people(400, 200, (120, 30), 10.0), cost=400.0).iloc[0]
    assert (row["targeted"], row["held_back"], row["buyers"], row["reached"]) == (400, 200, 120, 400)
    assert (row["net_sales"], row["margin"]) == (120 * 10, 120 * 5)
    assert row["lift"] == 120 / 400 - 30 / 200
    assert row["incremental_margin"] == pytest.approx((120 * 5 / 400 - 30 * 5 / 200) * 400)
    assert row["verdict"] == "cannot_tell"  # 30 buyers in the control group: too few for money
    assert np.isnan(row["incremental_lo"])


def test_a_verdict_on_a_segment_counts_how_many_were_looked_at() -> None:
    clear = people(400, 400, (120, 60), 10.0)
    assert by_segment(clear, 1.0)["verdict"].tolist() == ["worked"]
    # 84 against 60 buyers: p is .04 alone, and three times as much beside two segments in which nothing happened
    slight = people(400, 400, (84, 60), 10.0)
    assert by_segment(slight, 1.0)["verdict"].tolist() == ["worked"]
    others = [people(400, 400, (60, 60), 10.0).assign(segment=name) for name in ("active", "new")]
    found = by_segment(pd.concat([slight, *others], ignore_index=True), 1.0).set_index("segment")["verdict"]
    assert found["loyal"] != "worked"


def test_small_segments_and_withheld_purchases_are_not_told() -> None:
    few = people(4, 4, (1, 1), 10.0)
    assert by_segment(few, 1.0).empty
    hidden = people(400, 400, (120, 60), 10.0).assign(orders=np.nan, spend=np.nan, margin=np.nan)
    row = by_segment(hidden, 1.0).iloc[0]
    assert (row["targeted"], row["verdict"]) == (400, "withheld")
    assert np.isnan(row["net_sales"])


def test_the_table_of_a_segment_needs_what_a_batch_kept(kept: Snapshot, tiny_snapshot: Snapshot) -> None:
    assert not campaigns(tiny_snapshot, CHAIN, "prospect").is_known
    assert not campaigns(kept, ONLY_A, "prospect").is_known  # of single stores none are kept
    report = campaigns(kept, CHAIN, "prospect")
    assert (report.is_known, report.segment) == (True, "prospect")
    assert set(report.campaigns["campaign_id"]) <= set(campaigns(kept, CHAIN).campaigns["campaign_id"])


def test_the_funnel_by_segment_is_the_same_from_the_batch(kept: Snapshot, tiny_snapshot: Snapshot) -> None:
    assert campaign_segments.paths(kept, CHAIN, K1) is not None
    assert campaign_segments.paths(kept, CHAIN, replace(K1, within_days=7)) is None
    one, other = (funnel_detail(snapshot, CHAIN, "K1") for snapshot in (kept, tiny_snapshot))
    pd.testing.assert_frame_equal(one.parts, other.parts, check_dtype=False)
    pd.testing.assert_frame_equal(one.gaps, other.gaps, check_dtype=False)


def test_what_is_frozen_is_taken_over(kept: Snapshot, tmp_path: Path) -> None:
    rows = queries.kept(CHAIN, kept.results) if kept.results else pd.DataFrame()
    before = campaign_segments.carried_over(kept, CHAIN)[campaign_segments.ROWS]
    assert set(before["campaign_id"]) == set(rows.loc[rows["frozen_at"].notna(), "campaign_id"])
    again = one_job(kept, JOB, tmp_path / "again")
    assert again.results is not None
    pd.testing.assert_frame_equal(queries.kept(CHAIN, again.results), rows)
