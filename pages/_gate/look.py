"""Files and small texts that all pages outside Streamlit share."""

from functools import lru_cache
from pathlib import Path

from starlette.requests import HTTPConnection

from pages._ui.i18n import LANGUAGES, preferred

LANGUAGE_COOKIE = "mirror_language"
# Written by the browser: narrow or wide.
SCREEN_COOKIE = "mirror_screen"
NARROW = 640  # CSS pixels

_ASSETS = Path(__file__).parent / "assets"


@lru_cache(maxsize=4)
def asset(name: str) -> str:
    """A file of the assets folder."""
    return (_ASSETS / name).read_text(encoding="utf-8").strip()


@lru_cache(maxsize=1)
def icon() -> str:
    """The mark, written for a data URL inside double quotes."""
    return asset("mark.svg").replace("#", "%23").replace('"', "'").replace("\n", "")


def tag(language: str) -> str:
    """A language as HTML names it: zh-CN."""
    return language.replace("_", "-")


def chosen_language(request: HTTPConnection) -> str:
    """The language of a request: its own word in the URL, then the cookie, then what the browser prefers."""
    for wish in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wish in LANGUAGES:
            return wish
    return preferred(request.headers.get("accept-language"))
