"""What one campaign caused, on the tiny chain: K1 held customer 3 back and gave a gift to 1, 2, 4 and 6."""

import numpy as np
import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.marts.tables import campaign_event as facts_event
from data_access.queries import _elsewhere
from data_access.queries import campaign as queries
from data_access.schema import campaign_event as crm_event
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import experiment, lift
from models.reports.campaign import WHOLE, campaign, priced
from models.reports.campaigns import campaigns
from models.reports.funnel import funnel
from tests.tiny import CHAIN, NOTHING, ONLY_A


def row(frame: pd.DataFrame, **where: str) -> pd.Series:
    """The only row with these values."""
    found = frame[np.logical_and.reduce([frame[name] == value for name, value in where.items()])]
    assert len(found) == 1
    return found.iloc[0]


def test_everybody_assigned_counts_reached_or_not(tiny_snapshot: Snapshot) -> None:
    arms = campaign(tiny_snapshot, CHAIN, "K1").arms
    assert arms.set_index("arm")["people"].to_dict() == {"gift": 4, "held back": 1}
    assert arms.set_index("arm")["orders"].to_dict() == {"gift": 3 + 1, "held back": 1}


def test_money_is_what_was_spent_by_all_of_an_arm_over_its_people(tiny_snapshot: Snapshot) -> None:
    spend = row(campaign(tiny_snapshot, CHAIN, "K1").lift, arm="gift", metric="spend")
    assert (spend["treated"], spend["control"]) == ((425 + 400) / 4, 105 / 1)
    assert spend["difference"] == (425 + 400) / 4 - 105
    assert np.isnan(spend["lo95"])  # three buyers say nothing about a range
    assert spend["p_value"] == 1.0


def test_shares_are_compared_with_their_interval(tiny_snapshot: Snapshot) -> None:
    bought = row(campaign(tiny_snapshot, CHAIN, "K1").lift, arm="gift", metric="conversion")
    expected = lift.share_difference(2, 4, 1, 1)
    assert tuple(bought[["difference", "lo95", "hi95"]]) == (expected.value, expected.lo, expected.hi)


def test_five_people_cannot_tell_anything(tiny_snapshot: Snapshot) -> None:
    verdict = campaign(tiny_snapshot, CHAIN, "K1").verdict.iloc[0]
    assert verdict["verdict"] == "cannot_tell"
    assert verdict["incremental"] == (425 + 400) - 4 * 105
    assert verdict["worth"] == pytest.approx(experiment.WORTH * 105)


def test_without_a_control_group_nothing_was_caused(tiny_snapshot: Snapshot) -> None:
    report = campaign(tiny_snapshot, CHAIN, "K4")
    assert report.lift.empty
    assert report.verdict["verdict"].tolist() == ["no_control"]
    assert report.verdict[["incremental", "roi"]].isna().all(axis=None)


def test_a_campaign_is_over_when_its_window_is(tiny_snapshot: Snapshot) -> None:
    assert campaign(tiny_snapshot, CHAIN, "K1").is_over  # to 12 March
    assert not campaign(tiny_snapshot, CHAIN, "K2").is_over  # nobody knows when


