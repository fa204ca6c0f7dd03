"""What courses did: an effect that was planted is found, one that was not is not; who needs and who holds what."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_access.demo import people, places, trade
from data_access.demo.calendar import make_calendar
from data_access.demo.world import SCALES, dates, months_before
from data_access.snapshot import Snapshot
from models.calc.ramp import ramp
from models.calc.training import NEVER, CourseEffect, Panel, effect
from models.jobs.training import JOB
from models.reports.training import _below, _records, measured, training
from tests.results_kit import one_job
from tests.tiny import AS_OF, CHAIN, ONLY_A

NONE = np.zeros((0, 0), dtype=np.int64)
MONTHS = 30


def _panel(rng: np.random.Generator, stores: int, each: int, months: int = MONTHS) -> Panel:
    """People with levels of their own, seasons of the chain and months of the stores."""
    store = np.repeat(np.arange(stores), each)
    many = len(store)
    season = 0.3 * np.sin(np.arange(months) / 2)
    local = rng.normal(0, 0.05, (stores, months))[store]
    rate = 5 + rng.normal(0, 0.3, many)[:, None] + season + local + rng.normal(0, 0.2, (many, months))
    return Panel(rate, store, np.zeros(many, dtype=np.int64), np.full(many, -3))


def _trained(rng: np.random.Generator, panel: Panel, share: float, by_level: float = 0.0) -> np.ndarray:
    """The month in which each was trained; ``by_level``: how much rather managers send whoever sells well."""
    level = panel.rate[:, :6].mean(axis=1)
    pull = share + by_level * np.sign(level - np.median(level))
    return np.where(rng.random(len(level)) < pull, rng.integers(8, 20, len(level)), NEVER)


def _after(panel: Panel, trained: np.ndarray, by: float) -> Panel:
    later = (trained[:, None] >= 0) & (np.arange(panel.rate.shape[1])[None, :] > trained[:, None])
    return Panel(panel.rate + by * later, panel.store, panel.job, panel.hired)


def _others(*courses: np.ndarray) -> np.ndarray:
    return np.column_stack(courses)


def test_a_planted_effect_is_found_and_its_neighbour_is_not() -> None:
    rng = np.random.default_rng(4)
    panel = _panel(rng, 12, 6)
    helps, idle = _trained(rng, panel, 0.4), _trained(rng, panel, 0.4, by_level=0.3)
    panel = _after(panel, helps, np.log(1.2))
    found, nothing = effect(panel, helps, _others(idle)), effect(panel, idle, _others(helps))
    assert found.lo95 < 0.2 < found.hi95
    assert found.verdict == "worked"
    assert found.bootstrap  # twelve stores
    assert nothing.lo95 < 0 < nothing.hi95
    assert nothing.verdict == "no_evidence"
    assert found.path.loc[found.path["month"] > 0, "effect"].mean() == pytest.approx(found.effect, abs=0.02)


def test_whoever_pulled_away_before_the_course_is_no_proof() -> None:
    rng = np.random.default_rng(6)
    panel = _panel(rng, 12, 6)
    trained = _trained(rng, panel, 0.5)
    rising = (trained >= 0)[:, None] * 0.05 * np.arange(MONTHS)  # the sent ones gain 5 % every month anyway
    found = effect(Panel(panel.rate + rising, panel.store, panel.job, panel.hired), trained, NONE.reshape(72, 0))
    assert found.effect > 0.2
    assert found.verdict == "drifted"


def test_too_few_people_are_said_to_be_too_few() -> None:
    panel = _panel(np.random.default_rng(2), 4, 5)
    trained = np.full(20, NEVER)
    trained[:8] = 12
    found = effect(panel, trained, NONE.reshape(20, 0))
    assert (found.people, found.verdict) == (8, "too_few")
    assert np.isnan(found.effect)


def test_without_noise_the_effect_is_exact() -> None:
    rng = np.random.default_rng(1)
    panel = _panel(rng, 12, 4)
    smooth = Panel(np.repeat(panel.rate[:, :1], MONTHS, axis=1), panel.store, panel.job, panel.hired)
    trained = np.where(np.arange(48) % 3 == 0, 10 + np.arange(48) % 5, NEVER)
    assert effect(_after(smooth, trained, np.log(1.1)), trained, NONE.reshape(48, 0)).effect == pytest.approx(0.1)


def test_new_people_beside_the_settled_ones() -> None:
    rows = [("old", "A", month, 40, np.log(100.0)) for month in range(3)]
    rows += [(f"new{n}", "A", month, month, np.log(100 * (0.5 + 0.2 * month))) for n in range(5) for month in range(3)]
    curve = ramp(pd.DataFrame(rows, columns=["staff_id", "store_id", "month", "age", "log_rate"]))
    assert curve["month"].tolist() == [0, 1, 2]
    assert curve["people"].tolist() == [5, 5, 5]
    assert curve["ratio"].tolist() == pytest.approx([0.5, 0.7, 0.9])
    assert ramp(pd.DataFrame(rows[:9], columns=["staff_id", "store_id", "month", "age", "log_rate"])).empty


def test_certificates_end_after_their_months() -> None:
    taken = pd.DataFrame(
        {
            "staff_id": ["E1", "E1", "E2"],
            "store_id": "A",
            "course_id": ["K1", "K2", "K1"],
            "completed_on": pd.to_datetime(["2025-01-31", "2020-01-01", "2024-02-01"]),
            "score": 90.0,
        }
    )
    courses = pd.DataFrame(
        {"course_id": ["K1", "K2"], "course": ["One", "Two"], "skills": "", "valid_months": [13, None]}
    )
    people = pd.DataFrame({"staff_id": ["E1", "E2"], "store_id": "A", "store": "A"})
    found = _records(taken, courses, people, date(2026, 1, 15)).set_index(["staff_id", "course"])
    assert found.loc[("E1", "K1"), "expires_on"] == pd.Timestamp("2026-02-28")  # 13 months after 31 January 2025
    assert found["state"].to_dict() == {("E2", "K1"): "expired", ("E1", "K1"): "expiring", ("E1", "K2"): "valid"}


def test_a_figure_is_low_only_beyond_chance() -> None:
    # ten days with ten receipts each: 20 units a day for all but E4, who sells 15
    units = {"E1": 20, "E2": 20, "E3": 20, "E4": 15}
    sums = pd.DataFrame(
        [(who, "A", 100, 10 * u, 10 * 100, 10 * u * u, 10 * 10 * u) for who, u in units.items()],
        columns=["staff_id", "store_id", "orders", "units", "orders_orders", "units_units", "units_orders"],
    )
    low = _below(sums, "units", "orders")
    assert low["staff_id"].tolist() == ["E4"]
    assert low[["value", "team_value"]].iloc[0].tolist() == [150 / 100, 600 / 300]
    noisy = sums.assign(units_units=sums["units_units"] + 40_000)
    assert _below(noisy, "units", "orders").empty


def test_the_report_of_the_tiny_chain(tiny_snapshot: Snapshot) -> None:
    report = training(tiny_snapshot, ONLY_A, AS_OF)
    assert not report.of_chain
    assert set(report.records["store_id"]) <= {"A"}


def test_what_the_batch_measured_is_what_would_be_measured_now(tiny_snapshot: Snapshot, tmp_path: Path) -> None:
    with_results = one_job(tiny_snapshot, JOB, tmp_path)
    report = training(with_results, ONLY_A, AS_OF)
    assert report.of_chain
    pd.testing.assert_frame_equal(
        report.effects[["course", "people", "verdict"]],
        measured(tiny_snapshot, CHAIN, AS_OF).effects.rename(columns={"course_id": "course"})[
            ["course", "people", "verdict"]
        ],
        check_dtype=False,
    )


@pytest.mark.slow
def test_the_interval_covers_the_effect_as_often_as_it_says() -> None:
    """400 teams of ten stores of five; the course without effect is given to those who sell well."""
    found = [_replicate(np.random.default_rng(seed), 10, 5) for seed in range(400)]
    helps, idle = zip(*found, strict=True)
    covered = np.mean([one.lo95 <= 0.18 <= one.hi95 for one in helps])
    assert covered == pytest.approx(0.95, abs=0.033)  # three standard errors
    assert np.mean([one.verdict == "worked" for one in helps]) > 0.7
    assert np.mean([one.p_value < 0.05 for one in idle]) <= 0.05 + 0.033
    assert np.mean([one.verdict in ("worked", "hurt") for one in idle]) <= 0.05 + 0.033


def _replicate(rng: np.random.Generator, stores: int, each: int) -> tuple[CourseEffect, CourseEffect]:
    panel = _panel(rng, stores, each)
    helps, idle = _trained(rng, panel, 0.4), _trained(rng, panel, 0.4, by_level=0.3)
    panel = _after(panel, helps, np.log(1.18))
    return effect(panel, helps, _others(idle)), effect(panel, idle, _others(helps))


@pytest.mark.slow
def test_the_demo_chain_drawn_again_and_again_gives_its_course_away() -> None:
    """60 chains of the default scale by their receipts: one course multiplies what people sell by 1.18, one does
    nothing and is given to good sellers."""
    found = [_demo(seed) for seed in range(1, 61)]
    helps, idle = zip(*found, strict=True)
    covered = np.mean([one.lo95 <= 0.18 <= one.hi95 for one in helps])
    claimed = np.mean([one.verdict in ("worked", "hurt") for one in idle])
    assert covered >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 60)
    assert claimed <= 0.05 + 3 * np.sqrt(0.95 * 0.05 / 60)
    assert np.mean([one.effect for one in idle]) == pytest.approx(0.0, abs=0.02)


def _demo(seed: int) -> tuple[CourseEffect, CourseEffect]:
    scale, end, null = SCALES["demo"], date(2026, 11, 20), frozenset[str]()
    start = months_before(end, scale.months)
    calendar = make_calendar(start, (end - start).days + 1, flat=False)
    where = places.make_places(scale, calendar, seed, null)
    team = places.make_team(scale, calendar, where, seed, null)
    orders = trade.make_orders(
        scale, calendar, where, team, people.make_people(scale, calendar, where, seed, null), seed
    )
    orders = orders[(orders["staff"] >= 0) & trade.counted(orders)]
    first = np.datetime64(start, "M").astype(int)
    month = dates(start, np.arange(calendar.days)).astype("datetime64[M]").astype(int) - first
    months, many = int(month.max()) + 1, len(team.post)
    spent = np.exp(np.random.default_rng(seed).normal(0, 0.6, len(orders)))
    at = orders["staff"].to_numpy() * months + month[orders["day"].to_numpy()]
    sales = np.bincount(at, weights=spent, minlength=many * months).reshape(many, months)
    store, day, half, slot = np.nonzero(team.on_shift >= 0)
    worked = team.on_shift[store, day, half, slot] * months + month[day]
    hours = 6.0 * np.bincount(worked, minlength=many * months).reshape(many, months)
    enough = (hours >= 30) & (sales > 0)
    rate = np.where(enough, np.log(np.where(enough, sales, 1) / np.where(enough, hours, 1)), np.nan)
    hired = np.where(team.hired < 0, -3, month[np.maximum(team.hired, 0)])
    panel = Panel(rate, team.store.astype(np.int64), np.zeros(many, dtype=np.int64), hired)
    helps, idle = (
        np.where(np.isnat(on) | (on > np.datetime64(end)), NEVER, on.astype("datetime64[M]").astype(int) - first)
        for on in (team.helpful_on, team.useless_on)
    )
    return effect(panel, helps, _others(idle)), effect(panel, idle, _others(helps))
