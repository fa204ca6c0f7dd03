"""Customer: one person as the stores in scope know them. Nobody is named here: the customer is a pseudonymous key."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.queries import customer as queries
from data_access.queries import segments
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models import metrics
from models.calc import habits
from models.reports._shape import Columns, select_columns

KPIS = ("net_sales", "orders", "visits", "average_ticket", "recency_days", "units_per_transaction", "return_rate")
DIMENSIONS = ("category", "brand", "product", "price_band", "pack_size", "channel")
FAVOURITES = 5  # rows of each dimension
# What models are to say of a customer; so far the report on value says it, for its list of customers.
EXPECTATIONS = ("next_purchase_on", "probability_active", "value_12_months")
NOT_HERE = "see_report_value"

# What happened after a message, in the order in which it usually does.
_STEPS = {
    "sent_at": "message",
    "opened_at": "opened",
    "clicked_at": "clicked",
    "claimed_at": "claimed",
    "visited_at": "visited",
    "redeemed_at": "redeemed",
    "unsubscribed_at": "unsubscribed",
}
_TIMELINE = (
    "at", "kind", "text", "more", "amount", "units", "store_id", "store", "order_id", "return_id", "campaign_id",
    "channel",
)  # fmt: skip
_GROUPS = ("segment", "r", "f", "m", "abc", "quadrant", "stage")
_PROFILE = (
    "store_id", "store", "joined_on", "gender", "age_band", "is_adult", "city", "source", "account_type", "importance",
    "tier",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CustomerReport:
    """Money in the chain's currency, excluding tax. Only what happened in the stores in scope; scores, segment and
    class are those among the customers of these stores, under the rule that keeps ties, over all days."""

    currency: str
    # one row: the customer; store (home), joined_on: NA for somebody who is at home outside the scope; profile NA for
    # a customer whom nobody registered; groups NA without an order; first_day, last_day: of the orders
    header: Annotated[
        pd.DataFrame,
        Columns(
            "customer_key store_id store joined_on gender age_band is_adult city source account_type importance tier "
            "segment r f m abc quadrant stage first_day last_day"
        ),
    ]
    # over all days: net_sales, orders, visits, average_ticket, recency_days, units_per_transaction, return_rate
    kpis: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per order, return, message and answer, newest first; at is store-local; kind: purchase | return |
    # message | opened | clicked | claimed | visited | redeemed | unsubscribed; text: the most expensive product of the
    # order, or the campaign; more: further lines of the order; amount: gross sales or refund
    timeline: Annotated[
        pd.DataFrame, Columns("at kind text more amount units store_id store order_id return_id campaign_id channel")
    ]
    # days_between_visits, ticket, units_per_order: median with quartiles (NA for fewer than three); longest_usual_gap:
    # nine of ten gaps between visits are at most as long (NA for fewer than five); discount_share
    habits: Annotated[pd.DataFrame, Columns("key value lo hi")]
    # one row per purpose and channel; lives: the customer agrees at the moment of the snapshot; instants in UTC
    consents: Annotated[pd.DataFrame, Columns("purpose channel lives granted_at withdrawn_at")]
    # what is bought: dimension category | brand | product | price_band | pack_size | channel, at most 5 names each
    favourites: Annotated[pd.DataFrame, Columns("dimension name net_sales units orders share")]
    # what models say; NA with the reason why they say nothing
    expectations: Annotated[pd.DataFrame, Columns("key value lo hi why")]


def customer(snapshot: Snapshot, scope: Scope, customer_key: str) -> CustomerReport:
    """One customer of the stores in scope; Problem when there is none by that key."""
    engine = snapshot.engine
    profile = queries.profile(scope, engine, customer_key)
    trade = queries.timeline(scope, engine, customer_key)
    if profile.empty and trade.empty:
        raise Problem(f"there is no customer {customer_key!r} in your scope: open one from a list of customers")
    lines = queries.lines(scope, engine, customer_key)
    bought = trade[trade["kind"] == "purchase"]
    frames = select_columns(
        CustomerReport,
        header=_header(customer_key, profile, _groups(snapshot, scope, customer_key), bought),
        kpis=metrics.kpis(KPIS, _sums(trade, bought, snapshot.info.last_day)).drop(columns=["previous", "last_year"]),
        timeline=_timeline(trade, lines, queries.contacts(scope, engine, customer_key)),
        habits=_habits(bought, lines),
        consents=queries.consents(scope, engine, customer_key),
        favourites=habits.favourites(lines, DIMENSIONS, FAVOURITES),
        expectations=pd.DataFrame({"key": EXPECTATIONS, "value": np.nan, "lo": np.nan, "hi": np.nan, "why": NOT_HERE}),
    )
    return CustomerReport(snapshot.info.currency, **frames)


def _groups(snapshot: Snapshot, scope: Scope, customer_key: str) -> pd.DataFrame:
    """The customer's row among the members of the scope; none where the data hold no day or no order."""
    if snapshot.info.last_day is None:
        return pd.DataFrame(columns=list(_GROUPS))
    question = segments.Question(snapshot.info.last_day)
    with segments.added_up(scope, snapshot.engine, question) as kept:
        found = segments.cuts(scope, snapshot.engine, question, kept)
    cuts = {name: float(found[name].iloc[0]) if len(found) else np.nan for name in segments.CUTS}
    choice = segments.Choice("customer", customer_key)
    return segments.members(scope, snapshot.engine, question, cuts, choice=choice, limit=1)


