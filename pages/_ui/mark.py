"""Our mark: a round vanity mirror, alone and beside the name. One drawing for the sign-in page and the sidebar."""

import base64
from functools import lru_cache
from pathlib import Path

from pages._ui.i18n import text

_FILE = Path(__file__).parent.parent / "_gate" / "assets" / "mark.svg"


@lru_cache(maxsize=1)
def mark() -> str:
    """The mark as an image."""
    return _image(_FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=4)
def wordmark(language: str) -> str:
    """The mark and the name; the grey of the text reads on light and dark ground."""
    drawing = _FILE.read_text(encoding="utf-8").split(">", 1)[1].rsplit("</svg>", 1)[0]
    name = text(language, "app.name")
    width = 56 + 24 * len(name) if language == "zh_CN" else 56 + 13 * len(name)
    return _image(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 48" fill="none">{drawing}'
        f'<text x="56" y="31" font-family="Inter,PingFang SC,Microsoft YaHei,Noto Sans CJK SC,sans-serif" '
        f'font-size="22" font-weight="650" fill="#B05D7D">{name}</text></svg>'
    )


def _image(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
