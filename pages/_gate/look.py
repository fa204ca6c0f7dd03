"""Files and small texts that all pages outside Streamlit share."""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime
from starlette.requests import HTTPConnection

from pages._ui.i18n import LANGUAGES, preferred

LANGUAGE_COOKIE = "mirror_language"
# Written by the browser: narrow or wide.
SCREEN_COOKIE = "mirror_screen"
NARROW = 640  # CSS pixels
# Written by the browser: its time zone.
ZONE_COOKIE = "mirror_zone"

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


def instant(request: HTTPConnection, utc: datetime) -> str:
    """A UTC instant on the reader's own clock; in UTC, and said so, where the browser has named no zone."""
    try:
        zone: ZoneInfo | None = ZoneInfo(request.cookies[ZONE_COOKIE])
    except (KeyError, ValueError, ZoneInfoNotFoundError):
        zone = None
    local = utc.replace(tzinfo=UTC).astimezone(zone or UTC)
    said = format_datetime(local, "yyyy-MM-dd HH:mm", locale=chosen_language(request))
    return said if zone else f"{said} UTC"
