"""Stores, the people who work in them, their shifts and their targets."""

from datetime import date

import numpy as np
import pandas as pd

from data_access.demo import names
from data_access.demo.calendar import Calendar
from data_access.demo.world import Array, Places, Scale, Team, dates, ids, label, stream, translations, utc

# Half days of a shop: from and to in local hours.
HALVES = ((10, 16), (16, 22))
_SKILL_SPREAD = 0.16
_COURSE_EFFECT = 1.18
# The best seller of a chain sells about this much more than the average: candidates are drawn with this
# surplus and kept in proportion to the skill of whom they meet.
SKILL_CEILING = 1.6
_LOWEST_CONVERSION = 0.11


def make_places(scale: Scale, calendar: Calendar, seed: int, null: frozenset[str]) -> Places:
    """Where the chain sells. The store of the lowest conversion is not the one that sells least."""
    rng = stream(seed, "places")
    chosen = [*names.SHOPS[: scale.shops], *names.ONLINE[: scale.online]]
    conversion = rng.uniform(0.17, 0.29, scale.shops)
    conversion[1] = _LOWEST_CONVERSION
    if "store_conversion" in null:
        conversion[:] = 0.2
    opened = np.zeros(len(chosen), dtype=int)
    if scale.shops > 4:
        opened[scale.shops - 1] = calendar.days * 2 // 5
    closed = np.zeros((len(chosen), calendar.days), dtype=bool)
    for event in calendar.events:
        if event.key == "spring_festival":
            first = (event.first - calendar.start).days
            closed[: scale.shops, max(0, first) : max(0, first + 2)] = True
    for shop in range(scale.shops):
        closed[shop, rng.integers(30, calendar.days - 60, 2)] = True
        closed[shop, : opened[shop]] = True
    return Places(
        shops=scale.shops,
        region=np.array([place.region for place in chosen]),
        opened=opened,
        pull=np.array([place.pull for place in chosen]),
        conversion=conversion,
        closed=closed,
    )


def store_frames(scale: Scale, calendar: Calendar, places: Places, seed: int) -> dict[str, pd.DataFrame]:
    """Tables region, store, store_closure and their translations."""
    rng = stream(seed, "store frames")
    chosen = [*names.SHOPS[: scale.shops], *names.ONLINE[: scale.online]]
    store_id = ids("S", len(chosen), 3)
    founded = dates(calendar.start, -rng.integers(300, 2500, len(chosen)))
    opened_on = np.where(places.opened > 0, dates(calendar.start, places.opened), founded)
    used = sorted(set(places.region.tolist()))
    long_ago = np.datetime64("2019-01-01T02:00", "s")
    store = pd.DataFrame(
        {
            "store_id": store_id,
            "name": [place.name for place in chosen],
            "region_id": [names.REGIONS[place.region][0] for place in chosen],
            "city": [place.city for place in chosen],
            "city_tier": [place.tier for place in chosen],
            "kind": ["shop"] * scale.shops + ["online"] * scale.online,
            "area_m2": [place.area_m2 or None for place in chosen],
            "opened_on": opened_on,
            "closed_on": np.full(len(chosen), np.datetime64("NaT", "D")),
            "latitude": [place.latitude for place in chosen],
            "longitude": [place.longitude for place in chosen],
            "time_zone": "Asia/Shanghai",
            "currency": "CNY",
            "updated_at": opened_on.astype("datetime64[s]"),
        }
    )
    region = pd.DataFrame(
        {
            "region_id": [names.REGIONS[number][0] for number in used],
            "name": [names.REGIONS[number][1] for number in used],
            "updated_at": long_ago,
        }
    )
    at_store, at_day = np.nonzero(places.closed & (np.arange(calendar.days) >= places.opened[:, None]))
    festival = _in_event(calendar, at_day, "spring_festival")
    store_closure = pd.DataFrame(
        {
            "store_id": store_id[at_store],
            "day": dates(calendar.start, at_day),
            "reason": np.where(festival, "spring_festival", np.where(at_day % 2 == 0, "renovation", "severe_weather")),
            "updated_at": utc(calendar.start, at_day, 8 * 3600),
        }
    )
    translation = pd.concat(
        [
            translations("region.name", [names.REGIONS[number][1:] for number in used]),
            translations("store.name", [(place.name, place.name_en) for place in chosen]),
            translations("store.city", [(place.city, place.city_en) for place in chosen]),
        ]
    )
    return {"region": region, "store": store, "store_closure": store_closure, "translation": translation}


