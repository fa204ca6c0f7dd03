"""The job ``forecast``: what every place and category will sell in the next eight weeks, and how such forecasts did."""

import pandas as pd

from data_access.marts.store_category_day import store_category_day
from data_access.marts.tables import price_promotion, store
from data_access.queries import demand as queries
from data_access.queries import places
from data_access.results.tables import demand_accuracy, demand_component, demand_forecast
from data_access.snapshot import Snapshot
from models.forecasting import (
    accuracy,
    boosting,
    candidates,
    classes,
    engine,
    events,
    intermittent,
    intervals,
    levels,
    panel,
    policy,
    prophets,
    reconcile,
    seasons,
    smoothing,
)
from models.jobs import job
from models.jobs.job import Job, Step, Write

HORIZON_DAYS = 56
_CODE = (
    levels, panel, accuracy, engine, candidates, boosting, prophets, events, seasons, smoothing, intermittent,
    intervals, classes, policy, reconcile, queries,
)  # fmt: skip


def _fingerprint(snapshot: Snapshot) -> str:
    inputs = store_category_day, price_promotion, store
    return job.fingerprint(snapshot, inputs=inputs, code=_CODE, parameters=HORIZON_DAYS)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    last = snapshot.info.last_day
    if last is None:
        return
    chain = job.every_place(snapshot)[0].scope
    regions = places.stores(chain, snapshot.engine).set_index("store_id")["region_id"].dropna()
    first = snapshot.info.first_day or last
    units = queries.by_store(chain, snapshot.engine, first, last)
    offers = queries.promotions(chain, snapshot.engine, first)
    table = events.china() if snapshot.info.currency == "CNY" else events.nothing()
    found = levels.forecast(
        units,
        {str(store): str(region) for store, region in regions.items()},
        pd.Timestamp(last),
        HORIZON_DAYS,
        table,
        offers,
    )
    if found is not None:
        write(demand_forecast, found.forecast)
        write(demand_component, found.components)
        write(demand_accuracy, found.accuracy)
    step(1, 1)


JOB = Job("forecast", (demand_forecast, demand_component, demand_accuracy), _fingerprint, _run)
