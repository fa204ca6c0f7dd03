"""Audiences are frozen when they are saved, belong to one campaign at most, and are the chain's."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest
from sqlalchemy import Engine

from data_access.scope import Scope
from data_access.state import audiences, audit, decisions
from data_access.state.audiences import Draft
from data_access.state.audit import Filter
from data_access.state.rules import Rule

CHAIN, STORE = Scope("chain"), Scope("stores", ("S1",))
NOW = datetime(2026, 11, 22, 3)
CUSTOMERS = np.arange(100, 180, dtype=np.int64)  # 80 customers, the first 20 held back
HELD = np.arange(80) < 20
DRAFT = Draft("Winter", "sms", {"segments": ["loyal"]}, {"withdrawn": 7}, 11, 90, 30, 0.25, "4", date(2026, 11, 20))


def saved(engine: Engine, draft: Draft = DRAFT) -> str:
    return audiences.save(engine, CHAIN, "anna", draft, CUSTOMERS, HELD, NOW)


def test_what_is_saved_is_there_as_it_was(engine: Engine) -> None:
    audience_id = saved(engine)
    (found,) = audiences.every(engine, CHAIN)
    assert found == audiences.one(engine, CHAIN, audience_id)
    assert (found.draft, found.contacted, found.held_back) == (DRAFT, 60, 20)
    assert (found.at, found.actor, found.held_until) == (NOW, "anna", date(2026, 12, 22))
    assert (found.campaign_id, found.linked_at) == (None, None)
    rows = audiences.members(engine, CHAIN, audience_id)
    assert rows["customer_no"].tolist() == CUSTOMERS.tolist()
    assert rows["arm"].tolist() == ["held_back"] * 20 + ["contacted"] * 60
    assert set(rows["assigned_at"]) == {NOW}
    (entry,) = audit.search(engine, Filter(action="audience_saved")).entries
    assert (entry.subject, entry.detail["held_back"], entry.detail["seed"]) == (audience_id, 20, 11)


def test_other_scopes_see_and_make_none(engine: Engine) -> None:
    audience_id = saved(engine)
    assert audiences.every(engine, STORE) == ()
    assert audiences.one(engine, STORE, audience_id) is None
    assert audiences.members(engine, STORE, audience_id).empty
    assert audiences.held_back_now(engine, STORE, NOW.date()) == frozenset()
    with pytest.raises(Rule, match="whole chain"):
        audiences.save(engine, STORE, "max", DRAFT, CUSTOMERS, HELD, NOW)
    with pytest.raises(Rule, match="no such audience"):
        audiences.link(engine, STORE, "max", audience_id, "K1", NOW, ["K1"])


def test_a_draft_that_will_not_do_is_refused(engine: Engine) -> None:
    saved(engine)
    for name, said in (("Winter ", "another audience"), ("", "1 to 60"), ("x" * 61, "1 to 60"), ("a\nb", "1 to 60")):
        with pytest.raises(Rule, match=said):
            saved(engine, replace(DRAFT, name=name))
    with pytest.raises(Rule, match="50 to"):
        audiences.save(engine, CHAIN, "anna", replace(DRAFT, name="Few"), CUSTOMERS, np.arange(80) < 31, NOW)
    assert len(audiences.every(engine, CHAIN)) == 1


def test_whoever_is_held_back_stays_so_until_the_day(engine: Engine) -> None:
    saved(engine)
    assert audiences.held_back_now(engine, CHAIN, date(2026, 12, 22)) == set(range(100, 120))
    assert audiences.held_back_now(engine, CHAIN, date(2026, 12, 23)) == frozenset()


def test_an_audience_belongs_to_one_campaign_and_a_campaign_to_one_audience(engine: Engine) -> None:
    audience_id, other = saved(engine), saved(engine, replace(DRAFT, name="Spring"))
    with pytest.raises(Rule, match="nobody was assigned"):
        audiences.link(engine, CHAIN, "anna", audience_id, "K9", NOW, ["K1"])
    audiences.link(engine, CHAIN, "anna", audience_id, "K1", NOW, ["K1", "K2"])
    for one, campaign, said in ((audience_id, "K2", "belongs"), (other, "K1", "nobody was assigned")):
        with pytest.raises(Rule, match=said):
            audiences.link(engine, CHAIN, "anna", one, campaign, NOW, ["K1", "K2"])
    found = audiences.one(engine, CHAIN, audience_id)
    assert found is not None
    assert (found.campaign_id, found.linked_at) == ("K1", NOW)


def test_what_a_refresh_reads_is_the_linked_rows(engine: Engine, url: str) -> None:
    audience_id = saved(engine)
    saved(engine, replace(DRAFT, name="Not linked"))
    assert audiences.linked(url).empty
    audiences.link(engine, CHAIN, "anna", audience_id, "K1", NOW, ["K1"])
    rows = audiences.linked(url)
    assert rows["customer_no"].tolist() == CUSTOMERS.tolist()
    assert rows["campaign_id"].unique().tolist() == ["K1"]
    assert rows.groupby("arm")[["is_control", "planned_share"]].first().to_dict("index") == {
        "contacted": {"is_control": False, "planned_share": 60 / 80},
        "held_back": {"is_control": True, "planned_share": 20 / 80},
    }


def test_a_store_that_is_not_there_yet_has_no_linked_rows(tmp_path: object) -> None:
    assert audiences.linked(f"sqlite:///{tmp_path}/none.sqlite").empty


def test_a_decision_is_written_once_and_looked_at_once(engine: Engine) -> None:
    day = date(2026, 12, 31)
    decision_id = decisions.record(engine, CHAIN, "anna", "coupon", "Half to e-mail", "+20,000 margin", day, NOW)
    (found,) = decisions.every(engine, CHAIN)
    assert (found.about, found.decided, found.expected, found.look_on) == (
        "coupon", "Half to e-mail", "+20,000 margin", day,
    )  # fmt: skip
    decisions.review(engine, CHAIN, "max", decision_id, "+8,000", NOW)
    (found,) = decisions.every(engine, CHAIN)
    assert (found.seen, found.seen_by) == ("+8,000", "max")
    with pytest.raises(Rule, match="does not wait"):
        decisions.review(engine, CHAIN, "max", decision_id, "more", NOW)
    assert decisions.every(engine, STORE) == ()
    assert len(audit.search(engine, Filter(action="decision_reviewed")).entries) == 1


@pytest.mark.parametrize(
    ("decided", "day", "said"),
    [
        (" ", date(2026, 12, 1), "1 to 300"),
        ("ask li@example.com", date(2026, 12, 1), "1 to 300"),
        ("call 138 0013 8000", date(2026, 12, 1), "1 to 300"),
        ("fine", date(2026, 11, 21), "within"),
    ],
)
def test_a_decision_that_will_not_do_is_refused(engine: Engine, decided: str, day: date, said: str) -> None:
    with pytest.raises(Rule, match=said):
        decisions.record(engine, CHAIN, "anna", "coupon", decided, "more", day, NOW)
    assert decisions.every(engine, CHAIN) == ()


def test_a_review_out_of_scope_changes_nothing(engine: Engine) -> None:
    decision_id = decisions.record(engine, CHAIN, "anna", "coupon", "x", "y", date(2026, 12, 1), NOW)
    with pytest.raises(Rule):
        decisions.review(engine, STORE, "max", decision_id, "z", NOW)
    assert decisions.every(engine, CHAIN)[0].seen is None
