"""One-click entry to the demo chain: what it offers, and where it is refused."""

from pathlib import Path

import pytest

from data_access.freshness import utc_now
from data_access.state import sessions
from data_access.state.store import opened
from pages._gate import identity, state
from pages._gate.identity import COOKIE, MAX_AGE, Person
from pages._gate.sign_in import safe_target
from pages._ui import access
from pages._ui.i18n import text
from tests.gate.kit import BEHIND, HTML, ORIGIN, Demo, use, visitor, who_is
from tests.small_chain import build
from tests.visitor import Visitor

OURS = '<script src="/ahead.js" defer></script>'


def test_entry_sets_a_cookie_that_scripts_cannot_read_and_goes_on(home: Path) -> None:
    guest = visitor()
    answer = guest.post("/sign-in", {"role": "manager", "home": "S2", "next": "/segments?period=7d"}, origin=ORIGIN)
    assert (answer.status, answer.headers["location"]) == (303, "/segments?period=7d")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Max-Age={MAX_AGE}" in cookie
    assert who_is(guest) == Person("manager", ("S2",), "demo:manager:S2")
    assert guest.get("/segments", **HTML).status == 200
    assert guest.get("/_stcore/health").text == BEHIND


@pytest.mark.parametrize(
    ("role", "wanted", "person"),
    [
        ("regional", "east", Person("regional", ("east",), "demo:regional:east")),
        ("marketing", "", Person("marketing", (), "demo:marketing:")),
        ("administrator", "", Person("administrator", (), "demo:administrator:")),
    ],
)
def test_each_role_can_enter(home: Path, role: str, wanted: str, person: Person) -> None:
    guest = visitor()
    guest.post("/sign-in", {"role": role, "home": wanted}, origin=ORIGIN)
    assert who_is(guest) == person


@pytest.mark.parametrize(
    "form",
    [
        {"role": "owner", "home": ""},
        {"role": "manager", "home": ""},
        {"role": "manager", "home": "S5"},  # closed
        {"role": "manager", "home": "east"},
        {"role": "regional", "home": "S1"},
        {"role": "marketing", "home": "S1"},
        {"role": "staff", "home": "E1"},  # nobody works in this chain
        {},
    ],
    ids=str,
)
def test_an_entry_that_is_not_offered_gives_no_cookie(home: Path, form: dict[str, str]) -> None:
    answer = visitor().post("/sign-in", form, origin=ORIGIN)
    assert answer.headers["location"] == "/sign-in"
    assert "set-cookie" not in answer.headers


def test_store_staff_open_the_page_about_themselves_and_the_glossary_alone(home: Path) -> None:
    guest = visitor()
    guest.cookies[COOKIE] = sessions.begin(opened(), sessions.Visitor("staff", "E1"), utc_now())
    answers = {page.key: guest.get(f"/{page.key}", **HTML).status for page in access.PAGES}
    assert {key for key, status in answers.items() if status != 404} == {"mine", "glossary"}


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://localhost:9999", "http://localhost.evil"]
)
def test_a_form_from_another_site_signs_nobody_in_or_out(signed_in: Visitor, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    for path in ("/sign-in", "/sign-out"):
        answer = signed_in.post(path, {"role": "administrator"}, **headers)
        assert answer.status == 403
        assert "set-cookie" not in answer.headers


def test_a_signed_out_cookie_is_worth_nothing(home: Path) -> None:
    guest = visitor()
    guest.post("/sign-in", {"role": "marketing"}, origin=ORIGIN)
    kept = guest.cookies[COOKIE]
    answer = guest.post("/sign-out", origin=ORIGIN)
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in")
    assert answer.headers["clear-site-data"] == '"storage"'
    assert COOKIE not in guest.cookies
    guest.cookies[COOKIE] = kept
    assert guest.get("/", **HTML).status == 303


def test_whose_sign_in_has_ended_is_told_so(home: Path) -> None:
    guest = visitor(Demo("administrator"))
    assert text("en", "session.expired") not in guest.get("/sign-in", **HTML, **{"accept-language": "en"}).text
    sessions.end(opened(), guest.cookies[COOKIE], utc_now())
    identity.forget(guest.cookies[COOKIE])
    assert text("en", "session.expired") in guest.get("/sign-in", **HTML, **{"accept-language": "en"}).text
    assert text("en", "session.expired") not in visitor().get("/sign-in", **HTML, **{"accept-language": "en"}).text


def test_a_link_alone_does_not_sign_out(signed_in: Visitor) -> None:
    answer = signed_in.get("/sign-out", **HTML)
    assert answer.status == 200
    assert "set-cookie" not in answer.headers
    assert 'action="/sign-out"' in answer.text


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
    use(tmp_path, monkeypatch)
    guest = visitor(Demo("marketing"))
    for path in ("/", "/sign-in", "/segments", "/media/abc.csv", "/_stcore/health"):
        answer = guest.get(path, **HTML)
        assert answer.status == 503, path
        assert BEHIND not in answer.text
    page = guest.get("/").text
    assert "账号" in page
    assert "Nobody has an account yet" in page
    assert "python -m data_access accounts setup-link" in page
    assert guest.post("/sign-in", {"role": "marketing"}, origin=ORIGIN).status == 503
    assert guest.connect("/_stcore/stream", origin=ORIGIN) is None
    assert guest.get("/readyz").json == {"ready": False, "state": "no_accounts", "warm": False}


def test_without_data_a_page_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(tmp_path, monkeypatch)
    answer = visitor().get("/", **HTML)
    assert answer.status == 503
    assert "python -m data_access import MAPPING FILE...\npython -m data_access refresh" in answer.text


def test_one_click_entry_is_refused_on_an_address_others_can_reach(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.config, "get_option", lambda name: {"server.address": "0.0.0.0"}[name])
    answer = visitor().get("/sign-in", **HTML)
    assert answer.status == 503
    assert "--server.address 127.0.0.1" in answer.text


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
    assert "<script" not in page.replace(OURS, "", 1)


def test_what_a_visitor_types_into_the_address_is_escaped(home: Path) -> None:
    page = visitor().get('/sign-in?next=/"><script>alert(1)</script>&lang=en', **HTML).text
    assert "<script" not in page.replace(OURS, "", 1)
