"""Retention of five buyers, by hand, and on random histories against plain pandas."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import create_engine, insert

from data_access.errors import Problem
from data_access.marts import tables
from data_access.marts.customer_store_day import customer_store_day
from data_access.queries.customers import customer_totals
from data_access.queries.retention import cohort_months
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.retention import retention
from tests.report_fixtures import figure
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A


def test_cohorts_by_month_of_the_first_order(tiny_snapshot: Snapshot) -> None:
    cohorts = retention(tiny_snapshot, CHAIN, AS_OF, months=None).cohorts.set_index(["cohort", "month_number"])
    assert cohorts.groupby("cohort")["size"].first().to_dict() == {
        "2025-03": 1,
        "2025-06": 1,
        "2026-02": 2,
        "2026-03": 1,
    }
    assert cohorts.loc[("2026-02", 1)].to_dict() == {"size": 2, "customers": 2, "rate": 1.0, "complete": False}
    assert cohorts.loc[("2025-03", 1), "customers"] == 0
    assert cohorts.loc["2025-03"].index.tolist() == list(range(13))  # March 2025 to March 2026
    assert cohorts.loc[("2025-06", 8), "customers"] == 1  # February 2026; the returns of that customer do not count


def test_the_last_month_is_flagged_and_later_months_are_absent(tiny_snapshot: Snapshot) -> None:
    report = retention(tiny_snapshot, CHAIN, date(2026, 6, 30))  # the data end on 20 March
    assert report.cohorts["complete"].sum() == len(report.cohorts) - 4
    assert report.new_returning["month"].max() == "2026-03"
    assert report.new_returning.set_index("month").loc["2026-03", "complete"] == np.False_
    ended = retention(tiny_snapshot, CHAIN, date(2026, 2, 28))
    assert ended.cohorts["complete"].all()


def test_the_summary(tiny_snapshot: Snapshot) -> None:
    summary = retention(tiny_snapshot, CHAIN, AS_OF).summary
    assert figure(summary, "customers") == 5
    assert figure(summary, "repeat_customers") == 4  # all but customer 6
    assert figure(summary, "repeat_purchase_rate") == 4 / 5
    assert figure(summary, "orders_per_customer") == (5 + 3 + 2 + 2 + 1) / 5
    net = 585 + 210.25 + 195 + 594.5 + 58
    assert figure(summary, "repeat_sales_rate") == pytest.approx((net - 58) / net)


def test_new_and_returning_by_month(tiny_snapshot: Snapshot) -> None:
    months = retention(tiny_snapshot, CHAIN, AS_OF).new_returning.set_index("month")
    assert months["new"].to_dict() == {"2025-03": 1, "2025-06": 1, "2026-02": 2, "2026-03": 1}
    assert months["returning"].to_dict() == {"2025-03": 0, "2025-06": 0, "2026-02": 1, "2026-03": 4}
    assert months.loc["2026-03", "new_net_sales"] == 58
    assert months.loc["2026-03", "returning_gross_sales"] == 190 + 30 + 205 + 400 + 105 + 110.25


def test_a_store_has_its_own_first_orders(tiny_snapshot: Snapshot) -> None:
    cohorts = retention(tiny_snapshot, ONLY_A, AS_OF, months=None).cohorts
    assert cohorts.groupby("cohort")["size"].first().to_dict() == {"2025-03": 1, "2026-02": 1, "2026-03": 1}


def test_the_latest_cohorts_are_shown(tiny_snapshot: Snapshot) -> None:
    report = retention(tiny_snapshot, CHAIN, AS_OF, months=2)
    assert set(report.cohorts["cohort"]) == {"2026-02", "2026-03"}
    assert set(report.new_returning["month"]) == {"2026-02", "2026-03"}
    assert figure(report.summary, "customers") == 5  # over all history
    with pytest.raises(Problem, match="months"):
        retention(tiny_snapshot, CHAIN, AS_OF, months=0)


def test_no_stores_no_cohorts(tiny_snapshot: Snapshot) -> None:
    report = retention(tiny_snapshot, NOTHING, AS_OF)
    assert report.cohorts.empty
    assert report.new_returning.empty
    assert figure(report.summary, "customers") == 0
    assert np.isnan(figure(report.summary, "repeat_purchase_rate"))


@pytest.fixture(scope="module")
def random_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A file that holds only the customer mart, with random rows, and the same rows as a frame."""
    rng = np.random.default_rng(5)
    size = 3000
    frame = pd.DataFrame(
        {
            "customer_no": rng.integers(1, 400, size),
            "store_id": rng.choice(["A", "B", "C"], size),
            "day": pd.Timestamp(2025, 1, 1) + pd.to_timedelta(rng.integers(0, 400, size), unit="D"),
        }
    ).drop_duplicates()
    frame["orders"] = rng.integers(0, 3, len(frame))
    frame["gross_sales"] = np.where(frame["orders"] > 0, rng.integers(1, 90_000, len(frame)) / 100, 0)
    frame["returns"] = np.where(frame["orders"] == 0, rng.integers(1, 5_000, len(frame)) / 100, 0)
    frame["net_sales"] = (frame["gross_sales"] - frame["returns"]).round(2)
    frame = frame.sort_values(["customer_no", "day", "store_id"], ignore_index=True)
    path = tmp_path_factory.mktemp("random") / "facts.duckdb"
    engine = create_engine(f"duckdb:///{path}")
    tables.facts.create_all(engine)
    with engine.begin() as connection:
        stores = [
            {"store_id": s, "name": s, "region_id": "r", "region_name": "r", "kind": "shop"} for s in ("A", "B", "C")
        ]
        connection.execute(insert(tables.store), stores)
        connection.execute(insert(customer_store_day), frame.to_dict("records"))
    engine.dispose()
    return path, frame


