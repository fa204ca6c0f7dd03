"""The rows of one place: asked for by themselves, or, within a batch, out of those of all places of its level.

A batch goes through the places level by level. What it asks of one store or region it will ask of the next, and one
question for all of them costs little more than one for the chain. Rows of one level are held at a time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakKeyDictionary

import pandas as pd
from sqlalchemy import Engine

from data_access.queries._units import UNIT
from data_access.scope import Scope

Query = Callable[..., pd.DataFrame]


@dataclass
class _Level:
    """What was asked of all regions, or of all stores: by question the rows of each, and of none."""

    by: Literal["region", "store"]
    whole: Scope  # of the batch
    found: dict[tuple[Any, ...], tuple[dict[str, pd.DataFrame], pd.DataFrame]] = field(default_factory=dict)

    def rows(self, unit: str, query: Query, engine: Engine, *asked: Any) -> pd.DataFrame:
        key = query, *asked
        if key not in self.found:
            rows = query(self.whole, engine, *asked, by=self.by)
            parts = rows.drop(columns=UNIT).groupby(rows[UNIT], observed=True)
            units = {str(name): part.reset_index(drop=True) for name, part in parts}
            self.found[key] = units, rows.drop(columns=UNIT).iloc[:0]
        units, none = self.found[key]
        return units.get(unit, none)


_LEVELS: WeakKeyDictionary[Engine, _Level] = WeakKeyDictionary()
_now: ContextVar[tuple[_Level, str, Scope, Engine] | None] = ContextVar("place", default=None)


@contextmanager
def at_place(
    engine: Engine, level: Literal["chain", "region", "store"], place_id: str, scope: Scope, whole: Scope
) -> Iterator[None]:
    """Within this, ``rows_of`` the scope of a place are found among those of all places of its level in ``whole``."""
    if level == "chain":
        _LEVELS.pop(engine, None)
        yield
        return
    if engine not in _LEVELS or _LEVELS[engine].by != level:
        _LEVELS[engine] = _Level(level, whole)
    before = _now.set((_LEVELS[engine], place_id, scope, engine))
    try:
        yield
    finally:
        _now.reset(before)


def rows_of(scope: Scope, engine: Engine, query: Query, *asked: Any) -> pd.DataFrame:
    """What ``query``, which takes ``by`` (``data_access.queries._units``), finds in the stores in scope.

    Whoever changes a frame in place changes what is handed out again: nobody does.
    """
    now = _now.get()
    if now is None or now[2:] != (scope, engine):
        return query(scope, engine, *asked)
    level, unit, *_ = now
    return level.rows(unit, query, engine, *asked)
