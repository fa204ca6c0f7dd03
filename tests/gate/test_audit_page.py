"""The audit page beyond its entries: whose data somebody saw, and who took away more than usual."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import audit, exports
from data_access.state.exports import File
from data_access.state.store import opened, writing
from pages._gate.identity import Person
from tests.small_chain import served

SHELL = str(Path(__file__).parents[2] / "pages" / "_shell.py")
WANG = "demo:manager:S1"
ONE, TWO, THREE = (f"c{number:015x}" for number in (1, 2, 3))

Visit = Callable[..., AppTest]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield home


@pytest.fixture
def visit(chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """``visit()`` opens the audit page as an administrator of the demo chain, with a store of this test's own."""
    monkeypatch.setenv("MIRROR_STATE_URL", f"sqlite:///{tmp_path / 'state.sqlite'}")
    settings.cache_clear()
    monkeypatch.setattr("pages._ui.session.identity", lambda: Person("administrator", (), "demo:administrator:"))

    def run(language: str = "en") -> AppTest:
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.query_params["lang"] = language
        at.switch_page("audit.py").run()
        assert not at.exception
        return at

    return run


def take(customers: Sequence[str], rows: int, number: int = 0) -> None:
    with writing(opened()) as connection:
        file = File(f"f{number}", f"list-f{number}.csv", "segments", rows, ("customer_key",), "ab" * 32, customers)
        exports.record(connection, WANG, file, {"filters": "Stores: S1"}, utc_now() - timedelta(seconds=number))


def open_customer(key: str) -> None:
    with writing(opened()) as connection:
        audit.append(connection, WANG, "customer_seen", key, at=utc_now())


def said(at: AppTest) -> str:
    return "\n".join(element.value for element in at.markdown)


def test_an_export_reads_as_one_line_with_what_matters_first(visit: Visit) -> None:
    take([ONE], rows=1)
    entry = visit().dataframe[0].value.iloc[0]
    assert (entry["actor"], entry["action"]) == ("Store manager S1 (demo)", "file taken away")
    assert entry["subject"] == "page: Segments"
    assert entry["detail"].startswith("rows: 1 · customers: 1 · filters: Stores: S1 · file: list-f0.csv · columns:")


def test_nothing_is_unusual_as_long_as_files_are_small(visit: Visit) -> None:
    take([ONE], rows=499)
    assert "Unusual exports" not in said(visit())


@pytest.mark.parametrize(("language", "why"), [("en", "over 3× the rows before"), ("zh_CN", "行数超过此前 3 倍")])
def test_an_unusual_day_is_shown_above_everything_else(visit: Visit, language: str, why: str) -> None:
    take([ONE], rows=300, number=1)
    take([ONE], rows=200, number=2)
    alert = visit(language).dataframe[0].value.iloc[0]
    assert (alert["rows"], alert["files"], alert["most_rows"]) == (300 + 200, 2, 0)
    assert alert["unusual"] == why


def test_the_unusual_days_are_those_of_the_person_that_was_chosen(visit: Visit) -> None:
    take([ONE], rows=600)
    open_customer(ONE)
    with writing(opened()) as connection:
        audit.append(connection, "demo:manager:S2", "customer_seen", TWO, at=utc_now())
    at = visit()
    at.selectbox(key="audit_person").set_value("demo:manager:S2").run()
    assert "Unusual exports" not in said(at)


def test_whose_data_somebody_saw_is_a_list_of_customers(visit: Visit) -> None:
    take([ONE, TWO], rows=2)
    open_customer(TWO)
    open_customer(THREE)
    at = visit()
    at.query_params["log"] = "seen"
    at.run()
    assert "Choose a person above" in said(at)
    at.selectbox(key="audit_person").set_value(WANG).run()
    assert {metric.label: metric.value for metric in at.metric} == {
        "Customers": "3",
        "Page opened": "2",
        "Contact revealed": "0",
        "In a file": "2",
    }
    listed = at.dataframe[0].value.set_index("customer_key")
    assert listed.loc[TWO, ["opened", "revealed", "exported"]].tolist() == [1, 0, 1]
    assert set(listed.index) == {ONE, TWO, THREE}


def test_somebody_who_saw_nobody(visit: Visit) -> None:
    take([], rows=9)
    take([ONE], rows=9, number=1)
    at = visit()
    at.query_params["log"] = "seen"
    at.selectbox(key="audit_person").set_value(WANG).run()
    assert at.dataframe[0].value["customer_key"].tolist() == [ONE]
    at.date_input(key="audit_days").set_value(
        (utc_now().date() - timedelta(days=9), utc_now().date() - timedelta(days=9))
    )
    at.run()
    assert "no customer was opened, revealed or exported" in said(at)
