"""Words: the two catalogues say the same things, and every text the pages ask for is there."""

import ast
import re
import string
from pathlib import Path

import pandas as pd
import pytest

from models.calc import periods
from models.metrics import METRICS
from pages._ui import access, filters, i18n, load
from pages._ui.i18n import LANGUAGES, catalogue, preferred, text, text_n

ROOT = Path(__file__).parent.parent
SOURCES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]

# Functions that take a message key: t(key), tn(key, n), text(language, key), text_n(language, key, n), say(...).
KEY_POSITION = {"t": 0, "tn": 0, "exists": 0, "text": 1, "text_n": 1, "say": 1}


def keys_asked_for() -> tuple[set[str], set[str]]:
    """Keys written out in the pages, and the beginnings of keys that are put together (t(f"page.{key}"))."""
    whole, beginnings = set(), set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            position = KEY_POSITION.get(name)
            if position is None or len(node.args) <= position:
                continue
            for key in options(node.args[position]):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    whole.add(key.value)
                elif isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
                    beginnings.add(str(key.values[0].value))
    return whole, beginnings


def options(node: ast.expr) -> list[ast.expr]:
    """Both branches of ``a if c else b``, or the expression itself."""
    return options(node.body) + options(node.orelse) if isinstance(node, ast.IfExp) else [node]


