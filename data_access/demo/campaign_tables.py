"""The tables of the campaigns: what marketing planned, who was assigned, and every step customers took."""

import numpy as np
import pandas as pd

from data_access.demo import names
from data_access.demo.calendar import Calendar
from data_access.demo.campaigns import CONTROL, Campaign, arm_name, campaign_id, coupon_code
from data_access.demo.world import Array, Places, dates, label, stream, translations, utc

_CHANNELS = ("sms", "wechat", "mini_program", "sms", "wechat", "event")
_AUDIENCES = {
    "random_with_holdout": "registered customers, drawn at random, with a control group",
    "propensity_without_holdout": "the fifth of customers with most receipts in the last 120 days, no control group",
    "random_without_holdout": "registered customers, drawn at random, no control group",
    "planned": "to be decided",
}


def campaign_frames(
    calendar: Calendar,
    places: Places,
    orders: pd.DataFrame,
    campaigns: list[Campaign],
    labels: dict[str, Array],
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Tables campaign, its arms, stores, products, members, events and coupons, and the English names.

    ``orders`` is in order of time with instants in ``at``; ``labels`` gives the ids by position of customer,
    store, product and order.
    """
    rng = stream(seed, "campaign frames")
    first = np.array([campaign.first for campaign in campaigns])
    known = utc(calendar.start, np.minimum(first - 14, calendar.days - 6), 10 * 3600)
    keys = np.array([campaign_id(campaign) for campaign in campaigns], dtype=object)
    themes = [names.CAMPAIGN_THEMES[n % len(names.CAMPAIGN_THEMES)] for n in range(len(campaigns))]
    months = dates(calendar.start, first).astype("datetime64[M]").astype(str)
    named = [(f"{theme[0]} {month}", f"{theme[1]} {month}") for theme, month in zip(themes, months, strict=True)]
    offers = [_offer(campaign, theme) for campaign, theme in zip(campaigns, themes, strict=True)]
    frames = {
        "campaign": _campaigns(rng, calendar, orders, campaigns).assign(
            name=[zh for zh, _ in named],
            type=[theme[2] for theme in themes],
            objective=[theme[3] for theme in themes],
            offer=[zh for zh, _ in offers],
        ),
        "campaign_event": _events(rng, calendar, orders, campaigns, labels),
        **_coupons(calendar, campaigns, labels["product"]),
    }
    arms = [(n, arm, share) for n, campaign in enumerate(campaigns) for arm, share in _shares(campaign)]
    frames["campaign_arm"] = pd.DataFrame(
        {
            "campaign_id": keys[[n for n, _, _ in arms]],
            "arm": [arm_name(arm) for _, arm, _ in arms],
            "is_control": [arm < 0 for _, arm, _ in arms],
            "planned_share": [share for _, _, share in arms],
            "updated_at": known[[n for n, _, _ in arms]],
        }
    )
    sites = [(n, store) for n, c in enumerate(campaigns) for store in np.flatnonzero(_takes_part(places, c))]
    row, store = np.array(sites).T
    frames["campaign_store"] = pd.DataFrame(
        {"campaign_id": keys[row], "store_id": labels["store"][store], "updated_at": known[row]}
    )
    row = np.repeat(np.arange(len(campaigns)), [len(campaign.products) for campaign in campaigns])
    product = np.concatenate([campaign.products for campaign in campaigns])
    frames["campaign_product"] = pd.DataFrame(
        {"campaign_id": keys[row], "product_id": labels["product"][product], "updated_at": known[row]}
    )
    row = np.repeat(np.arange(len(campaigns)), [len(campaign.member) for campaign in campaigns])
    assigned = utc(calendar.start, first[row] - 1, 18 * 3600)
    arm_names = np.array(["A", "B", CONTROL], dtype=object)
    frames["campaign_member"] = pd.DataFrame(
        {
            "campaign_id": keys[row],
            "customer_id": labels["customer"][np.concatenate([campaign.member for campaign in campaigns])],
            "arm": arm_names[np.concatenate([campaign.arm for campaign in campaigns])],
            "assigned_at": assigned,
            "updated_at": assigned,
        }
    )
    said = [translations("campaign.name", named), translations("campaign.offer", offers)]
    frames["translation"] = pd.concat(said, ignore_index=True)
    return frames


def _offer(campaign: Campaign, theme: tuple[str, ...]) -> tuple[str, str]:
    """What its customers get, in Chinese and English; of several arms the worth of each."""
    worth = [str(cents // 100) for cents in campaign.face]
    return f"{theme[4]} {' / '.join(worth)} 元", f"{theme[5]}, {' / '.join(worth)} yuan off"


def _takes_part(places: Places, campaign: Campaign) -> Array:
    return (places.region == campaign.region) | (campaign.region < 0)


def _shares(campaign: Campaign) -> list[tuple[int, float]]:
    arms = len(campaign.chances)
    if not campaign.has_control:
        return [(0, 1.0)]
    held_back = 0.3 if arms == 1 else 0.2
    return [(-1, held_back), *((arm, (1 - held_back) / arms) for arm in range(arms))]


def _campaigns(
    rng: np.random.Generator,
    calendar: Calendar,
    orders: pd.DataFrame,
    campaigns: list[Campaign],
) -> pd.DataFrame:
    """Table campaign without what the themes say."""
    count = len(campaigns)
    first = np.array([campaign.first for campaign in campaigns])
    window = np.array([campaign.window for campaign in campaigns])
    treated = np.array([(campaign.arm >= 0).sum() for campaign in campaigns])
    spent = orders["campaign"].to_numpy()
    redeemed = np.bincount(spent[spent >= 0], minlength=count)
    return pd.DataFrame(
        {
            "campaign_id": [campaign_id(campaign) for campaign in campaigns],
            "channel": [_CHANNELS[n % len(_CHANNELS)] for n in range(count)],
            "audience_rule": [_AUDIENCES[campaign.selection] for campaign in campaigns],
            "promo_code": [f"BM{campaign.number + 1:02d}" for campaign in campaigns],
            "starts_on": dates(calendar.start, first),
            "ends_on": dates(calendar.start, first + window - 1),
            "window_days": window,
            "cost_media": np.round(rng.uniform(0.2, 0.8, count) * treated + 500),
            "cost_message": np.round(treated * 0.06, 2),
            "cost_other": np.round(rng.uniform(300, 2_500, count)),
            "staff_hours": np.round(rng.uniform(6, 60, count), 1),
            "is_planned": first >= calendar.days,
            # Platforms credit themselves with whoever bought after seeing an advertisement.
            "platform_conversions": np.round(redeemed * rng.uniform(1.3, 2.4, count)).astype(int),
            "updated_at": utc(calendar.start, np.minimum(first - 14, calendar.days - 6), 10 * 3600),
        }
    )


def _coupons(calendar: Calendar, campaigns: list[Campaign], product_id: Array) -> dict[str, pd.DataFrame]:
    """Tables coupon and coupon_product: one coupon per arm, worth its face value on the campaign's products."""
    made = [(campaign, arm) for campaign in campaigns for arm in range(len(campaign.chances))]
    first = np.array([campaign.first for campaign, _ in made])
    coupon = pd.DataFrame(
        {
            "campaign_id": [campaign_id(campaign) for campaign, _ in made],
            "coupon_code": [coupon_code(campaign, arm) for campaign, arm in made],
            "kind": "amount_off",
            "face_value": [campaign.face[arm] / 100 for campaign, arm in made],
            "valid_from": dates(calendar.start, first),
            "valid_to": dates(calendar.start, first + np.array([campaign.window for campaign, _ in made]) - 1),
            "updated_at": utc(calendar.start, np.minimum(first - 14, calendar.days - 6), 10 * 3600),
        }
    )
    row = np.repeat(np.arange(len(made)), [len(campaign.products) for campaign, _ in made])
    coupon_product = coupon[["campaign_id", "coupon_code"]].iloc[row].reset_index(drop=True)
    coupon_product["product_id"] = product_id[np.concatenate([campaign.products for campaign, _ in made])]
    coupon_product["updated_at"] = coupon["updated_at"].to_numpy()[row]
    return {"coupon": coupon, "coupon_product": coupon_product}


def _events(
    rng: np.random.Generator,
    calendar: Calendar,
    orders: pd.DataFrame,
    campaigns: list[Campaign],
    labels: dict[str, Array],
) -> pd.DataFrame:
    """Table campaign_event, in order of time: steps of treated customers only; who redeems went through them all."""
    end = utc(calendar.start, np.array(calendar.days), -1)
    parts = [_steps(rng, calendar, orders, campaign, labels) for campaign in campaigns if len(campaign.member)]
    events = pd.concat(parts, ignore_index=True)
    events = events[events["occurred_at"] <= end].sort_values("occurred_at", kind="stable", ignore_index=True)
    events.insert(0, "event_id", [f"ME{number:07d}" for number in range(1, len(events) + 1)])
    return events.assign(updated_at=events["occurred_at"])


def _steps(
    rng: np.random.Generator,
    calendar: Calendar,
    orders: pd.DataFrame,
    campaign: Campaign,
    labels: dict[str, Array],
) -> pd.DataFrame:
    member, arm = campaign.member[campaign.arm >= 0], campaign.arm[campaign.arm >= 0]
    count = len(member)
    sent = utc(calendar.start, np.full(count, campaign.first), 10 * 3600 + rng.integers(0, 1_800, count))
    carrier = np.flatnonzero(orders["campaign"].to_numpy() == campaign.number)
    at_member = np.searchsorted(member, orders["customer"].to_numpy()[carrier])
    order = np.full(count, -1)
    order[at_member] = carrier
    bought = np.append(orders["at"].to_numpy(), np.datetime64("NaT", "s"))[order]
    # Who bought on the first morning, before the message, redeemed a coupon handed out in the shop.
    early = (order >= 0) & (bought < sent + np.timedelta64(1, "h"))
    redeems = (order >= 0) & ~early
    chance = rng.random((6, count))
    delivered = (chance[0] < 0.95) | redeems
    opened = delivered & ((chance[1] < 0.4) | redeems)
    clicked = opened & ((chance[2] < 0.38) | redeems)
    visited = clicked & ((chance[3] < 0.5) | redeems)
    claimed = visited & ((chance[4] < 0.6) | redeems)
    left = opened & ~redeems & (chance[5] < 0.012)
    usual = np.cumsum(rng.exponential([[60], [30_000], [300], [20_000], [4_000]], (5, count)), axis=0)
    # Steps of who redeems lie between the message and the receipt.
    span = np.where(redeems, (bought - sent).astype("int64"), 0)
    seconds = np.where(redeems, np.sort(rng.random((5, count)), axis=0) * span, usual).astype("int64")
    channel = _CHANNELS[campaign.number % len(_CHANNELS)]
    present = "attended" if channel == "event" else "visited"
    code = np.array([coupon_code(campaign, a) for a in range(len(campaign.chances))], dtype=object)[arm]
    parts = [("sent", np.ones(count, dtype=bool), sent)]
    kinds = (
        ("delivered", delivered),
        ("opened", opened),
        ("clicked", clicked),
        (present, visited),
        ("claimed", claimed),
    )
    for step, (kind, who) in enumerate(kinds):
        parts.append((kind, who, sent + seconds[step].astype("timedelta64[s]")))
    parts.append(("unsubscribed", left, sent + (seconds[1] + 60).astype("timedelta64[s]")))
    parts.append(("redeemed", order >= 0, bought))
    featured = np.append(campaign.products, -1)
    frames = []
    for kind, who, at in parts:
        rows = np.flatnonzero(who)
        holds = kind in ("claimed", "redeemed")
        seen = featured[member[rows] % len(campaign.products)] if kind == "clicked" else np.full(len(rows), -1)
        frames.append(
            pd.DataFrame(
                {
                    "campaign_id": campaign_id(campaign),
                    "customer_id": labels["customer"][member[rows]],
                    "kind": kind,
                    "occurred_at": at[rows],
                    "channel": channel,
                    "message": np.where(arm[rows] == 0, "message_a", "message_b").astype(object),
                    "product_id": label(labels["product"], seen),
                    "coupon_code": code[rows] if holds else None,
                    "order_id": label(labels["order"], order[rows]) if kind == "redeemed" else None,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
