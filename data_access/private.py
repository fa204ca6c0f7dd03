"""What lies in the home folder is for the account that runs the app, and for no other on this machine."""

import os
from collections.abc import Iterator
from pathlib import Path

# What of the home holds people or trade, or opens what does; of a folder all that is in it.
NAMES = (
    "crm.sqlite",
    "crm.url",
    "state.sqlite",
    "vault.keys",
    "pseudonym.key",
    "state.key",
    "channels.toml",
    "refreshes.json",
    "demo_truth.json",
    "batch.log",
    "beginning",
    "stage",
    "snapshots",
    "quarantine",
)
OTHERS = 0o077


def from_now_on() -> None:
    """Files and folders that this process makes are for its own account alone."""
    os.umask(OTHERS)


def folder(place: Path) -> Path:
    """A folder for this account alone, made where there is none. One that is there stays as its owner wants it."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def file(path: Path) -> None:
    """Makes an empty file for this account alone where there is none, before somebody else's code writes into it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def close(home: Path) -> None:
    """Closes to others what older versions left open in the home; what belongs to another account stays as it is."""
    for path in left_open(home):
        if path.stat().st_uid == os.getuid():
            path.chmod(path.stat().st_mode & ~OTHERS)


def left_open(home: Path) -> Iterator[Path]:
    """What of the home others may read or write, each folder before what is in it; nothing where the home is closed."""
    if not home.stat().st_mode & OTHERS:
        return
    for name in NAMES:
        for path in (home / name, *home.glob(f"{name}-*")):  # SQLite's own files beside a database
            if path.exists() and path.stat().st_mode & OTHERS:
                yield path
