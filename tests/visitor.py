"""A visitor of an ASGI app, without a server: requests, cookies and a websocket."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message


def _run(call: Coroutine[Any, Any, None]) -> None:
    """Runs ``call`` to its end in a thread of its own: a browser test may have left an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, call).result()


@dataclass
class Answer:
    """One answer to a request."""

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Talk:
    """What a websocket sent."""

    sent: list[Message]

    @property
    def accepted(self) -> bool:
        return self.sent[0]["type"] == "websocket.accept"

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message.get("text") is not None]

    @property
    def frames(self) -> list[bytes]:
        return [message["bytes"] for message in self.sent if message.get("bytes") is not None]

    @property
    def close_code(self) -> int | None:
        """With which code the app closed; None when it left that to this side."""
        return next((message["code"] for message in self.sent if message["type"] == "websocket.close"), None)


@dataclass
class Visitor:
    """Keeps cookies between requests, as a browser does; follows no redirects."""

    app: ASGIApp
    host: str = "localhost"
    peer: str = "127.0.0.1"
    scheme: str = "http"
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, target: str, **headers: str) -> Answer:
        return self.request("GET", target, headers)

    def post(self, target: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        sent = {"content-type": "application/x-www-form-urlencoded", **headers}
        return self.request("POST", target, sent, urlencode(form or {}).encode())

    def request(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """One request; header names may have ``_`` for ``-``."""
        if method not in ("GET", "HEAD"):
            headers = {"content-length": str(len(body)), **headers}
        sent: list[Message] = []
        received = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            for message in received:
                return message
            await asyncio.Event().wait()  # stays until the whole answer is there
            raise AssertionError("nobody wakes it")

        async def send(message: Message) -> None:
            sent.append(message)

        _run(self.app({**self._scope("http", target, headers), "method": method}, receive, send))
        start = next(message for message in sent if message["type"] == "http.response.start")
        answer = Answer(
            start["status"],
            Headers(raw=start["headers"]),
            b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body"),
        )
        self._keep(answer)
        return answer

    def connect(self, target: str, **headers: str) -> list[str] | None:
        """The texts a websocket sends before it closes; None when it is refused."""
        talk = self.talk(target, (), **headers)
        return talk.texts if talk.accepted else None

    def talk(self, target: str, says: Sequence[bytes | Callable[[], object]], **headers: str) -> "Talk":
        """A websocket that sends every frame of ``says`` and then goes away.

        What can be called is called at its turn: something that happens elsewhere while the socket is open. Each turn
        begins when the app waits for this side and has nothing more to send.
        """
        sent: list[Message] = []
        turns = iter(says)
        connected = False

        async def receive() -> Message:
            nonlocal connected
            if not connected:
                connected = True
                return {"type": "websocket.connect"}
            for turn in turns:
                await asyncio.sleep(0.02)
                if callable(turn):
                    await asyncio.to_thread(turn)
                else:
                    return {"type": "websocket.receive", "bytes": turn}
            await asyncio.sleep(0.02)
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Message) -> None:
            sent.append(message)

        _run(self.app({**self._scope("websocket", target, headers), "subprotocols": []}, receive, send))
        return Talk(sent)

    def _scope(self, kind: str, target: str, headers: dict[str, str]) -> dict[str, Any]:
        path, _, query = target.partition("?")
        named = {"host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            named["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": self.scheme if kind == "http" else self.scheme.replace("http", "ws"),
            "server": ("127.0.0.1", 80),
            "client": (self.peer, 50000),
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }

    def _keep(self, answer: Answer) -> None:
        for header in answer.headers.getlist("set-cookie"):
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
