"""Wall and CPU seconds of one call."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def measured(run: Callable[[], Result]) -> tuple[Result, float, float]:
    """What ``run`` returned, the wall seconds and the CPU seconds of this process it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, time.perf_counter() - wall, time.process_time() - cpu
