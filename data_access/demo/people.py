"""Customers: who they are, and the purchase process each one follows until she leaves for good."""

import numpy as np
import pandas as pd

from data_access.demo import names
from data_access.demo.calendar import Calendar
from data_access.demo.places import person_names
from data_access.demo.world import Array, People, Places, Scale, Team, dates, ids, known_where, label, stream, utc

_SKIN_TYPES = ("dry", "oily", "combination", "sensitive", "normal")
_CONCERNS = ("dullness", "ageing", "acne", "pores", "redness", "dryness")
_OCCUPATIONS = ("office", "teacher", "medical", "student", "self_employed", "homemaker", "civil_servant", "sales")
_INCOME = ("under_5k", "5k_10k", "10k_20k", "over_20k")
_SOURCES = ("store", "wechat_mini_program", "tmall", "douyin", "wechat", "referral")
# Six in a thousand customers buy for a business; one in twelve registers and never buys.
_WHOLESALE, _NEVER_BUYS = 0.006, 0.08
_JOINED_BEFORE = 0.3


def make_people(scale: Scale, calendar: Calendar, places: Places, seed: int, null: frozenset[str]) -> People:
    """Gamma rates and gamma lifetimes, so that both vary from person to person (Pareto/NBD with uneven days).

    Rates are relative here; ``trade`` scales them to the number of lines of the scale.
    """
    rng = stream(seed, "people")
    count, days = scale.customers, calendar.days
    before = rng.random(count) < _JOINED_BEFORE
    joined = np.where(before, -rng.integers(1, 900, count), (rng.random(count) ** 0.85 * days).astype(int))
    joined = np.sort(np.minimum(joined, days - 1))
    lifetime = rng.exponential(1.0, count) / rng.gamma(2.5, 1 / 2.5, count) * 520
    churned = np.minimum(np.maximum(joined, 0) + np.ceil(lifetime).astype("int64"), days)
    if "churn" in null:
        churned[:] = days
    rate = rng.gamma(0.9, 1.0, count)
    rate[rng.random(count) < _NEVER_BUYS] = 0.0
    shop = np.arange(places.shops)
    pull = places.pull[: places.shops]
    # A store wins customers only once it is open.
    home = rng.choice(shop, count, p=pull / pull.sum())
    late = places.opened[home] > np.maximum(joined, 0)
    steady = pull * (places.opened[: places.shops] == 0)
    home[late] = rng.choice(shop, int(late.sum()), p=steady / steady.sum())
    return People(
        joined=joined,
        churned=churned,
        rate=rate,
        spend=rng.gamma(3.0, 1 / 3.0, count),
        online_share=np.where(rng.random(count) < 0.12, 0.95, rng.beta(1.2, 4.0, count)),
        home=home,
        taste=rng.choice(3, count, p=[0.4, 0.25, 0.35]),
        wholesale=rng.random(count) < _WHOLESALE,
    )


def customer_frame(
    scale: Scale, calendar: Calendar, places: Places, team: Team, people: People, seed: int
) -> pd.DataFrame:
    """Table customer without its dirty rows."""
    rng = stream(seed, "customer frame")
    count = scale.customers
    chosen = [*names.SHOPS[: scale.shops], *names.ONLINE[: scale.online]]
    city = np.array([place.city for place in chosen], dtype=object)
    customer_id = ids("C", count, 6)
    female = rng.random(count)
    age = rng.gamma(9.0, 3.3, count).clip(15, 68)
    born = np.datetime64(calendar.start, "D") - (age * 365.25).astype("timedelta64[D]")
    birthday = np.where(rng.random(count) < 0.09, np.datetime64("NaT", "D"), born)
    source = np.where(
        people.online_share > 0.9,
        _pick(rng, _SOURCES[1:4], count),
        _pick(rng, _SOURCES, count, (0.62, 0.12, 0.08, 0.05, 0.05, 0.08)),
    )
    earlier = (rng.random(count) * np.arange(count)).astype(int)
    referred = (source == "referral") & (np.arange(count) > 10)
    number = rng.choice(10**8, count, replace=False)
    digits = np.char.zfill(number.astype(str), 8)
    joined_at = utc(calendar.start, people.joined, rng.integers(10 * 3600, 21 * 3600, count))
    last = utc(calendar.start, np.array([calendar.days - 1]), 21 * 3600)[0]
    updated = joined_at + (rng.random(count) ** 3 * ((last - joined_at).astype("int64"))).astype("timedelta64[s]")
    skin_known = rng.random(count) < 0.78
    return pd.DataFrame(
        {
            "customer_id": customer_id,
            "name": person_names(rng, count),
            # 154 is not given to subscribers, so nobody real can be reached by accident.
            "phone": np.char.add("154", digits).astype(object),
            "email": known_where(rng.random(count) < 0.35, np.char.add(np.char.add("m", digits), "@example.com")),
            "birthday": birthday,
            "gender": np.where(female < 0.87, "female", np.where(female < 0.95, "male", "unknown")),
            "city": city[people.home],
            "home_store_id": ids("S", len(chosen), 3)[people.home],
            "owner_staff_id": _owners(rng, calendar, team, people),
            "joined_on": dates(calendar.start, people.joined),
            "source": source,
            "referrer_customer_id": known_where(referred, customer_id[earlier]),
            "account_type": np.where(people.wholesale, "wholesale", "person"),
            "skin_type": known_where(skin_known, _pick(rng, _SKIN_TYPES, count, (0.26, 0.2, 0.27, 0.15, 0.12))),
            "skin_concern": known_where(skin_known, _pick(rng, _CONCERNS, count)),
            "occupation": known_where(rng.random(count) < 0.6, _pick(rng, _OCCUPATIONS, count)),
            "income_band": known_where(rng.random(count) < 0.45, _pick(rng, _INCOME, count, (0.2, 0.42, 0.28, 0.1))),
            "importance": np.where(people.spend > 2.0, "vip", np.where(people.spend > 1.4, "key", "normal")),
            "profile_updated_at": updated,
            "profile_updated_by": np.where(rng.random(count) < 0.55, "staff", "customer"),
            "updated_at": updated,
        }
    )


def _pick(
    rng: np.random.Generator, words: tuple[str, ...], count: int, shares: tuple[float, ...] | None = None
) -> Array:
    return np.array(words, dtype=object)[rng.choice(len(words), count, p=shares)]


def _owners(rng: np.random.Generator, calendar: Calendar, team: Team, people: People) -> Array:
    """For two thirds of the customers the adviser who looks after them: somebody who still works in the home store."""
    owner = np.full(len(people.home), -1)
    for store in np.unique(people.home):
        here = np.flatnonzero((team.store == store) & (team.left == calendar.days))
        customers = np.flatnonzero((people.home == store) & (rng.random(len(people.home)) < 0.67))
        owner[customers] = rng.choice(here, len(customers))
    return label(ids("E", len(team.post), 4), owner)
