"""What to order, from two plain tables: the demand of the past and the stock of today.

Behind ``python -m models reorder``; the pages propose with the same functions from what the snapshot holds.
"""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from models.calc.demand_rates import Floats, from_history
from models.calc.inventory import Stock, Supply, calibrate, classes, propose

DEMAND = ("unique_id", "ds", "y")
# Columns of the stock, with what an empty cell or a column left out means; None: it must be there.
STOCK: dict[str, float | None] = {
    "on_hand": None,
    "reserved": 0.0,
    "on_order": 0.0,
    "lead_time_days": None,
    "lead_time_sd": 0.0,
    "review_days": 7.0,
    "order_multiple": 1.0,
    "minimum_quantity": 1.0,
    "unit_cost": 1.0,
    "sellable_units": np.inf,
}
PROPOSAL = (
    "expected_demand",
    "safety_stock",
    "reorder_point",
    "order_up_to",
    "order_quantity",
    "stockout_probability",
    "days_of_cover",
)
SERVICE_LEVEL = 0.95
_ABOVE_ZERO = {
    "review_days": "how many days lie between two orders",
    "order_multiple": "how many units are ordered at once",
}
_MOST_DAYS = 3 * 364  # of the past that are looked at


def read(path: Path) -> pd.DataFrame:
    """A csv or parquet file; Problem when it cannot be read."""
    if not path.exists():
        raise Problem(f"{path} does not exist: name a csv or parquet file")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, engine="pyarrow")
    except (ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        kind = "parquet" if path.suffix == ".parquet" else "csv"
        raise Problem(f"{path} cannot be read as {kind} ({reason}): give a csv or parquet file") from None


def reorder(demand: pd.DataFrame, stock: pd.DataFrame, service_level: float = SERVICE_LEVEL) -> pd.DataFrame:
    """One row per row of ``stock``: unique_id and ``PROPOSAL``.

    Args:
        demand: unique_id, ds (a day), y (units sold); a day without a row sold nothing, before an item's first row it
            was not on sale.
        stock: unique_id and the columns of ``STOCK``.
        service_level: the share of delivery cycles without a stock-out, of the slowest items the share of units asked
            for that are there.

    Raises:
        Problem: a column is missing or holds what it must not.
    """
    if not 0.5 <= service_level < 1:
        raise Problem(f"a service level is at least 0.5 and below 1, not {service_level:g}")
    ids, numbers = _checked_stock(stock)
    sold = history(demand, ids)
    supply = Supply(numbers["lead_time_days"], numbers["lead_time_sd"], numbers["review_days"])
    shelf = Stock(
        numbers["on_hand"],
        numbers["reserved"],
        numbers["on_order"],
        numbers["order_multiple"],
        numbers["minimum_quantity"],
        numbers["sellable_units"],
    )
    item_class = classes(sold, numbers["unit_cost"])
    z = calibrate(sold, supply, item_class, service_level).z
    proposal = propose(from_history(sold), supply, shelf, z)
    cover = np.where(np.isfinite(proposal.days_of_cover), proposal.days_of_cover, np.nan)
    columns = {name: getattr(proposal, name) for name in PROPOSAL} | {"days_of_cover": cover}
    rounded = {name: np.round(values, 4) for name, values in columns.items()}
    whole = {name: rounded[name].astype(np.int64) for name in ("reorder_point", "order_up_to", "order_quantity")}
    return pd.DataFrame({"unique_id": ids, **rounded, **whole})


def history(demand: pd.DataFrame, ids: "pd.Series[str]") -> Floats:
    """Units sold of each of ``ids`` on each day up to the last of ``demand``; NaN before an item's first row."""
    _need(demand, DEMAND, "demand")
    day = _days(demand["ds"])
    units = _numbers(demand, "y", "demand", least=0.0)
    if not len(day):
        raise Problem("the demand holds no rows: give at least one day of sales")
    item = _ids(demand, "demand")
    twice = pd.DataFrame({"item": item, "day": day}).duplicated()
    if twice.any():
        row = int(np.argmax(twice.to_numpy()))
        raise Problem(f"the demand has two rows of {item.iloc[row]!r} on {day[row]}: add them up first")
    first, last = day.min(), day.max()
    first = max(first, last - np.timedelta64(_MOST_DAYS - 1, "D"))
    days = int((last - first).astype(int)) + 1
    place = pd.Index(ids).get_indexer(pd.Index(item))
    at = (day - first).astype(np.int64)
    known = (place >= 0) & (at >= 0)
    sold = np.zeros((len(ids), days))
    sold[place[known], at[known]] = units[known]
    begins = np.full(len(ids), days, dtype=np.int64)
    np.minimum.at(begins, place[place >= 0], np.maximum(at[place >= 0], 0))
    sold[np.arange(days)[None, :] < begins[:, None]] = np.nan
    return sold


def _checked_stock(stock: pd.DataFrame) -> tuple["pd.Series[str]", dict[str, Floats]]:
    _need(stock, ("unique_id", *(name for name, default in STOCK.items() if default is None)), "stock")
    if stock.empty:
        raise Problem("the stock holds no rows: give at least one item")
    ids = _ids(stock, "stock")
    twice = ids[ids.duplicated()]
    if len(twice):
        raise Problem(f"the stock names {twice.iloc[0]!r} twice: give each item one row")
    numbers = {}
    for name, default in STOCK.items():
        if name in stock:
            values = _numbers(stock, name, "stock", least=0.0, default=default)
        else:
            values = np.full(len(stock), default, dtype=np.float64)
        numbers[name] = values
    for name, meaning in _ABOVE_ZERO.items():
        if (numbers[name] <= 0).any():
            row = int(np.argmax(numbers[name] <= 0)) + 1
            raise Problem(f"the stock's {name} in row {row} must be above 0: {meaning}")
    return ids, numbers


def _ids(frame: pd.DataFrame, what: str) -> "pd.Series[str]":
    nameless = frame["unique_id"].isna().to_numpy()
    if nameless.any():
        raise Problem(f"the {what} has no unique_id in row {int(np.argmax(nameless)) + 1}: every row names one item")
    return frame["unique_id"].astype(str).reset_index(drop=True)


def _need(frame: pd.DataFrame, names: tuple[str, ...], what: str) -> None:
    missing = [name for name in names if name not in frame]
    if missing:
        found = ", ".join(map(str, frame.columns)) or "none"
        raise Problem(f"the {what} lacks the column {missing[0]!r}: its columns are {found}")


def _numbers(frame: pd.DataFrame, name: str, what: str, least: float, default: float | None = None) -> Floats:
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    empty = frame[name].isna().to_numpy()
    endless = np.isinf(values) & (default != np.inf)
    _first_wrong(frame, (np.isnan(values) | endless) & ~empty, name, what, "is not a number")
    if default is None:
        _first_wrong(frame, empty, name, what, "is empty")
    else:
        values = np.where(empty, default, values)
    _first_wrong(frame, values < least, name, what, f"is below {least:g}")
    return values


def _first_wrong(frame: pd.DataFrame, wrong: NDArray[np.bool_], name: str, what: str, how: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        value = frame[name].iloc[row]
        shown = "" if pd.isna(value) else f" ({value})"
        raise Problem(f"the {what}'s {name} in row {row + 1} {how}{shown}")


def _days(values: pd.Series) -> NDArray[np.datetime64]:
    if len(values) and isinstance(values.iloc[0], date):
        values = pd.Series(values.astype("datetime64[s]"), index=values.index)
    days = pd.to_datetime(values, errors="coerce")
    if days.isna().any():
        row = int(days.isna().to_numpy().argmax())
        raise Problem(f"the demand's ds in row {row + 1} is not a day ({values.iloc[row]}): write YYYY-MM-DD")
    found: NDArray[np.datetime64] = days.to_numpy().astype("datetime64[D]")
    return found
