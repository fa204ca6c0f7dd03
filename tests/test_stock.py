"""Stock: the history of a shelf by hand, and on the demo chain: planted stock-outs, the expiry cap, transfers."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access.queries import places, stock
from data_access.scope import Scope
from data_access.snapshot import Snapshot, current_snapshot
from models.batch import batch
from models.calc.demand_rates import expected_above, probability_above
from models.calc.expiry import unsold
from models.jobs.stock import JOB
from models.reports import tables
from models.reports.shelves import SERVICE_LEVEL, Shelves, kept, shelves
from models.reports.stock import LISTS, StockReport, planned, shelf, whole_list
from models.reports.stock import stock as capped_report
from tests import tiny, two_chains
from tests.test_truth import Chain, build
from tests.tiny import CHAIN, ONLY_A

DAY = date(2026, 3, 1)


def report_of(snapshot: Snapshot, scope: Scope, category: str | None = None) -> StockReport:
    """The report with all rows of every list."""
    return capped_report(snapshot, scope, category=category, rows=None)


def day(number: int) -> date:
    return DAY + timedelta(days=number)


# --- the history of a shelf -----------------------------------------------------------------------------------------

# Product P1 in store A: 5 on day 0; 3 sold on day 2; 2 on day 3, so empty until 4 come on day 6, but for one that came
# back on day 5 and was thrown away; 1 sold on day 8.
MOVES = [
    (0, "opening", 5), (2, "sale", -3), (3, "sale", -2), (5, "return", 1), (5, "write_off", -1), (6, "receipt", 4),
    (8, "sale", -1),
]  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    content = tiny._rows()
    content["stock_movement"] = [
        {"store_id": "A", "product_id": "P1", "day": day(number), "kind": kind, "quantity": quantity}
        for number, kind, quantity in MOVES
    ] + [{"store_id": "B", "product_id": "P1", "day": DAY, "kind": "opening", "quantity": 2}]
    content["stock_level"] = [
        {"store_id": "A", "product_id": "P1", "on_hand": 3, "reserved": 0},
        {"store_id": "B", "product_id": "P1", "on_hand": 1, "reserved": 0},
    ]
    return two_chains.build(tmp_path_factory.mktemp("ledger") / "facts.duckdb", content)


def test_a_shelf_is_empty_from_the_day_after_the_last_unit_to_the_day_before_the_next(ledger: Engine) -> None:
    spells = stock.empty_spells(ONLY_A, ledger, DAY, day(9))
    assert [spells[name].dt.date.tolist() for name in ("begins", "ends")] == [[day(4), day(5)], [day(4), day(5)]]
    assert stock.empty_spells(ONLY_A, ledger, day(6), day(9)).empty


def test_the_stock_of_each_day_adds_up(ledger: Engine) -> None:
    # days 0 and 1: 5; day 2: 2; days 3 to 5: 0; days 6 and 7: 4; days 8 and 9: 3
    assert stock.unit_days(ONLY_A, ledger, DAY, day(9))["unit_days"].tolist() == [5 + 5 + 2 + 4 + 4 + 3 + 3]
    assert stock.unit_days(ONLY_A, ledger, day(7), day(8))["unit_days"].tolist() == [4 + 3]


def test_what_is_there_is_of_the_latest_deliveries(ledger: Engine) -> None:
    found = stock.ages(ONLY_A, ledger, day(9))
    assert found[["days", "units"]].to_numpy().tolist() == [[3, 3]]


def test_flows_of_a_period(ledger: Engine) -> None:
    found = stock.flows(ONLY_A, ledger, day(3), day(9))
    figures = found[["received", "sold", "returned", "written_off", "moved"]].to_numpy().tolist()
    assert figures == [[4, 2 + 1, 1, 1, 4 - 2 - 1]]


def test_a_shelf_whose_movements_do_not_add_up_is_an_exception(ledger: Engine) -> None:
    found = stock.ledger_exceptions(CHAIN, ledger)
    assert found.to_dict("records") == [
        {"store_id": "B", "product_id": "P1", "moved": 2, "on_hand": 1, "difference": -1}
    ]


# --- expiry ---------------------------------------------------------------------------------------------------------


def test_the_first_lot_to_expire_is_sold_first() -> None:
    shelf = np.array([0, 0, 0, 1])
    left = np.array([30.0, -2.0, 10.0, np.inf])
    # 4 are sold within 10 days and 9 within 30: of the 6 of the second lot 2 are left, of the 8 of the third 8 - 5
    found = unsold(shelf, left, np.array([8.0, 1.0, 6.0, 50.0]), np.array([9.0, 0.0, 4.0, np.inf]))
    assert found.tolist() == [8 - (9 - 4), 1, 6 - 4, 0]


# --- the demo chain -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stock")


@pytest.fixture(scope="module")
def demo(home: Path) -> Chain:
    return build(home, scale="tiny", seed=1)


@pytest.fixture(scope="module")
def computed(demo: Chain, home: Path) -> Snapshot:
    """The same with the results of the batch."""
    assert batch(home, jobs=[JOB])
    return current_snapshot(home)


@pytest.fixture(scope="module")
def found(demo: Chain) -> Shelves:
    rows = shelves(demo.snapshot, CHAIN)
    assert rows is not None
    return rows


def test_planted_stock_outs_are_found_on_every_day(demo: Chain) -> None:
    last = demo.snapshot.info.last_day
    assert last is not None
    spells = stock.empty_spells(CHAIN, demo.snapshot.engine, date(2020, 1, 1), last)
    runs = zip(spells["store_id"], spells["product_id"], spells["begins"], spells["ends"], strict=True)
    empty = {(one, what, each) for one, what, begins, ends in runs for each in pd.date_range(begins, ends)}
    assert demo.truth["stock_outs"]
    for planted in demo.truth["stock_outs"]:
        days = pd.date_range(planted["first_day"], planted["last_day"])
        assert all((planted["store_id"], planted["product_id"], each) in empty for each in days), planted


def test_no_order_is_more_than_sells_before_it_expires(found: Shelves) -> None:
    rows = found.shelves[found.shelves["suggested_quantity"] > 0]
    position = rows["on_hand"] - rows["expiring_units"] - rows["reserved"] + rows["on_order"]
    known = rows["sellable"].notna()
    assert known.any()
    assert (position + rows["suggested_quantity"])[known].le(rows["sellable"][known] + 1e-9).all()


def test_overstock_is_not_ordered(found: Shelves) -> None:
    both = (found.shelves["overstock_units"] > 0) & (found.shelves["suggested_quantity"] > 0)
    assert not both.any()


def test_a_warning_is_what_an_order_of_today_does_not_help_in_all_likelihood(demo: Chain, found: Shelves) -> None:
    warned = report_of(demo.snapshot, CHAIN).warnings
    free = warned["on_hand"] - warned["reserved"]
    assert ((free <= 0) | (warned["stockout_probability"] >= 0.5)).all()
    assert warned["money_at_risk"].is_monotonic_decreasing
    # The demo chain orders for the weeks to come: most of its shelves want nothing but their usual order.
    assert 0 < len(warned) < 0.1 * len(found.shelves)


def test_transfers_create_no_risk_at_the_donor_and_save_sales_at_the_receiver(demo: Chain, found: Shelves) -> None:
    names = places.stores(CHAIN, demo.snapshot.engine).set_index("store_id")["store"]
    moved = planned(found, stock.lanes(CHAIN, demo.snapshot.engine), names)
    assert len(moved)
    keys = ["store_id", "product_id"]
    given = moved.groupby(["from_store", "product_id"])["quantity"].sum().rename_axis(keys)
    got = moved.groupby(["to_store", "product_id"])["quantity"].sum().rename_axis(keys)
    rows = found.shelves.set_index(keys)
    change = got.reindex(rows.index, fill_value=0) - given.reindex(rows.index, fill_value=0)
    free = (rows["on_hand"] - rows["reserved"] - rows["expired_units"]).clip(lower=0).to_numpy(dtype=np.float64)
    protection = (rows["lead_time_days"] + rows["review_days"]).to_numpy(dtype=np.float64)
    mean, variance = found.outlook.over(protection)
    variance = variance + (found.outlook.rate * rows["lead_time_sd"].to_numpy(dtype=np.float64)) ** 2
    donors = rows.index.isin(given.index)
    after = free + change.to_numpy(dtype=np.float64)
    # What is left still lasts until a new order would be there, in nine of ten cases.
    assert (probability_above(after, mean, variance)[donors] <= 0.1 + 1e-9).all()
    wait = found.outlook.over(rows["until_receipt"].to_numpy(dtype=np.float64))
    lost_before, lost_after = (expected_above(units, *wait)[~donors] for units in (free, after))
    assert (lost_after <= lost_before).all()
    receivers = rows.index[~donors].isin(got.index)
    assert lost_after[receivers].sum() < 0.9 * lost_before[receivers].sum()
    assert moved["saving"].sum() > 0


def test_the_batch_keeps_what_the_report_would_compute(demo: Chain, computed: Snapshot) -> None:
    assert kept(computed, CHAIN) is not None
    from_batch, live = tables(report_of(computed, CHAIN)), tables(report_of(demo.snapshot, CHAIN))
    for name, frame in live.items():
        pd.testing.assert_frame_equal(from_batch[name], frame, check_dtype=False, rtol=1e-9, obj=name)


def test_lists_are_cut_and_can_be_read_whole(demo: Chain, computed: Snapshot) -> None:
    every = report_of(demo.snapshot, CHAIN)
    for snapshot in (demo.snapshot, computed):
        cut = capped_report(snapshot, CHAIN, rows=2)
        for name in LISTS:
            pd.testing.assert_frame_equal(getattr(cut, name), getattr(every, name).head(2), check_dtype=False)
        assert cut.cut == {name for name in LISTS if len(getattr(every, name)) > 2}
        exactly = len(every.warnings)
        assert "warnings" not in capped_report(snapshot, CHAIN, rows=exactly).cut
        assert "warnings" in capped_report(snapshot, CHAIN, rows=exactly - 1).cut
    whole = {name: whole_list(computed, CHAIN, name) for name in LISTS}
    assert {name: len(rows) for name, rows in whole.items()} == {name: len(getattr(every, name)) for name in LISTS}
    assert len(whole["orders"]) > 2


def test_a_shelf_is_what_its_row_on_a_list_says_and_none_is_missing(demo: Chain, computed: Snapshot) -> None:
    every = report_of(demo.snapshot, CHAIN)
    row = every.warnings.iloc[0]
    store = Scope("stores", (row["store_id"],))
    for snapshot, scope in ((demo.snapshot, CHAIN), (computed, store)):
        rows = shelf(snapshot, scope, row["product_id"]).set_index("store_id", drop=False)
        found = rows.loc[row["store_id"], list(every.warnings)]
        pd.testing.assert_series_equal(found, row, check_names=False, check_dtype=False, rtol=1e-9)
    lies = every.overstock.iloc[0]
    found = shelf(computed, CHAIN, lies["product_id"]).set_index("store_id").loc[lies["store_id"]]
    assert found["overstock_units"] == lies["overstock_units"]
    assert shelf(computed, store, "nothing").empty


def test_of_one_category_every_table_and_card_is_of_its_products_alone(computed: Snapshot) -> None:
    every = report_of(computed, CHAIN)
    category = every.categories["category"].iloc[0]
    mine = set(every.products.loc[every.products["category"] == category, "product_id"])
    part = report_of(computed, CHAIN, category=category)
    for name in ("warnings", "orders", "transfers", "overstock", "expiring", "products", "lost", "exceptions"):
        rows = getattr(every, name)
        assert len(getattr(part, name)) == int(rows["product_id"].isin(mine).sum()), name
    assert set(part.products["product_id"]) == mine
    value = every.categories.set_index("category")["stock_value"]
    assert part.kpis.set_index("key")["value"]["stock_value"] == pytest.approx(value[category])
    assert part.ageing["stock_value"].sum() < every.ageing["stock_value"].sum()


def test_a_store_sees_the_transfers_to_it_and_nothing_of_others(computed: Snapshot) -> None:
    every = report_of(computed, CHAIN).transfers
    mine = every["to_store"].iloc[0]
    found = report_of(computed, Scope("stores", (mine,)))
    assert len(found.transfers) == int((every["to_store"] == mine).sum())
    assert set(found.transfers["store_id"]) == {mine}
    assert set(found.warnings["store_id"]) <= {mine}


def test_a_chain_without_stock_has_an_empty_report(tiny_snapshot: Snapshot) -> None:
    found = report_of(tiny_snapshot, Scope("stores", ()))
    assert found.as_of is None
    assert found.service_level == SERVICE_LEVEL
    assert found.kpis["value"].isna().all()
    assert all(frame.empty for name, frame in tables(found).items() if name != "kpis")
