"""Any two things known of customers, against plain counts over the tiny and the random chain."""

from collections import Counter
from datetime import date

import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.queries.segments import Choice
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.crossing import OTHERS, _largest, crossing
from models.reports.segments import members, segments
from tests.random_chain import LAST, RandomChain, random_chain
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> RandomChain:
    return random_chain(tmp_path_factory.mktemp("random") / "facts.duckdb")


def test_a_store_sees_every_cell_of_its_own(chain: RandomChain) -> None:
    report = crossing(chain.snapshot, ONLY_A, LAST, "quadrant", "home_store")
    base = segments(chain.snapshot, ONLY_A, LAST, members=1_000).members
    homes = {f"c{number:015x}": home for number, home in chain.homes.items()}
    expected: Counter[tuple[str, str]] = Counter()
    for row in base.itertuples():
        quadrant = "not_known" if pd.isna(row.quadrant) else row.quadrant
        home = homes.get(row.customer_key)
        expected[quadrant, "not_known" if home is None else home if home == "A" else "elsewhere"] += 1
    found = report.crossing.set_index(["row_group", "column_group"])["customers"]
    assert not report.hides
    assert found.to_dict() == dict(expected)
    assert report.crossing["customer_share"].sum() == pytest.approx(1)
    assert report.crossing["net_sales"].sum() == pytest.approx(base["net_sales"].sum())


def test_a_cell_opens_exactly_its_customers(chain: RandomChain) -> None:
    report = crossing(chain.snapshot, CHAIN, LAST, "abc", "five_phase")
    base = segments(chain.snapshot, CHAIN, LAST, members=0)
    shown = report.crossing[report.crossing["customers"].notna()]
    assert len(shown) > 5
    for cell in shown.itertuples():
        choice = Choice("abc", cell.row_group, (Choice("five_phase", cell.column_group),))
        rows = members(chain.snapshot, CHAIN, base, choice, limit=1_000)
        assert len(rows) == cell.customers
        assert set(rows["abc"]) == {cell.row_group}
        assert rows["net_sales"].sum() == pytest.approx(cell.net_sales)


def test_small_numbers_are_hidden_outside_a_store(tiny_snapshot: Snapshot) -> None:
    report = crossing(tiny_snapshot, CHAIN, AS_OF, "abc", "home_store")
    assert report.hides
    # six customers: every cell has fewer than five
    assert report.crossing[["customers", "net_sales", "historic_margin"]].isna().all(axis=None)
    own = crossing(tiny_snapshot, ONLY_A, AS_OF, "abc", "home_store")
    assert own.crossing["customers"].sum() == 4


def test_nobody_and_nonsense(tiny_snapshot: Snapshot) -> None:
    assert crossing(tiny_snapshot, NOTHING, AS_OF, "abc", "tag").crossing.empty
    with pytest.raises(Problem, match="a dimension is one of"):
        crossing(tiny_snapshot, CHAIN, AS_OF, "abc", "shoe_size")
    with pytest.raises(Problem, match="twice"):
        crossing(tiny_snapshot, CHAIN, AS_OF, "abc", "abc")


def test_a_year_of_spend_names_the_category_that_has_most_of_it(tiny_snapshot: Snapshot) -> None:
    # 21 March 2025 to 20 March 2026 in A: 1 bought skin care for 190 and make-up for 30; 2 bought for 100 and 30;
    # 6 make-up alone; 5 nothing that counts
    report = crossing(tiny_snapshot, ONLY_A, AS_OF, "dominant_category", "gender")
    assert report.crossing.groupby("row_group")["customers"].sum().to_dict() == {
        "skin care": 2, "make-up": 1, "not_known": 1
    }  # fmt: skip
    # over all stores 2 also has 200 of perfume and 110.25 more of skin care: 210.25 of 440.25 is not the half
    two = Scope("stores", ("A", "B"))
    base = segments(tiny_snapshot, two, AS_OF, members=0)
    mixed = members(tiny_snapshot, two, base, Choice("dominant_category", "mixed"))
    assert mixed["orders"].tolist() == [5, 3]  # 1: 190 of 425 is skin care, 205 perfume


def test_the_largest_groups_are_named_the_rest_are_one() -> None:
    sizes = pd.DataFrame({"owner": [*"abcdef", "not_known"], "customers": [1, 9, 3, 4, 5, 6, 7]})
    assert _largest(sizes, "owner", "owner", 7) == ("b", "f", "e", "d", "c", "a", "not_known")
    assert _largest(sizes, "owner", "owner", 5) == ("b", "f", "e", "not_known", OTHERS)


def test_an_earlier_day_is_crossed_as_it_was(chain: RandomChain) -> None:
    day = date(2025, 10, 15)
    report = crossing(chain.snapshot, ONLY_A, day, "quadrant", "abc")
    assert report.crossing["customers"].sum() == len(chain.people(ONLY_A, day))
