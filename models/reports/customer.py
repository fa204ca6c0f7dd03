"""Customer: one person as the stores in scope know them. Nobody is named here: the customer is a pseudonymous key."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.pseudonym import number_of
from data_access.queries import affinity as affinity_queries
from data_access.queries import customer as queries
from data_access.queries import segments
from data_access.queries.affinity import Known
from data_access.results.info import info_of
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models import metrics
from models.calc import habits
from models.calc.next_category import Habit
from models.reports import run_out
from models.reports._shape import Columns, declared_tables, select_columns
from models.reports.run_out import Learnt
from models.reports.value import CHANCES_WITHIN, ValueReport, models_of_day, outlook

KPIS = ("net_sales", "orders", "visits", "average_ticket", "recency_days", "units_per_transaction", "return_rate")
DIMENSIONS = ("category", "brand", "product", "price_band", "pack_size", "channel")
FAVOURITES = 5  # rows of each dimension
RECOMMENDED = 5  # products
LIKELIEST = 3  # categories of the next visit
# What models say of a customer, and why they say nothing.
BUYS_WITHIN = tuple(f"buys_within_{days}" for days in CHANCES_WITHIN)
EXPECTATIONS = ("next_purchase_days", "probability_active", "value_12_months", *BUYS_WITHIN)
NO_MODEL, NO_VISIT = "too_little_data", "never_bought"
_OUT_OF_SEASON = 0.6  # of an average month: less is not recommended
_JOB = "affinity"

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
    "at", "kind", "text", "detail", "more", "amount", "units", "points", "store_id", "store", "order_id", "return_id",
    "campaign_id", "channel",
)  # fmt: skip
_POINTS = {"earn": "points_earned", "burn": "points_spent", "expire": "points_expired", "adjust": "points_adjusted"}
_GROUPS = ("segment", "r", "f", "m", "abc", "quadrant", "stage")
_PROFILE = (
    "store_id", "store", "joined_on", "gender", "age_band", "is_adult", "city", "source", "account_type", "importance",
    "tier", "owner_staff_id", "occupation", "skin_type", "skin_concern",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CustomerReport:
    """Money in the chain's currency, excluding tax. Only what happened in the stores in scope; scores, segment and
    class are those among the customers of these stores, under the rule that keeps ties, over all days."""

    currency: str
    # one row: the customer; store (home), joined_on, owner_staff_id: NA for somebody who is at home outside the scope;
    # profile NA for a customer whom nobody registered; skin_type, skin_concern: NA unless the customer agrees to it;
    # groups NA without an order; first_day, last_day: of the orders
    header: Annotated[
        pd.DataFrame,
        Columns(
            "customer_key store_id store joined_on gender age_band is_adult city source account_type importance tier "
            "owner_staff_id occupation skin_type skin_concern segment r f m abc quadrant stage first_day last_day"
        ),
    ]
    # over all days: net_sales, orders, visits, average_ticket, recency_days, units_per_transaction, return_rate
    kpis: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per order, return, message and answer, service contact, call, appointment, move of tier and booking of
    # points without an order, newest first; at is store-local; text: the most expensive product of the order, the
    # campaign, the reason of the contact, the rule of the call, the service, the tier; detail: the product of a
    # contact, the outcome of a call, the status of an appointment; more: further lines of the order; amount: gross
    # sales or refund; points: booked, of an order those it earned less those spent on it
    timeline: Annotated[
        pd.DataFrame,
        Columns("at kind text detail more amount units points store_id store order_id return_id campaign_id channel"),
    ]
    # days_between_visits, ticket, units_per_order: median with quartiles (NA for fewer than three); longest_usual_gap:
    # nine of ten gaps between visits are at most as long (NA for fewer than five); discount_share
    habits: Annotated[pd.DataFrame, Columns("key value lo hi")]
    # one row per purpose and channel; lives: the customer agrees at the moment of the snapshot; instants in UTC
    consents: Annotated[pd.DataFrame, Columns("purpose channel lives granted_at withdrawn_at")]
    # what is bought: dimension category | brand | product | price_band | pack_size | channel, at most 5 names each
    favourites: Annotated[pd.DataFrame, Columns("dimension name net_sales units orders share")]
    # next_purchase_days: from the last day of the data, of customers like this who still are ones: half will have come
    # by then, eight of ten between lo and hi; probability_active; buys_within_30, _60 and _90: how likely a
    # visit here in so many days is; value_12_months: gross sales to expect, with the 95 %
    # range of what this customer will do; NA with the reason why nothing is said
    expectations: Annotated[pd.DataFrame, Columns("key value lo hi why")]
    # one row per need bought here, the next to be used up first, as the report run_out has them
    run_outs: Annotated[
        pd.DataFrame, Columns("need product_id product last_day units expected_on from_on until_on basis")
    ]
    # at most one row: tier and points_balance, whichever store they come from; next_tier with its threshold of net
    # sales within window_months, reviewed in review_month; spent: net sales of these months in the stores in scope, so
    # that at most gap is missing (exactly, for whoever sees the chain)
    standing: Annotated[
        pd.DataFrame,
        Columns("tier points_balance next_tier threshold window_months review_month spent gap is_exact"),
    ]
    # one row per campaign whose coupon was claimed, not spent, and still holds, the first to end first
    coupons: Annotated[pd.DataFrame, Columns("campaign_id campaign face_value valid_to")]
    tags: Annotated[pd.DataFrame, Columns("tag")]
    # at most 5 rows, the best first: a product never bought here, in stock at store (units of it), that buyers of
    # because buy too: both of so many buyers (of the whole chain), lift times as many as popularity and appetite give,
    # at least lift_low; season: what this month sells of its kind to an average month; suits_skin: made for the skin
    # type the customer agreed to be known (NA: nobody says)
    recommendations: Annotated[
        pd.DataFrame,
        Columns(
            "product_id product category list_price because both buyers share lift lift_low season suits_skin "
            "store_id store in_stock"
        ),
    ]
    # at most 3 rows, the likeliest first: what the next visit will mostly be for, with its chance; none where such
    # guesses did no better some months ago than the last visit's category or the most frequent one
    next_categories: Annotated[pd.DataFrame, Columns("category chance")]
    # how such recommendations would have done some months ago, over the whole chain: customers, hit_rate (bought at
    # least one of the first so many for the first time since), coverage (of the range), and the same of best sellers;
    # next_customers, next_hit_rate, next_last_hit_rate, next_popular_hit_rate: how often the category was guessed
    check: Annotated[pd.DataFrame, Columns("key value")]


class _Events(NamedTuple):
    """What happened besides trade, as the queries of these names give it."""

    contacts: pd.DataFrame
    tickets: pd.DataFrame
    calls: pd.DataFrame
    appointments: pd.DataFrame
    tier_changes: pd.DataFrame
    points: pd.DataFrame


def customer(
    snapshot: Snapshot,
    scope: Scope,
    customer_key: str,
    worth: ValueReport | None = None,
    learnt: Learnt | None = None,
) -> CustomerReport:
    """One customer of the stores in scope; Problem when there is none by that key.

    worth, learnt: what the models know of the customers of this scope on the last day, where somebody has it already.
    """
    engine, last_day = snapshot.engine, snapshot.info.last_day
    profile = queries.profile(scope, engine, customer_key)
    trade = queries.timeline(scope, engine, customer_key)
    if profile.empty and trade.empty:
        raise Problem(f"there is no customer {customer_key!r} in your scope: open one from a list of customers")
    lines = queries.lines(scope, engine, customer_key)
    bought = trade[trade["kind"] == "purchase"]
    events = _Events(*(getattr(queries, name)(scope, engine, customer_key) for name in _Events._fields))
    header = _header(customer_key, profile, _groups(snapshot, scope, customer_key), bought)
    found = _found(snapshot, scope, lines)
    coupons = _coupons(snapshot, scope, events.contacts)
    frames = select_columns(
        CustomerReport,
        header=header,
        kpis=metrics.kpis(KPIS, _sums(trade, bought, last_day)).drop(columns=["previous", "last_year"]),
        timeline=_timeline(trade, lines, events, profile["time_zone"].iloc[0] if len(profile) else None),
        habits=_habits(bought, lines),
        consents=queries.consents(scope, engine, customer_key),
        favourites=habits.favourites(lines, DIMENSIONS, FAVOURITES),
        expectations=_expectations(snapshot, scope, customer_key, worth, visited=len(bought) > 0),
        run_outs=_run_outs(snapshot, scope, customer_key, learnt),
        standing=_standing(snapshot, scope, customer_key, trade),
        coupons=coupons,
        tags=queries.tags(scope, engine, customer_key),
        recommendations=_recommendations(snapshot, scope, found, header.iloc[0], lines, trade),
        next_categories=_next_categories(found, lines),
        check=_NO_CHECK if found is None else found.check,
    )
    return CustomerReport(snapshot.info.currency, **frames)


def _expectations(
    snapshot: Snapshot, scope: Scope, customer_key: str, worth: ValueReport | None, *, visited: bool
) -> pd.DataFrame:
    """What the models of the scope's customers say of this one."""
    last_day, nothing = snapshot.info.last_day, (np.nan, np.nan, np.nan)
    found = dict.fromkeys(EXPECTATIONS, nothing)
    why = NO_VISIT
    if last_day is not None:
        worth = worth or models_of_day(snapshot, scope, last_day)
        seen = outlook(snapshot, scope, worth, customer_key) if worth.has_forecast else None
        if seen is not None:
            shares = [(share, np.nan, np.nan) for share in (seen.probability_active, *seen.chances)]
            figures = (seen.next_visit_days, shares[0], seen.expected_value, *shares[1:])
            found = dict(zip(EXPECTATIONS, figures, strict=True))
        if seen is not None or (visited and not worth.has_forecast):
            why = NO_MODEL
    rows = [(key, *found[key], why if np.isnan(found[key][0]) else None) for key in EXPECTATIONS]
    return pd.DataFrame(rows, columns=["key", "value", "lo", "hi", "why"])


