"""Who sold what in which hours, by hand; and what is left of a person once the shifts are taken out."""

import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from statsmodels.regression.mixed_linear_model import MixedLM

from data_access.errors import Problem
from data_access.queries.staff import busy_hours, days
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import periods
from models.calc.staff_effects import block_days, effects, log_rate, rank_ranges
from models.jobs.staff import JOB
from models.reports import staff as report_module
from models.reports.staff import quantiles, staff, staff_member
from pages._ui import staff_views
from tests.benchmarks import staff_chain
from tests.benchmarks.staff import draw, found_by_us, scored
from tests.results_kit import one_job
from tests.tiny import AS_OF, CHAIN, FEBRUARY, MARCH, NORTH, NOTHING, ONLY_A


def test_a_day_of_a_person_has_hours_and_sales(tiny_snapshot: Snapshot) -> None:
    found = days(ONLY_A, tiny_snapshot.engine, MARCH).astype({"staff_id": "str"}).set_index(["staff_id", "day"])
    worked = found.loc[("E1", "2026-03-02")]
    assert (worked["hours"], worked["first_hour"], worked["last_hour"]) == (8, 9, 17)
    assert (worked["gross_sales"], worked["orders"], worked["units"]) == (190, 1, 2)  # O7; O8 is E3's
    idle = found.loc[("E1", "2026-03-03")]
    assert (idle["hours"], idle["gross_sales"], idle["orders"]) == (8, 0, 0)
    unrostered = found.loc[("E1", "2026-03-15")]
    assert (unrostered["hours"], unrostered["gross_sales"]) == (0, 58)  # O13, of nobody's shift


def test_people_of_a_store(tiny_snapshot: Snapshot) -> None:
    report = staff(tiny_snapshot, ONLY_A, MARCH)
    people = report.staff.set_index("staff_id")
    assert sorted(people.index) == ["E1", "E3"]  # what E1 did in B stays there
    first = people.loc["E1"]
    assert (first["shifts"], first["hours"], first["orders"]) == (2, 16, 2)
    assert first["net_sales"] == 190 + 58 - 30  # O7, O13 less R1, a line of O4 that E1 had sold
    assert first["raw_per_hour"] == (190 + 58 - 30) / 16
    assert (first["csat"], first["answers"]) == ((5 + 4) / 2, 2)
    assert (first["units"], first["identified_share"]) == (2 + 2, 2 / 2)
    # two shifts are too few to judge anybody
    assert people["standing"].tolist() == ["too_few", "too_few"]
    assert people["adjusted"].isna().all()
    assert report.summary.set_index("key")["value"][["people", "judged", "hours"]].tolist() == [2, 0, 8 + 8 + 6]


def test_how_people_served_customers(tiny_snapshot: Snapshot) -> None:
    people = staff(tiny_snapshot, ONLY_A, MARCH).staff.set_index("staff_id")
    assert people.loc["E1", "tickets"] == 2  # T1 and T3
    assert people.loc["E1", "resolution_hours"] == 24  # T1
    assert people.loc["E1", "first_contact"] == 1 / 2
    assert np.isnan(people.loc["E3", "tickets"])
    assert people.loc["E1", "follow_ups_due"] == 2  # of customer 1, one of them done
    assert people.loc["E1", "follow_up_rate"] == 1 / 2


