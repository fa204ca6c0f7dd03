"""``python -m tests.benchmarks``: prints one JSON line per figure; the environment is printed first.

Times are wall seconds beside CPU seconds of this process; quote medians and ratios, not single runs.
"""

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import date
from pathlib import Path

from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.importer import import_files
from data_access.refresh import refresh
from data_access.scope import Period, Scope
from data_access.snapshot import current_snapshot
from models.reports.overview import overview
from models.reports.retention import retention
from models.reports.segments import segments
from tests.benchmarks import pages, reports
from tests.benchmarks.clock import measured

CHAIN = Scope("chain")


def emit(table: str, **figures: object) -> None:
    print(json.dumps({"table": table, **figures}, ensure_ascii=False), flush=True)


def build(scale: str, home: Path) -> Iterable[dict[str, object]]:
    """The demo chain of ``scale`` into SQLite, then its snapshot."""
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
    steps: dict[str, Callable[[], object]] = {
        "demo": lambda: write_demo(engine, scale=scale, truth_path=home / "demo_truth.json"),
        "refresh": lambda: refresh(engine, home),
    }
    for step, run in steps.items():
        _, wall, cpu = measured(run)
        yield {"step": step, "scale": scale, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}


def real_file(home: Path, file: Path) -> Iterable[dict[str, object]]:
    """UCI Online Retail from the file to three reports."""
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")

    def three_reports() -> None:
        snapshot = current_snapshot(home)
        last = snapshot.info.last_day or date.max
        overview(snapshot, CHAIN, Period(snapshot.info.first_day or last, last))
        segments(snapshot, CHAIN, last)
        retention(snapshot, CHAIN, last)

    steps: dict[str, Callable[[], object]] = {
        "import": lambda: import_files(engine, "online_retail", [file], quarantine=home / "quarantine"),
        "refresh": lambda: refresh(engine, home),
        "three reports": three_reports,
    }
    for step, run in steps.items():
        _, wall, cpu = measured(run)
        yield {"step": step, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="S", help="tiny | demo | S")
    parser.add_argument("--home", type=Path, help="a folder that already holds a snapshot; nothing is built then")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--online-retail", type=Path, help="the UCI Online Retail file: from file to reports")
    options = parser.parse_args()

    emit("machine", cores=os.cpu_count(), python=platform.python_version(), system=platform.platform())
    if options.online_retail:
        with tempfile.TemporaryDirectory() as place:
            for row in real_file(Path(place), options.online_retail):
                emit("online_retail", **row)
    folder = nullcontext(options.home) if options.home else tempfile.TemporaryDirectory()
    with folder as place:
        home = Path(place)
        if not options.home:
            for row in build(options.scale, home):
                emit("build", **row)
        for row in reports.timings(current_snapshot(home), options.repeats):
            emit("report", **row)
        if not options.no_browser:
            for row in pages.switches(home, options.repeats):
                emit("page_switch", **row)


if __name__ == "__main__":
    main()
