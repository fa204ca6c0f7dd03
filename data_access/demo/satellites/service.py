"""Tickets and surveys: what customers complain about, how fast somebody answers, how content they are.

One lot, chosen by the world, irritates skin: orders that hold it bring a wave of complaints within weeks of
the sale. ``--null complaint_lot`` leaves that lot as good as any other.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import Array, Ground, latest, local_day, only, seconds
from data_access.demo.world import LOCAL, ids

WAVE_SHARE = 0.3  # of the orders that hold the lot, on top of the ordinary complaints
_COMPLAINT_SHARE, _QUESTION_SHARE, _LATE_SHARE = 0.009, 0.022, 0.16
_REASONS = (  # reason, category, weight, what people write
    ("damaged_packaging", "product", 0.22, ("瓶口破损，漏了一半。", "粉饼收到就碎了。")),
    ("skin_reaction", "product", 0.13, ("用了两天脸颊发红发痒。", "眼周刺痛，停用后好转。")),
    ("ineffective", "product", 0.12, ("用完一整瓶没看到效果。", "持妆不到两小时就花了。")),
    ("wrong_item", "delivery", 0.13, ("色号发错了，要的是豆沙色。", "少发了一支小样。")),
    ("staff_attitude", "service", 0.16, ("导购态度冷淡，一直催我买单。", "咨询时没有人理。")),
    ("waiting_time", "service", 0.10, ("预约了护理还等了四十分钟。", "收银排队太久。")),
    ("price", "billing", 0.14, ("买完第二天就降价，要求保价。", "优惠券没有抵扣上。")),
)
_LATE = ("late_delivery", "delivery", ("快递比承诺晚了好几天。", "物流信息三天没有更新。"))
_WAVE = ("skin_reaction", "product", ("这一批用了就起红疹，之前那瓶没事。", "新买的这瓶味道不对，脸很刺痛。"))
_QUESTIONS = (
    ("usage", "product", 0.36, ("早晚霜的先后顺序怎么用？", "敏感肌可以用吗？")),
    ("availability", "stock", 0.24, ("这个色号什么时候到货？", "附近哪家店有货？")),
    ("order_status", "delivery", 0.2, ("我的包裹到哪里了？", "可以改收货地址吗？")),
    ("membership", "loyalty", 0.2, ("积分什么时候过期？", "升金卡还差多少？")),
)
# channel, weight in shops, on marketplaces and in the own online shop, median hours to the first answer
_CHANNELS: tuple[tuple[str, float, float, float, float], ...] = (
    ("store", 0.42, 0.0, 0.0, 0.2),
    ("phone", 0.2, 0.1, 0.15, 0.5),
    ("wechat", 0.3, 0.05, 0.45, 1.2),
    ("mini_program", 0.08, 0.0, 0.4, 3.0),
    ("marketplace_chat", 0.0, 0.85, 0.0, 0.8),
)
_MARKETPLACES = ("tmall", "douyin")


@dataclass(frozen=True)
class _Case:
    """Tickets of one origin: which line, when, why."""

    line: Array
    opened: Array
    complaint: bool
    category: Array
    reason: Array
    text: Array


def ticket(g: Ground, rng: np.random.Generator, late_orders: Array) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per service contact, and the truth about the wave of complaints."""
    lines = np.arange(len(g.lines))
    complaints = _chosen(g, rng, lines, _COMPLAINT_SHARE, 9 * 86_400, _REASONS, True)
    questions = _chosen(g, rng, lines, _QUESTION_SHARE, 14 * 86_400, _QUESTIONS, False)
    late = np.zeros(len(g.orders), dtype=bool)
    late[late_orders] = True
    delayed = lines[late[g.lines["order"].to_numpy()]]
    lateness = _chosen(g, rng, delayed, _LATE_SHARE, 2 * 86_400, [(*_LATE[:2], 1.0, _LATE[2])], True, wait=4 * 86_400)
    lot = g.world.complaint_lot
    affected = np.flatnonzero(g.lines["lot_id"].to_numpy(dtype=object) == lot) if lot else lines[:0]
    share = 0.0 if "complaint_lot" in g.null else WAVE_SHARE
    wave = _chosen(g, rng, affected, share, 12 * 86_400, [(*_WAVE[:2], 1.0, _WAVE[2])], True, wait=2 * 86_400)
    cases = [complaints, questions, lateness, wave]
    frame = _tickets(g, rng, cases)
    orders = np.unique(g.lines["order"].to_numpy()[affected])
    truth = {
        "lot_id": lot,
        "orders_with_lot": len(orders),
        "extra_tickets": len(wave.line),
    }
    return frame, truth


