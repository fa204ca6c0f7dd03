"""What a figure rests on, when it is greyed out, and the passport that says so on every page."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.gates import GATES, Ground, gate_of
from models.metrics import METRICS
from models.reports.provenance import provenance
from pages._gate.identity import Person
from pages._ui import access, load
from pages._ui.i18n import LANGUAGES, exists, text
from tests.small_chain import LAST_DAY, served

SHELL = str(Path(__file__).resolve().parents[1] / "pages" / "_shell.py")
SOUND = Ground(
    receipts=100, identified=90, gross_sales=1000, costed_sales=950, traded_days=28, counted_days=28, money_missing=0
)
# What shuts each gate, the figure it greys out, and what just does not shut it.
CASES = [
    ("money", "net_sales", {"money_missing": 0.01}, {"money_missing": 0.009}),
    ("few_receipts", "average_ticket", {"receipts": 9}, {"receipts": 10}),
    ("few_identified", "new_customers", {"identified": 49}, {"identified": 50}),
    ("few_costed", "margin_rate", {"costed_sales": 799.0}, {"costed_sales": 800.0}),
    ("few_counted", "conversion", {"counted_days": 22}, {"counted_days": 23}),  # 0.8 x 28 = 22.4
]


@pytest.mark.parametrize(("key", "metric", "shut", "open_"), CASES, ids=[case[0] for case in CASES])
def test_a_gate_shuts_at_its_bound(key: str, metric: str, shut: dict[str, float], open_: dict[str, float]) -> None:
    gate = gate_of(metric, replace(SOUND, **shut))  # type: ignore[arg-type]
    assert gate is not None
    assert gate.key == key
    assert gate_of(metric, replace(SOUND, **open_)) is None  # type: ignore[arg-type]
    assert gate_of("orders", replace(SOUND, **shut)) is None  # type: ignore[arg-type]


def test_every_gate_is_tried_and_greys_out_known_figures_only() -> None:
    assert {case[0] for case in CASES} == {gate.key for gate in GATES}
    assert {metric for gate in GATES for metric in gate.metrics} <= set(METRICS)


def test_receipts_counted_and_left_out_are_all_receipts(tiny_snapshot: Snapshot) -> None:
    info = tiny_snapshot.info
    assert info.first_day is not None
    assert info.last_day is not None
    report = provenance(tiny_snapshot, Scope("chain"), Period(info.first_day, info.last_day))
    with tiny_snapshot.engine.connect() as connection:
        every = connection.exec_driver_sql("SELECT count(*) FROM sale_order").scalar()
    assert report.receipts["receipts"].sum() == every
    assert report.ground.receipts == report.receipts["receipts"].iloc[0]
    assert report.receipts["exclusion"].isna().tolist() == [True] + [False] * (len(report.receipts) - 1)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield home


def visited(page: str, language: str = "en", **query: str) -> AppTest:
    at = AppTest.from_file(SHELL, default_timeout=60)
    at.query_params["lang"] = language
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page(f"{page}.py").run()


def said(at: AppTest) -> str:
    return "\n".join(str(one.value) for one in (*at.markdown, *at.caption))


@pytest.fixture(params=["manager", "regional", "marketing", "administrator"])
def role(request: pytest.FixtureRequest, chain: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    people = {"manager": ("S1",), "regional": ("east",)}
    person = Person(request.param, people.get(request.param, ()))
    monkeypatch.setattr("pages._ui.session.identity", lambda: person)
    return str(request.param)


ABOUT = {
    "store": {"store": "S1"},
    "category": {"goods": "护肤"},
    "product": {"product": "P1"},
    "lot": {"product": "P1"},
    "product_demand": {"product": "P1"},
}


@pytest.mark.slow
def test_every_row_of_cards_has_its_passport(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All parts stand in it, on every page with figures that the small chain fills."""
    shown: list[tuple[str, object]] = []

    def kept(figures: list[object]) -> None:
        shown.extend((here, figure) for figure in figures)

    monkeypatch.setattr("pages._ui.passport.button", kept)
    bare = []
    for entry in access.PAGES:
        if role not in entry.detail:
            continue
        here = entry.key
        at = visited(entry.key, **ABOUT.get(entry.key, {}))
        drawn = {metric.label for metric in at.metric}
        named = {name for page, figure in shown if page == here for name in _names(figure)}
        bare += [f"{here}: {label}" for label in drawn - named]
    assert bare == []
    for _, figure in shown:
        key = figure.key  # type: ignore[attr-defined]
        assert key is None or key in METRICS


def _names(figure: object) -> set[str]:
    key, name = figure.key, figure.name  # type: ignore[attr-defined]
    short = f"metric.{key}.short"
    return {name, text("en", short)} if key and exists(short) else {name}


PARTS = (
    *("glossary.formula", "passport.certainty", "passport.filters", "head.period", "passport.rows"),
    *("passport.excluded", "passport.refused", "head.as_of", "freshness.read", "head.generation"),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_passport_says_all_of_a_figure(chain: Path, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.session.identity", lambda: Person("marketing"))
    # The test reads the options of a box outside any run, where no language has been chosen.
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
    at = visited("overview", language)
    at.session_state["passport_1"] = True
    words = said(at.run())
    for key in PARTS:
        assert f"[{text(language, key)}]" in words, key
    assert text(language, "metric.net_sales.help") in words
    # one receipt a day in each of the four open stores, none left out
    assert text(language, "passport.receipts").format(n=4 * 28) in words
    assert text(language, "passport.none_left") in words


def test_a_figure_whose_ground_is_thin_is_greyed_out_with_the_reason(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages._ui.session.identity", lambda: Person("marketing"))
    reason = text("en", "gate.few_identified")
    assert reason not in said(visited("overview"))
    real = load.provenance(Scope("chain"), Period(LAST_DAY, LAST_DAY), load.generation())
    thin = replace(real, ground=replace(SOUND, identified=10))
    monkeypatch.setattr("pages._ui.load.provenance", lambda *_: thin)
    at = visited("overview")
    assert said(at).count(reason) == 3  # buyers, new and returning customers
