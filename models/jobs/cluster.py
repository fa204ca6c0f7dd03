"""The workers of a Dask cluster, for a chain whose batch outgrows one machine (docs/batch.md).

Plain futures: each worker opens the files of the snapshot, which lie in a folder that all of them see under the same
path, and runs the same program. The extra ``[cluster]`` brings the packages.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Final

from data_access.errors import Problem

_ANSWERS_WITHIN: Final = "20s"


@contextmanager
def workers(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor over the workers of the scheduler at ``address``, and how many items they take at a time.

    Raises:
        Problem: the packages are missing, the scheduler does not answer or has no worker, or a worker died.
    """
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise Problem("a Dask cluster needs the packages of requirements-cluster.txt: install them") from None
    try:
        client = Client(address, timeout=_ANSWERS_WITHIN, set_as_default=False)
    except (OSError, ValueError) as error:
        raise Problem(f"the Dask scheduler at {address} did not answer: {error}") from None
    with client:
        hands = sum(client.nthreads().values())
        if not hands:
            raise Problem(f"the Dask scheduler at {address} has no workers: start some")
        try:
            yield client.get_executor(pure=False), hands
        except KilledWorker:
            raise Problem("a worker of the Dask cluster died, most likely for want of memory") from None
