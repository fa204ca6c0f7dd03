"""What the batch keeps of reports on all campaigns together is what they would add up, for every place."""

from typing import Any

import pandas as pd
import pytest

from data_access.queries.attribution import DAYS
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.jobs.campaign_sums import JOB
from models.reports import REPORTS, tables
from models.reports._kept import kept_sums
from tests.results_kit import one_job
from tests.tiny import CHAIN, NORTH, ONLY_A

ASKED: dict[str, list[dict[str, Any]]] = {
    "allocation": [{}],
    "coupons": [{"campaign": "K1"}],
    "campaigns": [{}],
    "attribution": [{"days": n} for n in DAYS],
}


@pytest.fixture(scope="module")
def kept(tiny_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return one_job(tiny_snapshot, JOB, tmp_path_factory.mktemp("kept"))


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("scope", [CHAIN, NORTH, ONLY_A], ids=["chain", "region", "store"])
def test_what_is_kept_is_what_would_be_added_up(
    name: str, scope: Scope, tiny_snapshot: Snapshot, kept: Snapshot
) -> None:
    for choices in ASKED[name]:
        assert (
            kept_sums(kept, scope, name, *(str(days) for days in choices.values() if name == "attribution")) is not None
        )
        found, made = (tables(REPORTS[name].function(one, scope, **choices)) for one in (kept, tiny_snapshot))
        for table, expected in made.items():
            pd.testing.assert_frame_equal(found[table], expected, check_dtype=False, check_index_type=False)


def test_a_set_of_stores_that_is_no_place_and_other_days_are_added_up(kept: Snapshot) -> None:
    assert kept_sums(kept, Scope("stores", ("A", "C")), "allocation") is None
    assert kept_sums(kept, CHAIN, "attribution", "28") is None
