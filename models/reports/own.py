"""Own figures: what one person of the staff may see of themselves, and of nobody else.

Everything is computed within the store where the person works; of the colleagues only means of at least
``LEAST_COLLEAGUES`` leave here, and never a place among them.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd

from data_access.queries import staff as queries
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports._shape import Columns, select_columns
from models.reports.staff import staff_member
from models.reports.training import learnt

# Of a mean of fewer somebody could compute what a single colleague sells.
LEAST_COLLEAGUES: Final = 3
FollowUp = Literal["open", "overdue", "done"]
FOLLOW_UPS: Final[tuple[FollowUp, ...]] = ("overdue", "open", "done")


@dataclass(frozen=True, slots=True)
class OwnReport:
    """One person of the staff. Money excluding tax; columns as in ``StaffMemberReport`` and ``TrainingReport``."""

    period: Period
    currency: str
    # one row, without any place among the colleagues; adjusted, lo95 and hi95 are NaN, too, where fewer than
    # LEAST_COLLEAGUES others of the store could be compared (standing: too_few_colleagues)
    person: Annotated[
        pd.DataFrame,
        Columns(
            "staff_id store_id store role hired_on shifts hours net_sales raw_per_hour adjusted lo95 hi95 standing "
            "orders units average_ticket units_per_transaction identified_share return_rate csat answers tickets "
            "response_hours resolution_hours first_contact follow_ups_due follow_ups_done follow_up_rate"
        ),
    ]
    months: Annotated[
        pd.DataFrame, Columns("month hours gross_sales sales_per_hour orders target attainment commission_base")
    ]
    # team_share NaN where fewer than LEAST_COLLEAGUES others worked in the store
    strengths: Annotated[pd.DataFrame, Columns("category own_sales share team_share")]
    # own figures clearly below the mean of the colleagues, with the course that addresses each
    needs: Annotated[pd.DataFrame, Columns("measure value team_value course course_name completed_on")]
    records: Annotated[pd.DataFrame, Columns("course course_name completed_on expires_on state score")]
    # one row per planned contact of the period with a customer of the store, no customer named, the most urgent first.
    # follow_up: overdue (due before the last day of the data) | open | done
    follow_ups: Annotated[pd.DataFrame, Columns("due_on rule channel follow_up done_at outcome")]
    praise: Annotated[pd.DataFrame, Columns("given_on reason")]


def own(snapshot: Snapshot, scope: Scope, period: Period, staff_id: str) -> OwnReport:
    """What one person of the stores in scope may see of themselves; Problem when nobody of that id worked or sold there
    in ``period``."""
    member = staff_member(snapshot, scope, period, staff_id)
    taught = learnt(snapshot, scope, period.last)
    told = member.others >= LEAST_COLLEAGUES
    needs, records = (frame[frame["staff_id"] == staff_id] for frame in (taught.needs, taught.records))
    frames = select_columns(
        OwnReport,
        person=member.person if told else _alone(member.person),
        months=member.months,
        strengths=member.strengths if told else member.strengths.assign(team_share=math.nan),
        needs=needs if told else needs.iloc[:0],
        records=records,
        follow_ups=_follow_ups(
            queries.follow_ups_of(scope, snapshot.engine, period, staff_id), snapshot.info.last_day or period.last
        ),
        praise=member.praise,
    )
    return OwnReport(period, snapshot.info.currency, **frames)


def _alone(person: pd.DataFrame) -> pd.DataFrame:
    judged = person["standing"].where(person["adjusted"].isna(), "too_few_colleagues")
    return person.assign(adjusted=math.nan, lo95=math.nan, hi95=math.nan, standing=judged)


def _follow_ups(found: pd.DataFrame, today: date) -> pd.DataFrame:
    late = found["due_on"] < pd.Timestamp(today)
    state = np.select([found["done_at"].notna(), late], ["done", "overdue"], "open")
    order = pd.Series(state, index=found.index).map({name: place for place, name in enumerate(FOLLOW_UPS)})
    rows = found.assign(follow_up=state, order=order)
    return rows.sort_values(["order", "due_on", "rule"], ignore_index=True)
