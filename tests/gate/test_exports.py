"""The way files leave by: each guard with an attack that fails, and that works as soon as the guard is taken out."""

import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pytest

from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.settings import settings
from data_access.state import accounts, audit
from data_access.state.accounts import Account, Rights
from data_access.state.audit import Entry, Filter
from data_access.state.store import opened
from pages._gate import exports, identity
from pages._gate.exports import Offer, Stamp, Written
from pages._ui import export
from tests.gate.attacks import Attacks, everybody, nothing
from tests.gate.kit import HTML, ORIGIN, Demo, beside, visitor
from tests.visitor import Answer, Visitor

PASSWORD = "purple-kettle-river-9"
KEY = "c" + "0" * 14 + "1"
LIST = pd.DataFrame({"customer_key": [KEY], "segment": ["loyal"]})
OWN = Scope("stores", ("S1",))


def written(frame: pd.DataFrame = LIST) -> Callable[[BinaryIO, Stamp], Written]:
    def write(file: BinaryIO, stamp: Stamp) -> Written:
        export.to_csv(frame, file, stamp.file_id)
        return export.written([frame])

    return write


def offer(
    guest: Visitor, write: Callable[[BinaryIO, Stamp], Written] | None = None, *, scope: Scope = OWN, token: str = "t0"
) -> str:
    """What the segments page of ``guest`` would offer; the token of its button."""
    session = identity.look(identity.token(guest.cookies))
    assert session is not None
    about = (session.session_id, "segments", "masked", scope, "Stores: S1", "en")
    exports.offers.put(token, Offer(*about, "segments", "csv", write or written()))
    return token


def press(guest: Visitor, token: str) -> Answer:
    return guest.post("/export", {"offer": token}, origin=ORIGIN)


def address(guest: Visitor, token: str) -> str:
    """Where the file is, once."""
    return press(guest, token).headers["location"]


def came(answer: Answer) -> bool:
    return answer.status == 200 and KEY in answer.text


def manager() -> Visitor:
    return visitor(an_account("wang", Rights("manager", ("S1",), may_export=True)))


def an_account(name: str, rights: Rights) -> Account:
    """Somebody with a second factor behind them, so that everything opens."""
    return accounts.create(opened(), "terminal:test", name, name, rights, PASSWORD, utc_now(), initial=False)


def entries(action: str) -> tuple[Entry, ...]:
    return audit.search(opened(), Filter(action=action)).entries


