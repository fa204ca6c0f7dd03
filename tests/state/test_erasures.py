"""Requests to be forgotten: what the CRM holds of a customer, what of it goes, and what is left of the request."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner, Result

from data_access import customer_data, schema, vault
from data_access.__main__ import app
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.refresh import refresh
from data_access.schema import crm
from data_access.scope import Scope
from data_access.state import audiences, audit, erasures, exports
from data_access.state.rules import Rule
from tests import tiny_crm
from tests.state.people import NOW
from tests.state.test_audiences import DRAFT, saved
from tests.tiny_crm import facts_rows


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments], catch_exceptions=False)


KEY = "c000000000000001"
AT = datetime(2026, 6, 1)
# Rows of and about C1 besides those of the tiny CRM; C2 was recommended by C1.
ABOUT: dict[str, list[dict[str, Any]]] = {
    "customer_tag": [{"customer_id": "C1", "tag": "vip"}, {"customer_id": "C2", "tag": "new"}],
    "consent": [
        {"customer_id": "C1", "purpose": "marketing", "channel": "sms", "granted_at": AT, "withdrawn_at": None},
        {"customer_id": "C1", "purpose": "service", "channel": "phone", "granted_at": AT, "withdrawn_at": AT},
    ],
    "trial": [{"trial_id": "T1", "product_id": "P1", "customer_id": "C1", "invited_at": AT}],
    "trial_feedback": [{"feedback_id": "F1", "trial_id": "T1", "given_at": AT, "score": 5, "text": "my skin itches"}],
    "ticket": [{"ticket_id": "K1", "customer_id": "C1", "staff_id": "E1", "text": "itching", "opened_at": AT}],
    "shipment": [{"shipment_id": "H1", "order_id": "O1", "carrier": "SF"}, {"shipment_id": "H2", "order_id": "O4"}],
}


@pytest.fixture
def chain(home: Path) -> Iterator[Engine]:
    """The tiny CRM in the home of this test, with rows about C1."""
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    content = tiny_crm.rows()
    content["customer"][1]["referrer_customer_id"] = "C1"
    for row in content["customer"]:
        row.setdefault("referrer_customer_id", None)
    for name, rows in ABOUT.items():
        table = crm.tables[name]
        known = [{key: value for key, value in row.items() if key in table.c} for row in rows]
        needed = [c.name for c in table.c if not c.nullable]
        filled = [{**{c: "x" for c in needed if c not in row}, **row} for row in known]
        keys = sorted({key for row in filled for key in row})
        content[name] = [{key: row.get(key) for key in keys} for row in filled]
    tiny_crm.fill(engine, content)
    yield engine
    engine.dispose()


def asked(engine: Engine, customer_id: str = "C1", key: str = KEY, at: datetime = NOW) -> str:
    return erasures.ask(engine, "admin", customer_id, key, at, NOW)


def test_everything_the_crm_holds_on_one_customer(chain: Engine) -> None:
    with chain.connect() as connection:
        found = customer_data.everything(connection, "C1")
    (person,) = found["customer"]
    assert (person["name"], person["phone"], person["birthday"]) == ("李雷", "13800000001", "1990-05-06")
    assert found["customer_identity"] == [{"channel": "wechat", "external_id": "wx_lilei"}]
    assert [row["order_id"] for row in found["sale_order"]] == ["O1", "O2", "O2b", "O6", "O9"]
    assert {row["order_id"] for row in found["sale_line"]} == {"O1", "O2", "O2b", "O6", "O9"}
    assert [row["shipment_id"] for row in found["shipment"]] == ["H1"]
    assert [row["text"] for row in found["trial_feedback"]] == ["my skin itches"]
    assert [row["tag"] for row in found["customer_tag"]] == ["vip"]
    # nobody else is in it
    said = str(found)
    assert [name for name in ("韩梅梅", "C2", "E1") if name in said] == []


def test_nobody_is_made_up(chain: Engine) -> None:
    with chain.connect() as connection, pytest.raises(Problem, match="no customer 'C99'"):
        customer_data.everything(connection, "C99")


def test_a_crm_that_lacks_tables_and_columns_gives_what_it_has(chain: Engine) -> None:
    with chain.begin() as connection:
        connection.exec_driver_sql("DROP TABLE trial_feedback")
        connection.exec_driver_sql("ALTER TABLE customer DROP COLUMN occupation")
    with chain.connect() as connection:
        found = customer_data.everything(connection, "C1")
    assert "trial_feedback" not in found
    assert "occupation" not in found["customer"][0]


def test_a_request_ends_with_the_person_gone_and_the_books_kept(sqlite: Engine, chain: Engine, home: Path) -> None:
    refresh(chain, home)
    number = customer_number(secret_key(home), "C1")
    sales = facts_rows(home, "sale_order", "order_id", "gross_sales", customer_no=number)
    request_id = asked(sqlite, key=customer_key(number))
    erasures.carry_out(sqlite, chain, "admin", request_id, NOW)
    with chain.connect() as connection:
        rows = {name: connection.execute(select(table)).mappings().all() for name, table in crm.tables.items()}
        assert vault.contact(connection, "C1", ("name", "phone")) == {"name": None, "phone": None}
    assert {row["customer_id"] for row in rows["customer"]} == {"C2", "C10"}
    assert {row["referrer_customer_id"] for row in rows["customer"]} == {None}
    assert [row["tag"] for row in rows["customer_tag"]] == ["new"]
    assert rows["trial"] == rows["trial_feedback"] == rows["customer_identity"] == []
    assert [row["text"] for row in rows["ticket"]] == [None]
    assert sorted(row["withdrawn_at"] for row in rows["consent"]) == [AT, NOW]
    assert [row["order_id"] for row in rows["sale_order"] if row["customer_id"] == "C1"] == [
        "O1", "O2", "O2b", "O6", "O9",
    ]  # fmt: skip
    refresh(chain, home)
    assert facts_rows(home, "customer", "customer_no", customer_no=number) == []
    assert facts_rows(home, "sale_order", "order_id", "gross_sales", customer_no=number) == sales
    (request,) = erasures.everything(sqlite)
    assert (request.customer_id, request.outcome, request.ended_at) == (None, "erased", NOW)
    assert erasures.forgotten(sqlite) == {customer_key(number)}
    assert [entry.action for entry in audit.search(sqlite, audit.Filter()).entries] == [
        "erased", "erasure_begun", "erasure_asked",
    ]  # fmt: skip
    content = b"".join(file.read_bytes() for file in home.glob("crm.sqlite*"))
    assert [word for word in ("李雷", "13800000001", "wx_lilei", "itching") if word.encode() in content] == []


def test_what_was_cut_short_is_done_again(sqlite: Engine, chain: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = asked(sqlite)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for part in ("data_access.customer_data._forget", "data_access.state.erasures._end"):
        with monkeypatch.context() as patch:
            patch.setattr(part, cut)
            with pytest.raises(KeyboardInterrupt):
                erasures.carry_out(sqlite, chain, "admin", request_id, NOW)
        assert erasures.everything(sqlite)[0].is_open
    erasures.carry_out(sqlite, chain, "admin", request_id, NOW)
    with chain.connect() as connection:
        assert not customer_data.known(connection, "C1")
    assert not erasures.everything(sqlite)[0].is_open


def test_the_log_speaks_before_anything_is_destroyed(
    sqlite: Engine, chain: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = asked(sqlite)

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("data_access.state.audit.append", refuse)
        with pytest.raises(OSError, match="no space left"):
            erasures.carry_out(sqlite, chain, "admin", request_id, NOW)
    with chain.connect() as connection:
        assert customer_data.known(connection, "C1")


def test_what_a_batch_computed_of_the_person_goes_at_once(
    sqlite: Engine, chain: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_of: list[object] = []
    monkeypatch.setattr(erasures, "forget", lambda *arguments: asked_of.append(arguments) or False)
    assert erasures.carry_out(sqlite, chain, "admin", asked(sqlite), NOW) is False
    assert asked_of == [(home, {1})]  # KEY is the customer of number 1


def test_who_is_erased_is_told_of_and_taken_out_of_audiences(sqlite: Engine, chain: Engine) -> None:
    audience_id = saved(sqlite)
    before = audiences.members(sqlite, Scope("chain"), audience_id)["customer_no"].tolist()
    number = before[0]
    (told,) = customer_data.ours(sqlite, customer_key(number))["audience_member"]
    assert (told["name"], told["arm"]) == (DRAFT.name, audiences.members(sqlite, Scope("chain"), audience_id)["arm"][0])
    erasures.carry_out(sqlite, chain, "admin", asked(sqlite, key=customer_key(number)), NOW)
    assert audiences.members(sqlite, Scope("chain"), audience_id)["customer_no"].tolist() == before[1:]
    assert customer_data.ours(sqlite, customer_key(number)) == {}


def test_a_foreign_crm_is_left_alone(sqlite: Engine, chain: Engine) -> None:
    with chain.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(Problem, match="belongs to another program"):
        erasures.carry_out(sqlite, chain, "admin", asked(sqlite), NOW)
    with chain.connect() as connection:
        assert connection.scalar(select(schema.customer.c.gender).where(schema.customer.c.customer_id == "C1"))
    assert erasures.everything(sqlite)[0].is_open


def test_requests_are_due_in_thirty_days_and_the_oldest_first(engine: Engine) -> None:
    asked(engine, "C2", "c2", NOW - timedelta(days=3))
    asked(engine, "C1", "c1", NOW - timedelta(days=20))
    declined = asked(engine, "C3", "c3", NOW - timedelta(days=25))
    erasures.decline(engine, "admin", declined, "identity", NOW)
    found = erasures.everything(engine)
    assert [(one.customer_key, one.is_open) for one in found] == [("c1", True), ("c2", True), ("c3", False)]
    assert found[0].due_at == NOW + timedelta(days=10)
    assert (found[2].customer_id, found[2].outcome) == (None, "identity")
    assert erasures.forgotten(engine) == set()


def test_one_request_at_a_time_and_each_ends_once(sqlite: Engine) -> None:
    request_id = asked(sqlite)
    for call, key in (
        (lambda: asked(sqlite), "erasure_open"),
        (lambda: asked(sqlite, "C2", "c2", NOW + timedelta(days=1)), "erasure_instant"),
        (lambda: erasures.decline(sqlite, "admin", "another", "identity", NOW), "no_erasure"),
    ):
        with pytest.raises(Rule) as refused:
            call()
        assert refused.value.key == key
    erasures.decline(sqlite, "admin", request_id, "taken_back", NOW)
    with pytest.raises(Rule, match="has ended"):
        erasures.decline(sqlite, "admin", request_id, "taken_back", NOW)
    assert asked(sqlite) != request_id


def test_the_request_names_nobody_but_by_the_key(sqlite: Engine) -> None:
    asked(sqlite)
    assert "C1" not in str([entry.detail for entry in audit.search(sqlite, audit.Filter()).entries])
    assert {entry.subject for entry in audit.search(sqlite, audit.Filter()).entries} == {KEY}


def test_birthdays_of_others_stay(sqlite: Engine, chain: Engine) -> None:
    erasures.carry_out(sqlite, chain, "admin", asked(sqlite), NOW)
    with chain.connect() as connection:
        assert vault.contact(connection, "C2", ("birthday",)) == {"birthday": str(date(2008, 7, 3))}


def test_a_customer_is_found_by_id_number_or_address(chain: Engine) -> None:
    with chain.connect() as connection:
        for text in ("C1", " 138 0000 0001 ", "LiLei@example.cn"):
            assert customer_data.find(connection, text) == ("C1",), text
        assert customer_data.find(connection, "nobody") == ()


def test_who_takes_a_customers_data_says_why_and_counts_as_having_seen_them(sqlite: Engine) -> None:
    for reason in ("", "why?", "x" * 201):
        with pytest.raises(Rule, match="say why"):
            customer_data.note_taken(sqlite, "admin", KEY, reason, NOW)
    assert audit.search(sqlite, audit.Filter()).total == 0
    customer_data.note_taken(sqlite, "admin", KEY, "asked at the counter", NOW)
    found = exports.seen(sqlite, "admin", NOW, NOW + timedelta(seconds=1))
    assert found["customer_key"].tolist() == [KEY]


def test_the_command_writes_everything_and_says_so_in_the_log(
    sqlite: Engine, chain: Engine, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = home / "c1.json"
    result = run("customer-data", "13800000001", "--out", str(out), "--reason", "asked at the counter")
    assert result.exit_code == 0, result.output
    told = json.loads(out.read_text("utf-8"))
    assert told["tables"]["customer"][0]["name"] == "李雷"
    assert [row["order_id"] for row in told["tables"]["sale_order"]] == ["O1", "O2", "O2b", "O6", "O9"]
    assert out.stat().st_mode & 0o777 == 0o600
    key = customer_data.pseudonym(home, "C1")
    assert [entry.subject for entry in audit.search(sqlite, audit.Filter(action="customer_data_taken")).entries] == [
        key
    ]
    with pytest.raises(Problem, match="nobody"):
        run("customer-data", "nobody", "--out", str(home / "x.json"), "--reason", "asked at the counter")
    assert not (home / "x.json").exists()
