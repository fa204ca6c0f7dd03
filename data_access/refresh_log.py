"""What the last refreshes did or why they failed: a small file of the home, ``refreshes.json``, newest last."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_access.errors import Problem
from data_access.publish import write_whole

log = logging.getLogger(__name__)

_FILE = "refreshes.json"
KEPT = 50


@dataclass(slots=True)
class PastRefresh:
    """One refresh; ``started`` is UTC. Without a failure the generation that was in force after it, and rows.

    mode: full | changes; None: it failed before that was known. published: whether the generation is its own.
    """

    started: datetime
    seconds: float = 0.0
    mode: str | None = None
    rows_read: int | None = None
    rows_changed: int | None = None
    generation: str | None = None
    published: bool = False
    failure: str | None = None


def past_refreshes(home: Path) -> list[PastRefresh]:
    """The last refreshes of this home, newest first; none where there is no file or it cannot be read."""
    names = {field.name for field in fields(PastRefresh)}
    try:
        rows = json.loads((home / _FILE).read_text(encoding="utf-8"))
        return [
            PastRefresh(**{**row, "started": datetime.fromisoformat(row["started"])})
            for row in reversed(rows)
            if set(row) <= names
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be used: %s", home / _FILE, error)
        return []


@contextmanager
def remembered(home: Path) -> Iterator[PastRefresh]:
    """Adds one refresh to the file when the block ends: what the block filled in, and the sentence of its failure.

    For whoever holds the right to write to the home.
    """
    past = PastRefresh(datetime.now(UTC).replace(tzinfo=None))
    try:
        yield past
    except Problem as problem:
        past.failure = str(problem)
        raise
    finally:
        now = datetime.now(UTC).replace(tzinfo=None)
        past.seconds = round(max((now - past.started).total_seconds(), 0.0), 3)
        kept = [past, *past_refreshes(home)][:KEPT]
        write_whole(home / _FILE, json.dumps([_plain(one) for one in reversed(kept)], ensure_ascii=False))


def _plain(past: PastRefresh) -> dict[str, Any]:
    return asdict(past) | {"started": past.started.isoformat()}
