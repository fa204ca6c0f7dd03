"""An audience that is linked to a campaign becomes its members at the next refresh, however that reads the CRM."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, delete, insert, update

from data_access import collect, schema
from data_access.crm import crm_engine
from data_access.marts.tables import facts
from data_access.pseudonym import customer_number, secret_key
from data_access.queries import campaign
from data_access.refresh import refresh
from data_access.scope import Scope
from data_access.snapshot import current_snapshot
from tests import tiny_crm
from tests.tiny_crm import facts_rows

START, SAVED, LATER = datetime(2026, 7, 3), datetime(2026, 7, 2, 9), datetime(2026, 7, 4)
PLANNED, OWN = "PLANNED", "OWN"
HOW = {"generation_info", "table_load"}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A CRM with a planned campaign without members, and one that has a member of its own."""
    monkeypatch.setattr(collect, "WHOLE_BELOW", 0)
    (tmp_path / "home").mkdir()
    made = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    content = tiny_crm.rows()
    content["campaign"] = [{"campaign_id": one, "name": one} for one in (PLANNED, OWN)]
    content["campaign_member"] = [{"campaign_id": OWN, "customer_id": "C1", "arm": "all"}]
    for rows in content.values():
        for row in rows:
            row["updated_at"] = START - timedelta(days=1)
    tiny_crm.fill(made, content)
    yield made
    made.dispose()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def rows_of(home: Path, campaign_id: str) -> pd.DataFrame:
    """What an audience of the customers C1 (contacted) and C2 (held back) gives to a campaign."""
    key = secret_key(home)
    return pd.DataFrame(
        {
            "campaign_id": campaign_id,
            "customer_no": [customer_number(key, one) for one in ("C1", "C2")],
            "arm": ["contacted", "held_back"],
            "is_control": [False, True],
            "planned_share": [0.5, 0.5],
            "assigned_at": [SAVED, SAVED],
        }
    )


def members(home: Path, campaign_id: str) -> dict[str, tuple[int, bool]]:
    """What the facts say of a campaign: for each arm its people and whether it is the control group."""
    rows = campaign.arms(Scope("chain"), current_snapshot(home).engine, campaign_id)
    return {row.arm: (row.people, row.is_control) for row in rows.itertuples()}


def expect_same_as_everything(engine: Engine, home: Path, linked: Callable[[], pd.DataFrame]) -> None:
    again = home.parent / "again"
    again.mkdir()
    shutil.copy(home / "pseudonym.key", again)
    refresh(engine, again, full=True, linked=linked)
    for name in sorted(set(facts.tables) - HOW):
        assert facts_rows(home, name) == facts_rows(again, name), name


def write(engine: Engine, statement: Any) -> None:
    with engine.begin() as connection:
        connection.execute(statement)


def test_a_linked_audience_becomes_the_members_and_arms_of_its_campaign(engine: Engine, home: Path) -> None:
    refresh(engine, home)
    assert members(home, PLANNED) == {}
    linked = partial(rows_of, home, PLANNED)
    assert refresh(engine, home, linked=linked).published
    assert members(home, PLANNED) == {"contacted": (1, False), "held_back": (1, True)}
    expect_same_as_everything(engine, home, linked)
    again = refresh(engine, home, linked=linked)
    assert (again.mode, again.published) == ("changes", False)  # the same audience is no change


@pytest.mark.parametrize(
    "change",
    [
        update(schema.customer).where(schema.customer.c.customer_id == "C1").values(city="Wuhan", updated_at=LATER),
        insert(schema.campaign_member).values(campaign_id=OWN, customer_id="C2", arm="all", updated_at=LATER),
        delete(schema.campaign_member).where(schema.campaign_member.c.campaign_id == OWN),
        delete(schema.customer).where(schema.customer.c.customer_id == "C2"),
    ],
    ids=["a customer moves", "a member of another campaign comes", "one goes", "a customer of it goes"],
)
def test_changes_of_the_crm_give_what_reading_everything_gives(change: Any, engine: Engine, home: Path) -> None:
    linked = partial(rows_of, home, PLANNED)
    refresh(engine, home, linked=linked)
    write(engine, change)
    assert refresh(engine, home, linked=linked).published
    expect_same_as_everything(engine, home, linked)


def test_members_of_the_crm_come_first(engine: Engine, home: Path) -> None:
    refresh(engine, home, linked=partial(rows_of, home, OWN))
    assert members(home, OWN) == {"all": (1, False)}
    linked = partial(rows_of, home, PLANNED)
    refresh(engine, home, linked=linked)
    own = insert(schema.campaign_member).values(campaign_id=PLANNED, customer_id="C10", arm="all", updated_at=LATER)
    write(engine, own)
    assert refresh(engine, home, linked=linked).mode == "full"
    assert members(home, PLANNED) == {"all": (1, False)}
    expect_same_as_everything(engine, home, linked)


def test_an_audience_of_a_campaign_that_is_gone_is_nobodys(engine: Engine, home: Path) -> None:
    linked = partial(rows_of, home, PLANNED)
    refresh(engine, home, linked=linked)
    write(engine, delete(schema.campaign).where(schema.campaign.c.campaign_id == PLANNED))
    refresh(engine, home, linked=linked)
    assert members(home, PLANNED) == {}
    expect_same_as_everything(engine, home, linked)
