"""The view outside: the market month by month, competitors' prices, and the trial panel of a launch."""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import DAY, Array, Ground, at_local, days, only, pick
from data_access.demo.world import ids

_SOURCES = {
    "market_growth": "国家统计局月度社零数据",
    "search_index": "搜索指数",
    "followers": "自有社交账号后台",
    "mentions": "社媒监测周报",
    "review_score": "点评平台",
}
_UNITS = {
    "market_growth": "percent",
    "search_index": "index",
    "followers": "count",
    "mentions": "count",
    "review_score": "score",
}
_RISING = "天然成分"
_COMPETITORS = ("丽妍美妆", "悦颜集", "美丽方程式")
_PROMOTIONS = ("满300减50", "第二件半价", "会员日88折", "买正装送小样", "限时直降")
_COMMENTS = {
    1: ("涂完脸发红，不敢再用。", "味道太重，接受不了。"),
    2: ("偏油，闷闷的。", "效果不明显。"),
    3: ("中规中矩，和现在用的差不多。", "质地可以，价格偏高。"),
    4: ("吸收快，第二天皮肤挺软的。", "上脸很舒服，会考虑买正装。"),
    5: ("非常喜欢，已经推荐给同事。", "用了一周肤色亮了，回购！"),
}


def market_observation(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per month, metric and category (none for the figures of the own brand)."""
    months = np.arange(g.first_day.astype("datetime64[M]"), g.last_day.astype("datetime64[M]"))
    step = np.arange(len(months))
    season = 1 + 0.08 * np.sin(2 * np.pi * (step + 2) / 12)
    categories = sorted(g.core["product"]["category"].dropna().unique())
    series: list[tuple[str, str | None, Array]] = []
    for category in categories:
        growth = rng.normal(4.5, 2.5) + rng.normal(0, 1.2, len(months)) + 6 * (season - 1)
        series.append(("market_growth", category, growth.round(1)))
        level = rng.uniform(60, 140) * season * rng.lognormal(0, 0.04, len(months))
        series.append(("search_index", category, level.round(1)))
    natural = 80 * 1.025**step * rng.lognormal(0, 0.04, len(months))
    series.append(("search_index", _RISING, natural.round(1)))
    series.append(("followers", None, (52_000 + np.cumsum(rng.integers(300, 1_500, len(months)))).astype(float)))
    series.append(("mentions", None, (2_400 * season * rng.lognormal(0, 0.15, len(months))).round()))
    series.append(("review_score", None, (4.6 + rng.normal(0, 0.06, len(months))).clip(1, 5).round(2)))
    frame = pd.concat(
        [
            pd.DataFrame(
                {"month": months, "metric": metric, "category": category, "value": value, "unit": _UNITS[metric]}
            )
            for metric, category, value in series
        ],
        ignore_index=True,
    )
    # A month's figure is published on its last day.
    observed = days(frame.pop("month")).astype("datetime64[M]") + 1
    frame["observed_on"] = observed.astype("datetime64[D]") - DAY
    frame["source"] = frame["metric"].map(_SOURCES)
    frame["updated_at"] = at_local(days(frame["observed_on"]), 18 * 3600)
    frame.insert(0, "observation_id", ids("MO", len(frame), 5))
    return frame


def competitor_observation(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per competitor, comparable product and monthly store check; price incl. tax in the own currency."""
    goods = np.flatnonzero((g.products["kind"] != "service").to_numpy())
    sold = np.bincount(g.lines["product"], minlength=len(g.products))
    watched = goods[np.argsort(-sold[goods], kind="stable")][:30]
    visits = np.arange(max(g.first_day, g.last_day - 540 * DAY), g.last_day, 30 * DAY)
    product = np.tile(np.repeat(watched, len(_COMPETITORS)), len(visits))
    competitor = np.tile(np.array(_COMPETITORS, dtype=object), len(visits) * len(watched))
    rival = np.tile(np.arange(len(_COMPETITORS)), len(visits) * len(watched))
    seen = np.repeat(visits, len(watched) * len(_COMPETITORS)) + rng.integers(0, 5, len(product)) * DAY
    stance = rng.normal(0, 0.06, (len(_COMPETITORS), len(g.products)))[rival, product]
    deal = rng.random(len(product)) < 0.22
    ours = g.products["list_price"].to_numpy(dtype=float)[product]
    price = np.maximum(1, (ours * np.exp(stance) * np.where(deal, 0.82, 1.0)).round())
    seen = np.minimum(seen, g.last_day)
    found = rng.random(len(product)) < 0.8  # the rest was not on the shelf that day
    return pd.DataFrame(
        {
            "observation_id": ids("CO", len(product), 5),
            "observed_on": seen,
            "competitor": competitor,
            "product_id": g.label("products", product),
            "price": price,
            "promotion": only(deal, pick(rng, _PROMOTIONS, len(product))),
            "source": pick(rng, ("门店走访", "官方旗舰店页面"), len(product), (0.4, 0.6)),
            "updated_at": at_local(seen, 20 * 3600),
        }
    )[found].reset_index(drop=True)


def _launches(g: Ground) -> Array:
    """The last two goods launched with at least 45 days of history behind and 30 days of sales ahead of them."""
    launched = days(g.products["launched_on"])
    goods = (g.products["kind"] != "service").to_numpy()
    fits = goods & (launched > g.first_day + 45 * DAY) & (launched < g.last_day - 30 * DAY)
    if not fits.any():
        fits = goods
    order = np.argsort(np.where(fits, launched.astype("int64"), -1), kind="stable")
    return order[-2:]


def trial(g: Ground, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trials (one customer invited to one product before its launch) and the feedback given on them."""
    products = _launches(g)
    launched = np.clip(days(g.products["launched_on"])[products], g.first_day + 45 * DAY, g.last_day - 30 * DAY)
    invited_each = max(25, len(g.customers) // 60)
    product = np.repeat(np.arange(len(products)), invited_each)
    members = np.flatnonzero(
        g.customers["person"].to_numpy() & (days(g.customers["joined"]) < launched.min() - 45 * DAY)
    )
    members = members if len(members) > invited_each else np.flatnonzero(g.customers["person"].to_numpy())
    customer = np.concatenate(
        [rng.choice(members, invited_each, replace=len(members) < invited_each) for _ in products]
    )
    count = len(product)
    first = np.maximum(launched[product] - 40 * DAY, days(g.customers["joined"])[customer])
    invited = at_local(first, rng.integers(9 * 3600, 18 * 3600, count))
    joins = rng.random(count) < 0.58
    joined = g.until_end(invited + rng.integers(1800, 6 * 86_400, count).astype("timedelta64[s]"))
    joined[~joins] = np.datetime64("NaT")
    given = g.until_end(joined + rng.integers(7 * 86_400, 21 * 86_400, count).astype("timedelta64[s]"))
    trials = pd.DataFrame(
        {
            "trial_id": ids("TR", count, 5),
            "product_id": g.label("products", products[product]),
            "customer_id": g.label("customers", customer),
            "invited_at": invited,
            "joined_at": joined,
            "updated_at": np.where(np.isnat(joined), invited, joined),
        }
    )
    answered = np.flatnonzero(~np.isnat(given) & (rng.random(count) < 0.76))
    liking = np.array([3.5, 4.1])[product[answered]]
    score = np.clip(np.rint(rng.normal(liking, 0.9)), 1, 5).astype(int)
    spoken = np.array(
        [_COMMENTS[s][k] for s, k in zip(score, rng.integers(0, 2, len(score)), strict=True)], dtype=object
    )
    feedback = pd.DataFrame(
        {
            "feedback_id": ids("TF", len(answered), 5),
            "trial_id": trials["trial_id"].to_numpy()[answered],
            "given_at": given[answered],
            "score": score,
            "text": only(rng.random(len(answered)) < 0.6, spoken),
            "updated_at": given[answered],
        }
    )
    return trials, feedback
