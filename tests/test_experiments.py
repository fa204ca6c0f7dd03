"""What the card of a campaign says in words of a verdict."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from models.calc.experiment import POOLED
from models.reports.campaign import CampaignReport
from pages._ui import campaign_views, experiments
from pages._ui.i18n import speaking
from pages._ui.tables import MOST_COLUMNS


def card(
    verdict: str, lo95: float, hi95: float, *, is_over: bool = True, cost: float = 50.0, every_day: float = 0.5
) -> CampaignReport:
    """One group of 100 beside 300 held back, whose margin per customer differs by 4; ``every_day``: the lower end of
    the range for who looks every day."""
    lift: dict[str, Any] = {"arm": "A", "metric": "margin", "difference": 4.0, "lo95": lo95, "hi95": hi95}
    row = {"arm": "A", "verdict": verdict, "worth": 2.0, "people_needed": 8_000.0, "cost": cost, "roi": 7.0}
    sums = {"incremental": 400.0, "incremental_lo": 100.0, "incremental_hi": 700.0}
    report = SimpleNamespace(
        basis="holdout",
        is_over=is_over,
        money="margin",
        currency="CNY",
        lift=pd.DataFrame([lift]),
        arms=pd.DataFrame({"is_control": [False, True], "people": [100, 300]}),
        verdict=pd.DataFrame([row | sums]),
        curve=pd.DataFrame({"lo95": [every_day], "hi95": [9.0]}),
    )
    return cast(CampaignReport, report)


def said(verdict: str, lo95: float, hi95: float, **how: Any) -> str:
    """The sentence on the card in English."""
    report = card(verdict, lo95, hi95, **how)
    with speaking("en"):
        return experiments.verdict_line(report, report.verdict.iloc[-1])


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
    assert said("cannot_tell", -3, 11).endswith("¥11.00).")
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
    with speaking("en"):
        larger = experiments.larger_line(card("cannot_tell", -3, 11, cost=cost))
    assert larger is not None
    assert f"a difference of ¥2.00 per customer ({why}) takes about" in larger
    assert f"one of ¥2.00 per customer ({why}) would" in said("no_evidence", -3, 11, cost=cost)


def test_how_many_it_takes_is_split_as_this_time() -> None:
    with speaking("en"):
        assert "2k customers treated and 6k held back; this time there were 100 and 300" in str(
            experiments.larger_line(card("cannot_tell", -3, 11))
        )  # 8,000 x 100 / 400 and 8,000 x 300 / 400
        assert experiments.larger_line(card("worked", 1, 7)) is None


def test_what_paid_is_told_with_its_range_and_its_cost() -> None:
    report = card("worked", 1, 7)
    with speaking("en"):
        advised = experiments.advice(report, report.verdict.iloc[-1])
    assert advised == (
        "Run it again: for a cost of ¥50 it brought ¥400 more margin (¥100 to ¥700), discounts taken out."
    )


def test_the_group_that_brought_buyers_is_named() -> None:
    bought = {"metric": "conversion", "treated": 0.36, "control": 0.31, "difference": 0.05}
    report = SimpleNamespace(
        basis="holdout",
        is_over=True,
        verdict=pd.DataFrame({"arm": ["A", "B", POOLED], "verdict": "cannot_tell"}),
        lift=pd.DataFrame(
            [bought | {"arm": arm, "p_holm": p} for arm, p in (("A", 0.83), ("B", 0.02), (POOLED, 0.11))]
        ),
    )
    with speaking("en"):
        advised = experiments.advice(cast(CampaignReport, report), report.verdict.iloc[-1])
    assert advised.startswith("If you run it again, take B: it brought buyers")


def test_a_campaign_that_runs_says_so_first() -> None:
    assert "Not over yet. It worked" in said("worked", 1, 7, is_over=False)


def test_a_verdict_for_one_look_at_the_end_is_not_read_before_it() -> None:
    early = said("worked", 1, 7, is_over=False, every_day=-0.5)
    assert "Ahead so far, not yet sure: ¥4.00 more margin" in early
    assert "It worked" not in early
    assert "It worked" in said("worked", 1, 7, every_day=-0.5)


def test_rare_orders_have_digits_that_say_something() -> None:
    row: dict[str, Any] = {"arm": "A", "metric": "orders", "treated": 0.0126, "control": 0.0058, "difference": 0.0068}
    report = SimpleNamespace(
        currency="USD", lift=pd.DataFrame([row | {"lo95": 0.005, "hi95": 0.0086, "p_holm": 0.001}])
    )
    with speaking("en"):
        shown = experiments.table(cast(CampaignReport, report)).iloc[0]
    assert tuple(shown[["change_text", "treated", "control"]]) == ("+0.0068", "0.0126", "0.0058")


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


def test_an_effect_names_its_arm_where_there_are_several() -> None:
    effects: dict[str, Any] = {
        "metric": "visit", "treated": 0.2, "control": 0.1, "difference": 0.1, "lo95": 0.0, "hi95": 0.2, "p_holm": 0.01,
    }  # fmt: skip
    two = pd.DataFrame([{**effects, "arm": "A"}, {**effects, "arm": "B"}])
    with speaking("en"):
        named = [
            experiments.table(cast(CampaignReport, SimpleNamespace(lift=rows)))["metric"] for rows in (two, two[:1])
        ]
    assert [list(names) for names in named] == [["Visited · A", "Visited · B"], ["Visited"]]


@pytest.mark.parametrize(("is_over", "every_day", "clear"), [(True, -0.5, 1), (False, -0.5, 0), (False, 0.5, 1)])
def test_no_effect_is_beyond_chance_before_the_end_while_the_range_for_every_look_is_not(
    is_over: bool, every_day: float, clear: int
) -> None:
    report = card("worked", 1, 7, is_over=is_over, every_day=every_day)
    report.lift[["control", "treated", "relative_lo", "relative_hi", "p_holm"]] = [20.0, 24.0, 0.05, 0.35, 0.01]
    with speaking("en"):
        beyond, chance = experiments.effects(report).data
    assert (len(beyond.x), len(chance.x)) == (clear, 1 - clear)
