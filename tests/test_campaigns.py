"""Campaigns and stock: from the CRM into the facts, and the funnel of the tiny chain (``tests.tiny_campaigns``)."""

import hmac
import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import insert, text

from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.pseudonym import secret_key
from data_access.queries import _elsewhere, campaigns, stock
from data_access.refresh import refresh
from data_access.schema import crm
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.funnel import funnel as with_rates
from models.calc.funnel import wilson
from models.reports import campaigns as campaigns_report
from models.reports.funnel import FunnelReport, funnel
from pages._ui import campaign_views
from pages._ui.tables import MOST_COLUMNS
from tests.tiny import CHAIN, NORTH, NOTHING, ONLY_A
from tests.tiny_crm import facts_rows, fill, rows


def taken(report: FunnelReport) -> dict[str, int]:
    """Customers by step."""
    return dict(zip(report.steps["step"], report.steps["customers"], strict=True))


# --- the funnel -----------------------------------------------------------------------------------


def test_a_funnel_counts_the_treated_who_took_every_step_in_order(tiny_snapshot: Snapshot) -> None:
    # Of the four assigned to the gift, 1 went all the way; 2 visited before the click; 4 bought without opening.
    assert taken(funnel(tiny_snapshot, CHAIN, "K1")) == {
        "targeted": 4, "sent": 4, "delivered": 3, "opened": 2, "clicked": 2, "claimed": 1, "visited": 1, "bought": 1,
        "bought_again": 1,
    }  # fmt: skip


def test_in_any_order_counts_what_happened_and_at_least_what_lies_behind(tiny_snapshot: Snapshot) -> None:
    any_order = taken(funnel(tiny_snapshot, CHAIN, "K1", counted="any_order"))
    assert (any_order["opened"], any_order["visited"], any_order["bought"]) == (2, 2, 2)
    at_least = taken(funnel(tiny_snapshot, CHAIN, "K1", counted="at_least"))
    assert (at_least["opened"], at_least["visited"], at_least["bought"]) == (2 + 1, 2 + 1, 2)  # 4 bought: at least


def test_rates_are_of_the_first_step_and_of_the_one_before(tiny_snapshot: Snapshot) -> None:
    steps = funnel(tiny_snapshot, CHAIN, "K1").steps.set_index("step")
    assert steps["previous"].dropna().to_dict() == {
        "sent": "targeted", "delivered": "sent", "opened": "delivered", "clicked": "opened", "claimed": "clicked",
        "visited": "clicked", "bought": "visited", "bought_again": "bought",
    }  # fmt: skip
    assert steps.loc["opened", ["rate_overall", "rate_step"]].tolist() == [2 / 4, 2 / 3]
    assert steps.loc["visited", ["rate_overall", "rate_step"]].tolist() == [1 / 4, 1 / 2]
    assert steps.loc["targeted", "rate_overall"] == 1
    assert steps.loc["targeted", ["rate_step", "lo95", "hi95", "median_hours"]].isna().all()


def test_hours_are_counted_from_the_step_before(tiny_snapshot: Snapshot) -> None:
    hours = funnel(tiny_snapshot, CHAIN, "K1").steps.set_index("step")["median_hours"]
    assert hours["sent"] == 2  # assigned at 8, sent at 10, to everybody
    assert hours["delivered"] == pytest.approx(1 / 60)  # at once, a minute and an hour later
    assert hours["bought"] == 1  # visited at 17, bought at 18: the purchase of the morning came before the click
    assert funnel(tiny_snapshot, CHAIN).steps["median_hours"].isna().all()


def test_a_control_group_is_asked_for_no_message(tiny_snapshot: Snapshot) -> None:
    report = funnel(tiny_snapshot, CHAIN, "K1", arm="held back")
    assert {step: n for step, n in taken(report).items() if n} == {"targeted": 1, "visited": 1, "bought": 1}


def test_redeeming_and_unsubscribing_stand_beside_the_steps(tiny_snapshot: Snapshot) -> None:
    outcomes = funnel(tiny_snapshot, CHAIN, "K1").outcomes
    assert outcomes[["outcome", "customers", "rate_overall"]].to_numpy().tolist() == [
        ["redeemed", 1, 1 / 4],
        ["unsubscribed", 0, 0],  # customer 5 was not assigned
    ]


