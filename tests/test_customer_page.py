"""The page of a customer: what each role sees, how a field is revealed, and that every opening is in the log."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from streamlit.testing.v1 import AppTest

from data_access import schema
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.refresh import refresh
from data_access.state import accounts, audit
from data_access.state.accounts import Rights
from data_access.state.schema import account
from data_access.state.sessions import Session
from data_access.state.store import opened, writing
from pages._gate.identity import Person, person_of
from pages._ui.i18n import text
from tests.small_chain import STORES, served
from tests.state.people import person
from tests.test_pages import PEOPLE, SHELL, metric, words

PHONE, EMAIL = "13912345678", "mei@example.cn"
# C41 has an order in S1 on every one of these days, and one in S3; C42 is registered in S2 and is 16.
DAYS = [date(2026, 11, 20) - timedelta(days=10 * back) for back in range(8)]

Visit = Callable[..., AppTest]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
        people = [
            {"customer_id": "C41", "name": "梅兰", "phone": PHONE, "email": EMAIL, "birthday": date(1990, 5, 6)}
            | {"home_store_id": "S1", "joined_on": DAYS[-1], "account_type": "person"},
            {"customer_id": "C42", "name": "小明", "phone": "13800000000", "email": None, "birthday": date(2010, 1, 2)}
            | {"home_store_id": "S2", "joined_on": DAYS[-1], "account_type": "person"},
        ]
        orders = [
            {"order_id": f"X{number}", "customer_id": "C41", "store_id": store, "channel": "store", "kind": "sale"}
            | {"ordered_at": day, "currency": "CNY"}
            for number, (store, day) in enumerate([("S3", DAYS[0]), *(("S1", day) for day in DAYS)])
        ]
        lines = [
            {"order_id": order["order_id"], "line_no": 1, "product_id": "P1", "quantity": 1, "net": 50}
            for order in orders
        ]
        with engine.begin() as connection:
            connection.execute(insert(schema.customer), people)
            connection.execute(insert(schema.sale_order), orders)
            connection.execute(insert(schema.sale_line), lines)
        refresh(engine, home, full=True)
        engine.dispose()
        yield home


def key(home: Path, customer_id: str) -> str:
    return customer_key(customer_number(secret_key(home), customer_id))


@pytest.fixture
def visit(home: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """``visit("manager", key)`` opens a customer as somebody of the demo, or with an account of one's own."""

    def run(who: str | Session, customer: str, language: str = "en") -> AppTest:
        known: Person = PEOPLE[who] if isinstance(who, str) else person_of(who)
        monkeypatch.setattr("pages._ui.session.identity", lambda: known)
        monkeypatch.setattr("pages._ui.contact._sign_in", lambda: None if isinstance(who, str) else who)
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.query_params["lang"] = language
        at.query_params["customer"] = customer
        at.switch_page("customer.py").run()
        return at

    return run


def signed_in(name: str, rights: Rights) -> Session:
    known = accounts.find_by_name(opened(), name) or person(opened(), name, rights)
    with writing(opened()) as connection:
        own = account.c.account_id == known.account_id
        connection.execute(update(account).where(own).values(totp_key=b"sealed"))
    found = accounts.find(opened(), known.account_id)
    assert found is not None
    return Session("1", found, utc_now(), utc_now(), "127.0.0.1", "Chrome")


def seen(actor: str) -> int:
    found = audit.search(opened(), audit.Filter(person=actor, action="customer_seen"))
    return found.total


def test_a_manager_sees_the_own_stores_transactions_and_a_masked_contact(visit: Visit, home: Path) -> None:
    at = visit("manager", key(home, "C41"))
    said = words(at)
    assert not at.exception
    assert metric(at, "Orders")[0] == "8"  # the ninth was in S3
    assert metric(at, "Net sales")[0] == f"¥{8 * 50}"
    assert [part in said for part in ("梅\\*", "139\\*\\*\\*\\*5678", "m\\*\\*\\*@…", "May 6")] == [True] * 4
    assert not [part for part in (PHONE, EMAIL, "梅兰", "S3", STORES["S3"][1]) if part in said]


def test_a_region_sees_the_month_of_a_birthday_and_its_stores(visit: Visit, home: Path) -> None:
    said = words(visit("regional", key(home, "C41")))
    assert "139\\*\\*\\*\\*5678" in said
    assert "May 6" not in said
    assert STORES["S3"][1] not in said  # of another region


def test_marketing_sees_a_pseudonym_and_no_contact_block(visit: Visit, home: Path) -> None:
    at = visit("marketing", key(home, "C41"))
    assert metric(at, "Orders")[0] == "9"
    said = words(at)
    assert not [part for part in ("梅", "5678", "m\\*", text("en", "contact.title"), "X1") if part in said]


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_customer_out_of_reach_is_as_unknown_as_a_made_up_key(visit: Visit, home: Path, language: str) -> None:
    answers = {
        words(visit("manager", asked, language)).replace(asked, "") for asked in (key(home, "C42"), "c" + 15 * "0")
    }
    assert len(answers) == 1
    assert text(language, "empty.no_customer") in answers.pop()


def test_opening_a_customer_is_in_the_log_once_and_a_refused_one_is_not(visit: Visit, home: Path) -> None:
    session = signed_in("opener", Rights("manager", stores=("S1",)))
    for customer_id in ("C41", "C41", "C42"):
        visit(session, key(home, customer_id))
    assert seen(session.actor) == 1


def test_without_the_permission_there_is_no_way_to_reveal(visit: Visit, home: Path) -> None:
    for who in ("manager", signed_in("looker", Rights("manager", stores=("S1",)))):
        at = visit(who, key(home, "C41"))
        assert text("en", "contact.not_allowed") in words(at)
        assert not [button for button in at.button if button.key == "contact_reveal"]


def test_a_field_is_shown_for_half_a_minute_after_a_reason_and_then_gone(
    visit: Visit, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = signed_in("revealer", Rights("manager", stores=("S1",), may_reveal=True))
    at = visit(session, key(home, "C41"))
    at.button(key="contact_reveal").click().run()
    assert text("en", "rule.reveal_reason") in words(at)
    assert PHONE not in words(at)
    at.selectbox(key="contact_reason").set_value("order").run()
    at.button(key="contact_reveal").click().run()
    assert PHONE in words(at)
    assert "hidden again in 30 s" in words(at) or "hidden again in 29 s" in words(at)
    # Whatever is clicked next, and at the latest half a minute later, it is no longer there.
    at.run()
    assert PHONE not in words(at)
    assert PHONE not in str(at.session_state._state.filtered_state)
    found = audit.search(opened(), audit.Filter(person=session.actor, action="contact_revealed"))
    assert found.total == 1


def test_nothing_of_a_minor_is_revealed(visit: Visit, home: Path) -> None:
    session = signed_in("oftwo", Rights("manager", stores=("S2",), may_reveal=True))
    at = visit(session, key(home, "C42"))
    assert text("en", "rule.reveal_age") in words(at)
    assert not [button for button in at.button if button.key == "contact_reveal"]
    assert "Under 18" in words(at)


def test_a_crm_that_does_not_answer_takes_away_the_contact_block_only(
    visit: Visit, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise Problem("the CRM does not answer")

    monkeypatch.setattr("data_access.live.opened", gone)
    at = visit("manager", key(home, "C41"))
    assert not at.exception
    assert text("en", "contact.unavailable") in words(at)
    assert metric(at, "Orders")[0] == "8"
