"""What the sign-in page lets the browser do ahead: start Streamlit's front end, and draw a page with it.

More than half of what a browser computed between the click on sign-in and the first chart was compiling JavaScript
that holds nobody's data: 5 MB for charts alone. The rest ran slowly because it ran for the first time. So the sign-in
page starts the front end out of sight while a person types or reads, and plays it a page of invented figures
(``sample``). Whoever signs in then stays in this document: the form is sent by a script, and the front end, which has
waited for an answer of the server until then, connects. Where anything is not as expected, the form is sent as ever.

Until then the server is asked for nothing but files. Those, and only those, answer to people who have not signed in.
"""

import asyncio
import re
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages._gate import index
from pages._gate.look import asset, chosen_language

SCRIPT = "/ahead.js"  # of the sign-in page
SAMPLE = "/ahead.bin"
STAY = "x-mirror-stay"  # of a form that a script sends: the document would rather not be left

_STATIC = Path(st.__file__).parent / "static"
_HASHED = re.compile(r"[\w.@+-]+\.[\w-]{8}\.(js|css|woff2)")


@lru_cache(maxsize=1)
def files() -> frozenset[str]:
    """The paths of Streamlit's own scripts, style sheets and fonts, whose names hold a hash of their content."""
    found = (path for folder in ("js", "css", "media") for path in (_STATIC / "static" / folder).iterdir())
    return frozenset(f"/{path.relative_to(_STATIC).as_posix()}" for path in found if _HASHED.fullmatch(path.name))


@lru_cache(maxsize=1)
def script_text() -> str:
    """Starts the front end as soon as the sign-in page has nothing else to do, and signs in without leaving."""
    wanted = ", ".join(f'import("/static/js/{name}")' for name in index.first_chunks())
    words = {
        '"MODULE"': f'"{index.entry("script")}"',
        '"STYLES"': f'"{index.entry("style")}"',
        '"SAMPLE"': f'"{SAMPLE}"',
        '"STAY"': f'"{STAY}"',
        'import("CHUNKS")': f"Promise.all([{wanted}])",
    }
    text = asset("ahead.js")
    for word, meant in words.items():
        text = text.replace(word, meant)
    return index.START_SCRIPT + text


async def script(_: Request) -> Response:
    """The script of the sign-in page."""
    return Response(script_text(), media_type="text/javascript")


async def play(request: Request) -> Response:
    """The invented page, for the front end to draw."""
    frames = await asyncio.to_thread(_frames, chosen_language(request))
    return Response(frames, media_type="application/octet-stream")


def _frames(language: str) -> bytes:
    from pages._gate import sample  # loads what draws charts, which a process that begins does later, on its own thread

    return sample.frames(language)


ROUTES = [
    Route(SCRIPT, script, methods=["GET"]),
    Route(SAMPLE, play, methods=["GET"]),
]
