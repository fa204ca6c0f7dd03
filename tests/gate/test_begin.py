"""An installation without data: who may bring in the first, and from where."""

import errno
from pathlib import Path

import pytest

from data_access import beginning
from data_access.beginning import What
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts
from data_access.state.accounts import Account, Rights
from data_access.state.store import opened
from pages._gate import state
from pages._ui.i18n import text
from tests.gate.kit import BEHIND, HTML, ORIGIN, STREAM, Demo, use, visitor

Begun = list[tuple[What, str]]


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begun:
    """An empty home; gives what was ordered, which nobody carries out."""
    use(tmp_path, monkeypatch)
    orders: Begun = []
    monkeypatch.setattr(beginning, "begin", lambda home, what, size: orders.append((what, size)))
    return orders


def somebody(role: accounts.Role, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(Account, "needs_totp", False)
    rights, password = Rights(role), "purple-kettle-river-9"
    return accounts.create(opened(), "terminal:test", role, role, rights, password, utc_now(), initial=False)


def test_the_demo_chain_is_one_click_away_at_this_machine(begun: Begun) -> None:
    assert 'action="/begin"' in visitor().get("/", **HTML).text
    assert visitor().post("/begin", {"size": "tiny"}, origin=ORIGIN).headers["location"] == "/"
    visitor().post("/begin", {"size": "endless"}, origin=ORIGIN)
    visitor().get("/begin")
    assert begun == [("demo", "tiny")]


def test_from_elsewhere_nothing_begins(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    assert visitor().post("/begin", {"size": "tiny"}, origin="http://evil.example").status == 403
    monkeypatch.setattr(state.config, "get_option", lambda name: "0.0.0.0")
    assert 'action="/begin"' not in visitor().get("/", **HTML).text
    visitor().post("/begin", {"size": "tiny"}, origin=ORIGIN)
    assert begun == []


@pytest.mark.parametrize(("what", "told"), [("demo", True), ("crm", False)])
def test_why_an_order_failed_is_not_told_to_whoever_passes_by(begun: Begun, what: What, told: bool) -> None:
    reason = "the CRM database mirror@10.1.2.3 failed"
    failed = beginning.Progress(what, "publish", utc_now(), 1, problem=reason)
    (settings().home / beginning.FOLDER).mkdir(parents=True)
    beginning._note(settings().home, failed)
    shown = visitor().get("/", **HTML).text
    assert (reason in shown) is told
    assert (text("en", "begin.failed_own") in shown or text("zh_CN", "begin.failed_own") in shown) is not told


def test_figures_whose_file_is_damaged_are_no_empty_installation(begun: Begun) -> None:
    folder = settings().home / "snapshots"
    folder.mkdir(parents=True)
    (folder / "CURRENT").write_text('{"facts": "facts_1.duckdb", "results": null}', encoding="utf-8")
    (folder / "facts_1.duckdb").write_bytes(b"not a database")
    shown = visitor().get("/", **HTML).text
    assert text("zh_CN", "begin.damaged") in shown or text("en", "begin.damaged") in shown
    assert "data_access demo" not in shown
    assert 'action="/begin"' not in shown


def test_a_full_disk_is_said_and_leaves_nothing(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Problem, match="No space left") as problem:
        beginning.take_in(settings().home, {"till.csv": b"1"})
    assert problem.value.key == "no_room"
    assert not list(settings().home.rglob("till.csv"))


def test_what_is_typed_for_own_data_makes_no_demo_chain(begun: Begun) -> None:
    shown = visitor().get("/", **HTML).text
    assert "data_access import MAPPING FILE..." in shown
    assert "data_access demo" not in shown


def test_once_there_are_accounts_an_administrator_decides(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    chief = visitor(somebody("administrator", monkeypatch))
    colleague = visitor(somebody("marketing", monkeypatch))
    assert chief.get("/", **HTML).status == 200
    assert chief.get("/_stcore/health").text == BEHIND
    assert chief.connect(STREAM, origin=ORIGIN) is not None
    for guest in (colleague, visitor(Demo("administrator")), visitor()):
        assert guest.get("/", **HTML).status == 503
        assert BEHIND not in guest.get("/_stcore/health").text
        assert guest.connect(STREAM, origin=ORIGIN) is None
        guest.post("/begin", {"size": "tiny"}, origin=ORIGIN)
    assert begun == []
