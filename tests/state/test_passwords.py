"""Passwords: which will do, that a wrong one never fits, and who waits when many sign in at once."""

import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from data_access.errors import Problem
from data_access.settings import settings as settings_of_now
from data_access.state import blocklist, passwords
from data_access.state.rules import Rule
from tests.state.people import PASSWORD


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "walnut-trapeze-quilt-fjord",
        "kx7vq-9fbmt-22whd-r8cza",
        "蓝鲸在图书馆里修理自行车很认真啊",
        "many  spaces  and ümläuts in here",
        "only lower case letters suffice for this purpose",
        "x9!" + "Krähe fliegt über den Teich, 17 Mal" * 3,
    ],
)
def test_any_long_text_will_do_that_is_not_made_of_common_parts(password: str) -> None:
    passwords.check(password)


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("", "password_short"),
        ("quiet lantern!", "password_short"),  # 14
        ("ﬁ" + "vwmkqzjxhgdp", "password_short"),  # the ligature is two letters: 14
        (PASSWORD * 4, "password_long"),
    ],
)
def test_a_password_has_15_to_128_characters(password: str, key: str) -> None:
    with pytest.raises(Rule) as refused:
        passwords.check(password)
    assert refused.value.key == key


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password1234567!",
        "P@ssw0rd-2026-Spring!",
        "p455w0rdp455w0rd",
        "123456789012345",
        "987654321098765",
        "qwertyuiopasdfgh",
        "1qaz2wsx3edc4rfv",
        "aaaaaaaaaaaaaaa",
        "k9#xQk9#xQk9#xQ",
        "iloveyouforever!",
        "correcthorsebatterystaple",
        "sunshine-dragon-monkey",
        "administrator2026",
        "woaini1314520woaini",
        "zhangwei19900101",
        "13800138000zhangwei",
        "Liu-Yang-Shanghai-88",
        "我爱你我爱你一生一世一生一世2024",
        "好好学习天天向上好好学习天天向上",
        "beautymirror2026!",
        "...............",
        "admin123admin1234",
        "1wsx2edc3rfv4tgb",  # a column of keys, moved along
        "zaq!XSW@cde#VFR$",  # up and down, with shift
        "fvcvbnmju6ujmnb",  # from key to key beside
        "mailcreated5240",  # leaked, and no word of ours
        "eligible-communal-2022!",
        "Praised Communal Theologian",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(Rule) as refused:
        passwords.check(password)
    assert refused.value.key == "password_common"


@pytest.mark.parametrize(
    "password",
    ["Li.Na-Nanjing-Road-1", "Veloura Veloura 2026", "liNaLiNa liNa 2019", "丝萝莎 李娜 2026 2026 20"],
)
def test_names_of_the_person_and_of_the_chain_are_common_parts_too(password: str) -> None:
    passwords.check("Veloura owns my quiet lantern", ("li.na", "李娜"), ("Nanjing Road", "Veloura", "丝萝莎"))
    with pytest.raises(Rule) as refused:
        passwords.check(password, ("li.na", "李娜"), ("Nanjing Road", "Veloura", "丝萝莎"))
    assert refused.value.key == "password_common"


def test_the_list_is_long_lower_case_and_holds_chinese_ones() -> None:
    words = blocklist.common()
    assert len(words) >= 3000
    assert all(word == word.casefold() for word in words)
    assert sum(not word.isascii() for word in words) >= 200
    assert {"password", "qwerty", "woaini", "5201314", "我爱你"} <= words


