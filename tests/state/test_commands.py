"""The command line over accounts and the audit log, as a person at the machine uses it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from data_access.__main__ import app
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.state import accounts, audit, sessions, setup
from data_access.state.accounts import Account
from data_access.state.store import opened, writing
from tests import small_chain
from tests.state.people import ADMINISTRATOR, ANOTHER, MANAGER, PASSWORD, person

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=typed)


def said(*arguments: str, typed: str = "") -> str:
    done = run(*arguments, typed=typed)
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.stdout


def refused(*arguments: str, typed: str = "") -> str:
    done = run(*arguments, typed=typed)
    assert isinstance(done.exception, Problem), done.output
    return str(done.exception)


def named(name: str) -> Account:
    found = accounts.find_by_name(opened(), name)
    assert found is not None
    return found


def test_an_account_is_made_with_a_password_from_standard_input() -> None:
    text = said(
        *("accounts", "create", "li.na", "--display-name", "李娜", "--role", "manager", "--store", "S1"),
        *("--store", "S2", "--may-reveal"),
        typed=PASSWORD + "\n",
    )
    assert "li.na can sign in as manager S1 S2, may reveal" in text
    assert PASSWORD not in text
    made = named("li.na")
    assert (made.display_name, made.stores, made.may_reveal, made.may_export) == ("李娜", ("S1", "S2"), True, False)
    assert made.initial_until is not None
    assert audit.search(opened(), audit.Filter()).entries[0].actor.startswith("terminal:")


def test_a_password_can_be_made_or_be_the_persons_own() -> None:
    text = said("accounts", "create", "li", "--role", "marketing", "--generate")
    password = text.split("password: ")[1].splitlines()[0]
    assert len(password.replace("-", "")) == 20
    said("accounts", "create", "ada", "--role", "administrator", "--own", typed=PASSWORD)
    assert named("li").initial_until is not None
    assert named("ada").initial_until is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "wang", "--role", "manager"), "at least one store"),
        (("create", "two words", "--role", "marketing"), "sign-in name"),
        (("create", "wang", "--role", "marketing"), "at least 15 characters"),
        (("disable", "nobody"), "no account 'nobody'"),
        (("password", "nobody"), "no account 'nobody'"),
    ],
)
def test_what_does_not_go_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    assert says in refused("accounts", *arguments, typed="short\n")
    assert accounts.everyone(opened()) == ()


def test_a_change_keeps_what_is_not_named_and_another_role_starts_afresh() -> None:
    person(opened(), "wang", accounts.Rights("manager", ("S1",), may_reveal=True, may_export=True))
    said("accounts", "change", "wang", "--store", "S2", "--store", "S3", "--no-export", "--display-name", "王")
    changed = named("wang")
    assert (changed.display_name, changed.stores) == ("王", ("S2", "S3"))
    assert (changed.may_reveal, changed.may_export) == (True, False)
    said("accounts", "change", "wang", "--role", "regional", "--region", "R1", "--sign-in-name", "wang.fang")
    assert named("wang.fang").rights == accounts.Rights("regional", regions=("R1",))


def test_password_disable_enable_and_end_sessions_act_at_once() -> None:
    who = person(opened(), "wang")

    def sign_in() -> str:
        return sessions.begin(opened(), named("wang"), utc_now(), address="10.0.0.7", device="till")

    token = sign_in()
    assert "wang; manager; since" in said("accounts", "sessions")
    assert "10.0.0.7; till" in said("accounts", "sessions", "wang")
    assert "sessions ended: 1" in said("accounts", "end-sessions", "wang")
    assert sessions.find(opened(), token, utc_now()) is None
    assert "nobody is signed in" in said("accounts", "sessions")
    token = sign_in()
    said("accounts", "password", "wang", typed=ANOTHER)
    assert sessions.find(opened(), token, utc_now()) is None
    said("accounts", "disable", "wang")
    assert named("wang").disabled
    said("accounts", "enable", "wang")
    said("accounts", "reset-totp", "wang")
    log = [entry.action for entry in audit.search(opened(), audit.Filter(person=who.account_id)).entries][::-1]
    assert log[1:] == ["session_ended", "password_changed", "account_disabled", "account_enabled", "totp_reset"]


def test_the_list_names_everybody_and_what_is_open() -> None:
    assert "setup-link" in said("accounts", "list")
    person(opened(), "ada", ADMINISTRATOR)
    person(opened(), "wang", MANAGER, initial=True)
    lines = said("accounts", "list").splitlines()
    assert lines == [
        "ada; Ada; administrator; never signed in; no codes yet",
        "wang; Wang; manager S1; never signed in; first password",
    ]
    rows = json.loads(said("accounts", "list", "--format", "json"))
    assert [(row["sign_in_name"], row["role"], row["stores"]) for row in rows] == [
        ("ada", "administrator", []),
        ("wang", "manager", ["S1"]),
    ]


def test_somebody_is_linked_to_the_provider_and_unlinked() -> None:
    provider = ("--issuer", "https://id.example.com")
    made = said(*("accounts", "create", "ann", "--role", "marketing", "--subject", "sub-of-ann"), *provider)
    assert "ann can sign in as marketing with the provider" in made
    assert "password" not in made
    assert named("ann").initial_until is None
    assert "linked to the provider" in said("accounts", "list")
    assert "ann signs in with https://id.example.com as other" in said(
        "accounts", "link", "ann", "--subject", "other", *provider
    )
    (row,) = json.loads(said("accounts", "list", "--format", "json"))
    assert (row["issuer"], row["subject"], row["break_glass"]) == ("https://id.example.com", "other", False)
    assert "no longer signs in with the provider" in said("accounts", "unlink", "ann")
    assert "is not linked to anybody" in refused("accounts", "unlink", "ann")
    assert "no provider is set" in refused("accounts", "link", "ann", "--subject", "x")


def test_an_administrators_password_opens_beside_the_provider_while_it_is_said_so() -> None:
    person(opened(), "chief", ADMINISTRATOR)
    assert "opens also without the provider" in said("accounts", "break-glass", "chief")
    assert "password also without the provider" in said("accounts", "list")
    assert "opens no longer without the provider" in said("accounts", "break-glass", "chief", "--off")
    person(opened(), "ann", MANAGER)
    assert "only an administrator" in refused("accounts", "break-glass", "ann")


def test_the_setup_link_opens_once_and_not_at_all_with_an_administrator() -> None:
    link = said("accounts", "setup-link", "--url", "https://crm.example.com/").strip()
    address, token = link.split("?token=")
    assert address == "https://crm.example.com/setup"
    assert setup.fits(opened(), token, utc_now())
    person(opened(), "ada", ADMINISTRATOR)
    assert "administrator already" in refused("accounts", "setup-link")


def test_the_log_is_listed_by_person_action_and_day() -> None:
    wang = person(opened(), "wang")
    person(opened(), "li")
    sessions.end_all(opened(), wang.account_id, wang.account_id, utc_now())
    lines = said("audit", "list", "--person", "wang").splitlines()
    assert [line.split("  ")[2:5] for line in lines] == [
        ["wang", "session_ended", "wang"],
        ["terminal:test", "account_created", "wang"],
    ]
    rows = said("audit", "list", "--action", "account_created", "--format", "json").splitlines()
    assert [json.loads(row)["subject"] for row in rows] == ["li", "wang"]
    assert said("audit", "list", "--from", "2026-11-20", "--to", "2026-11-20").count("account_created") == 2
    assert said("audit", "list", "--to", "2026-11-19") == ""
    assert "no action" in refused("audit", "list", "--action", "made_up")


def test_verify_prints_the_head_and_finds_what_was_changed() -> None:
    person(opened(), "wang")
    head = said("audit", "verify").split("head ")[1].strip()
    person(opened(), "li")
    assert "2 entries" in said("audit", "verify", "--head", head)
    assert "not the one that was kept" in refused("audit", "verify", "--head", f"1:{'0' * 64}")
    assert "NUMBER:HASH" in refused("audit", "verify", "--head", "nonsense")
    with writing(opened()) as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE number = 1")
    assert "entry 1 of the audit log is not what was written" in refused("audit", "verify")


def test_from_a_terminal_of_its_own_with_the_store_named_by_a_flag(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere.sqlite"

    def process(*arguments: str, typed: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "data_access", "accounts", *arguments, "--state-url", url]
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ}, input=typed, capture_output=True, text=True, timeout=120, check=False
        )

    done = process("create", "li", "--role", "marketing", typed=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "elsewhere.sqlite").exists()
    done = process("create", "li", "--role", "marketing", typed=PASSWORD + "\n")
    assert (done.returncode, done.stderr) == (1, "error: the sign-in name li is taken: choose another one\n")


def test_the_snapshot_tells_which_places_exist_and_what_no_password_may_consist_of(home: Path) -> None:
    small_chain.build(home)
    made = run("accounts", "create", "wang", "--role", "manager", "--store", "S99", typed=PASSWORD)
    assert made.exit_code == 0
    assert "the snapshot knows no S99" in made.stderr
    assert "easy to guess" in refused("accounts", "password", "wang", typed="杭州万象城店-2026-上海南京路旗舰店")
