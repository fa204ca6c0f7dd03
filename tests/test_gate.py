"""The gate: who comes in, from where, and what everybody else gets to see."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from data_access.settings import settings
from pages._gate import identity, state
from pages._gate.gate import SIGN_IN_ID, Gate
from pages._gate.headers import SecurityHeaders
from pages._gate.identity import COOKIE, MAX_AGE, Person, seal, unseal
from pages._gate.sign_in import ROUTES, safe_target
from pages._gate.state import is_loopback
from tests.small_chain import build
from tests.visitor import Visitor

ORIGIN = "http://localhost"
HTML = {"accept": "text/html"}
METHODS = ["GET", "HEAD", "POST", "PUT"]
BEHIND = "the app behind the gate"


async def behind(request: object) -> PlainTextResponse:
    return PlainTextResponse(BEHIND)


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.headers.get(SIGN_IN_ID, ""))
    await websocket.close()


def visitor(person: Person | None = None, **at: str) -> Visitor:
    """A visitor of an app that has our routes and gate before it, and answers everything else itself."""
    app = Starlette(
        routes=[*ROUTES, WebSocketRoute("/_stcore/stream", socket), Route("/{path:path}", behind, methods=METHODS)],
        middleware=[Middleware(SecurityHeaders), Middleware(Gate)],
    )
    return Visitor(app, cookies={COOKIE: seal(person)} if person else {}, **at)


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("demo")
    build(home)
    return home


@pytest.fixture
def home(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from use(demo_home, monkeypatch)


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MIRROR_HOME", str(folder))
    settings.cache_clear()
    yield folder
    settings.cache_clear()


@pytest.fixture
def signed_in(home: Path) -> Visitor:
    return visitor(Person("manager", "S1"))


@pytest.mark.parametrize("path", ["/", "/segments", "/secret", "/data_health?x=1"])
def test_a_stranger_who_opens_a_page_is_sent_to_the_sign_in_page(home: Path, path: str) -> None:
    answer = visitor().get(path, **HTML)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2F")
    assert BEHIND not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_stcore/health"),
        ("GET", "/_stcore/host-config"),
        ("GET", "/media/abc.csv"),
        ("GET", "/static/js/index.js"),
        ("PUT", "/_stcore/upload_file/a/b"),
        ("POST", "/"),
        ("HEAD", "/segments"),
    ],
)
def test_a_stranger_gets_nothing_else_either(home: Path, method: str, path: str) -> None:
    answer = visitor().request(method, path, {})
    assert answer.status == 401
    assert BEHIND not in answer.text


def test_health_answers_to_anybody_and_says_nothing_of_the_data(home: Path) -> None:
    answer = visitor().get("/healthz")
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert set(visitor().get("/readyz").json) == {"ready", "state", "warm"}


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/script-health-check"])
def test_routes_that_talk_about_the_process_are_closed_to_everybody(signed_in: Visitor, path: str) -> None:
    assert signed_in.get(path).status == 404


def test_entry_sets_a_cookie_that_scripts_cannot_read_and_goes_on(home: Path) -> None:
    guest = visitor()
    answer = guest.post("/sign-in", {"role": "manager", "home": "S2", "next": "/segments?period=7d"}, origin=ORIGIN)
    assert (answer.status, answer.headers["location"]) == (303, "/segments?period=7d")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Max-Age={MAX_AGE}" in cookie
    assert unseal(guest.cookies[COOKIE]) == Person("manager", "S2")
    assert guest.get("/segments", **HTML).status == 200
    assert guest.get("/media/abc.csv").text == BEHIND


@pytest.mark.parametrize(
    ("role", "wanted", "person"),
    [
        ("regional", "east", Person("regional", "east")),
        ("marketing", "", Person("marketing")),
        ("administrator", "", Person("administrator")),
    ],
)
def test_each_role_can_enter(home: Path, role: str, wanted: str, person: Person) -> None:
    guest = visitor()
    guest.post("/sign-in", {"role": role, "home": wanted}, origin=ORIGIN)
    assert unseal(guest.cookies[COOKIE]) == person


@pytest.mark.parametrize(
    "form",
    [
        {"role": "owner", "home": ""},
        {"role": "manager", "home": ""},
        {"role": "manager", "home": "S5"},  # closed
        {"role": "manager", "home": "east"},
        {"role": "regional", "home": "S1"},
        {"role": "marketing", "home": "S1"},
        {},
    ],
    ids=str,
)
def test_an_entry_that_is_not_offered_gives_no_cookie(home: Path, form: dict[str, str]) -> None:
    answer = visitor().post("/sign-in", form, origin=ORIGIN)
    assert answer.headers["location"] == "/sign-in"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://localhost:9999", "http://localhost.evil"]
)
def test_a_form_from_another_site_signs_nobody_in_or_out(signed_in: Visitor, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    for path in ("/sign-in", "/sign-out"):
        answer = signed_in.post(path, {"role": "administrator"}, **headers)
        assert answer.status == 403
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "192.168.1.20", "localhost.evil.example", "localhost@evil.example", ""]
)
def test_another_host_name_is_refused(signed_in: Visitor, host: str) -> None:
    answer = signed_in.get("/", host=host, **HTML)
    assert answer.status == 421


def test_a_peer_that_is_not_this_machine_is_refused(home: Path) -> None:
    remote = visitor(Person("marketing"), peer="10.1.2.3")
    assert remote.get("/", **HTML).status == 421


def forged() -> str:
    payload, _, rest = seal(Person("manager", "S1")).partition(".")
    other = seal(Person("administrator")).partition(".")[0]
    assert payload != other
    return f"{other}.{rest}"


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "e30.aaaa.bbbb"])
def test_a_made_up_cookie_is_nobody(home: Path, value: str) -> None:
    assert unseal(value) is None


def test_a_cookie_with_a_swapped_person_is_nobody(home: Path) -> None:
    assert unseal(forged()) is None
    guest = visitor()
    guest.cookies[COOKIE] = forged()
    assert guest.get("/", **HTML).status == 303


def test_a_cookie_lasts_twelve_hours(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value = seal(Person("marketing"))
    issued = identity.time.time()
    assert MAX_AGE == 12 * 60 * 60
    monkeypatch.setattr(identity.time, "time", lambda: issued + MAX_AGE - 60)
    assert unseal(value) == Person("marketing")
    monkeypatch.setattr(identity.time, "time", lambda: issued + MAX_AGE + 60)
    assert unseal(value) is None


def test_a_cookie_of_another_installation_is_nobody(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = seal(Person("marketing"))
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path / "other"))
    settings.cache_clear()
    assert unseal(value) is None


def test_only_the_owner_can_read_the_signing_key(home: Path) -> None:
    seal(Person("marketing"))
    assert stat.S_IMODE((home / "identity.key").stat().st_mode) == 0o600
    assert len((home / "identity.key").read_bytes()) == 32


def test_a_signed_out_cookie_is_worth_nothing(home: Path) -> None:
    guest = visitor()
    guest.post("/sign-in", {"role": "marketing"}, origin=ORIGIN)
    kept = guest.cookies[COOKIE]
    answer = guest.post("/sign-out", origin=ORIGIN)
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in guest.cookies
    guest.cookies[COOKIE] = kept
    assert guest.get("/", **HTML).status == 303


def test_a_link_alone_does_not_sign_out(signed_in: Visitor) -> None:
    answer = signed_in.get("/sign-out", **HTML)
    assert answer.status == 200
    assert "set-cookie" not in answer.headers
    assert 'action="/sign-out"' in answer.text


def test_a_page_of_another_role_does_not_exist(signed_in: Visitor) -> None:
    signed_in.cookies[COOKIE] = seal(Person("administrator"))
    for path in ("/overview", "/order?order=1", "/segments", "/secret", "/pages/overview.py"):
        answer = signed_in.get(path, **HTML)
        assert answer.status == 404, path
        assert BEHIND not in answer.text
    assert signed_in.get("/glossary", **HTML).status == 200


def test_the_first_page_has_one_address(signed_in: Visitor) -> None:
    answer = signed_in.get("/overview?period=7d", **HTML)
    assert (answer.status, answer.headers["location"]) == (303, "/?period=7d")


def test_the_start_page_is_ours(signed_in: Visitor) -> None:
    page = signed_in.get("/", **HTML, accept_language="zh-CN,zh;q=0.9").text
    assert "<title>妆镜</title>" in page
    assert '<html lang="zh-CN">' in page
    assert 'rel="service-desc"' not in page


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "null"},
        {"origin": "http://evil.example", "host": "evil.example"},
    ],
    ids=str,
)
def test_a_websocket_from_elsewhere_is_refused(signed_in: Visitor, headers: dict[str, str]) -> None:
    assert signed_in.connect("/_stcore/stream", **headers) is None


def test_a_websocket_needs_an_identity(home: Path) -> None:
    assert visitor().connect("/_stcore/stream", origin=ORIGIN) is None


def test_a_websocket_carries_its_own_sign_in_and_no_other(signed_in: Visitor) -> None:
    texts = signed_in.connect("/_stcore/stream", **{"origin": ORIGIN, SIGN_IN_ID: "somebody else's"})
    assert texts == [identity.sign_in_id(signed_in.cookies[COOKIE])]


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "evil",
        "/sign-out",
        "/sign-in?next=/",
        "",
        None,
    ],
)
def test_sign_in_never_leads_to_another_site(target: str | None) -> None:
    assert safe_target(target) == "/"


@pytest.mark.parametrize("target", ["/", "/segments", "/store?store=S1&period=7d"])
def test_sign_in_leads_on_to_a_page_of_ours(target: str) -> None:
    assert safe_target(target) == target


def test_any_other_database_is_refused_until_accounts_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path, demo=False)
    for _ in use(tmp_path, monkeypatch):
        guest = visitor(Person("marketing"))
        for path in ("/", "/sign-in", "/segments", "/media/abc.csv", "/_stcore/health"):
            answer = guest.get(path, **HTML)
            assert answer.status == 503, path
            assert BEHIND not in answer.text
        page = guest.get("/").text
        assert "账号" in page
        assert "sign-in with accounts does not exist yet" in page
        assert "python -m models report" in page
        assert guest.post("/sign-in", {"role": "marketing"}, origin=ORIGIN).status == 503
        assert guest.connect("/_stcore/stream", origin=ORIGIN) is None
        assert guest.get("/readyz").json == {"ready": False, "state": "no_accounts", "warm": False}


def test_without_data_a_page_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in use(tmp_path, monkeypatch):
        answer = visitor().get("/", **HTML)
        assert answer.status == 503
        assert "python -m data_access demo\npython -m data_access refresh" in answer.text


def test_one_click_entry_is_refused_on_an_address_others_can_reach(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.config, "get_option", lambda name: {"server.address": "0.0.0.0"}[name])
    answer = visitor().get("/sign-in", **HTML)
    assert answer.status == 503
    assert "--server.address 127.0.0.1" in answer.text


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("192.168.0.1", False),
        ("localhost.evil", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize("path", ["/sign-in", "/healthz", "/", "/secret"])
def test_every_answer_carries_the_security_headers(home: Path, path: str) -> None:
    headers = visitor().get(path, **HTML).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self' 'sha256-" in policy
    assert "'unsafe-eval'" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    # no-referrer would make the browser send "Origin: null" with the sign-in form
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("wanted", "header", "seen", "lang"),
    [
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "以哪个身份进入演示连锁店", "zh-CN"),
        ("", "en-GB,en;q=0.9", "Enter the demo chain as", "en"),
        ("", "fr-FR", "Enter the demo chain as", "en"),
        ("?lang=en", "zh-CN", "Enter the demo chain as", "en"),
        ("?lang=xx", "zh-CN", "以哪个身份进入演示连锁店", "zh-CN"),
    ],
)
def test_the_sign_in_page_speaks_the_visitors_language(
    home: Path, wanted: str, header: str, seen: str, lang: str
) -> None:
    page = visitor().get(f"/sign-in{wanted}", **HTML, accept_language=header).text
    assert seen in page
    assert f'<html lang="{lang}">' in page


def test_the_sign_in_page_offers_open_stores_by_region_and_asks_no_other_host(home: Path) -> None:
    page = visitor().get("/sign-in", accept_language="en").text
    assert '<optgroup label="East"><option value="S1">Shanghai Nanjing Road</option>' in page
    assert "广州旧店" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert "<script" not in page


def test_what_a_visitor_types_into_the_address_is_escaped(home: Path) -> None:
    page = visitor().get('/sign-in?next=/"><script>alert(1)</script>&lang=en', **HTML).text
    assert "<script" not in page