def test_stores_see_their_own_customers_and_add_up(tiny_snapshot: Snapshot) -> None:
    assert taken(funnel(tiny_snapshot, ONLY_A, "K1"))["targeted"] == 2  # 1 and 2; nobody knows a store of 6
    assert taken(funnel(tiny_snapshot, NORTH, "K1"))["targeted"] == 2  # and the control group in B
    assert taken(funnel(tiny_snapshot, Scope("stores", ("A", "C")), "K1"))["targeted"] == 3  # and 4: no region
    assert funnel(tiny_snapshot, NOTHING).steps.empty
    hours = campaigns.step_hours(Scope("stores", ("C",)), tiny_snapshot.engine, "K1", {"sent": "targeted"}, ["gift"])
    assert hours["median_hours"].tolist() == [2]


def test_places_and_single_stores_give_the_same_counts(
    tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_elsewhere, "FEWEST", 1)  # nothing is withheld for being too few
    counts = ["customers", "customers_at_least", "customers_in_order"]
    keys = ["campaign_id", "arm", "is_control", "step"]
    parts = [campaigns.funnel_steps(Scope("stores", (s,)), tiny_snapshot.engine) for s in "AB"]
    added = pd.concat(parts).groupby(keys)[counts].sum()
    north = campaigns.funnel_steps(NORTH, tiny_snapshot.engine).groupby(keys)[counts].sum()
    pd.testing.assert_frame_equal(added, north)


def test_a_campaign_nobody_was_assigned_to_counts_whoever_did_something(tiny_snapshot: Snapshot) -> None:
    report = funnel(tiny_snapshot, CHAIN, "K3")
    assert taken(report) == {"bought": 0, "bought_again": 0}
    assert report.outcomes["customers"].tolist() == [1, 0]


def test_every_campaign_is_in_the_list_with_whom_it_addresses(tiny_snapshot: Snapshot) -> None:
    found = campaigns.campaigns(CHAIN, tiny_snapshot.engine)
    assert found[["campaign_id", "name", "targeted", "held_back"]].to_numpy().tolist() == [
        ["K5", "Campaign K5", 1, 0],
        ["K1", "Campaign K1", 4, 1],
        ["K4", "Campaign K4", 1, 0],
        ["K2", "Campaign K2", 1, 0],  # without dates
        ["K3", "K3", 0, 0],  # only an event names it
    ]


@pytest.mark.parametrize(
    ("campaign", "arm", "sentence"),
    [("K9", None, "there is no campaign 'K9': the latest are K5"), ("K1", "B", "the arms are gift, held back")],
)
def test_what_does_not_exist_is_a_sentence(
    campaign: str, arm: str | None, sentence: str, tiny_snapshot: Snapshot
) -> None:
    with pytest.raises(Problem, match=sentence):
        funnel(tiny_snapshot, CHAIN, campaign, arm)


def test_nothing_that_still_runs_is_proven() -> None:
    campaigns = pd.DataFrame(
        {"state": ["running", "closed", "running", "running"], "verdict": ["worked", "worked", "hurt", "cannot_tell"]}
    )
    assert campaigns_report._so_far(campaigns).tolist() == ["ahead", "worked", "behind", "cannot_tell"]


def test_the_interval_of_a_share() -> None:
    lo, hi = wilson(pd.Series([10, 0, 5, 3]), pd.Series([100, 20, 0, 2]))
    # Textbook: 10 of 100 is 5.52 % to 17.44 %, 0 of 20 is 0 to 16.11 %; no trials or too many successes: none.
    assert [round(x, 4) for x in (lo[0], hi[0], lo[1], hi[1])] == [0.0552, 0.1744, 0, 0.1611]
    assert lo[2:].isna().all()
    assert hi[2:].isna().all()


