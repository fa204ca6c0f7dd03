"""Ages from sealed birthdays: the same as from open ones, read in full or as changes, and never wrong in silence."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, delete, insert, select, update

from data_access import collect, schema, vault
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.marts.tables import facts
from data_access.refresh import refresh
from data_access.snapshot import current_snapshot
from data_access.stage_file import stage_path
from data_access.vault import birthdays, keys
from data_access.vault.inplace import seal_all
from data_access.vault.people import FIELDS
from data_access.vault.rows import append, open_for_writing
from data_access.vault.tables import customer_vault
from tests import tiny_crm
from tests.tiny_crm import facts_rows

HOW = {"generation_info", "table_load"}
START = datetime(2026, 7, 3)
AGES = ("age_band", "is_adult", "birth_month_day")


@pytest.fixture(autouse=True)
def by_watermark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "WHOLE_BELOW", 0)


@pytest.fixture
def open_crm(home: Path) -> Iterator[Engine]:
    """The tiny CRM with more customers around their birthdays, lying open."""
    home.mkdir()
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    content = tiny_crm.rows()
    births = [date(2000, 7, 1), date(2008, 7, 4), date(1960, 2, 29), date(2026, 7, 4), date(1900, 1, 1)]
    empty = {"name": None, "phone": None, "email": None, "gender": None, "home_store_id": "S1", "joined_on": None}
    content["customer"] += [{"customer_id": f"D{i}", "birthday": day, **empty} for i, day in enumerate(births)]
    for rows in content.values():
        for row in rows:
            row["updated_at"] = START - timedelta(days=1)
    tiny_crm.fill(engine, content)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(open_crm: Engine, home: Path) -> Engine:
    seal_all(open_crm, home)
    return open_crm


def expect_same_as_everything(engine: Engine, home: Path, work: Path) -> None:
    scratch = Path(tempfile.mkdtemp(dir=work))
    for name in ("pseudonym.key", keys.FILE):
        shutil.copy(home / name, scratch)
    refresh(engine, scratch, full=True)
    for name in sorted(set(facts.tables) - HOW):
        assert facts_rows(home, name) == facts_rows(scratch, name), name


def ages(home: Path) -> list[tuple[object, ...]]:
    return facts_rows(home, "customer", *AGES)


def test_sealed_and_open_birthdays_give_the_same_facts(open_crm: Engine, home: Path, tmp_path: Path) -> None:
    refresh(open_crm, home)
    before = {name: facts_rows(home, name) for name in sorted(set(facts.tables) - HOW)}
    # as of 2026-07-02 C2 and D1 turn 18 within two days, and C10, D3 and D4 have no birthday that can be
    assert sorted(str(band) for band, *_ in ages(home)) == sorted(
        ["35-44", "under 18", "None", "25-34", "under 18", "65+", "None", "None"]
    )
    seal_all(open_crm, home)
    refresh(open_crm, home, full=True)
    assert {name: facts_rows(home, name) for name in before} == before
    expect_same_as_everything(open_crm, home, tmp_path)


def test_sealing_alone_changes_nothing(open_crm: Engine, home: Path, tmp_path: Path) -> None:
    refresh(open_crm, home)
    seal_all(open_crm, home)
    assert not refresh(open_crm, home).published
    expect_same_as_everything(open_crm, home, tmp_path)


def _sale(order_id: str, at: datetime) -> list[object]:
    order = {"order_id": order_id, "store_id": "S1", "ordered_at": at, "kind": "sale", "channel": "store"}
    line = {"order_id": order_id, "line_no": 1, "product_id": "P1", "quantity": 1, "net": 5, "updated_at": at}
    return [
        insert(schema.sale_order).values(**order, currency="CNY", updated_at=at),
        insert(schema.sale_line).values(**line),
    ]


def write(engine: Engine, *statements: object) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def rewrite(engine: Engine, home: Path, customer_id: str, birthday: date | None, at: datetime) -> None:
    """What an import does with a customer."""
    row = {"customer_id": customer_id, "birthday": birthday, "home_store_id": "S1", "updated_at": at}
    with engine.begin() as connection:
        connection.execute(delete(schema.customer).where(schema.customer.c.customer_id == customer_id))
        frame = pd.DataFrame([{**row, "name": "张三三"}])
        append(connection, open_for_writing(connection, home), schema.customer, frame)


def test_who_had_a_birthday_meanwhile_is_older_now(engine: Engine, home: Path, tmp_path: Path) -> None:
    refresh(engine, home)
    for turn, day in enumerate([datetime(2026, 7, 3, 4), datetime(2026, 7, 4, 12)]):
        young = [band for band, *_ in ages(home)].count("under 18")
        write(engine, *_sale(f"N{turn}", day))
        report = refresh(engine, home)
        assert report.mode == "changes"
        # C2 (3 July 2008), then D1 (4 July 2008) come of age, and D3, of the future until then, is a day old
        assert [band for band, *_ in ages(home)].count("under 18") == (young - 1, young - 1 + 1)[turn]
        expect_same_as_everything(engine, home, tmp_path)


def test_new_changed_removed_and_forgotten_customers(engine: Engine, home: Path, tmp_path: Path) -> None:
    refresh(engine, home)
    own = schema.customer.c.customer_id
    open_again = update(schema.customer).where(own == "D2").values(birthday=date(1999, 9, 9), updated_at=START)

    def first() -> None:
        rewrite(engine, home, "B7", date(2001, 2, 3), START)
        rewrite(engine, home, "C1", date(1950, 1, 1), START)
        write(engine, delete(schema.customer).where(own == "D0"), open_again)

    def then() -> None:
        rewrite(engine, home, "B7", None, START + timedelta(hours=1))
        vault.erase(engine, "C2", now=START + timedelta(hours=1))

    for change in (first, then):
        before = ages(home)
        change()
        assert refresh(engine, home).mode == "changes"
        assert ages(home) != before
        expect_same_as_everything(engine, home, tmp_path)


def test_many_customers_are_read_page_by_page(
    engine: Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(engine, home)
    before = ages(home)
    monkeypatch.setattr(birthdays, "_PAGES_ABOVE", 0)
    monkeypatch.setattr(birthdays, "_PAGE", 2)
    refresh(engine, home, full=True)
    assert ages(home) == before


def test_without_the_key_nothing_is_published(engine: Engine, home: Path) -> None:
    refresh(engine, home)
    (home / keys.FILE).unlink()
    for full in (True, False):
        with pytest.raises(Problem, match="the key of this CRM is missing"):
            refresh(engine, home, full=full)
    assert current_snapshot(home).info.generation == 1


def test_one_birthday_that_does_not_open_stops_the_refresh(engine: Engine, home: Path) -> None:
    refresh(engine, home)
    stolen = select(customer_vault.c.birthday).where(customer_vault.c.customer_id == "C1").scalar_subquery()
    write(engine, update(customer_vault).where(customer_vault.c.customer_id == "D1").values(birthday=stolen))
    with pytest.raises(Problem, match=r"a sealed value of customer \(birthday\) does not open"):
        refresh(engine, home, full=True)
    assert current_snapshot(home).info.generation == 1


def test_neither_the_snapshot_nor_the_staged_copy_knows_a_day_of_birth(engine: Engine, home: Path) -> None:
    refresh(engine, home)
    files = [stage_path(home), *(home / "snapshots").iterdir()]
    content = b"".join(file.read_bytes() for file in files)
    assert not [word for word in (*tiny_crm.PERSONAL, "2008-07-04") if word.encode() in content]


@pytest.mark.database
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_servers_give_their_birthdays_alike(
    request: pytest.FixtureRequest, engine: Engine, home: Path, tmp_path: Path, server: str
) -> None:
    refresh(engine, home)
    served = crm_engine(request.getfixturevalue(f"{server}_url"))
    with engine.connect() as connection:
        content = {
            name: [dict(row) for row in connection.execute(select(schema.crm.tables[name])).mappings()]
            for name in tiny_crm.rows()
        }
        people = [vault.contact(connection, row["customer_id"], FIELDS) for row in content["customer"]]
    for row, person in zip(content["customer"], people, strict=True):
        row |= {**person, "birthday": date.fromisoformat(person["birthday"]) if person["birthday"] else None}
    tiny_crm.fill(served, content)
    there = tmp_path / "served"
    there.mkdir()
    shutil.copy(home / "pseudonym.key", there)
    seal_all(served, there)
    refresh(served, there)
    assert ages(there) == ages(home)
    served.dispose()
