"""The job ``stock``: every shelf of the chain with what to order, the lots that expire, and the transfers."""

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
from data_access.queries import places
from data_access.queries import stock as queries
from data_access.results.tables import stock_class, stock_lot_left, stock_shelf, stock_transfer
from data_access.snapshot import Snapshot
from models.calc import demand_rates, expiry, inventory, replenishment, transfers
from models.jobs import job
from models.jobs.forecast import JOB as FORECAST
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import shelves as rows
from models.reports import stock as report

_INPUTS = (
    product_store_day,
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
_CODE = (rows, report, queries, demand_rates, inventory, replenishment, expiry, transfers)
_STEPS = 2


def _fingerprint(snapshot: Snapshot) -> str:
    known = snapshot.info.last_day, FORECAST.fingerprint(snapshot)
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE, parameters=known)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    found = rows.shelves(snapshot, WHOLE)
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


JOB = Job(rows.JOB, (stock_shelf, stock_lot_left, stock_transfer, stock_class), _fingerprint, _run, FORECAST)
