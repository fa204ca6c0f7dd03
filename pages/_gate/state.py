"""Whether the app may serve at all: there is a snapshot, and somebody who may see it."""

import ipaddress
import logging
from enum import Enum

from starlette.requests import HTTPConnection
from streamlit import config

from data_access.errors import Problem
from data_access.settings import settings
from data_access.snapshot import current_snapshot
from data_access.state import accounts
from data_access.state.store import opened

_log = logging.getLogger("mirror")
_with_accounts: set[str] = set()  # stores seen to hold an account; no account is ever deleted


class State(Enum):
    """What the app can offer now. The value is the message key of the sentence that explains it."""

    OPEN = "gate.open"
    NO_DATA = "gate.no_data"
    NO_ACCOUNTS = "gate.no_accounts"
    NO_STORE = "gate.no_store"
    NOT_LOCAL = "gate.not_local"
    NOT_PRIVATE = "gate.not_private"


def state() -> State:
    """The state at this moment: cheap, because an open snapshot is kept until a newer one is published.

    One-click entry has no passwords, so the demo chain is served on an address of this machine only.
    """
    try:
        with_accounts = any_account()
    except Problem as problem:
        _log.error("%s", problem)
        return State.NO_STORE
    try:
        snapshot = current_snapshot(settings().home)
    except Problem:
        return State.NO_DATA
    if snapshot.info.first_day is None:
        return State.NO_DATA
    if not snapshot.info.is_demo:
        return State.OPEN if with_accounts else State.NO_ACCOUNTS
    return State.OPEN if serves_this_machine() else State.NOT_LOCAL


def serves_this_machine() -> bool:
    """Whether the server listens on an address of this machine only, as the demo chain needs it."""
    return is_loopback(config.get_option("server.address") or "127.0.0.1")


def any_account() -> bool:
    """Whether anybody can sign in with a password. Problem when the app's own store does not answer."""
    engine = opened()
    key = settings().state
    if key not in _with_accounts and accounts.any_account(engine):
        _with_accounts.add(key)
    return key in _with_accounts


def one_click(connection: HTTPConnection, host: str | None) -> bool:
    """Whether one-click entry is offered here: to the demo chain, from this machine, under a name of this machine."""
    return from_this_machine(connection, host) and _shows_demo()


def from_this_machine(connection: HTTPConnection, host: str | None) -> bool:
    """Whether a request was made on this machine, under a name of this machine."""
    peer = connection.client
    return host is not None and is_loopback(host) and (peer is None or is_loopback(peer.host))


def _shows_demo() -> bool:
    try:
        return current_snapshot(settings().home).info.is_demo
    except Problem:  # no data yet
        return False


def is_loopback(host: str) -> bool:
    """Whether an address or name can only mean this machine."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
