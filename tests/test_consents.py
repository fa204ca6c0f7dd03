"""Who may be used for a purpose at a moment, and what the CRM's consents come to in a snapshot."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from data_access import schema, vault
from data_access.consents import allowed
from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.queries import consents
from data_access.refresh import refresh
from data_access.scope import Scope
from data_access.settings import settings
from data_access.snapshot import current_snapshot
from tests import tiny_crm

NOW = datetime(2026, 7, 3, 12)
DAY = timedelta(days=1)
BORN = {"adult": date(1990, 1, 1), "unknown": None, "strange": date(2099, 1, 1)}


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Engine]:
    engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    tiny_crm.fill(engine, {})
    yield engine
    engine.dispose()


def people(engine: Engine, born: dict[str, date | None]) -> None:
    with engine.begin() as connection:
        for customer_id, birthday in born.items():
            connection.execute(insert(schema.customer).values(customer_id=customer_id, birthday=birthday))


def agree(engine: Engine, customer_id: str, granted: datetime, withdrawn: datetime | None = None, **more: str) -> None:
    row = {"customer_id": customer_id, "purpose": "marketing", "channel": "sms", **more}
    with engine.begin() as connection:
        connection.execute(insert(schema.consent).values(**row, granted_at=granted, withdrawn_at=withdrawn))


def verdict(engine: Engine, customer_id: str, now: datetime = NOW, **more: Any) -> str:
    with engine.connect() as connection:
        return allowed(connection, [customer_id], "marketing", "sms", now, **more)[customer_id]


def test_the_consent_must_live_at_this_very_moment(crm: Engine) -> None:
    people(crm, BORN)
    assert verdict(crm, "adult") == "never_given"
    agree(crm, "adult", NOW - DAY, NOW + DAY)
    assert verdict(crm, "adult", NOW - 2 * DAY) == "never_given"
    assert verdict(crm, "adult") == "allowed"
    assert verdict(crm, "adult", NOW + DAY) == "withdrawn"
    agree(crm, "adult", NOW + 2 * DAY)
    assert verdict(crm, "adult", NOW + DAY) == "withdrawn"
    assert verdict(crm, "adult", NOW + 3 * DAY) == "allowed"


def test_another_purpose_or_channel_is_no_consent(crm: Engine) -> None:
    people(crm, BORN)
    agree(crm, "adult", NOW - DAY, purpose="service")
    agree(crm, "adult", NOW - DAY, channel="wechat")
    assert verdict(crm, "adult") == "never_given"


@pytest.mark.parametrize(("customer", "expected"), [("unknown", "age_unknown"), ("strange", "age_unknown")])
def test_unknown_age_is_no_age(crm: Engine, customer: str, expected: str) -> None:
    people(crm, BORN)
    agree(crm, customer, NOW - DAY)
    assert verdict(crm, customer) == expected


def test_eighteen_is_when_the_day_has_begun_everywhere(crm: Engine) -> None:
    people(crm, {"young": date(2008, 7, 4), "leap": date(2008, 2, 29)})
    agree(crm, "young", NOW - DAY)
    agree(crm, "leap", datetime(2026, 1, 1))
    assert verdict(crm, "young", datetime(2026, 7, 4, 11, 59)) == "under_age"
    assert verdict(crm, "young", datetime(2026, 7, 4, 12)) == "allowed"
    assert verdict(crm, "leap", datetime(2026, 2, 28, 23)) == "under_age"
    assert verdict(crm, "leap", datetime(2026, 3, 1, 12)) == "allowed"


def test_who_was_forgotten_or_never_registered_is_withheld(crm: Engine) -> None:
    people(crm, BORN)
    for customer in ("adult", "stranger"):
        agree(crm, customer, NOW - DAY)
    assert verdict(crm, "adult", erased={"adult"}) == "erased"
    assert verdict(crm, "stranger") == "not_registered"


def test_a_long_list_is_looked_up_in_parts_and_each_is_told_once(crm: Engine) -> None:
    ids = [f"P{number}" for number in range(1_200)]
    with crm.begin() as connection:
        rows = [{"customer_id": name, "birthday": date(1990, 1, 1)} for name in ids]
        connection.execute(insert(schema.customer), rows)
        given = {"purpose": "marketing", "channel": "sms", "granted_at": NOW - DAY}
        connection.execute(insert(schema.consent), [{"customer_id": name, **given} for name in ids[::2]])
    with crm.connect() as connection:
        found = allowed(connection, [*ids, ids[0]], "marketing", "sms", NOW)
    assert list(found) == ids
    assert [found[name] for name in ids] == ["allowed", "never_given"] * 600


def test_a_delivery_counts_where_nothing_says_when_it_was_sent(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    content = tiny_crm.rows()
    march = datetime(2026, 3, 1)
    content["campaign"] = [{"campaign_id": "K", "name": "spring", "channel": "sms"}]
    given = {"purpose": "marketing", "granted_at": march - 30 * DAY}
    content["consent"] = [
        {"customer_id": "C1", "channel": "sms", "withdrawn_at": march, **given},
        {"customer_id": "C2", "channel": "wechat", "withdrawn_at": None, **given},
    ]
    sent = {"campaign_id": "K", "product_id": None, "coupon_code": None, "order_id": None}
    content["campaign_event"] = [
        {"event_id": str(number), "customer_id": customer, "kind": kind, "channel": channel, "occurred_at": at, **sent}
        for number, (customer, kind, channel, at) in enumerate(
            [
                ("C1", "sent", None, march),  # at the very instant: still allowed
                ("C1", "delivered", None, march + DAY),  # of the message before
                ("C2", "delivered", "mini_program", march),  # reaches people through WeChat
                ("C2", "delivered", None, march),  # by the campaign's channel, which C2 never agreed to
                ("C10", "delivered", "wechat", march),
            ]
        )
    ]
    tiny_crm.fill(engine, content)
    refresh(engine, home)
    wrong = consents.contacts_without_consent(Scope("chain"), current_snapshot(home).engine)
    engine.dispose()
    assert wrong[["channel", "reason", "contacts", "customers"]].to_numpy().tolist() == [
        ["sms", "never_given", 1, 1],
        ["wechat", "never_given", 1, 1],
    ]


def test_a_sealed_birthday_is_opened_for_whoever_agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path))
    settings.cache_clear()
    engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    write_demo(engine, scale="tiny", truth_path=tmp_path / "truth.json", home=tmp_path)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count(schema.customer.c.birthday))) == 0
        born = {
            row.customer_id: vault.contact(connection, row.customer_id, ("birthday",))["birthday"]
            for row in connection.execute(select(schema.customer.c.customer_id).limit(300))
        }
        now = datetime(2026, 11, 21, 12)
        found = allowed(connection, list(born), "marketing", "wechat", now)
    engine.dispose()
    settings.cache_clear()
    grown = {name for name, day in born.items() if day is not None and "1920" < day <= "2008-11-21"}
    assert {name for name, verdict in found.items() if verdict == "allowed"} <= grown
    assert {name for name, verdict in found.items() if verdict in ("under_age", "age_unknown")} & grown == set()
    assert {"allowed", "withdrawn", "never_given"} <= set(found.values())
