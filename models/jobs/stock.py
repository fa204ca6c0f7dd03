"""The job ``stock``: every shelf of the chain with what to order, the lots that expire, and the transfers."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pandas as pd

from data_access.marts.product_return import product_return
from data_access.marts.product_store_day import product_store_day
from data_access.marts.stock_position import stock_position
from data_access.marts.tables import (
    product,
    purchase_line,
    stock_level,
    stock_lot,
    stock_movement,
    store,
    supplier,
    supply_term,
    transfer_lane,
)
from data_access.queries import demand, places
from data_access.queries import stock as queries
from data_access.results.tables import stock_class, stock_lot_left, stock_shelf, stock_transfer
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import overrides
from models.calc import demand_rates, expiry, inventory, outliers, replenishment, transfers, wishes
from models.calc.wishes import Wish
from models.jobs import job
from models.jobs.forecast import JOB as FORECAST
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import shelves as rows
from models.reports import stock as report

_INPUTS = (
    product_store_day,
    product_return,
    stock_position,
    stock_level,
    stock_lot,
    stock_movement,
    purchase_line,
    supply_term,
    supplier,
    product,
    store,
    transfer_lane,
)
_CODE = (rows, report, queries, demand, demand_rates, inventory, outliers, replenishment, expiry, transfers, wishes)
_STEPS = 2


Placed = Callable[[date | None], tuple[overrides.Placed, ...]]


def job_for(placed: Placed, ahead: Job = FORECAST) -> Job:
    """The job that orders for what people expect where somebody does; ``placed``: what they do, after the last day of
    the facts. ahead: the job ``forecast`` that it orders for."""

    def mark(snapshot: Snapshot) -> str:
        known = snapshot.info.last_day, ahead.fingerprint(snapshot), placed(snapshot.info.last_day)
        return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE, parameters=known)

    def run(snapshot: Snapshot, write: Write, step: Step) -> None:
        _run(snapshot, _wishes(snapshot, placed(snapshot.info.last_day)), write, step)

    return Job(rows.JOB, (stock_shelf, stock_lot_left, stock_transfer, stock_class), mark, run, ahead)


def _wishes(snapshot: Snapshot, placed: Sequence[overrides.Placed]) -> list[Wish]:
    """What is expected of the days to come: of days that have begun, less what was sold."""
    scopes: dict[tuple[str, str], Scope] = {}
    if placed:
        scopes = {(place.level, place.place_id): place.scope for place in job.every_place(snapshot)}
    found, last = [], snapshot.info.last_day
    for one in placed:
        scope, said = scopes.get((one.level, one.place_id)), one.override
        if scope is None or last is None:
            continue  # a store that is gone
        history = demand.history(scope, snapshot.engine, said.first, said.category)
        sold = float(history.loc[history["day"] <= pd.Timestamp(last), "units"].sum()) if said.first <= last else 0.0
        stores = None if scope.kind == "chain" else frozenset(scope.store_ids)
        first = max(said.first, last + timedelta(days=1))
        found.append(Wish(stores, said.category, first, said.last, max(said.wished - sold, 0.0)))
    return found


def _run(snapshot: Snapshot, wishes: Sequence[Wish], write: Write, step: Step) -> None:
    found = rows.shelves(snapshot, WHOLE, wishes=wishes)
    if found is None:
        return
    write(stock_shelf, found.shelves[stock_shelf.c.keys()].sort_values(["store_id", "product_id"]))
    write(stock_lot_left, found.lots[stock_lot_left.c.keys()])
    write(stock_class, found.calibration[stock_class.c.keys()])
    step(1, _STEPS)
    names = places.stores(WHOLE, snapshot.engine).set_index("store_id")["store"]
    moved = report.planned(found, queries.lanes(WHOLE, snapshot.engine), names)
    write(stock_transfer, moved[stock_transfer.c.keys()])
    step(_STEPS, _STEPS)


JOB = job_for(lambda _: ())
