"""What the card of a campaign says in words of a verdict."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from models.reports.campaign import CampaignReport
from pages._ui import experiments
from pages._ui.i18n import speaking


def said(verdict: str, lo95: float, hi95: float, *, is_over: bool = True) -> str:
    """The sentence on one group whose margin per customer differs by 4, in English."""
    lift: dict[str, Any] = {"arm": "A", "metric": "margin", "difference": 4.0, "lo95": lo95, "hi95": hi95}
    report = SimpleNamespace(
        basis="holdout", is_over=is_over, money="margin", currency="CNY", lift=pd.DataFrame([lift])
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


def test_a_campaign_that_runs_says_so_first() -> None:
    assert "Not over yet. It worked" in said("worked", 1, 7, is_over=False)
