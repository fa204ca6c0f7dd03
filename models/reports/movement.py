"""Movement: who went from one segment to another between two days, and how segments grew and shrank month by month."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.marts.segment_rules import CLASSES, SEGMENTS, STAGES
from data_access.marts.tables import MONEY_UNIT
from data_access.queries import crossing as queries
from data_access.queries import segments as base
from data_access.queries._groups import NOT_KNOWN
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.queries.segments import Question
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.movement import Moves, moves
from models.reports._shape import Columns, select_columns
from models.reports.segments import limits_of

SCHEMES = queries.SCHEMES
MONTHS = 12  # of the flows
GROUPS: dict[str, tuple[str, ...]] = {
    "segment": SEGMENTS,
    "abc": CLASSES,
    **{str(preset): stages for preset, stages in STAGES.items()},
}


@dataclass(frozen=True, slots=True)
class MovementReport:
    """Customers of the stores in scope by their group at the end of ``before`` and of ``as_of``.

    Each day is judged by what was known on it: its own cut points, and nothing of what came later. Groups as in
    data_access.marts.segment_rules; ``absent``: no customer on that day yet.
    """

    as_of: date
    before: date
    scheme: str
    currency: str
    # one row per pair of groups with a customer; share: of those who were in from_group; net_sales: all until as_of
    movement: Annotated[pd.DataFrame, Columns("from_group to_group customers share net_sales")]
    moved: Moves


@dataclass(frozen=True, slots=True)
class FlowsReport:
    """How groups grew and shrank from the end of one month to the next; the last one may not be over yet."""

    as_of: date
    scheme: str
    # one row per month (its last day, or as_of) and group: customers then, who came in and left since the month before
    flows: Annotated[pd.DataFrame, Columns("month_end group customers came left net")]


def movement(snapshot: Snapshot, scope: Scope, as_of: date, scheme: str = "segment", months: int = 3) -> MovementReport:
    """Who moved in the ``months`` before the end of ``as_of``."""
    _check(scheme)
    if not 1 <= months <= 36:
        raise Problem(f"months is a whole number from 1 to 36, not {months}")
    before = month_end(as_of, months)
    found = _moves(_standings(snapshot, scope, before), _standings(snapshot, scope, as_of), scheme)
    table = found.matrix()
    share = table["customers"] / table.groupby("from_group")["customers"].transform("sum")
    frames = select_columns(MovementReport, movement=table.assign(share=share))
    return MovementReport(as_of, before, scheme, snapshot.info.currency, **frames, moved=found)


def flows(snapshot: Snapshot, scope: Scope, as_of: date, scheme: str = "segment", months: int = MONTHS) -> FlowsReport:
    """The net flows of the last ``months`` months, as far as the data reach."""
    _check(scheme)
    first = snapshot.info.first_day
    ends = [day for n in range(months, 0, -1) if (day := month_end(as_of, n)) >= (first or as_of)]
    days = [*dict.fromkeys(ends), as_of]
    earlier, found = None, []
    for day in days:
        later = _standings(snapshot, scope, day)
        if earlier is not None:
            found.append(_moves(earlier, later, scheme).flows().assign(month_end=pd.Timestamp(day)))
        earlier = later
    return FlowsReport(as_of, scheme, **select_columns(FlowsReport, flows=pd.concat(found) if found else _NONE))


_NONE = pd.DataFrame(columns=["month_end", "group", "customers", "came", "left", "net"])


def moved(report: MovementReport, earlier: str, later: str, wanted: Wanted = EVERYBODY) -> NDArray[np.int64]:
    """The numbers of those who were in one group and are in the other, the highest net sales first."""
    numbers = report.moved.of(earlier, later)
    return numbers if wanted == EVERYBODY else numbers[wanted.among(numbers)]


def month_end(day: date, months: int) -> date:
    """The last day of the calendar month that lies so many months before that of ``day``."""
    start = pd.Timestamp(day.year, day.month, 1) - pd.DateOffset(months=months - 1)
    return (start - timedelta(days=1)).date()


def _check(scheme: str) -> None:
    if scheme not in SCHEMES:
        raise Problem(f"scheme is one of {', '.join(SCHEMES)}, not {scheme!r}")


def _standings(snapshot: Snapshot, scope: Scope, day: date) -> pd.DataFrame:
    question = Question(day)
    limits = limits_of(base.cuts(scope, snapshot.engine, question))
    return queries.standings(scope, snapshot.engine, question, limits)


def _moves(earlier: pd.DataFrame, later: pd.DataFrame, scheme: str) -> Moves:
    def of(frame: pd.DataFrame) -> pd.DataFrame:
        sales = frame["net_sales"] / MONEY_UNIT
        return pd.DataFrame({"customer_no": frame["customer_no"], "group": frame[scheme], "net_sales": sales})

    return moves(of(earlier), of(later), (*GROUPS[scheme], NOT_KNOWN))
