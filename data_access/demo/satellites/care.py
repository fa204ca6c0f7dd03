"""Planned contacts after a purchase (3 days, 3 weeks, 3 months) and booked services."""

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
    only,
    pick,
    seconds,
)
from data_access.demo.world import LOCAL, ids

_AFTER = {"d3": 3, "w3": 21, "m3": 91}
_DONE_SHARE = {"d3": 0.82, "w3": 0.68, "m3": 0.5, "birthday": 0.85, "lapse": 0.55}
_OUTCOMES = ("reached", "no_answer", "promised_visit", "declined", "complaint")
_OUTCOME_WEIGHTS = (0.5, 0.27, 0.14, 0.07, 0.02)
_FIRST_SHARE, _REPEAT_SHARE = 0.7, 0.13
_LAPSE_DAYS = 180
_LEAD_DAYS, _NO_SHOW, _CANCELLED, _CARE_SHARE = 4.5, 0.08, 0.09, 0.06


def follow_up(g: Ground, rng: np.random.Generator, consent: pd.DataFrame) -> pd.DataFrame:
    """One row per planned contact. The owner of the customer makes it, else the seller, else somebody of the store.

    Nobody is contacted after withdrawing the consent to service calls: the row stays undone.
    """
    frame = pd.concat([_after_purchase(g, rng), _birthdays(g, rng), _lapses(g, rng)], ignore_index=True)
    customer, due = frame["customer"].to_numpy(), days(frame["due"])
    staff = _caller(g, rng, customer, frame["seller"].to_numpy(), frame["store"].to_numpy(), due)
    diligence = np.append(rng.beta(8, 3, len(g.staff)) / (8 / 11), 0.0)
    planned = frame["rule"].to_numpy(dtype=object)
    chance = frame["rule"].map(_DONE_SHARE).to_numpy() * diligence[staff]
    done_on = due + np.where(rng.random(len(frame)) < 0.7, 0, rng.geometric(0.25, len(frame))) * DAY
    done = at_local(done_on, _calling_time(rng, len(frame)))
    reachable = done < _withdrawn(g, consent)[customer]
    made = (rng.random(len(frame)) < chance) & (done <= g.end) & g.employed(staff, done_on) & reachable
    done[~made] = np.datetime64("NaT")
    outcome = pick(rng, _OUTCOMES, len(frame), _OUTCOME_WEIGHTS)
    made_at = frame["made"].to_numpy().astype("datetime64[s]")
    result = pd.DataFrame(
        {
            "customer_id": g.label("customers", customer),
            "rule": planned,
            "due_on": due,
            "staff_id": g.label("staff", staff),
            "channel": pick(rng, ("phone", "wechat"), len(frame), (0.62, 0.38)),
            "done_at": done,
            "outcome": only(made, outcome),
            "updated_at": np.where(made, done, made_at),
        }
    ).sort_values(["due_on", "customer_id", "rule"], kind="stable", ignore_index=True)
    result.insert(0, "follow_up_id", ids("FU", len(result), 6))
    return result


def _calling_time(rng: np.random.Generator, count: int) -> Array:
    """Seconds after midnight: calls cluster late in the morning and early in the evening."""
    morning = rng.random(count) < 0.45
    return np.where(morning, rng.normal(11 * 3600, 2400, count), rng.normal(18.2 * 3600, 4000, count)).astype(int)


def _after_purchase(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    person = np.append(g.customers["person"].to_numpy(), False)
    known = g.orders[person[g.orders["customer"].to_numpy()]]
    first = ~known.duplicated("customer").to_numpy()
    chosen = known[rng.random(len(known)) < np.where(first, _FIRST_SHARE, _REPEAT_SHARE)]
    parts = [
        pd.DataFrame(
            {
                "customer": chosen["customer"],
                "rule": rule,
                "due": days(chosen["day"]) + after * DAY,
                "seller": chosen["staff"],
                "store": chosen["store"],
                "made": chosen["at"],
            }
        )
        for rule, after in _AFTER.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _occasions(g: Ground, rule: str, customer: Array, due: Array, made: Array) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer": customer,
            "rule": rule,
            "due": due,
            "seller": -1,
            "store": g.customers["home"].to_numpy()[customer],
            "made": made,
        }
    )


