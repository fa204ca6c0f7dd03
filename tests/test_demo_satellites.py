"""The tables around the trade of the demo chain: complete, consistent with the orders, and with their planted truth."""

from collections import deque
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_access.demo.chain import build
from data_access.demo.satellites import satellites
from data_access.demo.satellites._ground import Ground, ground, rounds
from data_access.demo.satellites.ledgers import points_entry
from data_access.demo.satellites.loyalty import tier_change
from data_access.demo.world import World
from data_access.schema import crm

END = date(2026, 11, 20)
# The last instant of the last day in Shanghai.
END_UTC = pd.Timestamp("2026-11-20 15:59:59")
# What may lie ahead, because it was planned, promised or printed in a calendar.
AHEAD = {
    ("appointment", "starts_at"),
    ("follow_up", "due_on"),
    ("holiday", "day"),
    ("points_entry", "expires_on"),
    ("purchase_order_line", "promised_on"),
    ("shipment", "promised_on"),
}


@dataclass(frozen=True)
class Chain:
    core: dict[str, pd.DataFrame]
    frames: dict[str, pd.DataFrame]
    truth: dict[str, Any]
    world: World

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.frames[table] if table in self.frames else self.core[table]


def make_chain(*null: str) -> Chain:
    built = build("tiny", 1, END, frozenset(null), lambda _: None)
    frames, truth = satellites(built.core, np.random.default_rng(7), built.world, frozenset(null))
    return Chain(built.core, frames, truth, built.world)


@pytest.fixture(scope="module")
def chain() -> Chain:
    return make_chain()


@pytest.fixture(scope="module")
def plain() -> Chain:
    return make_chain("complaint_lot", "lead_time_scatter")


def test_every_table_outside_the_trade_is_filled(chain: Chain) -> None:
    elsewhere = {"data_source", "translation"} | {name for name in chain.core if not name.startswith("_")}
    assert set(chain.frames) - {"translation"} == set(crm.tables) - elsewhere
    for name, frame in chain.frames.items():
        assert len(frame) > 0, name


def test_rows_fit_their_table(chain: Chain) -> None:
    for name, frame in chain.frames.items():
        table = crm.tables[name]
        assert set(frame.columns) == {column.name for column in table.c}, name
        assert not frame.duplicated([column.name for column in table.primary_key]).any(), name
        needed = [column.name for column in table.c if not column.nullable]
        assert frame[needed].notna().all().all(), name


def test_references_exist(chain: Chain) -> None:
    checked = 0
    for name, frame in chain.frames.items():
        for column in crm.tables[name].c:
            if target := column.info.get("references"):
                table, key = target.split(".")
                unknown = set(frame[column.name].dropna()) - set(chain[table][key])
                assert not unknown, (name, column.name, sorted(unknown)[:3])
                checked += 1
    assert checked > 40


def test_nothing_happened_after_the_end(chain: Chain) -> None:
    for name, frame in chain.frames.items():
        for column in frame.select_dtypes("datetime"):
            if (name, column) not in AHEAD:
                assert not (frame[column] > END_UTC).any(), (name, column)
        assert frame["updated_at"].notna().all(), name


def test_points_follow_net_sales_and_are_used_oldest_first(chain: Chain) -> None:
    ledger = chain["points_entry"]
    net = chain["sale_line"].groupby("order_id")["net"].sum().astype(float).round(2)
    bought = ledger[(ledger["kind"] == "earn") & ledger["order_id"].notna()]
    assert bought["points"].tolist() == np.floor(net.loc[bought["order_id"]]).astype(int).tolist()
    expired = 0
    for _, entries in ledger.groupby("customer_id", sort=False):
        left: deque[list[Any]] = deque()  # [expires_on, points]
        for row in entries.itertuples():
            points = row.points
            if points > 0:
                left.append([row.expires_on, points])
                continue
            if row.kind == "expire":
                today = (row.booked_at + timedelta(hours=8)).normalize()
                assert -points == sum(lot[1] for lot in left if lot[0] <= today)
                expired += 1
            while points < 0:  # fails on an empty ledger: more used than there was
                used = min(left[0][1], -points)
                points, left[0][1] = points + used, left[0][1] - used
                if left[0][1] == 0:
                    left.popleft()
        assert all(lot[0] > pd.Timestamp(END) for lot in left)
    assert set(ledger["kind"]) >= {"earn", "burn", "adjust"}


