"""What dimensions of customers and their groups are called."""

from data_access.marts.segment_rules import PRESETS
from pages._ui import load
from pages._ui.i18n import exists, localized, localized_text, t

# Everywhere the same words, whatever the dimension.
_COMMON = ("not_known", "others", "elsewhere", "mixed", "absent")
_PREFIX: dict[str, str] = {
    "segment": "segment",
    "abc": "abc",
    "quadrant": "quadrant",
    **dict.fromkeys(PRESETS, "stage"),
}
_DATA = {"dominant_category": "product.category", "tier": "tier.name"}


def dimension(name: str) -> str:
    """The name of a dimension."""
    return t(f"crossing.by.{name}")


def group(name: str, value: str, generation: str) -> str:
    """The name of a group of a dimension."""
    if value in _COMMON:
        return t(f"group.{value}") if (name, value) != ("quadrant", "not_known") else t("group.no_order")
    if name in _PREFIX:
        return t(f"{_PREFIX[name]}.{value}")
    if name in _DATA:
        return localized_text(_DATA[name], value)
    if name == "home_store":
        return _stores(generation).get(value, value)
    word = str(value).replace(" ", "_")
    for key in (f"group.{name}.{word}", f"{name}.{word}"):
        if exists(key):
            return t(key)
    return value


def _stores(generation: str) -> dict[str, str]:
    named = localized(load.places(generation), {"store": "store.name"})
    return dict(zip(named["store_id"], named["store"], strict=True))
