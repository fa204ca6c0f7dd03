"""One way to write a phone number and an address, so that the same one is found however it was typed."""

import re
import unicodedata
from collections.abc import Callable, Mapping


def phone(value: str) -> str:
    """A phone number as E.164, without a country code one of China; '' for text that is none."""
    if len(value) == 11 and value.isascii() and value.isdigit() and value[0] == "1":
        return f"+86{value}"  # as most are written
    digits = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", value))
    digits = "+" + digits[2:] if digits.startswith("00") else digits
    if not re.fullmatch(r"\+?[0-9]{5,15}", digits):
        return ""
    if digits.startswith("+"):
        return digits
    national = digits.removeprefix("86") if len(digits) == 13 else digits.removeprefix("0")
    return f"+86{national}"


def email(value: str) -> str:
    """An address in small letters; '' for text that is none."""
    text = unicodedata.normalize("NFKC", value).strip().casefold()
    return text if _ADDRESS.fullmatch(text) else ""


_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")

KINDS: Mapping[str, Callable[[str], str]] = {"phone": phone, "email": email}
