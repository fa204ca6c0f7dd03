"""The report on privacy: who agreed, whom the chain may contact, what is due, against the tiny chain and the demo."""

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.refresh import refresh
from data_access.snapshot import Snapshot, current_snapshot
from models.reports.privacy import privacy, small_hidden
from tests.tiny import CHAIN, NOTHING, ONLY_A

END = date(2026, 11, 20)


def test_whom_the_chain_may_contact(tiny_snapshot: Snapshot) -> None:
    report = privacy(tiny_snapshot, CHAIN)
    # six customers; 1, 2 and 3 agree to marketing in some channel, 3 is a minor; K1 wrote to 2 and 4 without consent
    (people,) = report.people.to_dict("records")
    assert people == {
        "customers": 6,
        "minors": 0,
        "age_unknown": 6,  # the tiny chain has no age bands
        "live": 3,
        "contactable": 3 - 1,
        "contactable_share": 2 / 6,
        "contacts_without_consent": 2,
    }


def test_consents_by_purpose_and_channel(tiny_snapshot: Snapshot) -> None:
    rows = privacy(tiny_snapshot, CHAIN).consents.set_index(["purpose", "channel"])
    assert list(rows.index) == [
        ("marketing", ""),
        ("marketing", "sms"),
        ("marketing", "wechat"),
        ("service", "phone"),
        ("skin_profile", "app"),
    ]
    # by WeChat 1 agrees, 2 agreed again, 6 withdrew
    assert rows.loc[("marketing", "wechat"), ["agreed", "live", "withdrawn"]].tolist() == [3, 2, 1]
    assert rows.loc[("marketing", "wechat"), ["coverage", "withdrawn_share"]].tolist() == [2 / 6, 1 / 3]
    assert rows.loc[("marketing", "sms"), ["agreed", "live", "live_adults"]].tolist() == [2, 1, 0]


def test_a_store_sees_its_own_people_and_nothing_of_the_chain(tiny_snapshot: Snapshot) -> None:
    report = privacy(tiny_snapshot, ONLY_A)
    assert report.stores[["store_id", "customers", "live"]].to_numpy().tolist() == [["A", 3, 2]]
    assert report.contacts[["reason", "contacts"]].to_numpy().tolist() == [["withdrawn", 1]]
    assert report.retention.empty
    assert report.incidents.empty
    assert privacy(tiny_snapshot, NOTHING).stores.empty


def test_small_numbers_by_store_are_hidden_and_cannot_be_computed(tiny_snapshot: Snapshot) -> None:
    report = privacy(tiny_snapshot, CHAIN)
    stores = pd.DataFrame(
        {
            "store_id": ["A", "B", "C"],
            "store": ["A", "B", "C"],
            "customers": [100, 200, 300],
            "contactable": [60, 150, 200],
            "contactable_share": [60 / 100, 150 / 200, 200 / 300],
            "live": [80, 170, 240],
            "minors": [2, 10, 20],
            "age_unknown": [10, 20, 30],
        }
    )
    shown = small_hidden(replace(report, stores=stores)).stores.set_index("store_id")
    assert pd.isna(shown.loc["A", "minors"])
    # another store's minors, and what would tell both by the rest of their rows
    assert shown["minors"].isna().sum() == 2
    assert shown["contactable"].tolist() == [60, 150, 200]
    assert shown["customers"].tolist() == [100, 200, 300]
    everybody_small = small_hidden(report)
    assert everybody_small.stores["live"].isna().any()


def test_what_is_due_is_what_was_not_touched_for_so_long(tiny_snapshot: Snapshot) -> None:
    # 5 never bought and joined on 1 January 2025; everybody else bought within the year before 20 March 2026
    due = privacy(tiny_snapshot, CHAIN, customer_months=12, consent_months=6).retention.set_index("subject")
    assert due.loc["customers", ["due_before", "due"]].tolist() == [pd.Timestamp(2025, 3, 20), 1]
    # withdrawn before 20 September 2025: the SMS consent of 1, on the 1st
    assert due.loc["consents", ["due_before", "due"]].tolist() == [pd.Timestamp(2025, 9, 20), 1]


def test_how_long_an_incident_took(tiny_snapshot: Snapshot) -> None:
    (found,) = privacy(tiny_snapshot, CHAIN).incidents.to_dict("records")
    assert (found["hours_to_contain"], found["hours_to_notify"]) == (11 - 8, 24 + 10 - 8)
    assert found["detected_at"] == datetime(2026, 3, 2, 8)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("demo")
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    write_demo(engine, scale="tiny", end=END, truth_path=home / "truth.json", home=home)
    refresh(engine, home)
    engine.dispose()
    return home


def test_the_demo_chain_kept_every_withdrawal_and_the_report_says_so(demo: Path) -> None:
    report = privacy(current_snapshot(demo), CHAIN)
    truth = json.loads((demo / "truth.json").read_text("utf-8"))
    assert report.contacts.empty
    assert report.people["contacts_without_consent"].tolist() == [0]
    with crm_engine(f"sqlite:///{demo}/crm.sqlite").connect() as crm:
        withdrawals = crm.scalar(text("SELECT count(*) FROM consent WHERE withdrawn_at IS NOT NULL"))
        rows = crm.execute(
            text(
                "SELECT purpose, channel, count(*) AS agreed, sum(live) AS live FROM (SELECT customer_id, purpose, "
                "channel, max(withdrawn_at IS NULL) AS live FROM consent JOIN customer USING (customer_id) "
                "GROUP BY 1, 2, 3) GROUP BY 1, 2 ORDER BY 1, 2"
            )
        ).all()
    assert withdrawals == truth["consent"]["withdrawals"] > 0
    shown = report.consents[report.consents["channel"] != ""].sort_values(["purpose", "channel"])
    assert [tuple(row) for row in shown[["purpose", "channel", "agreed", "live"]].to_numpy()] == list(map(tuple, rows))
    assert len(report.incidents) == 1 + sum(1 for days in (300, 640) if days < truth_days(truth))


def truth_days(truth: dict[str, str]) -> int:
    return (date.fromisoformat(truth["end"]) - date.fromisoformat(truth["start"])).days


def test_a_message_after_a_withdrawal_is_found_with_its_campaign(demo: Path) -> None:
    with crm_engine(f"sqlite:///{demo}/crm.sqlite").begin() as crm:
        # The last message that somebody got who later withdrew comes a year too late.
        crm.execute(
            text(
                "UPDATE campaign_event SET occurred_at = datetime(occurred_at, '+3 years'), updated_at = NULL "
                "WHERE event_id = (SELECT event_id FROM campaign_event e JOIN consent c USING (customer_id) "
                "WHERE e.kind = 'sent' AND e.channel = 'sms' AND c.channel = 'sms' AND c.purpose = 'marketing' "
                "AND c.withdrawn_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM consent d WHERE d.customer_id = "
                "c.customer_id AND d.channel = 'sms' AND d.withdrawn_at IS NULL) LIMIT 1)"
            )
        )
    refresh(crm_engine(f"sqlite:///{demo}/crm.sqlite"), demo, full=True)
    found = privacy(current_snapshot(demo), CHAIN).contacts
    assert found[["channel", "reason", "contacts", "customers"]].to_numpy().tolist() == [["sms", "withdrawn", 1, 1]]
    assert found["campaign"].notna().all()
