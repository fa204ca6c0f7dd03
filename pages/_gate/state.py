"""Whether the app may serve at all: there is a snapshot, it holds the demo chain, and only this machine can ask."""

import ipaddress
from enum import Enum

from streamlit import config

from data_access.errors import Problem
from data_access.settings import settings
from data_access.snapshot import current_snapshot


class State(Enum):
    """What the app can offer now. The value is the message key of the sentence that explains it."""

    OPEN = "gate.open"
    NO_DATA = "gate.no_data"
    NO_ACCOUNTS = "gate.no_accounts"
    NOT_LOCAL = "gate.not_local"


def state() -> State:
    """The state at this moment: cheap, because an open snapshot is kept until a newer one is published.

    One-click entry has no passwords, so it exists only for the demo chain and only on this machine.
    """
    if not is_loopback(config.get_option("server.address") or "127.0.0.1"):
        return State.NOT_LOCAL
    try:
        snapshot = current_snapshot(settings().home)
    except Problem:
        return State.NO_DATA
    if snapshot.info.first_day is None:
        return State.NO_DATA
    return State.OPEN if snapshot.info.is_demo else State.NO_ACCOUNTS


def is_loopback(host: str) -> bool:
    """Whether an address or name can only mean this machine."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
