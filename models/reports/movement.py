"""Movement: who went from one segment to another between two days, and how segments grew and shrank month by month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.marts.tables import MONEY_UNIT
from data_access.queries import crossing as queries
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.queries.segments import Question
from data_access.results.info import has_current_rows
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.movement import ABSENT, Moves, moves
from models.reports._kept import Frames, kept_frames
from models.reports._shape import Columns, select_columns

SCHEMES = queries.SCHEMES
MONTHS = 12  # of the flows
MONTHS_BACK = (3, 1, 6, 12)  # of the movement that the page offers, the usual one first
JOB = "movement"  # of the batch
GROUPS = queries.GROUPS


@dataclass(frozen=True, slots=True)
class MovementReport:
    """Customers of the stores in scope by their group at the end of ``before`` and of ``as_of``.

    Each day is judged by what was known on it: its own cut points, and nothing of what came later. Groups as in
    data_access.marts.segment_rules; ``absent``: no customer on that day yet.
    """

    as_of: date
    before: date
    scheme: str
    months: int
    currency: str
    # one row per pair of groups with a customer; share: of those who were in from_group; net_sales: all until as_of
    movement: Annotated[pd.DataFrame, Columns("from_group to_group customers share net_sales")]


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
    frames = kept_frames(snapshot, scope, as_of, "movement", f"{scheme} {months}")
    if frames is None:
        frames = _movement(_between(snapshot, scope, as_of, scheme, months, _known(snapshot, scope, as_of, scheme)))
    return MovementReport(as_of, month_end(as_of, months), scheme, months, snapshot.info.currency, **frames)


def asked(snapshot: Snapshot, scope: Scope, as_of: date) -> Iterator[tuple[str, str, Frames]]:
    """The tables of ``flows`` and of ``movement`` by each scheme for the choices of the page: report, choice, tables.

    Where everybody stood is read once."""
    every = _every_known(snapshot, scope, as_of, SCHEMES)
    for scheme in SCHEMES:
        known = every.get(scheme)
        yield "flows", scheme, _flows(snapshot, scope, as_of, scheme, known)
        for months in MONTHS_BACK:
            yield "movement", f"{scheme} {months}", _movement(_between(snapshot, scope, as_of, scheme, months, known))


def _movement(between: Moves) -> Frames:
    table = between.matrix()
    share = table["customers"] / table.groupby("from_group")["customers"].transform("sum")
    return select_columns(MovementReport, movement=table.assign(share=share))


def _between(snapshot: Snapshot, scope: Scope, as_of: date, scheme: str, months: int, known: "_Known | None") -> Moves:
    before = month_end(as_of, months)
    if known is not None and before in known.days:
        return known.between(known.days.index(before), len(known.days) - 1)
    return _moves(standings(snapshot, scope, before), standings(snapshot, scope, as_of), scheme)


def flows(snapshot: Snapshot, scope: Scope, as_of: date, scheme: str = "segment") -> FlowsReport:
    """The net flows of the last ``MONTHS`` months, as far as the data reach."""
    _check(scheme)
    kept = kept_frames(snapshot, scope, as_of, "flows", scheme)
    if kept is None:
        kept = _flows(snapshot, scope, as_of, scheme, _known(snapshot, scope, as_of, scheme))
    return FlowsReport(as_of, scheme, **kept)


def _flows(snapshot: Snapshot, scope: Scope, as_of: date, scheme: str, known: "_Known | None") -> Frames:
    days = days_of(snapshot.info.first_day or as_of, as_of)
    found, earlier = [], None
    for at, day in enumerate(days):
        if known is not None:
            between = known.between(at - 1, at) if at else None
        else:
            later = standings(snapshot, scope, day)
            between, earlier = None if earlier is None else _moves(earlier, later, scheme), later
        if between is not None:
            columns = between.flows()
            found.append({"month_end": np.repeat(np.datetime64(day, "s"), len(columns["group"])), **columns})
    names = ("month_end", *_FLOWS)
    table = pd.DataFrame({name: np.concatenate([one[name] for one in found]) if found else [] for name in names})
    return select_columns(FlowsReport, flows=table)


_FLOWS = ("group", "customers", "came", "left", "net")


def days_of(first: date, as_of: date) -> list[date]:
    """The last days of the ``MONTHS`` months before that of ``as_of``, from ``first`` on, and ``as_of``."""
    ends = (month_end(as_of, months) for months in range(MONTHS, 0, -1))
    return [*(day for day in ends if day >= first), as_of]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the batch found: of each customer the place of the group on each day."""

    groups: tuple[str, ...]
    days: list[date]
    customer_no: NDArray[np.int64]
    net_sales: NDArray[np.float64]
    places: NDArray[np.int16]  # one row per customer, one column per day

    def between(self, earlier: int, later: int) -> Moves:
        before, after = self.places[:, earlier], self.places[:, later]
        there = (before < len(self.groups)) | (after < len(self.groups))
        every = (*self.groups, ABSENT)
        return Moves(every, self.customer_no[there], before[there], after[there], self.net_sales[there])


