"""Throwaway PostgreSQL and MariaDB servers on loopback ports, one of each per test session.

A test takes the fixture ``postgresql_url`` or ``mariadb_url``: the URL of an empty database of its own. Without the
server's programs the test is skipped on a person's machine and fails in CI, where they belong to the machine.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError

_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and the URL of its maintenance database."""

    url: str
    process: "subprocess.Popen[bytes]"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a PostgreSQL server with a superuser ``mirror``."""
    with _postgresql() as server:
        yield server.url


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A PostgreSQL server of one test's own, for tests that harm it."""
    with _postgresql() as server:
        yield server


def kill(server: "subprocess.Popen[bytes]") -> None:
    """Kills a server and every process it has started, as a power cut would."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for process in (server.pid, *map(int, children)):
        os.kill(process, signal.SIGKILL)


@contextmanager
def _postgresql() -> Iterator[Server]:
    initdb, server = _program("initdb", "PostgreSQL"), _program("postgres", "PostgreSQL")
    with _place("postgres") as (place, account):
        data, port = place / "data", _free_port()
        subprocess.run(
            [*account, initdb, "-D", data, "-U", "mirror", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
        )
        settings = (
            "fsync=off",
            "full_page_writes=off",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={place}",
        )
        options = [part for setting in settings for part in ("-c", setting)]
        url = f"postgresql+psycopg://mirror@127.0.0.1:{port}/postgres"
        with _running([*account, server, "-D", str(data), "-p", str(port), *options], place, url) as process:
            yield Server(url, process)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """URL of a MariaDB server with an all-powerful account ``mirror``."""
    install, server = _program("mariadb-install-db", "MariaDB"), _program("mariadbd", "MariaDB")
    with _place("mysql") as (place, account):
        data, port = place / "data", _free_port()
        options = ["--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run([*account, install, *options], check=True, capture_output=True)
        start = place / "start.sql"
        start.write_text("CREATE USER mirror@'127.0.0.1';\nGRANT ALL ON *.* TO mirror@'127.0.0.1' WITH GRANT OPTION;\n")
        start.chmod(0o644)
        url = f"mysql+pymysql://mirror@127.0.0.1:{port}/mysql?charset=utf8mb4"
        options = ["--no-defaults", f"--datadir={data}", "--bind-address=127.0.0.1", f"--port={port}"]
        options += [
            f"--socket={place}/socket",
            f"--pid-file={place}/pid",
            f"--init-file={start}",
            "--skip-name-resolve",
        ]
        options += ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]
        with _running([*account, server, *options], place, url):
            yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database, dropped after the test."""
    with _database(postgresql_server, drop="DROP DATABASE {} WITH (FORCE)") as url:
        yield url


@pytest.fixture
def mariadb_url(mariadb_server: str) -> Iterator[str]:
    """URL of an empty MariaDB database, dropped after the test. Its default character set is not ours on purpose."""
    with _database(mariadb_server, create="CREATE DATABASE {} CHARACTER SET latin1") as url:
        yield url


def _program(name: str, product: str) -> str:
    folders = [os.environ.get("PATH", ""), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin"))), "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found:
        return found
    sentence = f"{product} is not installed here ({name} is missing): install it to run this test"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@contextmanager
def _place(account: str) -> Iterator[tuple[Path, list[str]]]:
    """A temporary folder, and the prefix that runs a command as its owner: neither server runs as root."""
    place = Path(tempfile.mkdtemp(prefix="mirror-"))
    prefix: list[str] = []
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(account)
            os.chown(place, owner.pw_uid, owner.pw_gid)
            prefix = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        yield place, prefix
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _running(command: list[str], place: Path, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs the server until the block ends; the block begins when it answers."""
    log = place / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=place)
    try:
        _await(server, url, log)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    engine = create_engine(url)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            engine.connect().close()
        except DBAPIError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server does not answer at {url}: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        else:
            engine.dispose()
            return


@contextmanager
def _database(server: str, create: str = "CREATE DATABASE {}", drop: str = "DROP DATABASE {}") -> Iterator[str]:
    name = f"crm_{uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(create.format(name))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        connection.exec_driver_sql(drop.format(name))
    engine.dispose()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
