"""Sign-in with an account over a real database: password, code, what must be done first, one's own account."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts, sessions, setup, totp
from data_access.state.accounts import Account, Rights
from data_access.state.store import opened
from data_access.state.tokens import digest
from pages._gate import ahead, identity
from pages._gate.identity import COOKIE
from tests.gate.kit import BEHIND, HTML, ORIGIN, STREAM, use, visitor
from tests.small_chain import build
from tests.visitor import Answer, Visitor

PASSWORD, OTHER = "purple-kettle-river-9", "green-lantern-pebble-otter-4"


@pytest.fixture(scope="module")
def real_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("real")
    build(home, demo=False)
    return home


@pytest.fixture
def store(real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real chain with a store of its own for every test."""
    monkeypatch.setenv("MIRROR_STATE_URL", f"sqlite:///{tmp_path / 'state.sqlite'}")
    use(real_home, monkeypatch)
    yield tmp_path
    opened().dispose()


def somebody(name: str = "li.na", rights: Rights | None = None, *, initial: bool = False) -> Account:
    chosen = rights or Rights("manager", ("S1",))
    return accounts.create(opened(), "terminal:test", name, "Li Na", chosen, PASSWORD, utc_now(), initial=initial)


def signs_in(guest: Visitor, name: str = "li.na", password: str = PASSWORD, **more: str) -> Answer:
    return guest.post("/sign-in", {"name": name, "password": password, **more}, origin=ORIGIN)


def test_the_right_password_opens_the_page_that_was_asked_for(store: Path) -> None:
    somebody()
    guest = visitor()
    answer = signs_in(guest, next="/segments?period=7d")
    assert (answer.status, answer.headers["location"]) == (303, "/segments?period=7d")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert guest.get("/segments", **HTML).status == 200
    assert guest.connect(STREAM, origin=ORIGIN) is not None


@pytest.mark.parametrize(
    ("name", "password"), [("li.na", "not-the-password"), ("nobody", PASSWORD), ("", ""), ("sun", PASSWORD)]
)
def test_every_refusal_reads_the_same(store: Path, name: str, password: str) -> None:
    somebody()
    accounts.disable(opened(), "terminal:test", somebody("sun").account_id, utc_now())
    guest = visitor()
    answer = signs_in(guest, name, password)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert "Name or password is not right, or there were too many attempts." in answer.text
    assert password not in answer.text or not password


def test_after_five_wrong_passwords_the_right_one_waits(store: Path) -> None:
    somebody()
    for _ in range(5):
        assert signs_in(visitor(), password="wrong").status == 403
    assert signs_in(visitor()).status == 403


def test_the_page_offers_a_form_and_no_way_in_without_a_password(store: Path) -> None:
    somebody()
    page = visitor().get("/sign-in", **HTML).text
    assert 'autocomplete="username"' in page
    assert 'type="password" autocomplete="current-password"' in page
    assert 'name="role"' not in page
    answer = visitor().post("/sign-in", {"role": "administrator"}, origin=ORIGIN)
    assert "set-cookie" not in answer.headers


def test_what_was_typed_as_a_name_is_escaped(store: Path) -> None:
    somebody()
    page = signs_in(visitor(), '"><script>alert(1)</script>', "x").text
    assert "<script>" not in page


@pytest.mark.parametrize(("initial", "status"), [(False, 204), (True, 303)], ids=["nothing to do", "a first password"])
def test_a_document_that_would_stay_is_sent_on_where_something_comes_first(
    store: Path, initial: bool, status: int
) -> None:
    somebody(initial=initial)
    form = {"name": "li.na", "password": PASSWORD}
    assert visitor().post("/sign-in", form, origin=ORIGIN, **{ahead.STAY: "1"}).status == status


