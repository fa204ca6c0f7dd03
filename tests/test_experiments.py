"""What the card of a campaign says in words of a verdict."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from models.reports.campaign import CampaignReport
from pages._ui import campaign_views, experiments
from pages._ui.i18n import speaking
from pages._ui.tables import MOST_COLUMNS


def said(verdict: str, lo95: float, hi95: float, *, is_over: bool = True, cost: float = 50.0) -> str:
    """The sentence on one group of 100 whose margin per customer differs by 4, in English."""
    lift: dict[str, Any] = {"arm": "A", "metric": "margin", "difference": 4.0, "lo95": lo95, "hi95": hi95}
    report = SimpleNamespace(
        basis="holdout",
        is_over=is_over,
        money="margin",
        currency="CNY",
        lift=pd.DataFrame([lift]),
        arms=pd.DataFrame({"is_control": [False, True], "people": [100, 900]}),
        verdict=pd.DataFrame({"cost": [cost]}),
    )
    row = pd.Series(
        {"arm": "A", "verdict": verdict, "smallest_detectable": 6.0, "worth": 2.0, "people_needed": 9_000.0}
    )
    with speaking("en"):
        return experiments.verdict_line(cast(CampaignReport, report), row)


def test_a_sure_verdict_gives_its_range() -> None:
    assert "¥4.00 more margin per customer than without it (with 95% certainty ¥1.00 to ¥7.00)." in said("worked", 1, 7)


@pytest.mark.parametrize(
    ("verdict", "lo95", "hi95", "why"),
    [
        ("worked", -1, 9, "The range includes zero"),
        ("cannot_tell", 1, 7, "where several groups are compared"),
    ],
)
def test_a_range_that_seems_to_contradict_the_verdict_is_explained(
    verdict: str, lo95: float, hi95: float, why: str
) -> None:
    assert why in said(verdict, lo95, hi95)


def test_nothing_is_explained_where_range_and_verdict_agree() -> None:
    assert said("cannot_tell", -3, 11).endswith("treated and held back together.")
    assert said("worked", 1, 7).endswith("¥7.00).")


@pytest.mark.parametrize(
    ("cost", "why"),
    [
        (50.0, "a tenth of what customers bring anyway; the campaign itself cost ¥0.50 each"),
        (200.0, "what it cost each"),
        (float("nan"), "a tenth of what customers bring anyway"),
    ],
)
def test_an_effect_worth_having_is_never_called_what_it_takes_to_pay_where_it_is_more(cost: float, why: str) -> None:
    assert f"to see one of ¥2.00 ({why}) takes about" in said("cannot_tell", -3, 11, cost=cost)
    assert f"one of ¥2.00 per customer ({why}) would" in said("no_evidence", -3, 11, cost=cost)


def test_a_campaign_that_runs_says_so_first() -> None:
    assert "Not over yet. It worked" in said("worked", 1, 7, is_over=False)


def test_harm_is_told_as_how_much_less() -> None:
    assert "with 95% certainty -¥1.00 to ¥9.00" in said("hurt", -9, 1)


def told(verdicts: list[str], *, ends: tuple[float, float] = (-1, 1), is_over: bool = True) -> Any:
    """A card of campaign with these verdicts whose curve ends between ``ends``."""
    lo95, hi95 = ends
    return SimpleNamespace(
        basis="holdout",
        is_over=is_over,
        verdict=pd.DataFrame({"verdict": verdicts}),
        curve=pd.DataFrame({"lo95": [lo95], "hi95": [hi95]}),
    )


def test_what_harms_for_sure_is_stopped_before_its_end() -> None:
    with speaking("en"):
        for ends, advised in (((-9, -1), "Stop it"), ((-9, 1), "Do not stop or extend it")):
            running = told(["hurt"], ends=ends, is_over=False)
            assert advised in experiments.advice(running, running.verdict.iloc[-1])


def test_groups_of_other_sizes_than_planned_are_no_basis() -> None:
    with speaking("en"):
        assert "not as many as planned" in campaign_views.basis(told(["arms_differ"]))
        assert campaign_views._said(told(["arms_differ"], ends=(1, 9))).startswith("The groups may not be compared")
        assert "held back at random" in campaign_views.basis(told(["worked"]))


def test_coupons_of_several_groups_fit_a_list() -> None:
    several = campaign_views.coupon_columns(pd.DataFrame({"arm": ["A", "B"]}))
    assert len(several) == MOST_COLUMNS
    assert "arm" in [one.name for one in several]
