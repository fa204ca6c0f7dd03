"""The peers of a store on its page: by name for whoever may open them, for others quantiles of at least five."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data_access.results.tables import store_benchmark, store_peer
from data_access.snapshot import Snapshot, current_snapshot
from models.calc import peers
from models.jobs.job import Step, Write
from models.jobs.stores import JOB
from pages._ui import load
from tests.results_kit import one_job
from tests.small_chain import STORES, served
from tests.test_pages import PEOPLE, SHELL, words

PEERS = peers.LEAST  # S2 to S5, and one that has left the chain


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    """What a batch says of S1: the small chain has too few stores for any peers of its own."""
    assert PEERS == 5
    near = [("S1", store_id, place, 0.1 * place) for place, store_id in enumerate(("S2", "S3", "S4", "S5", "S9"))]
    write(store_peer, pd.DataFrame(near, columns=store_peer.c.keys()))
    row = ("S1", "average_ticket", 102.0, PEERS, 150.0, 200.0, 300.0, 400.0, 450.0, 0.0)
    write(store_benchmark, pd.DataFrame([row], columns=store_benchmark.c.keys()))


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield one_job(current_snapshot(home), replace(JOB, run=_run), Path(tmp_path_factory.mktemp("results")))


@pytest.fixture
def seen_by(compared: Snapshot, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """``seen_by("regional")``: the page of S1 as that person sees it."""

    def run(role: str) -> AppTest:
        monkeypatch.setattr(load, "current_snapshot", lambda home: compared)
        monkeypatch.setattr(load, "open_snapshot", lambda home, generation: compared)
        monkeypatch.setattr("pages._ui.session.identity", lambda: PEOPLE[role])
        # The test reads the options of a box outside any run, where no language has been chosen.
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: "zh_CN")
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.query_params["lang"] = "zh_CN"
        at.query_params["store"] = "S1"
        at.switch_page("store.py").run()
        assert not at.exception
        return at

    return run


def _captions(at: AppTest) -> str:
    return "\n".join(one.value for one in at.caption)


def _named(said: str) -> set[str]:
    return {key for key, (_, name, _, _) in STORES.items() if name in said} - {"S1"}


def test_peers_that_the_reader_may_open_have_names(seen_by: Callable[[str], AppTest]) -> None:
    assert _named(_captions(seen_by("marketing"))) == {"S2", "S3", "S4", "S5"}
    assert _named(_captions(seen_by("regional"))) == {"S2"}  # the other store of the own region


def test_of_other_peers_there_are_only_quantiles_of_five(seen_by: Callable[[str], AppTest]) -> None:
    at = seen_by("manager")
    assert _named(words(at)) == set()
    table = next(frame.value for frame in at.dataframe if "peers_below" in frame.value)
    assert table["peers_below"].tolist() == [f"{PEERS} 家中 0 家"]
    assert "300" in table["middle"].iloc[0]  # the median; half of them lie between 200 and 400
    assert "200" in table["half"].iloc[0]
    assert "400" in table["half"].iloc[0]
