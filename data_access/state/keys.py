"""Small secrets at rest, encrypted with a key that lies beside the store and not in it.

AES-256-GCM; layout: version (1 byte), nonce (12 bytes), ciphertext with its tag. The ciphertext is bound to the row it
belongs to: moved to another one it does not open.
"""

import contextlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from data_access import private
from data_access.errors import Problem
from data_access.settings import settings

FILE = "state.key"

_VERSION = b"\x01"
_NONCE = 12  # bytes


def seal(content: bytes, row: str) -> bytes:
    """``content`` encrypted for ``row`` (a column and the key of the row)."""
    nonce = secrets.token_bytes(_NONCE)
    return _VERSION + nonce + AESGCM(_key(settings().home)).encrypt(nonce, content, row.encode())


def unseal(sealed: bytes, row: str) -> bytes:
    """What was sealed for ``row``. Problem when the key is another one, or the content another row's or damaged."""
    nonce, content = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    try:
        if sealed[:1] != _VERSION or len(nonce) != _NONCE:
            raise InvalidTag
        return AESGCM(_key(settings().home)).decrypt(nonce, content, row.encode())
    except InvalidTag as error:
        raise Problem(
            f"{row} in the app's own store does not open with {settings().home / FILE}: restore the key file that "
            "belongs to this store, or reset the person's one-time codes"
        ) from error


@lru_cache(maxsize=8)
def _key(home: Path) -> bytes:
    """The key of this home, made on first use; only the account that runs the app can read it."""
    file = home / FILE
    if not file.exists():
        private.folder(home)
        fresh = home / f"{FILE}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(secrets.token_bytes(32))
            opened.flush()
            os.fsync(opened.fileno())
        # A whole file under its name or none; whoever comes second takes the first one's key.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    key = file.read_bytes()
    if len(key) != 32:
        raise Problem(f"{file} is damaged: restore it, or remove it and reset everybody's one-time codes")
    return key
