"""From the signed-in person to the rows they may see."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.state import sessions
from data_access.state.store import opened
from pages._gate.identity import ROLES, Person, Role
from pages._ui import access, i18n, session
from pages._ui.session import scope_of
from tests.small_chain import EAST, SOUTH, served


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as folder:
        yield folder


@pytest.mark.parametrize(
    ("person", "scope"),
    [
        (Person("manager", ("S1",)), Scope("stores", ("S1",))),
        (Person("manager", ("S1", "S3")), Scope("stores", ("S1", "S3"))),
        (Person("regional", ("east",)), Scope("stores", EAST)),
        (Person("regional", ("east", "south")), Scope("stores", EAST + SOUTH)),
        # a closed store belongs to its region's history
        (Person("regional", ("south",)), Scope("stores", SOUTH)),
        (Person("regional", ("north",)), Scope("stores", ())),
        (Person("marketing"), Scope("chain")),
        (Person("administrator"), Scope("stores", ())),
        (Person("staff", ("E1",)), Scope("stores", ())),
    ],
    ids=str,
)
def test_a_person_sees_the_rows_of_the_role(home: Path, person: Person, scope: Scope) -> None:
    assert scope_of(person) == scope


@pytest.mark.parametrize(
    ("role", "homes"),
    [
        ("owner", ()),
        ("manager", ()),
        ("regional", ()),
        ("staff", ()),
        ("marketing", ("S1",)),
        ("administrator", ("S1",)),
    ],
)
def test_nobody_is_half_a_role(role: Role, homes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"role|home"):
        Person(role, homes)


@pytest.mark.parametrize(
    ("person", "chinese", "english"),
    [
        (Person("manager", ("S2",)), "杭州万象城店", "Hangzhou Mixc"),
        (Person("manager", ("S1", "S2")), "上海南京路旗舰店、杭州万象城店", "Shanghai Nanjing Road and Hangzhou Mixc"),
        (Person("manager", ("S1", "S2", "S3")), "3 家门店", "3 stores"),
        (Person("regional", ("south",)), "华南区", "South"),
        (Person("marketing"), "全连锁", "Whole chain"),
        (Person("staff", ("E1",)), "E1", "E1"),
        (Person("manager", ("S9",)), "S9", "S9"),
    ],
    ids=str,
)
def test_a_person_in_words(
    home: Path, monkeypatch: pytest.MonkeyPatch, person: Person, chinese: str, english: str
) -> None:
    for language, words in (("zh_CN", chinese), ("en", english)):
        monkeypatch.setattr(i18n, "language", lambda language=language: language)
        assert session.in_words(person) == words


def test_identity_comes_from_the_session_of_the_cookie_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = sessions.begin(opened(), sessions.Visitor("manager", "S2"), utc_now())
    context = SimpleNamespace(cookies={"mirror": token})
    monkeypatch.setattr(session.st, "context", context)
    assert session.identity() == Person("manager", ("S2",), "demo:manager:S2")
    assert session.current_scope() == Scope("stores", ("S2",))
    context.cookies = {"mirror": "forged"}
    assert session.identity() is None


def test_the_own_scope_is_the_store_where_one_works(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.load, "works_in", lambda scope, staff_id, generation: {"E1": "S2"}.get(staff_id))
    for person, scope in (
        (Person("staff", ("E1",)), (Scope("stores", ("S2",)), "E1")),
        (Person("staff", ("E2",)), (Scope("stores", ()), "E2")),
        (Person("manager", ("S1",)), (Scope("stores", ()), "")),
    ):
        monkeypatch.setattr(session, "identity", lambda person=person: person)
        assert session.own_scope() == scope
    # other pages give somebody of the staff no rows at all
    assert scope_of(Person("staff", ("E1",))) == Scope("stores", ())


def test_an_administrator_opens_the_system_and_no_trade() -> None:
    opened = {page.key for page in access.PAGES if access.may_open("administrator", page.key)}
    assert opened == {"data_health", "scorecard", "start", "digests", "privacy", "accounts", "audit", "glossary"}
    assert access.first_page("administrator") == "data_health"


def test_marketing_opens_no_single_order_and_sees_stores_as_totals() -> None:
    assert access.detail("marketing", "order") is None
    assert access.detail("marketing", "store") == "aggregates"
    assert access.detail("marketing", "segments") == "masked"


# Who may open what, as it was decided: a store manager, a regional head, marketing, an administrator, somebody of the
# staff. A page that is not here fails until somebody decides.
FULL, MASKED, SUMS, NO = "full", "masked", "aggregates", None
TRADE, CUSTOMERS, STORES_ONLY = (FULL, FULL, SUMS, NO, NO), (MASKED, MASKED, MASKED, NO, NO), (FULL, FULL, NO, NO, NO)
MARKETING, SYSTEM, OFFICES = (NO, NO, MASKED, NO, NO), (NO, NO, NO, FULL, NO), (FULL, FULL, FULL, FULL, NO)
DECIDED = {
    **dict.fromkeys(
        (
            "overview",
            "alerts",
            "campaigns",
            "campaign",
            "stores",
            "store",
            "why",
            "demand",
            "category",
            "product",
            "product_demand",
        ),
        TRADE,
    ),
    **dict.fromkeys(("tasks", "segments", "customer", "run_out", "retention", "lapse", "spending", "value"), CUSTOMERS),
    **dict.fromkeys(("funnel", "lot", "attribution"), CUSTOMERS),
    **dict.fromkeys(("staff", "staff_member", "readiness", "targets", "training", "stock", "suppliers"), STORES_ONLY),
    **dict.fromkeys(("audiences", "audience", "allocation"), MARKETING),
    **dict.fromkeys(("privacy", "accounts", "audit", "start"), SYSTEM),
    "digests": OFFICES,
    "glossary": (FULL, FULL, FULL, FULL, FULL),
    "mine": (NO, NO, NO, NO, FULL),
    "order": (MASKED, MASKED, NO, NO, NO),
    "scorecard": (SUMS, SUMS, SUMS, SUMS, NO),
    "data_health": (SUMS, SUMS, SUMS, FULL, NO),
}


@pytest.mark.parametrize("page", sorted(access.BY_KEY))
def test_every_cell_of_roles_and_pages_is_as_written(page: str) -> None:
    assert tuple(access.detail(role, page) for role in ROLES) == DECIDED[page]


@pytest.mark.parametrize("role", ROLES)
def test_an_unknown_page_is_open_to_nobody(role: Role) -> None:
    assert access.detail(role, "secret") is None
    assert not access.may_open(role, "_shell")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_lands_on_a_page_it_may_open(role: Role) -> None:
    assert access.may_open(role, access.first_page(role))


def test_the_table_and_the_files_name_the_same_pages() -> None:
    files = {file.stem for file in Path(access.__file__).parent.parent.glob("[a-z]*.py")}
    assert files == set(access.BY_KEY)
