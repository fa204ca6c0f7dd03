"""Texts that people have typed, shown as they are."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&])")


def literal(text: str) -> str:
    """``text`` for Markdown: no link, no picture, no formatting, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
