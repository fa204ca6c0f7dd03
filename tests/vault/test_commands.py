"""``python -m data_access vault``: what it prints, and what it says when it cannot."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from data_access.__main__ import app
from data_access.errors import Problem
from data_access.vault import keys


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["vault", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_from_an_older_version_to_a_newer_key(plain: Engine, home: Path) -> None:
    assert run("status") == "sealed: 0 rows\nopen: 5 rows; run `python -m data_access vault seal`\n"
    assert run("seal") == "sealed 5 rows; nothing identifying lies open\n"
    assert run("status") == "sealed: 5 rows\n  with key k1: 5 rows\nopen: 0 rows\n"
    assert run("rotate") == "wrapped 0 rows with key k1; older keys are needed for backups only\n"
    assert run("rotate", "--new-key").splitlines() == [
        f"new key k2 in {home / keys.FILE}: put a copy where the other one is",
        "wrapped 5 rows with key k2; older keys are needed for backups only",
    ]
    assert run("status", "--all").splitlines()[1:] == [
        "  with key k2: 5 rows",
        "open: 0 rows",
        "opened: 5 rows, 0 do not open",
    ]


def test_a_row_that_does_not_open_is_named(sealed: Engine) -> None:
    with sealed.begin() as connection:
        connection.exec_driver_sql("UPDATE customer_vault SET phone = name WHERE customer_id = 'C2'")
    assert run("status", "--all").splitlines()[-2:] == ["  does not open: customer C2", "opened: 4 rows, 1 do not open"]


def test_without_its_key_it_says_what_to_restore(sealed: Engine, home: Path) -> None:
    (home / keys.FILE).unlink()
    assert run("status").startswith("sealed: 5 rows")
    for command in (["status", "--all"], ["rotate"], ["seal"]):
        with pytest.raises(Problem, match="the key of this CRM is missing"):
            run(*command)


def test_a_database_that_is_not_there_is_not_made(home: Path) -> None:
    with pytest.raises(Problem, match="there is no CRM database"):
        run("status")
    assert not home.exists()
