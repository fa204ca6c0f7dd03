"""The value page where there is enough to forecast: cards, the check, the grid and its list."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data_access.queries.actions import Wanted
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.value import Cell, ValueReport, members_of, value
from pages._ui import load, value_views
from pages._ui.i18n import LANGUAGES
from tests.small_chain import served
from tests.test_pages import PEOPLE, SHELL, figure, metric, words
from tests.test_value import END
from tests.test_value import simulated as simulated  # the fixture
from tests.tiny import CHAIN

Visit = Callable[..., AppTest]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield home


@pytest.fixture(scope="module")
def report(simulated: Snapshot) -> ValueReport:
    return value(simulated, CHAIN, END, members=0)


@pytest.fixture
def visit(chain: Path, report: ValueReport, simulated: Snapshot, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """``visit("regional", "en")`` opens the page over simulated customers instead of those of the small chain."""

    def rows(
        scope: Scope, as_of: object, generation: str, cell: Cell | None, first: int, many: int, wanted: Wanted
    ) -> pd.DataFrame:
        return members_of(simulated, CHAIN, report, cell, first, many, wanted)

    def run(role: str, language: str = "en", check: ValueReport | None = report) -> AppTest:
        monkeypatch.setattr("pages._ui.session.identity", lambda: PEOPLE[role])
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
        monkeypatch.setattr(load, "value", lambda scope, as_of, generation: report)
        monkeypatch.setattr(load, "value_check", lambda scope, as_of, generation: check)
        monkeypatch.setattr(load, "value_members", rows)
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.query_params["lang"] = language
        at.switch_page("value.py").run()
        return at

    return run


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", ["manager", "regional", "marketing"])
def test_the_page_shows_the_forecast_to_everybody_who_may_open_it(visit: Visit, role: str, language: str) -> None:
    at = visit(role, language)
    assert not at.exception
    assert "⟦" not in words(at)
    assert len(at.metric) == len(value_views.CARDS)
    assert "nan" not in "".join(f"{card.value} {card.help}" for card in at.metric)


def test_the_cards_carry_their_ranges(visit: Visit, report: ValueReport) -> None:
    at = visit("regional")
    total = report.summary.set_index("key").loc["expected_value"]
    assert f"¥{total['lo95']:,.2f} to ¥{total['hi95']:,.2f}" in next(
        c.help for c in at.metric if c.label == "Value ahead"
    )
    assert metric(at, "Margin")[0] == "–"
    assert "no cost is known" in words(at)


def test_the_check_says_what_came_of_what_was_expected(visit: Visit, report: ValueReport) -> None:
    at = visit("regional")
    known = report.holdout.set_index("key")["value"]
    assert f"{known['actual_visits']:,.0f} came" in words(at)
    expected, actual = report.calibration["expected_visits"], report.calibration["actual_visits"]
    lines = figure(at, "value_check")["data"]
    assert [line["y"] for line in lines] == [actual.round(4).tolist(), expected.round(4).tolist()]
    assert "There is no check yet" in words(visit("regional", check=None))


def test_a_click_on_a_cell_opens_its_customers(visit: Visit, report: ValueReport) -> None:
    at = visit("regional")
    cells = figure(at, "value_grid")["data"][2]["customdata"]
    assert len(cells) == 12
    whole = at.dataframe[0].value["customer_key"].tolist()
    at.query_params["pick"] = "value_grid.base-once"
    at.run()
    assert "Base × One visit" in words(at)
    assert at.dataframe[0].value["customer_key"].tolist() != whole
    assert set(at.dataframe[0].value["probability_active"]) == {100.0}


def test_a_forged_click_narrows_nothing(visit: Visit) -> None:
    at = visit("regional")
    at.query_params["pick"] = "value_grid.S002"
    at.run()
    assert not at.exception
    assert "All customers · 2,300 customers" in words(at)


def test_the_small_chain_has_too_little_and_the_page_says_so(chain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.session.identity", lambda: PEOPLE["marketing"])
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: "en")
    at = AppTest.from_file(SHELL, default_timeout=60)
    at.query_params["lang"] = "en"
    at.switch_page("value.py").run()
    said = words(at)
    assert "Too little data to forecast" in said
    assert "Customers with a visit: 40 found, at least 500 needed" in said
    assert [card.label for card in at.metric] == ["Net sales", "Margin", "Top 10% bring", "Customers"]
    assert not at.dataframe