def test_a_first_password_opens_nothing_but_the_way_to_ones_own(store: Path) -> None:
    account = somebody(initial=True)
    guest = visitor()
    signs_in(guest)
    for path in ("/", "/segments"):
        assert guest.get(path, **HTML).headers["location"] == "/account"
    assert guest.get("/_stcore/health").status == 403
    assert guest.connect(STREAM, origin=ORIGIN) is None
    before = guest.cookies[COOKIE]
    answer = guest.post("/account/password", {"old": PASSWORD, "new": OTHER, "again": OTHER}, origin=ORIGIN)
    assert answer.headers["location"] == "/account?done=password"
    assert guest.cookies[COOKIE] != before
    assert guest.get("/segments", **HTML).status == 200
    identity.forget(before)
    assert identity.look(before) is None
    assert accounts.find(opened(), account.account_id).initial_until is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"old": "wrong", "new": OTHER, "again": OTHER}, "The present password is not right."),
        ({"old": PASSWORD, "new": OTHER, "again": "x"}, "The two new passwords are not the same."),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "A password has at least 15 characters."),
        (
            {"old": PASSWORD, "new": "杭州万象城店杭州万象城店杭州万象城店", "again": "杭州万象城店" * 3},
            "easy to guess",
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_password_that_will_not_do_is_said_so(store: Path, form: dict[str, str], said: str) -> None:
    somebody()
    guest = visitor()
    signs_in(guest)
    answer = guest.post("/account/password", form, origin=ORIGIN)
    assert answer.status == 400
    assert said in answer.text
    assert form["new"] not in answer.text


def enrolled(guest: Visitor) -> tuple[bytes, list[str]]:
    """Sets up the second factor; its key and the recovery codes."""
    page = guest.post("/account/totp", {"password": PASSWORD}, origin=ORIGIN).text
    assert "<svg" in page
    found = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert found is not None
    key = base64.b32decode(found[1].replace(" ", ""))
    code = totp.code_at(key, totp.step_at(utc_now()))
    page = guest.post("/account/totp/confirm", {"code": code}, origin=ORIGIN).text
    return key, re.findall(r"<li><code>([a-z2-7-]+)</code>", page)


def test_an_administrator_needs_a_second_factor_before_anything_opens(store: Path) -> None:
    somebody("chief", Rights("administrator"))
    guest = visitor()
    signs_in(guest, "chief")
    assert guest.get("/data_health", **HTML).headers["location"] == "/account"
    _, codes = enrolled(guest)
    assert len(set(codes)) == 10
    assert guest.get("/glossary", **HTML).status == 200

    later = visitor()
    page = signs_in(later, "chief").text
    assert COOKIE not in later.cookies
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert ticket is not None
    wrong = later.post("/sign-in", {"ticket": ticket[1], "code": "000000"}, origin=ORIGIN)
    assert wrong.status == 403
    assert ticket[1] in wrong.text
    answer = later.post("/sign-in", {"ticket": ticket[1], "code": codes[0], "next": "/glossary"}, origin=ORIGIN)
    assert (answer.status, answer.headers["location"]) == (303, "/glossary")
    # a recovery code and a ticket work once
    again = later.post("/sign-in", {"ticket": ticket[1], "code": codes[0]}, origin=ORIGIN)
    assert again.status == 403


def test_an_open_browser_is_not_enough_to_set_up_a_second_factor(store: Path) -> None:
    somebody()
    guest = visitor()
    signs_in(guest)
    for form in ({}, {"password": "wrong"}):
        answer = guest.post("/account/totp", form, origin=ORIGIN)
        assert answer.status == 400
        assert "The present password is not right." in answer.text
        assert 'class="qr"' not in answer.text
    tried = [guest.post("/account/totp", {"password": "wrong"}, origin=ORIGIN).text for _ in range(4)]
    assert "Too many wrong attempts" in tried[-1]


def test_an_open_browser_is_not_enough_for_new_recovery_codes(store: Path) -> None:
    somebody()
    guest = visitor()
    signs_in(guest)
    key, codes = enrolled(guest)
    for code in ("", "000000"):
        answer = guest.post("/account/codes", {"code": code}, origin=ORIGIN)
        assert answer.status == 400
        assert "This code is not right" in answer.text
    # the next time step: a code opens once
    code = totp.code_at(key, totp.step_at(utc_now()) + 1)
    page = guest.post("/account/codes", {"code": code}, origin=ORIGIN).text
    fresh = re.findall(r"<li><code>([a-z2-7-]+)</code>", page)
    assert len(set(fresh) - set(codes)) == 10
    page = guest.post("/account/codes", {"code": fresh[0]}, origin=ORIGIN).text
    assert len(re.findall(r"<li><code>([a-z2-7-]+)</code>", page)) == 10


def test_ones_own_sessions_end_one_by_one_and_nobody_elses(store: Path) -> None:
    somebody()
    somebody("wang")
    mine, phone, other = visitor(), visitor(), visitor()
    signs_in(mine)
    signs_in(phone)
    signs_in(other, "wang")
    page = mine.get("/account", **HTML).text
    (wanted,) = re.findall(r'name="session" value="([0-9a-f]+)"', page)
    foreign = identity.look(other.cookies[COOKIE])
    assert foreign is not None
    assert foreign.session_id not in page
    for session in (wanted, foreign.session_id):
        assert mine.post("/account/sessions", {"session": session}, origin=ORIGIN).status == 303
    for guest, open_still in ((mine, True), (phone, False), (other, True)):
        identity.forget(guest.cookies[COOKIE])
        assert (guest.get("/segments", **HTML).status == 200) is open_still


def test_rights_change_at_the_next_click_and_disabling_ends_it(store: Path) -> None:
    account = somebody(rights=Rights("manager", ("S1", "S2")))
    guest = visitor()
    signs_in(guest)
    token = guest.cookies[COOKIE]
    assert identity.person_of(identity.look(token)).homes == ("S1", "S2")  # type: ignore[arg-type]
    with_more = Rights("manager", ("S1", "S2", "S3"))
    accounts.change(opened(), "terminal:test", account.account_id, utc_now(), rights=with_more)
    identity.forget(token)  # the gate does so for every message
    assert identity.person_of(identity.look(token)).homes == ("S1", "S2", "S3")  # type: ignore[arg-type]
    accounts.disable(opened(), "terminal:test", account.account_id, utc_now())
    identity.forget(token)
    assert guest.get("/segments", **HTML).status == 303


def test_the_way_to_the_first_administrator_opens_once(store: Path) -> None:
    guest = visitor()
    assert guest.get("/", **HTML).status == 503
    assert guest.get("/setup?token=x", **HTML).status == 404
    token = setup.make_token(opened(), "terminal:test", utc_now())
    assert guest.get("/setup", **HTML).status == 404
    assert guest.get(f"/setup?token={token}", **HTML).status == 200
    form = {"token": token, "name": "chief", "display_name": "Chen Wei", "new": PASSWORD, "again": PASSWORD}
    assert guest.post("/setup", {**form, "token": "x"}, origin=ORIGIN).status == 404
    assert guest.post("/setup", {**form, "new": "short", "again": "short"}, origin=ORIGIN).status == 400
    answer = guest.post("/setup", form, origin=ORIGIN)
    assert (answer.status, answer.headers["location"]) == (303, "/account")
    assert guest.get("/account", **HTML).status == 200
    assert visitor().get(f"/setup?token={token}", **HTML).status == 404
    assert visitor().post("/setup", form, origin=ORIGIN).status == 404


def test_a_token_is_kept_nowhere_as_it_is(store: Path) -> None:
    somebody()
    guest = visitor()
    signs_in(guest)
    token = guest.cookies[COOKIE]
    kept = b"".join(file.read_bytes() for file in store.glob("state.sqlite*"))
    assert digest(token).encode() in kept
    assert token.encode() not in kept
    assert PASSWORD.encode() not in kept


def test_a_name_of_the_list_is_served_over_tls_only(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_HOSTS", "mirror.example.cn")
    settings.cache_clear()
    somebody()
    plain = visitor(host="mirror.example.cn", peer="10.0.0.9")
    assert "https only" in plain.get("/sign-in", accept_language="en", **HTML).text
    guest = visitor(host="mirror.example.cn", peer="10.0.0.9", scheme="https")
    form = {"name": "li.na", "password": PASSWORD}
    assert guest.post("/sign-in", form, origin="http://mirror.example.cn").status == 403
    assert guest.post("/sign-in", form, origin="https://mirror.example.cn").status == 303
    assert guest.get("/segments", **HTML).text != BEHIND
    assert guest.get("/segments", **HTML).status == 200
    assert guest.get("/segments", host="other.example.cn", **HTML).status == 421
    assert sessions.active(opened(), utc_now())[0].address == "10.0.0.9"


@pytest.mark.parametrize("length", ["20000", "", "x"])
def test_a_form_is_small_and_says_so(store: Path, length: str) -> None:
    somebody()
    answer = visitor().post("/sign-in", {"name": "x"}, origin=ORIGIN, **{"content-length": length})
    assert answer.status == 413