def _chosen(
    g: Ground, rng: np.random.Generator, lines: Array, share: float, spread: int, reasons: Any, complaint: bool,
    wait: int = 3600,
) -> _Case:  # fmt: skip
    """A random share of the orders behind ``lines``, each with one line, an instant after the sale and a reason."""
    order = g.lines["order"].to_numpy()[lines]
    first = np.flatnonzero(np.r_[True, order[1:] != order[:-1]]) if len(order) else np.zeros(0, dtype=int)
    taken = first[rng.random(len(first)) < share]
    opened = g.orders["at"].to_numpy()[order[taken]] + seconds(wait + rng.exponential(spread, len(taken)))
    # Nobody writes in the middle of the night: those hours move to the morning after.
    hour = ((opened + LOCAL).astype("datetime64[s]").astype("int64") // 3600) % 24
    opened = opened + seconds(np.where(hour < 8, (8 - hour) * 3600, 0))
    kept = opened <= g.end
    taken, opened = taken[kept], opened[kept]
    words, categories, weights, texts = zip(*reasons, strict=True)
    which = rng.choice(len(words), len(taken), p=np.array(weights) / sum(weights))
    spoken = np.array(texts, dtype=object)[which, rng.integers(0, 2, len(taken))]
    return _Case(
        lines[taken], opened, complaint, np.array(categories, dtype=object)[which],
        np.array(words, dtype=object)[which], only(rng.random(len(taken)) < 0.7, spoken),
    )  # fmt: skip


def _tickets(g: Ground, rng: np.random.Generator, cases: list[_Case]) -> pd.DataFrame:
    line = np.concatenate([case.line for case in cases])
    opened = np.concatenate([case.opened for case in cases])
    complaint = np.repeat([case.complaint for case in cases], [len(case.line) for case in cases])
    order = g.lines["order"].to_numpy()[line]
    store, count = g.orders["store"].to_numpy()[order], len(line)
    bought = g.orders.iloc[order]
    site = np.where(bought["online"], np.where(bought["channel"].isin(_MARKETPLACES), 1, 2), 0)
    weights, hours = np.array([row[1:4] for row in _CHANNELS]).T, np.array([row[4] for row in _CHANNELS])
    channel = (rng.random(count)[:, None] >= np.cumsum(weights, axis=1)[site, :-1]).sum(axis=1)
    slow = hours[channel] * np.where(complaint, 0.8, 1.0)
    response = opened + seconds(slow * 3600 * rng.lognormal(0, 0.9, count))
    solved = response + seconds(np.where(complaint, 30, 4) * 3600 * rng.lognormal(0, 0.8, count))
    reopened = solved + seconds(rng.uniform(0.5, 8, count) * 86_400)
    response, solved = g.until_end(response), g.until_end(solved)
    unsolved = rng.random(count) < np.where(complaint, 0.02, 0.004)
    solved[unsolved | np.isnat(response)] = np.datetime64("NaT")
    reopened = g.until_end(reopened)
    reopened[(rng.random(count) >= np.where(complaint, 0.08, 0.02)) | np.isnat(solved)] = np.datetime64("NaT")
    staff = g.person_at(rng, store, local_day(opened))
    staff[np.isnat(response)] = -1
    frame = pd.DataFrame(
        {
            "customer_id": g.label("customers", g.orders["customer"].to_numpy()[order]),
            "store_id": g.label("stores", store),
            "order_id": g.label("orders", order),
            "product_id": g.label("products", g.lines["product"].to_numpy()[line]),
            "lot_id": g.lines["lot_id"].to_numpy(dtype=object)[line],
            "channel": np.array([row[0] for row in _CHANNELS], dtype=object)[channel],
            "opened_at": opened,
            "first_response_at": response,
            "resolved_at": solved,
            "reopened_at": reopened,
            "category": np.concatenate([case.category for case in cases]),
            "is_complaint": complaint,
            "reason": np.concatenate([case.reason for case in cases]),
            "staff_id": g.label("staff", staff),
            "text": np.concatenate([case.text for case in cases]),
            "updated_at": latest(opened, response, solved, reopened),
        }
    ).sort_values("opened_at", kind="stable", ignore_index=True)
    frame.insert(0, "ticket_id", ids("TK", len(frame), 6))
    return frame
