"""What the rule of ordering attains on shelves with known demand, and how long proposals take (CPU of this process)."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from models.reorder import reorder
from tests.benchmarks.clock import measured
from tests.simulated_shelves import draw, keep

SEEDS, TARGETS = (1, 2, 3, 4, 5), (0.90, 0.95, 0.98)
PROPOSALS, DAYS = 16_000, 728


def simulation() -> Iterator[dict[str, object]]:
    """One row per target and seed of 400 items."""
    for target in TARGETS:
        kept = [keep(draw(seed), target) for seed in SEEDS]
        for seed, k in zip(SEEDS, kept, strict=True):
            every = np.ones(len(k.slow), dtype=bool)
            yield {
                "target": target,
                "seed": seed,
                "cycle_service": round(float(k.attained.cycle_service(every)[0]), 4),
                "fill_rate": round(float(k.attained.fill_rate(every)[0]), 4),
                "days_of_cover": round(k.days_of_cover(every), 2),
                "slow_fill_rate": round(float(k.attained.fill_rate(k.slow)[0]), 4),
                "slow_days_of_cover": round(k.days_of_cover(k.slow), 2),
            }


def proposals() -> Iterator[dict[str, object]]:
    """From two tables to what to order, calibration included."""
    rng = np.random.default_rng(1)
    mean = np.clip(rng.lognormal(np.log(0.1), 1.1, PROPOSALS), 0.005, 8)
    units = rng.poisson(mean[:, None], (PROPOSALS, DAYS))
    item, day = np.nonzero(units)
    demand = pd.DataFrame(
        {"unique_id": item.astype(str), "ds": np.datetime64("2024-01-01") + day, "y": units[item, day]}
    )
    stock = pd.DataFrame(
        {
            "unique_id": np.arange(PROPOSALS).astype(str),
            "on_hand": rng.integers(0, 10, PROPOSALS),
            "lead_time_days": rng.integers(3, 15, PROPOSALS),
            "lead_time_sd": 1.5,
            "order_multiple": 6,
        }
    )
    _, wall, cpu = measured(partial(reorder, demand, stock))
    yield {"proposals": PROPOSALS, "days": DAYS, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}
