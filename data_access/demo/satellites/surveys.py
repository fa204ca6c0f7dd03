"""Surveys: whom the chain asks, who answers, and what they say."""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import Array, Ground, instants, pick, seconds
from data_access.demo.world import ids

# kind: share of known receipts that are followed by an invitation, answered share, mean and spread of the score
_KINDS = {
    "nps": (0.035, 0.30, 8.3, 1.9),
    "csat": (0.06, 0.34, 4.3, 0.8),
    "staff": (0.045, 0.31, 4.4, 0.75),
    "product": (0.04, 0.27, 4.2, 0.85),
}
_RANGE = {"nps": (0, 10), "csat": (1, 5), "staff": (1, 5), "product": (1, 5)}
_CHANNELS, _CHANNEL_WEIGHTS = ("wechat", "sms", "mini_program"), (0.6, 0.25, 0.15)
_ANSWERS_BY_CHANNEL = np.array([1.15, 0.55, 1.15])
_COMPLAINED = 0.45  # the part of the distance to the top of the scale that a complaint takes away
_PRE_SALE_SHARE = 0.012
_WORDS = {
    "good": ("导购很专业，推荐的都适合我。", "环境很好，护理很放松。", "很好用，会回购。", "发货快，包装精致。"),
    "fine": ("还可以，希望多一些优惠。", "整体不错，等待时间有点长。", "中规中矩。"),
    "bad": ("推销太多，不太舒服。", "效果和宣传不一样。", "售后回复太慢。", "色号缺货，白跑一趟。"),
}


