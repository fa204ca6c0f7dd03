"""The loop is woken for everything that other threads leave for it, by as few bytes as that takes."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from unittest.mock import patch

from pages._gate import wake

Answer = TypeVar("Answer")


def run(serve: Coroutine[Any, Any, Answer]) -> Answer:
    """In a thread of its own: a browser of another test may have left a loop at work in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, serve).result()


def test_nothing_that_threads_leave_is_lost() -> None:
    done: list[int] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        wake.once(loop)
        finished = asyncio.Event()

        def add(number: int) -> None:
            done.append(number)
            if len(done) == 4 * 2_000:
                finished.set()

        with ThreadPoolExecutor(4) as threads:
            for _ in range(4):
                threads.submit(lambda: [loop.call_soon_threadsafe(add, number) for number in range(2_000)])
            await asyncio.wait_for(finished.wait(), 30)

    run(serve())
    assert sum(done) == 4 * sum(range(2_000))


def test_while_the_loop_has_not_looked_one_byte_is_enough() -> None:
    async def serve() -> int:
        loop = asyncio.get_running_loop()
        with patch.object(loop, "_write_to_self", wraps=loop._write_to_self) as write:  # type: ignore[attr-defined]
            wake.once(loop)
            for _ in range(100):
                loop.call_soon_threadsafe(int)
            return write.call_count

    assert run(serve()) == 1
