"""A browser as far as the real app can tell: HTTP and Streamlit's socket, spoken straight to the app of this process.

Keeps every byte it is sent. What it sends is up to the caller, offered or not.
"""

import asyncio
import io
import json
import re
import urllib.parse
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ContextInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

ORIGIN = "http://localhost"
STREAM = "/_stcore/stream"
PATIENCE = 60.0  # seconds for one run of a page

# What is to be printed is compressed, so no mark could be seen in it; the workbook has the same tables.
_OFFER = re.compile(rb'name="offer" value="([^"]+)">(?![^<]*PDF)')
_MEDIA = re.compile(rb"/media/[0-9a-f]+\.\w+")
App = Callable[..., Any]


@dataclass
class Widget:
    """What can be set on a page: its id, its kind, what the page calls it, and its options."""

    id: str
    kind: str
    label: str
    options: tuple[str, ...] = ()

    @property
    def last(self) -> str:
        return self.options[-1] if self.options else ""


@dataclass
class Run:
    """What one run of a page sent: all bytes, the widgets on it, and the ends of files it offers."""

    sent: bytes = b""
    widgets: list[Widget] = field(default_factory=list)

    @property
    def offers(self) -> list[str]:
        return [token.decode() for token in _OFFER.findall(self.sent)]

    @property
    def media(self) -> list[str]:
        return sorted({address.decode() for address in _MEDIA.findall(self.sent)})


@dataclass
class Browser:
    """One signed-in person at the app."""

    app: App
    cookie: str
    loop_wide: dict[str, Any] = field(default_factory=dict)  # what the lifespan handed over

    async def get(self, target: str) -> tuple[int, dict[str, str], bytes]:
        return await self._request("GET", target, {})

    async def post(self, target: str, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": ORIGIN}
        return await self._request("POST", target, headers, urllib.parse.urlencode(form).encode())

    async def file(self, offer: str) -> bytes:
        """The file behind a button, unpacked where it is a workbook; the refusal, where it is refused."""
        _, headers, body = await self.post("/export", {"offer": offer})
        if "location" not in headers:
            return body
        _, _, body = await self.get(headers["location"])
        return unpacked(body)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Page"]:
        """A window: one socket, one session of Streamlit."""
        to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        to_app.put_nowait({"type": "websocket.connect"})
        scope = self._scope("websocket", STREAM, {"origin": ORIGIN}) | {"subprotocols": ["streamlit"]}
        line = asyncio.ensure_future(self.app(scope, to_app.get, from_app.put))
        accepted = await asyncio.wait_for(from_app.get(), PATIENCE)
        if accepted["type"] != "websocket.accept":
            raise ConnectionError("the app let nobody in")
        try:
            yield Page(to_app, from_app)
        finally:
            to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
            await asyncio.wait_for(line, PATIENCE)

    async def _request(
        self, method: str, target: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        sent: list[dict[str, Any]] = []
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            if (message := next(messages, None)) is not None:
                return message
            await asyncio.sleep(3600)  # the visitor stays until the answer is there
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        sized = {"content-length": str(len(body))} if body else {}
        scope = self._scope("http", target, {**headers, **sized}) | {"method": method}
        await asyncio.wait_for(self.app(scope, receive, send), PATIENCE)
        answered = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:])

    def _scope(self, kind: str, target: str, headers: dict[str, str]) -> dict[str, Any]:
        path, _, query = target.partition("?")
        named = {"host": "localhost", "cookie": self.cookie, "accept-language": "en", **headers}
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http" if kind == "http" else "ws",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 50_000),
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "state": dict(self.loop_wide),
        }


