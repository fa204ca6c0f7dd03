"""Coupons, cost parts and messages per customer."""

from pathlib import Path

import pandas as pd
from sqlalchemy import update

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.tables import campaign_event
from data_access.queries import mechanics
from data_access.snapshot import Snapshot
from models.calc.coupons import in_own_rhythm
from models.reports.coupons import coupons
from tests.test_campaign_results import later
from tests.tiny import CHAIN, ONLY_A


def _days(*days: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(days)))


def test_a_visit_that_was_due_anyway_is_no_merit_of_a_coupon() -> None:
    visits = pd.DataFrame({"customer_no": 1, "day": _days("2026-01-01", "2026-01-31", "2026-03-02")})
    redeemed = pd.DataFrame(
        {"customer_no": [1, 1, 1, 2], "day": _days("2026-04-01", "2026-03-07", "2026-06-01", "2026-03-01")}
    )
    # The usual gap is 30 days: after 30 it was due, after 5 not yet, after 91 no longer; of 2 nobody knows.
    assert in_own_rhythm(redeemed, visits).tolist() == [True, False, False, pd.NA]


def test_a_coupon_that_nobody_used_on_an_order_brought_nothing(tiny_snapshot: Snapshot) -> None:
    row = coupons(tiny_snapshot, CHAIN, "K1").coupons.iloc[0]
    assert (row["coupon_code"], row["redeemed"], row["face_value"]) == ("C1", 0, 30)
    assert coupons(tiny_snapshot, CHAIN, "K4").coupons.empty


def test_a_coupon_is_of_the_arm_whose_customers_alone_used_it(tiny_snapshot: Snapshot, tmp_path: Path) -> None:
    claims = update(campaign_event).where(campaign_event.c.kind == "claimed").values(coupon_code="C1")
    row = coupons(later(tiny_snapshot, tmp_path / "gift.duckdb", claims), CHAIN, "K1").coupons.iloc[0]
    assert (row["arm"], row["claimed"]) == ("gift", 1)
    both = update(campaign_customer).where(campaign_customer.c.customer_no == 4).values(arm="other")
    more = update(campaign_event).where(campaign_event.c.customer_no == 4).values(kind="claimed", coupon_code="C1")
    row = coupons(later(tiny_snapshot, tmp_path / "both.duckdb", claims, both, more), CHAIN, "K1").coupons.iloc[0]
    assert (row["arm"], row["claimed"]) == (None, 2)


def test_what_a_campaign_cost_is_the_chains(tiny_snapshot: Snapshot) -> None:
    assert set(mechanics.cost_parts(CHAIN, tiny_snapshot.engine)["campaign_id"]) == {"K1", "K2", "K4", "K5"}
    assert mechanics.cost_parts(ONLY_A, tiny_snapshot.engine).empty
