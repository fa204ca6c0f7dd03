"""The overview, added up by hand."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports.overview import by_city, overview
from tests import tiny
from tests.report_fixtures import figure
from tests.tiny import AS_OF, CHAIN, MARCH, NORTH, NOTHING, ONLY_A

GROSS = 190 + 30 + 205 + 31 + 400 + 105 + 58 + 110.25
RETURNS = 30 + 15.5


def test_the_key_figures_of_the_period(tiny_snapshot: Snapshot) -> None:
    kpis = overview(tiny_snapshot, CHAIN, MARCH).kpis.set_index("key")["value"]
    assert kpis.to_dict() == {
        "gross_sales": GROSS,
        "returns": RETURNS,
        "net_sales": GROSS - RETURNS,
        "orders": 8,
        "buyers": 5,
        "average_ticket": (GROSS - RETURNS) / 8,
        "units_per_transaction": (2 + 1 + 1 + 1 + 2 + 1 + 2 + 1) / 8,
        "new_customers": 1,
        "returning_customers": 4,
        "identified_share": 7 / 8,
        "return_rate": 15.5 / GROSS,  # R1 and R4 refund what was sold before
    }


def test_campaigns_that_ran_on_a_day_of_the_period(tiny_snapshot: Snapshot) -> None:
    # K2 has no dates, K4 ended on 28 February
    ran = overview(tiny_snapshot, CHAIN, MARCH).campaigns
    assert ran["campaign_id"].tolist() == ["K1", "K5"]
    assert ran["starts_on"].dt.day.tolist() == [1, 16]
    first_days = overview(tiny_snapshot, CHAIN, Period(date(2026, 2, 28), date(2026, 3, 1)))
    assert first_days.campaigns["campaign_id"].tolist() == ["K4", "K1"]


def test_the_goods_of_one_category_alone(tiny_snapshot: Snapshot) -> None:
    every = overview(tiny_snapshot, CHAIN, MARCH)
    parts = [overview(tiny_snapshot, CHAIN, MARCH, name) for name in ("skin care", "make-up", "fragrance")]
    # the categories add up to the whole, in the cards, by day and by store
    for name in ("gross_sales", "returns", "net_sales"):
        assert sum(figure(part.kpis, name) for part in parts) == figure(every.kpis, name)
        assert sum(part.by_store[name].sum() for part in parts) == every.by_store[name].sum()
    assert (sum(part.by_day["net_sales"] for part in parts) - every.by_day["net_sales"]).abs().max() < 0.005
    assert [set(part.products["category"]) for part in parts] == [{"skin care"}, {"make-up"}, {"fragrance"}]
    # a receipt has no one category
    assert all(part.by_store["orders"].isna().all() for part in parts)
    assert "orders" not in set(parts[0].kpis["key"])


def test_the_periods_it_is_compared_with(tiny_snapshot: Snapshot) -> None:
    kpis = overview(tiny_snapshot, CHAIN, MARCH).kpis
    assert figure(kpis, "net_sales", "previous") == 130 + 90 + 210 - 200
    assert figure(kpis, "buyers", "previous") == 3
    assert figure(kpis, "return_rate", "previous") == 30 / (130 + 90 + 210)
    assert figure(kpis, "net_sales", "last_year") == 100 + 60
    assert figure(kpis, "new_customers", "last_year") == 1


def test_a_comparison_outside_the_data_is_missing_not_zero(tiny_snapshot: Snapshot) -> None:
    report = overview(tiny_snapshot, CHAIN, Period(date(2026, 2, 28), AS_OF))  # last year begins a day too early
    assert report.kpis["last_year"].isna().all()
    assert report.kpis["previous"].notna().all()
    assert report.by_store["last_year"].isna().all()
    first = overview(tiny_snapshot, CHAIN, Period(date(2025, 3, 1), date(2025, 3, 20)))
    assert first.kpis[["previous", "last_year"]].isna().all(axis=None)
    assert first.products["compared_with"].isna().all()
    assert set(first.products["movement"]) == {"top"}


def test_days_after_the_data_are_cut_off(tiny_snapshot: Snapshot) -> None:
    report = overview(tiny_snapshot, CHAIN, Period(date(2026, 3, 1), date(2026, 3, 31)))
    assert report.period == MARCH
    pd.testing.assert_frame_equal(report.kpis, overview(tiny_snapshot, CHAIN, MARCH).kpis)


@pytest.mark.parametrize(
    "period", [Period(date(2030, 1, 1), date(2030, 1, 5)), Period(date(2000, 1, 1), date(2000, 1, 5))]
)
def test_days_without_data_have_no_figures(tiny_snapshot: Snapshot, period: Period) -> None:
    report = overview(tiny_snapshot, CHAIN, period)
    assert report.period is None
    assert report.kpis["value"].isna().all()
    assert report.by_day.empty
    assert "store_id" in report.by_store


def test_a_snapshot_without_sales_has_no_figures(tiny_snapshot: Snapshot) -> None:
    empty = replace(tiny_snapshot, info=replace(tiny_snapshot.info, first_day=None, last_day=None))
    assert overview(empty, CHAIN, MARCH).period is None


def test_each_day_has_its_neighbours(tiny_snapshot: Snapshot) -> None:
    days = overview(tiny_snapshot, CHAIN, MARCH).by_day.set_index("day")
    assert len(days) == 20
    assert days.loc["2026-03-02"].to_dict() == {
        "net_sales": 190 + 30,
        "gross_sales": 190 + 30,
        "orders": 2,
        "previous": -200,  # 10 February, the second day of the twenty before
        "last_year": 0,
    }
    assert days.loc["2026-03-01", "last_year"] == 100
    assert days.loc["2026-03-03", "net_sales"] == -30
    assert days.loc["2026-03-04", ["net_sales", "orders"]].tolist() == [0, 0]


def test_a_day_whose_neighbour_lies_before_the_data_has_none(tiny_snapshot: Snapshot) -> None:
    days = overview(tiny_snapshot, CHAIN, Period(date(2025, 3, 15), date(2025, 4, 3))).by_day
    assert days["previous"].isna().tolist() == [True] * 6 + [False] * 14  # 23 to 28 February 2025 lie before
    assert days["last_year"].isna().all()


def test_the_29th_of_february_has_no_day_last_year(tiny_snapshot: Snapshot) -> None:
    leap = replace(
        tiny_snapshot, info=replace(tiny_snapshot.info, first_day=date(2027, 1, 1), last_day=date(2028, 3, 31))
    )
    days = overview(leap, CHAIN, Period(date(2028, 2, 28), date(2028, 3, 1))).by_day.set_index("day")
    assert days["last_year"].isna().tolist() == [False, True, False]


def test_stores_and_regions(tiny_snapshot: Snapshot) -> None:
    report = overview(tiny_snapshot, CHAIN, MARCH)
    stores = report.by_store.set_index("store_id")
    assert stores["net_sales"].to_dict() == {
        "B": 205 + 105 + 110.25,
        "C": 400 - 15.5,
        "A": 190 + 30 + 31 + 58 - 30,
    }
    assert stores.index.tolist() == ["B", "C", "A"]  # best first
    assert stores.loc["A", "previous"] == 130 - 200
    assert stores.loc["A", "share"] == pytest.approx((190 + 30 + 31 + 58 - 30) / (GROSS - RETURNS))
    # C opened on 20 February, inside the period before: what it sold then is no comparison
    assert stores["previous"].isna().to_dict() == {"B": False, "C": True, "A": False}
    regions = report.by_region.set_index("region_id")
    assert regions["stores"].to_dict() == {"north": 2, "south": 1}
    assert regions["orders"].to_dict() == {"north": 7, "south": 1}


def test_cities_of_one_region() -> None:
    stores = pd.DataFrame(
        {
            "region_id": "east", "city": ["Hangzhou", "Hangzhou", "Wuhu"], "store_id": ["A", "B", "C"],
            "net_sales": [5.0, 7.0, 8.0], "gross_sales": 9.0, "returns": 1.0, "orders": 2,
            "previous": [4.0, None, None],
            "last_year": 3.0,
        }
    )  # fmt: skip
    cities = by_city(stores)
    assert cities[["city", "city_id", "stores", "net_sales"]].to_numpy().tolist() == [
        ["Hangzhou", "A,B", 2, 5 + 7],
        ["Wuhu", "C", 1, 8],
    ]
    assert cities["previous"].fillna(0).tolist() == [4, 0]  # Wuhu has nothing to compare with
    assert by_city(stores.assign(region_id=["east", "east", "west"])).empty  # regions come first
    assert by_city(stores.assign(city="Wuhu")).empty


def test_months_say_whether_they_are_complete(tiny_snapshot: Snapshot) -> None:
    months = overview(tiny_snapshot, CHAIN, Period(date(2026, 2, 1), AS_OF)).by_month.set_index("month")
    assert months["complete"].to_dict() == {"2026-02": True, "2026-03": False}
    assert months["gross_sales"].to_dict() == {"2026-02": 130 + 90 + 210, "2026-03": GROSS}


def test_products_that_lead_and_fall(tiny_snapshot: Snapshot) -> None:
    products = overview(tiny_snapshot, CHAIN, MARCH).products
    top = products[products["movement"] == "top"].set_index("product_id")
    assert top["net_sales"].to_dict() == {
        "P3": 205 + 400 - 15.5,
        "P1": 190 + 105 + 110.25,
        "P2": 30 + 31 + 58 - 30,
    }
    falling = products[products["movement"] == "falling"].set_index("product_id")
    assert falling["change"].to_dict() == {"P2": (30 + 31 + 58 - 30) - (30 + 90)}


def test_a_scope_of_stores_holds_only_their_sales(tiny_snapshot: Snapshot) -> None:
    report = overview(tiny_snapshot, ONLY_A, MARCH)
    assert figure(report.kpis, "gross_sales") == 190 + 30 + 31 + 58
    assert report.by_store["store_id"].tolist() == ["A"]
    assert report.by_region["stores"].tolist() == [1]


def test_no_stores_no_figures(tiny_snapshot: Snapshot) -> None:
    report = overview(tiny_snapshot, NOTHING, MARCH)
    assert figure(report.kpis, "net_sales") == 0
    assert report.by_store.empty
    assert report.products.empty
    assert (report.by_day["net_sales"] == 0).all()


DAYS = st.dates(date(2025, 3, 1), AS_OF)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DAYS, DAYS, st.sampled_from([CHAIN, NORTH, ONLY_A]))
def test_stores_regions_months_and_days_add_up_to_the_key_figures(
    tiny_snapshot: Snapshot, one: date, other: date, scope: Scope
) -> None:
    report = overview(tiny_snapshot, scope, Period(min(one, other), max(one, other)))
    for column in ("net_sales", "gross_sales", "orders"):
        total = figure(report.kpis, column)
        for frame in (report.by_store, report.by_region, report.by_month, report.by_day):
            assert round(frame[column].sum(), 2) == round(total, 2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DAYS, DAYS)
def test_net_sales_agree_with_a_plain_loop(tiny_snapshot: Snapshot, one: date, other: date) -> None:
    first, last = min(one, other), max(one, other)
    sold = sum(o.net for o in tiny.ORDERS if o.exclusion is None and first <= o.at.date() <= last)
    back = sum(float(r.refund) for r in tiny.RETURNS if r.exclusion is None and first <= r.at.date() <= last)
    kpis = overview(tiny_snapshot, CHAIN, Period(first, last)).kpis
    assert figure(kpis, "net_sales") == pytest.approx(float(sold) - back)