def long_ones() -> list[str]:
    """Long passwords as people make them of the 3,000 most common short ones and of everyday words."""
    leaked, words = FREQUENCY_LISTS["passwords"][:3000], FREQUENCY_LISTS["english_wikipedia"][1000:7000]
    pairs = list(zip(words[::30], words[3::30], strict=True))
    made = [
        *FREQUENCY_LISTS["passwords"],  # some of the leaked ones are long enough as they are
        *(password * -(-15 // len(password)) for password in leaked),
        *(f"{password}@{1950 + number % 76}!{password}" for number, password in enumerate(leaked[::20])),
        *(f"{one}-{two}-{one}-{two}" for one, two in pairs),
        *(f"{one.title()}{two.title()}{1950 + number % 76}" for number, (one, two) in enumerate(pairs)),
    ]
    return [password for password in dict.fromkeys(made) if len(password) >= passwords.SHORTEST]


def test_long_ones_made_of_common_passwords_and_of_two_words_are_refused() -> None:
    tried = long_ones()
    kept = [password for password in tried if not blocklist.is_guessable(password)]
    assert len(tried) - len(kept) >= 3000
    assert len(kept) <= len(tried) // 100


LISTED = [
    "ghostintheshell",
    "assalamualaikum",
    "blastofwind2718",
    "Infundibuliform",
    "triskaidekaphobes7!",
    "anticonstitutionnellement",
]


@pytest.mark.parametrize("password", LISTED)
def test_long_ones_that_were_leaked_are_refused_whatever_they_are_made_of(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ASVS 6.2.4: at least the 3,000 most frequent that are long enough."""
    assert len(blocklist._listed()) == 17_671  # docs/security.md says of which lists
    assert blocklist.is_guessable(password)
    monkeypatch.setattr(blocklist, "_listed", frozenset)
    assert not blocklist.is_guessable(password)


def test_no_password_of_a_list_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ASVS 6.2.4: whoever has a list of the most frequent ones of 15 and more characters names it."""
    taken = "Svetik-Kryuchkov-vaznuv-1979"
    passwords.check(taken)
    file = tmp_path / "leaked.txt"
    file.write_text("short\n" + "".join(f"{n}-leaked-otter-lighthouse\n" for n in range(3000)) + f"{taken.lower()}\r\n")
    monkeypatch.setenv("MIRROR_LEAKED_PASSWORDS", str(file))
    settings_of_now.cache_clear()
    for password in (taken, "2999-leaked-otter-lighthouse"):
        with pytest.raises(Rule) as refused:
            passwords.check(password)
        assert refused.value.key == "password_common"
    passwords.check("svetik-kryuchkov-vaznuv-1980")
    file.unlink()
    with pytest.raises(Problem, match="MIRROR_LEAKED_PASSWORDS cannot be read"):
        passwords.check(PASSWORD)


def test_four_words_that_have_nothing_to_do_with_each_other_will_do() -> None:
    words = [word for word in FREQUENCY_LISTS["english_wikipedia"][:8000] if len(word) >= 4]
    choice = Random(7)
    for between in ("", " ", "-"):
        made = (between.join(choice.sample(words, 4)) for _ in range(40))
        assert [text for text in made if len(text) >= passwords.SHORTEST and blocklist.is_guessable(text)] == []


WORDS = st.sampled_from(sorted(blocklist.common()))


@given(st.lists(WORDS, min_size=1, max_size=3), st.sampled_from(["", " ", "-", "_", "!"]), st.booleans())
@settings(max_examples=300, deadline=None)
def test_three_common_parts_are_refused_however_they_are_joined(parts: list[str], between: str, upper: bool) -> None:
    text = between.join(parts)
    assert blocklist.is_guessable(text.upper() if upper and text.upper().casefold() == text else text)


@given(st.text(alphabet="bcdfghjkmnpqrtvwxz23456789", min_size=20, max_size=20))
@settings(max_examples=200, deadline=None)
def test_random_characters_are_refused_only_when_parts_explain_them(text: str) -> None:
    if blocklist.is_guessable(text):
        assert len(set(text)) < 16


def test_a_generated_password_will_do_and_is_another_one_every_time() -> None:
    made = {passwords.generated() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check(password)


def test_only_the_password_itself_fits_however_it_was_typed() -> None:
    kept = passwords.hashed("Ångström measured seven lanterns")
    assert passwords.matches(kept, "Ångström measured seven lanterns")
    assert passwords.matches(kept, unicodedata.normalize("NFD", "Ångström measured seven lanterns"))
    for wrong in ("ångström measured seven lanterns", "Ångström measured seven lanterns ", "", "\ud800", "x" * 10_000):
        assert not passwords.matches(kept, wrong)


def test_nothing_fits_nobody_and_a_damaged_row_lets_nobody_in() -> None:
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches("$argon2id$v=19$m=65536,t=3,p=4$damaged", PASSWORD)
    assert not passwords.matches("", PASSWORD)


def test_a_hash_of_weaker_parameters_is_outdated() -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD))
    assert not passwords.is_outdated(passwords.hashed(PASSWORD))


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_work_at_a_time_and_the_newest_is_next(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(passwords, "AT_ONCE", at_once)
    turns = passwords._Turns()
    go = threading.Event()
    order: list[int] = []

    def take(number: int) -> None:
        with turns.turn():
            order.append(number)
            go.wait(10)

    with ThreadPoolExecutor(6) as pool:
        for number in range(6):
            pool.submit(take, number)
            _until(lambda number=number: turns._working + len(turns._waiting) == number + 1)
        _until(lambda: len(order) == at_once)
        go.set()
    assert sorted(order) == [0, 1, 2, 3, 4, 5]
    if at_once == 1:  # of two that start together either may note itself first
        assert order == [0, 5, 4, 3, 2, 1]
    assert turns._working == 0


def test_who_goes_first_goes_before_newer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "AT_ONCE", 1)
    turns = passwords._Turns()
    go = threading.Event()
    order: list[int] = []

    def take(number: int) -> None:
        with turns.turn(first=number == 1):
            order.append(number)
            go.wait(10)

    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            pool.submit(take, number)
            _until(lambda number=number: turns._working + len(turns._waiting) + len(turns._first) == number + 1)
        go.set()
    assert order == [0, 1, 3, 2]


def test_who_has_waited_longest_is_sent_away_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAITING", 2)
    turns = passwords._Turns()
    go = threading.Event()

    def take(number: int) -> str:
        try:
            with turns.turn():
                go.wait(10)
                return "worked"
        except Rule as refused:
            return refused.key

    with ThreadPoolExecutor(5) as pool:
        answers = []
        for number in range(4):
            answers.append(pool.submit(take, number))
            _until(lambda number=number: turns._working + len(turns._waiting) == number + 1)
        answers.append(pool.submit(take, 4))
        assert answers[2].result(10) == "busy"
        go.set()
        assert [answer.result(10) for answer in answers] == ["worked", "worked", "busy", "worked", "worked"]


def test_a_place_is_free_again_after_a_failure() -> None:
    turns = passwords._Turns()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), turns.turn():
            raise ZeroDivisionError
    assert turns._working == 0


def _until(condition) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