def _run_outs(snapshot: Snapshot, scope: Scope, customer_key: str, learnt: Learnt | None) -> pd.DataFrame:
    last_day, number = snapshot.info.last_day, number_of(customer_key)
    if last_day is not None and number is not None:
        learnt = learnt or run_out.learn(snapshot, scope, last_day)
        if learnt is not None:
            return run_out.of_customer(snapshot, scope, learnt, last_day, number)
    return pd.DataFrame(columns=declared_tables(CustomerReport)["run_outs"])


def _standing(snapshot: Snapshot, scope: Scope, customer_key: str, trade: pd.DataFrame) -> pd.DataFrame:
    """The tier, the points, and how far the next tier is by what was bought here."""
    found = queries.standing(scope, snapshot.engine, customer_key)
    tiers = queries.tiers(scope, snapshot.engine)
    rank = {tier: at for at, tier in enumerate(tiers["tier_id"])}
    if found.empty or found.iloc[0].isna().all() or snapshot.info.last_day is None:
        return pd.DataFrame(columns=declared_tables(CustomerReport)["standing"])
    tier, balance = found["tier_id"].iloc[0], found["points_balance"].iloc[0]
    row: dict[str, Any] = {"tier": None, "points_balance": balance, "is_exact": scope.kind == "chain"}
    if tier in rank:
        row["tier"] = tiers["tier"].iloc[rank[tier]]
        above = tiers.iloc[rank[tier] + 1 : rank[tier] + 2]
        if len(above) and above["basis"].iloc[0] == "net_sales" and above["window_months"].notna().all():
            aim = above.iloc[0]
            ends = pd.Timestamp(snapshot.info.last_day) + pd.Timedelta(days=1)
            recent = trade[trade["happened_at"] >= ends - pd.DateOffset(months=int(aim["window_months"]))]
            spent = float((recent["amount"] * np.where(recent["kind"] == "purchase", 1, -1)).sum())
            row |= {"next_tier": aim["tier"], "spent": spent, "gap": max(float(aim["threshold"]) - spent, 0.0)}
            row |= {name: aim[name] for name in ("threshold", "window_months", "review_month")}
    return pd.DataFrame([row], columns=declared_tables(CustomerReport)["standing"])


