"""A CRM that an administrator names in the browser, on real servers: every way it can go wrong, and to the end."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import MetaData, create_engine, make_url, text
from streamlit.testing.v1 import AppTest

from data_access import beginning
from data_access.crm import crm_engine
from data_access.settings import settings
from data_access.snapshot import current_snapshot
from data_access.state.store import opened, prepare
from pages._gate.identity import Person
from pages._ui.i18n import text as words_of
from tests import tiny_crm
from tests.test_pages import SHELL

PASSWORD = "only-for-reading-4"
WITHIN = 120  # seconds for a snapshot on a busy machine
KINDS = [pytest.param(kind, marks=pytest.mark.database) for kind in ("postgresql", "mariadb")]


@dataclass(frozen=True)
class Crm:
    """A tiny CRM on a server: an account that only reads (``mirror_reader``), and one for all (``mirror``)."""

    kind: str
    url: str

    @property
    def host(self) -> str:
        return str(make_url(self.url).host)

    @property
    def port(self) -> int:
        return int(make_url(self.url).port or 0)

    @property
    def database(self) -> str:
        return str(make_url(self.url).database)

    def run(self, *statements: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(params=KINDS)
def crm(request: pytest.FixtureRequest) -> Iterator[Crm]:
    found = Crm(request.param, request.getfixturevalue(f"{request.param}_url"))
    engine = crm_engine(found.url)
    tiny_crm.fill(engine)
    engine.dispose()
    who = "mirror_reader@'127.0.0.1'"
    if found.kind == "postgresql":
        found.run(
            *_password_asked(found),
            f"CREATE ROLE mirror_reader LOGIN PASSWORD '{PASSWORD}'",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO mirror_reader",
        )
    else:
        found.run(
            f"CREATE USER {who} IDENTIFIED BY '{PASSWORD}'", f"GRANT SELECT, SHOW VIEW ON {found.database}.* TO {who}"
        )
    yield found
    found.run(
        *(["DROP OWNED BY mirror_reader", "DROP ROLE mirror_reader"] if found.kind == "postgresql" else []),
        *([f"DROP USER {who}"] if found.kind == "mariadb" else []),
    )


def _password_asked(crm: Crm) -> tuple[str, ...]:
    """Statements after which the server, which trusts everybody, asks the reader for a password."""
    engine = create_engine(crm.url)
    with engine.connect() as connection:
        rules = connection.scalar(text("SHOW hba_file"))
    engine.dispose()
    lines = "('host all mirror_reader all scram-sha-256'), ('host all all all trust'), ('local all all trust')"
    return f"COPY (VALUES {lines}) TO '{rules}'", "SELECT pg_reload_conf()"


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The page of an empty installation, as an administrator sees it."""
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path))
    monkeypatch.setenv("MIRROR_CRM_URL", "")
    settings.cache_clear()
    st.cache_data.clear()
    prepare(opened())
    monkeypatch.setattr("pages._ui.session.identity", lambda: Person("administrator", actor="boss", name="Boss"))
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: "en")
    at = AppTest.from_file(SHELL, default_timeout=60)
    at.query_params["lang"] = "en"
    at.switch_page("start.py").run()
    at.segmented_control(key="start_way").set_value("crm").run()
    assert not at.exception
    yield at
    settings.cache_clear()
    st.cache_data.clear()


def try_out(at: AppTest, crm: Crm, **other: object) -> list[str]:
    """Fills the form in, with what ``other`` says instead; gives the errors and warnings it answers with."""
    right = {"Host": crm.host, "Port": crm.port, "Database": crm.database, "User": "mirror_reader"}
    entered: dict[str, object] = {**right, "Password": PASSWORD, **other}
    at.main.selectbox[0].select(crm.kind)
    for field in [*at.main.text_input, *at.main.number_input]:
        field.set_value(entered[field.label])  # type: ignore[arg-type]
    next(button for button in at.main.button if button.label == words_of("en", "start.crm.try")).click().run()
    assert not at.exception
    return [one.value for one in [*at.main.error, *at.main.warning]]


def names(at: AppTest) -> list[str]:
    return [button.label for button in at.main.button]


def sentence(key: str, **named: object) -> str:
    return words_of("en", key).format(**named)


