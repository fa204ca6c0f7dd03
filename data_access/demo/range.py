"""What the chain sells: products, launches, planted movers, and price promotions known ahead."""

import json

import numpy as np
import pandas as pd

from data_access.demo import names
from data_access.demo.calendar import KNOWN_AHEAD_DAYS, Calendar
from data_access.demo.world import Array, Mover, Places, Range, Scale, Supply, dates, ids, stream, translations

_BENEFITS = (
    "moisturising",
    "brightening",
    "firming",
    "soothing",
    "oil_control",
    "repairing",
    "long_wear",
    "sun_protection",
)
_SKIN_TYPES = ("dry", "oily", "combination", "sensitive", "normal")
_HANDLING = ("normal", "fragile", "cool")
_NATURAL_GROWTH = 3.0
_LAUNCH_SHARE = 0.55
_MOVER_PRICE = 420
# Days before the end: the launch that takes sales from its sibling, and the window of the planted movers.
LAUNCH_AGO = 150
MOVER_DAYS = 28


def make_range(
    scale: Scale, calendar: Calendar, places: Places, supply: Supply, seed: int, null: frozenset[str]
) -> Range:
    """The products and what is planted in their demand."""
    rng = stream(seed, "range")
    count = scale.products
    weight = np.array([kind.weight for kind in names.KINDS])
    # Every kind once as long as there is room, the rest by weight.
    kind = np.sort(np.r_[np.arange(len(weight)), rng.choice(len(weight), count - len(weight), p=weight / weight.sum())])
    low, high = (np.array([getattr(names.KINDS[k], bound) for k in kind], float) for bound in ("low", "high"))
    service = np.array([names.KINDS[k].category == names.SERVICE_CATEGORY for k in kind])
    price = np.round((low + (high - low) * rng.beta(1.6, 2.2, count)) / 10) * 10 - 1
    launched = np.where(
        rng.random(count) < 0.18, rng.integers(40, calendar.days - 60, count), -rng.integers(200, 2000, count)
    )
    launched[service] = -rng.integers(200, 2000, int(service.sum()))
    popularity = weight[kind] * rng.gamma(1.2, 1.0, count) * (250 / price) ** 0.35 * np.where(service, 0.5, 1.0)
    popularity = np.clip(popularity, np.quantile(popularity, 0.1), np.quantile(popularity, 0.98))
    natural = (rng.random(count) < 0.33) & ~service
    taken: set[int] = set()
    launch, sibling = _siblings(kind, service, launched, popularity)
    launch_share = 0.0 if "cannibalisation" in null else _LAUNCH_SHARE
    launched[sibling] = -abs(launched[sibling]) - 200
    launched[launch] = calendar.days - LAUNCH_AGO
    popularity[sibling] = max(popularity[sibling], float(np.quantile(popularity, 0.9)))
    popularity[launch] = popularity[sibling] * 0.35
    taken |= {launch, sibling}
    steady = np.flatnonzero(~service & (launched < 0))
    complaint = int(max((p for p in steady if p not in taken), key=lambda p: popularity[p]))
    taken.add(complaint)
    popularity[complaint] *= 2
    return Range(
        kind=kind,
        popularity=popularity,
        price=(price * 100).astype("int64"),
        cost=np.round(price / 1.13 * rng.uniform(0.24, 0.42, count) * 100).astype("int64"),
        natural=natural,
        launched=launched,
        natural_growth=1.0 if "rising_attribute" in null else _NATURAL_GROWTH,
        launch=launch,
        sibling=sibling,
        launch_share=launch_share,
        movers=() if "mover" in null else _movers(rng, scale, places, price, steady, popularity, taken),
        complaint_product=-1 if "complaint_lot" in null else complaint,
        supplier=np.where(service, -1, (kind * 3 + rng.integers(0, 3, count)) % len(supply.supplier_id)),
    )


def _siblings(kind: Array, service: Array, launched: Array, popularity: Array) -> tuple[int, int]:
    """Two products of the same kind: the launch to be and the steady seller it takes from."""
    same = [np.flatnonzero((kind == k) & ~service) for k in np.unique(kind)]
    group = max((g for g in same if len(g) >= 2), key=lambda g: popularity[g].max())
    by_popularity = group[np.argsort(-popularity[group], kind="stable")]
    return int(by_popularity[1]), int(by_popularity[0])


