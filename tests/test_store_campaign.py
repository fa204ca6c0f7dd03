"""The campaign of some shops in the demo chain: planted beside everything else, and found by comparing stores."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_access.demo import chain, store_campaign
from data_access.demo.dirt import soil
from data_access.demo.store_campaign import CAMPAIGN_ID, EFFECT, add_store_campaign
from models.calc import store_difference
from models.calc.store_difference import WEEKS
from tests.demo_chain import END, local_day

log = logging.getLogger(__name__)

ADDED_TO = {"sale_order", "sale_line", "campaign", "campaign_store", "translation"}
DAY = pd.Timedelta(days=1)


def planted(scale: str, *null: str) -> tuple[chain.Chain, dict[str, pd.DataFrame], dict[str, Any]]:
    """A chain, its tables with the campaign, and the truth about it."""
    built = chain.build(scale, 1, END, frozenset(null), lambda _: None)
    core = dict(built.core)
    soil(core, 1)
    after = dict(core)
    truth = add_store_campaign(after, built.world, 1)
    return replace(built, core=core), after, truth


@pytest.fixture(scope="module")
def tiny() -> tuple[chain.Chain, dict[str, pd.DataFrame], dict[str, Any]]:
    return planted("tiny")


def test_every_row_that_is_there_without_it_stays_as_it_is(tiny: Any) -> None:
    built, after, _ = tiny
    for name, before in built.core.items():
        if name not in ADDED_TO:
            assert after[name] is before
            continue
        pd.testing.assert_frame_equal(after[name].iloc[: len(before)], before, check_dtype=False)
        assert len(after[name]) > len(before)


def test_its_receipts_lie_in_its_stores_and_weeks_and_are_of_nobody_known(tiny: Any) -> None:
    built, after, truth = tiny
    new = after["sale_order"].iloc[len(built.core["sale_order"]) :]
    assert set(new["store_id"]) <= set(truth["store_ids"])
    assert new["customer_id"].isna().all()
    first = pd.Timestamp(truth["first_day"])
    assert local_day(new["ordered_at"]).between(first, first + (truth["window_days"] - 1) * DAY).all()
    lines = after["sale_line"].iloc[len(built.core["sale_line"]) :]
    assert lines["net"].sum() == pytest.approx(truth["net_sales_added"])
    assert truth["lift"] == pytest.approx(truth["net_sales_added"] / truth["net_sales_without"], rel=1e-5)
    sites = after["campaign_store"]
    assert set(sites.loc[sites["campaign_id"] == CAMPAIGN_ID, "store_id"]) == set(truth["store_ids"])


def test_without_effects_it_runs_and_adds_nothing() -> None:
    built, after, truth = planted("tiny", "campaign_lift")
    assert (truth["lift"], len(after["sale_order"])) == (0.0, len(built.core["sale_order"]))


@pytest.mark.slow
def test_comparing_stores_finds_the_planted_effect_as_often_as_it_says() -> None:
    """Two thousand times other shops, other weeks, other receipts: as many as planted, or none at all."""
    built, _, _ = planted("demo")
    orders, lines = built.core["sale_order"], built.core["sale_line"]
    net = orders["order_id"].map(lines.groupby("order_id")["net"].sum())
    shops = built.core["store"].query("kind == 'shop'")
    counted = (
        (orders["kind"] == "sale")
        & orders["cancelled_at"].isna()
        & (net > 0)
        & orders["store_id"].isin(shops["store_id"])
    )
    sold = pd.DataFrame({"store_id": orders["store_id"], "day": local_day(orders["ordered_at"]), "net": net})[counted]
    table = sold.pivot_table(index="day", columns="store_id", values="net", aggfunc="sum", fill_value=0.0)
    mean = float(sold["net"].mean())
    opened = pd.to_datetime(shops.set_index("store_id")["opened_on"])
    settled = [name for name in table.columns if opened[name] < table.index[0]]
    rng, tries, days = np.random.default_rng(4), 2_000, store_campaign.DAYS
    covered, false, found, wrong_before = 0, 0, [], 0
    for number in range(tries):
        first = int(rng.integers(7 * WEEKS, len(table) - days))
        part = rng.choice(settled, max(1, int(0.4 * len(shops))), replace=False)
        effect = EFFECT if number % 2 else 0.0
        window = table.iloc[first - 7 * WEEKS : first + days][settled].copy()
        during = window.iloc[-days:][part]
        more = rng.poisson(effect * during.to_numpy() / mean) * mean
        window.loc[during.index, list(part)] = during.to_numpy() + more
        rows = window.stack().rename("net_sales").reset_index()
        rows["takes_part"] = rows["store_id"].isin(part)
        change = store_difference.difference(rows, window.index[-days], window.index[-1])
        assert change is not None
        planted_here = float(more.sum() / during.to_numpy().sum())
        covered += change.lo <= planted_here <= change.hi
        wrong_before += change.before_p < 0.05
        if effect:
            found.append(change.difference - planted_here)
        else:
            false += change.p_value < 0.05
    rates = [100 * covered / tries, 100 * false / (tries / 2), 100 * wrong_before / tries]
    log.info("covered %.2f %%, of none called an effect %.2f %%, before it %.2f %%, bias %.4f", *rates, np.mean(found))
    assert abs(covered / tries - 0.95) < 3 * np.sqrt(0.95 * 0.05 / tries)
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
