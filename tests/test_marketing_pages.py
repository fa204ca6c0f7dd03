"""What marketing is told (which campaign fails at which step) and writes down (decisions, and what came of them)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from data_access.scope import Scope
from data_access.state import decisions
from models.calc.funnel_gaps import RATES
from models.reports._shape import select_columns
from models.reports.allocation import AllocationReport
from models.reports.funnels import FunnelsReport
from pages._ui import allocation_views, calendar_views
from pages._ui.i18n import LANGUAGES, text
from tests.small_chain import served
from tests.test_pages import PEOPLE, SHELL, words

Visit = Callable[..., AppTest]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield home


def _report(states: list[str], below: str) -> FunnelsReport:
    """Campaigns K0, K1, ... in these states, a month apart; of ``below`` the claim rate is 5 %, usually 9 to 12 %."""
    names = [f"K{at}" for at in range(len(states))]
    begun = pd.date_range("2026-01-01", periods=len(states), freq="MS")
    campaigns = pd.DataFrame({"campaign_id": names, "name": names, "state": states, "starts_on": begun})
    rates = campaigns.assign(channel="sms", key="claim_rate", numerator=50, denominator=1000, value=0.05)
    rates = rates.assign(earlier=5, baseline=0.1, lo95=0.09, hi95=0.12)
    rates["verdict"] = ["below" if name == below else "usual" for name in names]
    return FunnelsReport(**_filled(FunnelsReport, campaigns=campaigns, alerts=rates))


def _filled(report: type, **tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of a report; columns that no test looks at are missing values."""
    none = select_columns(report)
    return none | {name: rows.reindex(columns=none[name].columns) for name, rows in tables.items()}


@pytest.fixture
def visit(chain: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """``visit("marketing", "tasks", report)`` opens a page that loads ``report`` instead of its own."""

    def run(role: str, page: str, report: FunnelsReport | AllocationReport, language: str = "en") -> AppTest:
        monkeypatch.setattr("pages._ui.session.identity", lambda: PEOPLE[role])
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
        loads = "funnels" if isinstance(report, FunnelsReport) else "allocation"
        monkeypatch.setattr(f"pages._ui.load.{loads}", lambda *_: report)
        at = AppTest.from_file(SHELL, default_timeout=120)
        at.query_params["lang"] = language
        at.switch_page(f"{page}.py").run()
        return at

    return run


@pytest.mark.parametrize("language", LANGUAGES)
def test_marketing_is_told_which_campaign_fails_at_which_step(visit: Visit, language: str) -> None:
    at = visit("marketing", "tasks", _report(["closed", "running"], below="K1"), language)
    assert not at.exception
    usual = text(language, "number.between", low="9.0%", high="12.0%")
    rate = text(language, "funnel.claim_rate")
    assert text(language, "calendar.unusual", name="K1", rate=rate, value="5.0%", usual=usual) in words(at)
    failing = text(language, "calendar.failing", step=text(language, "step.claimed"))
    (link,) = [one for one in at.get("page_link") if one.proto.label == failing]
    assert "campaign=K1" in link.proto.query_string
    assert "step=clicked" in link.proto.query_string


def test_stores_are_told_of_their_own_work_and_nobody_of_campaigns_long_over(visit: Visit) -> None:
    heading = text("en", "funnel.alerts")
    assert heading not in words(visit("manager", "tasks", _report(["running"], below="K0")))
    assert heading not in words(
        visit("marketing", "tasks", _report(["closed"] * 4, below="K0"))
    )  # three ended after it
    assert heading in words(visit("marketing", "tasks", _report(["closed"] * 4, below="K1")))


def test_every_rate_names_the_step_that_failed_and_where_people_stopped() -> None:
    failing, stopped = calendar_views._FAILING, calendar_views._STOPPED_AT
    assert set(failing) == set(stopped) == set(RATES)
    steps = {rate: RATES[rate][0] for rate in RATES}
    assert failing == steps | {"redemption_rate": "bought"}  # whoever redeems a coupon buys


def _kinds() -> AllocationReport:
    kinds = pd.DataFrame({"type": ["coupon", "event"], "campaigns": 3, "measured": 2, "cost": [1_000.0, 500.0]})
    earned = {"incremental_margin": 2_000.0, "earned_per_unit": 2.0, "earned_lo": 1.0, "earned_hi": 3.0}
    summary = pd.DataFrame({"key": ["ran", "valid"], "value": [6.0, 4.0]})
    tables = _filled(AllocationReport, summary=summary, kinds=kinds.assign(**earned))
    return AllocationReport("CNY", **tables)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_decision_is_written_down_and_what_was_seen_noted_beside_what_was_expected(
    visit: Visit, state: Engine, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocation_views, "opened", lambda: state)
    at = visit("marketing", "allocation", _kinds(), language)
    at.text_input(key="decision_text").input("Half of the coupons to e-mail")
    at.text_input(key="decision_expected").input("20,000 more margin")
    _submit(at, "decision")
    (waiting,) = decisions.every(state, Scope("chain"))
    assert (waiting.about, waiting.expected, waiting.seen) == ("coupon", "20,000 more margin", None)

    at.text_input(key="review_text").input("8,000 more margin")
    _submit(at, "review")
    (seen,) = decisions.every(state, Scope("chain"))
    assert (seen.decision_id, seen.seen) == (waiting.decision_id, "8,000 more margin")
    shown = words(at)
    assert shown.index("20,000 more margin") < shown.index("8,000 more margin")  # beside what was expected
    assert text(language, "decision_state.seen") in shown
    assert not [box for box in at.text_input if box.key == "review_text"]  # nothing waits any more


def _submit(at: AppTest, form: str) -> None:
    (button,) = [one for one in at.button if one.form_id == form]
    button.click().run()
    assert not at.exception
