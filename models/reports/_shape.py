"""How a report declares its tables: a dataclass field per table, with the columns it promises."""

from dataclasses import field, fields
from typing import Any

import pandas as pd


def table(*columns: str) -> Any:
    """A field that holds a frame with exactly these columns, in this order."""
    return field(metadata={"columns": columns})


def declared_tables(report_type: type) -> dict[str, tuple[str, ...]]:
    """The tables of a report class and their columns."""
    return {f.name: f.metadata["columns"] for f in fields(report_type) if "columns" in f.metadata}


def tables(report: Any) -> dict[str, pd.DataFrame]:
    """The frames of a report by table name, in the order they are declared."""
    return {name: getattr(report, name) for name in declared_tables(type(report))}
