"""Consent per purpose and channel, and its withdrawal.

Consistent with what marketing did: whoever was sent a message had agreed to it before, and nobody was sent one
after withdrawing. Messages in the mini-program and invitations to events count as WeChat.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import Array, Ground, at_local, days, instants, latest, seconds

_MARKETING = (("wechat", 0.62, 0.10), ("sms", 0.42, 0.12))  # channel, agree unasked, withdraw after the last message
_SERVICE_AGREE, _SERVICE_WITHDRAW = 0.88, 0.02
_SKIN_AGREE, _SKIN_WITHDRAW = 0.96, 0.015  # of those whose skin profile is recorded
_AGREES_AGAIN = 0.12
_NEVER = np.datetime64("NaT", "s")
_VERSIONS = np.array(["v1.0", "v2.0", "v2.1"], dtype=object)
_NEW_TEXT_FROM = np.array(["2024-06-01", "2025-11-01"], dtype="datetime64[s]")


@dataclass(frozen=True, eq=False)
class _Messages:
    """Per customer: what was sent in one channel, and the last time somebody unsubscribed from it."""

    first: Array
    last: Array
    unsubscribed: Array
    next: Array  # the first message after that, where there is one


def consent(g: Ground, rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, int]]:
    """One row per consent, and the number of withdrawals."""
    count = len(g.customers)
    joined = at_local(days(g.customers["joined"]), rng.integers(9 * 3600, 21 * 3600, count))
    profiled = g.customers["has_skin_profile"].to_numpy()
    parts = [_marketing(g, rng, joined, *row) for row in _MARKETING]
    for purpose, channel, agree, withdraw in (
        ("service", "phone", np.full(count, _SERVICE_AGREE), _SERVICE_WITHDRAW),
        ("skin_profile", "app", profiled * _SKIN_AGREE, _SKIN_WITHDRAW),
    ):
        granted = _some_time_after(rng, joined)
        agrees = rng.random(count) < agree
        parts.append(_rows(purpose, channel, agrees, granted, _withdrawal(g, rng, granted, withdraw)))
    frame = pd.concat(parts, ignore_index=True)
    frame = frame[instants(frame["granted_at"]) <= g.end].reset_index(drop=True)
    granted, withdrawn = instants(frame["granted_at"]), instants(frame["withdrawn_at"])
    frame["text_version"] = _VERSIONS[np.searchsorted(_NEW_TEXT_FROM, granted)]
    frame["updated_at"] = latest(granted, withdrawn)
    frame.insert(0, "customer_id", g.label("customers", frame.pop("customer").to_numpy()))
    return frame, {"withdrawals": int((~np.isnat(withdrawn)).sum())}


def _marketing(
    g: Ground, rng: np.random.Generator, joined: Array, channel: str, agree: float, withdraw: float
) -> pd.DataFrame:
    sent = _messages(g, channel)
    agrees = (rng.random(len(joined)) < agree) | ~np.isnat(sent.first)
    granted = np.fmin(_some_time_after(rng, joined), sent.first - np.timedelta64(1, "h"))
    later = _withdrawal(g, rng, latest(granted, sent.last), withdraw)
    first = _rows(
        "marketing", channel, agrees, granted, np.where(np.isnat(sent.unsubscribed), later, sent.unsubscribed)
    )
    # Who unsubscribed and got messages again had agreed again; some others do so without a message.
    back = ~np.isnat(sent.next)
    gap = (sent.next - sent.unsubscribed).astype("int64")
    again = sent.unsubscribed + seconds(np.where(back, gap, 0) * rng.uniform(0.2, 0.9, len(joined)))
    quiet = agrees & np.isnat(sent.next) & (rng.random(len(joined)) < _AGREES_AGAIN)
    ended = np.where(np.isnat(sent.unsubscribed), later, sent.unsubscribed)
    again = np.where(quiet, ended + seconds(rng.integers(10, 120, len(joined)) * 86_400), again)
    second = _rows("marketing", channel, (back | quiet) & ~np.isnat(again), again, np.where(back, later, _NEVER))
    return pd.concat([first, second], ignore_index=True)


def _messages(g: Ground, channel: str) -> _Messages:
    events = g.core["campaign_event"]
    customer = pd.Index(g.customers["customer_id"]).get_indexer(events["customer_id"].to_numpy())
    mine = (customer >= 0) & ((events["channel"] == "sms").to_numpy() == (channel == "sms"))
    kind, at = events["kind"].to_numpy(dtype=object), instants(events["occurred_at"])
    order = np.argsort(at, kind="stable")
    sent, left = (order[(mine & (kind == name))[order]] for name in ("sent", "unsubscribed"))

    def pick(rows: Array) -> Array:
        """The instant of the last of ``rows`` per customer."""
        found = np.full(len(g.customers), _NEVER)
        found[customer[rows]] = at[rows]
        return found

    unsubscribed = pick(left)
    after = sent[at[sent] > unsubscribed[customer[sent]]]
    return _Messages(pick(sent[::-1]), pick(sent), unsubscribed, pick(after[::-1]))


def _some_time_after(rng: np.random.Generator, joined: Array) -> Array:
    """Most agree when they join, the others within two months."""
    count = len(joined)
    return joined + seconds(np.where(rng.random(count) < 0.8, 0, rng.integers(0, 60 * 86_400, count)))


def _withdrawal(g: Ground, rng: np.random.Generator, after: Array, share: float) -> Array:
    """For a share of the customers an instant between ``after`` and the end, for the others never."""
    at = after + seconds(rng.random(len(after)) * (g.end - after).astype("int64").clip(1))
    at[rng.random(len(after)) >= share] = _NEVER
    return at


def _rows(purpose: str, channel: str, who: Array, granted: Array, withdrawn: Array) -> pd.DataFrame:
    chosen = np.flatnonzero(who)
    return pd.DataFrame(
        {
            "customer": chosen,
            "purpose": purpose,
            "channel": channel,
            "granted_at": granted[chosen],
            "withdrawn_at": withdrawn[chosen],
        }
    )