@dataclass
class Page:
    """One window. ``run`` is a click: a page, what stands in its address, and what its widgets are set to."""

    to_app: asyncio.Queue[dict[str, Any]]
    from_app: asyncio.Queue[dict[str, Any]]
    hashes: dict[str, str] = field(default_factory=dict)  # page -> as Streamlit calls it

    async def run(self, page: str, query: dict[str, str], widgets: list[WidgetState] | None = None) -> Run:
        wish = BackMsg()
        wish.rerun_script.query_string = urllib.parse.urlencode({"lang": "en", **query})
        wish.rerun_script.page_script_hash = self.hashes.get(page, "")
        wish.rerun_script.page_name = page
        wish.rerun_script.context_info.CopyFrom(
            ContextInfo(timezone="Asia/Shanghai", timezone_offset=-480, locale="en-US", url=f"{ORIGIN}/{page}")
        )
        wish.rerun_script.widget_states.widgets.extend(widgets or [])
        self.to_app.put_nowait({"type": "websocket.receive", "bytes": wish.SerializeToString()})
        return await asyncio.wait_for(self._hear(), PATIENCE)

    async def _hear(self) -> Run:
        done = Run()
        parts = []
        while True:
            frame = await self.from_app.get()
            if frame["type"] == "websocket.close":
                raise ConnectionError(f"the app closed the window: {frame.get('code')}")
            parts.append(frame.get("bytes") or frame.get("text", "").encode())
            message = ForwardMsg.FromString(parts[-1])
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self.hashes = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
            elif kind == "delta":
                done.widgets += _widgets(message.delta, done.widgets)
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                done.sent = b"\n".join(parts)
                return done


def _widgets(delta: Any, before: list[Widget]) -> list[Widget]:
    """What a piece of a page can be set to: an element, tabs, or what opens and closes."""
    if delta.WhichOneof("type") == "new_element":
        kind = delta.new_element.WhichOneof("type") or "empty"
        content = getattr(delta.new_element, kind)
        options = tuple(getattr(option, "content", option) for option in getattr(content, "options", ()))
        found = Widget(getattr(content, "id", ""), kind, getattr(content, "label", ""), options)
    elif delta.WhichOneof("type") == "add_block":
        kind = delta.add_block.WhichOneof("type") or "transparent"
        content = getattr(delta.add_block, kind)
        found = Widget(getattr(content, "id", ""), kind, getattr(content, "label", ""))
        if kind == "tab":
            tabs = [widget for widget in before if widget.kind == "tab_container"]
            found = Widget(tabs[-1].id if tabs else "", kind, content.label, (content.label,))
    else:
        return []
    return [found] if found.id else []


def unpacked(file: bytes) -> bytes:
    """The content of a workbook, or a file as it is."""
    if not file.startswith(b"PK"):
        return file
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        return b"\n".join(parts.read(name) for name in parts.namelist())


def set_to(widget: Widget, value: str) -> WidgetState | None:
    """A widget as a forger sends it: ``value`` whether it was offered or not; None for what takes no value."""
    state = WidgetState(id=widget.id)
    match widget.kind:
        case "text_input" | "text_area" | "selectbox" | "radio" | "tab":
            state.string_value = value
        case "multiselect" | "button_group":
            state.string_array_value.data.append(value)
        case "dataframe":
            state.string_value = json.dumps({"selection": {"rows": [0], "columns": [], "cells": []}})
        case "plotly_chart":
            point = {"customdata": [value, value], "point_index": 0, "curve_number": 0, "x": value, "y": value}
            state.string_value = json.dumps(
                {"selection": {"points": [point], "point_indices": [0], "box": [], "lasso": []}}
            )
        case _:
            return None
    return state


def used(widget: Widget) -> WidgetState | None:
    """A widget as somebody uses it: pressed, opened, its first row or its last option chosen; None: not by itself."""
    state = WidgetState(id=widget.id)
    match widget.kind:
        case "button":
            state.trigger_value = True
        case "checkbox" | "expandable" | "popover":
            state.bool_value = True
        case "tab" | "selectbox" | "button_group" if widget.last:
            return set_to(widget, widget.last)
        case "dataframe" | "plotly_chart":
            return set_to(widget, "0")
        case _:
            return None
    return state
