"""What the big chain stands on: its calendar, places and range, and the tools its random draws are made with.

Every draw is ``u(i, stream)``, a number from 0 to 1 that depends on the seed, the row ``i`` and the topic ``stream``
alone. It hashes one number: hashing several columns together would combine their hashes by XOR, and columns drawn
for one row would depend on each other.

A *wheel* draws from weighted items by one join: every item owns slots in proportion to its weight, and a row takes
the item of the slot its own draw points at.
"""

import hashlib
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from data_access.demo import calendar as hours
from data_access.demo import names
from data_access.demo.calendar import Calendar, make_calendar

MONTHS, STORES, SHOPS, REGIONS, PRODUCTS, POSTS = 24, 50, 48, 6, 2_000, 8
SLOTS = 16_384

_REGIONS = (*names.REGIONS, ("R5", "华中大区", "Central China"), ("R6", "东北大区", "Northeast China"))
# City, English, tier, latitude, longitude; the region of a city is its place here modulo six.
_CITIES = (
    ("上海", "Shanghai", "1", 31.24, 121.48), ("广州", "Guangzhou", "1", 23.13, 113.33),
    ("北京", "Beijing", "1", 39.93, 116.46), ("成都", "Chengdu", "new_1", 30.66, 104.08),
    ("武汉", "Wuhan", "new_1", 30.58, 114.29), ("沈阳", "Shenyang", "new_1", 41.80, 123.43),
    ("杭州", "Hangzhou", "new_1", 30.26, 120.16), ("深圳", "Shenzhen", "1", 22.54, 114.11),
    ("天津", "Tianjin", "new_1", 39.13, 117.20), ("重庆", "Chongqing", "new_1", 29.56, 106.58),
    ("长沙", "Changsha", "new_1", 28.20, 112.98), ("大连", "Dalian", "2", 38.91, 121.63),
    ("南京", "Nanjing", "new_1", 32.04, 118.78), ("厦门", "Xiamen", "2", 24.46, 118.08),
    ("石家庄", "Shijiazhuang", "2", 38.04, 114.50), ("昆明", "Kunming", "2", 25.04, 102.71),
    ("郑州", "Zhengzhou", "new_1", 34.75, 113.65), ("长春", "Changchun", "2", 43.89, 125.32),
    ("苏州", "Suzhou", "new_1", 31.31, 120.63), ("佛山", "Foshan", "2", 23.03, 113.12),
    ("太原", "Taiyuan", "2", 37.87, 112.56), ("遵义", "Zunyi", "3", 27.71, 106.94),
    ("宜昌", "Yichang", "3", 30.70, 111.29), ("哈尔滨", "Harbin", "2", 45.76, 126.64),
)  # fmt: skip
_SITES = (("中心广场店", "Central Plaza"), ("火车站店", "Railway Station"))
_ONLINE_PULL = 1.5


