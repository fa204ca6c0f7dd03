"""Accounts for tests. Hashing is slow on purpose, so most tests take one hash that was made once."""

from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Engine

from data_access.state import accounts, passwords
from data_access.state.accounts import Account, Rights
from data_access.state.store import writing

NOW = datetime(2026, 11, 20, 9, 0)
PASSWORD = "quiet lantern under seven bridges"
ANOTHER = "walnut trapeze over a narrow fjord"
MINUTE = timedelta(minutes=1)

MANAGER = Rights("manager", stores=("S1",))
REGIONAL = Rights("regional", regions=("R1",))
MARKETING = Rights("marketing")
ADMINISTRATOR = Rights("administrator")


@lru_cache(maxsize=1)
def _kept() -> str:
    return passwords.hashed(PASSWORD)


def person(engine: Engine, name: str, rights: Rights = MANAGER, *, initial: bool = False) -> Account:
    """Somebody who signs in as ``name`` with ``PASSWORD``."""
    with writing(engine) as connection:
        return accounts.add(connection, "terminal:test", (name, name.title()), rights, _kept(), NOW, initial=initial)