def survey(g: Ground, rng: np.random.Generator, tickets: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Invitations, and the answers: to them, from the code on the till without one, and before a purchase."""
    asked = _asked(g, rng)
    count = len(asked)
    channel = rng.choice(len(_CHANNELS), count, p=_CHANNEL_WEIGHTS)
    kind = asked["kind"].to_numpy(dtype=object)
    sent = instants(asked["sent"])
    invitations = pd.DataFrame(
        {
            "invitation_id": ids("SI", count, 6),
            "customer_id": g.label("customers", asked["customer"].to_numpy()),
            "kind": kind,
            "channel": np.array(_CHANNELS, dtype=object)[channel],
            "sent_at": sent,
            "updated_at": sent,
        }
    )
    chance = asked["kind"].map({name: row[1] for name, row in _KINDS.items()}).to_numpy()
    answered = sent + seconds(rng.lognormal(np.log(7 * 3600), 1.3, count))
    reply = np.flatnonzero((rng.random(count) < chance * _ANSWERS_BY_CHANNEL[channel]) & (answered <= g.end))
    replies = asked.iloc[reply].assign(
        invitation=invitations["invitation_id"].to_numpy()[reply], at=answered[reply], stage="post_sale"
    )
    everything = pd.concat([replies, _at_the_till(g, rng), _before_buying(g, rng)], ignore_index=True)
    return invitations, _answers(g, rng, everything, tickets)


def _asked(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    person = np.append(g.customers["person"].to_numpy(), False)
    known = np.flatnonzero(person[g.orders["customer"].to_numpy()])
    parts = []
    for kind, (share, *_) in _KINDS.items():
        order = known[rng.random(len(known)) < share]
        if kind == "staff":
            order = order[g.orders["staff"].to_numpy()[order] >= 0]
        wait = 10 * 86_400 if kind == "product" else 86_400
        sent = g.orders["at"].to_numpy()[order] + seconds(wait + rng.integers(0, 8 * 3600, len(order)))
        frame = pd.DataFrame({"order": order, "kind": kind, "sent": sent})
        frame["product"] = _first_product(g)[order] if kind == "product" else -1
        parts.append(frame[sent <= g.end])
    asked = pd.concat(parts, ignore_index=True).sort_values("sent", kind="stable", ignore_index=True)
    order = asked["order"].to_numpy()
    asked["customer"] = g.orders["customer"].to_numpy()[order]
    asked["staff"] = g.orders["staff"].to_numpy()[order]
    return asked


def _first_product(g: Ground) -> Array:
    order = g.lines["order"].to_numpy()
    found = np.full(len(g.orders), -1)
    found[order[::-1]] = g.lines["product"].to_numpy()[::-1]
    return found


def _at_the_till(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """Satisfaction given on the spot by scanning a code: no invitation, often no known customer."""
    order = g.share(rng, len(g.orders), 0.008)
    order = order[~g.orders["online"].to_numpy()[order]]
    at = g.orders["at"].to_numpy()[order] + seconds(rng.integers(60, 900, len(order)))
    frame = pd.DataFrame({"order": order, "kind": "csat", "at": at, "product": -1, "stage": "post_sale"})
    frame["customer"] = g.orders["customer"].to_numpy()[order]
    frame["staff"] = g.orders["staff"].to_numpy()[order]
    return frame[at <= g.end]


def _before_buying(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """First impressions of a product, asked at the shelf some days before the purchase."""
    known = np.flatnonzero(g.orders["customer"].to_numpy() >= 0)
    order = known[rng.random(len(known)) < _PRE_SALE_SHARE]
    at = g.orders["at"].to_numpy()[order] - seconds(rng.integers(1, 12, len(order)) * 86_400)
    frame = pd.DataFrame({"order": -1, "kind": "product", "at": at, "stage": "pre_sale", "staff": -1}, index=order)
    frame["customer"] = g.orders["customer"].to_numpy()[order]
    frame["product"] = _first_product(g)[order]
    return frame


def _answers(g: Ground, rng: np.random.Generator, asked: pd.DataFrame, tickets: pd.DataFrame) -> pd.DataFrame:
    kind, count = asked["kind"], len(asked)
    low, high = (kind.map({name: ends[end] for name, ends in _RANGE.items()}).to_numpy() for end in (0, 1))
    mean, spread = (kind.map({name: row[place] for name, row in _KINDS.items()}).to_numpy() for place in (2, 3))
    order, staff, product = (asked[name].to_numpy().astype(int) for name in ("order", "staff", "product"))
    manner = np.append(_manner(g, rng), 0.0)[staff] * np.where(kind == "staff", 1.0, 0.4)
    liked = np.append(rng.normal(0, 0.3, len(g.products)), 0.0)[product]
    complained = tickets.loc[tickets["is_complaint"], "order_id"]
    troubled = pd.Series(g.label("orders", order)).isin(complained).to_numpy()
    mean = mean + (manner + liked) * np.where(kind == "nps", 2.0, 1.0)
    mean = mean - _COMPLAINED * (mean - low) * troubled
    mean = mean - 0.15 * (asked["stage"] == "pre_sale").to_numpy()
    score = np.clip(np.rint(rng.normal(mean, spread)), low, high).astype(int)
    rank = (score - low) / (high - low)
    mood = np.select([rank >= 0.8, rank >= 0.55], ["good", "fine"], "bad")
    text = np.full(count, None, dtype=object)
    for word, choices in _WORDS.items():
        rows = np.flatnonzero((mood == word) & (rng.random(count) < 0.35))
        text[rows] = pick(rng, choices, len(rows))
    about_staff = (kind == "staff").to_numpy() | (kind == "csat").to_numpy()
    at = instants(asked["at"])
    frame = pd.DataFrame(
        {
            "invitation_id": asked["invitation"].to_numpy(dtype=object),
            "kind": kind.to_numpy(dtype=object),
            "stage": asked["stage"].to_numpy(dtype=object),
            "score": score,
            "text": text,
            "answered_at": at,
            "customer_id": g.label("customers", asked["customer"].to_numpy().astype(int)),
            "order_id": g.label("orders", order),
            "staff_id": g.label("staff", np.where(about_staff, staff, -1)),
            "product_id": g.label("products", product),
            "updated_at": at,
        }
    ).sort_values("answered_at", kind="stable", ignore_index=True)
    frame.insert(0, "answer_id", ids("SA", len(frame), 6))
    return frame


def _manner(g: Ground, rng: np.random.Generator) -> Array:
    """How pleasant each person is to customers, as a shift of the mean score."""
    return rng.normal(0, 0.25, len(g.staff))
