"""On which channels the customers of a list may be reached: every row that invites to contact somebody says so."""

import pandas as pd

from data_access.queries.consents import MARKETING
from pages._ui import load
from pages._ui.head import Opened
from pages._ui.i18n import t, word


def in_words(page: Opened, customer_keys: pd.Series) -> pd.Series:
    """Of each customer the channels in words, those for service only said so; None where nothing is agreed to."""
    found = load.reach(page.scope, tuple(customer_keys), page.generation)
    said: dict[str, str] = {}
    for key, rows in found.groupby("customer_key"):
        marketing = set(rows.loc[rows["purpose"] == MARKETING, "channel"])
        service = sorted(set(rows["channel"]) - marketing)
        parts = [_names(sorted(marketing))] if marketing else []
        parts += [t("reach.service", channels=_names(service))] if service else []
        said[str(key)] = t("reach.and").join(parts)
    return customer_keys.map(said).astype(object)


def _names(channels: list[str]) -> str:
    return t("reach.comma").join(word("customer.reach", channel) for channel in channels)
