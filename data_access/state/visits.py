"""Browsers that were sent to an OpenID provider and have not come back.

What belongs to a visit stays here: the nonce, the PKCE verifier, where to go on. The provider gets the state and the
browser gets a cookie, both random, kept as digests; a visit is over with the first who brings both.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select

from data_access.state import keys, limits, tokens
from data_access.state.rules import Rule
from data_access.state.schema import provider_visit
from data_access.state.store import writing

LIVES = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Visit:
    """What is sent to the provider, and what must come back from it.

    fresh: the person was to show anew who they are. redirect_uri: where the provider was told to send the browser.
    """

    nonce: str
    verifier: str
    redirect_uri: str
    target: str
    fresh: bool


def fresh(redirect_uri: str, target: str, *, fresh: bool = False) -> Visit:
    """A visit with secrets of its own."""
    return Visit(tokens.fresh(), tokens.fresh(384), redirect_uri, target, fresh)


def begin(engine: Engine, visit: Visit, address: str, now: datetime) -> tuple[str, str]:
    """Keeps a visit; its state, and the token for the cookie. Rule when too many begin at this address."""
    state, browser = tokens.fresh(), tokens.fresh()
    digest = tokens.digest(state)
    row = {
        "digest": digest,
        "browser": tokens.digest(browser),
        "secret": keys.seal(json.dumps(asdict(visit)).encode(), _row(digest)),
        "ends_at": now + LIVES,
    }
    with writing(engine) as connection:
        if not limits.pace(connection, address, now):
            raise Rule("busy", "too many people sign in at this moment: try again in a few seconds")
        connection.execute(delete(provider_visit).where(provider_visit.c.ends_at <= now))
        connection.execute(insert(provider_visit).values(**row))
    return state, browser


def end(engine: Engine, state: str, browser: str, now: datetime) -> Visit | None:
    """The visit of this state, for the browser that went there; None for anybody else. It is over in either case."""
    digest = tokens.digest(state)
    with writing(engine) as connection:
        row = connection.execute(select(provider_visit).where(provider_visit.c.digest == digest)).one_or_none()
        connection.execute(delete(provider_visit).where(provider_visit.c.digest == digest))
    if row is None or row.ends_at <= now or not is_same_browser(row.browser, browser):
        return None
    return Visit(**json.loads(keys.unseal(row.secret, _row(digest))))


def is_same_browser(kept: str, browser: str) -> bool:
    """Whether the cookie is the one of the browser that was sent to the provider."""
    return kept == tokens.digest(browser)


def _row(digest: str) -> str:
    return f"provider_visit.secret of {digest}"
