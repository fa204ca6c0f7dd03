"""An empty store on each database it may live in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from data_access.settings import settings
from data_access.state.store import prepare, state_engine


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of this test's own: the key file goes there."""
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path))
    monkeypatch.delenv("MIRROR_STATE_URL", raising=False)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@contextmanager
def _store(url: str) -> Iterator[Engine]:
    engine = state_engine(url)
    if engine.dialect.name == "sqlite":
        # No test cuts the power: nobody need wait for the disk.
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    prepare(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A store in a SQLite file."""
    with _store(f"sqlite:///{tmp_path}/state.sqlite") as engine:
        yield engine


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store may be made, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.sqlite"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A store on either database."""
    with _store(url) as engine:
        yield engine
