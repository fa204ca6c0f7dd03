"""Imports of the real files, checked with plain SQL on the loaded database against figures computed elsewhere."""

import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_access.crm import crm_engine
from data_access.importer import ImportReport, import_files
from tests.shared_data import shared_data

Loaded = tuple[ImportReport, sqlite3.Connection, dict[str, Any]]


def _load(folder: Path, mapping: str, files: list[Path], *, again: bool = True) -> Loaded:
    """Imports ``files`` into a new database, twice when ``again``, and opens it."""
    source = shared_data(mapping)
    path = folder / f"{mapping}.sqlite"
    engine = crm_engine(f"sqlite:///{path}")
    report = import_files(engine, mapping, files, quarantine=folder)
    if again:
        repeat = import_files(engine, mapping, list(reversed(files)), quarantine=folder)
        assert [(t.table, t.inserted, t.changed) for t in repeat.tables if t.inserted or t.changed] == []
    engine.dispose()
    return report, sqlite3.connect(path), json.loads((source / "golden.json").read_text())


def _one(database: sqlite3.Connection, sql: str) -> Any:
    row = database.execute(sql).fetchone()
    return row[0] if len(row) == 1 else row


# --- Online Retail --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def online_retail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    files = [shared_data("online_retail") / "online_retail.parquet"]
    loaded = _load(tmp_path_factory.mktemp("online_retail"), "online_retail", files)
    # An order counts when its net amount is positive: those worth 0.00 are excluded as zero-value.
    loaded[1].execute(
        "CREATE TEMP VIEW counted AS SELECT order_id, customer_id, ordered_at, sum(net) AS net "
        "FROM sale_order JOIN sale_line USING (order_id) GROUP BY 1, 2, 3 HAVING sum(net) > 0"
    )
    yield loaded
    loaded[1].close()


def test_online_retail_reconciles_to_the_cent(online_retail: Loaded) -> None:
    report, database, golden = online_retail
    raw = golden["raw"]
    cents = Decimal("0.01")
    assert report.read.rows == raw["rows"]
    assert report.read.amount.quantize(cents) == Decimal(str(raw["net_amount_all_rows"]))
    assert {step.label: step.amount.quantize(cents) for step in report.loaded} == {
        "gross sales": Decimal(str(golden["total_revenue"])),
        "returns": Decimal(str(raw["cancel_amount"])),
    }
    assert [(step.rows, step.amount) for step in report.quarantined] == [(2, Decimal("-22124.12"))]
    assert report.difference == 0
    assert round(_one(database, "SELECT sum(net) FROM sale_line"), 2) == golden["total_revenue"]
    assert round(_one(database, "SELECT sum(refund) FROM return_line"), 2) == -raw["cancel_amount"]


def test_online_retail_keeps_every_row(online_retail: Loaded) -> None:
    report, database, golden = online_retail
    raw = golden["raw"]
    assert _one(database, "SELECT count(*) FROM return_line") == raw["cancel_rows"]
    assert _one(database, "SELECT count(DISTINCT return_id) FROM return_line") == raw["cancel_invoices"]
    assert _one(database, "SELECT count(*) FROM sale_line WHERE net > 0") == golden["lines"]
    assert _one(database, "SELECT count(*) FROM product") == raw["stockcodes"]
    assert _one(database, "SELECT count(*) FROM store") == raw["countries"]
    assert _one(database, "SELECT count(*) FROM customer") == raw["customers_nonnull"]
    lines = sum(_one(database, f"SELECT count(*) FROM {t}") for t in ("sale_line", "return_line", "stock_movement"))
    assert lines == report.loaded_rows == raw["rows"] - 2


def test_online_retail_orders_and_months_are_the_golden_ones(online_retail: Loaded) -> None:
    _, database, golden = online_retail
    assert _one(database, "SELECT count(*) FROM counted") == golden["orders"]
    # Midnight of a month's end in London is the same instant or an hour earlier in UTC, and no order is that late.
    months = database.execute(
        "SELECT substr(ordered_at, 1, 7), round(sum(net), 2), count(*), count(DISTINCT customer_id) "
        "FROM counted GROUP BY 1"
    ).fetchall()
    assert {month: {"revenue": net, "orders": n, "customers": c} for month, net, n, c in months} == {
        month: {key: figures[key] for key in ("revenue", "orders", "customers")}
        for month, figures in golden["monthly"].items()
    }


def test_online_retail_known_customers_are_the_golden_ones(online_retail: Loaded) -> None:
    _, database, golden = online_retail
    customers, orders, net = _one(
        database,
        "SELECT count(DISTINCT customer_id), count(*), round(sum(net), 2) FROM counted WHERE customer_id IS NOT NULL",
    )
    assert (customers, orders, net) == (
        golden["customers"],
        golden["orders_with_customer"],
        golden["revenue_with_customer"],
    )