def test_stored_value_never_falls_below_zero(chain: Chain) -> None:
    ledger = chain["stored_value_entry"]
    assert ledger.groupby("customer_id")["amount"].cumsum().min() >= -0.005
    assert (ledger.loc[ledger["kind"] == "spend", "amount"] < 0).all()
    assert (ledger.loc[ledger["kind"] == "top_up", "amount"] > 0).all()


def _spent(chain: Chain, customer: str, at: pd.Timestamp) -> float:
    """Net sales less refunds in the 365 days up to ``at``: the slow way."""
    orders = chain["sale_order"]
    start = at - pd.Timedelta(days=365)
    mine = orders[
        (orders["customer_id"] == customer)
        & (orders["kind"] == "sale")
        & orders["cancelled_at"].isna()
        & (orders["ordered_at"] > start)
        & (orders["ordered_at"] <= at)
    ]
    lines, back = chain["sale_line"], chain["return_line"]
    back = back[(back["customer_id"] == customer) & (back["returned_at"] > start) & (back["returned_at"] <= at)]
    return float(lines.loc[lines["order_id"].isin(mine["order_id"]), "net"].sum() - back["refund"].sum())


def test_tiers_follow_the_spending_of_twelve_months(chain: Chain) -> None:
    tiers = chain["tier"].set_index("tier_id")
    moves = chain["tier_change"].sort_values(["customer_id", "changed_at"])
    before = moves.groupby("customer_id")["tier_id"].shift()
    assert moves["from_tier_id"].fillna("-").tolist() == before.fillna("-").tolist()
    assert (moves.loc[before.isna(), "tier_id"] == "basic").all()
    rank = moves["tier_id"].map(tiers["rank"]) - moves["from_tier_id"].map(tiers["rank"])
    assert (rank[moves["reason"] == "upgrade"] > 0).all()
    assert (rank[moves["reason"] == "downgrade"] < 0).all()
    up = moves[moves["reason"] == "upgrade"]
    assert len(up) > 20
    for row in up.head(40).itertuples():
        assert _spent(chain, row.customer_id, row.changed_at) >= tiers.loc[row.tier_id, "threshold"] - 0.005


def test_a_tier_is_kept_until_the_review_in_january_and_then_follows_the_window() -> None:
    # One customer: 1,000 + 300 make silver (1,200), 2,300 more make gold (3,500). On 16 January 2026 only what was
    # bought after 16 January 2025 counts: 2,300 is silver again. A return of 2,000 moves nobody before the next review.
    moves = tier_change(
        _one_customer(
            bought=[("2025-01-05 04:00", 1_000.0), ("2025-01-10 04:00", 300.0), ("2025-03-01 04:00", 2_300.0)],
            returned=[("2026-02-01 04:00", 2_000.0)],
        )
    )
    assert moves["tier_id"].tolist() == ["basic", "silver", "gold", "silver"]
    assert moves["reason"].tolist() == ["join", "upgrade", "upgrade", "downgrade"]
    assert moves["changed_at"].astype(str).tolist() == [
        "2025-01-01 02:00:00",
        "2025-01-10 04:00:00",
        "2025-03-01 04:00:00",
        "2026-01-15 19:00:00",
    ]


def test_points_expire_after_two_years_unless_they_were_given_back() -> None:
    # 500.60 earns 500; a return of 200 takes 200 back; the 300 left expire 730 days after 2024-03-01.
    rules = _one_customer(
        bought=[("2024-03-01 04:00", 500.6)], returned=[("2024-03-05 04:00", 200.0)], first=date(2024, 1, 1)
    )
    entries = points_entry(rules, np.random.default_rng(0))
    entries = entries[entries["kind"] != "burn"]
    assert entries["points"].tolist() == [500, -200, -300]
    assert entries["kind"].tolist() == ["earn", "adjust", "expire"]
    assert entries["expires_on"].astype(str).tolist()[0] == "2026-03-01"
    assert entries["booked_at"].astype(str).tolist()[2] == "2026-03-01 15:00:00"


