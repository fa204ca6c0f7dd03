"""Lists for a purpose: of the customers on a list those who may be contacted for it at the moment it is fetched.

The CRM sends, not this program: the file carries the CRM's own customer ids, and no contact data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from data_access import consents
from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.settings import settings
from data_access.state import erasures
from data_access.state.store import opened
from models.calc.audience_rules import applied, expect_large, told_withheld
from pages._ui import load
from pages._ui.i18n import language, t, text, word

CUSTOMER = "customer_key"
NOTE = "note"  # what a file says of whom it leaves out, among the attributes of its frame


@dataclass(frozen=True, slots=True)
class Use:
    """What a list is for, and that in words."""

    purpose: str
    channel: str
    words: str


def choose(key: str, scope: Scope) -> Use | None:
    """A select box with what a list may be for; None: to look at, which needs nobody's consent."""
    agreed = load.agreements(scope, load.generation())
    uses = [use_of(purpose, channel) for purpose, channel in agreed]
    if not uses:
        return None
    chosen: Use | None = st.selectbox(
        t("handover.use"),
        [None, *uses],
        format_func=lambda use: t("handover.look") if use is None else use.words,
        placeholder=t("handover.look"),  # None is shown as no choice, in English unless told
        key=f"{key}_use",
        help=t("handover.help"),
    )
    return chosen


def use_of(purpose: str, channel: str) -> Use:
    """A purpose and channel with their words in the language of the run."""
    return Use(purpose, channel, _words(purpose, channel))


def for_use(fetch: Callable[[], pd.DataFrame], scope: Scope, use: Use) -> Callable[[], pd.DataFrame]:
    """What reads the list for ``use``: only who may be contacted, each with the CRM's id.

    Problem when fewer than 50 are left. Runs on a thread that knows no language.
    """
    said, state, home = language(), opened(), settings().home

    def read() -> pd.DataFrame:
        rows = fetch()
        keys = rows[CUSTOMER].dropna().tolist()
        forgotten = erasures.forgotten(state)
        found = consents.permitted(scope, keys, use.purpose, use.channel, utc_now(), home=home, forgotten=forgotten)
        audience = applied(keys, {key: permission.verdict for key, permission in found.items()})
        expect_large(audience)
        kept = rows[rows[CUSTOMER].isin(audience.kept)].reset_index(drop=True)
        ids = kept[CUSTOMER].map({key: permission.customer_id for key, permission in found.items()})
        kept.insert(1, "customer_id", ids)
        kept.attrs[NOTE] = _note(said, use, len(audience.kept), audience.asked, told_withheld(audience))
        return kept

    return read


def _note(said: str, use: Use, kept: int, asked: int, withheld: Mapping[consents.Verdict, str]) -> str:
    reasons = [f"{text(said, f'handover.{reason}')} {told}" for reason, told in withheld.items()]
    left_out = "; ".join(reasons) or text(said, "handover.nobody")
    return text(said, "handover.note", use=use.words, kept=f"{kept:,}", asked=f"{asked:,}", withheld=left_out)


def _words(purpose: str, channel: str) -> str:
    return t("handover.by", purpose=word("purpose", purpose), channel=word("channel", channel))
