"""A demo chain that every test of the gate shares, and a visitor who is signed in to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_access.settings import settings
from tests.gate.kit import Demo, use, visitor
from tests.small_chain import build
from tests.visitor import Visitor


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("demo")
    build(home)
    return home


@pytest.fixture(autouse=True)
def forget_settings() -> Iterator[None]:
    yield
    settings.cache_clear()


@pytest.fixture
def home(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use(demo_home, monkeypatch)
    return demo_home


@pytest.fixture
def signed_in(home: Path) -> Visitor:
    return visitor(Demo("manager", "S1"))