def _one_customer(
    bought: list[tuple[str, float]], returned: list[tuple[str, float]], first: date = date(2025, 1, 1)
) -> Ground:
    """A chain with one store, one person, one product and one customer; amounts excl. tax."""
    ids = [f"O{number}" for number in range(len(bought))]
    core = {
        "customer": pd.DataFrame(
            {
                "customer_id": ["C1"],
                "home_store_id": ["S1"],
                "owner_staff_id": ["E1"],
                "referrer_customer_id": [None],
                "joined_on": [pd.Timestamp(first)],
                "birthday": [pd.NaT],
                "account_type": ["person"],
                "city": ["上海"],
                "skin_type": [None],
            }
        ),
        "store": pd.DataFrame({"store_id": ["S1"], "kind": ["shop"]}),
        "staff": pd.DataFrame(
            {
                "staff_id": ["E1"],
                "role": ["adviser"],
                "home_store_id": ["S1"],
                "hired_on": [pd.Timestamp("2020-01-01")],
                "left_on": [pd.NaT],
            }
        ),
        "product": pd.DataFrame({"product_id": ["P1"]}),
        "campaign_event": pd.DataFrame(columns=["campaign_id", "customer_id", "kind", "occurred_at"]),
        "sale_order": pd.DataFrame(
            {
                "order_id": ids,
                "customer_id": "C1",
                "store_id": "S1",
                "staff_id": "E1",
                "channel": "store",
                "kind": "sale",
                "ordered_at": [pd.Timestamp(at) for at, _ in bought],
                "cancelled_at": pd.NaT,
            }
        ),
        "sale_line": pd.DataFrame(
            {
                "order_id": ids,
                "product_id": "P1",
                "lot_id": None,
                "net": [net for _, net in bought],
                "tax": [0.0 for _ in bought],
            }
        ),
        "return_line": pd.DataFrame(
            {
                "order_id": ids[-1],
                "customer_id": "C1",
                "returned_at": [pd.Timestamp(at) for at, _ in returned],
                "refund": [refund for _, refund in returned],
            }
        ),
    }
    return ground(core, SimpleNamespace(start=first, end=END), frozenset())  # type: ignore[arg-type]


def test_purchase_orders_agree_with_what_came(chain: Chain) -> None:
    lines = chain["purchase_order_line"].merge(chain["purchase_order"], on="purchase_order_id")
    received = chain["goods_receipt"].groupby(["purchase_order_id", "line_no"])[["quantity", "rejected"]].sum()
    received = received.rename(columns={"quantity": "quantity_received"})
    lines = lines.join(received, on=["purchase_order_id", "line_no"])
    came = lines["quantity_received"].notna()
    open_, cancelled = lines["status"] == "open", lines["status"] == "cancelled"
    assert open_.any()
    assert cancelled.any()
    assert not came[cancelled].any()
    assert came[lines["status"] == "received"].all()
    short = (lines["quantity"] - lines["quantity_received"])[came]
    assert (short >= 0).all()
    assert 0 < (short > 0).mean() < 0.1
    # What was accepted is what reached the shelves.
    shelves = chain["_replenishment"]
    shelves = shelves[pd.to_datetime(shelves["received_on"]) <= pd.Timestamp(END)]
    assert int((lines["quantity_received"] - lines["rejected"]).sum()) == int(shelves["quantity"].sum())
    assert lines.groupby("purchase_order_id")["supplier_id"].nunique().max() == 1
    terms = lines.merge(chain["supply_term"], on=["supplier_id", "product_id"])
    assert len(terms) == len(lines)
    assert (terms["quantity"] >= terms["minimum_quantity"]).all()
    assert (terms["quantity"] % terms["order_multiple"] == 0).all()


def _complaints(chain: Chain) -> pd.DataFrame:
    """Per lot: the orders that hold it and the share of them with a complaint about it."""
    tickets = chain["ticket"]
    complaints = tickets[tickets["is_complaint"] & tickets["lot_id"].notna()]
    sold = chain["sale_line"].dropna(subset="lot_id")[["order_id", "lot_id"]].drop_duplicates()
    about = set(zip(complaints["order_id"], complaints["lot_id"], strict=True))
    sold["complained"] = [pair in about for pair in zip(sold["order_id"], sold["lot_id"], strict=True)]
    return sold.groupby("lot_id")["complained"].agg(["size", "mean"])