@pytest.mark.parametrize(
    "scope", [CHAIN, Scope("stores", ("A", "C")), ONLY_A], ids=["chain", "two stores", "one store"]
)
def test_customers_agree_with_plain_pandas(random_days: tuple[Path, pd.DataFrame], scope: Scope) -> None:
    path, frame = random_days
    as_of = date(2025, 11, 15)
    seen = frame[(frame["day"] <= pd.Timestamp(as_of)) & frame["store_id"].map(scope.allows)]
    orders = seen[seen["orders"] > 0]
    expected = pd.DataFrame(
        {
            "first_day": orders.groupby("customer_no")["day"].min(),
            "last_day": orders.groupby("customer_no")["day"].max(),
            "orders": orders.groupby("customer_no")["orders"].sum(),
            "visits": orders.groupby("customer_no")["day"].nunique(),
            "net_sales": seen.groupby("customer_no")["net_sales"].sum().round(2),
        }
    ).dropna()
    totals = customer_totals(scope, create_engine(f"duckdb:///{path}"), as_of).set_index("customer_no")
    pd.testing.assert_frame_equal(totals[list(expected)], expected, check_dtype=False, check_index_type=False)


@pytest.mark.parametrize(
    "scope", [CHAIN, Scope("stores", ("A", "C")), ONLY_A], ids=["chain", "two stores", "one store"]
)
def test_cohorts_agree_with_plain_pandas(random_days: tuple[Path, pd.DataFrame], scope: Scope) -> None:
    path, frame = random_days
    as_of = date(2025, 11, 15)
    seen = frame[(frame["day"] <= pd.Timestamp(as_of)) & frame["store_id"].map(scope.allows)]
    orders = seen[seen["orders"] > 0].assign(month=lambda f: (f["day"].dt.year - 1970) * 12 + f["day"].dt.month - 1)
    orders["cohort"] = orders.groupby("customer_no")["month"].transform("min")
    expected = orders.groupby(["cohort", "month"])["customer_no"].nunique()
    activity = cohort_months(scope, create_engine(f"duckdb:///{path}"), as_of).set_index(["cohort", "month"])
    found = activity.loc[activity["customers"] > 0, "customers"]
    pd.testing.assert_series_equal(found, expected, check_names=False, check_dtype=False, check_index_type=False)
    assert activity["net_sales"].sum() == pytest.approx(seen["net_sales"].sum())
