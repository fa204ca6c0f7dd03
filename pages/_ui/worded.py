"""The values of a report's tables as a file or a page on paper writes them: keys of the data and of the reports in
words, names in the language of the reader. On the screen each list says itself which words its keys stand for."""

from collections.abc import Mapping, Sequence

import pandas as pd

from pages._ui.i18n import exists, localized, t

# Column -> the fields of the data whose texts it may hold.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "store": ("store.name",),
    "from_name": ("store.name",),
    "to_name": ("store.name",),
    "region": ("region.name",),
    "place": ("store.name", "region.name"),
    "city": ("store.city",),
    "product": ("product.name",),
    "category": ("product.category",),
    "supplier": ("supplier.name",),
    "campaign": ("campaign.name",),
    "name": ("campaign.name",),
    "course_name": ("course.name",),
    "tier": ("tier.name",),
    "key": ("store.name", "tier.name"),  # of groups of customers
}
_GROUPS = ("segment", "group", "stage", "channel", *(f"group.{by}" for by in ("age_band", "skin_type", "skin_concern")))
# Column -> the prefixes of the texts its keys may stand for, where that is not the column's own name.
_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "account_type": ("customer.account",),
    "band": ("price_band",),
    "band_before": ("price_band",),
    "basis": ("run_out.basis",),
    "buyer_group": ("allocation",),
    "channel": ("channel", "consent_channel"),
    "channel_set": ("channel",),
    "class": ("demand.class",),
    "column_group": _GROUPS,
    "detail": ("customer.outcome", "customer.status"),
    "dimension": ("customer.by",),
    "direction": ("spending",),
    "factor": ("why.factor",),
    "field": ("profile_field",),
    "five_phase": ("stage",),
    "from_group": _GROUPS,
    "group": _GROUPS,
    "key": ("metric", "habit", "lift", "written", "targets", "training", "funnel", "allocation", "column", "source"),
    "name": ("channel", "customer.price_band", "source_kind"),
    "kind": (
        "filters.channel", "alerts.kind", "customer.kind", "incident_kind", "source_kind",
        "contact_kind",
    ),
    "level": ("demand.level", "profiles.level", "retention.active_by", "column"),
    "measure": ("metric", "scorecard", "column"),
    "method": ("lapse_method",),
    "metric": ("metric", "lift"),
    "mode": ("load_mode",),
    "model": ("demand.model",),
    "movement": ("store",),
    "of": ("step",),
    "outcome": ("customer.outcome", "customer.kind"),
    "part": (*_GROUPS, "channel"),
    "preset": ("segments.preset",),
    "previous": ("step",),
    "problem": ("profile_fix",),
    "quadrant": ("quadrant", "stock_quadrant"),
    "reach": ("consent_channel",),
    "ready_band": ("price_band",),
    "reason": ("stock_reason", "lapse_reason", "breach"),
    "requirement": ("value.need",),
    "role": ("job",),
    "rule": ("customer.rule",),
    "skin_concern": ("skin.concern",),
    "skin_type": ("skin.type",),
    "source": ("source", "target_source"),
    "standing": ("standing", "festivals.standing"),
    "state": ("campaign_state", "lapse_state", "table_state", "certificate"),
    "subject": ("retention",),
    "table_name": ("table",),
    "tenure": ("allocation.tenure",),
    "text": ("customer.reason",),
    "tie_rule": ("segments.ties",),
    "row_group": _GROUPS,
    "to_group": _GROUPS,
    "touch": ("touch",),
    "type": ("campaign_type",),
    "unit": ("unit",),
    "verdict": ("verdict", "place_verdict", "funnel_verdict", "stores.verdict", "training.verdict"),
    "why": ("advice",),
    "with_maintenance": ("stage",),
}  # fmt: skip
_ANY = "written"  # the prefix of texts that only files and paper need
_BETWEEN = ("+", ".")  # keys of one value


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with names and keys in the language that is spoken; a key without a text stays as it is."""
    named = frame
    for turn in range(max(map(len, _NAMES.values()))):
        named = localized(named, {column: fields[turn] for column, fields in _NAMES.items() if turn < len(fields)})
    return named.assign(**{column: _in_words(named[column], column) for column in map(str, named)})


def heading(page: str, table: str) -> str:
    """What a table of the report of ``page`` is called; tables of one name may be different things on two pages."""
    own = f"export.sheet.{page}.{table}"
    return t(own if exists(own) else f"export.sheet.{table}")


def meaning(page: str, metric: str) -> str:
    """What a figure of the report of ``page`` means; two pages may count it differently."""
    own = f"metric.{metric}.help.{page}"
    return t(own if exists(own) else f"metric.{metric}.help")


def _in_words(values: pd.Series, column: str) -> pd.Series:
    keys = [key for key in values.dropna().unique() if isinstance(key, str)] if values.dtype.kind == "O" else []
    prefixes = _prefixes(column, keys)
    words = {key: said for key in keys if (said := _word(prefixes, key)) != key}
    return values.map(lambda key: words.get(key, key)) if words else values


def _prefixes(column: str, keys: Sequence[str]) -> tuple[str, ...]:
    """The prefixes of a column, first of all the one that has a text for every key of it."""
    prefixes = (*_PREFIXES.get(column, (column,)), _ANY)
    whole = [prefix for prefix in prefixes if all(exists(f"{prefix}.{key}") for key in keys)]
    return (*whole[:1], *prefixes)


def _word(prefixes: Sequence[str], key: str) -> str:
    name = key.replace(" ", "_")
    for prefix in prefixes:
        if exists(f"{prefix}.{name}"):
            return t(f"{prefix}.{name}")
    for between in _BETWEEN:
        parts = key.split(between)
        if len(parts) > 1 and (said := [_word(prefixes, part) for part in parts]) != parts:
            return f" {between if between == '+' else '·'} ".join(said)
    return key
