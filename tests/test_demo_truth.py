"""The demo chain's planted truth, found again from the rows of the CRM alone."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_access.demo import EFFECTS, SCALES
from tests.demo_chain import END, Written, local_day, write

DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Written:
    return write(folder, "tiny", scale="tiny", seed=1)


@pytest.fixture(scope="module")
def flat(folder: Path) -> Written:
    """The tiny chain with every effect switched off."""
    return write(folder, "flat", scale="tiny", seed=1, null=EFFECTS)


@pytest.fixture(scope="module")
def full(folder: Path) -> Written:
    return write(folder, "demo", scale="demo", seed=1)


# --- planted facts, found again from the CRM --------------------------------------------------------


def conversion(chain: Written) -> pd.Series:
    """Counted receipts per visitor, by shop, on days with a valid count."""
    traffic = chain.read("store_traffic")
    traffic = traffic[traffic["valid"].astype(bool)].assign(day=lambda frame: local_day(frame["hour_start"]))
    visitors = traffic.groupby(["store_id", "day"])["visitors"].sum()
    sales = chain.sales()
    receipts = sales[sales["channel"] == "store"].groupby(["store_id", "day"]).size()
    daily = pd.DataFrame({"visitors": visitors, "receipts": receipts}).dropna(subset="visitors").fillna(0)
    total = daily.groupby("store_id").sum()
    return total["receipts"] / total["visitors"]


def test_the_store_of_the_lowest_conversion_is_found_and_is_not_the_smallest(tiny: Written) -> None:
    found, true = conversion(tiny), pd.Series(tiny.truth["store_conversion"])
    assert found.idxmin() == true.idxmin()
    assert (found / true).between(0.85, 1.15).all()
    shops = tiny.sales().query("channel == 'store'")
    assert shops.groupby("store_id")["net"].sum().idxmin() != true.idxmin()


def change_of_four_weeks(chain: Written) -> pd.Series:
    """Net sales of the last 28 days less those of the 28 days before (CNY), by region and product."""
    region = chain.read("store").set_index("store_id")["region_id"]
    lines = chain.read("sale_line").merge(chain.sales()[["order_id", "store_id", "day"]], on="order_id")
    sold = lines.assign(amount=lines["net"].astype(float))
    returns = chain.read("return_line")
    back = returns.assign(amount=-returns["refund"].astype(float), day=local_day(returns["returned_at"]))
    both = pd.concat([sold, back], ignore_index=True).assign(region_id=lambda frame: frame["store_id"].map(region))
    age = (pd.Timestamp(END) - both["day"]) // DAY
    signed = both["amount"].where(age < 28, -both["amount"])
    return signed[age < 56].groupby([both["region_id"], both["product_id"]]).sum()


def movers(chain: Written) -> dict[str, tuple[str, str]]:
    """By region the product that moved most, and its direction."""
    change = change_of_four_weeks(chain)
    found = {}
    for region, of_region in change.groupby(level="region_id"):
        product = of_region.abs().idxmax()
        found[str(region)] = (product[1], "rise" if of_region[product] > 0 else "fall")
    return found


def planted_movers(chain: Written) -> dict[str, tuple[str, str]]:
    return {m["region_id"]: (m["product_id"], m["direction"]) for m in chain.truth["movers"]}


def test_the_product_that_moved_each_region_is_found(tiny: Written) -> None:
    assert movers(tiny) == planted_movers(tiny)
    assert {direction for _, direction in movers(tiny).values()} == {"rise", "fall"}


def test_a_shelf_of_a_stock_out_is_empty_and_sells_nothing(tiny: Written) -> None:
    sales = tiny.sales().merge(tiny.read("sale_line")[["order_id", "product_id"]], on="order_id")
    moved = tiny.read("stock_movement").sort_values("moved_at", kind="stable")
    moved = moved.assign(day=local_day(moved["moved_at"]))
    assert tiny.truth["stock_outs"]
    for out in tiny.truth["stock_outs"]:
        first, last = pd.Timestamp(out["first_day"]), pd.Timestamp(out["last_day"])
        mine = moved.query("store_id == @out['store_id'] and product_id == @out['product_id']")
        for day in (first, last):
            assert mine.loc[mine["day"] <= day, "quantity"].sum() == 0
        sold = sales.query("store_id == @out['store_id'] and product_id == @out['product_id']")
        assert not sold["day"].between(first, last).any()
    assert sum(out["units_lost"] for out in tiny.truth["stock_outs"]) > 0


def test_the_lot_of_the_complaints_was_sold(tiny: Written) -> None:
    lot = tiny.truth["complaint_lot"]
    lines = tiny.read("sale_line")
    assert set(lines.loc[lines["lot_id"] == lot["lot_id"], "product_id"]) == {lot["product_id"]}


# --- switched off -----------------------------------------------------------------------------------


def test_with_every_effect_off_the_truth_is_flat(flat: Written) -> None:
    truth = flat.truth
    assert truth["null"] == sorted(EFFECTS)
    assert truth["movers"] == []
    assert truth["stock_outs"] == []
    assert truth["churned_on"] == {}
    assert truth["complaint_lot"] is None
    assert {arm["lift"] for campaign in truth["campaigns"] for arm in campaign["arms"]} == {0.0}
    assert truth["targeted_campaign"]["rule"] == "random"
    assert {person["skill"] for person in truth["staff_skill"]} == {1.0}
    assert {event[side] for event in truth["events"] for side in ("shop", "online")} == {1.0}
    assert len(set(truth["store_conversion"].values())) == 1
    assert truth["rising_attribute"]["factor_first_to_last_day"] == 1.0
    assert truth["cannibalisation"]["share_taken"] == 0.0


def test_with_every_effect_off_stores_convert_alike_and_every_table_is_still_filled(flat: Written) -> None:
    found = conversion(flat)
    assert found.max() / found.min() < 1.15
    assert [name for name, rows in flat.summary.rows.items() if rows == 0] == []


def test_without_the_mover_the_others_stay_and_no_product_stands_out(folder: Path, tiny: Written) -> None:
    still = write(folder, "still", scale="tiny", seed=1, null=["mover"])
    assert still.truth["movers"] == []
    assert still.truth["store_conversion"] == tiny.truth["store_conversion"]
    planted = planted_movers(tiny)
    change, before = change_of_four_weeks(still), change_of_four_weeks(tiny)
    for region, (product, _) in planted.items():
        assert abs(change.get((region, product), 0.0)) < 0.5 * abs(before[region, product])


# --- at full size -----------------------------------------------------------------------------------


def natural_share(chain: Written) -> pd.Series:
    """Share of lines with natural products, by year of the chain."""
    products = chain.read("product")
    natural = products.loc[products["attributes"].str.contains('"natural": true'), "product_id"]
    lines = chain.read("sale_line").merge(chain.sales()[["order_id", "day"]], on="order_id")
    year = (lines["day"] - lines["day"].min()) // (365 * DAY)
    return lines["product_id"].isin(natural).groupby(year.clip(upper=2)).mean()


def differences(chain: Written) -> pd.DataFrame:
    """Per arm of a finished randomised campaign: buyers' share less that of the control group, its error, the truth."""
    sales, members = chain.sales(), chain.read("campaign_member")
    rows = []
    for campaign in chain.truth["campaigns"]:
        if campaign["selection"] != "random_with_holdout" or not campaign["complete"]:
            continue
        first = pd.Timestamp(campaign["first_day"])
        inside = sales["day"].between(first, first + (campaign["window_days"] - 1) * DAY)
        mine = members[members["campaign_id"] == campaign["campaign_id"]]
        bought = mine["customer_id"].isin(sales.loc[inside, "customer_id"])
        rate, size = (bought.groupby(mine["arm"]).agg(kind) for kind in ("mean", "size"))
        variance = rate * (1 - rate) / size
        for arm in campaign["arms"]:
            name = arm["arm"]
            error = float(np.sqrt(variance[name] + variance["control"]))
            rows.append((rate[name] - rate["control"], error, arm["lift"]))
    return pd.DataFrame(rows, columns=["difference", "error", "lift"])


