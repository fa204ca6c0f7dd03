"""Nobody is sent a mark that is not theirs: on no page, in no file, whatever they forge."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from data_access.state.schema import state
from pages._ui import access
from tests.canary import __main__ as crawler
from tests.canary.chain import Chain, kept

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Crawled:
    chain: Chain
    visits: list[dict[str, Any]]
    printed: str

    def of(self, plant: str = "", *, account: bool = False, **of: str) -> list[dict[str, Any]]:
        wanted = {"plant": plant, "account": account, **of}
        return [visit for visit in self.visits if wanted.items() <= visit.items()]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """One process that serves the app to itself, visits all of it and then once more with each plant."""
    return crawl(tmp_path_factory.mktemp("canary") / "home", "--plants", *crawler.PLANTS)


def crawl(home: Path, *options: str) -> Crawled:
    command = [sys.executable, "-m", "tests.canary", "--home", str(home), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1100, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in (home / crawler.FOUND).read_text(encoding="utf-8").splitlines()]
    return Crawled(kept(home), [line for line in lines if "role" in line], done.stdout + done.stderr)


def test_nobody_is_sent_a_foreign_mark(crawled: Crawled) -> None:
    found = [visit for visit in crawled.visits if visit["foreign"] and not visit["plant"]]
    assert found == []
    assert len(crawled.of(account=True)) > 80


def test_a_contact_is_sent_to_who_may_reveal_it_and_to_nobody_else(crawled: Crawled) -> None:
    sent_in_full_is_what_the_log_has(crawled)
    tried = [visit for visit in crawled.visits if "reveal" in visit["what"]]
    assert len(tried) == (len(crawler.ROLES) + 1) * (REVEALED + 7)  # as each account and once with one click


REVEALED = 1 + len(crawler.FORGED_FIELDS)  # a field that is not offered is the one chosen at first


def sent_in_full_is_what_the_log_has(crawled: Crawled) -> None:
    told = [visit for visit in crawled.visits if visit["revealed"]]
    assert {(visit["role"], visit["account"], *visit["revealed"]) for visit in told} == {("manager", True, "phone")}
    assert len(told) == REVEALED
    assert {visit["what"] for visit in told} == {"a reveal", "a forged reveal of a field"}
    with sqlite3.connect(crawled.chain.home / "state.sqlite") as log:
        entries = log.execute("SELECT subject, count(*) FROM audit WHERE action = 'contact_revealed' GROUP BY 1")
        assert entries.fetchall() == [(crawled.chain.ids["S1"].customer, REVEALED)]


@pytest.mark.slow
def test_nor_is_somebody_with_an_account_on_any_page(tmp_path: Path) -> None:
    done = crawl(tmp_path / "home", "--thorough", "--plants", "one_query_without_limit")
    assert [visit for visit in done.of() if visit["foreign"]] == []
    assert [visit for visit in done.of("one_query_without_limit") if visit["foreign"]] != []
    seen = {(visit["role"], visit["page"]) for visit in done.of(account=True, what="as it comes")}
    assert seen == {(role, page.key) for role in crawler.ROLES for page in access.PAGES}
    sent_in_full_is_what_the_log_has(done)


def test_the_crawl_has_been_everywhere(crawled: Crawled) -> None:
    seen = {(visit["role"], visit["page"]) for visit in crawled.of(what="as it comes")}
    assert seen == {(role, page.key) for role in crawler.ROLES for page in access.PAGES}
    ways = Counter(visit["what"].split()[0] for visit in crawled.of())
    assert ways["a"] > 100  # files and forged addresses
    assert ways["forged"] > 100
    assert min(ways["dataframe"], ways["plotly_chart"], ways["tab"], ways["selectbox"]) > 0


@pytest.mark.parametrize("role", crawler.ROLES)
def test_it_would_see_a_mark_if_there_was_one(role: str, crawled: Crawled) -> None:
    """What somebody may see is there, in pages and in files, so marks are found where they are."""
    own = {kind for visit in crawled.of(role=role) for kind in visit["own"]}
    in_files = {kind for visit in crawled.of(role=role, what="a file") for kind in visit["own"]}
    if role == "administrator":
        assert "storeid" in own
    elif role == "staff":
        assert own == {"staffid", "storeid", "store"}
    else:
        assert own >= {"storeid", "store", "customer", "product"}
        assert in_files >= {"store", "customer", "product"}
    assert ("order" in own) == (role in ("manager", "regional"))


def test_pages_come_without_a_failure_when_nothing_is_forged(crawled: Crawled) -> None:
    usual = ("as it comes", "a forged address", "a file", "media", "tab", "expandable", "popover", "selectbox")
    failed = [visit for visit in crawled.of() if visit["failed"] and visit["what"].startswith(usual)]
    assert failed == []


@pytest.mark.parametrize("plant", ["no_limit", "one_query_without_limit"])
def test_a_planted_leak_is_found(plant: str, crawled: Crawled) -> None:
    kinds = {mark.text: mark.kind for mark in crawled.chain.marks}
    found = {kinds[text] for visit in crawled.of(plant) for text in visit["foreign"]}
    assert found >= {"storeid", "regionid"}
    assert ("order" in found) == (plant == "no_limit")


def test_the_planted_query_is_refused_where_queries_are_run(crawled: Crawled) -> None:
    visits = crawled.of("one_query_without_limit_that_is_checked")
    assert [visit for visit in visits if visit["foreign"]] == []
    assert sum(visit["failed"] for visit in visits) > 0


def test_a_failure_is_sent_without_what_it_failed_with(crawled: Crawled) -> None:
    failed = crawled.of("a_failure_that_names_somebody", page="store")
    assert sum(visit["failed"] for visit in failed) > 0
    assert [visit for visit in crawled.visits if visit["named"]] == []


def test_nothing_that_identifies_a_person_is_in_any_log(crawled: Crawled) -> None:
    written = (crawled.chain.home / crawler.LOG).read_text(encoding="utf-8") + crawled.printed
    assert "incident" in written
    assert [mark for mark in personal(crawled) if mark in written] == []
    # the page that failed over it has logged its incident without the number
    assert "cannot read the number [hidden]" in written
    assert crawler.PLANTED_NUMBER not in written


def test_nor_in_the_store_of_the_app(crawled: Crawled) -> None:
    written = b"".join(path.read_bytes() for path in crawled.chain.home.glob("state.sqlite*"))
    assert len(state.tables) > 3
    assert b"customer_seen" in written
    assert [mark for mark in personal(crawled) if mark.encode() in written] == []


def personal(crawled: Crawled) -> list[str]:
    found = [mark.text for mark in crawled.chain.marks if mark.kind.startswith("pii")]
    assert len(found) > 40
    return found
