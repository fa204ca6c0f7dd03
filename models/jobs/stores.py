"""The job ``stores``: the peers of every store and what the best of them do, and which latest figures are alerts."""

from datetime import timedelta

import pandas as pd

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.staff_day import staff_day
from data_access.marts.stock_position import stock_position
from data_access.marts.store_category_day import store_category_day
from data_access.marts.store_day import store_day
from data_access.marts.tables import UNKNOWN, price_promotion, store, store_closure, survey_answer
from data_access.queries import stores as queries
from data_access.results.tables import store_alert, store_band, store_benchmark, store_gap, store_peer, store_watch
from data_access.scope import Period
from data_access.snapshot import Snapshot
from models.calc import alerts, decomposition, peers, watch
from models.forecasting import events
from models.jobs import job
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import stores as report

_INPUTS = (
    store_day, store, store_closure, price_promotion, store_category_day, staff_day, survey_answer, stock_position,
    customer_store_day,
)  # fmt: skip
_CODE = (peers, alerts, watch, decomposition, events, queries, report)
_STEPS = 2


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    last = snapshot.info.last_day
    if last is None:
        return
    facts = queries.facts(WHOLE, snapshot.engine).set_index("store_id")
    near, compared = _compared(snapshot, Period(last - timedelta(days=report.PEER_DAYS - 1), last), facts)
    write(store_peer, near[store_peer.c.keys()])
    write(store_benchmark, compared[store_benchmark.c.keys()].sort_values(["store_id", "metric"]))
    write(store_gap, peers.gaps(compared)[store_gap.c.keys()])
    step(1, _STEPS)
    found = watch.watched(
        queries.series(WHOLE, snapshot.engine, Period(snapshot.info.first_day or last, last)),
        queries.closures(WHOLE, snapshot.engine),
        queries.promotions(WHOLE, snapshot.engine),
        events.china() if snapshot.info.currency == "CNY" else events.nothing(),
        pd.Timestamp(last),
    )
    write(store_alert, found.found[store_alert.c.keys()].sort_values(["store_id", "day", "chance"]))
    write(store_band, found.bands[store_band.c.keys()].sort_values(["store_id", "metric", "grain", "day"]))
    write(store_watch, found.summary[store_watch.c.keys()])
    step(_STEPS, _STEPS)


def _compared(snapshot: Snapshot, period: Period, facts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The peers of each store, and each store beside them."""
    facts = facts[facts["kind"] != UNKNOWN]
    figures = report.figures(snapshot, WHOLE, period, facts)
    back = queries.retained(WHOLE, snapshot.engine, period, period.before()).set_index("store_id")
    figures["retained_share"] = (back["retained"] / back["retainable"]).reindex(figures.index)
    known = peers.traits(facts.loc[figures.index].assign(traffic=figures["traffic"]), pd.Timestamp(period.last))
    sold = queries.mix(WHOLE, snapshot.engine, period).pivot(index="store_id", columns="category", values="gross_sales")
    sold = sold.reindex(figures.index).fillna(0.0).clip(lower=0)
    total = sold.sum(axis=1)
    mix = sold.div(total.where(total > 0), axis=0).fillna(0.0)
    near = peers.nearest(known, mix, facts.loc[figures.index, "kind"])
    return near, peers.benchmark(figures[list(report.COMPARED)], near)


JOB = Job(
    report.JOB,
    (store_peer, store_benchmark, store_gap, store_alert, store_band, store_watch),
    _fingerprint,
    _run,
)
