"""A chain of three stores with random receipts and refunds, many of them alike, to check queries with plain loops."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import create_engine, insert

from data_access.marts import tables
from data_access.marts._sql import sql
from data_access.marts.registry import MARTS
from data_access.scope import Scope
from data_access.snapshot import GenerationInfo, Snapshot
from tests.naive_segments import rhythm

FIRST, LAST = date(2025, 1, 1), date(2026, 2, 4)
HOMES = ("A", "B", "C", None)


@dataclass(frozen=True)
class RandomChain:
    """The snapshot, and what it was built from: one row per event (customer_no, store_id, day, orders, gross, net)."""

    snapshot: Snapshot
    events: pd.DataFrame
    homes: pd.Series  # home store by customer_no

    def people(self, scope: Scope, as_of: date, window_first: date | None = None) -> pd.DataFrame:
        """The base of the scope, one row per customer, as tests.naive_segments takes it; id_rank is customer_no."""
        events = self.events[self.events["store_id"].map(scope.allows) & (self.events["day"] <= pd.Timestamp(as_of))]
        ordered = events[events["orders"] > 0]
        inside = events if window_first is None else events[events["day"] >= pd.Timestamp(window_first)]
        found = pd.DataFrame(
            {
                "first_day": ordered.groupby("customer_no")["day"].min(),
                "last_day": ordered.groupby("customer_no")["day"].max(),
                "orders_ever": ordered.groupby("customer_no")["orders"].sum(),
            }
        )
        sums = inside.groupby("customer_no")[["orders", "gross_sales", "net_sales"]].sum().round(2)
        visits = inside[inside["orders"] > 0].groupby("customer_no")["day"].nunique().rename("visits")
        found = found.join(sums).join(visits).join(_rhythms(ordered))
        here = self.homes[[scope.kind == "chain" or (h is not None and scope.allows(h)) for h in self.homes]]
        found = found.reindex(sorted(set(found.index) | set(here.index)))
        figures = ["orders_ever", "orders", "visits", "gross_sales", "net_sales", "gaps"]
        return found.fillna(dict.fromkeys(figures, 0)).assign(id_rank=found.index)


def _rhythms(ordered: pd.DataFrame) -> pd.DataFrame:
    """When each customer comes, as tests.naive_segments has it; every store and day is one amount."""
    days = ordered.groupby(["customer_no", "day", "store_id"], as_index=False)["gross_sales"].sum()
    found = {
        number: rhythm(
            sorted({day.date() for day in own["day"]}), list(zip(own["day"].dt.date, own["gross_sales"], strict=True))
        )
        for number, own in days.groupby("customer_no")
    }
    return pd.DataFrame.from_dict(found, orient="index").astype("float64")


def random_chain(path: Path) -> RandomChain:
    rng = np.random.default_rng(5)
    size = 2_500
    days = pd.Timestamp(FIRST) + pd.to_timedelta(rng.integers(0, (LAST - FIRST).days + 1, size), unit="D")
    rows = pd.DataFrame(
        {
            "customer_no": rng.integers(1, 500, size),
            "store_id": rng.choice(["A", "A", "B", "C"], size),
            "day": days,
            "orders": rng.random(size) < 0.9,
            "gross": rng.integers(1, 40, size) * 12.5,
        }
    )
    rows.loc[0, ["day", "orders"]] = [pd.Timestamp(LAST), True]
    homes = pd.Series(rng.choice(np.array(HOMES, dtype=object), 560), index=range(1, 561), dtype=object)
    events = rows.assign(
        orders=rows["orders"].astype(int),
        gross_sales=rows["gross"].where(rows["orders"], 0),
        net_sales=rows["gross"].where(rows["orders"], -rows["gross"] / 2),
    )
    _write(path, rows, homes)
    info = GenerationInfo(1, datetime(2026, 2, 5), datetime(2026, 2, 4, 20), FIRST, LAST, "CNY", is_demo=False)
    engine = create_engine(f"duckdb:///{path}", connect_args={"read_only": True})
    return RandomChain(Snapshot("1", engine, info), events, homes)


def _write(path: Path, rows: pd.DataFrame, homes: pd.Series) -> None:
    regions = {"A": "north", "B": "north", "C": "south"}
    orders = [
        {
            "order_id": f"O{row.Index}",
            "store_id": row.store_id,
            "customer_no": row.customer_no,
            "ordered_at": row.day + pd.Timedelta(hours=12),
            "utc": row.day + pd.Timedelta(hours=4),
            "day": row.day,
            "gross_sales": row.gross,
            "cost": row.gross * 0.6,
            "units": 1,
            "lines": 1,
        }
        for row in rows[rows["orders"]].itertuples()
    ]
    returns = [
        {
            "return_id": f"R{row.Index}",
            "line_no": 1,
            "store_id": row.store_id,
            "customer_no": row.customer_no,
            "product_id": "P",
            "returned_at": row.day + pd.Timedelta(hours=12),
            "utc": row.day + pd.Timedelta(hours=4),
            "day": row.day,
            "quantity": 1,
            "refund": row.gross / 2,
        }
        for row in rows[~rows["orders"]].itertuples()
    ]
    content = {
        "store": [
            {"store_id": s, "name": s, "region_id": r, "region_name": r, "kind": "shop"} for s, r in regions.items()
        ],
        "customer": [
            {"customer_no": no, "home_store_id": home, "is_adult": True, "joined_on": FIRST}
            for no, home in homes.items()
        ],
        "customer_rank": [{"customer_no": no, "id_rank": no} for no in homes.index],
        "sale_order": orders,
        "return_line": returns,
        "generation_info": [
            {
                "generation": 1,
                "built_at": datetime(2026, 2, 5),
                "as_of": datetime(2026, 2, 4, 20),
                "first_day": FIRST,
                "last_day": LAST,
                "currency": "CNY",
                "is_demo": False,
            }
        ],
    }
    engine = create_engine(f"duckdb:///{path}")
    tables.facts.create_all(engine)
    with engine.begin() as connection:
        for name, values in content.items():
            table = tables.facts.tables[name]
            known = [{key: value for key, value in row.items() if key in table.c} for row in values]
            connection.execute(insert(table), known)
        for mart in MARTS:
            mart.table.create(connection, checkfirst=True)
            connection.exec_driver_sql(f"INSERT INTO {mart.name} BY NAME {sql(mart.query(), 'main')}")
    engine.dispose()
