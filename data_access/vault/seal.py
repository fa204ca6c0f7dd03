"""How a value is sealed: AES-256-GCM under a key of the row, which is wrapped by a key of the ring.

A sealed value is base64 of: version (1 byte), length of the key's id (1 byte), the id, nonce (12 bytes), ciphertext
with its tag (16 bytes more than the value). The id is empty where the row's own key was used. Every ciphertext is
bound to its place, ``table|column|row id``: moved to another row or column it does not open.
"""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12

_VERSION = b"\x01"
_OWN = _VERSION + b"\x00"  # the head of what was sealed with the row's own key


class Broken(Exception):
    """A sealed value does not open: another key, another place, or damaged."""


def head(key_id: str) -> bytes:
    """What a value sealed with this key of the ring begins with."""
    return _VERSION + bytes([len(key_id)]) + key_id.encode("ascii")


def key_id_of(sealed: str) -> str:
    """The id of the key of the ring that sealed it; empty: the row's own. Broken for what is no sealed value."""
    return _parts(sealed)[0]


def seal(cipher: AESGCM, key_id: str, content: bytes, place: str) -> str:
    """``content`` sealed with a key of the ring for one place."""
    nonce = os.urandom(NONCE_BYTES)
    return _text(head(key_id) + nonce + cipher.encrypt(nonce, content, place.encode()))


def unseal(cipher: AESGCM, sealed: str, place: str) -> bytes:
    """What was sealed for this place. Broken when it does not open."""
    _, nonce, content = _parts(sealed)
    try:
        return cipher.decrypt(nonce, content, place.encode())
    except InvalidTag:
        raise Broken(place) from None


def seal_rows(
    wrapping: AESGCM, key_id: str, table: str, rows: Sequence[str], columns: Mapping[str, Sequence[str | None]]
) -> tuple[list[str], dict[str, list[str | None]]]:
    """A new key for each row, wrapped, and the row's values sealed with it; None stays None."""
    begins = head(key_id)
    wrapped: list[str] = []
    sealed: dict[str, list[str | None]] = {name: [] for name in columns}
    places = [(f"{table}|{name}|", values, sealed[name].append) for name, values in columns.items()]
    key_place = f"{table}|key|"
    random = os.urandom(len(rows) * (KEY_BYTES + NONCE_BYTES * (1 + len(columns))))
    at = 0
    for i, row in enumerate(rows):
        own_key, nonce = random[at : at + KEY_BYTES], random[at + KEY_BYTES : at + KEY_BYTES + NONCE_BYTES]
        at += KEY_BYTES + NONCE_BYTES
        wrapped.append(_text(begins + nonce + wrapping.encrypt(nonce, own_key, (key_place + row).encode())))
        own = AESGCM(own_key)
        for place, values, keep in places:
            value = values[i]
            if value is None:
                keep(None)
                continue
            nonce = random[at : at + NONCE_BYTES]
            at += NONCE_BYTES
            keep(_text(_OWN + nonce + own.encrypt(nonce, value.encode(), (place + row).encode())))
    return wrapped, sealed


def _text(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).decode()


def _parts(sealed: str) -> tuple[str, bytes, bytes]:
    """Key id, nonce and ciphertext."""
    try:
        content = base64.b64decode(sealed, validate=True)
        begins = 2 + content[1]
        if content[:1] != _VERSION or len(content) < begins + NONCE_BYTES + 16:
            raise ValueError
        return content[2:begins].decode("ascii"), content[begins : begins + NONCE_BYTES], content[begins + 12 :]
    except (ValueError, IndexError):
        raise Broken("not a sealed value") from None
