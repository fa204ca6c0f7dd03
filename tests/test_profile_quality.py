"""Profile quality: what is filled and who shares a contact, without anything of it leaving the CRM."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import Engine, Update, insert, update
from streamlit.testing.v1 import AppTest

from data_access import collect, profiles, schema
from data_access.crm import crm_engine
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.queries import profile_quality as queries
from data_access.queries.actions import Wanted
from data_access.queries.profile_quality import Question
from data_access.refresh import refresh
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot, current_snapshot
from data_access.vault.inplace import seal_all
from models.reports.profile_quality import profile_quality, question_of, to_fix, to_fix_count
from pages._ui import profile_views
from tests import tiny_crm
from tests.small_chain import served
from tests.test_pages import PEOPLE, SHELL, words
from tests.tiny_crm import facts_rows

DAY = date(2026, 7, 2)
CHAIN, S1, S2 = Scope("chain"), Scope("stores", ("S1",)), Scope("stores", ("S2",))
HAS = ("has_name", "has_phone", "has_email", "has_birthday", "birthday_implausible")

# Besides C1 (S1, everything filled), C2 (S2, a name and a birthday) and C10 (nowhere, an impossible birthday):
MORE = [
    # the number of C1, written in another way
    {"customer_id": "C20", "name": None, "phone": "+86 138-0000-0001", "home_store_id": "S1", "city": "上海"},
    # the address of C1 in capitals, the number of C22
    {"customer_id": "C21", "email": "LiLei@example.cn", "phone": "13900000002", "home_store_id": "S1"},
    {"customer_id": "C22", "phone": "13900000002", "home_store_id": "S2", "owner_staff_id": "E1"},
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    made = crm_engine(f"sqlite:///{home}/crm.sqlite")
    tiny_crm.fill(made, tiny_crm.rows())
    with made.begin() as connection:
        for row in MORE:
            connection.execute(insert(schema.customer).values(updated_at=datetime(2026, 7, 1), **row))
    yield made
    made.dispose()


@pytest.fixture
def snapshot(engine: Engine, home: Path) -> Snapshot:
    refresh(engine, home)
    return current_snapshot(home)


@pytest.fixture
def no(home: Path) -> Callable[[str], int]:
    """The number of a customer."""
    return lambda customer_id: customer_number(secret_key(home), customer_id)


def filled(home: Path) -> dict[int, tuple[bool, ...]]:
    return {row[0]: row[1:] for row in facts_rows(home, "customer", "customer_no", *HAS)}


def test_the_snapshot_knows_whether_a_field_is_filled(snapshot: Snapshot, home: Path, no: Callable[[str], int]) -> None:
    assert filled(home) == {
        no("C1"): (True, True, True, True, False),
        no("C2"): (True, False, False, True, False),
        no("C10"): (False, False, False, True, True),
        no("C20"): (False, True, False, False, False),
        no("C21"): (False, True, True, False, False),
        no("C22"): (False, True, False, False, False),
    }


def groups(home: Path) -> set[tuple[str, frozenset[int]]]:
    found: dict[tuple[str, int], set[int]] = {}
    for kind, group_no, number in facts_rows(home, "shared_contact"):
        found.setdefault((kind, group_no), set()).add(number)
    assert all(group_no == min(members) for (_, group_no), members in found.items())
    return {(kind, frozenset(members)) for (kind, _), members in found.items()}


def test_who_shares_a_contact_is_known_however_it_is_written(
    snapshot: Snapshot, home: Path, no: Callable[[str], int]
) -> None:
    assert groups(home) == {
        ("phone", frozenset({no("C1"), no("C20")})),
        ("phone", frozenset({no("C21"), no("C22")})),
        ("email", frozenset({no("C1"), no("C21")})),
    }


def test_a_sealed_crm_says_the_same(snapshot: Snapshot, engine: Engine, home: Path) -> None:
    open_ = filled(home), groups(home)
    seal_all(engine, home)
    refresh(engine, home, full=True)
    assert (filled(home), groups(home)) == open_


def test_changes_are_taken_over(snapshot: Snapshot, engine: Engine, home: Path, no: Callable[[str], int]) -> None:
    with engine.begin() as connection:
        one = update(schema.customer).where(schema.customer.c.customer_id == "C20")
        connection.execute(one.values(name="李雷", phone=None, updated_at=datetime(2026, 7, 3)))
    assert refresh(engine, home).mode == "changes"
    assert filled(home)[no("C20")] == (True, False, False, False, False)
    assert ("phone", frozenset({no("C21"), no("C22")})) in groups(home)
    assert no("C20") not in {number for _, _, number in facts_rows(home, "shared_contact")}


def test_numbers_are_compared_again_only_where_a_customer_changed(
    engine: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "WHOLE_BELOW", 0)
    monkeypatch.setattr(collect, "_DAYS_AGAIN", 1_000)  # the tiny chain's last day is long ago
    change(engine, update(schema.customer), datetime(2026, 7, 1))
    refresh(engine, home)
    before = groups(home)
    noted = Mock(wraps=profiles.note_shared)
    monkeypatch.setattr(profiles, "note_shared", noted)
    change(engine, update(schema.sale_order).values(device="web"), datetime(2026, 7, 3))
    assert refresh(engine, home).mode == "changes"
    assert (groups(home), noted.call_count) == (before, 0)
    gone = update(schema.customer).where(schema.customer.c.customer_id == "C22").values(phone=None)
    change(engine, gone, datetime(2026, 7, 3))
    assert refresh(engine, home).mode == "changes"
    assert (len(before - groups(home)), noted.call_count) == (1, 1)


def change(engine: Engine, what: Update, at: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(what.values(updated_at=at))


def test_the_shares_have_their_denominators(snapshot: Snapshot) -> None:
    report = profile_quality(snapshot, S1, DAY)
    known = report.fields.set_index("field")[["customers", "known", "unknown"]].T.to_dict("list")
    # C1, C20 and C21 are registered in S1; C1 has no city
    assert {name: known[name] for name in ("complete", "name", "phone", "email", "city", "owner")} == {
        "complete": [3, 0, 3],
        "name": [3, 1, 2],
        "phone": [3, 3, 0],
        "email": [3, 2, 1],
        "city": [3, 1, 2],
        "owner": [3, 0, 3],
    }
    assert report.fields.set_index("field").loc["email", "share"] == pytest.approx(2 / 3)
    whole = profile_quality(snapshot, CHAIN, DAY)
    assert whole.fields.set_index("field").loc["phone", ["customers", "known"]].tolist() == [6, 4]
    assert set(whole.by_store["customers"]) == {3, 2, 1}
    assert profile_quality(snapshot, S2, DAY).by_adviser["staff_id"].dropna().tolist() == ["E1"]


def test_a_store_sees_who_is_there_twice_among_its_own_only(snapshot: Snapshot, no: Callable[[str], int]) -> None:
    own = profile_quality(snapshot, S1, DAY).duplicates
    keys = [customer_key(number) for number in sorted((no("C1"), no("C20")))]
    assert own.loc[own["kind"] == "phone", "customer_key"].tolist() == keys
    assert own.loc[own["kind"] == "phone", "group_key"].tolist() == [keys[0]] * 2
    assert profile_quality(snapshot, S2, DAY).duplicates.empty  # C22 shares with somebody of S1
    assert len(profile_quality(snapshot, CHAIN, DAY).duplicates) == 2 + 2 + 2


def test_what_cannot_be_right_is_counted(snapshot: Snapshot, engine: Engine, home: Path) -> None:
    with engine.begin() as connection:
        for one, values in {
            "C1": {"joined_on": date(2026, 7, 4), "profile_updated_at": datetime(2025, 7, 1)},
            "C2": {"joined_on": date(2026, 7, 3), "profile_updated_at": datetime(2025, 7, 2)},
            "C20": {"profile_updated_at": datetime(2026, 7, 4)},
        }.items():
            row = schema.customer.c.customer_id == one
            connection.execute(update(schema.customer).where(row).values(updated_at=datetime(2026, 7, 3), **values))
    refresh(engine, home)
    report = profile_quality(current_snapshot(home), CHAIN, DAY)
    assert report.problems.set_index("problem")["customers"].to_dict() == {
        "shared": 4,
        "birthday_implausible": 1,
        "joined_late": 1,  # C2: the day after, within what zones differ by
        "updated_late": 1,
        "stale": 1,  # C2 was brought up to date a year before the day
        "never_updated": 3,
    }


def test_who_brought_profiles_up_to_date_is_told_apart(snapshot: Snapshot, engine: Engine, home: Path) -> None:
    fresh = datetime(2026, 6, 1)
    with engine.begin() as connection:
        for one, by in {"C1": "customer", "C2": "staff", "C20": None}.items():
            row = schema.customer.c.customer_id == one
            values = {"profile_updated_at": fresh, "profile_updated_by": by, "updated_at": datetime(2026, 7, 3)}
            connection.execute(update(schema.customer).where(row).values(values))
    refresh(engine, home)
    updates = profile_quality(current_snapshot(home), CHAIN, DAY).updates
    found = updates.set_index("updated")["customers"].to_dict()
    assert found == {"by_customer": 1, "by_others": 1, "by_nobody_knows": 1}
    assert updates["share"].tolist() == [1 / 6] * 3


def test_sales_without_a_customer_have_their_share(snapshot: Snapshot) -> None:
    year = Period(date(2026, 1, 1), date(2026, 12, 31))
    found = queries.unidentified(S2, snapshot.engine, year)
    # O3 is nobody's, O4 and O5 are C2's
    assert found[["orders", "unidentified"]].sum().tolist() == [3, 1]
    assert found["unidentified_sales"].sum() == 40


@pytest.mark.parametrize(
    ("problem", "people"),
    [("name", ["C20", "C21"]), ("city", ["C1", "C21"]), ("shared", ["C1", "C20", "C21"]), ("stale", [])],
)
def test_the_list_to_fix_holds_who_has_the_problem(
    snapshot: Snapshot, no: Callable[[str], int], problem: str, people: list[str]
) -> None:
    question = question_of(DAY)
    rows = to_fix(snapshot, S1, question, problem)
    assert set(rows["customer_key"]) == {customer_key(no(one)) for one in people}
    assert to_fix_count(snapshot, S1, question, problem) == len(people)
    if problem == "city":
        assert rows["customer_key"].iloc[0] == customer_key(no("C1"))  # the only one who ever bought
        without = Wanted(without=(customer_key(no("C1")),))
        assert to_fix_count(snapshot, S1, question, problem, without) == 1


def test_customers_of_whom_nothing_is_known_are_told_from_unfilled_profiles(snapshot: Snapshot) -> None:
    report = profile_quality(snapshot, CHAIN, DAY)
    assert profile_views._anything_filled(report)
    assert not profile_views._anything_filled(replace(report, fields=report.fields.assign(known=0)))


def test_no_problem_of_nobody(snapshot: Snapshot) -> None:
    nobody = profile_quality(snapshot, Scope("stores"), DAY)
    assert nobody.problems["of"].tolist() == [0] * 6
    assert nobody.to_fix() == ()
    assert queries.completeness(Scope("stores"), snapshot.engine, Question(DAY, DAY)).empty


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The small chain, which writes down nothing of its customers, with the name of one of them."""
    with served(tmp_path_factory.mktemp("chain")) as home:
        engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
        named = update(schema.customer).where(schema.customer.c.customer_id == "C1").values(name="李雷")
        with engine.begin() as connection:
            connection.execute(named)
        refresh(engine, home, full=True)
        engine.dispose()
        yield home


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("role", ["marketing", "administrator", "manager"])
def test_administrators_see_no_customer(chain: Path, monkeypatch: pytest.MonkeyPatch, role: str, language: str) -> None:
    monkeypatch.setattr("pages._ui.session.identity", lambda: PEOPLE[role])
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
    at = AppTest.from_file(SHELL, default_timeout=60)
    at.query_params["lang"] = language
    at.switch_page("data_health.py").run()
    assert not at.exception
    assert "⟦" not in words(at)
    lists = [set(frame.value.columns) for frame in at.dataframe]
    # The small chain registers its customers in no store: they are the chain's.
    assert any("customer_key" in columns for columns in lists) == (role == "marketing")