def test_tenths_of_the_chain_need_five_people(tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert quantiles(tiny_snapshot, CHAIN).empty
    monkeypatch.setattr(report_module, "LEAST_PEERS", 1)
    monkeypatch.setattr(report_module, "LEAST_HOURS", 1.0)
    found = quantiles(tiny_snapshot, CHAIN)
    tickets = found[found["figure"] == "first_contact"].set_index("tenth")
    # E1 in A: one of two; E2 in B: none of one; in between a straight line
    assert tickets.loc[5, "value"] == (1 / 2 + 0) / 2
    assert set(tickets["people"]) == {2}


def test_every_scope_sees_its_own_people(tiny_snapshot: Snapshot) -> None:
    assert staff(tiny_snapshot, NOTHING, MARCH).staff.empty
    assert len(staff(tiny_snapshot, NORTH, MARCH).staff) == 4  # E1 in A and in B, E3 in A, E2 in B
    assert staff(tiny_snapshot, CHAIN, MARCH).staff["net_sales"].sum() == 190 + 30 + 58 - 30 + 205 + 105 + 110.25


@pytest.fixture(scope="module")
def judged(tiny_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The tiny snapshot with what the batch found of its people."""
    return one_job(tiny_snapshot, JOB, tmp_path_factory.mktemp("staff"))


@pytest.mark.parametrize("scope", [CHAIN, NORTH, ONLY_A, NOTHING])
def test_the_batch_knows_the_same_people(judged: Snapshot, tiny_snapshot: Snapshot, scope: Scope) -> None:
    assert MARCH in periods.every(date(2025, 3, 1), AS_OF)
    ready, live = staff(judged, scope, MARCH), staff(tiny_snapshot, scope, MARCH)
    same = [frame.assign(role=frame["role"].fillna("")) for frame in (ready.staff, live.staff)]
    pd.testing.assert_frame_equal(*same, check_dtype=False)
    pd.testing.assert_frame_equal(ready.summary, live.summary)


@pytest.mark.parametrize(
    ("scope", "person"), [(CHAIN, "E1"), (NORTH, "E1"), (ONLY_A, "E1"), (ONLY_A, "E3"), (CHAIN, "E2")]
)
def test_the_batch_knows_the_same_card(judged: Snapshot, tiny_snapshot: Snapshot, scope: Scope, person: str) -> None:
    ready, live = (staff_member(snapshot, scope, MARCH, person) for snapshot in (judged, tiny_snapshot))
    pd.testing.assert_frame_equal(ready.months, live.months)
    pd.testing.assert_frame_equal(ready.strengths, live.strengths)
    same = [card.person.assign(role=card.person["role"].fillna("")) for card in (ready, live)]
    pd.testing.assert_frame_equal(*same, check_dtype=False)
    assert ready.others == live.others


def test_days_that_the_batch_did_not_look_at_are_judged_now(judged: Snapshot) -> None:
    assert FEBRUARY not in periods.every(date(2025, 3, 1), AS_OF)
    assert staff(judged, ONLY_A, FEBRUARY).staff["gross_sales"].tolist() == [130]  # O4 of E1


def test_the_card_of_one_person(tiny_snapshot: Snapshot) -> None:
    card = staff_member(tiny_snapshot, ONLY_A, MARCH, "E1")
    months = card.months.set_index("month")
    assert months["gross_sales"].to_dict() == {"2026-02": 130, "2026-03": 190 + 58}
    assert months.loc["2026-03", "attainment"] == (190 + 58) / 500
    assert np.isnan(months.loc["2026-02", "attainment"])
    assert months.loc["2026-03", "commission_base"] == 190 + 58 - 30
    assert card.praise["given_on"].tolist() == [pd.Timestamp("2026-03-05")]
    assert card.among.empty  # nothing was computed
    strengths = card.strengths.set_index("category")
    assert strengths.loc["skin care", "share"] == 190 / (190 + 58)
    assert strengths.loc["skin care", "team_share"] == 190 / (190 + 58 + 30)
    with pytest.raises(Problem, match="'E2' worked in your stores"):
        staff_member(tiny_snapshot, ONLY_A, MARCH, "E2")


def test_busy_hours_are_those_of_the_door_counter(tiny_snapshot: Snapshot) -> None:
    found = busy_hours(CHAIN, tiny_snapshot.engine, MARCH).set_index(["store_id", "weekday", "hour"])["visitors"]
    assert found[("A", 1, 12)] == 40  # Monday, 2 March
    assert found[("C", 2, 14)] == 1  # C counts nobody: its one receipt on a Tuesday stands for visitors


def test_whoever_sells_twice_as_much_in_the_same_shifts_stands_out() -> None:
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(8), 40)
    sales = 800 * np.exp(rng.normal(0, 0.5, 320)) * np.where(person == 5, 2.0, 1.0)
    hours = np.full(320, 8.0)
    store = person // 4  # two stores of four
    found = effects(log_rate(sales, hours), hours, store, person, np.zeros((320, 0)))
    assert found.lo95[5] > 1.1
    assert found.adjusted.argmax() == 5
    # the colleagues of the same store look worse beside them, those of the other store do not
    assert found.adjusted[[4, 6, 7]].mean() < found.adjusted[:4].mean()
    assert (found.lo95[:4] < 1).all()
    assert (found.hi95[:4] > 1).all()


def test_a_few_lucky_shifts_lead_nowhere() -> None:
    rng = np.random.default_rng(5)
    person = np.concatenate([np.repeat(np.arange(20), 30), [20, 20]])
    rate = np.concatenate([rng.normal(0, 0.4, 600) + np.repeat(rng.normal(0, 0.15, 20), 30), [1.2, 1.2]])
    found = effects(rate, np.full(602, 8.0), np.zeros(602, dtype=np.int64), person, np.zeros((602, 0)))
    assert found.unshrunk.argmax() == 20  # e^1.2 is 3.3 times the others
    assert found.reliability[20] < found.reliability[:20].min()
    assert found.adjusted[20] < found.unshrunk[20] / 1.7


def test_what_the_shift_brings_is_taken_out() -> None:
    rng = np.random.default_rng(7)
    person = np.repeat(np.arange(10), 60)
    busy = rng.normal(0, 1, 600) + np.where(person == 0, 1.0, 0.0)  # person 0 has the busy shifts
    rate = 0.8 * busy + rng.normal(0, 0.3, 600)
    none = np.zeros((600, 0))
    hours, store = np.full(600, 8.0), np.zeros(600, dtype=np.int64)
    assert effects(rate, hours, store, person, none).lo95[0] > 1.4
    adjusted = effects(rate, hours, store, person, busy[:, None])
    assert adjusted.slopes[0] == pytest.approx(0.8, abs=0.05)
    assert adjusted.lo95[0] < 1 < adjusted.hi95[0]


def test_what_a_week_brings_to_all_is_taken_out_as_by_a_column_for_each() -> None:
    rng = np.random.default_rng(11)
    person, week = rng.integers(0, 12, 400), rng.integers(0, 5, 400)
    store, hours, busy = person // 4, rng.choice([4.0, 8.0], 400), rng.normal(0, 1, (400, 1))
    rate = rng.normal(0, 0.4, 400) + 0.3 * week + 0.2 * busy[:, 0]
    columns = np.column_stack([busy, week[:, None] == np.arange(1, 5)])
    found, plain = effects(rate, hours, store, person, busy, week), effects(rate, hours, store, person, columns)
    assert found.adjusted == pytest.approx(plain.adjusted)
    assert found.slopes == pytest.approx(plain.slopes)


def test_fewer_than_four_people_are_not_compared() -> None:
    with pytest.raises(ValueError, match="the effects of 3 people cannot be told from chance: 4 are needed"):
        effects(np.zeros(9), np.ones(9), np.zeros(9, dtype=np.int64), np.repeat(np.arange(3), 3), np.zeros((9, 0)))


def test_nobody_is_compared_alone_or_in_a_store_whose_receipts_name_nobody() -> None:
    sold = {("A", "E1"): 900.0, ("A", "E2"): 700.0, ("A", "E3"): 0.0, ("B", "E4"): 800.0, ("C", "E5"): 0.0}
    sold |= {("C", "E6"): 0.0, ("D", "E7"): 500.0, ("D", "E8"): 600.0}
    rows = [
        (store, person, pd.Timestamp("2026-03-02") + pd.Timedelta(days=day), 8.0, 10, 18, amount)
        for (store, person), amount in sold.items()
        for day in range(8)
    ]
    shifts = pd.DataFrame(
        rows, columns=["store_id", "staff_id", "day", "hours", "first_hour", "last_hour", "gross_sales"]
    )
    busy = pd.DataFrame({"store_id": ["A"], "weekday": [1], "hour": [12], "visitors": [40.0]})
    found, judged = report_module.judge(shifts, busy)
    assert judged["staff_id"].tolist() == ["E1", "E2", "E3", "E7", "E8"]
    assert found is not None
    assert len(found.adjusted) == 5


def test_places_that_cannot_be_ruled_out() -> None:
    # the first is surely first; the second and third overlap; the last lies below all
    low, high = rank_ranges(np.array([2.0, 1.0, 0.9, 0.2]), np.array([3.0, 1.4, 1.2, 0.5]))
    assert low.tolist() == [1, 2, 2, 4]
    assert high.tolist() == [1, 3, 3, 4]


def test_days_are_looked_at_together_until_nearly_all_have_a_sale() -> None:
    every = np.arange("2026-01-01", "2026-04-01", dtype="datetime64[D]")
    one = np.zeros(len(every), dtype=np.int64)
    assert block_days(every, np.ones(len(every)), one) == 1
    weekly = (np.arange(len(every)) % 7 == 0).astype(float)
    assert block_days(every, weekly, one) == 7
    # four weeks have at most a quarter of their days in one block
    assert block_days(every[-28:], np.zeros(28), one[-28:]) == 7


@pytest.mark.slow
def test_the_published_simulation_is_matched() -> None:
    """2,000 people in 200 stores, twenty times."""
    rng = np.random.default_rng(1)
    found = pd.DataFrame([scored(draw(rng)) for _ in range(20)]).mean()
    assert found["spearman"] >= 0.60
    assert found["precision"] >= 0.42
    assert found["few_shifts"] <= 0.05
    assert found["covered"] == pytest.approx(0.95, abs=0.015)
    assert found["cpu"] < 0.1


@pytest.mark.slow
def test_a_mixed_model_says_the_same() -> None:
    """statsmodels' MixedLM, with people as random effects and stores taken out, on 60 stores of the recipe."""
    shifts = draw(np.random.default_rng(3), stores=60)
    own = found_by_us(shifts)
    frame = pd.DataFrame({"y": shifts.rate, "peak": shifts.peak, "counter": shifts.counter})
    inside = frame - frame.groupby(shifts.store).transform("mean")
    fitted = MixedLM(inside["y"], inside[["peak", "counter"]], groups=shifts.person).fit()
    theirs = np.array([effect.iloc[0] for effect in fitted.random_effects.values()])
    assert spearmanr(np.log(own.adjusted), theirs)[0] > 0.98
    assert own.spread == pytest.approx(float(np.sqrt(fitted.cov_re.iloc[0, 0])), abs=0.02)
    assert own.slopes.tolist() == pytest.approx(fitted.fe_params.tolist(), abs=0.03)


def test_a_longer_period_has_the_hours_of_all(tiny_snapshot: Snapshot) -> None:
    whole = Period(date(2025, 3, 1), AS_OF)
    assert staff(tiny_snapshot, CHAIN, whole).staff["hours"].sum() == 8 + 6 + 8 + 4 + 8


@pytest.mark.slow
def test_ten_thousand_people_are_shown_within_the_budget(tmp_path: Path) -> None:
    chain = staff_chain.snapshot(tmp_path / "facts.duckdb", people=10_000, days=90)
    (tmp_path / "results").mkdir()
    judged = one_job(chain, JOB, tmp_path / "results")
    for stores in (1_000, 100, 1):
        scope = Scope("stores", tuple(f"S{number:04d}" for number in range(stores)))
        period = Period(staff_chain.LAST_DAY - timedelta(days=27), staff_chain.LAST_DAY)
        staff(judged, scope, period)
        started = time.process_time()
        people = staff(judged, scope, period).staff
        assert len(people) == 10 * stores
        assert time.process_time() - started < 0.2


def test_a_click_on_a_person_carries_that_persons_id(tiny_snapshot: Snapshot) -> None:
    people = staff(tiny_snapshot, CHAIN, MARCH).staff.assign(adjusted=1.1, lo95=1.05, hi95=1.2, standing="above")
    carried = [mark for trace in staff_views.intervals(people).data for mark in trace.customdata]
    assert sorted(mark[0] for mark in carried) == sorted(people["staff_id"])
