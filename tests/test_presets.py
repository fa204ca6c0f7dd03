"""What the batch keeps of long reports is what they would add up, for every place."""

from datetime import timedelta

import pandas as pd
import pytest

from data_access.results.frames import from_bytes, to_bytes
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.jobs.movement import JOB as MOVEMENT
from models.jobs.presets import JOB
from models.reports import REPORTS, reasons, spending, tables
from models.reports._kept import kept_frames
from tests.random_chain import LAST, RandomChain, random_chain
from tests.results_kit import one_job
from tests.tiny import CHAIN, ONLY_A

SCOPES = {"chain": CHAIN, "store": ONLY_A}
ASKED: dict[str, list[dict[str, object]]] = {
    "retention": [{}, {"months": 3}, {"months": None}],
    "treatments": [{}],
    "preferences": [{}, {"by": "gender", "thing": "benefit"}],
    "crossing": [{}, {"rows": "home_store", "columns": "segment"}, {"rows": "abc", "columns": "tag"}],
    "profile_quality": [{}, {"stale_months": 3}],
    "reasons": [{}, {"members": 3}, {"members": reasons.MOST_MEMBERS}],
    "spending": [{}, {"members": 3}, {"members": spending.MOST_MEMBERS}],
    "movement": [{}, {"scheme": "abc", "months": 6}],
    "flows": [{"scheme": "five_phase"}],
}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> RandomChain:
    return random_chain(tmp_path_factory.mktemp("random") / "facts.duckdb")


@pytest.fixture(scope="module")
def kept(chain: RandomChain, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    moved = one_job(chain.snapshot, MOVEMENT, tmp_path_factory.mktemp("moved"))
    return one_job(moved, JOB, tmp_path_factory.mktemp("kept"))


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_what_is_kept_is_what_would_be_added_up(name: str, scope: Scope, chain: RandomChain, kept: Snapshot) -> None:
    for choices in ASKED[name]:
        ask = REPORTS[name].function
        found, made = (tables(ask(snapshot, scope, LAST, **choices)) for snapshot in (kept, chain.snapshot))
        for table, expected in made.items():
            pd.testing.assert_frame_equal(_plain(found[table]), _plain(expected), check_dtype=False)


def test_a_set_of_stores_that_is_no_place_and_another_day_are_added_up(kept: Snapshot) -> None:
    assert kept_frames(kept, ONLY_A, LAST, "retention") is not None
    assert kept_frames(kept, Scope("stores", ("A", "C")), LAST, "retention") is None
    assert kept_frames(kept, ONLY_A, LAST - timedelta(days=1), "retention") is None


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """With one word for what is missing."""
    return frame.astype(object).where(frame.notna(), None)


def test_a_table_comes_back_as_it_was() -> None:
    frame = pd.DataFrame(
        {"n": pd.array([1, None], "Int64"), "day": pd.to_datetime(["2026-03-01", None]), "x": [0.5, None]}
    )
    pd.testing.assert_frame_equal(from_bytes(to_bytes(frame)), frame)
