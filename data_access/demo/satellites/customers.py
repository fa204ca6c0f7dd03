"""What a retailer knows of a customer besides the purchases: identities, tags, moments, behaviour."""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import (
    DAY,
    Array,
    Ground,
    at_local,
    days,
    pick,
    seconds,
)
from data_access.demo.world import ids, translations

_TAGS = (
    ("送礼", "buys gifts", 0.10),
    ("新品尝鲜", "tries what is new", 0.12),
    ("直播间", "from live streams", 0.14),
    ("学生", "student", 0.07),
    ("宝妈", "young mother", 0.11),
    ("价格敏感", "minds the price", 0.16),
    ("偏好到店体验", "likes to try in the store", 0.18),
    ("请勿工作时间来电", "no calls in working hours", 0.05),
)
_IDENTITIES = (("wechat_unionid", 0.74), ("mini_program", 0.52), ("tmall", 0.31))
_ALPHABET = np.array(list("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"))
_MOMENTS = (("wedding_anniversary", 0.09), ("child_birthday", 0.07), ("skin_care_start", 0.05))
_EVENT_KINDS = (("app", 0.34), ("web", 0.26), ("social", 0.18), ("chat", 0.12), ("try_on", 0.10))


def customer_tag(g: Ground, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per customer and tag, and the English texts."""
    parts = []
    for tag, _, share in _TAGS:
        chosen = g.share(rng, len(g.customers), share)
        parts.append(pd.DataFrame({"customer": chosen, "tag": tag}))
    frame = pd.concat(parts, ignore_index=True)
    customer = frame.pop("customer").to_numpy()
    tagged = _after_joining(g, rng, customer)
    frame.insert(0, "customer_id", g.label("customers", customer))
    frame["tagged_at"] = frame["updated_at"] = tagged
    texts = translations("customer_tag.tag", [(tag, text) for tag, text, _ in _TAGS])
    return frame[tagged <= g.end].reset_index(drop=True), texts


def _after_joining(g: Ground, rng: np.random.Generator, customer: Array) -> Array:
    joined = np.maximum(days(g.customers["joined"])[customer], g.first_day - 365 * DAY)
    length = (g.last_day - joined).astype(int).clip(0)
    day = joined + (rng.random(len(customer)) ** 2 * length).astype(int) * DAY
    return at_local(day, rng.integers(10 * 3600, 20 * 3600, len(customer)))


def customer_metric(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per customer, metric and day it describes.

    ``last_year_spend`` is the net sales of the calendar year that ends on ``as_of``; ``spend_before_crm`` what
    the system before this CRM had recorded for customers who joined before the first receipt.
    """
    known = g.orders[g.orders["customer"] >= 0]
    year = known["day"].to_numpy().astype("datetime64[Y]")
    closed = (year > g.first_day.astype("datetime64[Y]")) & (year < g.last_day.astype("datetime64[Y]"))
    totals = known[closed].groupby([known["customer"][closed], year[closed]])["net"].sum().reset_index()
    totals.columns = pd.Index(["customer", "year", "value"])
    spend = pd.DataFrame(
        {
            "customer": totals["customer"],
            "metric": "last_year_spend",
            "as_of": (days(totals["year"]).astype("datetime64[Y]") + 1).astype("datetime64[D]") - DAY,
            "value": totals["value"],
        }
    )
    before = np.flatnonzero(days(g.customers["joined"]) < g.first_day)
    migrated = pd.DataFrame(
        {
            "customer": before,
            "metric": "spend_before_crm",
            "as_of": g.first_day - DAY,
            "value": rng.lognormal(6.8, 0.9, len(before)),
        }
    )
    frame = pd.concat([spend, migrated], ignore_index=True)
    as_of = days(frame["as_of"])
    return pd.DataFrame(
        {
            "customer_id": g.label("customers", frame["customer"].to_numpy()),
            "metric": frame["metric"],
            "as_of": as_of,
            "value": frame["value"].round(2).map("{:.2f}".format),
            "updated_at": np.minimum(at_local(as_of + 5 * DAY, 3 * 3600), g.end),
        }
    )


def customer_identity(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per channel and external id; some ids belong to nobody known yet."""
    parts = []
    for channel, share in _IDENTITIES:
        chosen = g.share(rng, len(g.customers), share)
        strangers = np.full(max(2, len(chosen) // 40), -1)
        parts.append(pd.DataFrame({"channel": channel, "customer": np.r_[chosen, strangers]}))
    frame = pd.concat(parts, ignore_index=True)
    customer = frame.pop("customer").to_numpy()
    letters = _ALPHABET[rng.integers(0, len(_ALPHABET), (len(frame), 24))]
    linked = _after_joining(g, rng, np.maximum(customer, 0))
    frame["external_id"] = "o" + pd.Series(np.ascontiguousarray(letters).view("U24").ravel(), dtype=object)
    frame["customer_id"] = g.label("customers", customer)
    frame["linked_at"] = np.where(customer >= 0, linked, np.datetime64("NaT", "s"))
    frame["updated_at"] = linked
    return frame[linked <= g.end].reset_index(drop=True)


def customer_moment(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per customer and kind of yearly occasion, as MM-DD."""
    parts = []
    for kind, share in _MOMENTS:
        chosen = g.share(rng, len(g.customers), share)
        day = np.datetime64("2025-01-01") + rng.integers(0, 365, len(chosen)) * DAY
        parts.append(
            pd.DataFrame(
                {
                    "customer": chosen,
                    "kind": kind,
                    "month_day": np.datetime_as_string(day).astype(object),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    customer = frame.pop("customer").to_numpy()
    frame["month_day"] = frame["month_day"].str[5:]
    frame.insert(0, "customer_id", g.label("customers", customer))
    frame["updated_at"] = np.minimum(_after_joining(g, rng, customer), g.end)
    return frame


def customer_event(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per thing done without buying: looking at a product in the days before buying it, or just looking."""
    known = g.lines["order"].to_numpy()
    known = np.flatnonzero(g.orders["customer"].to_numpy()[known] >= 0)
    goods = (g.products["kind"] != "service").to_numpy()
    bought = known[rng.random(len(known)) < 0.16]
    order = g.lines["order"].to_numpy()[bought]
    before = g.orders["at"].to_numpy()[order] - seconds(
        rng.exponential(2.5 * 86_400, len(order)).clip(300, 20 * 86_400)
    )
    looked = known[rng.integers(0, len(known), int(len(known) * 0.11))]
    later = g.orders["at"].to_numpy()[g.lines["order"].to_numpy()[looked]]
    later = later + seconds(rng.exponential(40 * 86_400, len(looked)))
    wanted = np.where(rng.random(len(looked)) < 0.85, rng.choice(np.flatnonzero(goods), len(looked)), -1)

    customer = g.orders["customer"].to_numpy()[np.r_[order, g.lines["order"].to_numpy()[looked]]]
    product = np.r_[g.lines["product"].to_numpy()[bought], wanted]
    at = np.r_[before, later]
    kept = np.flatnonzero(at <= g.end)
    kept = kept[np.argsort(at[kept], kind="stable")]
    kinds, weights = zip(*_EVENT_KINDS, strict=True)
    return pd.DataFrame(
        {
            "event_id": ids("CE", len(kept), 7),
            "customer_id": g.label("customers", customer[kept]),
            "kind": pick(rng, kinds, len(kept), weights),
            "product_id": g.label("products", product[kept]),
            "occurred_at": at[kept],
            "updated_at": at[kept],
        }
    )
