"""Values of reports in files and on paper: no key that a reader would have to know, in either language."""

import re

import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from models.reports import REPORTS, tables
from pages._ui import worded
from pages._ui.i18n import LANGUAGES, catalogue, speaking
from tests.test_report_command import ARGUMENTS, CHAIN, when

KEY = re.compile(r"[a-z][a-z0-9]*([_.+][a-z0-9]+)*")
# Columns of names that the data gives, and names and free texts that the tests' chain writes in English.
NAMES = frozenset({"store", "product", "category", "supplier", "brand", "city", "customer_key", "group_key", "tier"})
WRITTEN = frozenset({"alpha", "d3", "fragrance", "gift", "gifts", "kind"})


@pytest.fixture(autouse=True)
def no_translations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.i18n._translations", lambda field, language: {})


@pytest.mark.parametrize("name", REPORTS)
def test_no_key_of_a_report_is_left_in_a_chinese_file(name: str, tiny_snapshot: Snapshot) -> None:
    report = REPORTS[name].function(tiny_snapshot, CHAIN, *when(name), **ARGUMENTS.get(name, {}))
    with speaking("zh_CN"):
        assert {table: left for table, frame in tables(report).items() if (left := keys_left(frame))} == {}


def keys_left(frame: pd.DataFrame) -> dict[str, list[str]]:
    shown = worded.in_words(frame)
    texts = {
        column: sorted({value for value in shown[column] if isinstance(value, str) and KEY.fullmatch(value)} - WRITTEN)
        for column in map(str, shown)
        if column not in NAMES and not column.endswith("_id")
    }
    return {column: found for column, found in texts.items() if found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prefix_has_texts(language: str) -> None:
    known = {key.rpartition(".")[0] for key in catalogue(language).one}
    assert {prefix for prefixes in worded._PREFIXES.values() for prefix in prefixes} <= known


def test_keys_are_read_with_their_column() -> None:
    frame = pd.DataFrame(
        {"kind": ["online", "shop"], "city_tier": ["new_1", "new_1"], "reason": ["out_of_stock", "Z9"], "units": [1, 2]}
    )
    with speaking("en"):
        assert worded.in_words(frame).to_dict("list") == {
            "kind": ["Online", "In shops"],
            "city_tier": ["New tier 1", "New tier 1"],
            "reason": ["Out of stock", "Z9"],
            "units": [1, 2],
        }


def test_joined_keys_are_read_one_by_one() -> None:
    frame = pd.DataFrame({"channel_set": ["event+sms"], "key": ["cuped_difference.A"]})
    with speaking("zh_CN"):
        assert worded.in_words(frame).to_dict("list") == {
            "channel_set": ["线下活动 + 短信"],
            "key": ["差异（CUPED 校正） · A"],
        }


def test_a_column_takes_the_prefix_that_has_all_of_its_keys() -> None:
    """A product and a customer have quadrants of their own, and many things a state."""
    with speaking("en"):
        quadrants = worded.in_words(pd.DataFrame({"quadrant": ["hot", "slow"]}))["quadrant"].tolist()
        states = worded.in_words(pd.DataFrame({"state": ["running", "closed"]}))["state"].tolist()
    assert (quadrants, states) == (["Hot", "Slow"], ["Running", "Closed"])


def test_names_of_places_campaigns_and_tiers_are_in_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {
        "store.name": {"杭州湖滨店": "Hangzhou Lakeside"},
        "region.name": {"华东大区": "East China"},
        "campaign.name": {"会员日": "Members' day"},
        "tier.name": {"金卡": "Gold"},
    }
    monkeypatch.setattr("pages._ui.i18n._translations", lambda field, language: words.get(field, {}))
    frame = pd.DataFrame({"place": ["杭州湖滨店", "华东大区"], "name": ["会员日"] * 2, "key": ["金卡", "杭州湖滨店"]})
    with speaking("en"):
        said = worded.in_words(frame.assign(to_name=["杭州湖滨店"] * 2)).to_dict("list")
    assert said == {
        "place": ["Hangzhou Lakeside", "East China"],
        "name": ["Members' day"] * 2,
        "key": ["Gold", "Hangzhou Lakeside"],
        "to_name": ["Hangzhou Lakeside"] * 2,
    }
