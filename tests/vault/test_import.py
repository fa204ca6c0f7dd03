"""Imports into a sealed CRM: the same answers as into an open one, and nothing readable in the files."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from data_access import vault
from data_access.errors import Problem
from data_access.importer import import_files
from data_access.importing.report import ImportReport
from data_access.schema import customer
from data_access.vault import keys
from data_access.vault.inplace import seal_all
from data_access.vault.people import FIELDS
from data_access.vault.tables import customer_vault
from tests.import_kit import LATER, NOW, mapping_file
from tests.vault.conftest import hits, write_plain

TABLES = """
    birthday = { from = ["birthday"], type = "date", may_be_empty = true }
    phone = "phone"
    wechat = "wechat"

    [[tables]]
    name = "customer"
    from = "one"
    columns = { customer_id = "id", name = "name", phone = "phone", birthday = "birthday" }

    [[tables]]
    name = "customer_identity"
    select = "SELECT 'wechat' AS channel, wechat AS external_id, id AS customer_id, _row FROM one WHERE wechat <> ''"
"""
HEADER = "id,name,phone,birthday,wechat\n"
FIRST = HEADER + "C1,李雷雷,13800000001,1990-05-06,wx_lilei_0001\nC2,韩梅梅梅,,,\n"
WORDS = ("李雷雷", "韩梅梅梅", "13800000001", "1990-05-06", "wx_lilei_0001")


@pytest.fixture
def load(empty: Engine, home: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Imports a text as one file."""

    def run(content: str, tables: str = TABLES, now: object = NOW) -> ImportReport:
        file = tmp_path / "people.csv"
        file.write_text(content)
        mapping = mapping_file(tmp_path, tables=tables)
        return import_files(empty, mapping, [file], quarantine=tmp_path / "quarantine", home=home, now=now)  # type: ignore[arg-type]

    return run


def counted(report: ImportReport) -> dict[str, tuple[int, int, int]]:
    return {t.table: (t.inserted, t.changed, t.unchanged) for t in report.tables}


def known(engine: Engine, customer_id: str) -> list[str | None]:
    with engine.connect() as connection:
        return list(vault.contact(connection, customer_id, FIELDS).values())


def test_an_import_seals_and_the_same_again_changes_nothing(empty: Engine, load) -> None:  # type: ignore[no-untyped-def]
    assert counted(load(FIRST)) == {"customer": (2, 0, 0), "customer_identity": (1, 0, 0)}
    assert hits(empty, WORDS) == []
    assert known(empty, "C1") == ["李雷雷", "13800000001", None, "1990-05-06"]
    with empty.connect() as connection:
        sealed = connection.execute(select(customer_vault)).all()
    assert counted(load(FIRST, now=LATER)) == {"customer": (0, 0, 2), "customer_identity": (0, 0, 1)}
    with empty.connect() as connection:
        assert connection.execute(select(customer_vault)).all() == sealed
        assert set(connection.scalars(select(customer.c.updated_at))) == {NOW}


def test_what_changed_is_sealed_anew_and_found_under_the_new_number_only(empty: Engine, load) -> None:  # type: ignore[no-untyped-def]
    load(FIRST)
    report = load(HEADER + "C1,李雷雷,13900000009,1990-05-06,wx_lilei_0001\n", now=LATER)
    assert counted(report) == {"customer": (0, 1, 0), "customer_identity": (0, 0, 1)}
    assert known(empty, "C1") == ["李雷雷", "13900000009", None, "1990-05-06"]
    assert known(empty, "C2") == ["韩梅梅梅", None, None, None]
    with empty.connect() as connection:
        assert vault.find(connection, "phone", "13900000009") == ("C1",)
        assert vault.find(connection, "phone", "13800000001") == ()


def test_a_mapping_without_names_leaves_them_as_they_are(empty: Engine, load) -> None:  # type: ignore[no-untyped-def]
    load(FIRST)
    tables = """
    city = "city"

    [[tables]]
    name = "customer"
    from = "one"
    columns = { customer_id = "id", city = "city" }
    """
    assert counted(load("id,name,city\nC1,x,上海\n", tables, LATER)) == {"customer": (0, 1, 0)}
    assert known(empty, "C1") == ["李雷雷", "13800000001", None, "1990-05-06"]


def test_an_identity_of_an_older_version_is_known_again(empty: Engine, home: Path, load) -> None:  # type: ignore[no-untyped-def]
    write_plain(empty)
    assert counted(load(FIRST))["customer_identity"] == (0, 0, 1)
    with empty.connect() as connection:
        assert vault.identities(connection, "C1") == (("wechat", "wx_lilei_0001"),)
    seal_all(empty, home)
    with empty.connect() as connection:
        assert vault.identities(connection, "C1") == (("wechat", "wx_lilei_0001"),)


def test_who_was_forgotten_comes_back_with_a_file_that_names_them(empty: Engine, load) -> None:  # type: ignore[no-untyped-def]
    load(FIRST)
    vault.erase(empty, "C1")
    assert known(empty, "C1") == [None] * 4
    load(FIRST, now=LATER)
    assert known(empty, "C1")[0] == "李雷雷"


def test_without_the_key_nothing_is_imported(empty: Engine, home: Path, load) -> None:  # type: ignore[no-untyped-def]
    load(FIRST)
    (home / keys.FILE).unlink()
    with pytest.raises(Problem, match="the key of this CRM is missing"):
        load(HEADER + "C3,王芳芳,,,\n", now=LATER)
    assert hits(empty, ("王芳芳",)) == []
    with empty.connect() as connection:
        assert set(connection.scalars(select(customer.c.customer_id))) == {"C1", "C2"}
