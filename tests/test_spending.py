"""Price bands and advisers, by hand."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import create_engine, insert

from data_access.marts import tables
from data_access.marts._sql import sql
from data_access.marts.registry import MARTS
from data_access.scope import Scope
from data_access.snapshot import GenerationInfo, Snapshot
from models.jobs.presets import JOB
from models.reports import spending as report
from models.reports import tables as tables_of
from models.reports._kept import kept_frames
from models.reports.spending import BANDS, spending
from tests.results_kit import one_job
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A, key

LAST = date(2026, 3, 31)
PRICES = {"cream": (10, 20, 30, 40), "scent": (50, 60, 60, 90, 120), "brush": (15,)}  # of the products of a category


def steps(*rows: tuple[str, int, int, int]) -> pd.DataFrame:
    """Customers of a category by the band of the year before and of this one."""
    return pd.DataFrame(rows, columns=["category", "band_before", "band", "customers"])


STEPS = steps(("cream", 0, 1, 1), ("cream", 0, 2, 1), ("cream", 1, 1, 1), ("scent", 2, 0, 1), ("scent", 2, 1, 1))


def test_which_share_goes_up() -> None:
    found = pd.DataFrame({"direction": [-1, 1], "customers": [1, 3]})
    table = report._direction(found).set_index("direction")
    assert table["customers"].to_dict() == {"up": 3, "same": 0, "down": 1}
    assert table.loc["up", "share"] == 3 / 4
    assert table.loc["up", "lo95"] < 3 / 4 < table.loc["up", "hi95"]


def test_bands_of_the_year_before_and_now() -> None:
    table = report._migration(STEPS).set_index(["band_before", "band"])
    assert table.loc[("entry", "premium"), ["pairs", "share"]].tolist() == [1, 1 / 2]
    assert table["pairs"].sum() == STEPS["customers"].sum()


def test_categories_by_themselves() -> None:
    table = report._by_category(STEPS).set_index("category")
    assert table.loc["cream", ["customers", "up_share", "down_share"]].tolist() == [3, 2 / 3, 0]
    assert table.loc["scent", ["customers", "up_share", "down_share"]].tolist() == [2, 0, 1]


def test_whoever_nobody_looks_after_is_listed_by_value(tiny_snapshot: Snapshot) -> None:
    found = spending(tiny_snapshot, CHAIN, AS_OF)
    assert found.unassigned["net_sales"].is_monotonic_decreasing
    assert len(found.unassigned) == 5  # all but 5, who never bought; 6 has no home store: for the chain to see
    at_a = spending(tiny_snapshot, ONLY_A, AS_OF)
    assert set(at_a.unassigned["store_id"]) == {"A"}
    assert at_a.advisers["customers"].sum() == 3  # 1, 2 and 5
    assert spending(tiny_snapshot, NOTHING, AS_OF).unassigned.empty


def test_one_segment_alone(tiny_snapshot: Snapshot) -> None:
    prospects = spending(tiny_snapshot, CHAIN, AS_OF, segment="prospect")
    assert prospects.advisers["customers"].sum() == 1  # 5, who never bought
    assert prospects.unassigned.empty
    assert spending(tiny_snapshot, CHAIN, AS_OF, segment="at_risk").unassigned["customer_key"].tolist() == [key(4)]


def test_without_list_prices_there_are_no_bands(tiny_snapshot: Snapshot) -> None:
    found = spending(tiny_snapshot, NOTHING, AS_OF)
    assert found.bands["customers"].sum() == 0
    assert found.direction["share"].isna().all()
    assert found.ready.empty


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """Lines of 60 customers in two stores over two years, and some before them."""
    rng = np.random.default_rng(3)
    products = [(f"{category}{at}", price) for category, prices in PRICES.items() for at, price in enumerate(prices)]
    found = []
    for at in range(900):
        product, price = products[rng.integers(len(products))]
        found.append(
            {
                "order_id": f"O{at}",
                "line_no": 1,
                "store_id": "AB"[rng.integers(2)],
                "customer_no": int(rng.integers(1, 61)),
                "product_id": product,
                "day": LAST - timedelta(days=int(rng.integers(0, 760))),
                "quantity": int(rng.integers(1, 4)),
                "discount": Decimal(rng.integers(0, 2).item()),
                "coupon_code": "C1" if rng.random() < 0.3 else None,
                "net": Decimal(price),
                "exclusion": "test" if rng.random() < 0.05 else None,
            }
        )
    return found


@pytest.fixture(scope="module")
def facts(lines: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    path: Path = tmp_path_factory.mktemp("lines") / "facts.duckdb"
    first = date(2024, 1, 1)
    info = GenerationInfo(1, datetime(2026, 4, 1), datetime(2026, 3, 31, 20), first, LAST, "CNY", is_demo=False)
    known = ("generation", "built_at", "as_of", "first_day", "last_day", "currency", "is_demo")
    content: dict[str, list[dict[str, Any]]] = {
        "store": [{"store_id": s, "name": s, "region_id": "r", "region_name": "r", "kind": "shop"} for s in "AB"],
        "customer": [
            {"customer_no": number, "home_store_id": "AB"[number % 2], "is_adult": True} for number in range(1, 61)
        ],
        "customer_rank": [{"customer_no": number, "id_rank": number} for number in range(1, 61)],
        "product": [
            {"product_id": f"{category}{at}", "name": category, "category": category, "list_price": price}
            for category, prices in PRICES.items()
            for at, price in enumerate(prices)
        ],
        "sale_line": lines,
        "generation_info": [{name: getattr(info, name) for name in known}],
    }
    engine = create_engine(f"duckdb:///{path}")
    tables.facts.create_all(engine)
    with engine.begin() as connection:
        for name, rows in content.items():
            connection.execute(insert(tables.facts.tables[name]), rows)
        for mart in MARTS:
            mart.table.create(connection, checkfirst=True)
            connection.exec_driver_sql(f"INSERT INTO {mart.name} BY NAME {sql(mart.query(), 'main')}")
    engine.dispose()
    return Snapshot("1", create_engine(f"duckdb:///{path}", connect_args={"read_only": True}), info)


@pytest.mark.parametrize("scope", [CHAIN, ONLY_A], ids=["chain", "store"])
def test_bands_are_those_of_plain_loops(scope: Scope, lines: list[dict[str, Any]], facts: Snapshot) -> None:
    years: dict[str, dict[tuple[int, str], list[dict[str, Any]]]] = {
        "now": defaultdict(list),
        "then": defaultdict(list),
    }
    for line in lines:
        days = (LAST - line["day"]).days
        if scope.allows(line["store_id"]) and line["exclusion"] is None and days < 2 * report.YEAR:
            key = (line["customer_no"], line["product_id"].rstrip("0123456789"))
            years["now" if days < report.YEAR else "then"][key].append(line)

    def rank(line: dict[str, Any], category: str) -> float:
        prices, price = PRICES[category], PRICES[category][int(line["product_id"][len(category) :])]
        return sum(other < price for other in prices) / max(len(prices) - 1, 1)

    def mean(bought: list[dict[str, Any]], category: str) -> float:
        units = sum(line["quantity"] for line in bought)
        return sum(line["quantity"] * rank(line, category) for line in bought) / units

    def band(rank: float) -> int:
        return sum(round(3 * rank, 9) >= bound for bound in (1, 2))

    now = {key: mean(bought, key[1]) for key, bought in years["now"].items()}
    then = {key: band(mean(bought, key[1])) for key, bought in years["then"].items()}
    step = {key: band(now[key]) - then[key] for key in set(now) & set(then)}
    found = spending(facts, scope, LAST, members=report.MOST_MEMBERS)

    people: dict[int, list[dict[str, Any]]] = defaultdict(list)
    weight: dict[int, float] = defaultdict(float)
    for (number, category), bought in years["now"].items():
        people[number] += bought
        weight[number] += len(bought) * now[number, category]
    over_all = {number: band(weight[number] / len(bought)) for number, bought in people.items()}
    for at, row in found.bands.iterrows():
        of_band = [line for number in over_all if over_all[number] == at for line in people[number]]
        cheaper = sum(line["discount"] > 0 or line["coupon_code"] is not None for line in of_band)
        assert row["customers"] == list(over_all.values()).count(int(str(at)))
        assert (row["lines"], row["gross_sales"]) == (len(of_band), sum(line["net"] for line in of_band))
        assert row["discounted_share"] == pytest.approx(cheaper / len(of_band))

    pairs = found.migration.set_index(["band_before", "band"])["pairs"].to_dict()
    assert pairs == {
        (BANDS[before], BANDS[after]): sum(then[key] == before and band(now[key]) == after for key in step)
        for before in range(3)
        for after in range(3)
    }
    steps_of: dict[int, int] = defaultdict(int)
    for (number, _), by in step.items():
        steps_of[number] += by
    counted = found.direction.set_index("direction")["customers"].to_dict()
    assert counted == {
        name: sum(np.sign(by) == sign for by in steps_of.values())
        for name, sign in zip(report.DIRECTIONS, (1, 0, -1), strict=True)
    }

    ready = []
    for number, bought in people.items():
        up = sorted((-band(now[key]), key[1]) for key in step if key[0] == number and step[key] > 0)
        lowest = min((band(now[key]), key[1]) for key in now if key[0] == number)
        if up and lowest[0] < -up[0][0]:
            spent = float(sum(line["net"] for line in bought))
            ready.append((-spent, number, up[0][1], BANDS[-up[0][0]], lowest[1], BANDS[lowest[0]]))
    columns = ["category", "band", "ready_category", "ready_band"]
    assert list(found.ready[columns].itertuples(index=False, name=None)) == [row[2:] for row in sorted(ready)]
    assert len(ready) > 5


def test_what_a_batch_keeps_is_what_would_be_added_up(facts: Snapshot, tmp_path: Path) -> None:
    kept = one_job(facts, JOB, tmp_path)
    for scope in (CHAIN, ONLY_A):
        assert kept_frames(kept, scope, LAST, "spending") is not None
        for members in (3, report.MOST_MEMBERS):
            found, made = (tables_of(spending(snapshot, scope, LAST, members)) for snapshot in (kept, facts))
            for name, expected in made.items():
                pd.testing.assert_frame_equal(plain(found[name]), plain(expected), check_dtype=False)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """With one word for what is missing."""
    return frame.astype(object).where(frame.notna(), None)
