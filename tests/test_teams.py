"""What the batch keeps of reports on stores and their people is what they would add up, for every place."""

from datetime import timedelta

import pandas as pd
import pytest

from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.jobs.teams import JOB
from models.reports import REPORTS, tables
from models.reports._kept import TEAMS, kept_frames
from models.reports.readiness import readiness
from tests.results_kit import one_job
from tests.tiny import AS_OF, CHAIN, NORTH, ONLY_A

REPORTS_KEPT = ("readiness", "scorecard", "staff_goals", "training")


@pytest.fixture(scope="module")
def kept(tiny_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return one_job(tiny_snapshot, JOB, tmp_path_factory.mktemp("kept"))


@pytest.mark.parametrize("name", REPORTS_KEPT)
@pytest.mark.parametrize("scope", [CHAIN, NORTH, ONLY_A], ids=["chain", "region", "store"])
def test_what_is_kept_is_what_would_be_added_up(
    name: str, scope: Scope, tiny_snapshot: Snapshot, kept: Snapshot
) -> None:
    assert kept_frames(kept, scope, AS_OF, name, job=TEAMS) is not None
    when = () if REPORTS[name].over == "nothing" else (AS_OF,)
    found, made = (tables(REPORTS[name].function(snapshot, scope, *when)) for snapshot in (kept, tiny_snapshot))
    for table, expected in made.items():
        pd.testing.assert_frame_equal(found[table], expected, check_dtype=False, check_index_type=False)


def test_another_day_and_a_set_of_stores_that_is_no_place_are_added_up(kept: Snapshot) -> None:
    assert kept_frames(kept, CHAIN, AS_OF - timedelta(days=1), "training", job=TEAMS) is None
    assert kept_frames(kept, Scope("stores", ("A", "C")), AS_OF, "training", job=TEAMS) is None


def test_a_store_finds_nobody_of_another(kept: Snapshot) -> None:
    found = kept_frames(kept, ONLY_A, AS_OF, "training", job=TEAMS)
    assert found is not None
    assert set(found["people"]["store_id"]) == {"A"}


def test_until_when_shifts_are_known_is_kept(kept: Snapshot, tiny_snapshot: Snapshot) -> None:
    assert readiness(kept, ONLY_A).rostered_until == readiness(tiny_snapshot, ONLY_A).rostered_until
