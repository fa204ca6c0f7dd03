"""The command line over the models: ``python -m models report NAME`` and ``python -m models batch``.

Exit code 0, or 1 with one sentence on stderr: what is wrong, where, what to do.
"""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from data_access.command_line import run
from data_access.errors import Problem
from data_access.queries import places
from data_access.scope import Period, Scope
from data_access.settings import settings
from data_access.snapshot import Snapshot, current_snapshot
from data_access.state import erasures, event_changes, overrides
from data_access.state.store import opened
from models.batch import JOBS, Job, describe
from models.batch import batch as run_batch
from models.jobs import forecast, stock, teams
from models.output import to_csv, to_json, to_xlsx
from models.reorder import SERVICE_LEVEL, reorder
from models.reorder import read as read_table
from models.reports import REPORTS, Report, find, tables

FORMATS = ("json", "csv", "xlsx")
DEFAULT_DAYS = 28
_GARBAGE = 50_000  # objects after which a batch looks for garbage: every 700 would take another second
_LOW_PRIORITY = 10  # of a batch in the background, as nice counts it

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)


@app.callback()
def _commands() -> None:
    """Reports from the current snapshot, without a browser, and the batch that computes results for it."""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as YYYY-MM-DD") from None


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="name of the report; --list shows them")] = "",
    listed: Annotated[
        bool, typer.Option("--list", help="name the reports with their parameters, tables and columns")
    ] = False,
    store: Annotated[list[str] | None, typer.Option(help="id of a store; repeatable; default: the whole chain")] = None,
    first: Annotated[
        date | None,
        typer.Option("--from", parser=_day, metavar="YYYY-MM-DD", help="first day (default: 27 days before --to)"),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option(
            "--to", parser=_day, metavar="YYYY-MM-DD", help="last day, included (default: the data's last day)"
        ),
    ] = None,
    as_of: Annotated[
        date | None,
        typer.Option(
            parser=_day,
            metavar="YYYY-MM-DD",
            help="end of the day that segments and retention describe (default: the data's last day); for the other "
            "reports the same as --to",
        ),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))] = "json",
    param: Annotated[list[str] | None, typer.Option(help="a parameter of the report, as key=value; repeatable")] = None,
    table: Annotated[list[str] | None, typer.Option(help="only this table; repeatable; default: all")] = None,
    out: Annotated[Path | None, typer.Option(help="file to write; default: the terminal")] = None,
    home: Annotated[Path | None, typer.Option(help="folder of the snapshots (environment: MIRROR_HOME)")] = None,
) -> None:
    """Any report: figures as tables, from the current snapshot. Periods are the last 28 days unless told."""
    if listed:
        for each in REPORTS.values():
            typer.echo(_description(each))
        return
    if not name:
        raise Problem(f"name a report: {', '.join(REPORTS)}")
    chosen = find(name)
    if format_ not in FORMATS:
        raise Problem(f"there is no format {format_!r}: the formats are {', '.join(FORMATS)}")
    if format_ == "xlsx" and out is None:
        raise Problem("a workbook needs a file: say --out FILE.xlsx")
    arguments = _arguments(chosen, param or ())
    snapshot = current_snapshot(home or settings().home)
    scope = _scope(snapshot, store or ())
    when, head_dates = _when(chosen, snapshot, first, last, as_of)
    found = tables(chosen.function(snapshot, scope, *when, **arguments, **_edited(chosen, snapshot, scope)))
    shown = _choose(found, table or ())
    head: dict[str, Any] = {
        "report": name,
        "as_of": head_dates.pop("as_of"),
        "scope": {"kind": scope.kind, "store_ids": list(scope.store_ids)},
        "filters": {**head_dates, **dict(_pair(text) for text in param or ())},
        "generation": snapshot.generation,
    }
    _write(format_, head, shown, out)


