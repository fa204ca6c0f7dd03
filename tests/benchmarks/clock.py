"""Wall and CPU seconds of one call, and of many."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Result = TypeVar("Result")


def measured(run: Callable[[], Result]) -> tuple[Result, float, float]:
    """What ``run`` returned, the wall seconds and the CPU seconds of this process it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def repeated(run: Callable[[], object], repeats: int) -> dict[str, float]:
    """Milliseconds of ``run`` after one warm-up: median and worst wall, median CPU."""
    run()
    return summed_up([measured(run)[1:] for _ in range(repeats)])


def in_turns(runs: Sequence[Callable[[], object]], repeats: int) -> list[dict[str, float]]:
    """As ``repeated`` for each of ``runs``, taking turns: what else the machine does then weighs on all of them."""
    for run in runs:
        run()
    times = [[measured(run)[1:] for run in runs] for _ in range(repeats)]
    return [summed_up(list(column)) for column in zip(*times, strict=True)]


def summed_up(times: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Pairs of wall and CPU seconds as milliseconds."""
    return {
        "wall_ms": round(1000 * statistics.median(wall for wall, _ in times), 1),
        "worst_ms": round(1000 * max(wall for wall, _ in times), 1),
        "cpu_ms": round(1000 * statistics.median(cpu for _, cpu in times), 1),
    }
