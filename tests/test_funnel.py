"""The funnel in detail: the steps of the tiny campaign K1, groups against the others, rates against the usual."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.queries import funnel as queries
from data_access.queries.funnel import Walk
from data_access.snapshot import Snapshot
from models.calc import funnel_gaps
from models.calc.funnel import wilson
from models.calc.lift import share_difference
from models.reports.funnel_detail import FunnelDetailReport, funnel_detail
from models.reports.funnels import choices, funnels
from tests.tiny import CHAIN, NOTHING, ONLY_A, key

K1 = Walk("K1", date(2026, 3, 1), date(2026, 3, 12))


def taken(report: FunnelDetailReport, column: str = "customers") -> dict[str, int]:
    return dict(zip(report.steps["step"], report.steps[column], strict=True))


def test_the_steps_are_those_of_the_funnel(tiny_snapshot: Snapshot) -> None:
    # Of the four with the gift, 1 went all the way; 2 visited before the click; 4 bought without opening.
    assert taken(funnel_detail(tiny_snapshot, CHAIN, "K1")) == {
        "targeted": 4, "sent": 4, "delivered": 3, "opened": 2, "clicked": 2, "claimed": 1, "visited": 1, "bought": 1,
        "bought_again": 1,
    }  # fmt: skip


def test_everybody_stopped_somewhere(tiny_snapshot: Snapshot) -> None:
    stopped = taken(funnel_detail(tiny_snapshot, CHAIN, "K1"), "stopped")
    assert {step: many for step, many in stopped.items() if many} == {
        "sent": 1, "delivered": 1, "clicked": 1, "bought_again": 1,
    }  # fmt: skip


def test_who_stopped_is_listed_with_what_they_spent(tiny_snapshot: Snapshot) -> None:
    report = funnel_detail(tiny_snapshot, CHAIN, "K1", step="clicked")
    assert report.stopped["customer_key"].tolist() == [key(2)]
    with pytest.raises(Problem, match="no step 'danced' in it"):
        funnel_detail(tiny_snapshot, CHAIN, "K1", step="danced")
    with pytest.raises(Problem, match="no treated arm 'held back': the arms are gift"):
        funnel_detail(tiny_snapshot, CHAIN, "K1", arm="held back")


def test_in_any_order_whatever_happened_counts(tiny_snapshot: Snapshot) -> None:
    report = funnel_detail(tiny_snapshot, CHAIN, "K1", counted="any_order")
    assert (taken(report)["visited"], taken(report)["bought"]) == (2, 2)


def test_within_a_day_of_the_first_step(tiny_snapshot: Snapshot) -> None:
    # Assigned on the 1st at 8: opened, clicked, visited and bought on the 2nd and later.
    assert taken(funnel_detail(tiny_snapshot, CHAIN, "K1", window_days=1))["opened"] == 0
    assert taken(funnel_detail(tiny_snapshot, CHAIN, "K1", window_days=2))["bought"] == 1


def test_stores_count_their_own_purchases(tiny_snapshot: Snapshot) -> None:
    # 1 bought in A on the morning of the 2nd, before the click, and elsewhere in the evening, after it.
    report = funnel_detail(tiny_snapshot, ONLY_A, "K1")
    whole = funnel_detail(tiny_snapshot, CHAIN, "K1", counted="any_order")
    own = funnel_detail(tiny_snapshot, ONLY_A, "K1", counted="any_order")
    assert taken(report)["targeted"] == 2
    assert taken(own)["bought"] <= taken(whole)["bought"] - 1  # customer 4 belongs to C
    with pytest.raises(Problem, match="no campaign 'K1'"):
        funnel_detail(tiny_snapshot, NOTHING, "K1")


def test_rates_print_what_they_are_of() -> None:
    found = funnel_gaps.rates({"targeted": 10, "sent": 8, "claimed": 4, "redeemed": 1, "bought": 3}).set_index("key")
    assert found["of"].to_dict() == {
        "claim_rate": "sent", "redemption_rate": "claimed", "conversion_rate": "targeted",
    }  # fmt: skip
    assert found["value"].tolist() == [4 / 8, 1 / 4, 3 / 10]
    lo, hi = wilson(pd.Series([4]), pd.Series([8]))
    assert (found["lo95"]["claim_rate"], found["hi95"]["claim_rate"]) == (lo.iloc[0], hi.iloc[0])


def test_nobody_redeeming_is_a_rate_only_where_somebody_claimed() -> None:
    assert "redemption_rate" not in funnel_gaps.rates({"targeted": 10, "sent": 8, "redeemed": 0})["key"].tolist()
    found = funnel_gaps.rates({"targeted": 10, "sent": 8, "claimed": 4, "redeemed": 0}).set_index("key")
    assert found["value"]["redemption_rate"] == 0 / 4


BITS = {"targeted": 1, "sent": 2, "bought": 4}


def test_a_gap_is_the_distance_to_the_others_times_the_people() -> None:
    paths = pd.DataFrame(
        [("a", 3, 180), ("a", 7, 20), ("b", 3, 100), ("b", 7, 100)], columns=["part", "taken", "customers"]
    )
    found = funnel_gaps.gaps(funnel_gaps.by_step(paths, BITS))
    top = found.iloc[0]
    assert (top["part"], top["step"], top["verdict"]) == ("a", "bought", "below")
    assert top["lost"] == pytest.approx((100 / 200 - 20 / 200) * 200)
    expected = share_difference(20, 200, 100, 200)
    assert tuple(top[["difference", "lo95", "hi95"]]) == pytest.approx((expected.value, expected.lo, expected.hi))
    assert found.set_index(["part", "step"]).loc[("b", "bought"), "verdict"] == "above"


def test_small_groups_stand_together() -> None:
    paths = pd.DataFrame([("a", 1, 9), ("b", 3, 4), ("c", 1, 2)], columns=["part", "taken", "customers"])
    found = funnel_gaps.with_small_together(paths, 1)
    assert found.groupby("part")["customers"].sum().to_dict() == {"a": 9, "others": 4 + 2}
    assert funnel_gaps.with_small_together(paths[paths["part"] != "c"], 1)["part"].tolist() == ["a"]


def _campaigns(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "campaign_id": [f"K{at}" for at in range(len(values))],
            "channel": "sms",
            "starts_on": pd.date_range("2026-01-01", periods=len(values), freq="MS"),
            "key": "click_rate",
            "numerator": [round(1000 * value) for value in values],
            "denominator": 1000,
        }
    )


def test_a_rate_is_unusual_against_earlier_campaigns_of_its_channel() -> None:
    found = funnel_gaps.against_baseline(_campaigns([0.20, 0.22, 0.21, 0.19, 0.20, 0.05]))
    assert found["verdict"].tolist() == [None, None, None, "usual", "usual", "below"]
    assert found["baseline"].iloc[-1] == pytest.approx((0.20 + 0.22 + 0.21 + 0.19 + 0.20) / 5)
    # Where campaigns differ as much from one to the next, the same rate is nothing unusual.
    assert funnel_gaps.against_baseline(_campaigns([0.20, 0.40, 0.05, 0.30, 0.12, 0.05]))["verdict"].iloc[-1] == "usual"


@pytest.mark.slow
@pytest.mark.parametrize("between", [0.0, 0.03])
def test_usual_rates_are_called_low_as_often_as_it_says(between: float) -> None:
    rng, tries = np.random.default_rng(7), 2_000
    low = 0
    for _ in range(tries):
        shares = np.clip(0.2 + between * rng.standard_normal(6), 0, 1)
        values = (rng.binomial(1000, shares) / 1000).tolist()
        low += funnel_gaps.against_baseline(_campaigns(values))["verdict"].iloc[-1] == "below"
    assert low / tries < 0.025 + 3 * np.sqrt(0.025 * 0.975 / tries)


@pytest.mark.slow
@pytest.mark.parametrize(("claimed", "least", "most"), [(1.0, 0.0, 0.025), (0.5, 0.45, 1.0)])
def test_of_a_campaign_with_five_rates_the_failing_step_is_named(claimed: float, least: float, most: float) -> None:
    """Chains of 12 campaigns whose rates differ as they do; of the last one ``claimed`` times as many claim."""
    usual = {"delivery_rate": 0.95, "open_rate": 0.43, "click_rate": 0.22, "claim_rate": 0.13, "redemption_rate": 0.6}
    rng, tries, low = np.random.default_rng(11), 100, 0
    for _ in range(tries):
        rows = []
        for number in range(12):
            people = int(rng.integers(500, 3_500))
            for name, rate in usual.items():
                odds = rate / (1 - rate) * np.exp(rng.normal(0, 0.15))
                share = odds / (1 + odds) * (claimed if (number, name) == (11, "claim_rate") else 1)
                rows.append((f"K{number:02}", "sms", number, name, rng.binomial(people, share), people))
        columns = ["campaign_id", "channel", "starts_on", "key", "numerator", "denominator"]
        found = funnel_gaps.against_baseline(pd.DataFrame(rows, columns=columns))
        last = found[(found["campaign_id"] == "K11") & (found["verdict"] == "below")]
        low += "claim_rate" in set(last["key"]) if claimed < 1 else len(last) > 0
    assert least <= low / tries <= most + 3 * np.sqrt(0.025 * 0.975 / tries)


def test_campaigns_stand_side_by_side(tiny_snapshot: Snapshot) -> None:
    rows = funnels(tiny_snapshot, CHAIN).campaigns.set_index("campaign_id")
    assert [rows[name]["K1"] for name in ("targeted", "share_delivered", "share_bought")] == [4, 3 / 4, 1 / 4]
    assert choices(tiny_snapshot, CHAIN)["campaign_id"].iloc[0] == "K5"
    assert funnels(tiny_snapshot, NOTHING).campaigns.empty


def test_a_list_of_a_step_holds_as_many_as_stopped_there(tiny_snapshot: Snapshot) -> None:
    steps = funnel_detail(tiny_snapshot, CHAIN, "K1").steps.set_index("step")["stopped"]
    for step, many in steps.items():
        assert len(queries.stopped(CHAIN, tiny_snapshot.engine, K1, str(step), date(2026, 3, 21), 50)) == many
