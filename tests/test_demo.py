"""The demo chain: whole, consistent and repeatable."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Table, func, inspect, select

from data_access.bulk import append
from data_access.crm import crm_engine, is_demo, prepare
from data_access.demo import write_demo
from data_access.demo.names import CAMPAIGN_THEMES
from data_access.demo.store_campaign import CAMPAIGN_ID
from data_access.errors import Problem
from data_access.schema import crm
from data_access.vault.rows import SEALED
from data_access.vault.tables import vault_tables
from tests.demo_chain import END, Written, local_day, write
from tests.unsealed import unsealed

LAST_INSTANT = pd.Timestamp("2026-11-20 15:59:59")  # UTC, the last second of the day in China
NAMED = (
    "region.name",
    "store.name",
    "store.city",
    "product.name",
    "product.brand",
    "product.category",
    "product.subcategory",
    "campaign.name",
    "campaign.offer",
    "tier.name",
    "course.name",
    "supplier.name",
    "holiday.name",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Written:
    return write(folder, "tiny", scale="tiny", seed=1)


def assert_same(left: Written, right: Written) -> None:
    with left.engine.connect() as one, right.engine.connect() as other:
        for table in crm.sorted_tables:
            if table.name in SEALED:  # sealed anew each time
                pd.testing.assert_frame_equal(unsealed(left.engine, table.name), unsealed(right.engine, table.name))
                continue
            everything = f"SELECT * FROM {table.name}"
            assert one.exec_driver_sql(everything).all() == other.exec_driver_sql(everything).all(), table.name
    assert left.truth == right.truth


# --- writing --------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_rows_and_truth_and_another_seed_others(folder: Path, tiny: Written) -> None:
    assert_same(tiny, write(folder, "again", scale="tiny", seed=1))
    other = write(folder, "other", scale="tiny", seed=2)
    assert not tiny.read("sale_line").equals(other.read("sale_line"))
    assert tiny.truth["staff_skill"] != other.truth["staff_skill"]


def test_an_earlier_demo_is_replaced(folder: Path, tiny: Written) -> None:
    replaced = write(folder, "replaced", scale="tiny", seed=2)
    assert_same(tiny, write(folder, "replaced", scale="tiny", seed=1))
    assert is_demo(replaced.engine)


@pytest.mark.parametrize("source", [None, "import"], ids=["rows without a source", "an import"])
def test_somebody_elses_data_is_left_alone(tmp_path: Path, source: str | None) -> None:
    engine = crm_engine(f"sqlite:///{tmp_path / 'crm.sqlite'}")
    prepare(engine)
    with engine.begin() as connection:
        append(connection, crm.tables["region"], pd.DataFrame({"region_id": ["north"], "name": ["North"]}))
        if source:
            row = {"source_id": "1", "kind": source, "name": "till", "loaded_at": pd.Timestamp("2026-01-01")}
            append(connection, crm.tables["data_source"], pd.DataFrame([row]))
    with pytest.raises(Problem, match="not a demo chain"):
        write_demo(engine, scale="tiny", truth_path=tmp_path / "truth.json")
    with engine.connect() as connection:
        assert connection.scalars(select(crm.tables["region"].c.name)).all() == ["North"]
    assert not (tmp_path / "truth.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"scale": "huge"}, "no demo scale 'huge'"), ({"scale": "tiny", "null": ["gravity"]}, "no effect gravity")],
)
def test_unknown_arguments_are_named(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(Problem, match=message):
        write(tmp_path, "crm", **arguments)


@pytest.mark.database
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_a_database_server_holds_the_same_chain(
    request: pytest.FixtureRequest, folder: Path, tiny: Written, server: str
) -> None:
    engine = crm_engine(request.getfixturevalue(f"{server}_url"))
    summary = write_demo(engine, scale="tiny", seed=1, end=END, truth_path=folder / f"{server}.json")
    served = Written(engine, json.loads(summary.truth_path.read_text("utf-8")), summary)
    assert summary.rows == tiny.summary.rows
    assert served.truth == tiny.truth
    for name in ("product", "sale_line", "campaign_event", "stock_movement", "store_traffic"):
        key = [column.name for column in crm.tables[name].primary_key]
        here, there = (chain.read(name).sort_values(key, ignore_index=True) for chain in (tiny, served))
        pd.testing.assert_frame_equal(here, there, check_dtype=False, obj=name)
    engine.dispose()


def test_the_source_row_says_what_was_written(tiny: Written) -> None:
    source = tiny.read("data_source").iloc[0]
    assert (source["kind"], source["name"], source["currency"]) == ("demo", "tiny", "CNY")
    assert json.loads(source["details"]) == {"seed": 1, "start": "2025-09-21", "end": "2026-11-20", "null": []}
    assert source["rows_loaded"] == sum(tiny.summary.rows.values()) - 1
    assert source["amount_loaded"] == tiny.read("sale_line")["net"].sum()


# --- whole and consistent -------------------------------------------------------------------------


def test_every_table_is_filled(tiny: Written) -> None:
    assert set(tiny.summary.rows) == set(crm.tables)
    assert [name for name, rows in tiny.summary.rows.items() if rows == 0] == []
    assert all(len(tiny.read(name)) == rows for name, rows in tiny.summary.rows.items())


@pytest.mark.parametrize("table", crm.sorted_tables, ids=lambda table: table.name)
def test_every_row_was_updated_at_an_instant_before_the_end(tiny: Written, table: Table) -> None:
    query = select(func.count(), func.count(table.c.updated_at), func.max(table.c.updated_at))
    with tiny.engine.connect() as connection:
        rows, stamped, newest = connection.execute(query).one()
    assert stamped == rows
    assert newest <= LAST_INSTANT


def test_only_the_dirty_rows_point_nowhere(tiny: Written) -> None:
    orphans = {}
    for table in crm.sorted_tables:
        frame = tiny.read(table.name)
        for column in table.c:
            if target := column.info.get("references"):
                other, key = target.split(".")
                lost = frame[column.name].dropna()
                lost = lost[~lost.isin(tiny.read(other)[key])]
                if len(lost):
                    orphans[f"{table.name}.{column.name}"] = set(lost)
    assert orphans == {"sale_order.store_id": {"S999"}, "sale_line.product_id": {"P9999"}}


def test_the_dirty_rows_are_those_the_truth_lists(tiny: Written) -> None:
    dirty = tiny.truth["dirty_rows"]
    orders, lines, customers = tiny.read("sale_order"), tiny.read("sale_line"), tiny.read("customer")
    assert orders.loc[orders["store_id"] == "S999", "order_id"].tolist() == dirty["unknown_store"]["order_ids"]
    unknown = lines.loc[lines["product_id"] == "P9999", ["order_id", "line_no"]]
    assert unknown.to_numpy().tolist() == dirty["unknown_product"]["lines"]
    ancient = customers["birthday"].astype(str) == "1900-01-01"
    assert set(customers.loc[ancient, "customer_id"]) == set(dirty["impossible_birthdays"])
    phones = customers.set_index("customer_id")["phone"]
    twins = phones[phones.duplicated(keep=False)]
    assert set(twins.index) == {*dirty["duplicate_profiles"], *dirty["duplicate_profiles"].values()}
    assert all(phones[twin] == phones[original] for twin, original in dirty["duplicate_profiles"].items())


def test_the_money_of_every_line_adds_up_to_the_cent(tiny: Written) -> None:
    lines = tiny.read("sale_line")
    money = lines[["list_price", "discount", "net", "tax"]].astype(float) * 100
    cents = money.round().astype("int64")
    assert (cents - money).abs().to_numpy().max() < 1e-6
    paid = lines["quantity"].astype("int64") * cents["list_price"] - cents["discount"]
    assert (paid == cents["net"] + cents["tax"]).all()
    # 13 % value added tax, rounded per line.
    assert ((cents["net"] * 0.13 - cents["tax"]).abs() <= 1).all()
    assert (cents["discount"] >= 0).all()


def test_returns_refund_at_most_what_was_paid_and_some_lost_their_receipt(tiny: Written) -> None:
    returns, lines = tiny.read("return_line"), tiny.read("sale_line")
    linked = returns[returns["order_id"].notna()]
    assert 0 < len(linked) < len(returns)
    assert linked["order_line_no"].notna().all()
    assert returns.loc[returns["order_id"].isna(), "order_line_no"].isna().all()
    keys = {"left_on": ["order_id", "order_line_no"], "right_on": ["order_id", "line_no"]}
    both = linked.merge(lines, **keys, suffixes=("", "_sold"))
    assert len(both) == len(linked)
    assert (both["refund"] <= both["net"]).all()
    assert (both["quantity"] <= both["quantity_sold"]).all()
    sold_at = both["order_id"].map(tiny.read("sale_order").set_index("order_id")["ordered_at"])
    assert (both["returned_at"] > sold_at).all()


def test_opening_stock_and_movements_give_the_count_and_never_fall_below_zero(tiny: Written) -> None:
    pair = ["store_id", "product_id"]
    moved = tiny.read("stock_movement").sort_values("moved_at", kind="stable")
    balance = moved.groupby(pair)["quantity"].cumsum()
    assert balance.min() == 0
    counted = tiny.read("stock_level").set_index(pair)["on_hand"]
    miscounted = tiny.truth["dirty_rows"]["miscounted"]
    assert len(miscounted) == 9
    for store, product, off in miscounted:
        assert counted[store, product] - moved.groupby(pair)["quantity"].sum()[store, product] == off
    lots = tiny.read("stock_lot").groupby(pair)["quantity"].sum()
    pd.testing.assert_series_equal(lots, counted[counted > 0].sort_index(), check_names=False)
    counted -= pd.Series({(store, product): off for store, product, off in miscounted}).reindex(counted.index).fillna(0)
    counted = counted.astype(moved["quantity"].dtype)
    pd.testing.assert_series_equal(moved.groupby(pair)["quantity"].sum(), counted.sort_index(), check_names=False)
    assert set(moved["kind"]) >= {"opening", "receipt", "sale", "return", "write_off", "adjustment"}
    assert moved.loc[moved["kind"].str.startswith("transfer"), "quantity"].sum() == 0


def test_sales_of_goods_leave_the_shelf(tiny: Written) -> None:
    orders, lines, products = tiny.read("sale_order"), tiny.read("sale_line"), tiny.read("product")
    handed_over = orders[orders["cancelled_at"].isna() & (orders["kind"] != "test")]["order_id"]
    goods = products[products["kind"] == "goods"]["product_id"]
    known = lines["product_id"].isin(goods) | (lines["product_id"] == "P9999")
    sold = lines[lines["order_id"].isin(handed_over) & known]["quantity"].sum()
    moved = tiny.read("stock_movement")
    assert -moved.loc[moved["kind"] == "sale", "quantity"].sum() == pytest.approx(float(sold), abs=2)


def test_shops_sell_only_when_open_and_whoever_serves_is_on_shift(tiny: Written) -> None:
    orders = tiny.read("sale_order")
    orders = orders[(orders["channel"] == "store") & (orders["store_id"] != "S999")]
    local = orders["ordered_at"] + pd.Timedelta(hours=8)
    assert local.dt.hour.between(10, 21).all()
    closed = tiny.read("store_closure").assign(day=lambda frame: pd.to_datetime(frame["day"]))
    days = pd.MultiIndex.from_arrays([orders["store_id"], local.dt.floor("D")])
    assert not days.isin(pd.MultiIndex.from_frame(closed[["store_id", "day"]])).any()
    served = orders[orders["staff_id"].notna()]
    both = served.merge(tiny.read("shift"), on=["staff_id", "store_id"])
    on_shift = both[(both["ordered_at"] >= both["starts_at"]) & (both["ordered_at"] < both["ends_at"])]
    assert set(on_shift["order_id"]) == set(served["order_id"])


def test_nothing_is_sold_before_it_is_launched_or_to_who_has_not_joined(tiny: Written) -> None:
    orders = tiny.read("sale_order").assign(day=lambda frame: local_day(frame["ordered_at"]))
    lines = tiny.read("sale_line").merge(orders[["order_id", "day"]], on="order_id")
    launched = pd.to_datetime(lines["product_id"].map(tiny.read("product").set_index("product_id")["launched_on"]))
    assert (launched.isna() | (lines["day"] >= launched)).all()
    joined = pd.to_datetime(orders["customer_id"].map(tiny.read("customer").set_index("customer_id")["joined_on"]))
    assert (joined.isna() | (orders["day"] >= joined)).all()


def test_coupons_are_redeemed_by_their_own_arm_for_their_own_products_in_their_time(tiny: Written) -> None:
    events = tiny.read("campaign_event")
    redeemed = events[events["kind"] == "redeemed"]
    lines = tiny.read("sale_line")
    used = lines[lines["coupon_code"].notna()].merge(redeemed, on=["order_id", "coupon_code"])
    assert 0 < len(used) <= len(redeemed)
    allowed = pd.MultiIndex.from_frame(tiny.read("coupon_product")[["campaign_id", "coupon_code", "product_id"]])
    sold = used[["campaign_id", "coupon_code", "product_id_x"]]
    assert pd.MultiIndex.from_frame(sold.set_axis(allowed.names, axis=1)).isin(allowed).all()
    arms = redeemed.merge(tiny.read("campaign_member"), on=["campaign_id", "customer_id"])
    assert (arms["coupon_code"].str[-1] == arms["arm"]).all()
    coupons = redeemed.merge(tiny.read("coupon"), on=["campaign_id", "coupon_code"])
    days = local_day(coupons["occurred_at"])
    assert (days >= pd.to_datetime(coupons["valid_from"])).all()
    assert (days <= pd.to_datetime(coupons["valid_to"])).all()


def test_every_chinese_name_has_an_english_one(tiny: Written) -> None:
    translation = tiny.read("translation")
    for named in NAMED:
        table, column = named.split(".")
        known = translation.loc[(translation["field"] == named) & (translation["language"] == "en"), "source_text"]
        assert set(tiny.read(table)[column]) <= set(known), named
    assert translation["text"].str.fullmatch(r"[\x20-\x7e’é]+").all()


def test_a_campaign_offers_what_its_name_and_coupons_say(tiny: Written) -> None:
    of_name = {theme[0]: theme[1:] for theme in CAMPAIGN_THEMES}
    worth = tiny.read("coupon").groupby("campaign_id")["face_value"].agg(list)
    campaigns = tiny.read("campaign").set_index("campaign_id")
    for campaign_id, row in campaigns.drop(index=CAMPAIGN_ID, errors="ignore").iterrows():
        _, kind, objective, coupon, _ = of_name[row["name"].rsplit(" ", 1)[0]]
        assert (row["type"], row["objective"]) == (kind, objective)
        assert row["offer"] == f"{coupon} {' / '.join(str(int(value)) for value in worth[campaign_id])} 元"


def test_some_promotions_lie_ahead_and_two_campaigns_are_planned(tiny: Written) -> None:
    assert (pd.to_datetime(tiny.read("price_promotion")["starts_on"]) > pd.Timestamp(END)).sum() >= 2
    planned = tiny.read("campaign").query("is_planned")
    assert len(planned) == 2
    assert not tiny.read("campaign_member")["campaign_id"].isin(planned["campaign_id"]).any()


def test_the_crm_holds_nothing_of_the_truth(tiny: Written) -> None:
    assert set(inspect(tiny.engine).get_table_names()) - {"alembic_version"} == {*crm.tables, *vault_tables.tables}
    hidden = {round(person["skill"], 9) for person in tiny.truth["staff_skill"]}
    hidden |= {round(rate, 9) for name, rate in tiny.truth["store_conversion"].items() if name != "S002"}
    for table in crm.sorted_tables:
        numbers = tiny.read(table.name).select_dtypes("number").to_numpy(dtype=float).ravel()
        assert not hidden & set(np.round(numbers[~np.isnan(numbers)], 9).tolist()), table.name
    texts = "".join(tiny.read(name).to_csv() for name in ("data_source", "campaign", "staff"))
    assert [word for word in ("skill", "propensity_", "mover", "lift") if word in texts] == []


def test_the_coming_two_weeks_are_rostered_for_people_who_are_still_there(tiny: Written) -> None:
    shifts = tiny.read("shift")
    ahead = shifts["starts_at"] > LAST_INSTANT
    planned = shifts[ahead].assign(day=lambda frame: local_day(frame["starts_at"]))
    assert planned["shift_id"].str.startswith("HP").all()
    assert not shifts.loc[~ahead, "shift_id"].str.startswith("HP").any()
    assert (planned["day"].max() - LAST_INSTANT.floor("D")).days == 14
    assert not planned.duplicated(["staff_id", "day"]).any()
    staff = tiny.read("staff").set_index("staff_id")
    assert staff.loc[planned["staff_id"], "left_on"].isna().all()
    # one shop has planned the coming week only
    assert sorted((planned.groupby("store_id")["day"].max() - LAST_INSTANT.floor("D")).dt.days)[:2] == [7, 14]
