"""Coupons, cost parts and messages per customer."""

from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

import pandas as pd
import pytest
from sqlalchemy import insert, select, update

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import campaign_event, sale_order
from data_access.queries import mechanics
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.coupons import in_own_rhythm
from models.reports.coupons import coupons
from tests.test_campaign_results import later
from tests.tiny import CHAIN, ONLY_A


def test_a_visit_that_was_due_anyway_is_no_merit_of_a_coupon() -> None:
    redeemed = pd.DataFrame({"gaps": [2, 2, 2, 1, None], "usual_days": 30.0, "since": [30, 5, 91, 30, None]})
    # The usual gap is 30 days: after 30 it was due, after 5 not yet, after 91 no longer; of the others nobody knows.
    assert in_own_rhythm(redeemed).tolist() == [True, False, False, pd.NA, pd.NA]


@pytest.mark.parametrize("scope", [CHAIN, ONLY_A], ids=["chain", "store"])
def test_the_rhythm_of_whoever_redeems_is_that_of_the_visits_before(
    scope: Scope, tiny_snapshot: Snapshot, tmp_path: Path
) -> None:
    o, d = sale_order.c, customer_store_day.c
    here = d.store_id.in_(["A"] if scope.store_ids else ["A", "B", "C"])
    with tiny_snapshot.engine.connect() as connection:
        orders = connection.execute(select(o.order_id, o.customer_no, o.day).where(o.customer_no.is_not(None))).all()
        came = connection.execute(select(d.customer_no, d.day).where(d.orders > 0, here).distinct()).all()
    event = {"campaign_id": "K1", "kind": "redeemed", "coupon_code": "C1", "occurred_at": datetime(2026, 3, 1)}
    events = [
        event | {"event_id": f"redeemed {row.order_id}", "order_id": row.order_id, "customer_no": row.customer_no}
        for row in orders
    ]
    planted = later(tiny_snapshot, tmp_path / "redeemed.duckdb", insert(campaign_event).values(events))
    found = mechanics.redemptions(scope, planted.engine, "K1")
    assert found["gaps"].max() >= 1
    for row in found.itertuples():
        days = sorted(day for number, day in came if number == row.customer_no and day < row.day.date())
        gaps = [(later - day).days for day, later in pairwise(days)]
        told = (len(gaps), median(gaps) if gaps else None, (row.day.date() - days[-1]).days) if days else (None,) * 3
        assert [None if pd.isna(one) else one for one in (row.gaps, row.usual_days, row.since)] == list(told)


def test_a_coupon_that_nobody_used_on_an_order_brought_nothing(tiny_snapshot: Snapshot) -> None:
    row = coupons(tiny_snapshot, CHAIN, "K1").coupons.iloc[0]
    assert (row["coupon_code"], row["redeemed"], row["face_value"]) == ("C1", 0, 30)
    assert coupons(tiny_snapshot, CHAIN, "K4").coupons.empty


def test_a_coupon_is_of_the_arm_whose_customers_alone_used_it(tiny_snapshot: Snapshot, tmp_path: Path) -> None:
    claims = update(campaign_event).where(campaign_event.c.kind == "claimed").values(coupon_code="C1")
    row = coupons(later(tiny_snapshot, tmp_path / "gift.duckdb", claims), CHAIN, "K1").coupons.iloc[0]
    assert (row["arm"], row["claimed"]) == ("gift", 1)
    both = (
        update(campaign_customer)
        .where(campaign_customer.c.customer_no == 4)
        .values(arm="other", claimed_at=datetime(2026, 3, 1))
    )
    more = update(campaign_event).where(campaign_event.c.customer_no == 4).values(kind="claimed", coupon_code="C1")
    row = coupons(later(tiny_snapshot, tmp_path / "both.duckdb", claims, both, more), CHAIN, "K1").coupons.iloc[0]
    assert (row["arm"], row["claimed"]) == (None, 2)


def test_what_a_campaign_cost_is_the_chains(tiny_snapshot: Snapshot) -> None:
    assert set(mechanics.cost_parts(CHAIN, tiny_snapshot.engine)["campaign_id"]) == {"K1", "K2", "K4", "K5"}
    assert mechanics.cost_parts(ONLY_A, tiny_snapshot.engine).empty
