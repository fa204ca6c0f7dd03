"""Training: who learned what and until when it holds, who needs what, and what courses did to sales.

What a course did is measured over the whole chain by the batch (``models.jobs.training``), so that every store can read
it; without results it is measured over the stores in scope, where mostly too few people were trained to tell.
"""

import math
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd

from data_access.queries import places
from data_access.queries import staff as staff_queries
from data_access.queries import training as queries
from data_access.results.info import info_of
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import training as calc
from models.calc.ramp import ramp
from models.reports._kept import TEAMS, kept_frames
from models.reports._shape import Columns, select_columns

JOB: Final = "training"
State = Literal["expired", "expiring", "valid"]
STATES: Final[tuple[State, ...]] = ("expired", "expiring", "valid")
SOON: Final = 60  # days before a certificate ends
NEED_DAYS: Final = 90
LEAST_HOURS: Final = 30.0  # of a month that counts
LEAST_ANSWERS: Final = 10
LEAST_TEAM: Final = 3  # people of a store whom a figure is compared with
_FIRM: Final = 2.33  # one person in a hundred falls below the others by chance alone
# Which words of a course's skills or name say that it addresses a figure.
ADDRESSES: Final[dict[str, tuple[str, ...]]] = {
    "units_per_transaction": ("连带", "cross-sell", "add-on", "attach"),
    "average_ticket": ("咨询", "销售", "consult", "selling"),
    "csat": ("服务", "沟通", "service", "communication", "complaint"),
}


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """People who work in the stores in scope on ``as_of``; effects are those of the whole chain where ``of_chain``."""

    as_of: date
    of_chain: bool
    # courses, people, current (records that hold), due (expired or about to), needs
    summary: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per course (its id). effect: relative change of sales an hour in the half year after (0.10 = a tenth
    # more) with lo95, hi95, NaN where verdict is too_few; people: trained who could be compared, with so many
    # colleagues of so many stores; drift: the same comparison of the two quarters before, which should be nothing
    effects: Annotated[
        pd.DataFrame,
        Columns("course course_name people colleagues stores effect lo95 hi95 p_value drift drift_p bootstrap verdict"),
    ]
    # one row per course with enough people and month from the training
    path: Annotated[pd.DataFrame, Columns("course course_name month effect lo95 hi95")]
    # one row per course and store: people who work there, those with a record that holds, their share
    coverage: Annotated[pd.DataFrame, Columns("course course_name store_id store people current share")]
    # one row per person and course completed, the most urgent first; expires_on NaT: for good
    records: Annotated[
        pd.DataFrame, Columns("staff_id store_id store course course_name completed_on expires_on state score")
    ]
    # one row per person and figure that lies below the colleagues' of the store by more than chance explains, and
    # course that addresses it (NA: none does); completed_on: when the person did (NaT: never)
    needs: Annotated[
        pd.DataFrame, Columns("staff_id store_id store measure value team_value course course_name completed_on")
    ]
    # one row per month since being hired: sales an hour to those of settled colleagues (1 = the same), with people
    ramp: Annotated[pd.DataFrame, Columns("month people ratio lo95 hi95")]


@dataclass(frozen=True, slots=True)
class Measured:
    """What courses did and how new people come up; columns as the tables of results."""

    effects: pd.DataFrame
    path: pd.DataFrame
    ramp: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Learnt:
    """Who has learnt what and who lags behind; columns as in ``TrainingReport``, people: staff_id, store_id, store."""

    courses: pd.DataFrame
    people: pd.DataFrame
    records: pd.DataFrame
    needs: pd.DataFrame


def learnt(snapshot: Snapshot, scope: Scope, as_of: date) -> Learnt:
    """Who has learnt what on ``as_of`` in the stores in scope, as the batch found if it looked at that day; not what
    courses did."""
    found = kept_frames(snapshot, scope, as_of, "training", job=TEAMS)
    return looked_up(snapshot, scope, as_of) if found is None else Learnt(**found)


def looked_up(snapshot: Snapshot, scope: Scope, as_of: date) -> Learnt:
    """The same, looked up now."""
    courses = queries.courses(scope, snapshot.engine)
    people = _at_work(snapshot, scope, as_of)
    records = _records(queries.completed(scope, snapshot.engine, as_of), courses, people, as_of)
    return Learnt(courses, people, records, _needs(snapshot, scope, as_of, courses, people, records))


def training(snapshot: Snapshot, scope: Scope, as_of: date) -> TrainingReport:
    """The state of training on ``as_of`` in the stores in scope."""
    known = learnt(snapshot, scope, as_of)
    courses, people, records, needs = known.courses, known.people, known.records, known.needs
    of_chain = info_of(snapshot, JOB) is not None and snapshot.results is not None
    found = _kept(snapshot, scope) if of_chain else measured(snapshot, scope, as_of)
    named = courses.rename(columns={"course_id": "course", "course": "course_name"})[["course", "course_name"]]
    coverage = _coverage(named, people, records)
    due = int(records["state"].isin(["expired", "expiring"]).sum())
    figures = {
        "courses": len(courses),
        "people": people["staff_id"].nunique(),
        "current": coverage["current"].sum() / coverage["people"].sum() if len(coverage) else math.nan,
        "due": due,
        "needs": needs["staff_id"].nunique(),
    }
    units = {"current": "percent"}
    frames = select_columns(
        TrainingReport,
        summary=pd.DataFrame(
            [(key, float(value), units.get(key, "count")) for key, value in figures.items()],
            columns=["key", "value", "unit"],
        ),
        effects=_with_names(found.effects, named),
        path=_with_names(found.path, named),
        coverage=coverage,
        records=records,
        needs=needs,
        ramp=found.ramp,
    )
    return TrainingReport(as_of, of_chain, **frames)


def measured(snapshot: Snapshot, scope: Scope, as_of: date) -> Measured:
    """What courses did, and how new people come up, in the stores in scope."""
    engine = snapshot.engine
    months = queries.months(scope, engine, as_of)
    months = months[(months["hours"] >= LEAST_HOURS) & (months["gross_sales"] > 0)]
    courses = queries.courses(scope, engine)
    taken = queries.completed(scope, engine, as_of)
    people = staff_queries.people(scope, engine)
    number = _month(months["month"])
    log_rate = np.log(months["gross_sales"] / months["hours"])
    worked = months.assign(number=number, log_rate=log_rate).merge(
        people[["staff_id", "role", "hired_on"]], "left", "staff_id"
    )
    worked["age"] = worked["number"] - _month(worked["hired_on"])
    curve = ramp(worked.assign(month=worked["number"]))
    if worked.empty:
        return Measured(pd.DataFrame(columns=_EFFECT), pd.DataFrame(columns=_PATH), curve)
    # Whoever worked in several stores counts where most hours were worked.
    home = months.groupby(["staff_id", "store_id"])["hours"].sum().reset_index().sort_values("hours")
    home = home.drop_duplicates("staff_id", keep="last").sort_values("staff_id").reset_index(drop=True)
    first, last = int(number.min()), int(number.max())
    here = worked.merge(home[["staff_id", "store_id"]], "inner", ["staff_id", "store_id"])
    row, at = pd.Index(home["staff_id"]).get_indexer(here["staff_id"]), here["number"].to_numpy(np.int64) - first
    rate = np.full((len(home), last - first + 1), math.nan)
    rate[row, at] = here["log_rate"]
    about = people.set_index("staff_id").reindex(home["staff_id"])
    panel = calc.Panel(
        rate=rate,
        store=np.unique(home["store_id"], return_inverse=True)[1].astype(np.int64),
        job=pd.factorize(about["role"].fillna(""))[0].astype(np.int64),
        hired=(_month(about["hired_on"]).fillna(-math.inf).clip(lower=first - calc.SETTLED) - first).to_numpy(np.int64),
    )
    when = _when(taken, home["staff_id"], courses["course_id"], first, last)
    effects, paths = [], []
    for position, course_id in enumerate(courses["course_id"]):
        found = calc.effect(panel, when[:, position], np.delete(when, position, axis=1))
        known = asdict(found)
        paths.append(known.pop("path").assign(course_id=course_id))
        effects.append({"course_id": course_id, **known})
    some = [path for path in paths if len(path)]
    return Measured(
        pd.DataFrame(effects, columns=_EFFECT),
        pd.concat(some, ignore_index=True)[_PATH] if some else pd.DataFrame(columns=_PATH),
        curve,
    )


_EFFECT = [
    "course_id", "people", "colleagues", "stores", "effect", "lo95", "hi95", "p_value", "drift", "drift_p",
    "bootstrap", "verdict",
]  # fmt: skip
_PATH = ["course_id", "month", "effect", "lo95", "hi95"]


def _kept(snapshot: Snapshot, scope: Scope) -> Measured:
    results = snapshot.results
    assert results is not None
    return Measured(queries.effects(scope, results), queries.paths(scope, results), queries.ramp(scope, results))


def _with_names(frame: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns={"course_id": "course"}).merge(named, "left", "course")


def _month(days: pd.Series) -> pd.Series:
    """The number of a day's month, NaN for none."""
    return (days.dt.year * 12 + days.dt.month).astype("float64")


def _when(taken: pd.DataFrame, people: pd.Series, courses: pd.Series, first: int, last: int) -> calc.Whole:
    """People x courses: the month of the panel in which each was first completed, ``NEVER`` without one.

    A course completed before the panel begins is one that was always held: its person is no untrained colleague.
    """
    row, column = pd.Index(people).get_indexer(taken["staff_id"]), pd.Index(courses).get_indexer(taken["course_id"])
    known = (row >= 0) & (column >= 0)
    found = np.full((len(people), len(courses)), calc.NEVER, dtype=np.int64)
    month = (_month(taken["first_on"]) - first).to_numpy(dtype=np.float64)
    found[row[known], column[known]] = np.clip(month[known], 0, last - first).astype(np.int64)
    return found


def _at_work(snapshot: Snapshot, scope: Scope, as_of: date) -> pd.DataFrame:
    """Who works in the stores in scope on a day: staff_id, store_id, store."""
    people = staff_queries.people(scope, snapshot.engine)
    day = pd.Timestamp(as_of)
    here = (people["hired_on"].isna() | (people["hired_on"] <= day)) & (
        people["left_on"].isna() | (people["left_on"] > day)
    )
    return people.loc[here, ["staff_id", "store_id", "store"]].reset_index(drop=True)


def _records(taken: pd.DataFrame, courses: pd.DataFrame, people: pd.DataFrame, as_of: date) -> pd.DataFrame:
    known = taken.drop(columns="store_id").merge(people, "inner", "staff_id")
    known = known.merge(courses.rename(columns={"course": "course_name"}), "inner", "course_id")
    expires = pd.Series(pd.NaT, index=known.index, dtype="datetime64[us]")
    for months in known["valid_months"].dropna().unique():
        ends = known["valid_months"] == months
        expires[ends] = known.loc[ends, "completed_on"] + pd.DateOffset(months=int(months))
    today = pd.Timestamp(as_of)
    state = np.select([expires <= today, expires <= today + timedelta(days=SOON)], ["expired", "expiring"], "valid")
    known = known.assign(course=known["course_id"], expires_on=expires, state=state)
    order = known["state"].map({name: place for place, name in enumerate(STATES)})
    return (
        known.assign(order=order)
        .sort_values(["order", "expires_on", "staff_id", "course"], na_position="last")
        .reset_index(drop=True)
    )


def _coverage(named: pd.DataFrame, people: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    teams = people.groupby(["store_id", "store"]).size().rename("people").reset_index()
    holding = records[records["state"] != "expired"].groupby(["course", "store_id"]).size().rename("current")
    found = named.merge(teams, "cross").merge(holding.reset_index(), "left", ["course", "store_id"])
    current = found["current"].fillna(0).astype("int64")
    return found.assign(current=current, share=current / found["people"])


def _needs(
    snapshot: Snapshot, scope: Scope, as_of: date, courses: pd.DataFrame, people: pd.DataFrame, records: pd.DataFrame
) -> pd.DataFrame:
    period = Period(as_of - timedelta(days=NEED_DAYS - 1), as_of)
    engine = snapshot.engine
    days = queries.daily_spread(scope, engine, period)
    rated = queries.rating_spread(scope, engine, period)
    rated = rated[rated["answers"] >= LEAST_ANSWERS]
    parts = [
        _below(days, "units", "orders").assign(measure="units_per_transaction"),
        _below(days, "sales", "orders").assign(measure="average_ticket"),
        _below(rated.assign(answers_answers=rated["answers"], score_answers=rated["score"]), "score", "answers").assign(
            measure="csat"
        ),
    ]
    low = pd.concat(parts, ignore_index=True).merge(people[["staff_id", "store_id"]], "inner", ["staff_id", "store_id"])
    low["store"] = low["store_id"].map(places.stores(scope, engine).set_index("store_id")["store"])
    found = low.merge(_addressed(courses), "left", "measure")
    found = found.merge(records[["staff_id", "course", "completed_on"]], "left", ["staff_id", "course"])
    return found.sort_values(["store_id", "staff_id", "measure", "course"]).reset_index(drop=True)


def _below(sums: pd.DataFrame, top: str, bottom: str) -> pd.DataFrame:
    """Whose ratio lies below that of the colleagues in the store by more than chance explains: staff_id, store_id,
    value, team_value. The error is that of a ratio of sums over days (or answers)."""
    team = sums.groupby("store_id")[[top, bottom]].transform("sum")
    people = sums.groupby("store_id")[top].transform("count")
    value = sums[top] / sums[bottom]
    others = (team[top] - sums[top]) / (team[bottom] - sums[bottom]).where(people > 1)
    squares = (sums[f"{top}_{top}"] - 2 * value * sums[f"{top}_{bottom}"] + value**2 * sums[f"{bottom}_{bottom}"]).clip(
        lower=0
    )
    error = np.sqrt(squares) / sums[bottom]
    low = (people > LEAST_TEAM) & (value + _FIRM * error < others)
    found = sums[["staff_id", "store_id"]].assign(value=value, team_value=others)
    return found[low]


def _addressed(courses: pd.DataFrame) -> pd.DataFrame:
    """Which course addresses which figure, by the words of its skills and its name: measure, course, course_name."""
    said = (courses["skills"].fillna("") + " " + courses["course"]).str.casefold()
    rows = [
        (figure, courses["course_id"].iloc[position], courses["course"].iloc[position])
        for figure, words in ADDRESSES.items()
        for position, text in enumerate(said)
        if any(word in text for word in words)
    ]
    return pd.DataFrame(rows, columns=["measure", "course", "course_name"])
