"""Funnels of real campaigns, against figures computed elsewhere."""

import json
from typing import Any

import pandas as pd
import pytest

from data_access.queries import campaigns
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.funnel import funnel
from tests.golden.test_reports_golden import load
from tests.shared_data import shared_data

CHAIN = Scope("chain")


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared_data(name) / "golden.json").read_text(encoding="utf-8"))
    return content


def customers(steps: pd.DataFrame) -> dict[str, int]:
    return dict(zip(steps["step"], steps["customers"], strict=True))


@pytest.fixture(scope="session")
def hillstrom(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    file = shared_data("hillstrom") / "hillstrom.parquet"
    return load(tmp_path_factory.mktemp("hillstrom_campaigns"), "hillstrom", [file])


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    files = sorted(shared_data("complete_journey").glob("*.parquet"))
    return load(tmp_path_factory.mktemp("journey_campaigns"), "complete_journey", files)


@pytest.mark.parametrize("arm", ["Mens E-Mail", "Womens E-Mail", "No E-Mail"])
def test_an_arm_of_the_e_mail_test(arm: str, hillstrom: Snapshot) -> None:
    expected = golden("hillstrom")["arms"][arm]
    found = customers(funnel(hillstrom, CHAIN, "email", arm).steps)
    assert (found["targeted"], found["visited"], found["bought"]) == (
        expected["n"],
        expected["visits"],
        expected["conversions"],  # whoever bought had visited
    )
    assert found["sent"] == (0 if arm == "No E-Mail" else expected["n"])
    assert found["bought_again"] == 0


def test_the_e_mail_test_as_a_whole_counts_the_treated(hillstrom: Snapshot) -> None:
    steps = funnel(hillstrom, CHAIN).steps.set_index("step")
    assert steps["customers"].to_dict() == {
        "targeted": 21_307 + 21_387, "sent": 21_307 + 21_387, "visited": 3_894 + 3_238, "bought": 267 + 189,
        "bought_again": 0,
    }  # fmt: skip
    assert steps.loc["visited", "rate_step"] == (3_894 + 3_238) / (21_307 + 21_387)


def test_the_money_of_an_arm_is_what_its_customers_spent(hillstrom: Snapshot) -> None:
    with hillstrom.engine.connect() as connection:
        spent = connection.exec_driver_sql(
            "SELECT arm, sum(gross_sales) FROM campaign_customer GROUP BY arm"
        ).fetchall()
    expected = golden("hillstrom")["arms"]
    assert {arm: float(money) for arm, money in spent} == {arm: expected[arm]["spend_total"] for arm in expected}


def test_the_campaigns_of_complete_journey(journey: Snapshot) -> None:
    expected = golden("complete_journey")["sample_2017"]["campaigns"]
    assert len(expected) == 27
    listed = campaigns.campaigns(CHAIN, journey.engine).set_index("campaign_id")
    assert listed["targeted"].to_dict() == {key: c["targeted_households"] for key, c in expected.items()}
    outcomes = funnel(journey, CHAIN).outcomes
    redeemed = outcomes[outcomes["outcome"] == "redeemed"].set_index("campaign_id")
    assert redeemed["customers"].to_dict() == {key: c["redeeming_households"] for key, c in expected.items()}
    assert redeemed["rate_overall"].round(6).to_dict() == {
        key: c["household_redemption_rate"] for key, c in expected.items()
    }


def test_sales_in_the_window_of_a_campaign_are_those_of_its_households(journey: Snapshot) -> None:
    with journey.engine.connect() as connection:
        sold = connection.exec_driver_sql(
            "SELECT campaign_id, sum(gross_sales) FROM campaign_customer WHERE arm IS NOT NULL GROUP BY campaign_id"
        ).fetchall()
    expected = golden("complete_journey")["sample_2017"]["campaigns"]
    assert {key: round(float(money), 2) for key, money in sold} == {
        key: c["SAMPLE_sales_in_window_targeted"] for key, c in expected.items()
    }


def test_every_redemption_is_one_event(journey: Snapshot) -> None:
    with journey.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT count(*), count(DISTINCT customer_no) FROM campaign_event").one()
    assert tuple(rows) == (2_102, 410)
