"""Contact data: masked for whoever may open a customer; in full only with a right, for a reason, after the log.

Every guard of a reveal is tried twice: as it is, where nothing gets out, and taken out, where the number does.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, event, func, insert, select, update
from sqlalchemy.exc import OperationalError

from data_access import contact, live, vault
from data_access.contact import MOST, SHOWN, Wish, mask_email, mask_name, mask_phone, masked, reveal, seen
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.pseudonym import CUSTOMER_NO, customer_key, customer_no_parameters, customer_number, secret_key
from data_access.refresh import refresh
from data_access.schema import customer
from data_access.scope import Scope
from data_access.settings import settings
from data_access.snapshot import Snapshot, current_snapshot
from data_access.state import accounts, audit
from data_access.state.accounts import Rights
from data_access.state.rules import Rule
from data_access.state.schema import account
from data_access.state.schema import audit as log
from data_access.state.sessions import Session, Visitor
from data_access.state.store import prepare, state_engine, writing
from tests import tiny_crm
from tests.state.people import person

NOW = datetime(2026, 7, 3, 9)
PHONE = "13800000001"  # of C1, who bought in S1 and is at home there
ORDER = Wish("phone", "order")
S1, S2 = Scope("stores", ("S1",)), Scope("stores", ("S2",))


@dataclass
class Shop:
    """A chain whose customers can be reached, and its own store."""

    home: Path
    snapshot: Snapshot
    state: Engine

    def key(self, customer_id: str) -> str:
        return customer_key(customer_number(secret_key(self.home), customer_id))

    def entries(self, action: str = "contact_revealed") -> int:
        with self.state.connect() as connection:
            return connection.scalar(select(func.count()).select_from(log).where(log.c.action == action)) or 0


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("chain")
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    tiny_crm.fill(engine)
    refresh(engine, home)
    engine.dispose()
    return home


@pytest.fixture
def shop(chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("MIRROR_HOME", str(chain))
    settings.cache_clear()
    state = state_engine(f"sqlite:///{tmp_path}/state.sqlite")
    prepare(state)
    yield Shop(chain, current_snapshot(chain), state)
    state.dispose()
    settings.cache_clear()


def signed_in(shop: Shop, rights: Rights, *, totp: bool = True, name: str = "lin") -> Session:
    known = person(shop.state, name, rights)
    if totp:
        with writing(shop.state) as connection:
            own = account.c.account_id == known.account_id
            connection.execute(update(account).where(own).values(totp_key=b"sealed"))
    found = accounts.find(shop.state, known.account_id)
    assert found is not None
    return Session("1", found, NOW, NOW, "127.0.0.1", "Chrome")


MANAGER = Rights("manager", stores=("S1",), may_reveal=True)


def ask(
    shop: Shop, session: Session, *, who: str = "C1", scope: Scope = S1, wish: Wish = ORDER, now: datetime = NOW
) -> str | None:
    return reveal(scope, shop.snapshot, shop.state, session, shop.key(who), wish, now).value


# --- what it gives ---------------------------------------------------------------------------------


def test_a_field_is_revealed_with_a_right_and_a_reason_and_for_half_a_minute(shop: Shop) -> None:
    revealed = reveal(S1, shop.snapshot, shop.state, signed_in(shop, MANAGER), shop.key("C1"), ORDER, NOW)
    assert (revealed.field, revealed.value, revealed.until) == ("phone", PHONE, NOW + timedelta(seconds=30))
    assert timedelta(seconds=30) == SHOWN


def test_the_log_says_who_saw_which_field_of_whom_and_why_and_never_the_value(shop: Shop) -> None:
    session = signed_in(shop, MANAGER)
    ask(shop, session, wish=Wish("phone", "other", "asked to be called back"))
    entry = audit.search(shop.state, audit.Filter(action="contact_revealed")).entries[0]
    assert (entry.actor, entry.subject) == (session.actor, shop.key("C1"))
    assert entry.detail == {"field": "phone", "reason": "other", "note": "asked to be called back"}
    with shop.state.connect() as connection:
        assert not [row for row in connection.execute(select(log)) if PHONE in str(row)]


def test_what_is_not_on_file_is_nothing(shop: Shop) -> None:
    assert (
        ask(shop, signed_in(shop, replace(MANAGER, stores=("S2",))), scope=S2, who="C1") == PHONE
    )  # brought back in S2
    assert masked(S2, shop.snapshot, "manager", shop.key("C2")) == contact.Masked("韩*", None, None, "07-03", False)


def test_contact_data_are_masked_by_role(shop: Shop) -> None:
    key = shop.key("C1")
    assert masked(S1, shop.snapshot, "manager", key) == contact.Masked("李*", "138****0001", "l***@…", "05-06", True)
    assert masked(S1, shop.snapshot, "regional", key) == contact.Masked("李*", "138****0001", "l***@…", "05", True)
    for role in ("marketing", "administrator"):
        with pytest.raises(Rule) as refused:
            masked(Scope("chain"), shop.snapshot, role, key)  # type: ignore[arg-type]
        assert refused.value.key == "reveal_permission"


MASKS: list[tuple[Callable[[str], str], str, str]] = [
    (mask_name, "张伟", "张*"),
    (mask_name, "W. Xiaomei", "W*"),
    (mask_phone, "13812348000", "138****8000"),
    (mask_phone, "+86 138-1234-8000", "138****8000"),
    (mask_phone, "+44 20 7946 0958", "442****0958"),
    (mask_phone, "6222 3344", "****44"),
    (mask_phone, "12345", "****"),
    (mask_phone, "unknown", "****"),
    (mask_email, "zhang.wei@example.cn", "z***@…"),
    (mask_email, "broken", "b***@…"),
]


@pytest.mark.parametrize(("mask", "plain", "shown"), MASKS)
def test_a_mask_keeps_little(mask: Callable[[str], str], plain: str, shown: str) -> None:
    assert mask(plain) == shown


# --- who is refused --------------------------------------------------------------------------------


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(Rule) as refused:
        work()
    return refused.value.key


def test_a_customer_outside_the_scope_is_as_unknown_as_one_whom_nobody_knows(shop: Shop) -> None:
    session = signed_in(shop, MANAGER)
    elsewhere = lambda: ask(shop, session, who="C2", scope=Scope("stores", ("W1",)))  # noqa: E731
    made_up = lambda: reveal(S1, shop.snapshot, shop.state, session, "c" + 15 * "0", ORDER, NOW)  # noqa: E731
    assert refusal(elsewhere) == refusal(made_up) == "no_customer"
    assert refusal(lambda: masked(Scope("stores", ("W1",)), shop.snapshot, "manager", shop.key("C2"))) == "no_customer"
    assert refusal(lambda: masked(S1, shop.snapshot, "manager", "' OR 1=1 --")) == "no_customer"


REASONS = {
    "without a reason": (Wish("phone", ""), "reveal_reason"),
    "for a reason of one's own making": (Wish("phone", "curiosity"), "reveal_reason"),
    "for another one without words": (Wish("phone", "other"), "reveal_note"),
    "with a number in the words": (Wish("phone", "order", "call 138 0000 0001 back"), "reveal_note"),
    "with an address in the words": (Wish("phone", "order", "write to li@example.cn"), "reveal_note"),
    "with a line break in the words": (Wish("phone", "order", "line one\nline two"), "reveal_note"),
    "the birthday": (Wish("birthday", "order"), "reveal_field"),
    "a column of another table": (Wish("customer_id", "order"), "reveal_field"),
}


@pytest.mark.parametrize("how", REASONS)
def test_a_reveal_needs_a_field_and_a_reason(shop: Shop, how: str) -> None:
    wish, key = REASONS[how]
    assert refusal(lambda: ask(shop, signed_in(shop, MANAGER), wish=wish)) == key
    assert shop.entries() == 0


def test_refusals_are_logged_with_what_stood_in_the_way(shop: Shop) -> None:
    session = signed_in(shop, replace(MANAGER, may_reveal=False))
    assert refusal(lambda: ask(shop, session)) == "reveal_permission"
    entry = audit.search(shop.state, audit.Filter(action="reveal_refused")).entries[0]
    assert (entry.actor, entry.subject) == (session.actor, shop.key("C1"))
    assert entry.detail == {"field": "phone", "reason": "reveal_permission"}


def test_a_provider_may_vouch_for_the_second_factor(shop: Shop) -> None:
    session = signed_in(shop, MANAGER, totp=False)
    assert refusal(lambda: ask(shop, session)) == "reveal_factor"
    assert ask(shop, replace(session, second_factor=True)) == PHONE


def test_thirty_within_an_hour_and_not_one_more(shop: Shop) -> None:
    session = signed_in(shop, MANAGER)
    with writing(shop.state) as connection:
        for minute in range(MOST - 1):
            audit.append(connection, session.actor, "contact_revealed", "c1", at=NOW - timedelta(minutes=minute))
        audit.append(connection, "somebody else", "contact_revealed", "c1", at=NOW)
    assert ask(shop, session) == PHONE
    assert refusal(lambda: ask(shop, session)) == "reveal_limit"
    assert ask(shop, session, now=NOW + timedelta(minutes=32, seconds=1)) == PHONE  # one of them is over an hour old


def test_two_at_the_same_time_are_not_both_the_thirtieth(shop: Shop) -> None:
    session = signed_in(shop, MANAGER)
    with writing(shop.state) as connection:
        for _ in range(MOST - 1):
            audit.append(connection, session.actor, "contact_revealed", "c1", at=NOW)
    outcomes: list[str | None] = []
    start = threading.Barrier(4)

    def try_it() -> None:
        start.wait()
        try:
            outcomes.append(ask(shop, session))
        except Rule as rule:
            outcomes.append(rule.key)

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted([PHONE, *["reveal_limit"] * 3])


# --- the log comes first ---------------------------------------------------------------------------


def test_the_entry_is_on_disk_before_anything_is_opened(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    known_then: list[int] = []
    real = vault.contact

    def spy(*arguments: Any) -> Any:
        known_then.append(shop.entries())  # by a connection of its own: only what is committed
        return real(*arguments)

    monkeypatch.setattr(contact.vault, "contact", spy)
    session = signed_in(shop, MANAGER)
    ask(shop, session)
    assert known_then == [1]
    # The twin: without the entry the same look finds none.
    monkeypatch.setattr(contact.audit, "append", lambda *_, **__: None)
    ask(shop, session)
    assert known_then == [1, 1]


def read_only(state: Engine) -> None:
    event.listen(state, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    state.dispose()


def full(state: Engine) -> None:
    """The disk takes no further page, and the pages there are no further entry."""

    def no_more_pages(connection: Any, _: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(state, "connect", no_more_pages)
    state.dispose()

    def fill() -> None:
        for _ in range(1000):
            with writing(state) as connection:
                audit.append(connection, "x", "entry", "x", at=NOW)

    with pytest.raises(OperationalError, match="full"):
        fill()


FAULTS: dict[str, tuple[Callable[[Engine], None], str]] = {"read-only": (read_only, "readonly"), "full": (full, "full")}


@pytest.mark.parametrize("fault", FAULTS)
def test_where_the_log_cannot_be_written_nothing_is_opened(
    shop: Shop, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = signed_in(shop, MANAGER)
    breaks, says = FAULTS[fault]
    breaks(shop.state)
    opened: list[object] = []
    real = vault.contact
    monkeypatch.setattr(contact.vault, "contact", lambda *arguments: opened.append(arguments) or real(*arguments))
    with pytest.raises(OperationalError, match=says):
        ask(shop, session)
    assert opened == []
    # The twin: a reveal that did not write first would have opened it.
    monkeypatch.setattr(contact.audit, "append", lambda *_, **__: None)
    monkeypatch.setattr(contact, "writing", lambda state: state.connect())
    assert ask(shop, session) == PHONE
    assert len(opened) == 1


# --- every guard, and the same without it ----------------------------------------------------------


@dataclass(frozen=True)
class Attack:
    """Who tries to read C1's or C2's number, and the one guard that stands in the way (name -> what lets pass)."""

    rights: Rights
    who: str = "C1"
    scope: Scope = S1
    totp: bool = True
    guard: str = "_refuse_without_right"
    off: Callable[..., Any] = lambda *_: None


def _anybody(scope: Scope, snapshot: Snapshot, customer_key: str) -> Any:
    return _ORIGIN(Scope("chain"), snapshot, customer_key)


def _adult(scope: Scope, snapshot: Snapshot, customer_key: str) -> Any:
    found = _ORIGIN(scope, snapshot, customer_key)
    return replace(found, adult=True) if found else None


_ORIGIN = contact._origin
ATTACKS = {
    "without the permission": Attack(replace(MANAGER, may_reveal=False)),
    "with a password alone": Attack(MANAGER, totp=False),
    "as marketing": Attack(Rights("marketing"), scope=Scope("chain")),
    "of another store's customer": Attack(
        replace(MANAGER, stores=("W1",)), scope=Scope("stores", ("W1",)), guard="_origin", off=_anybody
    ),
    "of a minor": Attack(replace(MANAGER, stores=("S2",)), who="C2", scope=S2, guard="_origin", off=_adult),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_reveal_that_is_not_due_fails_and_works_without_its_guard(
    shop: Shop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = ATTACKS[name]
    session = signed_in(shop, attack.rights, totp=attack.totp)
    opened: list[object] = []
    real = vault.contact
    monkeypatch.setattr(contact.vault, "contact", lambda *arguments: opened.append(arguments) or real(*arguments))
    with pytest.raises(Rule):
        ask(shop, session, who=attack.who, scope=attack.scope)
    assert (opened, shop.entries("contact_revealed"), shop.entries("reveal_refused")) == ([], 0, 1)
    monkeypatch.setattr(contact, attack.guard, attack.off)
    if attack.guard == "_origin" and attack.off is _anybody:
        # The look-up in the CRM names the stores once more: a second guard, out of the way here.
        monkeypatch.setattr(Scope, "limit", lambda self, query, column: query)
    ask(shop, session, who=attack.who, scope=attack.scope)
    assert len(opened) == 1


def test_who_entered_the_demo_with_one_click_reveals_nothing(shop: Shop) -> None:
    guest = Session("1", Visitor("manager", "S1"), NOW, NOW, "127.0.0.1", "Chrome")
    assert refusal(lambda: ask(shop, guest)) == "reveal_permission"


def test_a_right_that_was_taken_away_a_moment_ago_is_gone(shop: Shop) -> None:
    session = signed_in(shop, MANAGER)
    accounts.change(shop.state, "terminal:test", session.actor, NOW, rights=replace(MANAGER, may_reveal=False))
    assert refusal(lambda: ask(shop, session)) == "reveal_permission"
    accounts.disable(shop.state, "terminal:test", session.actor, NOW)
    assert refusal(lambda: ask(shop, session)) == "reveal_permission"


# --- the way back to the CRM -----------------------------------------------------------------------


def test_a_pseudonym_is_the_hash_that_the_refresh_computes(shop: Shop) -> None:
    key = secret_key(shop.home)
    query = f"SELECT {CUSTOMER_NO} FROM (SELECT '李-1' AS customer_id)"
    found = duckdb.execute(query, customer_no_parameters(key)).fetchone()
    assert found == (customer_number(key, "李-1"),)


def test_a_customer_is_found_by_a_receipt_and_without_one_by_store_and_day(shop: Shop) -> None:
    engine = crm_engine(f"sqlite:///{shop.home}/crm.sqlite")
    known = contact._origin(S1, shop.snapshot, shop.key("C1"))
    assert known is not None
    with engine.connect() as connection:
        for way in (replace(known, home=(None, None)), replace(known, orders=(), returns=())):
            assert contact._customer_id(connection, S1, way) == "C1"
        # Another one's receipts and store give nobody: the hash decides, not the row.
        assert contact._customer_id(connection, S1, replace(known, number=known.number + 1)) is None
    engine.dispose()


def test_a_customer_whom_the_crm_no_longer_has_is_gone_and_not_another_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact, "_candidates", lambda *_: iter(["C10", "C2"]))
    assert masked(S1, shop.snapshot, "manager", shop.key("C1")) is None


def test_a_crm_that_does_not_answer_is_a_sentence_without_anybodys_data(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRROR_CRM_LIVE_URL", "postgresql+psycopg://reader:secret@127.0.0.1:9/crm")
    settings.cache_clear()
    with pytest.raises(Problem, match="does not answer") as problem:
        masked(S1, shop.snapshot, "manager", shop.key("C1"))
    assert not [word for word in (PHONE, "secret", "C1") if word in str(problem.value)]


def test_a_host_that_never_answers_is_given_up_after_three_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        engine = live.live_engine(f"postgresql+psycopg://reader@127.0.0.1:{silent.getsockname()[1]}/crm")
        begun = time.monotonic()
        with pytest.raises(Problem, match="does not answer"), live.looking(S1, engine):
            pass
    assert time.monotonic() - begun < 3 * live.SECONDS


def test_a_missing_crm_is_said_and_no_empty_one_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path / "nothing"))
    settings.cache_clear()
    (tmp_path / "nothing").mkdir()
    with pytest.raises(Problem, match="there is no CRM database"):
        live.opened()
    assert not list((tmp_path / "nothing").iterdir())
    settings.cache_clear()


def test_look_ups_write_nothing_on_sqlite_either(shop: Shop) -> None:
    with pytest.raises(Problem, match="does not answer"), live.looking(S1) as connection:
        connection.execute(insert(customer), {"customer_id": "C99"})


# --- who opened whom -------------------------------------------------------------------------------


def test_opening_a_customer_is_noted_once_in_ten_minutes(shop: Shop) -> None:
    def note(actor: str, key: str, minutes: float) -> None:
        seen(shop.state, actor, key, NOW + timedelta(minutes=minutes))

    for actor, key, minutes in (("a", "c1", 0), ("a", "c1", 9.9), ("b", "c1", 1), ("a", "c2", 2), ("a", "c1", 10)):
        note(actor, key, minutes)
    found = audit.search(shop.state, audit.Filter(action="customer_seen")).entries
    assert [(entry.actor, entry.subject) for entry in found] == [("a", "c1"), ("a", "c2"), ("b", "c1"), ("a", "c1")]