def _coupons(snapshot: Snapshot, scope: Scope, contacts: pd.DataFrame) -> pd.DataFrame:
    """The coupons that were claimed, not spent, and still hold, by campaign."""
    unspent = contacts.loc[contacts["claimed_at"].notna() & contacts["redeemed_at"].isna(), "campaign_id"]
    if unspent.empty:
        return pd.DataFrame(columns=declared_tables(CustomerReport)["coupons"])
    found = queries.coupons(scope, snapshot.engine, unspent.tolist())
    last_day = snapshot.info.last_day
    return found[found["valid_to"] >= pd.Timestamp(last_day)] if last_day else found


def _found(snapshot: Snapshot, scope: Scope, lines: pd.DataFrame) -> Known | None:
    """What a batch found of the products a customer bought; None before one has looked, or without any."""
    last_day = snapshot.info.last_day
    if snapshot.results is None or last_day is None or info_of(snapshot, _JOB) is None or lines.empty:
        return None
    month = (last_day + timedelta(days=run_out.AHEAD)).month
    return affinity_queries.known(scope, snapshot.results, set(lines["product_id"]), month)


_NO_CHECK = pd.DataFrame(columns=declared_tables(CustomerReport)["check"])


def _next_categories(found: Known | None, lines: pd.DataFrame) -> pd.DataFrame:
    """What the next visit will mostly be for, where such guesses did better than simpler ones."""
    nothing = pd.DataFrame(columns=declared_tables(CustomerReport)["next_categories"])
    held = {} if found is None else dict(zip(found.check["key"], found.check["value"], strict=True))
    simpler = max(held.get("next_last_hit_rate", 1.0), held.get("next_popular_hit_rate", 1.0))
    if found is None or held.get("next_hit_rate", 0.0) <= simpler:
        return nothing
    follows = found.follows.pivot(index="category", columns="next_category", values="share")
    spent = lines[lines["category"].isin(follows.index)].groupby(["day", "category"])["net"].sum()
    mostly = spent.reset_index().sort_values(["day", "net", "category"]).groupby("day")["category"].last()
    if mostly.empty:
        return nothing
    habit = Habit(follows.to_numpy(), held["next_weight"])
    counts = np.asarray(mostly.value_counts().reindex(follows.index, fill_value=0), dtype=np.float64)
    last = np.flatnonzero(follows.index == mostly.iloc[-1]).astype(np.int64)
    chances = habit.chances(counts[None, :], last)[0]
    rows = pd.DataFrame({"category": follows.index.to_numpy(object), "chance": chances})
    return rows.sort_values("chance", ascending=False, kind="stable", ignore_index=True).head(LIKELIEST)


