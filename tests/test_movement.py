"""Who moved from group to group: by hand, and against the segments of both days of the random chain."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.queries import standing
from data_access.queries.crossing import GROUPS
from data_access.scope import Scope
from models.calc.movement import ABSENT, moves
from models.jobs import movement as job
from models.reports.movement import days_of, flows, month_end, moved, movement, standings
from models.reports.segments import members, segments
from tests.random_chain import LAST, RandomChain, random_chain
from tests.tiny import CHAIN, ONLY_A, key

SCOPES = {"chain": CHAIN, "store": ONLY_A, "two stores": Scope("stores", ("A", "C"))}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> RandomChain:
    return random_chain(tmp_path_factory.mktemp("random") / "facts.duckdb")


def day(groups: dict[int, str]) -> pd.DataFrame:
    places = ["AB".index(group) for group in groups.values()]
    return pd.DataFrame({"customer_no": list(groups), "group": places, "net_sales": 10.0})


def test_moves_by_hand() -> None:
    found = moves(day({1: "A", 2: "A", 3: "B", 5: "B"}), day({1: "A", 2: "B", 3: "A", 4: "B"}), ("A", "B"))
    pairs = found.matrix().set_index(["from_group", "to_group"])["customers"]
    assert pairs.to_dict() == {("A", "A"): 1, ("A", "B"): 1, ("B", "A"): 1, ("B", ABSENT): 1, (ABSENT, "B"): 1}
    assert found.of("A", "B").tolist() == [2]
    assert found.of(ABSENT, "B").tolist() == [4]
    assert found.of("A", "nonsense").tolist() == []
    # A: 3 came, 2 left; B: 2 and 4 came, 3 and 5 left
    assert pd.DataFrame(found.flows()).to_numpy().tolist() == [["A", 2, 1, 1, 0], ["B", 2, 2, 2, 0]]


def test_the_last_days_of_months() -> None:
    assert month_end(date(2026, 3, 20), 1) == date(2026, 2, 28)
    assert month_end(date(2026, 3, 20), 3) == date(2025, 12, 31)
    assert month_end(date(2024, 3, 31), 1) == date(2024, 2, 29)


@pytest.mark.parametrize("scheme", ["segment", "five_phase"])
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_both_days_are_judged_by_themselves(scope: Scope, scheme: str, chain: RandomChain) -> None:
    report = movement(chain.snapshot, scope, LAST, scheme, 3)
    assert report.before == date(2025, 11, 30)
    groups = []
    for as_of in (report.before, LAST):
        found = segments(chain.snapshot, scope, as_of, members=1_000).members
        groups.append(found.set_index("customer_key")[scheme].fillna("not_known"))
    both = pd.concat(groups, axis=1, keys=["before", "after"]).fillna(ABSENT)
    expected = both.groupby(["before", "after"]).size().to_dict()
    assert report.movement.set_index(["from_group", "to_group"])["customers"].to_dict() == expected
    assert report.movement.groupby("from_group")["share"].sum().to_numpy() == pytest.approx(1)
    # the list of a cell holds exactly those customers, best first
    cell = report.movement[report.movement["from_group"] != report.movement["to_group"]].iloc[0]
    base = segments(chain.snapshot, scope, LAST, members=0)
    numbers = moved(chain.snapshot, scope, report, cell["from_group"], cell["to_group"])
    rows = members(chain.snapshot, scope, base, limit=1_000, only=numbers)
    theirs = both[(both["before"] == cell["from_group"]) & (both["after"] == cell["to_group"])]
    assert sorted(rows["customer_key"]) == sorted(theirs.index)
    assert rows["customer_key"].tolist() == [key(number) for number in numbers]


def test_flows_add_up_to_how_groups_grow(chain: RandomChain) -> None:
    table = flows(chain.snapshot, CHAIN, LAST, "abc").flows
    assert table["month_end"].nunique() == 12
    for _, group in table.groupby("group"):
        assert np.diff(group["customers"]).tolist() == group["net"].iloc[1:].tolist()
    assert (table["came"] - table["left"] == table["net"]).all()
    last = segments(chain.snapshot, CHAIN, LAST, members=0).abc.set_index("class")["customers"]
    assert table[table["month_end"] == pd.Timestamp(LAST)].set_index("group")["customers"][list("ABCU")].to_dict() == (
        last.to_dict()
    )


def test_before_the_data_nobody_moved(chain: RandomChain) -> None:
    report = movement(chain.snapshot, CHAIN, date(2025, 1, 20), months=2)
    assert set(report.movement["from_group"]) <= {ABSENT, "prospect"}
    assert flows(chain.snapshot, CHAIN, date(2025, 1, 20)).flows.empty
    with pytest.raises(Problem, match="scheme"):
        movement(chain.snapshot, CHAIN, LAST, "luck")


def test_the_batch_keeps_where_everybody_stood(chain: RandomChain) -> None:
    written: list[pd.DataFrame] = []
    steps: list[tuple[int, int]] = []
    job.JOB.run(chain.snapshot, lambda _, rows: written.append(rows), lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    every = pd.concat(written, ignore_index=True)
    days = days_of(chain.snapshot.info.first_day or LAST, LAST)
    assert len(days) == 13
    for level, place_id, scope in (("chain", "chain", CHAIN), ("store", "A", ONLY_A)):
        rows = every[(every["level"] == level) & (every["place_id"] == place_id)]
        assert rows["customer_no"].is_monotonic_increasing
        for at in (0, 5, 9, 12):
            known = standings(chain.snapshot, scope, days[at]).set_index("customer_no")
            for scheme, groups in GROUPS.items():
                place = rows[scheme].str[at].map(ord) - ord("A")
                expected = rows["customer_no"].map(known[scheme]).fillna(len(groups))
                assert place.tolist() == expected.tolist(), (level, at, scheme)
        now = segments(chain.snapshot, scope, LAST, members=1_000).members
        assert rows["net_sales"].sum() == pytest.approx(now["net_sales"].sum())


def test_few_customers_at_once_make_the_same_rows(chain: RandomChain) -> None:
    days = days_of(chain.snapshot.info.first_day or LAST, LAST)

    def rows(at_once: int) -> list[tuple[object, ...]]:
        found = standing.standings(CHAIN, chain.snapshot.engine, days, at_once)
        return sorted(row for level, frame in found for row in frame.assign(level=level).itertuples(index=False))

    assert rows(1) == rows(2_000_000)
    with pytest.raises(ValueError, match="the chain"):
        next(standing.standings(ONLY_A, chain.snapshot.engine, days))