def test_one_lot_is_behind_the_wave_of_complaints(chain: Chain) -> None:
    lots, bad = _complaints(chain), chain.truth["complaint_wave"]["lot_id"]
    assert bad == chain.world.complaint_lot
    others = lots.drop(bad)
    usual = float((others["size"] * others["mean"]).sum() / others["size"].sum())
    assert lots.loc[bad, "mean"] > 8 * usual
    assert lots.loc[bad, "mean"] > others.loc[others["size"] >= 15, "mean"].max()
    tickets = chain["ticket"]
    wave = tickets[tickets["is_complaint"] & (tickets["lot_id"] == bad)]
    waited = wave["opened_at"] - wave["order_id"].map(chain["sale_order"].set_index("order_id")["ordered_at"])
    assert waited.median() < pd.Timedelta(weeks=4)
    assert (wave["reason"] == "skin_reaction").mean() > 0.7


def test_without_the_lot_there_is_no_wave(plain: Chain) -> None:
    assert plain.truth["complaint_wave"]["extra_tickets"] == 0
    lots = _complaints(plain)
    assert lots.loc[lots["size"] >= 15, "mean"].max() < 0.15


def _delays(chain: Chain) -> pd.Series:
    lines = chain["goods_receipt"].merge(chain["purchase_order_line"], on=["purchase_order_id", "line_no"])
    return (lines["received_on"] - lines["promised_on"]).dt.days


def test_lead_times_scatter_unless_switched_off(chain: Chain, plain: Chain) -> None:
    assert _delays(chain).std() > 1
    assert (_delays(chain) > 0).any()
    assert (_delays(plain) == 0).all()


def test_nobody_is_contacted_without_consent(chain: Chain) -> None:
    consent = chain["consent"]
    assert len(consent[consent["withdrawn_at"].notna()]) == chain.truth["consent"]["withdrawals"] > 0
    gone = consent[(consent["purpose"] == "service")].set_index("customer_id")["withdrawn_at"].dropna()
    done = chain["follow_up"].dropna(subset="done_at")
    assert not (done["done_at"] > done["customer_id"].map(gone)).any()
    assert (consent["withdrawn_at"].isna() | (consent["withdrawn_at"] >= consent["granted_at"])).all()
    messages = chain["campaign_event"]
    messages = messages[messages["kind"] == "sent"].assign(
        consent_channel=lambda rows: np.where(rows["channel"] == "sms", "sms", "wechat")
    )
    asked = consent[consent["purpose"] == "marketing"].rename(columns={"channel": "consent_channel"})
    pairs = messages.merge(asked, on=["customer_id", "consent_channel"], how="left")
    live = (pairs["granted_at"] <= pairs["occurred_at"]) & ~(pairs["withdrawn_at"] < pairs["occurred_at"])
    assert live.groupby(pairs["event_id"]).any().all()
    assert len(messages) > 100


def test_follow_ups_come_three_days_three_weeks_and_three_months_after_a_receipt(chain: Chain) -> None:
    plans, orders = chain["follow_up"], chain["sale_order"].dropna(subset="customer_id")
    days = (orders["ordered_at"] + pd.Timedelta(hours=8)).dt.normalize()
    receipts = set(zip(orders["customer_id"], days, strict=True))
    for rule, after in {"d3": 3, "w3": 21, "m3": 91}.items():
        due = plans[plans["rule"] == rule]
        bought = pd.to_datetime(due["due_on"]) - pd.Timedelta(days=after)
        assert set(zip(due["customer_id"], bought, strict=True)) <= receipts
    overdue = pd.to_datetime(plans["due_on"]) <= pd.Timestamp(END)
    assert 0.5 < plans.loc[overdue, "done_at"].notna().mean() < 0.95
    late = (plans["done_at"] + pd.Timedelta(hours=8)).dt.normalize() > pd.to_datetime(plans["due_on"])
    assert late.any()
    assert (plans["outcome"].notna() == plans["done_at"].notna()).all()


def test_staff_act_only_while_employed(chain: Chain) -> None:
    staff = chain["staff"].set_index("staff_id")
    for name, at in (("follow_up", "done_at"), ("training_record", "completed_on"), ("recognition", "given_at")):
        rows = chain[name].dropna(subset=[at, "staff_id"])
        left = pd.to_datetime(rows["staff_id"].map(staff["left_on"])).fillna(pd.Timestamp("2200-01-01"))
        # The best seller of a month is announced in the first days of the next.
        grace = pd.Timedelta(days=35 if name == "recognition" else 1)
        assert (pd.to_datetime(rows[at]) < left + grace).all(), name