def test_a_funnel_of_nobody_has_no_rates() -> None:
    steps = with_rates(pd.DataFrame({"campaign_id": "K", "step": ["targeted", "sent"], "customers": [0, 0]}))
    assert steps[["rate_overall", "rate_step"]].isna().all(axis=None)
    assert math.isnan(steps.loc[1, "lo95"])


# --- stock ----------------------------------------------------------------------------------------


def test_a_product_adds_up_over_the_stores(tiny_snapshot: Snapshot) -> None:
    products = stock.by_product(CHAIN, tiny_snapshot.engine).set_index("product_id")
    assert products.loc["P1"].to_dict() == {
        "on_hand": 5 + 3, "reserved": 2, "on_order": 6 + 2, "available": 8 - 2 + 8, "stores": 2, "stores_without": 0,
    }  # fmt: skip
    assert products.loc["P2", ["available", "stores_without"]].tolist() == [0, 1]
    assert stock.positions(CHAIN, tiny_snapshot.engine, ["P1"])["available"].tolist() == [5 - 2 + 8, 3]


# --- from the CRM ---------------------------------------------------------------------------------

Refreshed = Callable[..., Path]


@pytest.fixture
def refreshed(tmp_path: Path) -> Refreshed:
    """The tiny CRM with more rows, refreshed; the home folder."""

    def build(more: dict[str, list[dict[str, Any]]], *statements: str) -> Path:
        engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
        fill(engine, rows())
        with engine.begin() as connection:
            for name, table_rows in more.items():
                table = crm.tables[name]
                connection.execute(
                    insert(table),
                    [{**{c.name: None for c in table.c}, "updated_at": datetime(2026, 7, 3), **r} for r in table_rows],
                )
            for statement in statements:
                connection.execute(text(statement))
        refresh(engine, tmp_path)
        engine.dispose()
        return tmp_path

    return build


MARKETING: dict[str, list[dict[str, Any]]] = {
    "campaign": [{"campaign_id": "K", "name": "", "starts_on": date(2026, 1, 1), "ends_on": date(2026, 1, 1)}],
    "campaign_arm": [{"campaign_id": "K", "arm": "A", "is_control": False}],
    "campaign_member": [
        {"campaign_id": "K", "customer_id": "C1", "arm": "A", "assigned_at": datetime(2025, 12, 31)},
        {"campaign_id": "K", "customer_id": "stranger", "arm": "A", "assigned_at": None},
    ],
    "campaign_event": [
        {"event_id": "1", "campaign_id": "K", "customer_id": "C1", "kind": "sent", "occurred_at": datetime(2026, 1, 1)},
        {"event_id": "2", "campaign_id": "K", "customer_id": "guest", "kind": "visited"}
        | {"occurred_at": datetime(2026, 1, 1, 3)},
    ],
}


def customer_no(key: bytes, customer_id: str) -> int:
    """The first 60 bits of the keyed hash of an id."""
    return int.from_bytes(hmac.digest(key, customer_id.encode(), "sha256")[:8], "big") >> 4


def test_members_and_events_of_strangers_are_kept_under_their_number(refreshed: Refreshed) -> None:
    home = refreshed(MARKETING)
    key = secret_key(home)
    assert {number for (number,) in facts_rows(home, "campaign_member", "customer_no")} == {
        customer_no(key, "C1"),
        customer_no(key, "stranger"),
    }
    found = {
        row[0]: row[1:]
        for row in facts_rows(home, "campaign_customer", "customer_no", "arm", "store_id", "furthest", "orders")
    }
    assert found[customer_no(key, "C1")] == ("A", "S1", "bought_again", 1)  # O1; O2 is of the day after
    assert found[customer_no(key, "stranger")] == ("A", None, "targeted", 0)
    assert found[customer_no(key, "guest")] == (None, None, "visited", 0)
    assert facts_rows(home, "campaign", "name", "window_last") == [("K", date(2026, 1, 1))]


