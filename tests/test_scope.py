"""A scope never widens: no combination of stores shows a row outside it."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, func, insert, select, union_all
from sqlalchemy.pool import StaticPool

from data_access.marts.store_day import store_day
from data_access.marts.tables import facts
from data_access.scope import Period, Scope

STORES = ("S1", "S2", "S3", "S4")
DAYS = tuple(date(2026, 1, 1) + timedelta(days=n) for n in range(3))
IDS = st.sampled_from([*STORES, "S9", "", "s1", "S1' OR '1'='1", "%"])


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One row per store and day: store n sells 10 to the n."""
    engine = create_engine("duckdb:///:memory:", poolclass=StaticPool)
    facts.create_all(engine)
    rows = [
        dict.fromkeys(("orders", "identified_orders", "units", "returns", "returns_of_sales"), 0)
        | {"store_id": s, "day": d, "gross_sales": 10**n, "net_sales": 10**n}
        for n, s in enumerate(STORES)
        for d in DAYS
    ]
    with engine.begin() as connection:
        connection.execute(insert(store_day), rows)
    yield engine
    engine.dispose()


def seen(engine: Engine, scope: Scope) -> set[str]:
    query = scope.limit(select(store_day.c.store_id).distinct(), store_day.c.store_id)
    with engine.connect() as connection:
        return set(connection.scalars(query))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope("chain"), set(STORES)),
        (Scope("stores", ("S1", "S3")), {"S1", "S3"}),
        (Scope("stores"), set()),
        (Scope("stores", ("S9",)), set()),
    ],
    ids=["chain", "two stores", "no stores", "a store nobody knows"],
)
def test_a_scope_shows_its_stores_and_no_other(engine: Engine, scope: Scope, expected: set[str]) -> None:
    assert seen(engine, scope) == expected


@given(st.lists(IDS, max_size=5))
def test_whatever_the_ids_the_rows_are_those_of_the_ids(engine: Engine, store_ids: list[str]) -> None:
    assert seen(engine, Scope("stores", tuple(store_ids))) == set(store_ids) & set(STORES)


@given(st.lists(IDS, max_size=5), st.lists(IDS, max_size=5))
def test_narrowing_never_widens(engine: Engine, own: list[str], wished: list[str]) -> None:
    narrowed = Scope("stores", tuple(own)).narrow(wished)
    assert set(narrowed.store_ids) == set(own) & set(wished)
    assert seen(engine, narrowed) <= set(own)
    assert set(Scope("chain").narrow(wished).store_ids) == set(wished)


@given(st.lists(IDS, max_size=4))
def test_joins_subqueries_and_unions_stay_within_the_scope(engine: Engine, store_ids: list[str]) -> None:
    scope = Scope("stores", tuple(store_ids))
    day = store_day.alias()
    inner = scope.limit(select(store_day.c.store_id, store_day.c.net_sales), store_day.c.store_id).subquery()
    joined = scope.limit(
        select(day.c.store_id, inner.c.net_sales).join(inner, inner.c.store_id == day.c.store_id), day.c.store_id
    )
    twice = union_all(joined, scope.limit(select(day.c.store_id, day.c.net_sales), day.c.store_id)).subquery()
    with engine.connect() as connection:
        rows = connection.execute(select(twice.c.store_id, func.count()).group_by(twice.c.store_id)).all()
    inside = set(store_ids) & set(STORES)
    # each of three days joins each of three days, and the union adds three more
    assert sorted(map(tuple, rows)) == sorted((s, 3 * 3 + 3) for s in inside)


def test_a_chain_scope_with_stores_or_an_unknown_kind_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="lists no stores"):
        Scope("chain", ("S1",))
    with pytest.raises(ValueError, match="not 'everything'"):
        Scope("everything")  # type: ignore[arg-type]


def test_scopes_with_the_same_stores_are_the_same_cache_key() -> None:
    assert Scope("stores", ("S2", "S1", "S2")) == Scope("stores", ("S1", "S2"))
    assert hash(Scope("stores", ("S2", "S1"))) == hash(Scope("stores", ("S1", "S2")))
    assert Scope("stores") != Scope("chain")


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 800))
def test_the_period_before_is_as_long_and_ends_the_day_before(first: date, length: int) -> None:
    period = Period(first, first + timedelta(days=length))
    before = period.before()
    assert before.days == period.days == length + 1
    assert before.last == first - timedelta(days=1)


def test_last_year_is_the_same_calendar_days_and_the_leap_day_becomes_the_28th() -> None:
    assert Period(date(2024, 2, 1), date(2024, 2, 29)).last_year() == Period(date(2023, 2, 1), date(2023, 2, 28))
    assert Period(date(2025, 2, 28), date(2025, 3, 1)).last_year() == Period(date(2024, 2, 28), date(2024, 3, 1))


def test_a_period_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="2026-01-02 is after 2026-01-01"):
        Period(date(2026, 1, 2), date(2026, 1, 1))
    assert Period(date(2026, 1, 1), date(2026, 1, 1)).days == 1