def lay(work: duckdb.DuckDBPyConnection, scale: str, seed: int, start: date, days: int) -> None:
    """Makes the macros, the tables ``place``, ``day`` and ``item`` and the wheels, all temporary.

    ``place``: one row per store, shops first; shop ``n`` lies in region ``n % 6``.
    ``day``: one row per day and site kind (online or shop) with ``before``, the share of all trade before that day.
    ``item``: one row per product; prices and costs in cents incl. and excl. tax.
    """
    offset = int.from_bytes(hashlib.sha256(f"{scale} {seed}".encode()).digest()[:7], "big")
    for macro in (
        f"u(i, stream) AS (hash(i::BIGINT * 1000 + stream + {offset}) >> 11) / 9007199254740992.0",
        f"slot(x) AS least(floor(x * {SLOTS}), {SLOTS - 1})::INTEGER",
        "among(words, x) AS words[1 + floor(x * len(words))::INTEGER]",
        "money(cents) AS (cents / 100.0)::DECIMAL(18, 4)",
        f"utc(day, second) AS TIMESTAMP '{start}' + to_seconds(day * 86400 + second - 28800)",
        "store_key(n) AS 'S' || lpad(n::VARCHAR, 3, '0')",
        "staff_key(n) AS 'E' || lpad(n::VARCHAR, 4, '0')",
        "product_key(n) AS 'P' || lpad(n::VARCHAR, 4, '0')",
        "customer_key(n) AS 'C' || lpad(n::VARCHAR, 7, '0')",
        "order_key(n) AS 'O' || lpad(n::VARCHAR, 8, '0')",
        "campaign_key(n) AS 'M' || lpad(n::VARCHAR, 3, '0')",
        "letter(letters, x) AS substr(letters, 1 + floor(x * length(letters))::INTEGER, 1)",
        "corrected(n, moment) AS CASE WHEN u(n, 9) < 0.01 "
        f"THEN least(moment + to_seconds(floor(u(n, 10) * 432000)), utc({days}, -1)) ELSE moment END",
        "coupon_key(campaign, arm) AS 'BM' || lpad(campaign::VARCHAR, 3, '0') || arm",
    ):
        work.execute(f"CREATE TEMP MACRO {macro}")
    calendar = make_calendar(start, days, flat=False)
    _keep(work, "day_weight", _day_weights(calendar))
    _keep(work, "hour_weight", _hour_weights())
    _keep(work, "place", _places())
    _keep(work, "kind", pd.DataFrame([vars(kind) | {"kind_no": n} for n, kind in enumerate(names.KINDS)]))
    _keep(work, "brand", pd.DataFrame(names.BRANDS, columns=["name", "name_en"]))
    _keep(work, "series", pd.DataFrame(names.SERIES, columns=["name", "name_en"]))
    _keep(work, "category", pd.DataFrame(names.CATEGORIES, columns=["name", "name_en"]).reset_index(names="category"))
    events = [(e.key, e.name, e.name_en, e.first, e.last) for e in calendar.events]
    _keep(work, "festival", pd.DataFrame(events, columns=["key", "name", "name_en", "first", "last"]))
    themes = pd.DataFrame(
        names.CAMPAIGN_THEMES, columns=["name", "name_en", "type", "objective", "coupon", "coupon_en"]
    )
    _keep(work, "theme", themes)
    work.execute(
        """CREATE TEMP TABLE day AS
        SELECT day, online, weekend,
            (sum(weight) OVER sofar - weight) / sum(weight) OVER (PARTITION BY online) AS before
        FROM day_weight WINDOW sofar AS (PARTITION BY online ORDER BY day)"""
    )
    work.execute(_ITEM)
    _wheel(work, "day_wheel", "SELECT online, day AS item, weight FROM day_weight", "online")
    _wheel(work, "hour_wheel", "SELECT online, weekend, hour AS item, weight FROM hour_weight", "online, weekend")
    _wheel(work, "home_wheel", "SELECT store_no AS item, pull AS weight FROM place", "1")
    _wheel(work, "shop_wheel", "SELECT store_no AS item, pull AS weight FROM place WHERE NOT online", "1")
    _wheel(work, "item_wheel", _ITEM_WEIGHT.format(start=start), "month")


def _keep(work: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    work.register("frame", frame)
    work.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM frame")
    work.unregister("frame")


def _wheel(work: duckdb.DuckDBPyConnection, name: str, weights: str, part: str) -> None:
    """``weights`` has columns item and weight, and those of ``part``: a wheel for each of their values."""
    work.execute(
        f"""CREATE TEMP TABLE {name} AS
        SELECT * EXCLUDE (upto, share, total),
            unnest(range(round(upto - share)::BIGINT, round(upto)::BIGINT))::INTEGER AS slot
        FROM (
            SELECT * EXCLUDE (weight), {SLOTS} * sum(weight) OVER (PARTITION BY {part} ORDER BY item) / total AS upto,
                {SLOTS} * weight / total AS share
            FROM (SELECT *, sum(weight) OVER (PARTITION BY {part}) AS total FROM ({weights}))
        )"""
    )


def _day_weights(calendar: Calendar) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"day": np.arange(calendar.days), "weekend": calendar.weekday >= 5, "weight": weight})
        for weight in (calendar.shop, calendar.online)
    ]
    return pd.concat([parts[0].assign(online=False), parts[1].assign(online=True)], ignore_index=True)