def test_the_margin_is_what_the_orders_of_the_window_earned(refreshed: Refreshed) -> None:
    home = refreshed(MARKETING)
    money = facts_rows(home, "campaign_customer", "gross_sales", "returns_of_sales", "margin", "bought_at", arm="A")
    # O1: lines of 100.10 and 50.05 that cost 40 and 20; R1 paid 20.02 back for what had cost 20. In UTC before 16:00.
    margin = Decimal("150.15") - 40 - 20 - Decimal("20.02") + 20
    assert (Decimal("150.15"), Decimal("20.02"), margin, datetime(2026, 1, 1, 15, 59, 59)) in money
    assert (Decimal(0), Decimal(0), None, None) in money


def test_what_suppliers_owe_is_what_did_not_come(refreshed: Refreshed) -> None:
    order = {"supplier_id": "V1", "store_id": "S1", "ordered_at": datetime(2026, 6, 30, 20)}
    line = {"product_id": "P1", "unit_cost": Decimal(5), "promised_on": date(2026, 7, 10)}
    home = refreshed(
        {
            "supplier": [{"supplier_id": "V1", "name": "Supplier"}],
            "purchase_order": [
                {"purchase_order_id": "PO1", "status": "open", **order},
                {"purchase_order_id": "PO2", "status": "cancelled", **order},
            ],
            "purchase_order_line": [
                {"purchase_order_id": "PO1", "line_no": 1, "quantity": 10, **line},
                {"purchase_order_id": "PO2", "line_no": 1, "quantity": 7, **line},
            ],
            "goods_receipt": [
                {"receipt_id": f"G{day}", "purchase_order_id": "PO1", "line_no": 1, "received_on": date(2026, 7, day)}
                | {"quantity": 3, "rejected": day % 2}
                for day in (1, 2)
            ],
            "stock_level": [
                {"store_id": "S1", "product_id": "P1", "on_hand": 4, "counted_at": datetime(2026, 7, 1, 15)},
                {"store_id": "S1", "product_id": "P2", "on_hand": 1, "reserved": 1, "counted_at": datetime(2026, 7, 1)},
            ],
        }
    )
    columns = ("purchase_order_id", "ordered_on", "received", "rejected", "first_received_on", "open_quantity")
    assert sorted(facts_rows(home, "purchase_line", *columns)) == [
        ("PO1", date(2026, 7, 1), 3 + 3, 1, date(2026, 7, 1), 10 - 6),  # 20:00 UTC is the next day in Shanghai
        ("PO2", date(2026, 7, 1), 0, 0, None, 0),
    ]
    assert sorted(
        facts_rows(home, "stock_position", "product_id", "on_hand", "reserved", "on_order", "available", "counted_at")
    ) == [
        ("P1", 4, 0, 4, 4 - 0 + 4, datetime(2026, 7, 1, 23)),
        ("P2", 1, 1, 0, 0, datetime(2026, 7, 1, 8)),
    ]


def test_a_crm_without_campaigns_and_stock_has_none(refreshed: Refreshed) -> None:
    names = ("goods_receipt", "purchase_order_line", "purchase_order", "stock_level", "campaign_event")
    more = ("campaign_member", "campaign_arm", "coupon_product", "coupon", "campaign_product", "campaign_store")
    home = refreshed({}, *(f"DROP TABLE {name}" for name in (*names, *more, "campaign")))
    for table in ("campaign", "campaign_customer", "campaign_step", "stock_position", "purchase_line"):
        assert facts_rows(home, table) == []


def test_a_place_with_a_campaign_of_stores_alone_has_every_column(tiny_snapshot: Snapshot) -> None:
    nobody = campaigns_report.results(tiny_snapshot, NOTHING, {}, {})
    by_stores = pd.DataFrame({"incremental": [5.0], "incremental_lo": [1.0], "incremental_hi": [9.0]})
    some = campaigns_report.results(tiny_snapshot, NOTHING, {}, {"S": by_stores.assign(verdict="worked")})
    assert list(some.columns) == list(nobody.columns)
    assert some[["campaign_id", "buyers", "incremental_margin"]].values.tolist() == [["S", 0, 5.0]]


@pytest.mark.parametrize("kind", campaign_views.LISTS)
def test_each_list_of_campaigns_is_narrow_enough_to_be_read(kind: str) -> None:
    assert len(campaign_views.columns(kind)) <= MOST_COLUMNS
