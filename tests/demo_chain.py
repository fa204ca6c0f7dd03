"""A written demo chain, and how tests read it."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from data_access.crm import crm_engine
from data_access.demo import DemoSummary, write_demo
from tests.unsealed import unsealed

END = date(2026, 11, 20)  # the last day of every chain tests write


@dataclass(frozen=True)
class Written:
    """One chain in its database, and the truth beside it."""

    engine: Engine
    truth: dict[str, Any]
    summary: DemoSummary
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)

    def read(self, table: str) -> pd.DataFrame:
        """One table, unsealed."""
        if table not in self.frames:
            self.frames[table] = unsealed(self.engine, table)
        return self.frames[table].copy()

    def sales(self) -> pd.DataFrame:
        """Counted receipts with their local day and net sales (CNY)."""
        orders, lines = self.read("sale_order"), self.read("sale_line")
        orders["net"] = orders["order_id"].map(lines.groupby("order_id")["net"].sum().astype(float))
        orders["day"] = local_day(orders["ordered_at"])
        return orders[(orders["kind"] == "sale") & orders["cancelled_at"].isna() & (orders["net"] > 0)]


def local_day(at: pd.Series) -> pd.Series:
    return (at + pd.Timedelta(hours=8)).dt.floor("D")


def write(folder: Path, name: str, **arguments: Any) -> Written:
    engine = crm_engine(f"sqlite:///{folder / name}.sqlite")
    truth_path = folder / f"{name}.json"
    summary = write_demo(engine, truth_path=truth_path, **({"end": END} | arguments))
    return Written(engine, json.loads(truth_path.read_text("utf-8")), summary)
