"""Profile quality: how well customers are known, by store and adviser, what cannot be right, who is there twice, and
how many sales have no customer at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import pandas as pd

from data_access.errors import Problem
from data_access.queries import places
from data_access.queries import profile_quality as queries
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.queries.profile_quality import KNOWN, PROBLEMS, UPDATED, Question
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports._kept import Frames, kept_frames
from models.reports._shape import Columns, select_columns

STALE_MONTHS = 12  # without an update, unless told
SALES_DAYS = 90  # of the sales whose customers are counted

FIELDS = tuple(KNOWN)
COMPLETE = "complete"  # as a field: every essential one is known
TO_FIX = (*(field for field in FIELDS if field != "source"), *PROBLEMS)


@dataclass(frozen=True, slots=True)
class ProfileQualityReport:
    """Registered customers of the home stores in scope, at the end of ``as_of``; sales of its last 90 days.

    Whether a field is filled is all that is known here of names, phone numbers, addresses and birthdays.
    """

    as_of: date
    stale_months: int
    sales: Period
    # one row per field and for complete (name, phone, birthday, gender and city are known); known is missing where
    # the CRM has no such field
    fields: Annotated[pd.DataFrame, Columns("field customers known unknown share")]
    # the same by home store; without one: the scope holds the chain and the CRM names no store
    by_store: Annotated[pd.DataFrame, Columns("store_id store field customers known unknown share")]
    # complete profiles by who looks after the customers; without a staff_id: nobody does
    by_adviser: Annotated[pd.DataFrame, Columns("store_id store staff_id customers complete share")]
    # one row per problem: shared (a contact with somebody else), birthday_implausible, joined_late and updated_late (in
    # the future), stale (no update for so many months), never_updated
    problems: Annotated[pd.DataFrame, Columns("problem customers of share")]
    # profiles brought up to date within the stale_months, by who did it last: the customer, somebody else, or nobody
    # says; share: of all customers
    updates: Annotated[pd.DataFrame, Columns("updated customers of share")]
    # one row per customer of a group with one contact, by group
    duplicates: Annotated[pd.DataFrame, Columns("kind group_key customer_key store_id store")]
    # counted orders without a customer: level all | store | channel | staff, and which one
    unidentified: Annotated[pd.DataFrame, Columns("level key orders unidentified share gross_sales unidentified_sales")]

    def to_fix(self) -> tuple[str, ...]:
        """Which of ``TO_FIX`` anybody has."""
        found = {
            **self.fields.set_index("field")["unknown"].fillna(0).to_dict(),
            **self.problems.set_index("problem")["customers"].to_dict(),
        }
        return tuple(name for name in TO_FIX if found.get(name, 0))


def profile_quality(
    snapshot: Snapshot, scope: Scope, as_of: date, stale_months: int = STALE_MONTHS
) -> ProfileQualityReport:
    """The profiles of the stores in scope; sums as a batch kept them, where one did. Problem when ``stale_months`` is
    below 1."""
    question = question_of(as_of, stale_months)
    sales = Period(as_of - timedelta(days=SALES_DAYS - 1), as_of)
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    shared = queries.shared(scope, snapshot.engine)
    kept = kept_frames(snapshot, scope, as_of, "profile_quality") if stale_months == STALE_MONTHS else None
    found = _sums(snapshot, scope, question, sales, shared, names) if kept is None else kept
    frames = select_columns(ProfileQualityReport, **found, duplicates=_named(shared, names))
    return ProfileQualityReport(as_of, stale_months, sales, **frames)


def _sums(
    snapshot: Snapshot, scope: Scope, question: Question, sales: Period, shared: pd.DataFrame, names: pd.Series
) -> Frames:
    """The tables that name no customer."""
    people = queries.completeness(scope, snapshot.engine, question)
    return {
        "fields": _fields(people.assign(one=0), ["one"]),
        "by_store": _named(_fields(people, ["store_id"]), names),
        "by_adviser": _named(_advisers(people), names),
        "problems": _problems(people, shared),
        "updates": _shares("updated", {name: int(people[name].sum()) for name in UPDATED}, people),
        "unidentified": _unidentified(queries.unidentified(scope, snapshot.engine, sales)),
    }


def question_of(as_of: date, stale_months: int = STALE_MONTHS) -> Question:
    if stale_months < 1:
        raise Problem("a profile is stale after 1 month or more")
    return Question(as_of, (pd.Timestamp(as_of) - pd.DateOffset(months=stale_months)).date())


def to_fix_count(snapshot: Snapshot, scope: Scope, question: Question, problem: str, wanted: Wanted = EVERYBODY) -> int:
    """How many customers have one of ``TO_FIX``."""
    return int(queries.to_fix_count(scope, snapshot.engine, question, problem, wanted)["customers"].iloc[0])


def to_fix(
    snapshot: Snapshot,
    scope: Scope,
    question: Question,
    problem: str,
    wanted: Wanted = EVERYBODY,
    offset: int = 0,
    limit: int = 50,
) -> pd.DataFrame:
    """A page of the customers with one of ``TO_FIX``, who bought last first; columns as the query's, and store."""
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    return _named(queries.to_fix(scope, snapshot.engine, question, problem, wanted, offset, limit), names)


def _fields(people: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """One row per group and field, the fields in their order."""
    counted = [COMPLETE, *FIELDS]
    sums = people.groupby(list(by), dropna=False)[["customers", *counted]].sum(min_count=1).reset_index()
    rows = sums.melt([*by, "customers"], counted, "field", "known")
    order = rows["field"].map({field: position for position, field in enumerate(counted)})
    rows = rows.assign(order=order).sort_values([*by, "order"], ignore_index=True)
    known = rows["known"].astype("Float64")
    return rows.assign(
        known=known.astype("Int64"),
        unknown=(rows["customers"] - known).astype("Int64"),
        share=(known / rows["customers"]).astype("float64"),
    )


def _advisers(people: pd.DataFrame) -> pd.DataFrame:
    rows = people[["store_id", "staff_id", "customers", COMPLETE]]
    return rows.assign(share=rows[COMPLETE] / rows["customers"]).sort_values(["share", "store_id"], ignore_index=True)


def _problems(people: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    counts = {name: int(people[name].sum()) for name in PROBLEMS if name in people}
    counts["shared"] = shared["customer_key"].nunique()
    return _shares("problem", {name: counts[name] for name in PROBLEMS}, people)


def _shares(of_what: str, counts: Mapping[str, int], people: pd.DataFrame) -> pd.DataFrame:
    """Of all customers, how many each of something has."""
    everybody = int(people["customers"].sum())
    rows = [(name, count, everybody) for name, count in counts.items()]
    frame = pd.DataFrame(rows, columns=[of_what, "customers", "of"])
    return frame.assign(share=frame["customers"] / frame["of"].where(frame["of"] > 0))


def _unidentified(orders: pd.DataFrame) -> pd.DataFrame:
    """The sums over everything and by each of the three, the highest share first."""
    sums = ["orders", "unidentified", "gross_sales", "unidentified_sales"]
    parts = []
    for level, column in (("all", None), ("store", "store_id"), ("channel", "channel"), ("staff", "staff_id")):
        key = pd.Series("all", index=orders.index) if column is None else orders[column].astype(object)
        grouped = orders[sums].groupby(key.rename("key")).sum().reset_index()
        share = grouped["unidentified"] / grouped["orders"]
        part = grouped.assign(level=level, share=share).sort_values(["share", "key"], ascending=[False, True])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _named(rows: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    return rows.assign(store=rows["store_id"].map(names).astype(object))