def test_each_scope_counts_its_own_customers(tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert campaign(tiny_snapshot, ONLY_A, "K1").arms["people"].tolist() == [2]
    with monkeypatch.context() as patch:
        patch.setattr(_elsewhere, "FEWEST", 1)  # K1 is withheld from A otherwise; judged by its own customers
        assert campaign(tiny_snapshot, ONLY_A, "K1").verdict["verdict"].tolist() == [
            "no_control"
        ]  # of its own customers
    assert queries.about(NOTHING, tiny_snapshot.engine, "K1").empty


@pytest.mark.parametrize("guard", [True, False], ids=["with the guard", "without it"])
def test_what_one_customer_bought_elsewhere_cannot_be_worked_out(
    tiny_snapshot: Snapshot, guard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guard:
        monkeypatch.setattr(_elsewhere, "FEWEST", 1)
    engine, found = tiny_snapshot.engine, campaign(tiny_snapshot, ONLY_A, "K1")
    listed = campaigns(tiny_snapshot, ONLY_A).campaigns.set_index("campaign_id").loc["K1"]
    steps = funnel(tiny_snapshot, ONLY_A, "K1").steps["step"].tolist()
    assert found.is_withheld is guard
    assert found.verdict.empty is guard
    assert found.arms[["buyers", "orders"]].isna().all(axis=None) == guard
    assert queries.buyers(ONLY_A, engine, "K1").empty is guard
    assert queries.before(ONLY_A, engine, ["K1"]).empty is guard
    assert listed[["buyers", "new_buyers", "net_sales", "margin"]].isna().all() == guard
    assert (listed["verdict"] == "withheld") is guard
    assert ("bought" in steps) is not guard
    assert found.arms["people"].tolist() == [2]
    if not guard:
        # 425 of customer 1 are told, 220 were taken in A, as its head knows: 205 went to another store
        assert listed["net_sales"] - 220 == 205


def test_what_is_noted_of_a_campaign_as_a_whole_is_the_chains() -> None:
    header = pd.DataFrame({"campaign_id": ["K1"], "cost": [100.0], "staff_hours": [8.0], "platform_conversions": [40]})
    assert priced(header, CHAIN).equals(header)
    # 40 less the store's own would be the conversions of the others
    assert priced(header, ONLY_A)[list(WHOLE)].isna().all(axis=None)


def test_a_visit_names_no_store_so_that_visits_are_those_of_the_own_customers() -> None:
    assert not {"store_id", "region_id"} & {*facts_event.c.keys(), *crm_event.c.keys()}


def test_a_campaign_that_is_not_there_is_a_sentence(tiny_snapshot: Snapshot) -> None:
    with pytest.raises(Problem, match="no campaign 'K9': the latest are K5, K1, K4"):
        campaign(tiny_snapshot, CHAIN, "K9")
    with pytest.raises(Problem, match="there are 5 campaigns: name one"):
        campaign(tiny_snapshot, CHAIN)
    with pytest.raises(Problem, match="none"):
        campaign(tiny_snapshot, NOTHING, "K1")


@pytest.mark.parametrize(
    ("p_holm", "difference", "detectable", "ratio", "expected"),
    [
        (0.01, 3.0, 9.0, 0.5, "worked"),
        (0.01, -3.0, 9.0, 0.5, "hurt"),
        (0.20, 3.0, 4.0, 0.5, "no_evidence"),  # what would be worth it (5) would have shown
        (0.20, 3.0, 6.0, 0.5, "cannot_tell"),
        (0.01, 3.0, 4.0, 0.0005, "arms_differ"),
        (0.01, 3.0, 4.0, float("nan"), "worked"),  # nobody said which shares were planned
    ],
)
def test_a_verdict_follows_from_the_test_and_the_power(
    p_holm: float, difference: float, detectable: float, ratio: float, expected: str
) -> None:
    assert experiment.verdict(p_holm, difference, detectable, 5.0, ratio) == expected
    assert expected in experiment.VERDICTS


def test_what_was_spent_before_is_summed_by_arm(tiny_snapshot: Snapshot) -> None:
    past = queries.before(Scope("chain"), tiny_snapshot.engine, ["K1"]).set_index("arm")
    assert past.loc["held back", ["x", "xx", "xy"]].tolist() == [90, 90 * 90, 90 * 105]


def test_all_campaigns_stand_side_by_side(tiny_snapshot: Snapshot) -> None:
    rows = campaigns(tiny_snapshot, CHAIN).campaigns.set_index("campaign_id")
    assert set(rows.index) == {"K1", "K2", "K3", "K4", "K5"}
    k1 = rows.loc["K1"]
    assert (k1["targeted"], k1["held_back"], k1["buyers"], k1["net_sales"]) == (4, 1, 2, 425 + 400)
    assert (k1["redeeming_customers"], k1["redemptions"], k1["state"], k1["verdict"]) == (1, 1, "closed", "cannot_tell")
    assert (k1["reached"], k1["engaged"], k1["units"]) == (3, 2, 6)
    assert k1["incremental_margin"] == (425 + 400) - 4 * 105
    assert rows.loc["K2", ["targeted", "state", "verdict"]].tolist() == [1, "undated", "no_control"]
    assert rows.loc["K3", ["targeted", "redemptions", "verdict"]].tolist() == [0, 1, "nobody"]


def test_a_campaign_in_the_list_says_what_its_card_says(tiny_snapshot: Snapshot) -> None:
    listed = campaigns(tiny_snapshot, CHAIN).campaigns.set_index("campaign_id")
    for campaign_id in ("K1", "K4", "K5"):
        card = campaign(tiny_snapshot, CHAIN, campaign_id).verdict.iloc[-1]
        assert listed.loc[campaign_id, "verdict"] == card["verdict"]


def test_what_a_campaign_cost_a_part_of_the_chain_nobody_knows(tiny_snapshot: Snapshot) -> None:
    header = pd.DataFrame({"cost": [100.0]})
    assert priced(header, CHAIN)["cost"].tolist() == [100]
    assert priced(header, ONLY_A)["cost"].isna().all()
