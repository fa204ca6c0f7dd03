"""Attribution: whom messages reached and how often, what last touch credits to campaigns, and what they caused."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from data_access.queries import attribution as queries
from data_access.queries import campaigns as all_campaigns
from data_access.queries.attribution import CREDIT_HOURS, DAYS, JOINED, Part
from data_access.results.info import is_current
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import allocation as calc
from models.calc.funnel import wilson
from models.calc.lift import Estimate
from models.reports._kept import Frames, kept_sums
from models.reports._shape import Columns, select_columns
from models.reports.campaigns import campaigns

JOB = "attribution"
CAMPAIGNS = "campaigns"  # a choice of what a batch keeps of the report: of all days; others are numbers of days
MOST_MEMBERS = 20_000
# verdicts that rest on customers held back at random
JUDGED = ("worked", "ahead", "no_evidence", "cannot_tell", "behind", "hurt")


@dataclass(frozen=True, slots=True)
class AttributionReport:
    """Customers of the stores in scope and their orders there. Money in the chain's currency, excluding tax, before
    returns. Credit is last touch: it describes, it proves nothing."""

    currency: str
    first: date
    last: date
    # of the days from ``first`` to ``last``: reached (customers), several (of them, by two channels or more), credited
    # (orders), credited_sales; of the last 30 days: contacted (customers), contacts (campaigns that wrote to them)
    summary: Annotated[pd.DataFrame, Columns("key value")]
    # one row per channel of these days: contacts (campaigns that wrote to a customer, added over customers), customers,
    # only_here (of these, those no other channel reached), and the orders credited to it with their buyers
    channels: Annotated[
        pd.DataFrame,
        Columns("channel customers only_here contacts credited_orders credited_buyers credited_sales credited_margin"),
    ]
    # one row per set of channels (joined by '+') that reached somebody in these days, the largest first
    overlap: Annotated[pd.DataFrame, Columns("channel_set customers customers_share")]
    # one row per number of campaigns that wrote to a customer in the last 30 days
    messages: Annotated[pd.DataFrame, Columns("contacts customers customers_share unsubscribed")]
    # one row per campaign that was not only planned, the latest first: credited over all days; caused: buyers that the
    # campaign caused by its held-back customers (NaN without), with its range; incremental_margin as
    # ``models.reports.campaigns``; unsubscribe_rate of those whom a message reached, with its Wilson interval
    campaigns: Annotated[
        pd.DataFrame,
        Columns(
            "campaign_id name channel starts_on state credited_orders credited_buyers credited_sales credited_margin "
            "caused caused_lo caused_hi incremental_margin incremental_lo incremental_hi verdict delivered "
            "unsubscribed unsubscribe_rate lo95 hi95"
        ),
    ]
    # one row per channel: all its campaigns together
    unsubscribed: Annotated[
        pd.DataFrame, Columns("channel campaigns delivered unsubscribed unsubscribe_rate lo95 hi95")
    ]
    # one row per kind of touch and channel (missing: any other) with the hours in which an order is credited to it
    rules: Annotated[pd.DataFrame, Columns("touch channel credit_hours")]


def attribution(snapshot: Snapshot, scope: Scope, days: int = DAYS[0]) -> AttributionReport:
    """The last ``days`` of the data; credit and effect of campaigns over all days."""
    last = snapshot.info.last_day
    if last is None:
        return AttributionReport(
            snapshot.info.currency, date.min, date.min, **select_columns(AttributionReport, rules=_rules())
        )
    first = last - timedelta(days=days - 1)
    found = kept_sums(snapshot, scope, JOB, str(days)) or added_up(snapshot, scope, days)
    by_campaign = kept_sums(snapshot, scope, JOB, CAMPAIGNS) or of_campaigns(snapshot, scope)
    return AttributionReport(
        snapshot.info.currency,
        first,
        last,
        **select_columns(
            AttributionReport,
            **found,
            campaigns=_campaigns(snapshot, scope, by_campaign["campaigns"]),
            unsubscribed=by_campaign["unsubscribed"],
            rules=_rules(),
        ),
    )


def added_up(snapshot: Snapshot, scope: Scope, days: int) -> Frames:
    """The tables of the last ``days``: a batch keeps them for every place and ``queries.DAYS``."""
    last = snapshot.info.last_day
    assert last is not None
    first = last - timedelta(days=days - 1)
    source, ready = _kept(snapshot, days)
    reach = queries.reach(scope, source, first, last, ready=ready)
    credit = _credit(snapshot, scope, "channel", first, last)
    sets, messages = _sets(reach), _messages(reach)
    return {
        "summary": _summary(sets, credit, messages),
        "channels": _channels(sets, queries.contacts(scope, snapshot.engine, first, last), credit),
        "overlap": sets,
        "messages": messages,
    }


def of_campaigns(snapshot: Snapshot, scope: Scope) -> Frames:
    """Of all days, what is credited to each campaign and who left it, and who left by channel: a batch keeps it for
    every place."""
    first, last = snapshot.info.first_day, snapshot.info.last_day
    assert first is not None
    assert last is not None
    listed = all_campaigns.known(scope, snapshot.engine)[["campaign_id", "channel"]]
    left = _left(all_campaigns.funnel_steps(scope, snapshot.engine))
    rows = _filled(listed.merge(_credit(snapshot, scope, "campaign_id", first, last), on="campaign_id", how="left"))
    rows = rows.merge(left, on="campaign_id", how="left")
    rows[["delivered", "unsubscribed"]] = rows[["delivered", "unsubscribed"]].fillna(0).astype("int64")
    channels = (
        rows[rows["delivered"] > 0]
        .groupby("channel", as_index=False)
        .agg(campaigns=("campaign_id", "count"), delivered=("delivered", "sum"), unsubscribed=("unsubscribed", "sum"))
    )
    return {
        "campaigns": _with_rate(rows.drop(columns="channel")),
        "unsubscribed": _with_rate(channels).sort_values("unsubscribe_rate", ascending=False, ignore_index=True),
    }


def _credit(snapshot: Snapshot, scope: Scope, by: queries.By, first: date, last: date) -> pd.DataFrame:
    """The credited orders: as a batch left them for these very facts, or else computed now."""
    source, ready = _kept(snapshot)
    return queries.credit(scope, source, by, first, last, ready=ready)


def _kept(snapshot: Snapshot, days: int = DAYS[0]) -> tuple[Engine, bool]:
    """Where to read what a batch keeps for these very facts, and whether it keeps it for so many days."""
    if snapshot.results is not None and days in DAYS and is_current(snapshot, JOB):
        return snapshot.results, True
    return snapshot.engine, False


def reached(snapshot: Snapshot, scope: Scope, days: int, part: Part, limit: int = MOST_MEMBERS) -> pd.DataFrame:
    """The customers of a part, as ``queries.reached``: of the last ``days``."""
    last = snapshot.info.last_day
    assert last is not None
    first = last - timedelta(days=days - 1)
    source, ready = _kept(snapshot, days)
    return queries.reached(scope, source, first, last, part, limit, ready=ready)


def over_limit(messages: pd.DataFrame, most: int) -> int:
    """Customers to whom more than ``most`` campaigns wrote. ``messages``: of the report."""
    return int(messages.loc[messages["contacts"] > most, "customers"].sum())


def together(rows: pd.DataFrame) -> tuple[int, int, Estimate]:
    """Of the campaigns with customers held back: how many, buyers credited to them, and buyers they caused."""
    judged = rows[rows["caused"].notna()]
    ends = judged.rename(columns={"caused": "value", "caused_lo": "lo", "caused_hi": "hi"})
    return len(judged), int(judged["credited_buyers"].sum()), calc.added(ends[["value", "lo", "hi"]])


def _sets(reach: pd.DataFrame) -> pd.DataFrame:
    """Customers by the set of channels, the largest first; who was reached in a channel without a name is left out."""
    found = reach[reach["channel_set"] != ""].groupby("channel_set", as_index=False)["customers"].sum()
    found = found.assign(customers_share=_shares(found["customers"]))
    return found.sort_values(["customers", "channel_set"], ascending=[False, True], ignore_index=True)


def _messages(reach: pd.DataFrame) -> pd.DataFrame:
    lately = reach[reach["lately"] > 0].groupby("lately", as_index=False)[["customers", "unsubscribed"]].sum()
    return lately.rename(columns={"lately": "contacts"}).assign(customers_share=_shares(lately["customers"]))


def _shares(customers: pd.Series) -> pd.Series:
    total = customers.sum()
    return customers / total if total else customers.astype("float64")


def _summary(sets: pd.DataFrame, now: pd.DataFrame, messages: pd.DataFrame) -> pd.DataFrame:
    several = sets.loc[sets["channel_set"].str.contains(JOINED, regex=False), "customers"].sum()
    values = {
        "reached": sets["customers"].sum(),
        "several": several,
        "credited": now["credited_orders"].sum(),
        "credited_sales": now["credited_sales"].sum(),
        "contacted": messages["customers"].sum(),
        "contacts": (messages["contacts"] * messages["customers"]).sum(),
    }
    return pd.DataFrame({"key": list(values), "value": [float(value) for value in values.values()]})


def _channels(sets: pd.DataFrame, contacts: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Customers by channel, whom only it reached, and what is credited to it."""
    each = sets.assign(channel=sets["channel_set"].str.split(JOINED)).explode("channel")
    customers = each.groupby("channel", as_index=False)["customers"].sum()
    alone = sets.set_index("channel_set")["customers"].rename("only_here")
    found = customers.merge(alone, left_on="channel", right_index=True, how="left").merge(contacts, on="channel")
    found = found.assign(only_here=found["only_here"].fillna(0).astype("int64")).merge(now, on="channel", how="left")
    return _filled(found).sort_values("customers", ascending=False, ignore_index=True)