@app.command()
def batch(
    only: Annotated[list[str] | None, typer.Option(help="only this job; repeatable; default: all")] = None,
    full: Annotated[bool, typer.Option("--full", help="compute even where nothing has changed")] = False,
    background: Annotated[
        bool, typer.Option("--background", help="with low priority, after another batch that is at work")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="only say what the last batch did or is doing")] = False,
    home: Annotated[Path | None, typer.Option(help="folder of the snapshots (environment: MIRROR_HOME)")] = None,
) -> None:
    """Forecasts, scores and whatever else takes longer than a click: computed for the current snapshot and put beside
    it. Jobs of which nothing has changed are kept."""
    place = home or settings().home
    if status:
        for line in describe(place):
            typer.echo(line)
        return
    if background:
        os.nice(_LOW_PRIORITY)
    gc.freeze()  # what was imported stays: to look for garbage in it again and again takes a second
    gc.set_threshold(_GARBAGE)
    report = run_batch(
        place, only=only or (), full=full, wait=background, jobs=_jobs(), say=typer.echo, forgotten=_forgotten
    )
    for line in report.lines():
        typer.echo(line)
    if report.failed:
        what = "; ".join(f"{job}: {sentence}" for job, sentence in report.failed.items())
        raise Problem(f"{len(report.failed)} jobs failed, their older results stay ({what}); run it again")


def _jobs() -> tuple[Job, ...]:
    """All jobs; forecasts know the events as people changed them, and so does what is computed from them; orders are
    those for what people expect."""
    ahead = forecast.job_for(lambda: event_changes.in_force(opened()))
    orders = stock.job_for(lambda known: overrides.in_force(opened(), known), ahead)
    own = {job.name: job for job in (ahead, orders, teams.job_for(ahead))}
    return tuple(own.get(job.name, job) for job in JOBS)


def _forgotten() -> frozenset[int]:
    """The numbers of customers who were erased."""
    return erasures.numbers(opened())


@app.command("forecast")
def forecast_file(
    file: Annotated[Path, typer.Argument(help="csv or parquet: unique_id, ds, y; other columns are traits or known")],
    horizon: Annotated[int, typer.Option(help="periods ahead")],
    freq: Annotated[str | None, typer.Option(help="D, W or M; default: read from the dates")] = None,
    season: Annotated[int | None, typer.Option(help="periods after which things repeat (default: 7, 52 or 12)")] = None,
    future: Annotated[
        Path | None, typer.Option(help="unique_id, ds and the columns known ahead, for every date of the horizon")
    ] = None,
    events: Annotated[
        str, typer.Option(help="china (used where its days show in the data), none, or a csv: event, ds, before, after")
    ] = "china",
    gaps: Annotated[
        str, typer.Option(help="a date without a row: zero (nothing was sold) or unknown (filled in)")
    ] = "zero",
    out: Annotated[Path | None, typer.Option(help="csv or parquet file to write; default: the terminal")] = None,
) -> None:
    """Forecasts with intervals of 80 and 95 % for any series in one file, one method per kind of series."""
    from models.forecasting.command import encoded, run

    rows = read_table(file)
    found, told = run(rows, horizon, freq, season, None if future is None else read_table(future), events, gaps)
    _put(encoded(found.rows, rows["unique_id"], out is not None and out.suffix == ".parquet"), out)
    for line in told:
        typer.echo(line, err=True)


def _description(chosen: Report) -> str:
    lines = [f"{chosen.name}  ({ {'period': '--from --to', 'as_of': '--as-of', 'nothing': 'no dates'}[chosen.over] })"]
    lines += [f"  --param {p.name}=...  {p.help}{' (required)' if p.required else ''}" for p in chosen.parameters]
    lines += [f"  {name}: {', '.join(columns)}" for name, columns in chosen.tables.items()]
    return "\n".join(lines)


def _edited(chosen: Report, snapshot: Snapshot, scope: Scope) -> dict[str, Any]:
    """What people changed of the calendar, for the reports that name its events."""
    if chosen.name not in ("festivals", "demand", "product_demand"):
        return {}
    changes = event_changes.in_force(opened())
    if chosen.name == "festivals":
        return {"changes": changes}
    here = event_changes.seen_from(changes, places.stores(scope, snapshot.engine))
    return {"shifts": event_changes.shifts(here)}


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key or not value:
        raise Problem(f"a parameter is key=value, not {text!r}")
    return key, value