def test_online_retail_products_carry_their_usual_name(online_retail: Loaded) -> None:
    _, database, golden = online_retail
    names = dict(database.execute("SELECT product_id, name FROM product").fetchall())
    for best in golden["top10_products_by_revenue"]:
        assert names[best["product"]] == best["name"]


def test_online_retail_in_parts_gives_the_same_database(tmp_path: Path) -> None:
    rows = pq.read_table(shared_data("online_retail") / "online_retail.parquet").slice(0, 20_000)
    dumps = []
    for name, imports in _cuts(rows).items():
        folder = tmp_path / name
        folder.mkdir()
        engine = crm_engine(f"sqlite:///{folder / 'crm.sqlite'}")
        for number, parts in enumerate(imports):
            files = [folder / f"{number}-{part}.parquet" for part in range(len(parts))]
            for file, part in zip(files, parts, strict=True):
                pq.write_table(part, file)
            import_files(engine, "online_retail", files, quarantine=folder)
        engine.dispose()
        dumps.append(_dump(folder / "crm.sqlite"))
    assert all(dump == dumps[0] for dump in dumps[1:])


def _cuts(rows: pa.Table) -> dict[str, list[list[pa.Table]]]:
    """The same rows as one import or several of one file or several: whole, cut, overlapping, alternating."""
    n = rows.num_rows
    odd, even = rows.take(pa.array(range(0, n, 2))), rows.take(pa.array(range(1, n, 2)))
    first, second = rows.slice(0, n // 2 + 7), rows.slice(n // 2 + 7)
    early, late = rows.slice(0, 12_503), rows.slice(10_007)
    return {
        "whole": [[rows]],
        "two files": [[first, second]],
        "two imports": [[first], [second]],
        "alternating": [[odd, even]],
        "overlapping files": [[early, late]],
        "overlapping imports": [[late], [early]],
    }


def _dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the database says about trade; names of products and numbers of lines may depend on the imports' order."""
    queries = {
        "lines": "SELECT order_id, product_id, quantity, net, count(*) FROM sale_line GROUP BY 1, 2, 3, 4",
        "returns": "SELECT return_id, product_id, quantity, refund, count(*) FROM return_line GROUP BY 1, 2, 3, 4",
        "orders": "SELECT order_id, customer_id, store_id, ordered_at FROM sale_order",
        "movements": "SELECT product_id, quantity, moved_at FROM stock_movement",
        "products": "SELECT product_id FROM product",
        "customers": "SELECT customer_id FROM customer",
    }
    database = sqlite3.connect(path)
    dump = {name: sorted(database.execute(query).fetchall(), key=repr) for name, query in queries.items()}
    database.close()
    return dump


# --- CDNOW ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", ["master", "sample"])
def test_cdnow_gives_one_order_per_customer_and_day(edition: str, tmp_path: Path) -> None:
    files = [shared_data("cdnow") / f"cdnow_{edition}.parquet"]
    report, database, editions = _load(tmp_path, "cdnow", files)
    golden = editions[f"{edition}_orders=distinct customer-day"]
    assert report.difference == 0
    assert report.read.amount == report.loaded_amount == Decimal(str(golden["total_revenue"]))
    assert _one(database, "SELECT count(*) FROM sale_line") == golden["lines"]
    assert _one(database, "SELECT count(*) FROM sale_order") == golden["orders"]
    assert _one(database, "SELECT count(*) FROM customer") == golden["customers"]
    months = database.execute(
        "SELECT substr(ordered_at, 1, 7), round(sum(net), 2), count(DISTINCT order_id) "
        "FROM sale_order JOIN sale_line USING (order_id) GROUP BY 1"
    ).fetchall()
    assert {month: (net, orders) for month, net, orders in months} == {
        month: (figures["revenue"], figures["orders"]) for month, figures in golden["monthly"].items()
    }
    database.close()


def test_the_cdnow_sample_adds_nothing_to_the_master(tmp_path: Path) -> None:
    folder = shared_data("cdnow")
    files = [folder / "cdnow_sample.parquet", folder / "cdnow_master.parquet"]
    report, database, golden = _load(tmp_path, "cdnow", files, again=False)
    assert report.repeated.rows == golden["sample_orders=distinct customer-day"]["lines"]
    assert _one(database, "SELECT count(*) FROM sale_line") == golden["master_orders=distinct customer-day"]["lines"]
    database.close()


# --- Complete Journey -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def complete_journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    files = sorted(shared_data("complete_journey").glob("*.parquet"))
    loaded = _load(tmp_path_factory.mktemp("complete_journey"), "complete_journey", files)
    yield loaded
    loaded[1].close()


def test_complete_journey_sales_are_the_golden_ones(complete_journey: Loaded) -> None:
    report, database, everything = complete_journey
    golden = everything["sample_2017"]
    assert report.difference == 0
    assert report.quarantined == ()
    assert report.loaded_amount == Decimal(str(golden["total_revenue"]))
    assert _one(database, "SELECT count(*) FROM sale_line") == golden["lines"]
    assert _one(database, "SELECT count(*) FROM sale_order") == golden["orders"]
    assert _one(database, "SELECT count(DISTINCT customer_id) FROM sale_order") == golden["customers"]
    assert _one(database, "SELECT count(*) FROM store") == 308
    assert _one(database, "SELECT min(ordered_at) FROM sale_order").startswith(golden["date_min"])
    assert _one(database, "SELECT max(ordered_at) FROM sale_order").startswith(golden["date_max"])
    cosmetics = _one(
        database,
        "SELECT count(*), round(sum(net), 2) FROM sale_line JOIN product USING (product_id) "
        "WHERE category = 'COSMETICS'",
    )
    assert cosmetics == (304, 1361.53)
    assert _one(database, "SELECT count(*) FROM product WHERE category = 'COSMETICS'") == 3011


def test_complete_journey_campaigns_are_the_published_ones(complete_journey: Loaded) -> None:
    _, database, _ = complete_journey
    assert _one(database, "SELECT count(*) FROM campaign WHERE starts_on IS NOT NULL") == 27
    assert _one(database, "SELECT count(*), count(DISTINCT customer_id) FROM campaign_member") == (6589, 1559)
    assert _one(database, "SELECT count(DISTINCT coupon_code) FROM coupon") == 981
    redeemed = "FROM campaign_event WHERE kind = 'redeemed'"
    assert _one(database, f"SELECT count(*), count(DISTINCT customer_id) {redeemed}") == (2102, 410)
    per_campaign = {
        campaign: (targeted, households, redemptions)
        for campaign, targeted, households, redemptions in database.execute(
            "SELECT campaign_id, (SELECT count(*) FROM campaign_member m WHERE m.campaign_id = c.campaign_id), "
            f"(SELECT count(DISTINCT customer_id) {redeemed} AND campaign_id = c.campaign_id), "
            f"(SELECT count(*) {redeemed} AND campaign_id = c.campaign_id) FROM campaign c"
        )
    }
    assert per_campaign["8"] == (1076, 158, 372)
    assert per_campaign["13"] == (1077, 196, 629)
    assert per_campaign["24"] == (12, 0, 0)
    months = database.execute(
        f"SELECT count(*) {redeemed} GROUP BY substr(occurred_at, 1, 7) ORDER BY substr(occurred_at, 1, 7)"
    )
    assert [n for (n,) in months] == [19, 44, 32, 20, 268, 155, 47, 424, 223, 70, 526, 274]


def test_joining_redemptions_to_coupons_does_not_multiply_them(complete_journey: Loaded) -> None:
    _, database, _ = complete_journey
    joined = _one(
        database,
        "SELECT count(*) FROM campaign_event e LEFT JOIN coupon USING (campaign_id, coupon_code) "
        "WHERE e.kind = 'redeemed'",
    )
    assert joined == 2102


def test_complete_journey_totals_become_metrics(complete_journey: Loaded) -> None:
    _, database, everything = complete_journey
    golden = everything["full_2yr_third_party_aggregates"]
    total = "SELECT count(*), round(sum(value), 2) FROM customer_metric WHERE metric = 'spend_total'"
    assert _one(database, total) == (golden["households"], golden["sales_total"])
    prices = _one(
        database,
        "SELECT max(abs(quantity * list_price - discount - net)) FROM sale_line WHERE list_price IS NOT NULL",
    )
    assert prices < 0.00005


# --- Hillstrom ------------------------------------------------------------------------------------


def test_hillstrom_arms_visits_and_spend_are_the_golden_ones(tmp_path: Path) -> None:
    files = [shared_data("hillstrom") / "hillstrom.parquet"]
    report, database, golden = _load(tmp_path, "hillstrom", files, again=False)
    assert report.difference == 0
    arms = database.execute(
        "SELECT arm, is_control, count(*), count(visit), count(spend), round(sum(spend), 2) "
        "FROM campaign_member m JOIN campaign_arm USING (campaign_id, arm) "
        "LEFT JOIN (SELECT customer_id, 1 AS visit FROM campaign_event WHERE kind = 'visited') USING (customer_id) "
        "LEFT JOIN (SELECT customer_id, sum(net) AS spend FROM sale_order JOIN sale_line USING (order_id) GROUP BY 1) "
        "USING (customer_id) GROUP BY 1, 2"
    ).fetchall()
    assert {arm: figures for arm, _, *figures in arms} == {
        arm: [g["n"], g["visits"], g["conversions"], g["spend_total"]] for arm, g in golden["arms"].items()
    }
    assert [arm for arm, is_control, *_ in arms if is_control] == ["No E-Mail"]
    sent = _one(database, "SELECT count(*) FROM campaign_event WHERE kind = 'sent'")
    assert sent == golden["arms"]["Mens E-Mail"]["n"] + golden["arms"]["Womens E-Mail"]["n"]
    history = _one(database, "SELECT count(*) FROM customer_metric WHERE metric = 'history'")
    assert history == golden["rows"]
    database.close()
