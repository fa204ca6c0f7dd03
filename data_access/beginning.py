"""The first data of an installation, brought in from the browser: the demo chain, uploaded files, or a CRM that is
connected; then the snapshot.

One process of its own per order, ``python -m data_access.beginning``; ``HOME/beginning/progress.json`` says how far it
is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping as Values
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import URL

from data_access import private
from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.importer import import_files
from data_access.importing.mapping import Mapping
from data_access.refresh import refresh
from data_access.settings import CONNECTED, Settings, settings
from data_access.state.audiences import linked

What = Literal["demo", "files", "crm"]
FOLDER = "beginning"
LOG = "said.txt"  # what the last one said to a terminal, in the folder
SIZES = ("tiny", "demo")  # of the demo chain, as the command ``demo`` has them
DRIVERS = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}

_ROOT = Path(__file__).resolve().parents[1]
_PROGRESS, _MAPPING, _UPLOADS = "progress.json", "mapping.json", "uploads"
_SECONDS = "10"  # to wait for a database that does not answer
_started: dict[int, subprocess.Popen[bytes]] = {}  # by this process


@dataclass(frozen=True, slots=True)
class Progress:
    """An order: what, at which step ("write" into the CRM database, "publish" a snapshot, "done"), since when (UTC).

    problem: the sentence it ended with; "died" where it ended without one; key, named: as ``Problem`` has them.
    left_out: rows of files in quarantine.
    """

    what: What
    step: Literal["write", "publish", "done"]
    started_at: datetime
    process: int
    problem: str = ""
    key: str = ""
    named: dict[str, object] = field(default_factory=dict)
    left_out: int = 0

    @property
    def at_work(self) -> bool:
        return self.step != "done" and not self.problem


def progress(home: Path) -> Progress | None:
    """The order at work, or the last one; None when there was none."""
    try:
        noted = json.loads((home / FOLDER / _PROGRESS).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    found = Progress(**{**noted, "started_at": datetime.fromisoformat(noted["started_at"])})
    return found if not found.at_work or _lives(found.process) else replace(found, problem="died")


def begin(home: Path, what: What, size: str = "demo") -> None:
    """Starts an order beside the server. Problem while another is at work."""
    now = progress(home)
    if now is not None and now.at_work:
        raise Problem("data are being brought in already: wait until that is done", "at_work")
    place = private.folder(private.folder(home) / FOLDER)
    command = [sys.executable, "-m", "data_access.beginning", what, size]
    environment = {**os.environ, "MIRROR_HOME": str(home.resolve())}
    with (place / LOG).open("wb") as said:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=said, stderr=subprocess.STDOUT, env=environment)
    _started[process.pid] = process
    _note(home, Progress(what, "write", utc_now(), process.pid))


def take_in(home: Path, files: Values[str, bytes]) -> list[Path]:
    """Keeps uploaded files (name -> content) for an order, for this account alone, instead of those before.

    Problem where they do not fit on the disk.
    """
    place = home / FOLDER / _UPLOADS
    shutil.rmtree(place, ignore_errors=True)
    private.folder(private.folder(private.folder(home) / FOLDER) / _UPLOADS)
    kept = []
    for name, content in files.items():
        path = place / Path(name.replace("\\", "/")).name  # a name, whatever a client calls it
        try:
            private.file(path)
            path.write_bytes(content)
        except OSError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise Problem(f"{path.name} cannot be kept: {error.strerror}; make room on the disk", "no_room") from error
        kept.append(path)
    return kept


def take_mapping(home: Path, mapping: Mapping) -> None:
    """Keeps what the files of the next order mean."""
    path = home / FOLDER / _MAPPING
    private.file(path)
    path.write_text(mapping.model_dump_json(by_alias=True), encoding="utf-8")


def address(kind: str, host: str, port: int, database: str, user: str, password: str) -> str:
    """The URL of a CRM database on a server; ``kind``: a key of DRIVERS. Problem where ``host`` names no host."""
    if not re.fullmatch(r"[\w.-]+|[0-9A-Fa-f:.]+", host):
        raise Problem(f"{host} is no host: write its name or address alone", "crm_host_form", host=host)
    url = URL.create(DRIVERS[kind], user, password, host, port, database, query={"connect_timeout": _SECONDS})
    return url.render_as_string(hide_password=False)


def connect(home: Path, url: str) -> None:
    """Names the CRM database of the next order, which is that of this home once its data have come."""
    path = private.folder(private.folder(home) / FOLDER) / CONNECTED
    private.file(path)
    path.write_text(url, encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Does one order: ``demo SIZE``, ``files`` or ``crm``."""
    what: What = next(known for known in get_args(What) if known == arguments[0])
    chosen = settings()
    now = Progress(what, "write", utc_now(), os.getpid())
    _note(chosen.home, now)
    try:
        now = replace(now, left_out=_write(chosen, what, arguments[1]))
        _note(chosen.home, replace(now, step="publish"))
        named = chosen.home / FOLDER / CONNECTED
        source = named.read_text(encoding="utf-8") if what == "crm" else chosen.crm
        refresh(crm_engine(source), chosen.home, linked=partial(linked, chosen.state))
        if what == "crm":
            named.replace(chosen.home / CONNECTED)
        _note(chosen.home, replace(now, step="done"))
    except Problem as problem:
        _note(chosen.home, replace(now, problem=str(problem), key=problem.key, named=problem.named))
    finally:
        shutil.rmtree(chosen.home / FOLDER / _UPLOADS, ignore_errors=True)
        (chosen.home / FOLDER / CONNECTED).unlink(missing_ok=True)  # it may hold a password


def _write(chosen: Settings, what: What, size: str) -> int:
    """Fills the CRM database where the order says so; gives the rows that were left out."""
    engine = crm_engine(chosen.crm)
    match what:
        case "demo":
            write_demo(engine, scale=size, truth_path=chosen.home / "demo_truth.json", home=chosen.home)
        case "files":
            place = chosen.home / FOLDER
            files = [path for path in sorted((place / _UPLOADS).iterdir()) if path.suffix != ".toml"]
            report = import_files(engine, place / _MAPPING, files, quarantine=chosen.quarantine, home=chosen.home)
            return report.quarantined_rows
    return 0


def _note(home: Path, now: Progress) -> None:
    path = home / FOLDER / _PROGRESS
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(now), default=datetime.isoformat), encoding="utf-8")
    draft.replace(path)


def _lives(process: int) -> bool:
    if process in _started:
        return _started[process].poll() is None
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    private.from_now_on()
    main(sys.argv[1:])
