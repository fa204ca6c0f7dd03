"""Receipts: when each customer buys, where, and who serves her."""

import numpy as np
import pandas as pd

from data_access.demo import calendar as hours
from data_access.demo.calendar import Calendar
from data_access.demo.places import SKILL_CEILING
from data_access.demo.world import LOCAL, Array, People, Places, Scale, Team, dates, label, stream

CHANNELS = np.array(["store", "wechat_mini_program", "tmall", "wechat", "douyin"], dtype=object)
_DEVICES = np.array(["ios", "android", "pc"], dtype=object)
LINES_PER_ORDER = 2.25
# Shares of all receipts: without a customer; and of the lines aimed at, what campaigns add on top.
_ANONYMOUS, _BUYS_ON_JOINING = 0.14, 0.85


def make_orders(
    scale: Scale, calendar: Calendar, places: Places, team: Team, people: People, seed: int
) -> pd.DataFrame:
    """Receipts before any campaign, one row each, as positions and day numbers.

    Columns: customer (-1: unknown), day, second (after local midnight), store, channel (position in CHANNELS),
    staff (-1: nobody), kind, cancelled_after (seconds, -1: not cancelled), zero (nothing was charged).
    """
    rng = stream(seed, "trade")
    known = _visits(rng, scale, calendar, places, people)
    shop = known["store"].to_numpy() < places.shops
    passing = known[shop].sample(frac=_ANONYMOUS / (1 - _ANONYMOUS), random_state=rng)
    visits = pd.concat([known, passing.assign(customer=-1)], ignore_index=True)
    visits = visits[~places.closed[visits["store"], visits["day"]]].reset_index(drop=True)
    visits["second"] = _times(rng, calendar, places, visits)
    visits["staff"] = serve(rng, places, team, visits)
    keep = rng.random(len(visits)) < np.where(
        (visits["store"] < places.shops) & ~visits["joining"],
        effective_skill(calendar, team, visits["staff"].to_numpy(), visits["day"].to_numpy()) / SKILL_CEILING,
        1.0,
    )
    orders = visits[keep].drop(columns="joining").reset_index(drop=True)
    return _special(rng, team, places, orders)


def _visits(rng: np.random.Generator, scale: Scale, calendar: Calendar, places: Places, people: People) -> pd.DataFrame:
    """Candidates: customer, day, store, channel, joining; shop candidates carry the surplus the staff sifts."""
    first, last = np.maximum(people.joined + 1, 0), people.churned
    sums = {True: np.r_[0.0, np.cumsum(calendar.shop)], False: np.r_[0.0, np.cumsum(calendar.online)]}
    share = {True: 1 - people.online_share, False: people.online_share}
    first = np.minimum(first, last)
    expected = {shop: people.rate * share[shop] * (sums[shop][last] - sums[shop][first]) for shop in (True, False)}
    joins = np.flatnonzero((people.joined >= 0) & (people.rate > 0) & (rng.random(scale.customers) < _BUYS_ON_JOINING))
    # What joins and passers-by do not buy is left to the customers' own rhythm.
    wanted = scale.lines / LINES_PER_ORDER * 0.97 - len(joins)
    relative = expected[True].sum() / (1 - _ANONYMOUS) + expected[False].sum()
    parts = []
    for shop in (True, False):
        mean = expected[shop] * wanted / relative * (SKILL_CEILING if shop else 1.0)
        customer = np.repeat(np.arange(scale.customers), rng.poisson(mean))
        total = sums[shop]
        low, high = total[first[customer]], total[last[customer]]
        day = np.searchsorted(total, low + rng.random(len(customer)) * (high - low), side="right") - 1
        parts.append(_sites(rng, places, people, customer, np.minimum(day, calendar.days - 1), shop))
    by_join = people.online_share[joins] < 0.9
    for shop in (True, False):
        customer = joins[by_join == shop]
        parts.append(_sites(rng, places, people, customer, people.joined[customer], shop).assign(joining=True))
    return pd.concat(parts, ignore_index=True)