def _header(customer_key: str, profile: pd.DataFrame, groups: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    days = bought["happened_at"].dt.normalize()
    row = {
        "customer_key": customer_key,
        **{name: profile[name].iloc[0] if len(profile) else None for name in _PROFILE},
        **{name: groups[name].iloc[0] if len(groups) else None for name in _GROUPS},
        "first_day": days.min(),
        "last_day": days.max(),
    }
    return pd.DataFrame([row])


def _sums(trade: pd.DataFrame, bought: pd.DataFrame, last_day: date | None) -> dict[str, float]:
    returns, gross = float(trade["amount"].sum() - bought["amount"].sum()), float(bought["amount"].sum())
    newest = bought["happened_at"].max()
    return {
        "gross_sales": gross,
        "returns_of_sales": returns,
        "net_sales": round(gross - returns, 4),
        "orders": len(bought),
        "visits": bought["happened_at"].dt.normalize().nunique(),
        "units": float(bought["units"].sum()),
        "recency_days": (pd.Timestamp(last_day) - newest.normalize()).days if last_day and len(bought) else np.nan,
    }


def _timeline(trade: pd.DataFrame, lines: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Everything in one table, the newest first."""
    held: dict[str, list[tuple[str, str]]] = {}  # order -> product and channel of its lines, the dearest first
    for order_id, product, channel in zip(lines["order_id"], lines["product"], lines["channel"], strict=True):
        held.setdefault(order_id, []).append((product, channel))
    rows: list[dict[str, Any]] = []
    for row in trade.to_dict("records"):
        inside = held.get(row["order_id"]) if row["kind"] == "purchase" else None
        more = {"text": inside[0][0], "more": len(inside) - 1, "channel": inside[0][1]} if inside else {}
        rows.append({"at": row["happened_at"], **{str(name): value for name, value in row.items()}, **more})
    for row in contacts.to_dict("records"):
        same = {"text": row["campaign"], **{name: row[name] for name in ("store_id", "campaign_id", "channel")}}
        for column, kind in _STEPS.items():
            if not pd.isna(row[column]):
                rows.append({"at": _local(row[column], row["time_zone"]), "kind": kind, **same})
    rows.sort(key=lambda row: row["at"], reverse=True)
    return pd.DataFrame(rows, columns=list(_TIMELINE)).astype({"at": "datetime64[us]"})


def _local(utc: pd.Timestamp, zone: object) -> pd.Timestamp:
    named = ZoneInfo(zone) if isinstance(zone, str) else ZoneInfo("UTC")
    return utc.tz_localize("UTC").tz_convert(named).tz_localize(None)


def _habits(bought: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    gross, discount = float(lines["net"].sum()), float(lines["discount"].sum())
    gaps = habits.gaps(bought["happened_at"])
    found = {
        "days_between_visits": habits.quartiles(gaps),
        "longest_usual_gap": (habits.longest_usual(gaps), np.nan, np.nan),
        "ticket": habits.quartiles(bought["amount"].tolist()),
        "units_per_order": habits.quartiles(bought["units"].tolist()),
        # Discounts are including tax, sales are not: a share of what was asked for, not of what was paid.
        "discount_share": (discount / (gross + discount) if gross + discount > 0 else np.nan, np.nan, np.nan),
    }
    return pd.DataFrame([(key, *values) for key, values in found.items()], columns=["key", "value", "lo", "hi"])
