"""The key ring: the keys under which the keys of all rows are wrapped. The newest, the last one, wraps; all unwrap.

It comes from the setting ``MIRROR_KEYS``, or else from the file HOME/vault.keys, which is made at first use and must
be kept somewhere else, too: without it nobody can read the customers' names and numbers any more.
"""

import contextlib
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from data_access import private
from data_access.errors import Problem
from data_access.settings import settings
from data_access.vault.seal import KEY_BYTES

FILE = "vault.keys"

_ID = "[a-z0-9][a-z0-9_.-]{0,15}"
_HOW = "write id:key, the key as 64 hexadecimal digits, several with commas, the newest last; or the same as JSON"


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys by id, in the order in which they were made; ``source`` says where they come from, for sentences."""

    wrapping: dict[str, AESGCM] = field(repr=False)
    source: str

    @property
    def newest(self) -> str:
        return list(self.wrapping)[-1]


def ring(home: Path) -> Ring:
    """The ring of this process, or of this home. Problem when there is none, or it cannot be read."""
    given = settings().keys.get_secret_value()
    if given.strip():
        return _ring(given, "MIRROR_KEYS")
    file = home / FILE
    try:
        return _ring(file.read_text("utf-8"), str(file))
    except FileNotFoundError:
        raise Problem(
            f"the key of this CRM is missing: restore {file} from where it is kept, or set MIRROR_KEYS; without it "
            "names, numbers and birthdays cannot be read"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file} cannot be read ({type(error).__name__}): {_HOW}") from None


def ring_or_first(home: Path) -> Ring:
    """As ``ring``; where there is none a first key is made in HOME/vault.keys, readable for its owner only."""
    file = home / FILE
    if not settings().keys.get_secret_value().strip() and not file.exists():
        private.folder(home)
        fresh = _write(file, [_line("k1")])
        # A whole file under its name or none; whoever comes second takes the first one's key.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    return ring(home)


def add_key(home: Path) -> str:
    """Adds a fresh key to HOME/vault.keys, as the newest; its id. Problem when the ring comes from MIRROR_KEYS."""
    known = ring(home)
    file = home / FILE
    if known.source != str(file):
        raise Problem("the keys come from MIRROR_KEYS: add a new one there, as the last, and rotate without --new-key")
    numbers = [int(key_id[1:]) for key_id in known.wrapping if re.fullmatch("k[0-9]+", key_id)]
    key_id = f"k{max(numbers, default=0) + 1}"
    lines = [part for part in re.split(r"[\s,]+", file.read_text("utf-8")) if part]
    if lines[0].startswith("{"):
        raise Problem(f"{file} is written as JSON: add a new key there, as the last, and rotate without --new-key")
    os.replace(_write(file, [*lines, _line(key_id)]), file)
    return key_id


def _line(key_id: str) -> str:
    return f"{key_id}:{secrets.token_hex(KEY_BYTES)}"


def _write(beside: Path, lines: list[str]) -> Path:
    """A new file of one's own beside ``beside``, safely on disk."""
    fresh = beside.with_name(f"{beside.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
        opened.write("\n".join(lines) + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    return fresh


def _ring(text: str, source: str) -> Ring:
    try:
        pairs = _pairs(text.strip())
    except (ValueError, AttributeError, TypeError):
        raise Problem(f"{source} holds no keys that can be read: {_HOW}") from None
    if not pairs or len(dict(pairs)) < len(pairs):
        raise Problem(f"{source} holds no key, or two of one id: {_HOW}")
    return Ring({key_id: _wrapping(secret) for key_id, secret in pairs}, source)


def _pairs(text: str) -> list[tuple[str, bytes]]:
    """Ids and secrets; ValueError for anything else."""
    if text.startswith("{"):
        listed = json.loads(text, object_pairs_hook=list)
    else:
        listed = [tuple(part.split(":", 1)) for part in re.split(r"[\s,]+", text) if part]
    pairs = []
    for key_id, key in listed:
        if not re.fullmatch(_ID, key_id) or not re.fullmatch("[0-9a-fA-F]{64}", key):
            raise ValueError
        pairs.append((key_id, bytes.fromhex(key)))
    return pairs


def _wrapping(secret: bytes) -> AESGCM:
    """The key that wraps: derived, so that the ring's own key is never used for two things."""
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt=None, info=b"mirror vault: wrapping keys of rows").derive(secret))
