"""Points and stored value: bookings whose balance never falls below zero."""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import (
    DAY,
    Array,
    Ground,
    at_local,
    days,
    instants,
    local_day,
    rounds,
)
from data_access.demo.world import ids

VALID_DAYS = 730
_BURN_STEP = 100
_RULES = (  # kind, points per yuan of net sales or per occasion
    ("purchase", 1.0),
    ("activity", 50.0),
    ("referral", 200.0),
    ("birthday", 100.0),
)
_TOP_UPS = (500, 1_000, 2_000, 5_000)
_EARN, _TAKE_BACK, _BURN, _EXPIRE = range(4)


def points_rule(g: Ground) -> pd.DataFrame:
    """One row per rule; a point is worth 0.02 yuan when redeemed."""
    return pd.DataFrame(
        {
            "rule_id": [f"points-{kind}" for kind, _ in _RULES],
            "kind": [kind for kind, _ in _RULES],
            "points_per_unit": [points for _, points in _RULES],
            "value_per_point": 0.02,
            "expires_after_days": VALID_DAYS,
            "updated_at": at_local(g.first_day - 60 * DAY, 10 * 3600),
        }
    )


def points_entry(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per booking: earned on net sales and occasions, taken back on returns, burnt, expired.

    Points are used oldest first; what is left of a booking expires ``VALID_DAYS`` after it.
    """
    earned = pd.concat([_purchases(g), _activities(g), _referrals(g), _birthdays(g, rng)], ignore_index=True)
    earned = earned.loc[(earned["points"] > 0) & (instants(earned["at"]) <= g.end)]
    earned = earned.sort_values(["customer", "at"], kind="stable", ignore_index=True)
    expires = local_day(instants(earned["at"])) + VALID_DAYS * DAY
    cumulated = earned.groupby("customer")["points"].cumsum()
    # An expiry books whatever is left of everything earned up to the booking that expires.
    expiries = earned.assign(at=at_local(expires, 23 * 3600), what=_EXPIRE, points=cumulated, order=-1, campaign=None)
    passed: Array = np.asarray(expires <= g.last_day)
    due = expiries.loc[passed]
    events = pd.concat([earned.assign(what=_EARN), due, _taken_back(g), _burns(g, rng)], ignore_index=True)
    order = np.lexsort((events["what"], instants(events["at"]), events["customer"]))
    events = events.iloc[order].reset_index(drop=True)
    events["booked"] = _run(events["customer"].to_numpy(), events["what"].to_numpy(), events["points"].to_numpy())
    events = events[events["booked"] != 0].sort_values("at", kind="stable", ignore_index=True)

    what, at = events["what"].to_numpy(), instants(events["at"])
    expires_on = local_day(at) + VALID_DAYS * DAY
    expires_on[what != _EARN] = np.datetime64("NaT")
    return pd.DataFrame(
        {
            "entry_id": ids("PE", len(events), 7),
            "customer_id": g.label("customers", events["customer"].to_numpy()),
            "booked_at": at,
            "points": events["booked"].to_numpy(),
            "kind": np.array(["earn", "adjust", "burn", "expire"], dtype=object)[what],
            "campaign_id": events["campaign"].to_numpy(dtype=object),
            "order_id": g.label("orders", events["order"].to_numpy().astype(int)),
            "expires_on": expires_on,
            "updated_at": at,
        }
    )


def _run(customer: Array, what: Array, points: Array) -> Array:
    """The points booked by each event; sorted by customer and time, an expiry carries the points earned so far."""
    starts = np.r_[True, customer[1:] != customer[:-1]] if len(customer) else np.zeros(0, dtype=bool)
    owner = np.cumsum(starts) - 1
    got = np.zeros(int(owner[-1]) + 1 if len(owner) else 0)
    used, booked = got.copy(), np.zeros(len(customer))
    for rows in rounds(owner):
        who, kind, value = owner[rows], what[rows], points[rows]
        balance = got[who] - used[who]
        share = np.floor(balance * value / _BURN_STEP) * _BURN_STEP
        loss = np.select(
            [kind == _TAKE_BACK, kind == _BURN, kind == _EXPIRE],
            [np.minimum(value, balance), share, np.maximum(value - used[who], 0)],
            0.0,
        )
        gain = np.where(kind == _EARN, value, 0.0)
        got[who] += gain
        used[who] += loss
        booked[rows] = gain - loss
    return booked.astype(int)


def _bookings(customer: Array, at: Array, points: Array, order: Array | int = -1) -> pd.DataFrame:
    return pd.DataFrame({"customer": customer, "at": at, "points": points, "order": order, "campaign": None})


def _members(g: Ground) -> pd.DataFrame:
    """Receipts of known persons."""
    person = np.append(g.customers["person"].to_numpy(), False)
    return g.orders[person[g.orders["customer"].to_numpy()]]


def _purchases(g: Ground) -> pd.DataFrame:
    bought = _members(g)
    points = np.floor(bought["net"].to_numpy() * _RULES[0][1])
    return _bookings(bought["customer"].to_numpy(), bought["at"].to_numpy(), points, bought.index.to_numpy())


def _activities(g: Ground) -> pd.DataFrame:
    events = g.core["campaign_event"]
    came = events[events["kind"] == "attended"]
    customer = pd.Index(g.customers["customer_id"]).get_indexer(came["customer_id"].to_numpy())
    frame = _bookings(customer, instants(came["occurred_at"]), np.full(len(came), _RULES[1][1]))
    frame["campaign"] = came["campaign_id"].to_numpy(dtype=object)
    return frame[customer >= 0]


def _referrals(g: Ground) -> pd.DataFrame:
    """The referrer earns on the first receipt of the referred customer."""
    first = _members(g).drop_duplicates("customer")
    referrer = g.customers["referrer"].to_numpy()[first["customer"].to_numpy()]
    at = first["at"].to_numpy() + np.timedelta64(30, "m")
    return _bookings(referrer, at, np.full(len(first), _RULES[2][1]))[referrer >= 0]


def _birthdays(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """On birthdays that follow a receipt within 90 days; not every birthday gift is collected."""
    bought = _members(g)
    customer, day = bought["customer"].to_numpy(), bought["day"].to_numpy().astype("datetime64[D]")
    birthday = days(g.customers["birthday"])[customer]
    offset = birthday - birthday.astype("datetime64[Y]").astype("datetime64[D]")
    next_one = day.astype("datetime64[Y]").astype("datetime64[D]") + offset
    following = (day.astype("datetime64[Y]") + 1).astype("datetime64[D]") + offset
    next_one = np.where(next_one > day, next_one, following)
    near = next_one - day <= 90 * DAY
    frame = _bookings(customer[near], at_local(next_one[near], 9 * 3600), np.full(int(near.sum()), _RULES[3][1]))
    frame = frame.drop_duplicates(["customer", "at"])
    return frame[rng.random(len(frame)) < 0.7]


def _taken_back(g: Ground) -> pd.DataFrame:
    person = np.append(g.customers["person"].to_numpy(), False)
    back = g.refunds[person[g.refunds["customer"].to_numpy()] & (g.refunds["at"].to_numpy() <= g.end)]
    points = np.floor(back["refund"].to_numpy())
    frame = _bookings(back["customer"].to_numpy(), back["at"].to_numpy(), points, back["order"].to_numpy())
    return frame.assign(what=_TAKE_BACK)


def _burns(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """At some receipts a customer redeems part of the balance; ``points`` is that share of it."""
    bought = _members(g)
    chosen = bought.iloc[g.share(rng, len(bought), 0.16)]
    at = chosen["at"].to_numpy() + np.timedelta64(1, "s")
    part = rng.choice([0.3, 0.5, 0.8, 1.0], len(chosen), p=[0.35, 0.3, 0.2, 0.15])
    return _bookings(chosen["customer"].to_numpy(), at, part, chosen.index.to_numpy()).assign(what=_BURN)


def stored_value_entry(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per booking: top-ups in a shop, spending on receipts until the balance is empty, refunds on returns."""
    bought = _members(g)
    buyers = np.unique(bought["customer"].to_numpy())
    chosen = np.zeros(len(g.customers), dtype=bool)
    chosen[buyers[rng.random(len(buyers)) < 0.06]] = True
    chosen[buyers[:1]] = True  # a chain has at least one
    bought = bought[chosen[bought["customer"].to_numpy()]]
    first = ~bought.duplicated("customer").to_numpy()
    tops_up = first | (rng.random(len(bought)) < 0.08)
    top_ups = bought[tops_up]
    paid = pd.DataFrame(
        {
            "customer": top_ups["customer"].to_numpy(),
            "at": top_ups["at"].to_numpy() - np.timedelta64(5, "m"),
            "amount": rng.choice(_TOP_UPS, len(top_ups), p=[0.3, 0.4, 0.22, 0.08]).astype(float),
            "order": -1,
        }
    )
    due = pd.DataFrame(
        {
            "customer": bought["customer"].to_numpy(),
            "at": bought["at"].to_numpy(),
            "amount": -bought["paid"].to_numpy(),
            "order": bought.index.to_numpy(),
        }
    )
    events = pd.concat([paid, due], ignore_index=True).sort_values(["customer", "at"], kind="stable", ignore_index=True)
    events["booked"] = _spend(events["customer"].to_numpy(), events["amount"].to_numpy())
    spent = events[(events["booked"] < 0) & (events["order"] >= 0)].set_index("order")["booked"]
    back = g.refunds[g.refunds["order"].isin(spent.index) & (g.refunds["at"].to_numpy() <= g.end)]
    back = back.groupby("order", as_index=False).agg({"at": "max", "refund": "sum", "customer": "first"})
    back["customer"] = g.orders["customer"].to_numpy()[back["order"].to_numpy()]
    # Refunds are booked without tax; the money that goes back includes it.
    taxed = g.orders["paid"].to_numpy()[back["order"]] / g.orders["net"].to_numpy()[back["order"]]
    back["booked"] = np.minimum(back["refund"] * taxed, -spent.loc[back["order"]].to_numpy()).round(2)
    frame = pd.concat([events, back.assign(amount=np.nan)], ignore_index=True)
    frame = frame[frame["booked"] != 0].sort_values("at", kind="stable", ignore_index=True)
    order, booked = frame["order"].to_numpy().astype(int), frame["booked"].to_numpy()
    return pd.DataFrame(
        {
            "entry_id": ids("SV", len(frame), 6),
            "customer_id": g.label("customers", frame["customer"].to_numpy()),
            "booked_at": instants(frame["at"]),
            "amount": booked,
            "kind": np.select([order < 0, booked < 0], ["top_up", "spend"], "refund").astype(object),
            "order_id": g.label("orders", order),
            "currency": str(g.stores["currency"].iloc[0]),
            "updated_at": instants(frame["at"]),
        }
    )


def _spend(customer: Array, amount: Array) -> Array:
    """Top-ups as they are, payments cut to the balance; rows sorted by customer and time."""
    owner = np.cumsum(np.r_[True, customer[1:] != customer[:-1]]) - 1
    balance, booked = np.zeros(int(owner[-1]) + 1), np.zeros(len(customer))
    for rows in rounds(owner):
        booked[rows] = np.maximum(amount[rows], -balance[owner[rows]])
        balance[owner[rows]] += booked[rows]
    return booked.round(2)
