"""Attacks on the gate: each fails, and each works as soon as the one guard against it is taken out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts
from data_access.state.accounts import Account, Rights
from data_access.state.store import opened
from pages._gate import identity, sockets, state
from pages._gate.gate import SIGN_IN_ID
from pages._gate.identity import COOKIE, SECURE_COOKIE
from tests.gate.attacks import Attacks, everybody, nothing
from tests.gate.kit import BEHIND, HTML, ORIGIN, STREAM, Demo, beside, visitor, who_is
from tests.visitor import Visitor

MEDIA = "/media/" + "0f" * 16
SESSION, FILE = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
PASSWORD = "purple-kettle-river-9"
UPLOAD = f"/_stcore/upload_file/{SESSION}/{FILE}"


ATTACKS = Attacks()
against = ATTACKS.against


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
    guest = visitor(Demo("administrator", ""))
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
    guest = visitor(Demo("administrator", ""))
    guest.talk(STREAM, [UPLOAD.encode()], origin=ORIGIN)
    other = beside(guest, Demo("administrator", ""))
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


def chief(**at: Any) -> Visitor:
    """A chain with an administrator whose second factor is missing, and a manager with a first password."""
    return visitor(an_account("chief", Rights("administrator")), **at)


def an_account(name: str, rights: Rights, *, initial: bool = False) -> Account:
    known = accounts.find_by_name(opened(), name)
    return known or accounts.create(opened(), "terminal:test", name, name, rights, PASSWORD, utc_now(), initial=initial)


@against(gate__is_private=everybody)
def a_password_travels_in_the_open() -> bool:
    an_account("chief", Rights("administrator"))
    guest = visitor(host="crm.example.cn", peer="10.0.0.9")
    form = {"name": "chief", "password": PASSWORD}
    return "set-cookie" in guest.post("/sign-in", form, origin="http://crm.example.cn").headers


@against(hosts__is_secure=lambda *_: False)
def a_page_without_tls_at_the_same_name_sends_the_form() -> bool:
    guest = visitor(scheme="https")
    form = {"role": "marketing"}
    return "set-cookie" in guest.post("/sign-in", form, origin="http://localhost").headers


@against(gate__one_click=everybody, sign_in__one_click=everybody)
def somebody_elsewhere_enters_the_demo_chain_with_one_click() -> bool:
    guest = visitor(host="crm.example.cn", peer="10.0.0.9", scheme="https")
    guest.post("/sign-in", {"role": "marketing"}, origin="https://crm.example.cn")
    return guest.get("/segments", **HTML).status == 200


@against(gate__one_click=everybody)
def a_one_click_session_is_used_from_elsewhere() -> bool:
    guest = visitor(Demo("marketing"), peer="10.0.0.9", host="crm.example.cn", scheme="https")
    guest.cookies = {SECURE_COOKIE: guest.cookies[COOKIE]}
    return guest.get("/segments", **HTML).status == 200


@against(identity__SECURE_COOKIE=COOKIE)
def a_cookie_planted_without_tls_counts_over_tls() -> bool:
    return visitor(Demo("marketing"), scheme="https").get("/segments", **HTML).status == 200


@against(gate__Session__todo=())
def a_password_alone_opens_pages_that_need_a_second_factor() -> bool:
    return chief().get("/glossary", **HTML).status == 200


@against(gate__Session__todo=())
def a_password_alone_opens_a_socket_that_needs_a_second_factor() -> bool:
    return chief().connect(STREAM, origin=ORIGIN) is not None


@against(gate__Session__todo=())
def a_first_password_is_used_on_and_on() -> bool:
    guest = visitor(an_account("new", Rights("manager", ("S1",)), initial=True))
    return guest.get("/segments", **HTML).status == 200


@against(account___whose=nothing)
def somebody_ends_the_session_of_somebody_else() -> bool:
    guest = visitor(an_account("one", Rights("manager", ("S1",))))
    victim = beside(guest, an_account("two", Rights("manager", ("S2",))))
    session = identity.look(victim.cookies[COOKIE])
    assert session is not None
    guest.post("/account/sessions", {"session": session.session_id}, origin=ORIGIN)
    return who_is(victim) is None


@against(gate__same_origin=everybody)
def another_site_changes_the_password_of_its_visitor() -> bool:
    guest = visitor(an_account("one", Rights("manager", ("S1",))))
    form = {"old": PASSWORD, "new": "green-lantern-pebble-otter-4", "again": "green-lantern-pebble-otter-4"}
    return guest.post("/account/password", form, origin="http://evil.example").status == 303


@against(gate___is_small=everybody)
def a_form_without_end_fills_the_memory() -> bool:
    guest = visitor()
    return guest.post("/sign-in", {"role": "x" * 100_000}, origin=ORIGIN).status == 303


@against(sign_in__end_session=always)
def a_session_from_before_the_sign_in_lives_on() -> bool:
    guest = manager()
    kept = Visitor(guest.app, cookies=dict(guest.cookies))
    guest.post("/sign-in", {"role": "marketing"}, origin=ORIGIN)
    return who_is(kept) is not None


@against(sign_in__end_session=always)
def a_copied_cookie_lives_on_after_the_sign_out() -> bool:
    guest = manager()
    kept = Visitor(guest.app, cookies=dict(guest.cookies))
    guest.post("/sign-out", origin=ORIGIN)
    return who_is(kept) is not None


@against(sign_in__safe_target=lambda target: target or "/")
def the_sign_in_leads_to_another_site() -> bool:
    form = {"role": "marketing", "next": "https://evil.example/"}
    return visitor().post("/sign-in", form, origin=ORIGIN).headers["location"] == "https://evil.example/"


@against(page__escape=str, forms__escape=str, sign_in_page__escape=str)
def a_name_that_was_typed_runs_as_a_script() -> bool:
    an_account("chief", Rights("administrator"))
    form = {"name": '"><script>alert(1)</script>', "password": "x"}
    return "<script>alert" in visitor().post("/sign-in", form, origin=ORIGIN).text


@against(setup__setup__fits=everybody)
def a_stranger_opens_the_form_for_the_first_administrator() -> bool:
    an_account("chief", Rights("administrator"))
    return visitor().get("/setup?token=guessed", **HTML).status == 200


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
def ground(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo chain with a store of its own for every attack, served under a name of the network as well."""
    monkeypatch.setenv("MIRROR_STATE_URL", f"sqlite:///{tmp_path / 'state.sqlite'}")
    monkeypatch.setenv("MIRROR_HOSTS", "crm.example.cn")
    settings.cache_clear()
    monkeypatch.setattr(sockets, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(state, "_with_accounts", set())


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_fails(name: str) -> None:
    assert not ATTACKS.works(name)


@pytest.mark.parametrize("name", ATTACKS)
def test_without_its_guard_the_attack_works(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ATTACKS.works_without_guard(name, monkeypatch)