def _filled(rows: pd.DataFrame) -> pd.DataFrame:
    """Nothing credited is zero."""
    none = rows["credited_orders"].isna()
    counts = ["credited_orders", "credited_buyers"]
    rows[counts] = rows[counts].fillna(0).astype("int64")
    money = ["credited_sales", "credited_margin"]
    rows[money] = rows[money].astype("float64").mask(none, 0.0)
    return rows


def _campaigns(snapshot: Snapshot, scope: Scope, known: pd.DataFrame) -> pd.DataFrame:
    """Each campaign with its effect and what is ``known`` of it: credit, and who left."""
    listed = campaigns(snapshot, scope).campaigns
    listed = listed.rename(columns={"lo95": "lift_lo", "hi95": "lift_hi"})
    rows = listed[listed["state"] != "planned"].merge(known, on="campaign_id", how="left")
    told = rows["verdict"].isin(JUDGED) & (rows["held_back"] > 0)
    ends = {"caused": "lift", "caused_lo": "lift_lo", "caused_hi": "lift_hi"}
    rows = rows.assign(**{name: (rows["targeted"] * rows[share]).where(told) for name, share in ends.items()})
    return rows.sort_values("starts_on", ascending=False, kind="stable", ignore_index=True)


def _left(steps: pd.DataFrame) -> pd.DataFrame:
    """By campaign: delivered (customers a message reached; those it was sent to where nobody records deliveries) and
    unsubscribed."""
    wide = steps.pivot_table(index="campaign_id", columns="step", values="customers", aggfunc="sum", fill_value=0)
    wide = wide.reindex(columns=["sent", "delivered", "unsubscribed"], fill_value=0)
    delivered = wide["delivered"].where(wide["delivered"] > 0, wide["sent"])
    return wide.assign(delivered=delivered).drop(columns="sent").rename_axis(columns=None).reset_index()


def _with_rate(rows: pd.DataFrame) -> pd.DataFrame:
    lo, hi = wilson(rows["unsubscribed"], rows["delivered"])
    rate = rows["unsubscribed"] / rows["delivered"].where(rows["delivered"] > 0)
    return rows.assign(unsubscribe_rate=rate, lo95=lo, hi95=hi)


def _rules() -> pd.DataFrame:
    rows: list[tuple[str, str | None, float]] = [(queries.COUPON, None, np.nan)]
    rows += [(touch, channel, hours) for touch, by in CREDIT_HOURS.items() for channel, hours in by.items()]
    return pd.DataFrame(rows, columns=["touch", "channel", "credit_hours"])
