"""Alerts: which latest figures of the stores in scope lie outside what was to be expected of them."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import pandas as pd

from data_access.queries import places
from data_access.queries import stores as queries
from data_access.results.info import is_current
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports._shape import Columns, select_columns
from models.reports.stores import JOB


@dataclass(frozen=True, slots=True)
class AlertsReport:
    """Money in the chain's currency, excluding tax. Everything is empty, and ``until`` None, until a batch has run."""

    until: date | None
    currency: str
    # one row per value outside its band in the last 14 days (grain day; day: the day) or two weeks (week; day: the last
    # of its seven), the latest first, then the least likely; change: value - expected; chance: of a value as far out
    # where all is as usual; kind: alert (one in ten of them is false at most, on average) | odd (outside its own band)
    alerts: Annotated[
        pd.DataFrame,
        Columns("store_id store region metric grain day value expected lo hi change change_ratio chance kind"),
    ]
    # one row per value kept (56 days, 13 weeks) of the figure of one of these rows, beside its band; value NaN: not
    # counted or closed
    series: Annotated[pd.DataFrame, Columns("store_id metric grain day value expected lo hi")]
    # one row per grain, of the whole chain: models.calc.watch.Watched
    watched: Annotated[pd.DataFrame, Columns("grain series looked_at outside found expected_a_week")]


def alerts(snapshot: Snapshot, scope: Scope, alert: str = "") -> AlertsReport:
    """The alerts of the stores in scope, as of the snapshot; ``alert``: whose series is told, as ``alert_id`` names it,
    the first one when there is none of that name."""
    last, results = snapshot.info.last_day, snapshot.results
    if last is None or results is None or not is_current(snapshot, JOB):
        return AlertsReport(None, snapshot.info.currency, **select_columns(AlertsReport))
    found = queries.alerts(scope, results)
    places_ = places.stores(scope, snapshot.engine).set_index("store_id")
    change = found["value"] - found["expected"]
    rows = found.assign(
        store=found["store_id"].map(places_["store"]),
        region=found["store_id"].map(places_["region"]),
        change=change,
        change_ratio=change / found["expected"].where(found["expected"] > 0),
    )
    told = {"alerts": rows, "watched": queries.watch(scope, results)}
    if len(rows):
        named = rows[alert_id(rows) == alert]
        one = (named if len(named) else rows).iloc[0]
        told["series"] = queries.bands(scope, results, one["store_id"], one["metric"], one["grain"])
    return AlertsReport(last, snapshot.info.currency, **select_columns(AlertsReport, **told))


def alert_id(rows: pd.DataFrame) -> pd.Series:
    """What names each alert: its store, figure, grain and day."""
    day = pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d")
    return rows["store_id"] + "|" + rows["metric"] + "|" + rows["grain"] + "|" + day