def _sites(
    rng: np.random.Generator, places: Places, people: People, customer: Array, day: Array, shop: bool
) -> pd.DataFrame:
    count = len(customer)
    if shop:
        store = people.home[customer]
        for region in np.unique(places.region[: places.shops]):
            near = np.flatnonzero(places.region[: places.shops] == region)
            away = np.flatnonzero((places.region[store] == region) & (rng.random(count) < 0.1))
            store[away] = rng.choice(near, len(away))
        channel = np.zeros(count, dtype=int)
    else:
        store, channel = online_site(rng, places, count)
    return pd.DataFrame({"customer": customer, "day": day, "store": store, "channel": channel, "joining": False})


def online_site(rng: np.random.Generator, places: Places, count: int) -> tuple[Array, Array]:
    """Online store and channel of ``count`` receipts; WeChat channels and marketplaces have a store each."""
    channel = rng.choice([1, 2, 3, 4], count, p=[0.42, 0.33, 0.12, 0.13])
    wechat = (channel == 1) | (channel == 3)
    last = len(places.region) - 1
    return np.where(wechat, places.shops, last), channel


def _times(rng: np.random.Generator, calendar: Calendar, places: Places, visits: pd.DataFrame) -> Array:
    """Seconds after local midnight, by the profiles of working days, weekends and online."""
    weekend = calendar.weekday[visits["day"]] >= 5
    shop = (visits["store"] < places.shops).to_numpy()
    uniform = rng.random(len(visits))
    hour = np.empty(len(visits), dtype=int)
    for rows, profile, first in (
        (shop & ~weekend, hours.WORKDAY_PROFILE, hours.SHOP_HOURS[0]),
        (shop & weekend, hours.WEEKEND_PROFILE, hours.SHOP_HOURS[0]),
        (~shop, hours.ONLINE_PROFILE, 0),
    ):
        hour[rows] = first + np.searchsorted(np.cumsum(profile) / profile.sum(), uniform[rows], side="right")
    return hour * 3600 + rng.integers(0, 3600, len(visits))


def serve(rng: np.random.Generator, places: Places, team: Team, visits: pd.DataFrame) -> Array:
    """One of the people on shift for every visit of a shop; -1 online, or when nobody is there."""
    store, day = visits["store"].to_numpy(), visits["day"].to_numpy()
    half = (visits["second"].to_numpy() >= 16 * 3600).astype(int)
    crew = team.crew[store, day, half]
    place = np.minimum((rng.random(len(visits)) * crew).astype(int), np.maximum(crew - 1, 0))
    return np.where(store < places.shops, team.on_shift[store, day, half, place], -1)


def effective_skill(calendar: Calendar, team: Team, staff: Array, day: Array) -> Array:
    """Skill on that day, the helpful course included; 1 for nobody."""
    taught = dates(calendar.start, day) > np.append(team.helpful_on, np.datetime64("NaT", "D"))[staff]
    return np.append(team.skill, 1.0)[staff] * np.where(taught, team.course_effect, 1.0)


def _special(rng: np.random.Generator, team: Team, places: Places, orders: pd.DataFrame) -> pd.DataFrame:
    """Marks test, staff, cancelled and zero-value receipts."""
    count = len(orders)
    shop = (orders["store"] < places.shops).to_numpy()
    anonymous = (orders["customer"] < 0).to_numpy()
    chance = rng.random(count)
    kind = np.full(count, "sale", dtype=object)
    kind[anonymous & (chance < 0.04)] = "staff_purchase"
    kind[anonymous & (chance > 0.99)] = "test"
    sale = kind == "sale"
    cancelled = sale & (rng.random(count) < np.where(shop, 0.003, 0.02))
    after = rng.integers(60, 2 * 86_400, count)
    return orders.assign(
        kind=kind,
        cancelled_after=np.where(cancelled, np.where(shop, after % 1_200, after), -1),
        zero=sale & ~cancelled & (rng.random(count) < 0.0025),
    )


