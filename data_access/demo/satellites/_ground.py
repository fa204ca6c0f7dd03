"""What every satellite topic needs to know about the chain's core, computed once.

Rows are addressed by position ("code"): the code of a customer, store, person, product or order is its row
number in the frame of the same name here, and -1 says "none". Instants are ``datetime64[s]`` in UTC, days
are ``datetime64[D]`` and store-local.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_access.demo.world import LOCAL, World

Array = npt.NDArray[Any]

DAY = np.timedelta64(1, "D")
_NEVER_LEFT = np.datetime64("2200-01-01", "D")


def instants(values: Any) -> Array:
    """Any column of instants as ``datetime64[s]``."""
    return pd.to_datetime(pd.Series(np.asarray(values))).to_numpy().astype("datetime64[s]")


def days(values: Any) -> Array:
    """Any column of days as ``datetime64[D]``."""
    return pd.to_datetime(pd.Series(np.asarray(values))).to_numpy().astype("datetime64[D]")


def local_day(at: Array) -> Array:
    """The store-local day of UTC instants."""
    return (at + LOCAL).astype("datetime64[D]")


def at_local(day: Any, seconds: Array | int) -> Array:
    """The UTC instant that lies ``seconds`` after local midnight of ``day``."""
    at: Array = np.asarray(day).astype("datetime64[s]") + np.asarray(seconds).astype("timedelta64[s]") - LOCAL
    return at


def seconds(values: Array | float) -> Array:
    """A duration in seconds, fractions dropped."""
    return np.asarray(values).astype("int64").astype("timedelta64[s]")


def pick(rng: np.random.Generator, words: Any, count: int, weights: Any = None) -> Array:
    """``count`` of ``words``, drawn with replacement."""
    weights = None if weights is None else np.asarray(weights) / np.sum(weights)
    return np.asarray(words, dtype=object)[rng.choice(len(words), count, p=weights)]


def only(kept: Array, values: Array) -> Array:
    """``values`` where ``kept``, else None."""
    return np.where(kept, values, np.array(None, dtype=object))


def latest(*columns: Array) -> Array:
    """Row by row the latest of several instants; NaT never wins."""
    return np.fmax.reduce([column.astype("datetime64[s]") for column in columns])


def rounds(owner: Array) -> Iterator[Array]:
    """Positions to process together: the first row of every owner, then every second row, and so on.

    ``owner`` is sorted. Lets a ledger, where each booking depends on the balance before it, run over all
    customers at once.
    """
    if not len(owner):
        return
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    lengths = np.diff(np.r_[starts, len(owner)])
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    for step in range(int(lengths[0])):
        yield starts[: np.searchsorted(-lengths, -step, side="left")] + step


@dataclass(frozen=True, eq=False)
class Ground:
    """The core of the chain in the form the topics work on."""

    core: dict[str, pd.DataFrame]
    world: World
    null: frozenset[str]
    first_day: np.datetime64  # store-local, as last_day
    last_day: np.datetime64
    end: np.datetime64  # the last instant of the last day
    customers: pd.DataFrame
    stores: pd.DataFrame
    staff: pd.DataFrame
    products: pd.DataFrame
    orders: pd.DataFrame  # real receipts by time: order_id, customer, store, staff, at, day, channel, ...
    lines: pd.DataFrame  # their lines: order, product, lot_id, net, paid (incl. tax)
    refunds: pd.DataFrame  # order (-1 unknown), customer, at, refund

    def label(self, table: str, codes: Any) -> Array:
        """Ids of ``codes`` in customers, stores, staff, products or orders; None where the code is -1."""
        frame: pd.DataFrame = getattr(self, table)
        found: Array = np.r_[frame.iloc[:, 0].to_numpy(dtype=object), [None]][np.asarray(codes)]
        return found

    def share(self, rng: np.random.Generator, count: int, probability: Any) -> Array:
        """Positions of a random subset of ``range(count)``."""
        return np.flatnonzero(rng.random(count) < probability)

    def until_end(self, at: Array) -> Array:
        """Instants after the end have not happened yet: NaT."""
        return np.where(at <= self.end, at, np.datetime64("NaT", "s"))

    def employed(self, person: Array, day: Array) -> Array:
        """Whether each person works for the chain on each day; nobody (-1) does not."""
        hired = np.append(self.staff["hired"].to_numpy(), _NEVER_LEFT).astype("datetime64[D]")
        left = np.append(self.staff["left"].to_numpy(), _NEVER_LEFT).astype("datetime64[D]")
        return (hired[person] <= day) & (day < left[person])

    def person_at(self, rng: np.random.Generator, store: Array, day: Array, roles: tuple[str, ...] = ()) -> Array:
        """Somebody who works in each store on each day, of one of ``roles`` if given; -1 where nobody is found."""
        home, found = self.staff["store"].to_numpy(), np.full(len(store), -1)
        allowed = self.staff["role"].isin(roles).to_numpy() if roles else np.ones(len(home), dtype=bool)
        for code in np.unique(store):
            team = np.flatnonzero((home == code) & allowed)
            here = np.flatnonzero(store == code)
            for _ in range(6 if len(team) else 0):
                drawn = team[rng.integers(0, len(team), len(here))]
                works = self.employed(drawn, day[here])
                found[here[works]] = drawn[works]
                here = here[~works]
        return found


def ground(core: dict[str, pd.DataFrame], world: World, null: frozenset[str]) -> Ground:
    """Reads the core frames; ``core`` holds canonical tables by name, ``world.end`` is the last day."""
    last_day = np.datetime64(world.end, "D")
    end = (last_day + DAY).astype("datetime64[s]") - LOCAL - np.timedelta64(1, "s")
    customers = core["customer"].reset_index(drop=True)[["customer_id"]].copy()
    stores, products = core["store"].reset_index(drop=True), core["product"].reset_index(drop=True)
    staff = core["staff"].reset_index(drop=True)[["staff_id", "role"]].copy()
    code = _coder(customers, stores, staff, products)

    raw = core["customer"].reset_index(drop=True)
    customers["home"] = code("stores", raw["home_store_id"])
    customers["owner"] = code("staff", raw["owner_staff_id"])
    customers["referrer"] = code("customers", raw["referrer_customer_id"])
    customers["joined"] = days(raw["joined_on"])
    customers["birthday"] = days(raw["birthday"])
    customers["person"] = (raw["account_type"] != "wholesale").to_numpy()
    customers["city"] = raw["city"].to_numpy()
    customers["has_skin_profile"] = raw["skin_type"].notna().to_numpy()
    people = core["staff"].reset_index(drop=True)
    staff["store"] = code("stores", people["home_store_id"])
    staff["hired"] = days(people["hired_on"].fillna(pd.Timestamp("2000-01-01")))
    staff["left"] = days(people["left_on"].fillna(pd.Timestamp(_NEVER_LEFT)))

    orders, lines = _orders(core, code, stores, end)
    position = pd.Index(orders["order_id"])
    back = core["return_line"]
    refunds = pd.DataFrame(
        {
            "order": position.get_indexer(back["order_id"].to_numpy()),
            "customer": code("customers", back["customer_id"]),
            "at": instants(back["returned_at"]),
            "refund": back["refund"].to_numpy(dtype=float),
        }
    )
    return Ground(
        core, world, null, np.datetime64(world.start, "D"), last_day, end,
        customers, stores, staff, products, orders, lines, refunds,
    )  # fmt: skip


def _coder(customers: pd.DataFrame, stores: pd.DataFrame, staff: pd.DataFrame, products: pd.DataFrame) -> Any:
    index = {
        "customers": pd.Index(customers["customer_id"]),
        "stores": pd.Index(stores["store_id"]),
        "staff": pd.Index(staff["staff_id"]),
        "products": pd.Index(products["product_id"]),
    }

    def code(table: str, ids: pd.Series) -> Array:
        found = index[table].get_indexer(ids.to_numpy())
        return np.where(ids.isna().to_numpy(), -1, found)

    return code


def _orders(
    core: dict[str, pd.DataFrame], code: Any, stores: pd.DataFrame, end: np.datetime64
) -> tuple[pd.DataFrame, pd.DataFrame]:
    raw = core["sale_order"]
    at = instants(raw["ordered_at"])
    real = (raw["kind"] == "sale").to_numpy() & raw["cancelled_at"].isna().to_numpy() & (at <= end)
    kept = np.flatnonzero(real)[np.argsort(at[real], kind="stable")]
    raw, at = raw.iloc[kept], at[kept]
    orders = pd.DataFrame({"order_id": raw["order_id"].to_numpy()})
    for name in ("customer", "store", "staff"):
        orders[name] = code("staff" if name == "staff" else f"{name}s", raw[f"{name}_id"])
    orders["at"], orders["day"] = at, local_day(at)
    orders["channel"] = raw["channel"].to_numpy(dtype=object)
    orders["online"] = (stores["kind"] == "online").to_numpy()[orders["store"].to_numpy()]

    rows = core["sale_line"]
    order = pd.Index(orders["order_id"]).get_indexer(rows["order_id"].to_numpy())
    rows, order = rows[order >= 0], order[order >= 0]
    lines = pd.DataFrame(
        {
            "order": order,
            "product": code("products", rows["product_id"]),
            "lot_id": rows["lot_id"].to_numpy(dtype=object),
            "net": rows["net"].to_numpy(dtype=float),
            "paid": rows["net"].to_numpy(dtype=float) + rows["tax"].to_numpy(dtype=float),
        }
    ).sort_values("order", kind="stable", ignore_index=True)
    orders["net"] = np.bincount(lines["order"], lines["net"], len(orders)).round(2)
    orders["paid"] = np.bincount(lines["order"], lines["paid"], len(orders)).round(2)
    return orders, lines
