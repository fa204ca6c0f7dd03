"""Security headers on every answer of the process, Streamlit's own included."""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_YEAR = 365 * 24 * 60 * 60
_UNFRAMED = "frame-ancestors 'none'"
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@lru_cache(maxsize=1)
def content_security_policy() -> str:
    """Everything from this host only. Streamlit's page has one inline script; its hash is computed, not copied."""
    index = Path(st.__file__).parent / "static" / "index.html"
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(index.read_bytes())
    )
    return (
        f"default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        f"{_UNFRAMED}; base-uri 'none'; form-action 'self'; object-src 'none'"
    )


class SecurityHeaders:
    """Pure ASGI, because Starlette's own middleware base class does not carry websockets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.fixed = {
            "content-security-policy": content_security_policy(),
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            # Not no-referrer: with it the browser sends "Origin: null" on the sign-in form.
            "referrer-policy": "same-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # File names under /static/ hold a hash of the content; everything else may show somebody's figures.
        lasting = scope["type"] == "http" and scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.fixed)
                # No other site's pages read anything here, whatever a route behind would allow them.
                del headers["access-control-allow-origin"], headers["access-control-allow-credentials"]
                if scope["scheme"] == "https":
                    headers["strict-transport-security"] = f"max-age={_YEAR}"
                if not lasting:
                    headers["cache-control"] = "no-store"
            await send(message)

        await self.app(scope, receive, with_headers)
