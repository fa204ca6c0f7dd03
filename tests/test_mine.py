"""One's own figures: what somebody of the staff sees of themselves, and that nothing of anybody else leaves."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from data_access.errors import Problem
from data_access.queries.staff import follow_ups_of, works_in
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import actions
from data_access.state.actions import Action, Subject, Wish
from models.reports import tables
from models.reports.own import LEAST_COLLEAGUES, _alone, _follow_ups, own
from models.reports.staff import _person_of
from pages._ui.i18n import LANGUAGES, text
from tests.tiny import AS_OF, CHAIN, MARCH, NOTHING, ONLY_A


def test_ones_own_figures_and_nobody_elses(tiny_snapshot: Snapshot) -> None:
    report = own(tiny_snapshot, ONLY_A, MARCH, "E1")
    person = report.person.iloc[0]
    assert (person["staff_id"], person["hours"]) == ("E1", 8 + 8)
    assert person["net_sales"] == 190 + 58 - 30  # O7, O13 less R1
    assert report.praise["reason"].tolist() == ["kind"]
    said = "\n".join(frame.to_csv() for frame in tables(report).values())
    assert "E2" not in said
    assert "E3" not in said


def test_there_is_no_place_among_colleagues(tiny_snapshot: Snapshot) -> None:
    names = {name for frame in tables(own(tiny_snapshot, ONLY_A, MARCH, "E1")).values() for name in frame}
    assert not {"rank_low", "rank_high", "tenths", "reliability"} & names


@pytest.mark.parametrize("who", ["E2", "E9", ""])
def test_nobody_of_another_store_is_shown(tiny_snapshot: Snapshot, who: str) -> None:
    with pytest.raises(Problem, match="nobody with the id"):
        own(tiny_snapshot, ONLY_A, MARCH, who)


def test_a_mean_needs_three_colleagues(tiny_snapshot: Snapshot) -> None:
    assert LEAST_COLLEAGUES == 3
    team = pd.DataFrame({"staff_id": ["E1", "E2", "E3", "E4"], "adjusted": [1.1, 0.9, np.nan, 1.0], "hours": 40})
    assert _person_of(team, "E1")[1] == 2  # E3 worked too little
    # nobody of the tiny store worked enough: the mix of the others would be that of E3 alone
    assert own(tiny_snapshot, ONLY_A, MARCH, "E1").strengths["team_share"].isna().all()
    judged = pd.DataFrame({"adjusted": [1.2], "lo95": [1.0], "hi95": [1.4], "standing": ["above"]})
    alone = _alone(judged)
    assert alone["standing"].tolist() == ["too_few_colleagues"]
    assert alone[["adjusted", "lo95", "hi95"]].isna().all(axis=None)


def test_follow_ups_by_their_state() -> None:
    due = pd.to_datetime(["2026-03-01", "2026-03-14", "2026-03-15"])
    done = pd.to_datetime(["2026-03-02", None, None])
    found = pd.DataFrame({"due_on": due, "rule": "d3", "channel": "phone", "done_at": done, "outcome": None})
    assert _follow_ups(found, AS_OF)["follow_up"].tolist() == [
        "overdue" if pd.Timestamp("2026-03-14").date() < AS_OF else "open",
        "overdue" if pd.Timestamp("2026-03-15").date() < AS_OF else "open",
        "done",
    ]


def test_the_customers_of_follow_ups_are_not_told(tiny_snapshot: Snapshot) -> None:
    found = follow_ups_of(ONLY_A, tiny_snapshot.engine, MARCH, "E1")
    assert list(found) == ["due_on", "rule", "channel", "done_at", "outcome"]
    assert len(found) == 2  # of customer 1
    assert follow_ups_of(NOTHING, tiny_snapshot.engine, MARCH, "E1").empty


def test_where_somebody_works(tiny_snapshot: Snapshot) -> None:
    assert works_in(CHAIN, tiny_snapshot.engine, "E2") == "B"
    assert works_in(ONLY_A, tiny_snapshot.engine, "E2") is None
    assert works_in(CHAIN, tiny_snapshot.engine, "E9") is None


def test_rows_assigned_to_somebody_are_theirs_until_they_are_done(state: Engine, tiny_snapshot: Snapshot) -> None:
    now = datetime(2026, 3, 20, 9)

    def mark(product: str, state_: str, **wish: Any) -> None:
        row = Subject("stock", "product", product, "A")
        actions.act(state, tiny_snapshot, ONLY_A, "anna", [row], Wish(state_, **wish), now)

    def of(scope: Scope, staff_id: str) -> list[str]:
        return [one.subject.key for one in actions.assigned_to(state, scope, staff_id, now.date())]

    mark("P1", "assigned", assignee="staff:E1")
    mark("P2", "assigned", assignee="anna")
    mark("P3", "assigned", assignee="staff:E1")
    assert of(ONLY_A, "E1") == ["P3", "P1"]  # the latest first
    assert of(ONLY_A, "E2") == of(NOTHING, "E1") == of(Scope("stores", ("B",)), "E1") == []
    mark("P3", "done")
    assert of(ONLY_A, "E1") == ["P1"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_assigned_is_shown_without_the_customer(
    language: str, state: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Subject("stock", "product", "P1", "A"), Subject("value", "customer", "c0123456789abcde", "A")]
    rows = [
        Action(1, datetime(2026, 3, 20, 9), "anna", one, "assigned", None, "staff:E1", "with roses") for one in found
    ]
    monkeypatch.setattr("pages._ui.mine_views.state.assigned_to", lambda *_: tuple(rows))
    monkeypatch.setattr("pages._ui.mine_views.opened", lambda: state)
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)

    def page() -> None:
        from data_access.scope import Scope
        from pages._ui import mine_views

        mine_views.assigned(Scope("stores", ("A",)), "E1", "CNY")

    at = AppTest.from_function(page, default_timeout=30).run()
    assert not at.exception
    (shown,) = (frame.value for frame in at.dataframe)
    assert shown["subject"].tolist() == [text(language, "subject.product", id="P1"), text(language, "mine.a_customer")]
    assert "c0123456789abcde" not in shown.to_csv()
    assert "with roses" in shown.to_csv()
