"""What the judgement of a campaign rests on where nobody was held back, and how it came about day by day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_access.queries import campaign_effects as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import adjusted, alike, sequential, store_difference
from models.calc.store_difference import WEEKS

# holdout: customers held back at random; adjusted: others like the treated; stores: stores without it; association: no
# comparison holds, so nothing is said about an effect
BASES = ("holdout", "adjusted", "stores", "association")
# usable: alike, and no difference where there can be none; not_alike: the treated are too different from all others;
# placebo_differs: they differed a year before, too; too_few: people
STANDINGS = ("usable", "not_alike", "placebo_differs", "too_few")

CURVE = "day treated control difference lo95 hi95"
ADJUSTED = "metric kind treated expected naive difference lo95 hi95"  # kind: window | placebo (a year before)
BALANCE = "trait treated others weighted apart_before apart_after"
STORES = (
    "stores others difference lo95 hi95 p_value before_difference before_p money incremental incremental_lo "
    "incremental_hi verdict"
)
# Of such a campaign: its stores changed more, less, or no surer than by chance; or had moved apart before it
STORE_VERDICTS = ("stores_more", "stores_less", "stores_unclear", "stores_apart")
_SURE = 0.05
_OUTCOMES = (
    ("conversion", "window", "bought"),
    ("spend", "window", "spend"),
    ("margin", "window", "margin"),
    ("conversion", "placebo", "past_bought"),
    ("spend", "placebo", "past_spend"),
)
_AT_ONCE = 200_000  # customers of campaigns that one question is about


@dataclass(frozen=True, slots=True)
class Compared:
    """The treated of a campaign against others like them: tables ``ADJUSTED`` and ``BALANCE``, and figures about both
    groups: adjusted_people, adjusted_others (how many are compared), adjusted_comparable (share of the treated with
    others like them)."""

    adjusted: pd.DataFrame
    balance: pd.DataFrame
    figures: dict[str, float]


NOT_COMPARED = Compared(pd.DataFrame(columns=ADJUSTED.split()), pd.DataFrame(columns=BALANCE.split()), {})


def compared(snapshot: Snapshot, scope: Scope, windows: Mapping[str, tuple[date, date]]) -> dict[str, Compared]:
    """What can be said of campaigns without a control group, by id; those with too few people are missing.

    ``windows``: first and last day that count of each. The placebo only where the data reach back to its window.
    """
    as_of = snapshot.info.last_day
    begun = {key: (first, min(last, as_of)) for key, (first, last) in windows.items() if as_of and first <= as_of}
    if not begun or as_of is None:
        return {}
    members = queries.members(scope, snapshot.engine, list(begun))
    if len(members) < adjusted.LEAST:
        return {}
    candidates = alike.Candidates(queries.candidates(scope, snapshot.engine))
    chosen = {
        str(key): candidates.choose(rows, begun[str(key)][0])
        for key, rows in members.groupby("campaign_id", observed=True)
    }
    asked = {key: one for key, one in chosen.items() if adjusted.are_enough(one.is_treated)}
    found: dict[str, Compared] = {}
    for some in at_once({key: int(one.is_treated.sum()) for key, one in asked.items()}):
        numbers = np.unique(np.concatenate([asked[key].customer_no for key in some]))
        earliest = min(alike.placebo_days(*begun[key])[0] for key in some)
        latest = max(begun[key][1] for key in some)
        highest = max(asked[key].highest for key in some)
        bought = alike.Bought(queries.bought(scope, snapshot.engine, some, highest, earliest, latest), numbers)
        for key in some:
            rows = bought.known(asked[key], *begun[key])
            found[key] = _compared(rows, asked[key].is_treated, _reaches(snapshot, *begun[key]))
    return found


def at_once(people: Mapping[str, int]) -> list[list[str]]:
    """The keys of ``people`` in groups, each of so many people that a question about them fits into memory."""
    groups: list[list[str]] = []
    room = 0
    for key, many in people.items():
        if not groups or many > room:
            groups.append([])
            room = _AT_ONCE
        groups[-1].append(key)
        room -= many
    return groups


def _reaches(snapshot: Snapshot, first_day: date, last_day: date) -> bool:
    """Whether the data reach back to the placebo's days."""
    start = snapshot.info.first_day
    return start is not None and start <= alike.placebo_days(first_day, last_day)[0]