def _recommendations(
    snapshot: Snapshot, scope: Scope, known: Known | None, who: pd.Series, lines: pd.DataFrame, trade: pd.DataFrame
) -> pd.DataFrame:
    """What to offer; nothing before a batch has looked for pairs of products.

    Ranked by the sum, over what was bought, of the share of its buyers who bought the other too, times the season.
    """
    nothing = pd.DataFrame(columns=declared_tables(CustomerReport)["recommendations"])
    if known is None:
        return nothing
    owned = set(lines["product_id"])
    store_id = who["store_id"] if isinstance(who["store_id"], str) else trade["store_id"].iloc[0]
    held = queries.in_stock(scope, snapshot.engine, store_id).merge(known.seasons, on="need", how="left")
    held = held[~held["product_id"].isin(owned) & ~(held["season"] < _OUT_OF_SEASON)].set_index("product_id")
    pairs = known.pairs[known.pairs["also_id"].isin(held.index)]
    if pairs.empty:
        return nothing
    pairs = pairs.assign(share=pairs["both"] / pairs["buyers"], lift=pairs["both"] / pairs["expected"])
    season = held["season"].fillna(1.0)
    score = pairs.groupby("also_id")["share"].sum() * season.reindex(pairs["also_id"].unique())
    best: list[str] = []
    for product_id in score.sort_index().sort_values(ascending=False, kind="stable").index:
        if _suits(held.at[product_id, "attributes"], who["skin_type"]) is not False:
            best.append(product_id)
        if len(best) == RECOMMENDED:
            break
    ranked = pairs.sort_values(["share", "product_id"], ascending=[False, True], kind="stable")
    strongest = ranked.drop_duplicates("also_id").set_index("also_id").loc[best]
    names = lines.drop_duplicates("product_id").set_index("product_id")["product"]
    stores = trade.loc[trade["store_id"] == store_id, "store"]
    found = held.loc[best, ["product", "category", "list_price", "season"]].assign(
        product_id=best,
        because=names.reindex(strongest["product_id"]).to_numpy(),
        **{name: strongest[name] for name in ("both", "buyers", "share", "lift", "lift_low")},
        suits_skin=held.loc[best, "attributes"].map(lambda made_for: _suits(made_for, who["skin_type"])).astype(object),
        store_id=store_id,
        store=who["store"] if isinstance(who["store"], str) else stores.iloc[0],
        in_stock=held.loc[best, "units"],
    )
    return found.reset_index(drop=True)