def test_each_thing_that_can_be_wrong_is_one_sentence(crm: Crm, start: AppTest) -> None:
    right: dict[str, object] = {
        "Host": crm.host,
        "Port": crm.port,
        "Database": crm.database,
        "User": "mirror_reader",
    }
    wrong = [
        ("Port", 1, "crm_host"),  # nothing listens there
        ("Host", "nowhere.invalid", "crm_host"),
        ("Password", "wrong", "crm_sign_in"),
        ("User", "nobody", "crm_sign_in"),
        ("Database", "elsewhere", "crm_database"),
    ]
    for field, entered, key in wrong:
        named = {name.lower(): value for name, value in {**right, field: entered}.items()}
        expected = sentence(f"start.wrong.{key}", **named)
        assert [one.replace("\\", "") for one in try_out(start, crm, **{field: entered})] == [expected]
        assert words_of("en", "start.crm.go") not in names(start)


def test_an_account_that_may_not_read_the_tables_is_one_sentence(crm: Crm, start: AppTest) -> None:
    if crm.kind == "postgresql":
        crm.run("REVOKE SELECT ON sale_line FROM mirror_reader")
    else:
        who = "mirror_reader@'127.0.0.1'"
        crm.run(
            f"REVOKE SELECT ON {crm.database}.* FROM {who}",
            *(f"GRANT INSERT ON {crm.database}.{table} TO {who}" for table in ("store", "sale_order", "sale_line")),
        )
    (said,) = try_out(start, crm)
    expected = sentence("start.wrong.crm_may_not_read", user="mirror_reader", database=crm.database)
    assert said.replace("\\", "") == expected


def test_an_account_that_may_change_the_crm_is_warned_of(start: AppTest, crm: Crm) -> None:
    said = try_out(start, crm, User="mirror", Password="")
    assert words_of("en", "start.crm.may_write") in said
    assert words_of("en", "start.crm.go") in names(start)


def test_a_database_without_the_tables_cannot_be_used(start: AppTest, crm: Crm) -> None:
    engine = create_engine(crm.url)
    known = MetaData()
    known.reflect(engine)
    known.drop_all(engine)
    engine.dispose()
    assert try_out(start, crm) == [words_of("en", "start.crm.no_tables")]
    assert words_of("en", "start.crm.go") not in names(start)


@pytest.mark.parametrize(
    ("field", "entered", "key"),
    [
        ("Host", "", "start.crm.incomplete"),
        ("Database", " ", "start.crm.incomplete"),
        ("Host", "postgresql://crm.example.com", "start.wrong.crm_host_form"),
    ],
)
def test_a_form_that_names_no_server_says_so(start: AppTest, field: str, entered: str, key: str) -> None:
    nowhere = Crm("postgresql", "postgresql://mirror@crm.example.com:5432/crm")
    assert try_out(start, nowhere, **{field: entered}) == [words_of("en", key)]


def test_an_order_that_fails_leaves_every_way_open(start: AppTest, tmp_path: Path) -> None:
    beginning.connect(tmp_path, "postgresql+psycopg://mirror@127.0.0.1:1/crm")
    beginning.main(["crm", "demo"])
    assert (now := beginning.progress(tmp_path)) is not None
    assert now.problem
    assert settings().keeps_crm
    assert not list(tmp_path.rglob("crm.url"))
    start.run()
    assert start.segmented_control(key="start_way").options == ["Import files", "Connect a CRM", "Demo chain"]


def test_a_crm_named_in_the_browser_becomes_figures(start: AppTest, crm: Crm, tmp_path: Path) -> None:
    assert words_of("en", "start.crm.may_write") not in try_out(start, crm)
    next(one for one in start.main.button if one.label == words_of("en", "start.crm.go")).click().run()
    until = time.monotonic() + WITHIN
    while (now := beginning.progress(tmp_path)) is not None and now.at_work and time.monotonic() < until:
        time.sleep(0.2)
    assert now is not None
    assert (now.step, now.problem) == ("done", "")
    assert current_snapshot(tmp_path).info.last_day is not None
    start.run()
    assert not start.exception
    assert "Done: sales of" in start.main.success[0].value