def constants() -> set[str]:
    """Every string constant in the pages: keys may wait in tables before they reach ``t``."""
    return {
        node.value
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def fields(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}


def test_both_languages_have_the_same_texts() -> None:
    chinese, english = (catalogue(language) for language in LANGUAGES)
    assert set(chinese.one) == set(english.one)
    assert set(chinese.many) == set(english.many)


def test_both_languages_fill_in_the_same_things() -> None:
    chinese, english = (catalogue(language) for language in LANGUAGES)
    assert {key: fields(chinese.one[key]) for key in chinese.one} == {
        key: fields(english.one[key]) for key in english.one
    }
    for key, forms in chinese.many.items():
        assert len(forms) == 1, key
        assert len(english.many[key]) == 2, key
        assert fields(forms[0]) == fields(english.many[key][1]), key


def test_every_text_is_a_text() -> None:
    for language in LANGUAGES:
        for key, message in catalogue(language).one.items():
            assert message.strip(), (language, key)
            assert re.fullmatch(r"[a-z_]+(\.[A-Za-z0-9_]+)*", key), key
    # A Chinese text has Chinese in it; an English one has none, but for our own name.
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for key, message in catalogue("en").one.items():
        if key not in ("app.other_name", "language.name"):
            assert not chinese.search(message), key


def test_every_text_the_pages_ask_for_exists() -> None:
    whole, beginnings = keys_asked_for()
    known = set(catalogue("en").one) | set(catalogue("en").many)
    assert sorted(whole - known) == []
    assert sorted(start for start in beginnings if not any(key.startswith(start) for key in known)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_bold_ends_where_it_should(language: str) -> None:
    """CommonMark: ** after a punctuation mark and before a letter opens and does not close, so that the rest is bold,
    too. Of a Chinese text the mark stands behind: **已断货**：约…"""
    known = catalogue(language)
    for message in (*known.one.values(), *(form for forms in known.many.values() for form in forms)):
        parts = message.split("**")
        for bold, after in zip(parts[1::2], parts[2::2], strict=True):
            assert not (re.search(r"[^\w}]$", bold) and re.match(r"\w", after)), message


# Other words for what has a term (docs/look.md), and what they are part of without meaning it.
OTHER_WORDS = {
    "zh_CN": r"客户|产品|(?<!美容)顾问|[\d}]\s?pt\b",
    "en": r"(?i)\b(clients?|shoppers?|advisors?|transactions?|pieces?|articles?|percentage points|pts?)\b|[\d}]pp\b",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_thing_has_one_name(language: str) -> None:
    known = catalogue(language)
    texts = (*known.one.values(), *(form for forms in known.many.values() for form in forms))
    assert [one for one in texts if re.search(OTHER_WORDS[language], one)] == []


def test_no_text_is_left_over() -> None:
    whole, beginnings = keys_asked_for()
    written = constants()
    topics = {file.stem for file in (i18n.LOCALE / "en").glob("*.po")}

    def used(key: str) -> bool:
        # t(f"{prefix}.{value}"): the prefix is a text in the code, the value comes from the data and may hold dots
        prefixes = {key.rpartition(".")[0], key.partition(".")[0]} - topics
        return bool(({key} | prefixes) & (whole | written)) or any(b and key.startswith(b) for b in beginnings)

    known = set(catalogue("en").one) | set(catalogue("en").many)
    assert sorted(key for key in known if not used(key)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_of_tables_in_the_code_are_complete(language: str) -> None:
    one = catalogue(language).one
    wanted = {f"page.{page.key}" for page in access.PAGES} | {f"nav.{section}" for section in access.SECTIONS}
    wanted |= {f"filters.period.{name}" for name in [*periods.PRESETS, filters.CUSTOM]}
    wanted |= {f"metric.{key}" for key in METRICS} | {f"metric.{key}.help" for key in METRICS}
    assert sorted(wanted - set(one)) == []


def test_a_key_stands_in_one_catalogue_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (tmp_path / "en").mkdir()
    for topic in ("a", "b"):
        (tmp_path / "en" / f"{topic}.po").write_text(f'{head}msgid "a.b"\nmsgstr "text"\n', encoding="utf-8")
    monkeypatch.setattr(i18n, "LOCALE", tmp_path)
    with pytest.raises(ValueError, match=r"b\.po repeats the message 'a\.b'"):
        catalogue.__wrapped__("en")


def test_a_missing_text_fails_here_and_is_marked_in_production(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(i18n.MissingMessage):
        text("en", "no.such.key")
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    i18n._log_once.cache_clear()
    assert [text("en", "no.such.key"), text("en", "no.such.key")] == ["⟦no.such.key⟧"] * 2
    assert [record.getMessage() for record in caplog.records] == ["no en text for 'no.such.key'"]


@pytest.mark.parametrize(
    ("language", "number", "shown"),
    [
        ("zh_CN", 1, "1 家门店"),
        ("zh_CN", 5, "5 家门店"),
        ("en", 1, "1 store"),
        ("en", 0, "0 stores"),
        ("en", 5, "5 stores"),
    ],
)
def test_plurals(language: str, number: int, shown: str) -> None:
    assert text_n(language, "filters.summary.stores", number) == shown


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        ("zh-CN", "zh_CN"),
        ("zh-TW,en;q=0.5", "zh_CN"),
        ("en-US,zh;q=0.9", "en"),
        ("fr-FR,zh;q=0.8,en;q=0.5", "zh_CN"),
        ("en;q=0.3,zh;q=0.8", "zh_CN"),
        ("de", "en"),
        ("en;q=x", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_language_of_a_browser(tags: str | None, language: str) -> None:
    assert preferred(tags) == language


def test_data_texts_follow_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"en": {"store.name": {"杭州万象城店": "Hangzhou Mixc"}}}
    monkeypatch.setattr(load, "generation", lambda: "1")
    monkeypatch.setattr(load, "translations", lambda language, generation: words.get(language, {}))
    frame = pd.DataFrame({"store": ["杭州万象城店", "深圳海岸城店"], "net_sales": [1.0, 2.0]})
    monkeypatch.setattr(i18n, "language", lambda: "en")
    # the one without a translation stays as it is
    assert list(i18n.localized(frame, {"store": "store.name"})["store"]) == ["Hangzhou Mixc", "深圳海岸城店"]
    assert i18n.localized_text("store.name", "杭州万象城店") == "Hangzhou Mixc"
    assert list(frame["store"]) == ["杭州万象城店", "深圳海岸城店"]
    monkeypatch.setattr(i18n, "language", lambda: "zh_CN")
    assert i18n.localized(frame, {"store": "store.name"}) is frame


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_the_glossary_can_name_what_every_ratio_is_of(language: str) -> None:
    parts = {part for metric in METRICS.values() for part in (metric.numerator, metric.denominator) if part}
    keys = [f"metric.{part}" if part in METRICS else f"column.{part}" for part in sorted(parts)]
    assert [key for key in keys if not i18n.text(language, key)] == []