@pytest.mark.slow
def test_the_full_chain_has_its_size(full: Written) -> None:
    rows = full.summary.rows
    assert rows["customer"] == 15_000 + 3
    assert (rows["store"], rows["region"], rows["product"], rows["staff"]) == (12, 4, 400, 60)
    assert 285_000 < rows["sale_line"] < 315_000
    assert rows["campaign_event"] < 250_000
    assert rows["stock_movement"] < 350_000
    assert full.summary.start == date(2023, 11, 21)
    assert set(full.read("store")["city_tier"]) == {"1", "new_1", "2", "3"}


@pytest.mark.slow
def test_the_full_chain_gives_its_planted_facts_back(full: Written) -> None:
    assert movers(full) == planted_movers(full)
    found = conversion(full)
    assert found.idxmin() == pd.Series(full.truth["store_conversion"]).idxmin()
    share = natural_share(full)
    assert share.is_monotonic_increasing
    assert share.iloc[-1] > 1.3 * share.iloc[0]


@pytest.mark.slow
def test_estimated_lifts_lie_around_the_true_ones(full: Written) -> None:
    found = differences(full)
    z = (found["difference"] - found["lift"]) / found["error"]
    assert len(found) >= 20
    assert (z.abs() < 1.96).mean() >= 0.8
    assert abs(z.mean()) < 0.6
    assert found.loc[found["lift"] > 0.1, "difference"].min() > 1.96 * found["error"].max()


@pytest.mark.slow
def test_comparing_the_targeted_with_the_rest_flatters_the_campaign(full: Written) -> None:
    campaign_id = full.truth["targeted_campaign"]["campaign_id"]
    campaign = next(c for c in full.truth["campaigns"] if c["campaign_id"] == campaign_id)
    first = pd.Timestamp(campaign["first_day"])
    sales, members, customers = full.sales(), full.read("campaign_member"), full.read("customer")
    inside = sales["day"].between(first, first + (campaign["window_days"] - 1) * DAY)
    targeted = customers["customer_id"].isin(members.loc[members["campaign_id"] == campaign_id, "customer_id"])
    rest = ~targeted & (pd.to_datetime(customers["joined_on"]) < first)
    bought = customers["customer_id"].isin(sales.loc[inside, "customer_id"])
    assert bought[targeted].mean() - bought[rest].mean() > 3 * campaign["arms"][0]["lift"]


@pytest.mark.slow
def test_scale_s_has_its_size(tmp_path: Path) -> None:
    assert SCALES == ("tiny", "demo", "S")
    rows = write(tmp_path, "s", scale="S", seed=1).summary.rows
    assert (rows["customer"], rows["store"], rows["product"]) == (50_000 + 3, 20, 800)
    assert 1_050_000 < rows["sale_line"] < 1_150_000
