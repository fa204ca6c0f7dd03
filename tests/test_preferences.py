"""What groups of customers buy, against sums made by hand."""

from datetime import date

import pandas as pd
import pytest

from data_access.errors import Problem
from data_access.queries import preferences as queries
from data_access.scope import Period
from data_access.snapshot import Snapshot
from models.reports.preferences import preferences
from tests import tiny
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The tiny chain, where customer 1 is a woman, customer 2 a man, and Cream says what it is good for."""
    real, said = tiny._rows, {"P1": '{"benefits": ["moisturising", "repairing"]}', "P2": "not JSON"}

    def rows() -> dict[str, list[dict[str, object]]]:
        found = real()
        for customer in found["customer"]:
            customer["gender"] = {1: "female", 2: "male"}.get(int(str(customer["customer_no"])))
        for product in found["product"]:
            product["attributes"] = said.get(str(product["product_id"]))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "_rows", rows)
        return tiny.snapshot(tmp_path_factory.mktemp("known") / "facts.duckdb")


def test_the_index_is_the_share_of_the_group_to_that_of_everybody(known: Snapshot) -> None:
    report = preferences(known, ONLY_A, AS_OF, "gender")
    # O1 and O2 lie more than a year back; O7 and O8 are the woman's, O4 the man's, O13 nobody knows whose
    cream, lipstick = 190 + 100, 30 + 30 + 58
    row = report.index.set_index(["group", "thing"]).loc[("female", "skin care")]
    assert row["net_sales"] == 190
    assert row["share"] == pytest.approx(190 / (190 + 30))
    assert row["base_share"] == pytest.approx(cream / (cream + lipstick))
    assert row["affinity_index"] == pytest.approx(100 * row["share"] / row["base_share"])
    assert report.groups == ("female", "male", "not_known")
    assert report.things == ("skin care", "make-up")


def test_a_product_counts_for_each_of_its_benefits_and_attributes_may_be_anything(known: Snapshot) -> None:
    table = preferences(known, ONLY_A, AS_OF, "gender", "benefit").index
    assert set(table["thing"]) == {"moisturising", "repairing"}
    assert table.loc[table["group"] == "female", "net_sales"].tolist() == [190, 190]
    assert table["affinity_index"].tolist() == pytest.approx([100.0] * len(table))


def test_how_a_group_buys(known: Snapshot) -> None:
    row = preferences(known, ONLY_A, AS_OF, "gender").habits.set_index("group").loc["female"]
    assert row[["customers", "net_sales"]].tolist() == [1, 190 + 30]
    assert row["average_ticket"] == (190 + 30) / 2
    assert row["units_per_transaction"] == (2 + 1) / 2
    assert row["repeat_purchase_rate"] == 1


def test_those_of_45_and_over_have_their_trend(known: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("2026-01", "18-24", 30, 300), ("2026-01", "45-54", 6, 60), ("2026-01", "65+", 4, 240)]
    rows += [("2026-01", "not_known", 99, 999), ("2026-02", "18-24", 29, 290)]
    found = pd.DataFrame(rows, columns=["month", "group", "customers", "net_sales"])
    monkeypatch.setattr(queries, "by_month", lambda *_: found)
    older = preferences(known, ONLY_A, AS_OF).older
    assert older["month"].tolist() == ["2026-01"]  # of the 29 of February too few are known
    row = older.iloc[0]
    assert row[["customers", "known"]].tolist() == [6 + 4, 30 + 6 + 4]
    assert row["share"] == 10 / 40
    assert row["sales_share"] == (60 + 240) / (300 + 60 + 240)
    assert row["lo95"] < row["share"] < row["hi95"]
    assert preferences(known, ONLY_A, AS_OF, "gender").older.empty


def test_buyers_of_a_month_are_counted_once_in_it(known: Snapshot) -> None:
    rows = queries.by_month(ONLY_A, known.engine, Period(date(2026, 3, 1), date(2026, 3, 31)), "gender")
    of_women = rows[rows["group"] == "female"]
    assert of_women[["month", "customers"]].values.tolist() == [["2026-03", 1]]


def test_small_groups_are_hidden_outside_a_store(known: Snapshot) -> None:
    report = preferences(known, CHAIN, AS_OF, "gender")
    assert report.hides
    assert report.index[["customers", "net_sales", "share", "affinity_index"]].isna().all(axis=None)
    assert report.habits.drop(columns="group").isna().all(axis=None)


def test_no_stores_and_unknown_choices(known: Snapshot) -> None:
    nothing = preferences(known, NOTHING, AS_OF)
    assert nothing.index.empty
    assert nothing.groups == ()
    with pytest.raises(Problem, match="age_band"):
        preferences(known, CHAIN, AS_OF, "segment")


def test_figures_are_numbers_whatever_is_hidden(known: Snapshot) -> None:
    table = preferences(known, ONLY_A, AS_OF, "gender").habits
    assert all(pd.api.types.is_numeric_dtype(table[name]) for name in table.columns if name != "group")