def _hour_weights() -> pd.DataFrame:
    """Shops keep their opening hours, and sell later in the day at weekends than on working days."""
    profiles = (
        (False, False, hours.SHOP_HOURS, hours.WORKDAY_PROFILE),
        (False, True, hours.SHOP_HOURS, hours.WEEKEND_PROFILE),
        (True, False, np.arange(24), hours.ONLINE_PROFILE),
        (True, True, np.arange(24), hours.ONLINE_PROFILE),
    )
    frames = [
        pd.DataFrame({"online": online, "weekend": weekend, "hour": hour, "weight": weight / weight.sum()})
        for online, weekend, hour, weight in profiles
    ]
    return pd.concat(frames, ignore_index=True)


def _places() -> pd.DataFrame:
    """48 shops in 24 cities and two online shops; big cities and first sites draw most customers."""
    pull_of = {"1": 1.7, "new_1": 1.2, "2": 0.9, "3": 0.6}
    rows: list[tuple[Any, ...]] = []
    for number in range(SHOPS):
        city, city_en, tier, latitude, longitude = _CITIES[number % len(_CITIES)]
        site, site_en = _SITES[number // len(_CITIES)]
        pull = pull_of[tier] * (1.0, 0.7)[number // len(_CITIES)]
        rows.append(
            (city + site, f"{city_en} {site_en}", city, city_en, tier, latitude, longitude, round(120 * pull), pull)
        )
    for place in names.ONLINE:
        rows.append(
            (place.name, place.name_en, place.city, place.city_en, place.tier, place.latitude, place.longitude,
             None, _ONLINE_PULL)
        )  # fmt: skip
    frame = pd.DataFrame(
        rows, columns=["name", "name_en", "city", "city_en", "city_tier", "latitude", "longitude", "area_m2", "pull"]
    )
    position = np.arange(STORES)
    frame.insert(0, "store_no", position + 1)
    region = np.where(position < SHOPS, position % REGIONS, (position - SHOPS) % 2)
    frame["region_no"] = region
    frame["region_id"] = [_REGIONS[r][0] for r in region]
    frame["region"] = [_REGIONS[r][1] for r in region]
    frame["region_en"] = [_REGIONS[r][2] for r in region]
    frame["online"] = position >= SHOPS
    return frame


# Brand x series x kind of product, as many of them as the range holds; the popularity falls with the rank like Zipf's
# law, a little flatter at the head. One product in eight is launched within the two years.
_ITEM = f"""CREATE TEMP TABLE item AS
WITH named AS (
    SELECT b.name || s.name || k.name AS name, b.name_en || ' ' || s.name_en || ' ' || k.name_en AS name_en,
        b.name AS brand, b.name_en AS brand_en, k.kind_no,
        row_number() OVER (ORDER BY u(k.kind_no * 10000 + hash(b.name || s.name) % 10000, 1), b.name, s.name) AS rank
    FROM brand b, series s, kind k
),
priced AS (
    SELECT *, u(rank, 2) AS dear, u(rank, 3) AS thrift, u(rank, 4) AS age FROM named WHERE rank <= {PRODUCTS}
)
SELECT row_number() OVER (ORDER BY p.kind_no, rank)::INTEGER AS item_no, p.name, p.name_en, brand, brand_en,
    k.name AS subcategory, k.name_en AS subcategory_en, c.name AS category, c.name_en AS category_en,
    p.kind_no, p.kind_no >= {len(names.KINDS) - 3} AS service, k.pack, k.usage_days, k.shelf_life_days, k.summer,
    ((low + (high - low) * pow(dear, 1.5)) // 10 * 10 + 9)::BIGINT * 100 AS price,
    (price / 1.13 * (0.24 + 0.18 * thrift))::BIGINT AS cost,
    k.weight * pow(rank + 10, -0.8) AS weight,
    CASE WHEN age < 0.125 AND NOT service THEN (30 + age * 8 * 600)::INTEGER ELSE -(200 + age * 1800)::INTEGER END
        AS launched
FROM priced p JOIN kind k USING (kind_no) JOIN category c USING (category)"""

# By month: what is not yet launched does not sell, and sunscreen sells in summer.
_ITEM_WEIGHT = """SELECT month::INTEGER AS month, item_no AS item,
    weight * pow(summer, -cos(2 * pi() * (month(DATE '{start}') - 1 + month) / 12)) AS weight
FROM item, range(25) AS months(month) WHERE launched <= month * 30.5"""
