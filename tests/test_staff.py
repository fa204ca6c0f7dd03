"""Who sold what in which hours, by hand; and what is left of a person once the shifts are taken out."""

from datetime import date

import numpy as np
import pytest
from scipy.stats import spearmanr

from data_access.errors import Problem
from data_access.queries.staff import busy_hours, days
from data_access.scope import Period
from data_access.snapshot import Snapshot
from models.calc.staff_effects import block_days, effects, log_rate, rank_ranges
from models.reports.staff import staff, staff_member
from tests.tiny import AS_OF, CHAIN, MARCH, NORTH, NOTHING, ONLY_A


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
    # two shifts are too few to judge anybody
    assert people["standing"].tolist() == ["too_few", "too_few"]
    assert people["adjusted"].isna().all()
    assert report.summary.set_index("key")["value"][["people", "judged", "hours"]].tolist() == [2, 0, 8 + 8 + 6]


def test_every_scope_sees_its_own_people(tiny_snapshot: Snapshot) -> None:
    assert staff(tiny_snapshot, NOTHING, MARCH).staff.empty
    assert len(staff(tiny_snapshot, NORTH, MARCH).staff) == 4  # E1 in A and in B, E3 in A, E2 in B
    assert staff(tiny_snapshot, CHAIN, MARCH).staff["net_sales"].sum() == 190 + 30 + 58 - 30 + 205 + 105 + 110.25


def test_the_card_of_one_person(tiny_snapshot: Snapshot) -> None:
    card = staff_member(tiny_snapshot, ONLY_A, MARCH, "E1")
    months = card.months.set_index("month")
    assert months["gross_sales"].to_dict() == {"2026-02": 130, "2026-03": 190 + 58}
    assert months.loc["2026-03", "attainment"] == (190 + 58) / 500
    assert np.isnan(months.loc["2026-02", "attainment"])
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


def test_fewer_than_four_people_are_not_compared() -> None:
    with pytest.raises(ValueError, match="the effects of 3 people cannot be told from chance: 4 are needed"):
        effects(np.zeros(9), np.ones(9), np.zeros(9, dtype=np.int64), np.repeat(np.arange(3), 3), np.zeros((9, 0)))


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
    """2,000 people in 200 stores, twenty times: skill .15, store .35, busy and counter shares that differ by roster."""
    rng = np.random.default_rng(1)
    found = np.mean([_simulated(rng) for _ in range(20)], axis=0)
    spearman, precision, few_shifts, covered = found
    assert spearman >= 0.60
    assert precision >= 0.42
    assert few_shifts <= 0.05
    assert covered == pytest.approx(0.95, abs=0.015)


def _simulated(rng: np.random.Generator) -> tuple[float, float, float, float]:
    stores, each = 200, 10
    skill = rng.normal(0, 0.15, stores * each)
    shifts = rng.poisson(22 * rng.choice([0.15, 0.4, 0.7, 1], stores * each, p=[0.15, 0.2, 0.25, 0.4]))
    person = np.repeat(np.arange(stores * each), shifts)
    store = person // each
    peak, counter = rng.beta(2, 3, len(person)), rng.beta(2, 2, len(person))
    hours = rng.choice([4.0, 6.0, 8.0], len(person), p=[0.2, 0.3, 0.5])
    rate = np.log(120) + skill[person] + rng.normal(0, 0.35, stores)[store] + 0.35 * peak + 0.40 * counter
    rate += rng.normal(0, 0.6, len(person)) / np.sqrt(hours / 6)
    there = shifts > 0
    number = np.cumsum(there) - 1
    result = effects(rate, hours, store, number[person], np.column_stack([peak, counter]))
    own = skill[there]
    beside = (skill.reshape(stores, each) - skill.reshape(stores, each).mean(axis=1, keepdims=True)).ravel()[there]
    best = np.argsort(-result.adjusted)[: len(own) // 10]
    truly = set(np.argsort(-own)[: len(own) // 10].tolist())
    inside = (np.log(result.lo95) <= beside) & (beside <= np.log(result.hi95))
    return (
        float(spearmanr(own, result.adjusted)[0]),
        len(truly & set(best.tolist())) / len(best),
        float((shifts[there][best] <= 5).mean()),
        float(inside.mean()),
    )


def test_a_longer_period_has_the_hours_of_all(tiny_snapshot: Snapshot) -> None:
    whole = Period(date(2025, 3, 1), AS_OF)
    assert staff(tiny_snapshot, CHAIN, whole).staff["hours"].sum() == 8 + 6 + 8 + 4 + 8
