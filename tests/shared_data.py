"""Real data beside the project. Tests that use it skip where the folder is absent."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("MIRROR_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def shared_data(name: str) -> Path:
    """The folder of one data set; skips the calling test where it is absent."""
    folder = FOLDER / name
    if not folder.is_dir():
        pytest.skip(f"the real data set {name} is not on this machine")
    return folder