@pytest.fixture(autouse=True)
def ground(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo chain with a store of its own for every test; nobody needs a code to get on."""
    monkeypatch.setenv("MIRROR_STATE_URL", f"sqlite:///{tmp_path / 'state.sqlite'}")
    settings.cache_clear()
    monkeypatch.setattr(Account, "needs_totp", False)
    for kept in (exports.offers, exports.grants):
        kept._known.clear()


def test_a_file_comes_with_one_click_and_says_what_it_is() -> None:
    guest = manager()
    answer = guest.get(address(guest, offer(guest)), **HTML)
    assert came(answer)
    assert answer.body.startswith(b"\xef\xbb\xbfcustomer_key,segment\r\n")
    name = answer.headers["content-disposition"]
    assert name.startswith('attachment; filename="segments-')
    file_id = name.split("segments-")[1].split(".")[0]
    assert answer.text.splitlines()[-1].startswith(file_id)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert int(answer.headers["content-length"]) == len(answer.body)


def test_the_log_has_the_file_before_it_leaves() -> None:
    guest = manager()
    answer = guest.get(address(guest, offer(guest)))
    (entry,) = entries("exported")
    assert entry.subject == "segments"
    assert entry.detail == {
        "file": answer.headers["content-disposition"].split('"')[1],
        "rows": 1,
        "columns": ["customer_key", "segment"],
        "customers": 1,
        "filters": "Stores: S1",
        "sha256": hashlib.sha256(answer.body).hexdigest(),
    }


def test_a_button_is_good_again_and_each_file_has_its_own_number() -> None:
    guest = manager()
    token = offer(guest)
    first, second = address(guest, token), address(guest, token)
    assert first != second
    names = [guest.get(one).headers["content-disposition"] for one in (first, second)]
    assert names[0] != names[1]


def test_whoever_only_asks_whether_it_is_there_uses_nothing_up() -> None:
    guest = manager()
    place = address(guest, offer(guest))
    assert guest.request("HEAD", place, {}).status == 404
    assert came(guest.get(place))


def test_a_visitor_of_the_demo_chain_takes_lists_away_and_the_log_says_so() -> None:
    guest = visitor(Demo("manager", "S1"))
    assert came(guest.get(address(guest, offer(guest))))
    assert entries("exported")[0].actor == "demo:manager:S1"


def test_somebody_without_a_session_is_asked_to_sign_in() -> None:
    guest = visitor()
    an_account("wang", Rights("manager", ("S1",)))
    assert press(guest, "t0").headers["location"] == "/sign-in"
    assert guest.get("/export/x", **HTML).headers["location"] == "/sign-in"


def test_a_file_that_cannot_be_built_is_said_so_with_a_number_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fail(file: BinaryIO, stamp: Stamp) -> Written:
        raise ZeroDivisionError("138 1234 5678")

    guest = manager()
    answer = guest.get(address(guest, offer(guest, fail)), **HTML)
    assert answer.status == 500
    assert "nothing has left" in answer.text
    assert "138 1234" not in answer.text
    assert "incident" in caplog.text
    assert entries("exported") == ()


def test_data_that_were_renewed_meanwhile_are_asked_for_again() -> None:
    def fail(file: BinaryIO, stamp: Stamp) -> Written:
        raise LookupError("generation 7 is no longer open")

    guest = manager()
    answer = guest.get(address(guest, offer(guest, fail)), **HTML)
    assert (answer.status, 'href="/segments"' in answer.text) == (409, True)
    assert "The data have been renewed" in answer.text


def test_one_person_builds_two_files_at_once() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(file: BinaryIO, stamp: Stamp) -> Written:
        begun.release()
        go_on.wait(20)
        return written()(file, stamp)

    guest = manager()
    token = offer(guest, slow)
    places = [address(guest, token) for _ in range(3)]
    got: list[Answer] = []
    threads = [threading.Thread(target=lambda place=place: got.append(guest.get(place))) for place in places[:2]]
    for thread in threads:
        thread.start()
    assert all(begun.acquire(timeout=20) for _ in threads)
    assert guest.get(places[2], **HTML).status == 429
    go_on.set()
    for thread in threads:
        thread.join()
    assert [came(answer) for answer in got] == [True, True]
    assert came(guest.get(address(guest, token)))


def test_what_leaves_the_screen_is_offered_no_more() -> None:
    guest = manager()
    token = offer(guest)
    exports.offers.withdraw([token])
    assert press(guest, token).status == 404


ATTACKS = Attacks()
against = ATTACKS.against


@against(exports___is_whose=everybody)
def another_sign_in_presses_the_button_of_somebody() -> bool:
    guest = manager()
    token = offer(guest)
    other = beside(guest, Demo("manager", "S1"))
    return came(other.get(press(other, token).headers.get("location", "/export/none")))


@against(exports___is_whose=everybody)
def another_sign_in_opens_the_address_of_a_file() -> bool:
    guest = manager()
    place = address(guest, offer(guest))
    return came(beside(guest, Demo("manager", "S1")).get(place))


@against(exports___is_whose=everybody)
def the_same_person_opens_it_after_signing_in_again() -> bool:
    guest = manager()
    place = address(guest, offer(guest))
    known = accounts.find_by_name(opened(), "wang")
    assert known is not None
    return came(beside(guest, known).get(place))


@against(exports___use_up=nothing)
def an_address_is_opened_a_second_time() -> bool:
    guest = manager()
    place = address(guest, offer(guest))
    return came(guest.get(place)) and came(guest.get(place))


@against(exports___in_time=everybody)
def an_address_is_opened_later() -> bool:
    guest = manager()
    place = address(guest, offer(guest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exports, "utc_now", lambda: utc_now() + exports.GOOD_FOR + timedelta(seconds=1))
        return came(guest.get(place))


@against(exports__tokens__digest=lambda token: token[:20])
def an_address_is_guessed_from_its_beginning() -> bool:
    guest = manager()
    place = address(guest, offer(guest))
    return came(guest.get(place[:-10] + "A" * 10))


@against(gate__same_origin=everybody)
def another_site_presses_the_button() -> bool:
    guest = manager()
    token = offer(guest)
    return guest.post("/export", {"offer": token}, origin="http://evil.example").status == 303


# The rights of a moment ago: what the guard reads anew.
@against(identity__KEPT_FOR=10_000.0, identity__forget=nothing)
def a_file_leaves_after_the_right_was_taken_away() -> bool:
    guest = manager()
    place = address(guest, offer(guest))
    take_the_right_away()
    return came(guest.get(place))


@against(identity__KEPT_FOR=10_000.0, identity__forget=nothing)
def a_file_leaves_though_the_right_was_taken_away_while_it_was_built() -> bool:
    def write(file: BinaryIO, stamp: Stamp) -> Written:
        take_the_right_away()
        return written()(file, stamp)

    guest = manager()
    return came(guest.get(address(guest, offer(guest, write))))


def take_the_right_away() -> None:
    known = accounts.find_by_name(opened(), "wang")
    assert known is not None
    accounts.change(opened(), "terminal:test", known.account_id, utc_now(), rights=Rights("manager", ("S1",)))


@against(exports___may_have=everybody)
def a_list_of_customers_leaves_without_the_permission() -> bool:
    guest = visitor(an_account("li", Rights("manager", ("S1",))))
    return came(guest.get(address(guest, offer(guest))))


@against(exports___covers=everybody)
def a_list_of_another_store_leaves() -> bool:
    guest = manager()
    return came(guest.get(address(guest, offer(guest, scope=Scope("stores", ("S1", "S2"))))))


@against(exports__access__detail=lambda *_: "masked")
def a_file_of_a_page_leaves_that_the_role_may_not_open() -> bool:
    guest = visitor(an_account("chief", Rights("administrator")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity.Person, "takes_customers", True)
        return came(guest.get(address(guest, offer(guest, scope=Scope("stores", ())))))


@against(exports___note=nothing)
def a_file_leaves_though_the_log_cannot_be_written() -> bool:
    guest = manager()
    place = address(guest, offer(guest))

    with opened().begin() as connection:
        full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        connection.exec_driver_sql(full)
    return came(guest.get(place))


@against(exports__AT_ONCE=10_000)
def one_person_keeps_everybody_elses_files_waiting() -> bool:
    guest = manager()
    token = offer(guest)
    session = identity.look(identity.token(guest.cookies))
    assert session is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(exports._building, session.session_id, 50)
        return came(guest.get(address(guest, token)))


@against({"pages._ui.export.harmless": str})
def a_name_runs_in_the_spreadsheet_of_whoever_opens_the_file() -> bool:
    guest = manager()
    names = pd.DataFrame({"name": ["＝HYPERLINK(1)", "=1+1"]})
    lines = guest.get(address(guest, offer(guest, written(names)))).text.splitlines()
    return any(line.startswith(("=", "＝")) for line in lines)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_fails(name: str) -> None:
    assert not ATTACKS.works(name)


@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_guard_the_attack_works(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ATTACKS.works_without_guard(name, monkeypatch)


def test_a_refusal_is_logged_and_says_what_to_do() -> None:
    guest = visitor(an_account("li", Rights("manager", ("S1",))))
    answer = guest.get(address(guest, offer(guest)), **HTML)
    assert answer.status == 403
    assert "An administrator can give it." in answer.text
    assert [(entry.action, entry.subject) for entry in entries("denied")] == [("denied", "segments")]
