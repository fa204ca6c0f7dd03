"""A demo chain that every test of the gate shares, and a visitor who is signed in to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_access.settings import settings
from data_access.state.store import opened
from pages._gate import provider
from tests.gate.kit import ORIGIN, Demo, use, visitor
from tests.gate.openid import CLIENT_ID, SECRET, Provider
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


@pytest.fixture(scope="session")
def provider_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("real")
    build(home, demo=False)
    return home


@pytest.fixture(scope="session")
def running() -> Iterator[Provider]:
    with Provider(ORIGIN) as op:
        yield op


@pytest.fixture
def op(running: Provider, provider_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A real chain with a store of its own, where people sign in with the provider; and the provider, honest again."""
    monkeypatch.setenv("MIRROR_STATE_URL", f"sqlite:///{tmp_path / 'state.sqlite'}")
    chosen = {"ISSUER": running.issuer, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": SECRET, "NAME": "Example ID"}
    for name, value in chosen.items():
        monkeypatch.setenv(f"MIRROR_OIDC_{name}", value)
    use(provider_home, monkeypatch)
    monkeypatch.setattr(provider, "_known", {})
    running.user, running.changes, running.metadata, running.asked = "ann", {}, {}, []
    running.algorithm, running.signs_with = "RS256", running.keys
    yield running
    opened().dispose()