def counted(orders: pd.DataFrame) -> pd.Series:
    """Whether a receipt counts as a sale: neither test nor staff nor cancelled nor free of charge."""
    return (orders["kind"] == "sale") & (orders["cancelled_after"] < 0) & ~orders["zero"]


def serve_extras(calendar: Calendar, places: Places, team: Team, extra: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Gives receipts that campaigns add a time of day and somebody who serves."""
    rng = stream(seed, "serve extras")
    timed = extra.assign(second=_times(rng, calendar, places, extra))
    return timed.assign(staff=serve(rng, places, team, timed))


def order_frame(places: Places, orders: pd.DataFrame, end: Array, ids: dict[str, Array], seed: int) -> pd.DataFrame:
    """Table sale_order; ``orders`` is in order of time with the instant in column ``at``."""
    rng = stream(seed, "order frame")
    count = len(orders)
    at = orders["at"].to_numpy()
    after = orders["cancelled_after"].to_numpy()
    cancelled_at = np.where(after >= 0, np.minimum(at + after.astype("timedelta64[s]"), end), np.datetime64("NaT", "s"))
    online = (orders["store"] >= places.shops).to_numpy()
    device = _DEVICES[rng.choice(3, count, p=[0.46, 0.46, 0.08])]
    return pd.DataFrame(
        {
            "order_id": ids["order"],
            "customer_id": label(ids["customer"], orders["customer"]),
            "store_id": ids["store"][orders["store"]],
            "staff_id": label(ids["staff"], orders["staff"]),
            "channel": CHANNELS[orders["channel"]],
            "device": np.where(online, device, "pos"),
            "kind": orders["kind"].to_numpy(),
            "ordered_at": at,
            "cancelled_at": cancelled_at,
            "currency": "CNY",
            "updated_at": np.where(np.isnat(cancelled_at), at, cancelled_at),
        }
    )


def traffic_frame(calendar: Calendar, places: Places, orders: pd.DataFrame, store_id: Array, seed: int) -> pd.DataFrame:
    """Table store_traffic: visitors per opening hour whose expectation is expected receipts / hidden conversion.

    The expectation is the store's own level (a four-week mean of receipts freed of weekday and event
    effects) put back under those effects; who is on shift does not move it. Some days the counter was down.
    """
    rng = stream(seed, "traffic")
    shops, days = places.shops, calendar.days
    kept = orders[counted(orders) & (orders["store"] < shops)]
    daily = np.bincount(kept["store"] * days + kept["day"], minlength=shops * days).reshape(shops, days)
    open_ = ~places.closed[:shops]
    effort = np.where(open_, calendar.shop, 0.0)
    width = 57
    kernel = np.ones(width)
    level = np.array([np.convolve(row, kernel, "same") for row in daily]) / np.maximum(
        np.array([np.convolve(row, kernel, "same") for row in effort]), 1e-9
    )
    expected = level * effort / places.conversion[:, None]
    weekend = calendar.weekday >= 5
    profile = np.where(
        weekend[:, None],
        hours.WEEKEND_PROFILE / hours.WEEKEND_PROFILE.sum(),
        hours.WORKDAY_PROFILE / hours.WORKDAY_PROFILE.sum(),
    )
    visitors = rng.poisson(expected[:, :, None] * profile[None, :, :])
    store, day, hour = np.nonzero(np.broadcast_to(open_[:, :, None], visitors.shape))
    broken = (rng.random((shops, days)) < 0.006)[store, day]
    start = np.datetime64(calendar.start, "s") + (day * 86_400 + (hour + hours.SHOP_HOURS[0]) * 3600).astype(
        "timedelta64[s]"
    )
    return pd.DataFrame(
        {
            "store_id": store_id[store],
            "hour_start": start - LOCAL,
            "visitors": np.where(broken, 0, visitors[store, day, hour]),
            "valid": ~broken,
            "updated_at": start - LOCAL + np.timedelta64(3600, "s"),
        }
    )
