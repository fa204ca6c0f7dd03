"""What is on each receipt and what comes back: lines, prices, stock-outs, returns."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_access.demo import names
from data_access.demo.calendar import Calendar
from data_access.demo.world import Array, People, Places, Range, Scale, stream

_VAT = 13
_FAVOURITES = 3
RETURN_REASONS = np.array(["changed_mind", "wrong_shade", "allergy", "damaged", "expired_soon"], dtype=object)


@dataclass(frozen=True, eq=False)
class StockOuts:
    """Planned stock-outs by position; each pair of store and product has at most one, ``first`` <= day < ``until``."""

    store: Array
    product: Array
    first: Array
    until: Array


def plan_stock_outs(
    scale: Scale, calendar: Calendar, places: Places, range_: Range, seed: int, null: frozenset[str]
) -> StockOuts:
    """Best sellers of big stores, 7 to 24 days long; one in eight is still going on at the end.

    Planted products are spared, so that what is planted in their demand stays as it is.
    """
    rng = stream(seed, "stock outs")
    count = 0 if "stock_outs" in null else scale.stock_outs
    planted = {mover.product for mover in range_.movers} | {range_.launch, range_.sibling, range_.complaint_product}
    product = np.array([p for p in np.flatnonzero(range_.supplier >= 0) if p not in planted and range_.launched[p] < 0])
    weight = np.tile(range_.popularity[product], len(places.region)) * np.repeat(places.pull, len(product))
    weight = weight**2 * np.repeat(places.opened == 0, len(product))
    pair = rng.choice(len(weight), count, replace=False, p=weight / weight.sum())
    first = rng.integers(40, calendar.days - 30, count)
    length = rng.integers(7, 25, count)
    lasting = np.arange(count) % 8 == 0
    first[lasting] = calendar.days - rng.integers(5, 17, int(lasting.sum()))
    until = np.where(lasting, calendar.days, np.minimum(first + length, calendar.days))
    return StockOuts(pair // len(product), product[pair % len(product)], first, until)


def make_lines(
    scale: Scale,
    calendar: Calendar,
    places: Places,
    range_: Range,
    people: People,
    orders: pd.DataFrame,
    weights: Array,
    seed: int,
) -> pd.DataFrame:
    """The lines customers want: order (row of ``orders``), product, quantity; nothing is out of stock yet.

    ``orders`` needs customer, day, store, coupon_product (-1: no coupon; else the product it is spent on).
    """
    rng = stream(seed, "baskets")
    buyer = orders["customer"].to_numpy()
    spend = np.append(people.spend, 0.75)[buyer]
    order = np.repeat(np.arange(len(orders)), 1 + rng.poisson(1.22 * spend))
    product = _choose(rng, calendar, places, range_, people, orders, order, weights)
    first = np.r_[True, order[1:] != order[:-1]]
    coupon = orders["coupon_product"].to_numpy()[order]
    product = np.where(first & (coupon >= 0), coupon, product)
    quantity = 1 + (rng.random(len(order)) < 0.13) + (rng.random(len(order)) < 0.03)
    business = np.append(people.wholesale, False)[buyer[order]]
    quantity = np.where(business, quantity * rng.integers(2, 5, len(order)), quantity)
    return pd.DataFrame({"order": order, "product": product, "quantity": quantity})


def _choose(
    rng: np.random.Generator,
    calendar: Calendar,
    places: Places,
    range_: Range,
    people: People,
    orders: pd.DataFrame,
    order: Array,
    weights: Array,
) -> Array:
    """A product for every line: the customer's own favourites, or a draw by week, region and taste."""
    products = weights.shape[-1]
    totals = np.cumsum(weights.reshape(-1, products), axis=1)
    flat = (totals / totals[:, -1:] + np.arange(len(totals))[:, None]).ravel()
    regions = sorted(set(places.region.tolist()))
    region = np.array([regions.index(r) for r in places.region])
    buyer = orders["customer"].to_numpy()
    week = (calendar.days - 1 - orders["day"].to_numpy()) // 7
    taste = np.append(people.taste, 2)[buyer]
    group = ((week * weights.shape[1] + region[orders["store"]]) * 3 + taste)[order]
    online = (orders["store"] >= places.shops).to_numpy()[order]
    service = np.array([names.KINDS[k].category == names.SERVICE_CATEGORY for k in range_.kind])

    def draw(rows: Array) -> Array:
        position = np.searchsorted(flat, group[rows] + rng.random(len(rows)), side="right")
        return np.minimum(position - group[rows] * products, products - 1)

    product = draw(np.arange(len(order)))
    # Businesses buy in dozens what sells: a favourite of theirs would drown what is planted.
    loyal = np.append(~people.wholesale, False)[buyer[order]]
    own = np.flatnonzero(loyal & (rng.random(len(order)) < 0.2))
    favourite = _favourites(rng, range_, len(people.joined))
    product[own] = favourite[buyer[order[own]], rng.integers(0, _FAVOURITES, len(own))]
    # Nobody buys a facial online: those draw again until it is something that can be sent.
    while len(again := np.flatnonzero(online & service[product])):
        product[again] = draw(again)
    return product


