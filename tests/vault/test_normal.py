"""The same number and address, however somebody wrote it."""

import pytest

from data_access.vault import normal


@pytest.mark.parametrize(
    "text",
    ["13800138000", "138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "8613800138000", "008613800138000",
     "013800138000", "１３８００１３８０００"],
)  # fmt: skip
def test_a_chinese_number_is_one_number(text: str) -> None:
    assert normal.phone(text) == "+8613800138000"


def test_a_foreign_number_keeps_its_country() -> None:
    assert normal.phone("+44 (20) 7946-0958") == normal.phone("0044 20 7946 0958") == "+442079460958"


@pytest.mark.parametrize("text", ["", "abc", "1234", "+86 138 0013 8000 ext 5", "1" * 16])
def test_what_is_no_number_is_nothing(text: str) -> None:
    assert normal.phone(text) == ""


def test_an_address_is_written_small() -> None:
    assert normal.email(" Li.Lei@Example.CN ") == "li.lei@example.cn"
    assert [normal.email(text) for text in ("", "lilei", "a b@c", "@c", "a@")] == [""] * 5