def _known(snapshot: Snapshot, scope: Scope, as_of: date, scheme: str) -> _Known | None:
    """What the batch found of the last day of these very facts; None: it has not, or the day is another one."""
    return _every_known(snapshot, scope, as_of, (scheme,)).get(scheme)


def _every_known(snapshot: Snapshot, scope: Scope, as_of: date, schemes: Sequence[str]) -> dict[str, _Known]:
    """The same of some schemes; empty for None."""
    if snapshot.results is None or as_of != snapshot.info.last_day or not has_current_rows(snapshot, scope, JOB):
        return {}
    rows = queries.history(scope, snapshot.results, schemes)
    days = days_of(snapshot.info.first_day or as_of, as_of)
    numbers, sales = rows["customer_no"].to_numpy(), rows["net_sales"].to_numpy()

    def places(scheme: str) -> NDArray[np.int16]:
        letters = rows[scheme].to_numpy(dtype=f"S{len(days)}")
        return letters.view(np.uint8).reshape(len(rows), len(days)).astype(np.int16) - ord("A")

    return {scheme: _Known(GROUPS[scheme], days, numbers, sales, places(scheme)) for scheme in schemes}


def moved(
    snapshot: Snapshot, scope: Scope, report: MovementReport, earlier: str, later: str, wanted: Wanted = EVERYBODY
) -> NDArray[np.int64]:
    """The numbers of those who were in one group and are in the other, the highest net sales first."""
    known = _known(snapshot, scope, report.as_of, report.scheme)
    numbers = _between(snapshot, scope, report.as_of, report.scheme, report.months, known).of(earlier, later)
    return numbers if wanted == EVERYBODY else numbers[wanted.among(numbers)]


def month_end(day: date, months: int) -> date:
    """The last day of the calendar month that lies so many months before that of ``day``."""
    year, month = divmod(day.year * 12 + day.month - months, 12)  # of the first day after it, from January as 0
    return date(year, month + 1, 1) - timedelta(days=1)


def _check(scheme: str) -> None:
    if scheme not in SCHEMES:
        raise Problem(f"scheme is one of {', '.join(SCHEMES)}, not {scheme!r}")


def standings(snapshot: Snapshot, scope: Scope, day: date) -> pd.DataFrame:
    """Where every customer in scope stood at the end of a day, as ``queries.crossing.standings``."""
    return queries.standings(scope, snapshot.engine, Question(day))


def _moves(earlier: pd.DataFrame, later: pd.DataFrame, scheme: str) -> Moves:
    def of(frame: pd.DataFrame) -> pd.DataFrame:
        sales = frame["net_sales"] / MONEY_UNIT
        return pd.DataFrame({"customer_no": frame["customer_no"], "group": frame[scheme], "net_sales": sales})

    return moves(of(earlier), of(later), GROUPS[scheme])
