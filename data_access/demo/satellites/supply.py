"""Suppliers and what was ordered from them.

Every delivery that reached the shelves is in the core's ``_replenishment``; here each one becomes a line of a
purchase order with its receipt. What a supplier delivered short or what was rejected at the door comes on top
of the quantity that arrived.
"""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import DAY, Ground, at_local, days, instants, latest, local_day
from data_access.demo.world import ids, translations

_NAMES = (
    ("上海玉露生物科技有限公司", "Shanghai Yulu Biotech"),
    ("广州花漾化妆品有限公司", "Guangzhou Huayang Cosmetics"),
    ("杭州清禾护肤品厂", "Hangzhou Qinghe Skin Care"),
    ("苏州瓷光彩妆制造有限公司", "Suzhou Ciguang Make-up"),
    ("佛山雅器美容工具厂", "Foshan Yaqi Beauty Tools"),
    ("格拉斯香料贸易（中国）有限公司", "Grasse Fragrance Trading China"),
    ("首尔美研进出口有限公司", "Seoul Miyeon Import and Export"),
    ("青岛海蕴原料有限公司", "Qingdao Haiyun Ingredients"),
)
_SHORT, _REJECTED, _CANCELLED = 0.035, 0.02, 0.012


def supplier(g: Ground) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per supplier, and the English names."""
    keys = g.world.supply.supplier_id
    named = [_NAMES[number % len(_NAMES)] for number in range(len(keys))]
    frame = pd.DataFrame({"supplier_id": keys, "name": [name for name, _ in named]})
    frame["updated_at"] = at_local(g.first_day - 400 * DAY, 10 * 3600)
    return frame, translations("supplier.name", named)


def supply_term(g: Ground) -> pd.DataFrame:
    """One row per product and its supplier: the lead time it promises, and how few it delivers.

    Stores are delivered single units, at least the smallest number that one ever ordered.
    """
    supplied = np.flatnonzero(g.world.range.supplier >= 0)
    who = g.world.range.supplier[supplied]
    products = g.label("products", supplied)
    least = g.core["_replenishment"].groupby("product_id")["quantity"].min().reindex(products).fillna(1)
    launched = np.fmax(days(g.products["launched_on"])[supplied], g.first_day)
    agreed = np.minimum(launched, g.last_day) - 45 * DAY
    return pd.DataFrame(
        {
            "supplier_id": np.array(g.world.supply.supplier_id, dtype=object)[who],
            "product_id": products,
            "lead_time_days": g.world.supply.promised[who],
            "order_multiple": 1,
            "minimum_quantity": least.to_numpy(dtype=int),
            "updated_at": at_local(agreed, 10 * 3600),
        }
    )


def purchases(g: Ground, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Purchase orders, their lines and the receipts.

    One order holds what one store ordered from one supplier on one day; it stays open until its last line has
    come. Per line, quantity = received (accepted and rejected) + what never came or has not come yet.
    """
    ordered_lines = _ordered(g, rng)
    lines = pd.concat([ordered_lines, _given_up(g, rng, ordered_lines)], ignore_index=True)
    lines["day"] = local_day(instants(lines["ordered_at"]))
    keys = ["day", "supplier_id", "store_id", "cancelled"]
    lines = lines.sort_values([*keys, "product_id"], kind="stable", ignore_index=True)
    number = lines.groupby(keys, sort=False).ngroup().to_numpy()
    order_id = ids("PO", int(number.max()) + 1, 6)
    ordered = instants(lines.groupby(number)["ordered_at"].min())
    received = days(lines["received_on"])
    lines["missing"], lines["unloaded"] = np.isnat(received), at_local(received, 15 * 3600)
    state = lines.groupby(number).agg(
        {"supplier_id": "first", "store_id": "first", "cancelled": "first", "missing": "any", "unloaded": "max"}
    )
    cancelled = state["cancelled"].to_numpy(dtype=bool)
    changed = np.where(cancelled, ordered + 4 * DAY, latest(ordered, instants(state["unloaded"])))
    heads = pd.DataFrame(
        {
            "purchase_order_id": order_id,
            "supplier_id": state["supplier_id"],
            "store_id": state["store_id"],
            "ordered_at": ordered,
            "status": np.select([cancelled, state["missing"]], ["cancelled", "open"], "received").astype(object),
            "updated_at": np.minimum(changed, g.end),
        }
    )
    line_no = lines.groupby(number).cumcount().to_numpy() + 1
    cost = g.core["product"].set_index("product_id")["cost"].astype(float)
    bodies = pd.DataFrame(
        {
            "purchase_order_id": order_id[number],
            "line_no": line_no,
            "product_id": lines["product_id"],
            "quantity": lines["quantity"],
            "unit_cost": cost.reindex(lines["product_id"]).to_numpy(),
            "promised_on": days(lines["promised_on"]),
            "updated_at": ordered[number],
        }
    )
    came = np.flatnonzero(~np.isnat(received))
    receipts = pd.DataFrame(
        {
            "purchase_order_id": order_id[number[came]],
            "line_no": line_no[came],
            "received_on": received[came],
            "quantity": lines["came"].to_numpy()[came],
            "rejected": lines["rejected"].to_numpy()[came],
            "updated_at": np.minimum(lines["unloaded"].to_numpy().astype("datetime64[s]")[came], g.end),
        }
    ).sort_values("received_on", kind="stable", ignore_index=True)
    receipts.insert(0, "receipt_id", ids("GR", len(receipts), 6))
    return {"purchase_order": heads, "purchase_order_line": bodies, "goods_receipt": receipts}


def _ordered(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """What was ordered: the accepted quantity of the core, plus what was rejected at the door or came short.

    What has not come by the end is still open.
    """
    frame = g.core["_replenishment"]
    frame = frame[instants(frame["ordered_at"]) <= g.end].reset_index(drop=True)
    accepted = frame["quantity"].to_numpy(dtype=int)
    arrived = days(frame["received_on"]) <= g.last_day
    spoilt = np.where(rng.random(len(frame)) < _REJECTED, np.ceil(accepted * rng.uniform(0.03, 0.15, len(frame))), 0)
    short = np.where(rng.random(len(frame)) < _SHORT, np.ceil(accepted * rng.uniform(0.05, 0.3, len(frame))), 0)
    spoilt, short = spoilt.astype(int) * arrived, short.astype(int) * arrived
    return pd.DataFrame(
        {
            **{name: frame[name] for name in ("store_id", "product_id", "supplier_id", "ordered_at", "promised_on")},
            "received_on": np.where(arrived, days(frame["received_on"]), np.datetime64("NaT", "D")),
            "quantity": accepted + spoilt + short,
            "came": accepted + spoilt,
            "rejected": spoilt,
            "cancelled": False,
        }
    )


def _given_up(g: Ground, rng: np.random.Generator, ordered: pd.DataFrame) -> pd.DataFrame:
    """Orders that were cancelled some days before the same goods were ordered again."""
    again = ordered.iloc[g.share(rng, len(ordered), _CANCELLED)]
    earlier = instants(again["ordered_at"]) - rng.integers(4, 9, len(again)) * DAY
    lead = days(again["promised_on"]) - local_day(instants(again["ordered_at"]))
    return again.assign(
        ordered_at=earlier, promised_on=local_day(earlier) + lead, received_on=np.datetime64("NaT", "D"),
        came=0, rejected=0, cancelled=True,
    )  # fmt: skip
