"""Words in Chinese and English. Catalogues are gettext ``.po`` files, read as they are: no compile step.

One catalogue per topic and language (``locale/zh_CN/overview.po``); a message id is a key that begins with a topic,
such as ``overview.title``. Nothing a person reads is written anywhere else.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from babel.messages.pofile import read_po

LANGUAGES = ("zh_CN", "en")
LOCALE = Path(__file__).parent / "locale"

_spoken: ContextVar[str] = ContextVar("spoken", default="")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Catalogue:
    """The messages of one language: ``one[key]`` is a text, ``many[key]`` the plural forms in gettext's order."""

    one: Mapping[str, str]
    many: Mapping[str, tuple[str, ...]]


class MissingMessage(KeyError):
    """A key that no catalogue of the language holds."""


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Catalogue:
    """Every message of ``language``, from all topics. A key in two files is an error."""
    one: dict[str, str] = {}
    many: dict[str, tuple[str, ...]] = {}
    for file in sorted((LOCALE / language).glob("*.po")):
        with file.open("rb") as opened:
            messages = read_po(opened, locale=language, abort_invalid=True)
        for message in messages:
            if not message.id or not message.string:
                continue
            key = message.id if isinstance(message.id, str) else message.id[0]
            if key in one or key in many:
                raise ValueError(f"{file.name} repeats the message {key!r}")
            if isinstance(message.string, str):
                one[key] = message.string
            else:
                many[key] = tuple(message.string)
    return Catalogue(one, many)


def language() -> str:
    """The language that is being spoken; else that of this run, as the shell decided it; before that, the browser's."""
    if spoken := _spoken.get():
        return spoken
    chosen = st.session_state.get("_language")
    return chosen if chosen in LANGUAGES else preferred(st.context.locale)


@contextmanager
def speaking(chosen: str) -> Iterator[None]:
    """Inside, texts are in ``chosen``: on threads that know no run of a page, and in commands."""
    before = _spoken.set(chosen)
    try:
        yield
    finally:
        _spoken.reset(before)


def use_language(chosen: str) -> None:
    """Sets the language of this run. Only the shell calls this.

    Kept for the thread of the run, because a page asks for it thousands of times and the session's state is slow to
    answer; and in the session, for fragments and whatever else runs without the shell.
    """
    _spoken.set(chosen)
    st.session_state["_language"] = chosen


def preferred(tags: str | None) -> str:
    """The language for a browser's tag or ``Accept-Language`` header: Chinese when it asks for it, else English."""
    if not tags:
        return "en"
    ranked: list[tuple[float, str]] = []
    for part in tags.split(","):
        tag, _, weight = part.partition(";q=")
        try:
            ranked.append((-float(weight or 1), tag.strip().lower()))
        except ValueError:
            continue
    for _, tag in sorted(ranked, key=lambda pair: pair[0]):
        if tag.startswith("zh"):
            return "zh_CN"
        if tag.startswith("en"):
            return "en"
    return "en"


def t(key: str, **params: Any) -> str:
    """The text of ``key`` in the language of this run, with ``{name}`` filled from ``params``."""
    return text(language(), key, **params)


def tn(key: str, number: float, **params: Any) -> str:
    """The text of ``key`` in the plural form for ``number``, which fills ``{n}`` unless ``n`` is given."""
    return text_n(language(), key, number, **params)


def text(language: str, key: str, **params: Any) -> str:
    """Like ``t``, for a language that the caller names (the sign-in page runs outside Streamlit)."""
    found = catalogue(language).one.get(key)
    if found is None:
        return _missing(language, key)
    return found.format(**params) if params else found


def text_n(language: str, key: str, number: float, **params: Any) -> str:
    """Like ``tn``, for a language that the caller names."""
    forms = catalogue(language).many.get(key)
    if forms is None:
        return _missing(language, key)
    # Chinese has one form; English the singular for exactly one.
    form = forms[0] if len(forms) == 1 or number == 1 else forms[1]
    return form.format(**{"n": number, **params})


def exists(key: str) -> bool:
    """Whether the language of this run has a text or plural for ``key``."""
    messages = catalogue(language())
    return key in messages.one or key in messages.many


def word(prefix: str, key: str) -> str:
    """The word for a value of the data, such as ``channel.sms``; the value itself where there is none."""
    return t(f"{prefix}.{key}") if exists(f"{prefix}.{key}") else key


def _missing(language: str, key: str) -> str:
    if os.environ.get("PYTEST_CURRENT_TEST"):
        raise MissingMessage(f"no {language} text for {key!r}")
    _log_once(language, key)
    return f"⟦{key}⟧"


@lru_cache(maxsize=4096)
def _log_once(language: str, key: str) -> None:
    _log.error("no %s text for %r", language, key)


def localized(frame: pd.DataFrame, fields: Mapping[str, str]) -> pd.DataFrame:
    """``frame`` with data texts in the language of this run, where the snapshot knows a translation.

    ``fields`` says which column holds which field of the data: ``{"store": "store.name"}``. The data of the demo
    chain is Chinese; a text without a translation stays as it is.
    """
    if frame.empty:
        return frame
    chosen = language()
    changed = {
        column: frame[column].map(lambda value, words=words: words.get(value, value))
        for column, field in fields.items()
        if column in frame and (words := _translations(field, chosen))
    }
    return frame.assign(**changed) if changed else frame


def localized_text(field: str, source: str) -> str:
    """One data text (a store's name, a category) in the language of this run."""
    return _translations(field, language()).get(source, source)


def _translations(field: str, language: str) -> Mapping[str, str]:
    from pages._ui import load  # load needs the language of this module for its own messages

    words = load.translations(language, load.generation()).get(field, {})
    # The snapshot's own word for a store without a region.
    return {**words, "unknown": text(language, "region.unknown")} if field == "region.name" else words