def _compared(rows: pd.DataFrame, treated: npt.NDArray[np.bool_], has_placebo: bool) -> Compared:
    known = rows[[*alike.COUNTED, "spend_365", "days_since", "member_days", "is_female"]]
    shaped = known.assign(
        spend_365=np.log1p(known["spend_365"].clip(lower=0)), **{name: np.log1p(known[name]) for name in alike.COUNTED}
    )
    asked = [one for one in _OUTCOMES if has_placebo or one[1] == "window"]
    found = adjusted.compare(shaped, treated, rows[[column for _, _, column in asked]].to_numpy())
    if found is None:
        return NOT_COMPARED
    table = [
        (metric, kind, one.treated, one.expected, one.naive, one.difference, one.lo, one.hi)
        for (metric, kind, _), one in zip(asked, found.estimates, strict=True)
    ]
    figures = {
        "adjusted_people": float(found.people),
        "adjusted_others": float(found.others),
        "adjusted_comparable": found.comparable,
    }
    return Compared(pd.DataFrame(table, columns=ADJUSTED.split()), found.balance, figures)


def standing(table: pd.DataFrame, balance: pd.DataFrame, comparable: float) -> str:
    """Whether an adjusted estimate may be shown as one: one of ``STANDINGS``."""
    if table.empty:
        return "too_few"
    if comparable < adjusted.LEAST_COMPARABLE or (balance["apart_after"].abs() > adjusted.BALANCED).any():
        return "not_alike"
    placebo = table[table["kind"] == "placebo"]
    return "placebo_differs" if ((placebo["lo95"] > 0) | (placebo["hi95"] < 0)).any() else "usable"


def curve(
    snapshot: Snapshot,
    scope: Scope,
    campaign_id: str,
    people: pd.DataFrame,
    money: str,
    first_day: date,
    last_day: date,
) -> pd.DataFrame:
    """The difference in ``money`` per customer up to each day so far, against the control group: table ``CURVE``.

    people: the arms with is_control and people. Purchases in the stores in scope.
    """
    as_of = snapshot.info.last_day
    if as_of is None or as_of < first_day:
        return pd.DataFrame(columns=CURVE.split())
    rows = queries.days(scope, snapshot.engine, campaign_id, first_day, min(last_day, as_of))
    start = pd.Timestamp(first_day)
    day_number = (pd.to_datetime(rows["day"]) - start).dt.days.astype("int64")
    bought = rows.assign(day_number=day_number, amount=rows[money].fillna(0.0))
    sizes = people.groupby("is_control")["people"].sum()
    found = sequential.curve(
        bought,
        int(sizes.get(False, 0)),
        int(sizes.get(True, 0)),
        (min(last_day, as_of) - first_day).days + 1,
        (last_day - first_day).days + 1,
    )
    return found.assign(day=start + pd.to_timedelta(found["day_number"], unit="D"))[CURVE.split()]


def of_stores(snapshot: Snapshot, scope: Scope, campaign_id: str, first_day: date, last_day: date) -> pd.DataFrame:
    """The stores that take part against those that do not: one row (``STORES``), none where that cannot be said.

    incremental: money (margin where every cost is known, else net sales) beyond what the other stores' change leads one
    to expect; margin is taken at its rate in these stores and days.
    """
    as_of = snapshot.info.last_day
    end = last_day if as_of is None else min(last_day, as_of)
    days = queries.store_days(scope, snapshot.engine, campaign_id, first_day - timedelta(weeks=WEEKS), end)
    if end < first_day or days.empty:
        return pd.DataFrame(columns=STORES.split())
    days = days.assign(day=pd.to_datetime(days["day"]))
    found = store_difference.difference(days, pd.Timestamp(first_day), pd.Timestamp(end))
    if found is None:
        return pd.DataFrame(columns=STORES.split())
    during = days[days["takes_part"] & (days["day"] >= pd.Timestamp(first_day))]
    has_cost = bool(during["cost"].notna().all())
    verdict = _of_change(found)
    rate = 1 - during["cost"].sum() / during["gross_sales"].sum() if has_cost else 1.0
    if verdict == "stores_apart":
        rate = np.nan  # what is not the campaign's doing has no return
    row = {
        "stores": found.stores,
        "others": found.others,
        "difference": found.difference,
        "lo95": found.lo,
        "hi95": found.hi,
        "p_value": found.p_value,
        "before_difference": found.before_difference,
        "before_p": found.before_p,
        "money": "margin" if has_cost else "spend",
        "incremental": found.beyond(found.difference) * rate,
        "incremental_lo": found.beyond(found.lo) * rate,
        "incremental_hi": found.beyond(found.hi) * rate,
        "verdict": verdict,
    }
    return pd.DataFrame([row], columns=STORES.split())


def _of_change(found: store_difference.Change) -> str:
    """One of ``STORE_VERDICTS``."""
    if found.before_p < _SURE:
        return "stores_apart"
    if found.p_value >= _SURE:
        return "stores_unclear"
    return "stores_more" if found.difference > 0 else "stores_less"
