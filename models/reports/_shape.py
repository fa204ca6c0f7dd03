"""How a report declares its tables: a dataclass field per table, annotated with the columns it promises."""

from functools import cache
from typing import Any, get_type_hints

import pandas as pd


class Columns:
    """The columns of a table, in order: ``kpis: Annotated[pd.DataFrame, Columns("key value")]``."""

    def __init__(self, names: str) -> None:
        self.names = tuple(names.split())


@cache
def declared_tables(report_type: type) -> dict[str, tuple[str, ...]]:
    """The tables of a report class and their columns, in the order they are declared."""
    hints = get_type_hints(report_type, include_extras=True)
    return {
        name: note.names
        for name, hint in hints.items()
        for note in getattr(hint, "__metadata__", ())
        if isinstance(note, Columns)
    }


def select_columns(report_type: type, **frames: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """``frames`` with only the columns their tables declare, in that order; a table not given is empty."""

    def shaped(name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        if name not in frames:
            return pd.DataFrame(columns=list(columns))
        frame = frames[name]
        return frame if tuple(frame) == columns else frame[list(columns)]

    return {name: shaped(name, columns) for name, columns in declared_tables(report_type).items()}


def tables(report: Any) -> dict[str, pd.DataFrame]:
    """The frames of a report by table name, in the order they are declared."""
    return {name: getattr(report, name) for name in declared_tables(report.__class__)}