def _arguments(chosen: Report, params: Sequence[str]) -> dict[str, Any]:
    known = {p.name: p for p in chosen.parameters}
    arguments: dict[str, Any] = {}
    for key, value in map(_pair, params):
        if key not in known:
            names = ", ".join(known) or "none"
            raise Problem(f"the report {chosen.name} has no parameter {key!r}; its parameters: {names}")
        try:
            arguments[known[key].argument] = known[key].read(value)
        except ValueError as error:
            raise Problem(f"the parameter {key} is {error}, not {value!r}") from None
    missing = [p for p in chosen.parameters if p.required and p.argument not in arguments]
    if missing:
        raise Problem(f"the report {chosen.name} needs --param {missing[0].name}=..., {missing[0].help}")
    return arguments


def _scope(snapshot: Snapshot, store_ids: Sequence[str]) -> Scope:
    chain = Scope("chain")
    if not store_ids:
        return chain
    known = places.stores(chain, snapshot.engine)["store_id"].tolist()
    for store_id in store_ids:
        if store_id not in known:
            raise Problem(f"there is no store {store_id!r}: the stores are {', '.join(sorted(known))}")
    return Scope("stores", tuple(store_ids))


def _when(
    chosen: Report, snapshot: Snapshot, first: date | None, last: date | None, as_of: date | None
) -> tuple[tuple[Any, ...], dict[str, str]]:
    """The dates the report's function takes, and the same as text: as_of and, for a period, from and to."""
    end = snapshot.info.last_day
    if chosen.over == "nothing":
        if first or last or as_of:
            raise Problem(f"the report {chosen.name} takes no dates: leave out --from, --to and --as-of")
        return (), {"as_of": snapshot.info.as_of.isoformat(timespec="seconds")}
    if chosen.over == "as_of":
        if first or last:
            raise Problem(
                f"the report {chosen.name} describes the end of one day: use --as-of instead of --from and --to"
            )
        day = as_of or end
        if day is None:
            raise Problem("the snapshot holds no sales: import some, refresh, or say --as-of")
        return (day,), {"as_of": day.isoformat()}
    if last and as_of and last > as_of:
        raise Problem(f"the period ends on {last}, after the day of --as-of, {as_of}: leave one of them out")
    last = last or as_of or end
    if last is None:
        raise Problem("the snapshot holds no sales: import some, refresh, or say --from and --to")
    first = first or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        raise Problem(f"the period ends before it begins: --from {first} is after --to {last}")
    return (Period(first, last),), {"as_of": last.isoformat(), "from": first.isoformat(), "to": last.isoformat()}


def _choose(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    for name in names:
        if name not in found:
            raise Problem(f"the report has no table {name!r}: its tables are {', '.join(found)}")
    return {name: frame for name, frame in found.items() if not names or name in names}


def _write(format_: str, head: Mapping[str, Any], shown: Mapping[str, Any], out: Path | None) -> None:
    if format_ == "xlsx":
        content = to_xlsx(head, shown)
    else:
        # A spreadsheet needs the mark to read a csv file as UTF-8; the terminal does not.
        text = to_json(head, shown) + "\n" if format_ == "json" else to_csv(shown)
        content = text.encode("utf-8-sig" if format_ == "csv" and out else "utf-8")
    _put(content, out)


def _put(content: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(content)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Problem(f"{out} cannot be written ({error.strerror}): name a file in a folder that exists") from None


@app.command("reorder")
def reorder_command(
    demand: Annotated[Path, typer.Option(help="csv or parquet: unique_id, ds (a day), y (units sold)")],
    stock: Annotated[
        Path,
        typer.Option(
            help="csv or parquet: unique_id, on_hand, reserved, on_order, lead_time_days, lead_time_sd, review_days, "
            "order_multiple, minimum_quantity, unit_cost, sellable_units"
        ),
    ],
    service_level: Annotated[
        float, typer.Option(help="share of delivery cycles without a stock-out; of slow movers, of units")
    ] = SERVICE_LEVEL,
    out: Annotated[Path | None, typer.Option(help="file to write; default: the terminal")] = None,
) -> None:
    """What to order of each item: safety stock and quantity from the demand of the past and the stock of today."""
    found = reorder(read_table(demand), read_table(stock), service_level)
    _put(to_csv({"reorder": found}).encode("utf-8"), out)


if __name__ == "__main__":
    run(app)
