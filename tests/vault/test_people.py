"""One customer: what is known, who has a number, and forgetting; in our own CRM, sealed or not, and in others."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from data_access import vault
from data_access.crm import crm_engine, prepare
from data_access.errors import Problem
from data_access.schema import crm, customer, customer_identity
from data_access.vault.people import FIELDS
from data_access.vault.tables import customer_index, customer_vault, identity_vault
from tests.vault.conftest import PLANTED, PLANTED_ELSEWHERE, hits, write_plain, write_sealed

LILEI = {"name": "李雷雷", "phone": "138 0000 0001", "email": "LiLei@example.cn", "birthday": "1990-05-06"}


@pytest.fixture
def foreign(home: Path, tmp_path: Path) -> Engine:
    """Somebody else's CRM of the same content: no version table of ours, and no home with keys."""
    engine = crm_engine(f"sqlite:///{tmp_path}/foreign.sqlite")
    crm.create_all(engine)
    write_plain(engine)
    return engine


@pytest.fixture(params=["sealed", "plain", "foreign"])
def database(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def test_what_is_known_of_a_customer(database: Engine) -> None:
    with database.connect() as connection:
        assert vault.contact(connection, "C1", FIELDS) == LILEI
        assert vault.contact(connection, "C1", ["phone"]) == {"phone": LILEI["phone"]}
        assert vault.contact(connection, "C2", ["email", "birthday"]) == {"email": None, "birthday": "2008-02-29"}
        assert vault.contact(connection, "C3", FIELDS) == dict.fromkeys(FIELDS)
        assert vault.contact(connection, "nobody", FIELDS) == dict.fromkeys(FIELDS)
        assert vault.identities(connection, "C1") == (("wechat", "wx_lilei_0001"),)
        assert vault.identities(connection, "C2") == ()


def test_a_customer_is_found_by_number_and_address(database: Engine) -> None:
    with database.connect() as connection:
        for number in ("138 0000 0001", "13800000001", "+8613800000001", "0086 138-0000-0001"):
            assert vault.find(connection, "phone", number) == ("C1",), number
        assert vault.find(connection, "phone", "+442079460958") == ("C2",)
        assert vault.find(connection, "email", "lilei@EXAMPLE.cn") == ("C1",)
        assert vault.find(connection, "email", "13800000001") == ()
        assert vault.find(connection, "phone", "13800000002") == ()


def test_status_counts_customers_identities_and_staff(sealed: Engine) -> None:
    # C1 and C2 (of C3 nothing is known), two identities, one adviser
    assert vault.status(sealed) == vault.Status(is_ours=True, sealed=2 + 2 + 1, plain=0, keys={"k1": 5})


def test_status_of_what_lies_open(plain: Engine, foreign: Engine) -> None:
    assert vault.status(plain) == vault.Status(is_ours=True, sealed=0, plain=5, keys={})
    assert vault.status(foreign) == vault.Status(is_ours=False, sealed=0, plain=5, keys={})


def test_nothing_that_identifies_stands_in_the_files(sealed: Engine) -> None:
    assert hits(sealed) == []
    with sealed.connect() as connection:
        row = connection.execute(select(customer).where(customer.c.customer_id == "C1")).one()
        assert [row.name, row.phone, row.email, row.birthday] == [None] * 4
        assert row.gender == "male"


def test_the_same_content_written_open_is_found_in_the_files(plain: Engine) -> None:
    open_as_written = {"李雷雷", "138 0000 0001", "LiLei@", "1990-05-06", *PLANTED_ELSEWHERE}
    assert open_as_written <= set(hits(plain))
    assert set(hits(plain)) <= {*PLANTED, *PLANTED_ELSEWHERE}


def test_a_forgotten_customer_is_gone_and_the_others_are_not(sealed: Engine) -> None:
    later = datetime(2026, 7, 2)
    vault.erase(sealed, "C1", now=later)
    with sealed.connect() as connection:
        assert vault.contact(connection, "C1", FIELDS) == dict.fromkeys(FIELDS)
        assert vault.find(connection, "phone", "13800000001") == ()
        assert vault.identities(connection, "C1") == ()
        assert vault.contact(connection, "C2", ["name"]) == {"name": "Ann O'Neill"}
        assert connection.scalar(select(customer.c.updated_at).where(customer.c.customer_id == "C1")) == later
        left = [connection.scalar(select(func.count()).select_from(t)) for t in (customer_index, identity_vault)]
        assert left == [1, 1]  # the number of C2, and the identity of nobody
    vault.erase(sealed, "C1", now=later)


def test_the_destroyed_key_is_in_no_file(sealed: Engine) -> None:
    with sealed.connect() as connection:
        own = select(customer_vault.c.wrapped_key).where(customer_vault.c.customer_id == "C1")
        key = str(connection.scalar(own))
    assert hits(sealed, (key,)) == [key]
    vault.erase(sealed, "C1")
    assert hits(sealed, (key,)) == []


def test_a_customer_who_lies_open_is_forgotten_too(plain: Engine) -> None:
    vault.erase(plain, "C1")
    assert hits(plain, ("李雷雷", "138 0000 0001", "LiLei@", "1990-05-06", "wx_lilei_0001")) == []
    with plain.connect() as connection:
        assert vault.contact(connection, "C2", ["name"]) == {"name": "Ann O'Neill"}


def test_a_foreign_crm_is_never_written_to(foreign: Engine) -> None:
    before = Path(str(foreign.url.database)).read_bytes()
    with pytest.raises(Problem, match="belongs to another program and is only read"):
        vault.erase(foreign, "C1")
    vault.status(foreign)
    assert Path(str(foreign.url.database)).read_bytes() == before


def test_nobody_is_forgotten_who_is_not_there(sealed: Engine) -> None:
    with pytest.raises(Problem, match="no customer of this id"):
        vault.erase(sealed, "C99")


def test_a_foreign_crm_may_lack_columns_and_tables(home: Path, tmp_path: Path) -> None:
    engine = crm_engine(f"sqlite:///{tmp_path}/foreign.sqlite")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE customer (customer_id TEXT, phone TEXT)")
        connection.exec_driver_sql("INSERT INTO customer VALUES ('C1', '13800000001')")
    with engine.connect() as connection:
        assert vault.contact(connection, "C1", ["name", "phone"]) == {"name": None, "phone": "13800000001"}
        assert vault.contact(connection, "C1", ["name"]) == {"name": None}
        assert vault.find(connection, "email", "a@b") == ()
        assert vault.identities(connection, "C1") == ()
    assert vault.status(engine).plain == 1


def test_somebody_elses_alembic_makes_a_crm_not_ours(foreign: Engine) -> None:
    with foreign.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        assert not vault.is_ours(connection)
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('1975ea83b712')")
        assert not vault.is_ours(connection)


@pytest.mark.database
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_servers_seal_find_open_and_forget_alike(request: pytest.FixtureRequest, home: Path, server: str) -> None:
    engine = crm_engine(request.getfixturevalue(f"{server}_url"))
    prepare(engine)
    write_sealed(engine, home)
    with engine.connect() as connection:
        assert vault.contact(connection, "C1", FIELDS) == LILEI
        assert vault.find(connection, "phone", "13800000001") == ("C1",)
        assert vault.identities(connection, "C1") == (("wechat", "wx_lilei_0001"),)
    vault.erase(engine, "C1")
    with engine.connect() as connection:
        assert vault.contact(connection, "C1", FIELDS) == dict.fromkeys(FIELDS)
        assert connection.scalar(select(func.count()).select_from(customer_identity)) == 1
    engine.dispose()
