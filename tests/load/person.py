"""One person with a browser, as far as the server can tell: signs in, opens pages, chooses filters, and waits.

Speaks Streamlit's own protocol over its websocket, so fifty of them cost this machine less than one Chromium.
"""

import asyncio
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ContextInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

_LARGEST = 64 * 1024 * 1024  # bytes of one message
_FILTERS = ("period", "region", "stores")
_PERIODS = ("7d", "28d", "90d", "12m", "all")


@dataclass(frozen=True, slots=True)
class Click:
    """One click: where it led, how long it took until the script was done, and what the server sent for it."""

    page: str
    seconds: float
    messages: int
    size: int  # bytes
    errors: int  # boxes with an exception on the page


@dataclass(frozen=True, slots=True)
class Ground:
    """What there is to click on: stores by region, and ids for the pages of one thing by the parameter they take."""

    stores: Mapping[str, Sequence[str]]
    subjects: Mapping[str, Sequence[str]]  # page -> ids; the parameter bears the page's name


class _KeepAnswer(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def sign_in(url: str, role: str, home: str) -> str:
    """The cookie of somebody who has signed in."""
    form = urllib.parse.urlencode({"role": role, "home": home, "next": "/"}).encode()
    request = urllib.request.Request(f"{url}/sign-in", form, {"Origin": url})
    try:
        urllib.request.build_opener(_KeepAnswer).open(request, timeout=30)
    except urllib.error.HTTPError as answer:
        cookie = answer.headers.get("Set-Cookie")
        if answer.code == 303 and cookie:
            return str(cookie).split(";", 1)[0]
    raise RuntimeError(f"{url} let nobody in as {role} of {home!r}")


@dataclass
class Person:
    """Clicks until told to stop; ``clicks`` are those after the first page, ``first`` is that one."""

    url: str
    role: str
    home: str
    ground: Ground
    think: float  # mean seconds between two clicks
    draw: random.Random
    clicks: list[Click] = field(default_factory=list)
    first: Click | None = None
    _pages: dict[str, str] = field(default_factory=dict)  # url path -> page hash
    _inputs: dict[str, str] = field(default_factory=dict)  # filter -> id of the hidden input that keeps it
    _cached: set[str] = field(default_factory=set)

    async def visit(self, until: float) -> None:
        """Signs in and clicks until the monotonic instant ``until``."""
        cookie = await asyncio.to_thread(sign_in, self.url, self.role, self.home)
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        headers = {"Cookie": cookie, "Origin": self.url, "Accept-Language": "en-US"}
        async with connect(
            address, subprotocols=["streamlit"], additional_headers=headers, max_size=_LARGEST, open_timeout=60
        ) as line:  # type: ignore[list-item]
            self.first = await self._click(line, "", {})
            while True:
                pause = self.think * self.draw.uniform(0.5, 1.5)
                if time.monotonic() + pause > until:
                    return
                await asyncio.sleep(pause)
                page, query = self._choose()
                self.clicks.append(await self._click(line, page, query))

    def _choose(self) -> tuple[str, dict[str, str]]:
        """A page the navigation of this person knows, and filters for six clicks in ten."""
        subjects = self.ground.subjects
        page = self.draw.choice(sorted(name for name in self._pages if subjects.get(name, True)))
        query = dict.fromkeys(_FILTERS, "")
        if self.draw.random() < 0.6:
            query["period"] = self.draw.choice(_PERIODS)
        if self.role != "manager" and self.draw.random() < 0.5:
            region = self.home if self.role == "regional" else self.draw.choice(sorted(self.ground.stores))
            query["region"] = region if self.role == "marketing" else ""
            if self.draw.random() < 0.5:
                stores = list(self.ground.stores[region])
                query["stores"] = ",".join(self.draw.sample(stores, min(len(stores), self.draw.randint(1, 3))))
        if page in subjects:
            query[page] = self.draw.choice(list(subjects[page]))
        return page, query

    async def _click(self, line: ClientConnection, page: str, query: Mapping[str, str]) -> Click:
        wish = BackMsg()
        wish.rerun_script.query_string = urllib.parse.urlencode({"lang": "en", **query})
        wish.rerun_script.page_script_hash = self._pages.get(page, "")
        wish.rerun_script.cached_message_hashes.extend(self._cached)
        wish.rerun_script.context_info.CopyFrom(
            ContextInfo(timezone="Asia/Shanghai", timezone_offset=-480, locale="en-US", url=f"{self.url}/{page}")
        )
        for name, widget in self._inputs.items():
            wish.rerun_script.widget_states.widgets.add(id=widget, string_value=query.get(name, ""))
        started = time.perf_counter()
        await line.send(wish.SerializeToString())
        messages = size = errors = 0
        while True:
            data = await line.recv(decode=False)
            message = ForwardMsg.FromString(data)
            messages, size = messages + 1, size + len(data)
            kind = message.WhichOneof("type")
            if message.metadata.cacheable and message.hash:
                self._cached.add(message.hash)
            if kind == "navigation":
                self._pages = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
            elif kind == "delta":
                element = message.delta.new_element
                errors += element.WhichOneof("type") == "exception"
                if element.WhichOneof("type") == "text_input" and element.text_input.label in _FILTERS:
                    self._inputs[element.text_input.label] = element.text_input.id
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return Click(page, time.perf_counter() - started, messages, size, errors)
