"""Open websockets: how many anybody may have, and that each ends with the sign-in behind it.

Streamlit reads cookies once, when a socket opens; what happens to the sign-in later is for the gate to see.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive, Send

PER_PERSON = 20
IN_TOTAL = 200

LOOK_EVERY = 1.0  # seconds between two looks at a sign-in whose socket is in use
LOOK_WHEN_QUIET = 3.0
REVOKED = 4401  # close code; start.js goes back to the sign-in page when it sees it

Look = Callable[[bool], Awaitable[bool]]


class Places:
    """How many sockets are open, by person, in this process."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()

    @contextmanager
    def taken(self, person: str) -> Iterator[bool]:
        """A place for one socket of ``person`` while the block lasts; False when there is none left."""
        if self.open[person] >= PER_PERSON or self.open.total() >= IN_TOTAL:
            yield False
            return
        self.open[person] += 1
        try:
            yield True
        finally:
            self.open[person] -= 1
            if not self.open[person]:
                del self.open[person]


class Line:
    """One socket of a sign-in: passes messages on as long as the sign-in is good, then closes with ``REVOKED``.

    good: looks the sign-in up; told whether a person has just done something, which keeps an idle sign-in alive.
    heard: called for every message of the browser. learn: sees every frame on its way out.
    """

    def __init__(
        self, receive: Receive, send: Send, good: Look, heard: Callable[[], None], learn: Callable[[bytes], None]
    ) -> None:
        self._receive, self._send = receive, send
        self._good, self._heard, self._learn = good, heard, learn
        self._looked = time.monotonic()
        self._ended = False
        self._next: asyncio.Future[Message] | None = None

    async def receive(self) -> Message:
        """The next message of the browser; a disconnect once the sign-in has ended, whether or not one came."""
        try:
            while not self._ended:
                if self._next is None:
                    self._next = asyncio.ensure_future(self._receive())
                await asyncio.wait({self._next}, timeout=LOOK_WHEN_QUIET)
                message = self._next.result() if self._next.done() else None
                if message is not None:
                    self._next = None
                    if message["type"] != "websocket.receive":
                        return message
                    self._heard()
                if await self._still_good(acted=message is not None) and message is not None:
                    return message
        except asyncio.CancelledError:
            self.close()
            raise
        return {"type": "websocket.disconnect", "code": REVOKED}

    async def send(self, message: Message) -> None:
        """Passes a message of the app on, unless the sign-in has ended."""
        if self._ended:
            return
        if message["type"] == "websocket.send":
            if not await self._still_good(acted=False):
                return
            self._learn(message.get("bytes") or b"")
        elif message["type"] == "websocket.close":
            self._ended = True
        await self._send(message)

    def close(self) -> None:
        """Stops waiting for the browser."""
        if self._next is not None:
            self._next.cancel()

    async def _still_good(self, *, acted: bool) -> bool:
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY:
            return True
        self._looked = now
        if await self._good(acted):
            return True
        if not self._ended:
            self._ended = True
            await self._send({"type": "websocket.close", "code": REVOKED})
        return False
