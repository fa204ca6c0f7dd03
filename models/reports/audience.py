"""An audience before it is saved: who fits, who of them may be contacted, why the others may not, what it can find."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.queries import audience as queries
from data_access.queries import segments
from data_access.queries.audience import LIVES, Conditions
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.audience_rules import REASONS, sorted_out
from models.calc.power import smallest_lift
from models.reports import run_out
from models.reports._shape import Columns, select_columns

MOST_CONTACTS = 4  # campaigns in 30 days that may reach a customer, unless told
WINDOW_DAYS = 30  # after the hand-over in which a purchase counts, unless told
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)  # held back, to choose from


@dataclass(frozen=True, slots=True)
class Wish:
    """What an audience is to be. runs_out_within: days ahead in which something bought will be used up (None: all the
    same); channels: all that customers agree to; channel: in which they are to be contacted, one of those."""

    conditions: Conditions
    channels: tuple[str, ...]
    channel: str
    runs_out_within: int | None = None
    most_contacts: int = MOST_CONTACTS
    window_days: int = WINDOW_DAYS


@dataclass(frozen=True, slots=True)
class AudienceReport:
    """Customers of the stores in scope at the end of ``as_of``; consent, age and contacts as of the last refresh."""

    as_of: date
    fitting: int
    # by rising number: who fits and may be contacted in the channel
    reachable: NDArray[np.int64]
    # of the reachable, who bought in the window_days up to ``as_of``; NaN of nobody
    base_share: float
    # one row per channel: how many of those who fit agree to marketing there, and how many of them may be contacted
    channels: Annotated[pd.DataFrame, Columns("channel agreed reachable")]
    # one row per reason why somebody who fits is withheld from the channel, each customer under the first one
    withheld: Annotated[pd.DataFrame, Columns("reason customers")]


def audience(
    snapshot: Snapshot, scope: Scope, as_of: date, wish: Wish, held: Collection[int] = frozenset()
) -> AudienceReport:
    """Who fits ``wish`` and may be contacted. ``held``: further customers who are held back, by number."""
    engine = snapshot.engine
    cuts = segments.cuts(scope, engine, segments.Question(as_of))
    row = cuts.iloc[0].to_dict() if len(cuts) else dict.fromkeys(segments.CUTS)
    found = queries.candidates(scope, engine, as_of, wish.conditions, row, wish.channels)
    if wish.runs_out_within is not None:
        due = run_out.customers(snapshot, scope, as_of, wish.runs_out_within)
        found = found[found["customer_no"].isin(due)]
    reasons = [sorted_out(found, at, wish.most_contacts, held) for at in range(len(wish.channels))]
    why = reasons[wish.channels.index(wish.channel)]
    kept = found[why < 0]
    counts = np.bincount(why[why >= 0], minlength=len(REASONS))
    withheld = pd.DataFrame({"reason": REASONS, "customers": counts})
    bought = kept["days_since"] < wish.window_days
    channels = pd.DataFrame(
        {
            "channel": wish.channels,
            "agreed": [int((found[f"agreed_{at}"] == LIVES).sum()) for at in range(len(wish.channels))],
            "reachable": [int((each < 0).sum()) for each in reasons],
        }
    )
    return AudienceReport(
        as_of,
        len(found),
        kept["customer_no"].to_numpy(dtype=np.int64),
        float(bought.mean()) if len(bought) else float("nan"),
        **select_columns(
            AudienceReport, channels=channels, withheld=withheld[withheld["customers"] > 0].reset_index(drop=True)
        ),
    )


def what_shares_find(base_share: float, people: int) -> pd.DataFrame:
    """One row per share of ``people`` that could be held back: held_share, contacted, held_back, smallest_lift (the
    smallest rise of the share of buyers that is found in four of five cases; NaN: none is)."""
    rows = []
    for share in SHARES:
        held = round(people * share)
        rows.append((share, people - held, held, smallest_lift(base_share, people - held, held)))
    return pd.DataFrame(rows, columns=["held_share", "contacted", "held_back", "smallest_lift"])
