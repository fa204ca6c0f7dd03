"""Lists for a purpose: only who may be contacted leaves, by what the CRM says when the file is fetched."""

import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, insert, update

from data_access import consents, live, schema
from data_access.consents import permitted
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.scope import Scope
from data_access.settings import settings
from data_access.state.store import prepare, state_engine
from pages._gate.exports import Stamp
from pages._gate.identity import Person
from pages._ui import export, handover
from pages._ui.handover import Use
from tests import tiny_crm

CHAIN = Scope("chain")
NOW = datetime(2026, 7, 3, 12)
SMS = Use("marketing", "sms", "Marketing · SMS")
GROWN, CHILD = date(1990, 1, 1), date(2015, 1, 1)


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """60 customers who agree to messages by SMS and are of age, one child, and one who never agreed."""
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path))
    settings.cache_clear()
    monkeypatch.setattr("pages._ui.session.identity", lambda: Person("marketing", (), "a1", "王芳"))
    monkeypatch.setattr(handover, "utc_now", lambda: NOW)
    engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    tiny_crm.fill(engine, {})
    born = {f"C{n}": GROWN for n in range(60)} | {"child": CHILD, "silent": GROWN}
    with engine.begin() as connection:
        for customer_id, birthday in born.items():
            connection.execute(insert(schema.customer).values(customer_id=customer_id, birthday=birthday))
            if customer_id != "silent":
                row = {"customer_id": customer_id, "purpose": "marketing", "channel": "sms"}
                connection.execute(insert(schema.consent).values(**row, granted_at=NOW - timedelta(days=9)))
    prepare(state_engine(settings().state))
    yield engine
    engine.dispose()
    live._opened.clear()
    settings.cache_clear()


def key(customer_id: str) -> str:
    return customer_key(customer_number(secret_key(settings().home), customer_id))


def withdraw(engine: Engine, *customer_ids: str) -> None:
    with engine.begin() as connection:
        ended = update(schema.consent).where(schema.consent.c.customer_id.in_(customer_ids))
        connection.execute(ended.values(withdrawn_at=NOW - timedelta(minutes=1)))


def listed(*customer_ids: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_key": [key(name) for name in customer_ids], "orders": range(len(customer_ids))})


EVERYBODY = (*(f"C{n}" for n in range(60)), "child", "silent")


def test_a_list_for_contact_holds_who_agrees_at_this_moment_with_the_ids_of_the_crm(crm: Engine) -> None:
    read = handover.for_use(lambda: listed(*EVERYBODY), CHAIN, SMS)
    withdraw(crm, "C7", "C8")  # after the page was drawn
    rows = read()
    assert rows["customer_id"].tolist() == [f"C{n}" for n in range(60) if n not in (7, 8)]
    assert list(rows) == ["customer_key", "customer_id", "orders"]


def test_without_asking_the_crm_who_withdrew_would_be_contacted(crm: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test before."""
    withdraw(crm, "C7", "C8")
    monkeypatch.setattr(consents, "_agreed", lambda connection, ids, *rest: dict.fromkeys(ids, True))
    rows = handover.for_use(lambda: listed(*EVERYBODY), CHAIN, SMS)()
    assert {"C7", "C8"} <= set(rows["customer_id"])


def test_fewer_than_fifty_are_no_audience(crm: Engine) -> None:
    withdraw(crm, *(f"C{n}" for n in range(11)))
    with pytest.raises(Problem, match="has 49 people who may be contacted, and needs 50"):
        handover.for_use(lambda: listed(*EVERYBODY), CHAIN, SMS)()


def test_the_file_says_who_was_left_out_and_names_no_small_number(crm: Engine) -> None:
    withdraw(crm, "C1", "C2", "C3", "C4", "C5")
    cover = export.Cover("Segments", (), "CNY", "segments", "masked", CHAIN)
    said, wanted = export._for_use(cover, export._read(listed(*EVERYBODY)), SMS)
    assert said.lines[-1][1] == "Marketing · SMS"
    assert list(wanted.columns) == ["customer_key", "customer_id", "orders"]
    file = io.BytesIO()
    written = export._lines(wanted.fetch)(file, Stamp("0123456789abcdef", "2026-07-03 12:00"))
    last = file.getvalue().decode("utf-8-sig").split("\r\n")[-2]
    assert "55" in last
    assert "62" in last  # asked
    assert "<5" in last  # the one child, and the one who never agreed
    assert len(written.customers) == 60 - 5


def test_of_those_who_may_not_be_used_no_id_is_given(crm: Engine) -> None:
    found = permitted(
        CHAIN, [key("C1"), key("child"), key("silent"), "c0"], "marketing", "sms", NOW, home=settings().home
    )
    assert {name: permission.verdict for name, permission in found.items()} == {
        key("C1"): "allowed",
        key("child"): "under_age",
        key("silent"): "never_given",
        "c0": "not_registered",
    }
    assert [permission.customer_id for permission in found.values() if permission.verdict != "allowed"] == [None] * 3


def test_who_was_forgotten_stays_out_even_when_an_import_brought_them_back(crm: Engine) -> None:
    home = settings().home
    found = permitted(CHAIN, [key("C1")], "marketing", "sms", NOW, home=home, forgotten=[key("C1"), "c0"])
    assert found[key("C1")].verdict == "erased"
