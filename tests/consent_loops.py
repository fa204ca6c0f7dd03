"""What plain loops make of the consents of the tiny chain."""

from typing import Any

from tests.tiny import CUSTOMERS
from tests.tiny_campaigns import EVENTS, Rows
from tests.tiny_consents import CONSENTS, MINORS


def consent_stores() -> Rows:
    given: dict[tuple[str, str, int], list[Any]] = {}
    for customer, purpose, channel, _, withdrawn in CONSENTS:
        for named in (channel, ""):
            given.setdefault((purpose, named, customer), []).append(withdrawn)
    counts: dict[tuple[str | None, str, str], dict[str, int]] = {}
    for (purpose, channel, customer), withdrawals in given.items():
        zero = {"agreed": 0, "live": 0, "live_adults": 0}
        count = counts.setdefault((CUSTOMERS[customer], purpose, channel), zero)
        count["agreed"] += 1
        count["live"] += None in withdrawals
        count["live_adults"] += None in withdrawals and customer not in MINORS
    names = ("store_id", "purpose", "channel")
    return [{**dict(zip(names, key, strict=True)), **count} for key, count in counts.items()]


def consent_breaches() -> Rows:
    """Every message of the tiny chain has a record of its sending and went by WeChat."""
    found: dict[tuple[str, str | None, str], list[tuple[int, Any]]] = {}
    for campaign_id, customer, kind, at in EVENTS:
        if kind != "sent":
            continue
        asked = [c for c in CONSENTS if c[:3] == (customer, "marketing", "wechat") and c[3] <= at]
        if not any(withdrawn is None or withdrawn >= at for *_, withdrawn in asked):
            reason = "withdrawn" if asked else "never_given"
            found.setdefault((campaign_id, CUSTOMERS[customer], reason), []).append((customer, at))
    return [
        {
            "campaign_id": campaign_id,
            "store_id": store_id,
            "channel": "wechat",
            "reason": reason,
            "contacts": len(messages),
            "customers": len({customer for customer, _ in messages}),
            "first_at": min(at for _, at in messages),
            "last_at": max(at for _, at in messages),
        }
        for (campaign_id, store_id, reason), messages in found.items()
    ]
