"""A small CRM of our own whose keys lie in a home of one test's own."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access import bulk
from data_access.crm import crm_engine, prepare
from data_access.schema import customer, customer_identity, staff
from data_access.settings import settings
from data_access.vault.rows import append, open_for_writing

NOW = datetime(2026, 7, 1, 12)
PEOPLE = pd.DataFrame(
    {
        "customer_id": ["C1", "C2", "C3"],
        "name": ["李雷雷", "Ann O'Neill", None],
        "phone": ["138 0000 0001", "+44 20 7946 0958", None],
        "email": ["LiLei@example.cn", None, None],
        "birthday": [date(1990, 5, 6), date(2008, 2, 29), None],
        "gender": ["male", "female", None],
        "updated_at": NOW,
    }
)
IDENTITIES = pd.DataFrame(
    {
        "channel": ["wechat", "wechat"],
        "external_id": ["wx_lilei_0001", "wx_nobody_0002"],
        "customer_id": ["C1", None],
        "updated_at": NOW,
    }
)
TEAM = pd.DataFrame({"staff_id": ["E1"], "name": ["王小美美"], "role": ["adviser"], "updated_at": NOW})

# What must not be found in any file. The birthday is a text only in SQLite.
PLANTED = (
    "李雷雷",
    "O'Neill",
    "138 0000 0001",
    "13800000001",
    "79460958",
    "7946 0958",
    "LiLei@",
    "lilei@",
    "1990-05-06",
)
PLANTED_ELSEWHERE = ("wx_lilei_0001", "wx_nobody_0002", "王小美美")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home without keys yet, which is that of the settings."""
    monkeypatch.delenv("MIRROR_KEYS", raising=False)
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


@pytest.fixture
def empty(home: Path) -> Iterator[Engine]:
    """A CRM of ours without a row."""
    home.mkdir()
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    prepare(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sealed(empty: Engine, home: Path) -> Engine:
    """PEOPLE, IDENTITIES and TEAM, sealed."""
    write_sealed(empty, home)
    return empty


@pytest.fixture
def plain(empty: Engine) -> Engine:
    """The same as an older version would have left it."""
    write_plain(empty)
    return empty


def write_sealed(engine: Engine, home: Path) -> None:
    with engine.begin() as connection:
        vault = open_for_writing(connection, home)
        for table, frame in ((customer, PEOPLE), (customer_identity, IDENTITIES), (staff, TEAM)):
            append(connection, vault, table, frame)


def write_plain(engine: Engine) -> None:
    with engine.begin() as connection:
        for table, frame in ((customer, PEOPLE), (customer_identity, IDENTITIES), (staff, TEAM)):
            bulk.append(connection, table, frame)


def hits(engine: Engine, words: tuple[str, ...] = PLANTED + PLANTED_ELSEWHERE) -> list[str]:
    """Which of the words stand in the database's files, as they are on the disk."""
    database = str(engine.url.database)
    files = sorted(Path(database).parent.glob(f"{Path(database).name}*"))
    content = b"".join(file.read_bytes() for file in files)
    return [word for word in words if word.encode() in content]
