"""What the sign-in page lets the browser do ahead: load and start Streamlit's front end in a hidden frame.

More than half of what a browser computed between the click on sign-in and the first chart was compiling JavaScript
that holds nobody's data: 5 MB for charts alone. A browser keeps what it has compiled for the next page of the same
site in the same tab, so the frame does that work while a person types or reads. It asks the server for nothing but
files: what Streamlit would ask before it shows a page stays unanswered inside the browser.

Those files, and only those, answer to people who have not signed in.
"""

import re
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pages._gate import index
from pages._gate.look import asset, chosen_language

PAGE = "/ahead"
SCRIPT = "/ahead.js"  # of the sign-in page: opens the frame
FRAME_SCRIPT = "/ahead-frame.js"

_STATIC = Path(st.__file__).parent / "static"
_HASHED = re.compile(r"[\w.@+-]+\.[\w-]{8}\.(js|css|woff2)")


@lru_cache(maxsize=1)
def files() -> frozenset[str]:
    """The paths of Streamlit's own scripts, style sheets and fonts, whose names hold a hash of their content."""
    found = (path for folder in ("js", "css", "media") for path in (_STATIC / "static" / folder).iterdir())
    return frozenset(f"/{path.relative_to(_STATIC).as_posix()}" for path in found if _HASHED.fullmatch(path.name))


async def show(request: Request) -> Response:
    """The page in the frame: the one that starts Streamlit, which here never reaches a server."""
    page = index.index(chosen_language(request))
    return HTMLResponse(page.replace(f'src="{index.START}"', f'src="{FRAME_SCRIPT}"'))


async def script(_: Request) -> Response:
    """Opens the frame as soon as the sign-in page has nothing else to do."""
    return Response(asset("ahead.js"), media_type="text/javascript")


async def frame_script(_: Request) -> Response:
    """Leaves every question to the server unanswered, and starts what the first pages consist of."""
    wanted = ", ".join(f'"/static/js/{name}"' for name in index.first_chunks())
    return Response(asset("ahead-frame.js").replace('"FILES"', wanted), media_type="text/javascript")


ROUTES = [
    Route(PAGE, show, methods=["GET"]),
    Route(SCRIPT, script, methods=["GET"]),
    Route(FRAME_SCRIPT, frame_script, methods=["GET"]),
]
