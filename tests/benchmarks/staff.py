"""The table of people on simulated shifts whose truth is known: how well the adjusted figures order people.

The recipe: log sales an hour = log 120 + skill (sd .15) + store (sd .35) + .35 x share of peak hours + .40 x share at
the counter + noise of sd .6 / sqrt(hours / 6); 200 stores of ten people, shifts Poisson(22 x working time), shares
Beta(2, 3) and Beta(2, 2), shifts of 4, 6 or 8 hours.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from models.calc.staff_effects import Effects, Floats, Whole, effects

EACH = 10


@dataclass(frozen=True, slots=True)
class Shifts:
    """One entry per shift; skill and many (shifts) one per person with any, in the order of their numbers."""

    rate: Floats
    hours: Floats
    peak: Floats
    counter: Floats
    store: Whole
    person: Whole
    skill: Floats
    beside: Floats  # skill less the mean of the store
    many: Whole


def draw(rng: np.random.Generator, stores: int = 200) -> Shifts:
    """Four weeks of a chain."""
    people = stores * EACH
    skill = rng.normal(0, 0.15, people)
    shifts = rng.poisson(22 * rng.choice([0.15, 0.4, 0.7, 1], people, p=[0.15, 0.2, 0.25, 0.4]))
    person = np.repeat(np.arange(people), shifts)
    store = person // EACH
    peak, counter = rng.beta(2, 3, len(person)), rng.beta(2, 2, len(person))
    hours = rng.choice([4.0, 6.0, 8.0], len(person), p=[0.2, 0.3, 0.5])
    rate = np.log(120) + skill[person] + rng.normal(0, 0.35, stores)[store] + 0.35 * peak + 0.40 * counter
    rate += rng.normal(0, 0.6, len(person)) / np.sqrt(hours / 6)
    there = shifts > 0
    beside = (skill.reshape(stores, EACH) - skill.reshape(stores, EACH).mean(axis=1, keepdims=True)).ravel()
    number = np.cumsum(there) - 1
    return Shifts(rate, hours, peak, counter, store, number[person], skill[there], beside[there], shifts[there])


def found_by_us(shifts: Shifts) -> Effects:
    """What the staff page computes from the shifts."""
    covariates = np.column_stack([shifts.peak, shifts.counter])
    return effects(shifts.rate, shifts.hours, shifts.store, shifts.person, covariates)


def scored(shifts: Shifts) -> dict[str, float]:
    """spearman with the truth; precision: of the best tenth, truly among the best; few_shifts: of the best tenth, with
    five shifts or fewer; covered: intervals that hold the truth; cpu seconds."""
    started = time.process_time()
    found = found_by_us(shifts)
    cpu = time.process_time() - started
    top = len(shifts.skill) // 10
    best = np.argsort(-found.adjusted)[:top]
    truly = np.argsort(-shifts.skill)[:top]
    inside = (np.log(found.lo95) <= shifts.beside) & (shifts.beside <= np.log(found.hi95))
    return {
        "spearman": float(spearmanr(shifts.skill, found.adjusted)[0]),
        "precision": len(np.intersect1d(best, truly)) / top,
        "few_shifts": float((shifts.many[best] <= 5).mean()),
        "covered": float(inside.mean()),
        "cpu": cpu,
    }


def rankings(times: int = 20) -> Iterator[dict[str, object]]:
    """The means over so many chains."""
    rng = np.random.default_rng(1)
    found = pd.DataFrame([scored(draw(rng)) for _ in range(times)]).mean()
    yield {"simulations": times, **{str(name): round(float(value), 4) for name, value in found.items()}}