def _birthdays(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """Birthdays of the last year and the next two weeks, for customers with an owner."""
    owned = np.flatnonzero((g.customers["owner"].to_numpy() >= 0) & g.customers["birthday"].notna().to_numpy())
    owned = owned[rng.random(len(owned)) < 0.5]
    birthday = days(g.customers["birthday"])[owned]
    offset = birthday - birthday.astype("datetime64[Y]").astype("datetime64[D]")
    year = (g.last_day + 14 * DAY).astype("datetime64[Y]")
    due = year.astype("datetime64[D]") + offset
    due = np.where(due > g.last_day + 14 * DAY, (year - 1).astype("datetime64[D]") + offset, due)
    fits = due > np.maximum(days(g.customers["joined"])[owned] + 30 * DAY, g.first_day)
    made = at_local(np.minimum(due[fits] - 14 * DAY, g.last_day), 6 * 3600)
    return _occasions(g, "birthday", owned[fits], due[fits], made)


def _lapses(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """Half a year after the last receipt, for a share of those who did not come back before."""
    last = g.orders[g.orders["customer"] >= 0].drop_duplicates("customer", keep="last")
    due = days(last["day"]) + _LAPSE_DAYS * DAY
    fits = (due <= g.last_day) & (rng.random(len(last)) < 0.35)
    return _occasions(g, "lapse", last["customer"].to_numpy()[fits], due[fits], at_local(due[fits] - DAY, 6 * 3600))


def _caller(g: Ground, rng: np.random.Generator, customer: Array, seller: Array, store: Array, due: Array) -> Array:
    owner = g.customers["owner"].to_numpy()[customer]
    today = np.minimum(due, g.last_day)
    staff = np.where(g.employed(owner, today), owner, seller)
    staff = np.where(g.employed(staff, today), staff, -1)
    alone = np.flatnonzero((staff < 0) & (store >= 0))
    staff[alone] = g.person_at(rng, store[alone], today[alone])
    return staff


def _withdrawn(g: Ground, consent: pd.DataFrame) -> Array:
    """When each customer withdrew the consent to service calls; far in the future where not."""
    rows = consent[(consent["purpose"] == "service") & consent["withdrawn_at"].notna()]
    at = np.full(len(g.customers), np.datetime64("2200-01-01", "s"))
    at[pd.Index(g.customers["customer_id"]).get_indexer(rows["customer_id"])] = instants(rows["withdrawn_at"])
    return at


def appointment(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per booking: services sold or given to members, those missed or cancelled, and the coming two weeks.

    The longer ahead a service is booked, the more often the customer does not come.
    """
    served = _served(g, rng)
    parts = [served, _missed(g, rng, served), _coming(g, rng, served), _member_care(g, rng)]
    frame = pd.concat(parts, ignore_index=True)
    count = len(frame)
    starts, status = instants(frame["starts"]), frame["status"].to_numpy(dtype=object)
    booked = starts - seconds(frame["lead"].to_numpy() * 86_400)
    booked = np.where(booked > g.end, g.end - seconds(rng.integers(60, 86_400, count)), booked)
    came, cancelled = status == "served", status == "cancelled"
    arrived = starts + seconds(rng.normal(-120, 420, count))
    begun = np.maximum(arrived, starts) + seconds(rng.exponential(360, count))
    changed = np.where(came, begun, np.where(status == "no_show", starts + seconds(1800), booked))
    early = seconds((starts - booked).astype("int64") * rng.random(count))
    changed[cancelled] = (booked + early)[cancelled]
    nothing = np.datetime64("NaT", "s")
    result = pd.DataFrame(
        {
            "customer_id": g.label("customers", frame["customer"].to_numpy()),
            "store_id": g.label("stores", frame["store"].to_numpy()),
            "staff_id": g.label("staff", _beautician(g, rng, frame)),
            "product_id": g.label("products", frame["product"].to_numpy()),
            "booked_at": booked,
            "starts_at": starts,
            "arrived_at": np.where(came, arrived, nothing),
            "served_at": np.where(came, begun, nothing),
            "status": status,
            "updated_at": np.minimum(changed, g.end),
        }
    ).sort_values(["starts_at", "store_id"], kind="stable", ignore_index=True)
    result.insert(0, "appointment_id", ids("AP", len(result), 6))
    return result


def _served(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """Most service lines on receipts of known customers were booked; the receipt is written after the service."""
    services = np.flatnonzero((g.products["kind"] == "service").to_numpy())
    rows = g.lines[g.lines["product"].isin(services)].drop_duplicates("order")
    order = rows["order"].to_numpy()
    booked = (g.orders["customer"].to_numpy()[order] >= 0) & (rng.random(len(order)) < 0.8)
    rows, order = rows[booked], order[booked]
    starts = g.orders["at"].to_numpy()[order] - seconds(rng.integers(50 * 60, 100 * 60, len(order)))
    return pd.DataFrame(
        {
            "customer": g.orders["customer"].to_numpy()[order],
            "store": g.orders["store"].to_numpy()[order],
            "staff": g.orders["staff"].to_numpy()[order],
            "product": rows["product"].to_numpy(),
            "starts": _quarter(starts),
            "lead": rng.exponential(_LEAD_DAYS, len(order)).clip(0.1, 30),
            "status": "served",
        }
    )


def _quarter(at: Array) -> Array:
    """Appointments begin on the quarter of an hour."""
    return (at.astype("datetime64[s]").astype("int64") // 900 * 900).astype("datetime64[s]")


def _missed(g: Ground, rng: np.random.Generator, served: pd.DataFrame) -> pd.DataFrame:
    """Bookings that did not end in a service, like the served ones but on other days."""
    count = int(len(served) * (_NO_SHOW + _CANCELLED) / (1 - _NO_SHOW - _CANCELLED)) + 2
    like = served.iloc[rng.integers(0, len(served), count)]
    no_show = rng.random(count) < _NO_SHOW / (_NO_SHOW + _CANCELLED)
    lead = np.where(no_show, rng.gamma(2, _LEAD_DAYS, count), rng.exponential(_LEAD_DAYS, count))
    starts = instants(like["starts"]) + rng.integers(-20, 21, count) * DAY
    starts = np.clip(starts, at_local(g.first_day + DAY, 11 * 3600), at_local(g.last_day - DAY, 19 * 3600))
    status = np.where(no_show, "no_show", "cancelled").astype(object)
    missed = like.assign(starts=_quarter(starts), lead=lead.clip(0.1, 45), status=status, staff=-1)
    return missed[_open(g, missed["store"].to_numpy(), local_day(starts))]


def _member_care(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """Free treatments that members book at the till for one of the next two weeks; no receipt follows them."""
    orders, services = g.orders, np.flatnonzero((g.products["kind"] == "service").to_numpy())
    known = np.flatnonzero((orders["customer"].to_numpy() >= 0) & ~orders["online"].to_numpy())
    order = known[rng.random(len(known)) < _CARE_SHARE]
    count = len(order)
    ahead = rng.integers(1, 15, count)
    day = orders["day"].to_numpy().astype("datetime64[D]")[order] + ahead * DAY
    starts = _quarter(at_local(day, rng.integers(11 * 3600, 20 * 3600, count)))
    fate = rng.random(count)
    no_show = fate < 0.02 + 0.008 * ahead
    status = np.select([starts > g.end, no_show, fate > 1 - _CANCELLED], ["booked", "no_show", "cancelled"], "served")
    frame = pd.DataFrame(
        {
            "customer": orders["customer"].to_numpy()[order],
            "store": orders["store"].to_numpy()[order],
            "staff": -1,
            "product": rng.choice(services, count),
            "starts": starts,
            "lead": (starts - orders["at"].to_numpy()[order]).astype("int64") / 86_400,
            "status": status.astype(object),
        }
    )
    return frame[_open(g, frame["store"].to_numpy(), day)]


def _open(g: Ground, store: Array, day: Array) -> Array:
    """Whether each store received customers on each day."""
    closures = g.core["store_closure"]
    shut = pd.MultiIndex.from_arrays([closures["store_id"], days(closures["day"])])
    asked = pd.MultiIndex.from_arrays([g.label("stores", store), day])
    there = days(g.stores["opened_on"])[store] <= day
    return np.asarray(there & ~asked.isin(shut))


def _coming(g: Ground, rng: np.random.Generator, served: pd.DataFrame) -> pd.DataFrame:
    """What is booked for the coming two weeks: as many as were served in the last two, thinning out."""
    starts = instants(served["starts"])
    recent = np.flatnonzero(starts > g.end - 28 * DAY)
    recent = recent if len(recent) >= 6 else np.arange(max(0, len(served) - 6), len(served))
    like = served.iloc[recent]
    ahead = np.minimum(rng.geometric(0.18, len(like)), 14)
    second_of_day = (starts[recent] + LOCAL).astype("int64") % 86_400
    coming = at_local(g.last_day + ahead * DAY, second_of_day)
    lead = ahead + rng.exponential(_LEAD_DAYS, len(like))
    return like.assign(starts=_quarter(coming), lead=lead, status="booked", staff=-1)


def _beautician(g: Ground, rng: np.random.Generator, frame: pd.DataFrame) -> Array:
    """Who serves: the seller on the receipt, else a beautician of the store, else anybody there."""
    staff, store = frame["staff"].to_numpy().copy(), frame["store"].to_numpy()
    day = np.minimum(local_day(instants(frame["starts"])), g.last_day)
    for roles in (("beautician",), ()):
        free = np.flatnonzero(staff < 0)
        staff[free] = g.person_at(rng, store[free], day[free], roles)
    return staff