def _favourites(rng: np.random.Generator, range_: Range, customers: int) -> Array:
    """What each customer buys again and again; planted products are nobody's favourite."""
    weight = range_.popularity * (range_.launched < -30) * (range_.supplier >= 0)
    weight[[mover.product for mover in range_.movers] + [range_.launch, range_.sibling]] = 0.0
    # Favourites follow neither the trend nor the season, so they leave out what is natural: its rise stays visible.
    weight = weight * np.where(range_.natural, 0.0, 1.0)
    return rng.choice(len(weight), (customers, _FAVOURITES), p=weight / weight.sum())


def lose(lines: pd.DataFrame, orders: pd.DataFrame, outs: StockOuts, products: int) -> tuple[pd.DataFrame, Array]:
    """Lines without those that met an empty shelf, and the units each stock-out lost."""
    of_pair = np.full(int(orders["store"].max() + 1) * products, -1)
    of_pair[outs.store * products + outs.product] = np.arange(len(outs.store))
    store, day = orders["store"].to_numpy()[lines["order"]], orders["day"].to_numpy()[lines["order"]]
    out = of_pair[store * products + lines["product"].to_numpy()]
    met = out >= 0
    met[met] = (day[met] >= outs.first[out[met]]) & (day[met] < outs.until[out[met]])
    lost = np.bincount(out[met], weights=lines["quantity"].to_numpy()[met], minlength=len(outs.store)).astype(int)
    return lines[~met].reset_index(drop=True), lost


def price(lines: pd.DataFrame, orders: pd.DataFrame, range_: Range, promoted: Array, wholesale: Array) -> pd.DataFrame:
    """Adds line_no, list_price, discount, paid, net, tax and cost (cents; all but the list price per line) and coupon.

    quantity * list_price - discount = net + tax holds to the cent. A coupon takes its face value off the
    first line, at most half of it.
    """
    order, product, quantity = (lines[name].to_numpy() for name in ("order", "product", "quantity"))
    new = np.r_[True, order[1:] != order[:-1]]
    start = np.flatnonzero(new)
    line_no = np.arange(len(order)) - np.repeat(start, np.diff(np.r_[start, len(order)])) + 1
    list_price = range_.price[product]
    gross = list_price * quantity
    share = promoted[product, orders["day"].to_numpy()[order]]
    kind, buyer = orders["kind"].to_numpy()[order], orders["customer"].to_numpy()[order]
    share = np.maximum(share, np.where(kind == "staff_purchase", 0.3, 0.0))
    share = np.maximum(share, np.where(np.append(wholesale, False)[buyer], 0.25, 0.0))
    discount = np.round(gross * share).astype("int64")
    coupon = new & (product == orders["coupon_product"].to_numpy()[order])
    face = orders["coupon_face"].to_numpy()[order]
    discount += np.where(coupon, np.minimum(face, (gross - discount) // 2), 0)
    discount = np.where(orders["zero"].to_numpy()[order], gross, discount)
    paid = gross - discount
    net = (paid * 200 + 100 + _VAT) // (2 * (100 + _VAT))
    return lines.assign(
        line_no=line_no,
        list_price=list_price,
        discount=discount,
        net=net,
        tax=paid - net,
        cost=range_.cost[product] * quantity,
        coupon=coupon,
    )


def make_returns(
    calendar: Calendar,
    places: Places,
    range_: Range,
    people: People,
    orders: pd.DataFrame,
    lines: pd.DataFrame,
    faulty: Array,
    seed: int,
) -> pd.DataFrame:
    """Returned lines in order of time: line (row of ``lines``), linked, day, second, store, quantity, refund, reason.

    ``faulty`` marks lines of the lot behind the complaint wave. Refunds are cents excl. tax. A tenth comes back
    without its receipt (linked is false); one in seven online purchases is brought to the home store.
    """
    rng = stream(seed, "returns")
    order = lines["order"].to_numpy()
    sale = ((orders["kind"] == "sale") & (orders["cancelled_after"] < 0) & ~orders["zero"]).to_numpy()[order]
    goods = range_.supplier[lines["product"]] >= 0
    online = (orders["store"] >= places.shops).to_numpy()[order]
    chance = np.where(faulty, 0.2, np.where(online, 0.055, 0.022))
    line = np.flatnonzero(sale & goods & (rng.random(len(order)) < chance))
    day = orders["day"].to_numpy()[order[line]] + rng.integers(1, 22, len(line))
    line, day = line[day < calendar.days], day[day < calendar.days]
    count = len(line)
    buyer, store = orders["customer"].to_numpy()[order[line]], orders["store"].to_numpy()[order[line]]
    bring = (store >= places.shops) & (buyer >= 0) & (rng.random(count) < 0.15)
    store = np.where(bring, np.append(people.home, 0)[buyer], store)
    # A closed shop takes nothing back.
    shut = places.closed[store, day]
    line, day, store, buyer = line[~shut], day[~shut], store[~shut], buyer[~shut]
    count = len(line)
    quantity = lines["quantity"].to_numpy()[line]
    back = np.where(rng.random(count) < 0.85, quantity, np.ceil(quantity / 2).astype(int))
    reason = RETURN_REASONS[rng.choice(5, count, p=[0.4, 0.22, 0.18, 0.15, 0.05])]
    frame = pd.DataFrame(
        {
            "line": line,
            "linked": rng.random(count) >= 0.1,
            "day": day,
            "second": rng.integers(10 * 3600, 22 * 3600, count),
            "store": store,
            "quantity": back,
            "refund": lines["net"].to_numpy()[line] * back // quantity,
            "reason": np.where(faulty[line], "allergy", reason),
        }
    )
    return frame.sort_values(["day", "second"], kind="stable", ignore_index=True)
