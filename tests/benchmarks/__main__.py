"""``python -m tests.benchmarks``: prints one JSON line per figure; the machine comes first.

Times are wall milliseconds or seconds beside CPU time of this process; quote medians and ratios, not single runs.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import date
from pathlib import Path

from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.demo.large import LARGE_SCALES, write_large_chain
from data_access.importer import import_files
from data_access.refresh import refresh
from data_access.scope import Period, Scope
from data_access.snapshot import current_snapshot
from models.reports import REPORTS
from models.reports.overview import overview
from models.reports.retention import retention
from models.reports.segments import segments
from tests import shared_data
from tests.benchmarks import (
    alert_bounds,
    alerts,
    forecasting,
    inventory,
    pages,
    questions,
    refreshing,
    reports,
    servers,
    staff,
    store_chain,
    value,
)
from tests.benchmarks.clock import measured

CHAIN = Scope("chain")
END = date(2026, 11, 20)
# These measure data of their own; the others need a chain.
ALONE = ("forecasting", "value", "inventory", "staff", "stores", "chains")
PARTS = ("refresh", "reports", "free", "questions", "pages", "first_page", "alerts", *ALONE)


def emit(table: str, **figures: object) -> None:
    print(json.dumps({"table": table, **figures}, ensure_ascii=False, default=str), flush=True)


def build(scale: str, home: Path) -> Iterable[dict[str, object]]:
    """The demo chain of ``scale`` into SQLite, or a big one into a DuckDB file."""
    if scale in LARGE_SCALES:
        url = crm_url(scale, home)
        _, wall, cpu = measured(lambda: write_large_chain(url, None, scale=scale, seed=1, end=END))
    else:
        engine = crm_engine(crm_url(scale, home))
        _, wall, cpu = measured(lambda: write_demo(engine, scale=scale, truth_path=home / "demo_truth.json", home=home))
    yield {"step": "demo", "scale": scale, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}


def crm_url(scale: str, home: Path) -> str:
    return f"duckdb:///{home / 'crm.duckdb'}" if scale in LARGE_SCALES else f"sqlite:///{home / 'crm.sqlite'}"


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
        "import": lambda: import_files(engine, "online_retail", [file], quarantine=home / "quarantine", home=home),
        "refresh": lambda: refresh(engine, home),
        "three reports": three_reports,
    }
    for step, run in steps.items():
        _, wall, cpu = measured(run)
        yield {"step": step, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}


def growth(small: list[dict[str, object]], large: list[dict[str, object]]) -> Iterable[dict[str, object]]:
    """How much longer each preset report takes on the larger snapshot, then the median of all."""
    key = ("report", "place", "days", "choice")
    before = {tuple(row.get(k) for k in key): row for row in small if "wall_ms" in row}
    factors = []
    for row in large:
        other = before.get(tuple(row.get(k) for k in key))
        if other and "wall_ms" in row:
            factor = float(str(row["wall_ms"])) / float(str(other["wall_ms"]))
            factors.append(factor)
            yield {**{k: row[k] for k in key if k in row}, "factor": round(factor, 2)}
    if factors:
        yield {"report": "all", "median_factor": round(statistics.median(factors), 2), "worst": round(max(factors), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="S", help="tiny | demo | S | M | L")
    parser.add_argument("--home", type=Path, help="a folder that already holds a snapshot; nothing is built then")
    parser.add_argument("--crm-url", help="refresh from this database, which the part refresh also writes to")
    parser.add_argument("--postgresql", type=Path, help="as --crm-url: the folder of tests.benchmarks.servers")
    parser.add_argument("--larger", type=Path, help="a folder with a larger snapshot: growth of the preset reports")
    parser.add_argument("--reports", nargs="+", choices=REPORTS, help="preset reports: only these")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--changed", type=float, default=0.01, help="share of the receipts changed for the increment")
    parser.add_argument("--online-retail", type=Path, help="the UCI Online Retail file: from file to reports")
    parser.add_argument("--walmart", type=Path, help="weekly sales of 45 stores: how many shocks alerts find")
    options = parser.parse_args()

    load = os.getloadavg()[0]
    emit("machine", cores=os.cpu_count(), python=platform.python_version(), system=platform.platform(), load=load)
    if "forecasting" in options.parts:
        for row in forecasting.tables(shared_data.FOLDER):
            emit("forecasting", **row)
    if "value" in options.parts:
        for row in value.models():
            emit("value", **row)
    if "inventory" in options.parts:
        for row in (*inventory.simulation(), *inventory.proposals()):
            emit("inventory", **row)
    if "staff" in options.parts:
        for row in staff.rankings():
            emit("staff", **row)
    if "stores" in options.parts:
        for row in store_chain.reports(options.repeats):
            emit("stores", **row)
    if "alerts" in options.parts and options.walmart:
        for found in alerts.compare(alerts.walmart(options.walmart)):
            emit("alerts", series="sales a week", **asdict(found))
    if "chains" in options.parts:
        for metric, of_chains in alerts.of_chains(range(1, 8)):
            emit("alerts_of_chains", series=f"{metric} a day", **asdict(of_chains))
    if set(options.parts) <= set(ALONE):
        return
    if options.online_retail:
        with tempfile.TemporaryDirectory() as place:
            for row in real_file(Path(place), options.online_retail):
                emit("online_retail", **row)
    folder = nullcontext(options.home) if options.home else tempfile.TemporaryDirectory()
    server = servers.postgresql(options.postgresql) if options.postgresql else nullcontext(options.crm_url)
    with folder as place, server as source:
        home = Path(place)
        if not options.home and not source:
            for row in build(options.scale, home):
                emit("build", **row)
            source = crm_url(options.scale, home)
        if source and ("refresh" in options.parts or not options.home):
            for row in refreshing.refreshes(source, home, options.changed):
                emit("refresh", **row)
        _read(home, options)


def _read(home: Path, options: argparse.Namespace) -> None:
    """What readers of the snapshot wait for, and how many shocks in its series alerts find."""
    snapshot = current_snapshot(home)
    small = []
    if "alerts" in options.parts:
        for metric, found in alerts.of_snapshot(snapshot):
            emit("alerts", series=metric, **asdict(found))
        for metric, found in alert_bounds.bounds(snapshot):
            emit("alerts", series=metric, **asdict(found))
        for metric, panel in alerts.daily_series(snapshot):
            found_ = asdict(alert_bounds.lasting(panel))
            emit("lasting", series=metric, false_alarms=alert_bounds.false_alarms(panel), **found_)
        for mean in (5, 10, 23):
            for scatter in (1.0, 1.28):
                oracle, told = alert_bounds.attainable(mean, scatter)
                emit("attainable", mean=mean, scatter=scatter, oracle=oracle, told_it_is_a_loss=told)
    if "reports" in options.parts:
        for row in reports.preset(reports.ground_of(snapshot), options.repeats, options.reports):
            small.append(row)
            emit("report", **row)
        for row in reports.summary(small):
            emit("report_summary", **row)
    if "free" in options.parts:
        for row in reports.free(reports.ground_of(snapshot), options.repeats):
            emit("free_report", **row)
    if "questions" in options.parts:
        for row in questions.answers(snapshot, options.repeats):
            emit("question", **row)
    if options.larger and small:
        large = []
        ground = reports.ground_of(current_snapshot(options.larger))
        for row in reports.preset(ground, options.repeats, options.reports):
            large.append(row)
            emit("report_larger", **row)
        for row in growth(small, large):
            emit("growth", **row)
    if "pages" in options.parts:
        for row in pages.switches(home, options.repeats):
            emit("page_switch", **row)
    if "first_page" in options.parts:
        for row in pages.first_page(home, options.repeats):
            emit("first_page", **row)


if __name__ == "__main__":
    main()