def _in_event(calendar: Calendar, day: Array, key: str) -> Array:
    inside = np.zeros(calendar.days, dtype=bool)
    for event in calendar.events:
        if event.key == key:
            first, last = (event.first - calendar.start).days, (event.last - calendar.start).days
            inside[max(0, first) : max(0, last + 1)] = True
    return inside[day]


def make_team(scale: Scale, calendar: Calendar, places: Places, seed: int, null: frozenset[str]) -> Team:
    """Who works where and when, how well, and who takes which course.

    Managers send good sellers to the course without effect, so that comparing its graduates with the rest
    flatters it.
    """
    rng = stream(seed, "team")
    post_store = np.r_[
        np.repeat(np.arange(scale.shops), scale.slots), np.arange(scale.shops, scale.shops + scale.online)
    ]
    posts = len(post_store)
    replaced = np.sort(rng.choice(scale.shops * scale.slots, scale.replaced, replace=False))
    changed_on = rng.integers(calendar.days // 5, calendar.days * 4 // 5, scale.replaced)
    post = np.r_[np.arange(posts), replaced]
    people = len(post)
    hired = np.r_[-rng.integers(30, 1500, posts), changed_on]
    hired[:posts] = np.where(places.opened[post_store] > 0, places.opened[post_store], hired[:posts])
    left = np.full(people, calendar.days)
    left[replaced] = np.maximum(changed_on, hired[replaced] + 1)
    hired[posts:] = left[replaced]
    skill = np.clip(np.exp(rng.normal(-(_SKILL_SPREAD**2) / 2, _SKILL_SPREAD, people)), 0.62, 1.35)
    if "staff_skill" in null:
        skill[:] = 1.0
    sells = post_store[post] < scale.shops
    helpful_on = np.full(people, np.datetime64("NaT", "D"))
    useless_on = helpful_on.copy()
    helped = sells & (left == calendar.days) & (rng.random(people) < 0.45)
    helpful_on[helped] = dates(calendar.start, rng.integers(calendar.days // 3, calendar.days * 2 // 3, helped.sum()))
    better = skill > np.quantile(skill[sells], 0.45)
    sent = sells & (left == calendar.days) & (rng.random(people) < np.where(better, 0.75, 0.12))
    useless_on[sent] = dates(calendar.start, rng.integers(calendar.days // 3, calendar.days * 2 // 3, sent.sum()))
    settled = dates(calendar.start, hired + 60)
    helpful_on[helpful_on < settled] = np.datetime64("NaT", "D")
    useless_on[useless_on < settled] = np.datetime64("NaT", "D")
    on_shift = _roster(scale, calendar, places, post, post_store, hired, left)
    return Team(
        post=post,
        store=post_store[post],
        hired=hired,
        left=left,
        skill=skill,
        helpful_on=helpful_on,
        useless_on=useless_on,
        course_effect=1.0 if "course" in null else _COURSE_EFFECT,
        on_shift=on_shift,
        crew=(on_shift >= 0).sum(axis=3),
    )


def _roster(
    scale: Scale,
    calendar: Calendar,
    places: Places,
    post: Array,
    post_store: Array,
    hired: Array,
    left: Array,
) -> Array:
    """Store x day x half x place: the person on shift or -1.

    Every post works five days a week, early and late by turns; the days off are spread so that somebody is
    always there.
    """
    slot = np.r_[np.tile(np.arange(scale.slots), scale.shops), np.zeros(scale.online, dtype=int)]
    day = np.arange(calendar.days)
    holder = np.full((len(post_store), calendar.days), -1)
    for person in np.argsort(hired, kind="stable"):
        holder[post[person], max(0, hired[person]) : max(0, left[person])] = person
    off = (day[None, :] - 2 * slot[:, None]) % 7 < 2
    late = (day[None, :] // 7 + slot[:, None]) % 2
    working = (holder >= 0) & ~off & ~places.closed[post_store]
    stores = scale.shops + scale.online
    on_shift = np.full((stores, calendar.days, 2, scale.slots), -1, dtype=np.int32)
    for number, store in enumerate(post_store):
        days = np.flatnonzero(working[number])
        on_shift[store, days, late[number, days], slot[number]] = holder[number, days]
    # People first, empty places last.
    return -np.sort(-on_shift, axis=3)


def staff_frames(scale: Scale, calendar: Calendar, places: Places, team: Team, seed: int) -> dict[str, pd.DataFrame]:
    """Tables staff and shift."""
    rng = stream(seed, "staff frames")
    people = len(team.post)
    staff_id = ids("E", people, 4)
    store_id = ids("S", len(places.region), 3)
    online = team.store >= scale.shops
    first = (team.post % scale.slots == 0) & ~online
    role = np.where(
        online, "associate", np.where(first, "manager", np.where(team.post % scale.slots == 2, "beautician", "adviser"))
    )
    left_on = np.where(team.left < calendar.days, dates(calendar.start, team.left), np.datetime64("NaT", "D"))
    hired_on = dates(calendar.start, team.hired)
    changed = np.where(np.isnat(left_on), hired_on, left_on).astype("datetime64[s]")
    staff = pd.DataFrame(
        {
            "staff_id": staff_id,
            "home_store_id": store_id[team.store],
            "name": person_names(rng, people),
            "role": role,
            "hired_on": hired_on,
            "left_on": left_on,
            "updated_at": changed,
        }
    )
    at_store, at_day, half, place = np.nonzero(team.on_shift >= 0)
    person = team.on_shift[at_store, at_day, half, place]
    order = np.lexsort((person, half, at_day))
    at_store, at_day, half, person = at_store[order], at_day[order], half[order], person[order]
    starts = np.array([begin for begin, _ in HALVES])[half] * 3600
    ends = np.array([stop for _, stop in HALVES])[half] * 3600
    shift = pd.DataFrame(
        {
            "shift_id": ids("H", len(person), 7),
            "staff_id": staff_id[person],
            "store_id": store_id[at_store],
            "starts_at": utc(calendar.start, at_day, starts),
            "ends_at": utc(calendar.start, at_day, ends),
            "break_minutes": 30,
            "role": role[person],
            "updated_at": utc(calendar.start, at_day, ends),
        }
    )
    return {"staff": staff, "shift": shift}


def person_names(rng: np.random.Generator, count: int) -> Array:
    """Chinese names: a surname and one or two syllables."""
    surname = np.array(names.SURNAMES)[(rng.random(count) ** 1.8 * len(names.SURNAMES)).astype(int)]
    first = np.array(names.GIVEN_FIRST)[rng.integers(0, len(names.GIVEN_FIRST), count)]
    second = np.array(names.GIVEN_SECOND)[rng.integers(0, len(names.GIVEN_SECOND), count)]
    middle = np.where(rng.random(count) < 0.8, first, "")
    return np.char.add(np.char.add(surname, middle), second).astype(object)


def targets(
    start: date, orders: pd.DataFrame, lines: pd.DataFrame, labels: dict[str, Array], seed: int
) -> pd.DataFrame:
    """Table sales_target: what each store, and each person in a shop, should sell per month (CNY, excl. tax).

    Set by hindsight with an ambitious, noisy factor, and rounded as head office does. A last month that is not over is
    taken to go on as it began.
    """
    rng = stream(seed, "targets")
    net = np.bincount(lines["order"], weights=lines["net"], minlength=len(orders)) / 100
    month = dates(start, orders["day"].to_numpy()).astype("datetime64[M]").astype("datetime64[s]")
    sold = pd.DataFrame({"store": orders["store"], "person": orders["staff"], "month": month, "net": net})
    by_store = sold.groupby(["store", "month"], as_index=False)["net"].sum().assign(person=-1)
    by_person = sold[sold["person"] >= 0].groupby(["store", "person", "month"], as_index=False)["net"].sum()
    both = pd.concat([by_store, by_person], ignore_index=True)
    step = np.where(both["person"] < 0, 5_000, 500)
    factor = rng.normal(1.04, 0.09, len(both)).clip(0.8, 1.35)
    last = np.datetime64(start, "D") + int(orders["day"].max())
    begins = last.astype("datetime64[M]")
    days = ((begins + 1).astype("datetime64[D]") - begins.astype("datetime64[D]")).astype(int)
    passed = (last - begins.astype("datetime64[D]")).astype(int) + 1
    factor = np.where(both["month"].to_numpy().astype("datetime64[M]") == begins, factor * days / passed, factor)
    return pd.DataFrame(
        {
            "target_id": ids("G", len(both), 6),
            "store_id": labels["store"][both["store"]],
            "staff_id": label(labels["staff"], both["person"]),
            "month": both["month"],
            "amount": np.maximum(1, np.round(both["net"] * factor / step)) * step,
            "updated_at": np.maximum(both["month"].to_numpy(), np.datetime64(start, "s")),
        }
    )
