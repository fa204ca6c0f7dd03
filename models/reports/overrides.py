"""What people expected instead of the forecast, and whether they were nearer: forecast value added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.queries import demand as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state.overrides import Override
from models.reports._shape import Columns, select_columns


@dataclass(frozen=True, slots=True)
class OverridesReport:
    """Overrides of one place. Units; errors are absolute, of the sum of the days. added: the forecast's error less that
    of whoever expected something else; above 0, people were nearer. Who it was stays in the state."""

    scored: int  # overrides whose days are over
    said_error: float  # of the forecast over these, as a share of what was sold; NaN without any
    wished_error: float  # of people
    # one row per override, the latest days first; sold, errors and added are missing while its days are not over
    overrides: Annotated[
        pd.DataFrame,
        Columns(
            "category first_day last_day said_units wished_units sold_units said_off wished_off added_units reason at"
        ),
    ]


def overrides(snapshot: Snapshot, scope: Scope, kept: Sequence[Override]) -> OverridesReport:
    """The score of ``kept``, which are those of the place that the scope is."""
    rows = [
        (one.category, one.first, one.last, one.said, one.wished, _sold(snapshot, scope, one), one.reason, one.at)
        for one in kept
    ]
    names = ["category", "first_day", "last_day", "said_units", "wished_units", "sold_units", "reason", "at"]
    frame = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[3:6], "float64"))
    frame["said_off"] = (frame["sold_units"] - frame["said_units"]).abs()
    frame["wished_off"] = (frame["sold_units"] - frame["wished_units"]).abs()
    frame["added_units"] = frame["said_off"] - frame["wished_off"]
    over = frame[frame["sold_units"].notna()]
    units = float(over["sold_units"].sum())
    said, wished = (float(over[name].sum()) / units if units else np.nan for name in ("said_off", "wished_off"))
    days = frame.assign(**{name: pd.to_datetime(frame[name]) for name in ("first_day", "last_day")})
    return OverridesReport(len(over), said, wished, select_columns(OverridesReport, overrides=days)["overrides"])


def _sold(snapshot: Snapshot, scope: Scope, one: Override) -> float:
    """Units of the days of an override; NaN while they are not over."""
    last = snapshot.info.last_day
    if last is None or one.last > last:
        return np.nan
    history = queries.history(scope, snapshot.engine, one.first, one.category)
    return float(history.loc[history["day"] <= pd.Timestamp(one.last), "units"].sum())
