"""Attacks on the rows, past the gate: each fails, and each works as soon as the one guard against it is taken out.

As in ``tests.gate.test_attacks``, for whoever is signed in already: what somebody types, forges, or finds kept for
somebody else.
"""

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from markdown_it import MarkdownIt
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from data_access import snapshot
from data_access.errors import Problem
from data_access.marts.tables import sale_order
from data_access.queries import _frame, orders, places
from data_access.queries._bounds import OutsideScope
from data_access.scope import Period, Scope
from models.reports.order import order as order_report
from pages._ui import literal, load
from tests.gate.attacks import Attacks, nothing
from tests.gate.kit import BEHIND, HTML, Demo, visitor
from tests.small_chain import LAST_DAY

MINE, OTHERS = Scope("stores", ("S1",)), Scope("stores", ("S2",))
OF_OTHERS = f"S2-{LAST_DAY:%Y%m%d}"


ATTACKS = Attacks()
against = ATTACKS.against


def engine() -> Engine:
    return load.snapshot().engine


def unlimited(scope: Scope, query: Any, column: Any) -> Any:
    return query


def pasted(scope: Scope, engine: Engine, order_id: str) -> pd.DataFrame:
    """A query made of text, as nobody may write it."""
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT * FROM sale_order WHERE order_id = '{order_id}'").cursor.df()


@against({"data_access.queries.orders.order_header": pasted})
def sql_is_typed_where_an_order_is_named() -> bool:
    return len(orders.order_header(MINE, engine(), "x' OR '1'='1")) > 1


NO_SCOPE = {"data_access.scope.Scope.limit": unlimited, "data_access.queries._frame.check": nothing}


@against(NO_SCOPE)
def the_address_names_a_receipt_of_another_store() -> bool:
    try:
        return len(order_report(load.snapshot(), MINE, OF_OTHERS).header) == 1
    except Problem:
        return False


@against(NO_SCOPE)
def a_filter_offers_the_stores_of_others() -> bool:
    return "S2" in set(places.stores(MINE, engine())["store_id"])


@against({"data_access.queries._frame.check": nothing})
def a_query_forgets_its_scope() -> bool:
    try:
        found = _frame.fetch(MINE, engine(), select(sale_order.c.store_id).distinct())
    except OutsideScope:
        return False
    return "S2" in set(found["store_id"])


@against({"pages._ui.load.overview": st.cache_data(lambda _scope, period, category, generation: _sales(_scope))})
def what_is_kept_for_one_person_is_given_to_another() -> bool:
    generation = load.generation()
    period = Period(LAST_DAY, LAST_DAY)
    mine, others = (load.overview(scope, period, None, generation) for scope in (MINE, OTHERS))
    return repr(mine) == repr(others)


def _sales(scope: Scope) -> str:
    return f"the sales of {scope.store_ids}"


def runs(statement: Callable[[Path], str]) -> Path | None:
    """The folder in which the database of the pages has run a statement of the attacker's own; None: it did not.

    It is a copy: all who open one file in a process open it in the same way.
    """
    (file,) = snapshot.folder(Path(load.settings().home)).glob("facts_*.duckdb")
    folder = Path(tempfile.mkdtemp(dir=load.settings().home))
    for part in (file, file.with_suffix(".json")):
        shutil.copy(part, folder)
    shutil.copy(file, folder / "beside.duckdb")
    opened = snapshot.reopened(folder / file.name, None, "opened by an attacker")
    try:
        with opened.engine.connect() as connection:
            connection.exec_driver_sql(statement(folder))
        return folder
    except SQLAlchemyError:
        return None


UNLOCKED = {"data_access.snapshot._CONFIG": {}}


@against(UNLOCKED)
def a_statement_reads_a_file_of_the_machine() -> bool:
    return runs(lambda _: "SELECT content FROM read_text('/proc/self/environ')") is not None


@against(UNLOCKED)
def a_statement_writes_a_file() -> bool:
    folder = runs(lambda folder: f"COPY (SELECT 1) TO '{folder / 'planted.csv'}'")
    return folder is not None and (folder / "planted.csv").exists()


@against(UNLOCKED)
def a_statement_opens_another_database() -> bool:
    return runs(lambda folder: f"ATTACH '{folder / 'beside.duckdb'}' AS beside (READ_ONLY)") is not None


@against(UNLOCKED)
def a_statement_changes_what_the_database_may_do() -> bool:
    return runs(lambda _: "SET autoinstall_known_extensions = true") is not None


@against({"data_access.snapshot._FACTS": re.compile(r".*?(\d+)\.duckdb")})
def the_pointer_leads_out_of_its_folder() -> bool:
    home = Path(load.settings().home)
    pointer = snapshot.folder(home) / snapshot.POINTER
    before = pointer.read_text(encoding="utf-8")
    try:
        pointer.write_text('{"facts": "../../elsewhere/1.duckdb"}', encoding="utf-8")
        found = snapshot.read_pointer(home)
    except ValueError:
        return False
    finally:
        pointer.write_text(before, encoding="utf-8")
    return found is not None and ".." in found.facts


@against({"pages._ui.literal.literal": str})
def a_name_fetches_a_picture_from_elsewhere() -> bool:
    name = "![x](https://evil.example/beacon) <img src=//evil.example> [click](https://evil.example)"
    drawn = MarkdownIt().enable("linkify").render(literal.literal(name))
    return "<img" in drawn or "<a " in drawn


@against(gate___CLOSED=("/nothing",))
def the_interface_for_agents_is_read() -> bool:
    return visitor(Demo("manager", "S1")).get("/_stcore/agent/openapi.json").text == BEHIND


@against(gate___page_answer=nothing)
def a_file_of_the_program_is_fetched_as_a_page() -> bool:
    return visitor(Demo("manager", "S1")).get("/app/static/crm.sqlite", **HTML).text == BEHIND


@pytest.fixture(autouse=True)
def ground(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo chain with a store of its own for every attack, and nothing kept from the one before."""
    monkeypatch.setenv("MIRROR_STATE_URL", f"sqlite:///{tmp_path / 'state.sqlite'}")
    load.settings.cache_clear()
    st.cache_data.clear()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_fails(name: str) -> None:
    assert not ATTACKS.works(name)


@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_guard_the_attack_works(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ATTACKS.works_without_guard(name, monkeypatch)


def test_an_answer_is_kept_for_the_same_person() -> None:
    """The caches do something: otherwise nothing would ever be given to the wrong one."""
    period, generation = Period(LAST_DAY, LAST_DAY), load.generation()
    first = load.overview(MINE, period, None, generation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "overview_report", nothing)
        assert repr(load.overview(MINE, period, None, generation)) == repr(first)
