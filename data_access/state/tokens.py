"""Random tokens: given out once, kept only as a digest."""

import hashlib
import secrets


def fresh(bits: int = 256) -> str:
    """A token nobody can guess."""
    return secrets.token_urlsafe(bits // 8)


def fresh_id() -> str:
    """A name for a row: no secret, and never met twice."""
    return secrets.token_hex(8)


def digest(token: str) -> str:
    """What is kept of a token. It has too many bits to be guessed, so a fast hash does; by it a row can be found."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
