"""The hidden truth of the demo chain: sizes, seeds and every parameter that no table shows."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_access.demo.calendar import Calendar

Array = npt.NDArray[Any]

EFFECTS: tuple[str, ...] = (
    "campaign_lift",
    "targeting",
    "staff_skill",
    "course",
    "events",
    "stock_outs",
    "lead_time_scatter",
    "churn",
    "store_conversion",
    "mover",
    "complaint_lot",
    "rising_attribute",
    "cannibalisation",
)
# Every store of the demo chain keeps Chinese time, which knows no summer time.
LOCAL = np.timedelta64(8, "h")


@dataclass(frozen=True)
class Scale:
    """How big a chain is; ``lines`` is the number of sale lines aimed at."""

    name: str
    customers: int
    shops: int
    online: int
    products: int
    months: int
    slots: int  # posts per shop
    replaced: int  # posts whose holder changes
    lines: int
    campaigns: int  # with a randomised holdout, finished before the end
    members: float  # share of the customers each of them addresses
    mover_share: float  # share of its region's lines that the planted mover has at its height
    stock_outs: int


SCALES: dict[str, Scale] = {
    scale.name: scale
    for scale in (
        Scale("tiny", 300, 3, 1, 40, 14, 4, 2, 5_000, 4, 0.3, 0.30, 8),
        Scale("demo", 15_000, 10, 2, 400, 36, 5, 8, 300_000, 16, 0.3, 0.10, 260),
        Scale("S", 50_000, 18, 2, 800, 36, 6, 14, 1_100_000, 20, 0.15, 0.08, 700),
    )
}


@dataclass(frozen=True, eq=False)
class Team:
    """Staff by position (row of the staff frame); days count from the start, ``left`` is ``days`` for who stays."""

    post: Array  # which post each person fills
    store: Array  # of each person
    hired: Array
    left: Array
    skill: Array  # candidate customers served by this person buy in proportion to it
    helpful_on: Array  # datetime64[D], NaT: never took the course that helps
    useless_on: Array
    course_effect: float  # factor on the skill from the day after the helpful course
    on_shift: Array  # store x day x half x place: person or -1
    crew: Array  # store x day x half: how many people


@dataclass(frozen=True, eq=False)
class Places:
    """Stores by position; online stores come after the shops."""

    shops: int
    region: Array  # position in names.REGIONS
    opened: Array  # day number, 0 when before the start
    pull: Array
    conversion: Array  # shops only: buyers per visitor with average staff
    closed: Array  # store x day


@dataclass(frozen=True, eq=False)
class Mover:
    """One product whose sales in one region jump or collapse in the last 28 days."""

    region: int
    product: int
    direction: str  # rise | fall
    share_before: float
    share_after: float


@dataclass(frozen=True, eq=False)
class Range:
    """Products by position."""

    kind: Array  # position in names.KINDS
    popularity: Array
    price: Array  # cents incl. tax
    cost: Array  # cents
    natural: Array
    launched: Array  # day number, negative when before the start
    natural_growth: float  # factor on the weight of natural products from the first to the last day
    launch: int  # the cannibalising launch, -1 when there is none
    sibling: int
    launch_share: float  # share of the sibling's demand that moves to the launch
    movers: tuple[Mover, ...]
    complaint_product: int  # -1 when there is no complaint lot
    supplier: Array  # position of each product's supplier, -1 for services


@dataclass(frozen=True, eq=False)
class People:
    """Customers by position; days count from the start and may be negative for who joined before."""

    joined: Array
    churned: Array  # day of dropout; ``days`` for who never leaves
    rate: Array  # orders per day while active, on an ordinary day
    spend: Array  # lines beyond the first, relative to the average
    online_share: Array
    home: Array  # position of the home store
    taste: Array  # 0 skin care, 1 make-up, 2 mixed
    wholesale: Array


@dataclass(frozen=True, eq=False)
class Supply:
    """Suppliers by position: goods arrive ``median`` x lognormal(0, ``sigma``) days after the order."""

    supplier_id: tuple[str, ...]
    promised: Array
    median: Array
    sigma: Array


@dataclass(frozen=True, eq=False)
class World:
    """Everything hidden in one value. Day ``i`` is ``start + i``; ``end`` is the last day."""

    scale: Scale
    seed: int
    start: date
    end: date
    null: frozenset[str]
    calendar: Calendar
    places: Places
    team: Team
    range: Range
    people: People
    supply: Supply
    complaint_lot: str | None
    helpful_course_id: str = "K01"
    useless_course_id: str = "K02"

    @property
    def days(self) -> int:
        return self.calendar.days


def stream(seed: int, topic: str) -> np.random.Generator:
    """The random numbers of one topic: switching an effect off elsewhere leaves them as they are."""
    return np.random.default_rng([seed, *topic.encode()])


def ids(prefix: str, count: int, width: int) -> Array:
    """``count`` ids such as C000001, in ascending order."""
    return np.array([f"{prefix}{number:0{width}d}" for number in range(1, count + 1)], dtype=object)


def label(names: Array, position: Any) -> Array:
    """The name at each position; None where the position is -1."""
    return np.r_[names.astype(object), np.array([None], dtype=object)][np.asarray(position)]


def known_where(known: Array, values: Array) -> Array:
    """The values where they are known, None elsewhere."""
    found = values.astype(object)
    found[~known] = None
    return found


def utc(start: date, day: Array, seconds: Array | int) -> Array:
    """UTC instants (datetime64[s]) that lie ``seconds`` after local midnight of day number ``day``."""
    midnight = np.datetime64(start, "s") + (day.astype("int64") * 86_400).astype("timedelta64[s]") - LOCAL
    return midnight + np.asarray(seconds).astype("int64").astype("timedelta64[s]")


def dates(start: date, day: Array) -> Array:
    """Store-local days (datetime64[D]) of day numbers."""
    return np.datetime64(start, "D") + day.astype("int64").astype("timedelta64[D]")


def months_before(end: date, months: int) -> date:
    """The first of the ``months`` months (counted back by the calendar) that end with ``end``."""
    return (pd.Timestamp(end) - pd.DateOffset(months=months) + pd.DateOffset(days=1)).date()


def translations(field: str, pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """English rows of the translation table, each text once; columns field, source_text, language, text."""
    unique = dict(pairs)
    return pd.DataFrame({"field": field, "source_text": list(unique), "language": "en", "text": list(unique.values())})
