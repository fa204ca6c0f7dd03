"""How often somebody may try: a lock that grows, a rate for an address, and nobody locked out from elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from data_access.state import limits
from data_access.state.limits import Taken
from data_access.state.schema import sign_in_attempt
from data_access.state.store import writing
from tests.state.people import MINUTE, NOW

SECOND = timedelta(seconds=1)


def take(
    engine: Engine, now: datetime = NOW, name: str = "wang", address: str = "10.0.0.7", known: bool = False
) -> Taken | None:
    with writing(engine) as connection:
        return limits.take(connection, name, address, now, known=known)


def give_back(engine: Engine, taken: Taken | None, now: datetime = NOW, *, forgive: bool) -> None:
    assert taken is not None
    with writing(engine) as connection:
        limits.give_back(connection, taken, now, forgive=forgive)


def test_after_five_wrong_ones_a_name_is_locked_and_each_further_one_locks_longer(engine: Engine) -> None:
    now = NOW
    for _ in range(5):
        assert take(engine, now)
    for minutes in (1, 2, 4, 8, 15, 15):
        assert take(engine, now + minutes * MINUTE - SECOND) is None
        now += minutes * MINUTE
        assert take(engine, now)


def test_what_is_refused_does_not_count(engine: Engine) -> None:
    for _ in range(5):
        assert take(engine)
    for _ in range(100):
        assert take(engine) is None
    assert take(engine, NOW + MINUTE)


def test_the_right_one_forgives_the_wrong_ones(engine: Engine) -> None:
    for _ in range(4):
        assert take(engine)
    give_back(engine, take(engine), forgive=True)
    for _ in range(5):
        assert take(engine)
    assert take(engine) is None


def test_what_was_not_looked_at_forgives_nothing(engine: Engine) -> None:
    for _ in range(4):
        assert take(engine)
    for _ in range(10):
        give_back(engine, take(engine), forgive=False)
    assert take(engine)
    assert take(engine) is None


def test_a_day_later_everything_is_forgotten(engine: Engine) -> None:
    for _ in range(5):
        assert take(engine)
    later = NOW + timedelta(days=1)
    for _ in range(5):
        assert take(engine, later)
    assert take(engine, later) is None


def test_one_name_does_not_lock_another_and_names_that_do_not_exist_lock_alike(engine: Engine) -> None:
    for _ in range(6):
        take(engine, name="nobody")
    assert take(engine, name="nobody") is None
    assert take(engine, name="wang")


def test_nobody_elsewhere_locks_a_person_out_of_the_own_place(engine: Engine) -> None:
    for _ in range(6):
        take(engine, address="203.0.113.9")
    assert take(engine, address="203.0.113.9") is None
    assert take(engine, address="198.51.100.1") is None
    for _ in range(5):
        assert take(engine, known=True)
    assert take(engine, known=True) is None


def test_an_address_has_a_reserve_of_60_and_then_20_a_minute(engine: Engine) -> None:
    for number in range(60):
        assert take(engine, name=f"n{number}"), number
    assert take(engine, name="next") is None
    assert take(engine, name="next", address="10.0.0.8")
    granted = [take(engine, NOW + second * SECOND, name=f"m{second}") is not None for second in range(1, 61)]
    assert sum(granted) == 20


def test_a_right_password_costs_an_address_nothing(engine: Engine) -> None:
    for number in range(70):
        give_back(engine, take(engine, name=f"n{number}"), forgive=True)
    assert take(engine)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.7", "10.0.0.7", True),
        ("10.0.0.7", "10.0.0.8", False),
        ("", "testclient", False),
    ],
)
def test_whoever_has_an_ipv6_address_has_its_network(one: str, other: str, same: bool) -> None:
    assert (limits._network(one) == limits._network(other)) == same


def test_attempts_at_the_same_moment_do_not_slip_through(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take(engine), range(24)))
    assert sum(one is not None for one in taken) == 5


def test_neither_names_nor_addresses_are_kept_and_old_rows_go(engine: Engine) -> None:
    take(engine)
    with writing(engine) as connection:
        rows = connection.execute(select(sign_in_attempt)).all()
        limits.sweep(connection, NOW + timedelta(days=1))
        assert connection.execute(select(sign_in_attempt)).all() == []
    assert len(rows) == 2
    assert "wang" not in str(rows)
    assert "10.0.0.7" not in str(rows)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pauses=st.lists(st.integers(min_value=0, max_value=1200), min_size=1, max_size=60), name=st.uuids())
def test_however_attempts_are_spread_no_hour_sees_more_than_ten(
    sqlite: Engine, pauses: list[int], name: object
) -> None:
    """Of a name: 5 at once, then after 1, 2, 4, 8 and 15 minutes and every 15 minutes: 5 + 5 + 2 in the first hour."""
    now, granted = NOW, []
    for pause in pauses:
        now += pause * SECOND
        if take(sqlite, now, name=str(name), address=str(len(granted))):
            granted.append(now)
    for start in granted:
        assert sum(start <= at < start + 60 * MINUTE for at in granted) <= 5 + 5 + 2
