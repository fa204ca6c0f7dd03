"""What to do for each segment, what was done last, and what came of it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import pandas as pd

from data_access.marts.segment_rules import SEGMENTS
from data_access.marts.tables import MONEY_UNIT
from data_access.queries import segments as base
from data_access.queries import treatments as queries
from data_access.queries.segments import Question
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.growth import share
from models.reports._kept import kept_frames
from models.reports._shape import Columns, select_columns

LEAST_REACHED = 0.05  # of a segment, for a campaign to count as its treatment
MOST_LOOKED_AT = 6  # campaigns

# What is advised for each segment: our rule, in words in the catalogues (``treatment.<key>``).
TREATMENT = {
    "champions": "thank",
    "loyal": "raise",
    "active": "second_category",
    "new": "welcome",
    "promising": "second_purchase",
    "needs_attention": "remind",
    "at_risk": "call",
    "previously_loyal": "win_back",
    "almost_lost": "wake_up",
    "dormant": "wake_up_rarely",
    "prospect": "first_purchase",
}


@dataclass(frozen=True, slots=True)
class TreatmentsReport:
    """The named segments of the stores in scope at the end of ``as_of``, all days, equal values sharing a score."""

    as_of: date
    currency: str
    # one row per named segment: what is advised, and the latest campaign whose window has closed and that was for at
    # least a twentieth of those who were in the segment on its eve (missing: none): reached (of them, assigned to a
    # treated arm), and who of these and of its control group in the segment bought in its window, with the interval
    # of 95 % of the treated. Those who are in the segment now would not do: whoever bought has left some
    treatments: Annotated[
        pd.DataFrame,
        Columns(
            "segment customers net_sales treatment campaign_id campaign starts_on window_last reached treated "
            "response_rate lo95 hi95 control control_rate"
        ),
    ]


def treatments(snapshot: Snapshot, scope: Scope, as_of: date) -> TreatmentsReport:
    """What to do for the customers in scope by their segment at the end of ``as_of``."""
    kept = kept_frames(snapshot, scope, as_of, "treatments")
    if kept is not None:
        return TreatmentsReport(as_of, snapshot.info.currency, **kept)
    question = Question(as_of)
    cells = base.cells(scope, snapshot.engine, question)
    sizes = cells[cells["tie_rule"] == "keep_ties"].groupby("segment")[["customers", "net_sales"]].sum()
    sizes = sizes.reindex(list(SEGMENTS), fill_value=0).rename_axis("segment").reset_index()
    sizes = sizes.assign(net_sales=sizes["net_sales"] / MONEY_UNIT, treatment=sizes["segment"].map(TREATMENT))
    last = _last(snapshot, scope, as_of)
    bought = share(last["treated_buyers"].to_numpy(), last["treated"].to_numpy())
    last = last.assign(
        campaign=last["name"],
        reached=last["treated"] / last["customers"],
        response_rate=bought["rate"].to_numpy(),
        lo95=bought["lo95"].clip(lower=0).to_numpy(),
        hi95=bought["hi95"].to_numpy(),
        control_rate=(last["control_buyers"] / last["control"]).where(last["control"] > 0),
    )
    table = sizes.merge(last.drop(columns=["customers", "name"]), on="segment", how="left")
    return TreatmentsReport(as_of, snapshot.info.currency, **select_columns(TreatmentsReport, treatments=table))


def _last(snapshot: Snapshot, scope: Scope, as_of: date) -> pd.DataFrame:
    """One row per segment that a campaign was for: its name and days, and what came of it."""
    found = []
    for one in queries.over(scope, snapshot.engine, as_of, MOST_LOOKED_AT).to_dict("records"):
        eve = one["starts_on"].date() - timedelta(days=1)
        rows = queries.treatments(scope, snapshot.engine, eve, one["campaign_id"])
        found.append(rows.assign(**{str(name): value for name, value in one.items()}))
        enough = {name for rows in found for name in rows.loc[_was_for(rows), "segment"]}
        if enough >= set(SEGMENTS):
            break
    if not found:
        return pd.DataFrame(columns=_LAST)
    every = pd.concat(found, ignore_index=True)
    return every[_was_for(every)].drop_duplicates("segment")


def _was_for(rows: pd.DataFrame) -> pd.Series:
    return (rows["treated"] > 0) & (rows["treated"] >= LEAST_REACHED * rows["customers"])


_LAST = (
    "segment", "customers", "treated", "control", "treated_buyers", "control_buyers", "campaign_id", "name",
    "starts_on", "window_last",
)  # fmt: skip