def test_the_planted_courses_are_those_of_the_world(chain: Chain) -> None:
    records = chain["training_record"]
    kinds = {kind: key for key, kind in chain.truth["course_names"].items()}
    for kind, days in (("helpful", chain.world.team.helpful_on), ("useless", chain.world.team.useless_on)):
        taken = records[records["course_id"] == kinds[kind]]
        planned = days[~np.isnat(days) & (days <= np.datetime64(END))]
        assert len(taken) > 0
        assert sorted(pd.to_datetime(taken["completed_on"])) == sorted(pd.to_datetime(planned))


def test_appointments_are_served_missed_cancelled_or_still_to_come(chain: Chain) -> None:
    booked = chain["appointment"]
    assert set(booked["status"]) == {"served", "no_show", "cancelled", "booked"}
    assert (booked["booked_at"] < booked["starts_at"]).all()
    assert ((booked["status"] == "booked") == (booked["starts_at"] > END_UTC)).all()
    assert ((booked["status"] == "served") == booked["served_at"].notna()).all()
    services = set(chain["product"].loc[chain["product"]["kind"] == "service", "product_id"])
    assert set(booked["product_id"]) <= services


def test_survey_scores_stay_on_their_scale(chain: Chain) -> None:
    answers = chain["survey_answer"]
    promoters = answers["kind"] == "nps"
    assert answers.loc[promoters, "score"].between(0, 10).all()
    assert answers.loc[~promoters, "score"].between(1, 5).all()
    assert set(answers["stage"]) == {"pre_sale", "post_sale"}
    assert 0.1 < answers["invitation_id"].notna().sum() / len(chain["survey_invitation"]) < 0.6
    sent = answers["invitation_id"].map(chain["survey_invitation"].set_index("invitation_id")["sent_at"])
    assert not (answers["answered_at"] <= sent).any()


def test_parcels_belong_to_online_orders(chain: Chain) -> None:
    parcels = chain["shipment"].merge(chain["sale_order"], on="order_id")
    online = set(chain["store"].loc[chain["store"]["kind"] == "online", "store_id"])
    assert set(parcels["store_id"]) <= online
    assert (parcels["shipped_at"].isna() | (parcels["shipped_at"] > parcels["ordered_at"])).all()
    assert (parcels["delivered_at"].isna() | (parcels["delivered_at"] > parcels["shipped_at"])).all()
    came = parcels.dropna(subset="delivered_at")
    late = (came["delivered_at"] + pd.Timedelta(hours=8)).dt.normalize() > pd.to_datetime(came["promised_on"])
    assert 0.02 < late.mean() < 0.15


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2023-01-22", "春节"),
        ("2026-02-17", "春节"),
        ("2026-02-14", "情人节"),
        ("2026-06-18", "618年中大促"),
        ("2026-08-19", "七夕"),
        ("2026-11-11", "双11"),
        ("2026-09-25", "中秋节"),
        ("2026-04-05", "清明节"),
        ("2026-05-10", "母亲节"),
        ("2027-10-01", "国庆节"),
    ],
)
def test_the_calendar_knows_the_days(chain: Chain, day: str, name: str) -> None:
    days = chain["holiday"]
    assert name in set(days.loc[days["day"] == pd.Timestamp(day), "name"])


def test_new_names_have_an_english_text(chain: Chain) -> None:
    texts = chain.frames["translation"]
    for table in ("tier", "course", "supplier", "holiday"):
        known = set(texts.loc[texts["field"] == f"{table}.name", "source_text"])
        assert set(chain[table]["name"]) <= known


@pytest.mark.parametrize(("table", "column"), [("customer_tag", "tag"), ("recognition", "reason")])
def test_what_people_write_has_an_english_text(chain: Chain, table: str, column: str) -> None:
    texts = chain.frames["translation"]
    assert set(chain[table][column]) <= set(texts.loc[texts["field"] == f"{table}.{column}", "source_text"])


def test_the_same_seed_gives_the_same_rows(chain: Chain) -> None:
    again, truth = satellites(chain.core, np.random.default_rng(7), chain.world, frozenset())
    assert truth == chain.truth
    for name, frame in chain.frames.items():
        pd.testing.assert_frame_equal(frame, again[name])


def test_rounds_take_every_owner_one_row_further() -> None:
    owner = np.array([4, 4, 4, 7, 9, 9])
    steps = [sorted(rows.tolist()) for rows in rounds(owner)]
    assert steps == [[0, 3, 4], [1, 5], [2]]
