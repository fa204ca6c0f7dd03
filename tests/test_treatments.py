"""What was done for each segment, by hand over the campaigns of the tiny chain."""

from data_access.marts.segment_rules import SEGMENTS
from data_access.snapshot import Snapshot
from models.reports.treatments import TREATMENT, treatments
from pages._ui import i18n
from tests.tiny import AS_OF, CHAIN, NOTHING


def test_every_segment_has_an_advice_in_both_languages() -> None:
    assert list(TREATMENT) == list(SEGMENTS)
    for language in i18n.LANGUAGES:
        assert all(i18n.text(language, f"treatment.{key}") for key in TREATMENT.values())


def test_the_last_campaign_for_each_segment(tiny_snapshot: Snapshot) -> None:
    found = treatments(tiny_snapshot, CHAIN, AS_OF).treatments
    assert found["segment"].tolist() == list(SEGMENTS)
    assert found["customers"].sum() == 6
    done = found[found["campaign_id"].notna()]
    assert len(done)
    assert (done["window_last"] <= "2026-03-20").all()  # no verdict while the window is open
    assert (done["reached"] >= 0.05).all()
    assert ((done["lo95"] <= done["response_rate"]) & (done["response_rate"] <= done["hi95"])).all()
    assert done.loc[done["control"] == 0, "control_rate"].isna().all()


def test_nobody(tiny_snapshot: Snapshot) -> None:
    found = treatments(tiny_snapshot, NOTHING, AS_OF).treatments
    assert found["customers"].sum() == 0
    assert found["campaign_id"].isna().all()