def _suits(attributes: object, skin_type: object) -> bool | None:
    """Whether a product is made for a type of skin; None where one of the two is not known."""
    if not isinstance(attributes, str) or not isinstance(skin_type, str):
        return None
    try:
        made_for = json.loads(attributes).get("skin_types")
    except (ValueError, AttributeError):
        return None  # attributes are free text of the CRM
    return skin_type in made_for if isinstance(made_for, list) and made_for else None


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


def _timeline(trade: pd.DataFrame, lines: pd.DataFrame, events: _Events, zone: object) -> pd.DataFrame:
    """Everything in one table, the newest first."""
    held: dict[str, list[tuple[str, str]]] = {}  # order -> product and channel of its lines, the dearest first
    for order_id, product, channel in zip(lines["order_id"], lines["product"], lines["channel"], strict=True):
        held.setdefault(order_id, []).append((product, channel))
    of_order = events.points.groupby("order_id")["points"].sum()
    rows: list[dict[str, Any]] = []
    for row in trade.to_dict("records"):
        inside = held.get(row["order_id"]) if row["kind"] == "purchase" else None
        more = {"text": inside[0][0], "more": len(inside) - 1, "channel": inside[0][1]} if inside else {}
        if row["kind"] == "purchase":
            more["points"] = of_order.get(row["order_id"])
        rows.append({"at": row["happened_at"], **{str(name): value for name, value in row.items()}, **more})
    rows += [*_campaign_rows(events.contacts), *_service_rows(events)]
    rows += _loyalty_rows(events, set(trade["order_id"]), zone)
    rows.sort(key=lambda row: row["at"], reverse=True)
    return pd.DataFrame(rows, columns=list(_TIMELINE)).astype({"at": "datetime64[us]"})


def _campaign_rows(contacts: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in contacts.to_dict("records"):
        same = {"text": row["campaign"], **{name: row[name] for name in ("store_id", "campaign_id", "channel")}}
        for column, kind in _STEPS.items():
            if not pd.isna(row[column]):
                yield {"at": _local(row[column], row["time_zone"]), "kind": kind, **same}


def _service_rows(events: _Events) -> Iterator[dict[str, Any]]:
    for row in events.tickets.to_dict("records"):
        said = {"text": row["reason"], "detail": row["product"], "channel": row["channel"]}
        kind = "complaint" if row["is_complaint"] else "ticket"
        yield {"at": _local(row["opened_at"], row["time_zone"]), "kind": kind, **said, **_place(row)}
    for row in events.calls.to_dict("records"):
        said = {"text": row["rule"], "detail": row["outcome"], "channel": row["channel"]}
        yield {"at": _local(row["done_at"], row["time_zone"]), "kind": "call", **said, **_place(row)}
    for row in events.appointments.to_dict("records"):
        said = {"text": row["service"], "detail": row["status"]}
        yield {"at": row["starts_at"], "kind": "appointment", **said, **_place(row)}


def _loyalty_rows(events: _Events, orders: set[str], zone: object) -> Iterator[dict[str, Any]]:
    for row in events.points[~events.points["order_id"].isin(orders)].to_dict("records"):
        kind = _POINTS.get(row["kind"], "points_adjusted")
        yield {"at": _local(row["booked_at"], zone), "kind": kind, "points": row["points"]}
    for row in events.tier_changes.to_dict("records"):
        kind = {"upgrade": "tier_up", "downgrade": "tier_down"}.get(row["reason"], "tier")
        yield {"at": _local(row["changed_at"], zone), "kind": kind, "text": row["tier"]}


def _place(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("store_id", "store")}


def _local(utc: pd.Timestamp, zone: object) -> pd.Timestamp:
    named = ZoneInfo(zone) if isinstance(zone, str) else ZoneInfo("UTC")
    return utc.tz_localize("UTC").tz_convert(named).tz_localize(None)


def _habits(bought: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    gross, discount = float(lines["net"].sum()), float(lines["discount"].sum(min_count=1))  # NaN: nobody noted any
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
