"""Who comes in, from where, and what everybody else gets to see."""

from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from data_access.state import audit
from data_access.state.schema import state
from data_access.state.store import opened
from pages._gate.headers import SecurityHeaders
from pages._gate.identity import COOKIE
from pages._gate.routes import ROUTES
from pages._gate.state import is_loopback
from tests.gate.kit import BEHIND, HTML, ORIGIN, Demo, begin, visitor
from tests.visitor import Visitor


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
    answer = visitor().request(method, path, {"origin": ORIGIN})
    assert answer.status == 401
    assert BEHIND not in answer.text


def test_health_answers_to_anybody_and_says_nothing_of_the_data(home: Path) -> None:
    answer = visitor().get("/healthz")
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert set(visitor().get("/readyz").json) == {"ready", "state", "warm"}


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/script-health-check"])
def test_routes_that_talk_about_the_process_are_closed_to_everybody(signed_in: Visitor, path: str) -> None:
    assert signed_in.get(path).status == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "192.168.1.20", "localhost.evil.example", "localhost@evil.example", ""]
)
def test_another_host_name_is_refused(signed_in: Visitor, host: str) -> None:
    answer = signed_in.get("/", host=host, **HTML)
    assert answer.status == 421


def test_a_peer_that_is_not_this_machine_is_refused(home: Path) -> None:
    remote = visitor(Demo("marketing"), peer="10.1.2.3")
    assert remote.get("/", **HTML).status == 421


def test_a_page_of_another_role_does_not_exist(signed_in: Visitor) -> None:
    signed_in.cookies[COOKIE] = begin(Demo("administrator"))
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
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    # no-referrer would make the browser send "Origin: null" with the sign-in form
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("guarded", [True, False], ids=["with the guard", "without it"])
def test_no_other_site_may_read_an_answer(guarded: bool) -> None:
    """Whatever a route behind would allow: Streamlit does for some of its own."""

    async def generous(request: object) -> PlainTextResponse:
        allowed = {"access-control-allow-origin": "*", "access-control-allow-credentials": "true"}
        return PlainTextResponse("figures", headers=allowed)

    app = Starlette(
        routes=[Route("/", generous)],
        middleware=[Middleware(SecurityHeaders)] if guarded else [],
    )
    headers = Visitor(app).get("/", origin="http://evil.example").headers
    assert [name for name in headers if name.startswith("access-control")] == (
        [] if guarded else ["access-control-allow-origin", "access-control-allow-credentials"]
    )


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-out", "/setup", "/form.js", "/ahead.js", "/healthz", "/readyz", "/secret"]
)
def test_every_answer_says_what_it_is(home: Path, path: str) -> None:
    answer = visitor().get(path, **HTML)
    if answer.text:
        kind, _, charset = answer.headers["content-type"].partition("; charset=")
        assert (kind, charset) == ("application/json", "") or (kind.startswith("text/") and charset == "utf-8")


LOOKING = sorted({route.path for route in ROUTES if "GET" in (route.methods or ())})


@pytest.mark.parametrize("path", LOOKING)
def test_a_link_alone_changes_nothing(signed_in: Visitor, path: str) -> None:
    """Whoever is made to open an address does nothing with it: what changes something is a form that is sent."""

    def kept() -> dict[str, list[str]]:
        with opened().connect() as connection:
            rows = {name: connection.execute(select(table)).mappings().all() for name, table in state.tables.items()}
        return {name: sorted(str({**row, "last_seen_at": None}) for row in found) for name, found in rows.items()}

    before = kept()
    signed_in.get(path.replace("{token}", "none"), **HTML)
    assert kept() == before


def test_a_form_is_posted_and_nothing_else_is() -> None:
    assert set().union(*(route.methods or () for route in ROUTES)) <= {"GET", "HEAD", "POST"}


def test_over_tls_the_browser_is_told_to_stay_there(home: Path) -> None:
    assert visitor(scheme="https").get("/healthz").headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in visitor().get("/healthz").headers


def test_a_page_of_another_role_is_refused_and_logged(signed_in: Visitor) -> None:
    for path in ("/audit", "/secret", "/segments"):
        signed_in.get(path, **HTML)
    newest = audit.search(opened(), audit.Filter(person="demo:manager:S1", action="denied")).entries[0]
    assert (newest.actor, newest.subject) == ("demo:manager:S1", "audit")
