"""A click on any chart opens or narrows, or it is written down why there is nothing to open."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.refresh import refresh
from data_access.settings import settings
from models.batch import batch
from pages._gate.identity import Person, Role
from pages._ui import access, drill
from tests.browser.screenshots import examples
from tests.clicks import NARROWS, OPENS, READS, click, declared, drawn_in_code, key_of, marks

SHELL = str(Path(__file__).resolve().parents[1] / "pages" / "_shell.py")
PEOPLE: dict[Role, Person] = {
    "manager": Person("manager", ("S001",)),
    "regional": Person("regional", ("R1",)),
    "marketing": Person("marketing"),
    "administrator": Person("administrator"),
}
KINDS = {"show": READS, "clicked": {**OPENS, **NARROWS}, "kept": NARROWS}


@pytest.mark.parametrize(("how", "key"), sorted(set(drawn_in_code())))
def test_every_chart_in_the_code_says_what_a_click_does(how: str, key: str) -> None:
    assert any(fnmatchcase(name, key) or fnmatchcase(key, name) for name in KINDS[how]), (
        f"say in tests/clicks.py what a click on {key!r} does"
    )


def test_a_page_that_opens_itself_gets_new_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "switch_page", lambda *_, **__: None)
    drill.here("stock")
    drill.open_page("lot", product="P1")
    assert drill.clickable("stock_lots") == "stock_lots"
    drill.open_page("stock", store="A")
    assert drill.clickable("stock_lots") != "stock_lots"


def test_nothing_is_said_of_charts_that_are_gone() -> None:
    keys = [key for _, key in drawn_in_code() if key != "*"]
    # blocks that several pages draw take their key from the page
    shared = ("overview_", "category_", "product_", "store_", "stock_", "demand_")
    gone = [
        name
        for name in (*OPENS, *NARROWS, *READS)
        if not name.startswith(shared) and not any(fnmatchcase(name, key) or fnmatchcase(key, name) for key in keys)
    ]
    assert gone == []


def test_no_chart_is_said_to_do_two_things() -> None:
    names = [*OPENS, *NARROWS, *READS]
    assert len(names) == len(set(names))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tiny demo chain with the results of a batch."""
    home = tmp_path_factory.mktemp("home")
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
    write_demo(engine, scale="tiny", truth_path=home / "truth.json", home=home)
    refresh(engine, home)
    engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRROR_HOME", str(home))
        settings.cache_clear()
        st.cache_data.clear()
        batch(home)
        yield home
    settings.cache_clear()
    st.cache_data.clear()


def opened(page: str, about: dict[str, str], **query: str) -> AppTest:
    """A page as whoever is signed in sees it."""
    at = AppTest.from_file(SHELL, default_timeout=120)
    at.query_params["lang"] = "en"
    thing = {"staff_member": "staff", "lot": "product", "product_demand": "product"}.get(page, page)
    about = {thing: about[thing]} if thing in about and thing != "store" else {}
    for name, value in {**about, **query}.items():
        at.query_params[name] = value
    return at.switch_page(f"{page}.py").run()


# Choices of a page that draw other charts.
VARIANTS: dict[str, tuple[dict[str, str], ...]] = {
    "segments": (
        {},
        *({"by": by} for by in ("lifecycle", "abc", "quadrants")),
        *({"by": "lifecycle", "lifecycle": preset} for preset in ("five_phase", "with_maintenance")),
        *({"view": view} for view in ("moves", "cross", "buys")),
    ),
    "stock": tuple({"list": name} for name in ("warnings", "overstock", "expiring", "orders")),
}


def pages_of(role: Role) -> dict[str, str]:
    """Streamlit's own name of each page that a role may open -> its key."""
    at = AppTest.from_file(SHELL, default_timeout=120).run()
    folder = Path(SHELL).parent
    return {
        at._resolve_page_hash(str(folder / f"{entry.key}.py")): entry.key
        for entry in access.PAGES
        if role in entry.detail
    }


def asked(at: AppTest) -> dict[str, str]:
    """What the URL says."""
    return {name: str(value) for name, value in at.query_params.items()}


@pytest.mark.slow
@pytest.mark.parametrize("role", PEOPLE)
def test_every_chart_of_every_page_does_what_it_says(chain: Path, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.session.identity", lambda: PEOPLE[role])
    about, pages = examples(chain), pages_of(role)
    wrong: list[str] = []
    for entry in access.PAGES:
        for query in VARIANTS.get(entry.key, ({},)) if role in entry.detail else ():
            at = opened(entry.key, about, **query)
            assert not at.exception
            for key in [key_of(chart) for chart in at.get("plotly_chart")]:
                wrong += [
                    f"{entry.key} {query} {key}: {fault}" for fault in _faults(pages, entry.key, about, query, key)
                ]
    assert wrong == []


def _faults(pages: dict[str, str], page: str, about: dict[str, str], query: dict[str, str], key: str) -> list[str]:
    """What a click on a chart does that it should not, or does not do that it should."""
    names = declared(key)
    if not names:
        return ["nobody says what a click on it does"]
    closed = [name for name in names if name in OPENS and OPENS[name] not in pages.values()]
    if closed or any(name in READS for name in names):
        return []
    done: list[object] = []
    for number in range(3):
        at = opened(page, about, **query)
        chart = next(one for one in at.get("plotly_chart") if key_of(one) == key)
        carried = marks(chart)
        if not carried:
            return ["no mark of it carries an id"]
        before = asked(at)
        click(at, chart, carried[number % len(carried)])
        if at.exception:
            return [f"fails: {at.exception[0].message}"]
        there, now = pages[at._finished_page_script_hash], asked(at)
        changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
        done.append((there, sorted(changed)))
        if any(OPENS.get(name) == there and (there != page or changed) for name in names):
            return []
        if any(name in NARROWS and changed and changed <= NARROWS[name] for name in names):
            return []
    return [f"a click gives {done}"]
