"""Attacks on the gate: each fails, and each works as soon as the one guard against it is taken out.

Every attack is a function that says whether it got through. It is tried twice, with the gate as it is and with its
guard replaced by one that lets everything pass, so that no test here can be green for another reason.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pages._gate import sockets
from pages._gate.gate import SIGN_IN_ID
from tests.gate.kit import BEHIND, HTML, ORIGIN, STREAM, Demo, beside, visitor
from tests.visitor import Visitor

MEDIA = "/media/" + "0f" * 16
SESSION, FILE = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
UPLOAD = f"/_stcore/upload_file/{SESSION}/{FILE}"


@dataclass(frozen=True)
class Attack:
    """``works`` says whether it got through; ``guards`` are the names, and what stands in for them when taken out."""

    works: Callable[[], bool]
    guards: dict[str, Any]


ATTACKS: dict[str, Attack] = {}


def against(**guards: Any) -> Callable[[Callable[[], bool]], Callable[[], bool]]:
    """Marks an attack; ``guards``: dotted name under ``pages._gate`` with ``__`` for the dots -> its replacement."""

    def mark(works: Callable[[], bool]) -> Callable[[], bool]:
        ATTACKS[works.__name__] = Attack(works, {name.replace("__", "."): off for name, off in guards.items()})
        return works

    return mark


def everybody(*_: object, **__: object) -> bool:
    return True


async def always(*_: object, **__: object) -> bool:
    return True


def manager() -> Visitor:
    return visitor(Demo("manager", "S1"))


# One-click entry has two further guards of its own against strangers, which are out of the way here.
@against(gate__is_served=everybody, gate__is_private=everybody, gate__one_click=everybody)
def a_page_under_a_name_that_somebody_pointed_here() -> bool:
    return manager().get("/", host="evil.example", **HTML).status == 200


@against(gate__is_served=everybody, gate__one_click=everybody)
def a_request_from_another_machine() -> bool:
    guest = manager()
    guest.peer = "10.1.2.3"
    return guest.get("/segments", **HTML).status == 200


@against(gate__is_served=everybody, gate__one_click=everybody)
def a_socket_from_another_machine() -> bool:
    guest = manager()
    guest.peer = "10.1.2.3"
    return guest.connect(STREAM, origin=ORIGIN) is not None


@against(gate__same_origin=everybody)
def a_form_of_another_site_signs_somebody_in() -> bool:
    answer = visitor().post("/sign-in", {"role": "administrator"}, origin="http://evil.example")
    return "set-cookie" in answer.headers


@against(gate__same_origin=everybody)
def a_form_of_another_site_signs_somebody_out() -> bool:
    return manager().post("/sign-out", origin="http://evil.example").status == 303


@against(gate__same_origin=everybody)
def another_port_of_this_machine_puts_a_file_into_an_upload_slot() -> bool:
    guest = manager()
    guest.talk(STREAM, [UPLOAD.encode()], origin=ORIGIN)
    return guest.request("PUT", UPLOAD, {"origin": "http://localhost:9999"}).text == BEHIND


@against(gate__same_origin=everybody)
def a_page_of_another_site_opens_a_socket_with_the_visitors_cookie() -> bool:
    return manager().connect(STREAM, origin="http://evil.example") is not None


@against(gate__same_origin=everybody)
def a_socket_without_origin_makes_streamlit_ask_the_internet_for_its_address() -> bool:
    return manager().connect(STREAM) is not None


@against(gate__SIGN_IN_ID="x-something-else")
def a_socket_says_itself_whose_it_is() -> bool:
    texts = manager().connect(STREAM, **{"origin": ORIGIN, SIGN_IN_ID: "another's"})
    return texts == ["another's"]


@against(gate___CLOSED=("/nothing",))
def the_metrics_of_the_process_are_read() -> bool:
    return manager().get("/_stcore/metrics").text == BEHIND


@against(gate__access__may_open=everybody)
def a_manager_opens_a_page_that_is_not_registered() -> bool:
    return manager().get("/secret", **HTML).status == 200


@against(belongings__Belongings__allow=everybody)
def somebody_reads_the_download_of_somebody_else() -> bool:
    guest = manager()
    guest.talk(STREAM, [f"x{MEDIA}.csv2".encode()], origin=ORIGIN)
    return beside(guest, Demo("manager", "S2")).get(f"{MEDIA}.csv").text == BEHIND


@against(belongings__Belongings__allow=everybody)
def somebody_guesses_the_address_of_a_download() -> bool:
    return manager().get(f"{MEDIA}.csv").text == BEHIND


@against(belongings__Belongings__allow=everybody)
def somebody_fills_the_upload_slot_of_somebody_else() -> bool:
    guest = manager()
    guest.talk(STREAM, [UPLOAD.encode()], origin=ORIGIN)
    other = beside(guest, Demo("manager", "S2"))
    return other.request("PUT", UPLOAD, {"origin": ORIGIN}).text == BEHIND


@against(sockets__PER_PERSON=10_000)
def one_sign_in_holds_every_socket_there_is() -> bool:
    guest = manager()
    with many_sockets(guest, sockets.PER_PERSON if sockets.PER_PERSON < 100 else 20):
        return guest.connect(STREAM, origin=ORIGIN) is not None


@against(sockets__Line___still_good=always)
def a_socket_stays_open_after_the_sign_out() -> bool:
    guest = manager()
    talk = guest.talk(STREAM, [lambda: guest.post("/sign-out", origin=ORIGIN), b"figures"], origin=ORIGIN)
    return b"figures" in talk.frames


@contextmanager
def many_sockets(guest: Visitor, count: int) -> Iterator[None]:
    """``count`` open sockets of ``guest`` while the block lasts."""
    leave, opened = threading.Event(), threading.Barrier(count + 1)
    threads = [
        threading.Thread(
            target=lambda: guest.talk(STREAM, [lambda: opened.wait(20), lambda: leave.wait(20)], origin=ORIGIN)
        )
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    opened.wait(20)
    try:
        yield
    finally:
        leave.set()
        for thread in threads:
            thread.join()


@pytest.fixture(autouse=True)
def look_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "LOOK_EVERY", 0.0)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_fails(name: str) -> None:
    assert not ATTACKS[name].works()


@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_guard_the_attack_works(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for guard, off in ATTACKS[name].guards.items():
        monkeypatch.setattr(f"pages._gate.{guard}", off)
    assert ATTACKS[name].works()
