"""The hand-written statements of the benchmark answer what the reports show, so that their times may be compared."""

from typing import Any

import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from models.reports import REPORTS, tables
from tests.benchmarks import raw_sql
from tests.tiny import AS_OF, CHAIN, MARCH, NORTH, ONLY_A

PLACES = {"chain": ("chain", CHAIN), "region": ("north", NORTH), "store": ("A", ONLY_A)}
THINGS = {"store": "A", "product": "P1", "order": "O4"}
DAYS: dict[str, tuple[Any, ...]] = {"period": (MARCH,), "as_of": (AS_OF,), "nothing": ()}
# Tables whose rows have no order of their own, and the columns that name a row.
KEYED = {"named": ["segment"], "abc": ["class"], "quadrants": ["quadrant"], "lifecycle": ["preset", "stage"]}


@pytest.mark.parametrize("level", PLACES)
@pytest.mark.parametrize("name", raw_sql.ANSWERS)
def test_by_hand_and_by_report(name: str, level: str, tiny_snapshot: Snapshot) -> None:
    report = REPORTS[name]
    place_id, scope = PLACES[level]
    needed = {p.argument: THINGS[p.name] for p in report.parameters if p.required}
    days = DAYS[report.over]
    shown = tables(report.function(tiny_snapshot, scope, *days, **needed))
    run = raw_sql.statements(name, tiny_snapshot, level, place_id, days[0] if days else None, THINGS)
    assert run is not None
    for table, answer in run().items():
        if table in ("kpis", "buyers", "summary"):
            expect_figures(answer, shown.get(table, shown.get("kpis")), table)
        elif table == "cuts":
            cuts = shown["cuts"].set_index(["measure", "quantile"])["value"]
            assert [answer[f"m_cut_{j}"].item() for j in (1, 2, 3, 4)] == pytest.approx(cuts["net_sales"].iloc[:4])
        else:
            expect_rows(answer, shown[table], table)


def expect_figures(answer: pd.DataFrame, kpis: pd.DataFrame | None, table: str) -> None:
    assert kpis is not None
    columns = answer.set_index("of").T if "of" in answer else answer.T.set_axis(["value"], axis=1)
    known = kpis.set_index("key")
    both = columns.index.intersection(known.index)
    assert len(both) >= (1 if table == "buyers" else 4)
    found, expected = (frame.loc[both, list(columns)].astype(float).fillna(0) for frame in (columns, known))
    pd.testing.assert_frame_equal(found, expected, check_names=False)


def expect_rows(answer: pd.DataFrame, shown: pd.DataFrame, table: str) -> None:
    """The rows of a table; by hand, days without sales and groups without customers are not among them."""
    if table == "by_day":
        shown = shown[shown["day"].isin(answer["day"])]
    if table in KEYED:
        shown = shown[shown["customers"] > 0].sort_values(KEYED[table])
        answer = answer[answer[KEYED[table][0]].notna()]
    if table in ("steps", "outcomes"):
        # Stores are told nothing of purchases in campaigns in which few of their customers bought elsewhere.
        named = ["campaign_id", table.removesuffix("s")]
        answer = answer.merge(shown[named], "inner", named)
    both = [column for column in shown if column in answer]
    assert len(both) >= 2
    found, expected = (frame[both].reset_index(drop=True) for frame in (answer, shown))
    for column in both:
        if pd.api.types.is_numeric_dtype(expected[column]) and expected[column].dtype != bool:
            left, right = found[column].astype(float).fillna(0), expected[column].astype(float).fillna(0)
            assert left.to_list() == pytest.approx(right.to_list()), column
        else:
            left, right = (frame[column].astype(object) for frame in (found, expected))
            assert left.where(left.notna(), None).to_list() == right.where(right.notna(), None).to_list(), column