def _movers(
    rng: np.random.Generator,
    scale: Scale,
    places: Places,
    price: Array,
    steady: Array,
    popularity: Array,
    taken: set[int],
) -> tuple[Mover, ...]:
    """One mid-price, ordinary product per region; they rise and fall by turns."""
    regions = sorted(set(places.region.tolist()))
    ordinary = np.setdiff1d(steady, list(taken))
    mid_price = ordinary[np.argsort(np.abs(price[ordinary] - _MOVER_PRICE), kind="stable")]
    chosen = rng.permutation(mid_price[: 2 * len(regions)])
    movers = []
    for number, region in enumerate(regions):
        product = int(chosen[number])
        usual = float(popularity[product] / popularity.sum())
        rising = number % 2 == 0
        before, after = (usual, scale.mover_share) if rising else (scale.mover_share, usual * 0.1)
        movers.append(Mover(region, product, "rise" if rising else "fall", before, after))
    return tuple(movers)


def product_frames(scale: Scale, calendar: Calendar, range_: Range, seed: int) -> dict[str, pd.DataFrame]:
    """Table product and the translations of its names."""
    rng = stream(seed, "product frames")
    count = scale.products
    named: list[tuple[str, str]] = []
    brands: list[tuple[str, str]] = []
    for k in np.unique(range_.kind):
        of_kind = int((range_.kind == k).sum())
        for code in rng.choice(len(names.BRANDS) * len(names.SERIES), of_kind, replace=False):
            brand, series = names.BRANDS[code % len(names.BRANDS)], names.SERIES[code // len(names.BRANDS)]
            kind = names.KINDS[k]
            named.append((f"{brand[0]}{series[0]}{kind.name}", f"{brand[1]} {series[1]} {kind.name_en}"))
            brands.append(brand)
    kinds = [names.KINDS[k] for k in range_.kind]
    attributes = [
        json.dumps(
            {
                "benefits": [_BENEFITS[b] for b in benefits],
                "skin_types": [_SKIN_TYPES[s] for s in skins],
                "natural": bool(natural),
                "exclusive": bool(exclusive),
                "handling": _HANDLING[handling],
            }
        )
        for benefits, skins, natural, exclusive, handling in zip(
            np.sort(rng.random((count, len(_BENEFITS))).argsort(axis=1)[:, :2]),
            np.sort(rng.random((count, len(_SKIN_TYPES))).argsort(axis=1)[:, :3]),
            range_.natural,
            rng.random(count) < 0.12,
            rng.choice(3, count, p=[0.8, 0.15, 0.05]),
            strict=True,
        )
    ]
    launched_on = dates(calendar.start, range_.launched)
    product = pd.DataFrame(
        {
            "product_id": ids("P", count, 4),
            "sku": [f"{6_900_000_000_000 + seed % 1000 * 1_000_000 + number * 17}" for number in range(count)],
            "name": [zh for zh, _ in named],
            "brand": [zh for zh, _ in brands],
            "kind": ["service" if kind.category == names.SERVICE_CATEGORY else "goods" for kind in kinds],
            "category": [names.CATEGORIES[kind.category][0] for kind in kinds],
            "subcategory": [kind.name for kind in kinds],
            "attributes": attributes,
            "pack_size": [kind.pack for kind in kinds],
            "list_price": range_.price / 100,
            "cost": range_.cost / 100,
            "launched_on": launched_on,
            "shelf_life_days": pd.array([kind.shelf_life_days or None for kind in kinds], dtype="Int64"),
            "usage_days": [kind.usage_days for kind in kinds],
            "updated_at": launched_on.astype("datetime64[s]"),
        }
    )
    translation = pd.concat(
        [
            translations("product.name", named),
            translations("product.brand", brands),
            translations("product.category", list(names.CATEGORIES)),
            translations("product.subcategory", [(kind.name, kind.name_en) for kind in names.KINDS]),
        ]
    )
    return {"product": product, "translation": translation}


def make_supply(seed: int, null: frozenset[str]) -> Supply:
    """Who delivers, what they promise, and how late they really are."""
    rng = stream(seed, "supply")
    count = 8
    promised = np.array([7, 10, 14, 14, 21, 10, 28, 7])
    median = promised * rng.uniform(0.95, 1.35, count)
    sigma = rng.uniform(0.12, 0.5, count)
    if "lead_time_scatter" in null:
        median, sigma = promised.astype(float), np.zeros(count)
    return Supply(tuple(ids("V", count, 2)), promised, median, sigma)


def weekly_weights(scale: Scale, calendar: Calendar, range_: Range, regions: int, promoted: Array) -> Array:
    """Demand weights by week, region, taste and product; weeks count back from the end, week 0 is the last.

    ``promoted`` holds the mean discount of each product and week (week x product).
    """
    weeks = -(-calendar.days // 7)
    day = calendar.days - 1 - 7 * np.arange(weeks) - 3  # the middle of each week
    weight = np.repeat(range_.popularity[None, :], weeks, axis=0)
    age = day[:, None] - range_.launched[None, :]
    # A launch starts with curiosity and settles; before the first whole week after it nothing is sold.
    weight *= np.where(age < 3, 0.0, 1 + 0.8 * np.exp(-np.maximum(age, 0) / 30) * (range_.launched >= 0))
    summer = np.array([kind.summer for kind in names.KINDS])[range_.kind]
    warmth = np.cos(2 * np.pi * (calendar.start.timetuple().tm_yday + day - 200) / 365.25)
    weight *= summer[None, :] ** warmth[:, None]
    elapsed = (day / calendar.days).clip(0, 1)
    weight *= np.where(range_.natural[None, :], range_.natural_growth ** elapsed[:, None], 1.0)
    weight *= 1 + 2.0 * promoted
    after = age[:, range_.launch] >= 3
    moved = weight[:, range_.sibling] * range_.launch_share * after
    weight[:, range_.sibling] -= moved
    weight[:, range_.launch] += moved
    category = np.array([names.KINDS[k].category for k in range_.kind])
    taste = np.ones((3, len(category)))
    taste[0] = np.where(category == 0, 1.8, np.where(category == 1, 0.4, 1.0))
    taste[1] = np.where(category == 1, 2.4, np.where(category == 0, 0.5, 1.0))
    full = weight[:, None, None, :] * taste[None, None, :, :]
    full = np.repeat(full, regions, axis=1)
    for mover in range_.movers:
        _plant(full[:, mover.region], mover)
    return full


def _plant(weight: Array, mover: Mover) -> None:
    """Gives the mover its share: ``share_before`` up to 16 weeks earlier only when it is a hero about to fall."""
    recent = MOVER_DAYS // 7
    others = weight.sum(axis=-1) - weight[..., mover.product]
    if mover.direction == "fall":
        hero = slice(recent, 4 * recent + recent)
        weight[hero, :, mover.product] = others[hero] * mover.share_before / (1 - mover.share_before)
    weight[:recent, :, mover.product] = others[:recent] * mover.share_after / (1 - mover.share_after)


def promotions(scale: Scale, calendar: Calendar, range_: Range, seed: int) -> tuple[pd.DataFrame, Array]:
    """Table price_promotion, and the discount of every product on every day (product x day, share of the list price).

    Event promotions cover a category for the days of the event, monthly ones single products; some lie ahead.
    """
    rng = stream(seed, "promotions")
    planted = {mover.product for mover in range_.movers} | {range_.launch, range_.sibling, range_.complaint_product}
    category = np.array([names.KINDS[k].category for k in range_.kind])
    discount = np.zeros((scale.products, calendar.days))
    rows: list[tuple[str | None, str | None, int, int, float, str]] = []
    product_id = ids("P", scale.products, 4)
    for event in calendar.events:
        if event.key == "spring_festival":
            continue
        first, last = (event.first - calendar.start).days, (event.last - calendar.start).days
        chosen = rng.choice(3, 1 if event.key in ("may_20", "qixi", "christmas") else 2, replace=False)
        for number in np.sort(chosen):
            share = float(rng.choice([0.1, 0.15, 0.2]))
            rows.append((None, names.CATEGORIES[number][0], first, last, share, event.key))
            members = np.flatnonzero(category == number)
            window = slice(max(0, first), max(0, last + 1))
            discount[members, window] = np.maximum(discount[members, window], share)
    for first in range(5, calendar.days + KNOWN_AHEAD_DAYS // 2, 30):
        for product in rng.choice(scale.products, max(2, scale.products // 25), replace=False):
            if product in planted or category[product] == names.SERVICE_CATEGORY:
                continue
            share = float(rng.choice([0.1, 0.15, 0.2, 0.25, 0.3]))
            rows.append((product_id[product], None, first, first + 13, share, "product_of_the_month"))
            discount[product, first : first + 14] = np.maximum(discount[product, first : first + 14], share)
    product, categories, first_day, last_day, share_, kind = zip(*rows, strict=True)
    starts = np.array(first_day)
    known = np.minimum(starts - 45, calendar.days - 1)
    frame = pd.DataFrame(
        {
            "promotion_id": ids("PP", len(rows), 5),
            "store_id": pd.Series([None] * len(rows), dtype=object),
            "product_id": pd.Series(product, dtype=object),
            "category": pd.Series(categories, dtype=object),
            "starts_on": dates(calendar.start, starts),
            "ends_on": dates(calendar.start, np.array(last_day)),
            "discount": share_,
            "kind": kind,
            "updated_at": dates(calendar.start, known).astype("datetime64[s]"),
        }
    )
    return frame, discount
