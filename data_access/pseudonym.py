"""Pseudonyms: a customer appears in the facts only under a number, a keyed hash of the CRM's id.

Without the key, which stays in the home folder, a pseudonym cannot be recomputed from an id. The key is made once:
a customer keeps the same pseudonym in every generation, so saved links and lists stay valid.
"""

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from data_access.errors import Problem

_FILE = "pseudonym.key"


def secret_key(home: Path) -> bytes:
    """The key of this home, created for its owner only on first use."""
    path = home / _FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Problem(f"{path} is damaged: restore it, or remove it to give every customer a new pseudonym")
    return key


# The number of ``customer_id``, the first 60 bits of HMAC-SHA-256, as DuckDB computes a million of them in a second.
CUSTOMER_NO = "CAST('0x' || substr(sha256($outer || unhex(sha256($inner || encode(customer_id)))), 1, 15) AS BIGINT)"


def customer_no_parameters(key: bytes) -> dict[str, bytes]:
    """What ``CUSTOMER_NO`` takes from the key: as parameters, so that no statement repeats it."""
    block = key.ljust(64, b"\0")  # RFC 2104
    return {"inner": bytes(byte ^ 0x36 for byte in block), "outer": bytes(byte ^ 0x5C for byte in block)}


def customer_number(key: bytes, customer_id: str) -> int:
    """As ``CUSTOMER_NO``, for one id."""
    return int(hmac.new(key, customer_id.encode(), hashlib.sha256).hexdigest()[:15], 16)


def customer_key(number: int) -> str:
    """How people see a customer's number: 'c' and 15 hexadecimal digits."""
    return f"c{number:015x}"


def number_of(key: str) -> int | None:
    """The number behind a key; None for text that is no key."""
    return int(key[1:], 16) if re.fullmatch(r"c[0-9a-f]{15}", key) else None
