"""The command line over the data: ``python -m data_access COMMAND --help``.

Exit code 0, or 1 with one sentence on stderr: what is wrong, where, what to do.
"""

import gc
import time
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy import Engine

from data_access import private
from data_access.command_line import run
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.settings import Settings, duration, settings
from data_access.state import commands
from data_access.state.store import opened
from data_access.vault.commands import vault

if TYPE_CHECKING:
    from data_access.marts.build import BuildMarts

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
app.add_typer(commands.accounts, name="accounts")
app.add_typer(commands.audit, name="audit")
app.add_typer(vault, name="vault")

CrmUrl = Annotated[str, typer.Option(help="SQLAlchemy URL of the CRM database [env MIRROR_CRM_URL]")]
Home = Annotated[Path | None, typer.Option(help="folder for snapshots and default databases [env MIRROR_HOME]")]


def _settings(crm_url: str, home: Path | None) -> Settings:
    """The environment's settings with the flags of this call on top."""
    flags = {"crm_url": crm_url or None, "home": home}
    return settings().model_copy(update={key: value for key, value in flags.items() if value is not None})


def _engine(chosen: Settings) -> Engine:
    private.folder(chosen.home)
    return crm_engine(chosen.crm)


def _progress(text: str) -> None:
    typer.echo(f"{datetime.now():%H:%M:%S} {text}", err=True)


@app.command()
def demo(
    scale: Annotated[
        str,
        typer.Option(
            help="tiny | demo | S; or for measuring speed M (1 million customers) | L (5 million), without planted "
            "effects and without a truth file, into a DuckDB file or Parquet"
        ),
    ] = "demo",
    seed: Annotated[int, typer.Option(help="the same seed gives the same chain")] = 1,
    end: Annotated[date, typer.Option(metavar="YYYY-MM-DD", help="last day of the chain's history")] = date(
        2026, 11, 20
    ),
    null: Annotated[list[str] | None, typer.Option(help="switch a planted effect off; repeatable")] = None,
    truth: Annotated[Path | None, typer.Option(help="where the truth goes [default: HOME/demo_truth.json]")] = None,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="do nothing when the database holds rows")] = False,
    parquet: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="scales M and L: also, or only, a folder of Parquet files")
    ] = None,
    crm_url: CrmUrl = "",
    home: Home = None,
) -> None:
    """Write a synthetic chain with known hidden truth into the CRM database."""
    from data_access.crm import holds_rows
    from data_access.demo import write_demo
    from data_access.demo.large import LARGE_SCALES, write_large_chain

    chosen = _settings(crm_url, home)
    if scale in LARGE_SCALES:
        if null or truth:
            raise Problem(f"nothing is planted in a chain of scale {scale}: leave --null and --truth away")
        rows = write_large_chain(
            chosen.crm, parquet, scale=scale, seed=seed, end=end, if_missing=if_missing, progress=_progress
        )
        typer.echo(f"demo chain {scale}, seed {seed}, to {end}: {sum(rows.values()):,} rows, nothing planted")
        return
    if parquet:
        raise Problem("--parquet goes with the scales M and L: name one of them with --scale")
    engine = _engine(chosen)
    if if_missing and holds_rows(engine):
        return
    started = time.monotonic()
    summary = write_demo(
        engine,
        scale=scale,
        seed=seed,
        end=end,
        null=null or (),
        truth_path=truth or chosen.home / "demo_truth.json",
        home=chosen.home,
        progress=_progress,
    )
    typer.echo(
        f"demo chain {summary.scale}, seed {summary.seed}, {summary.start} to {summary.end}: "
        f"{sum(summary.rows.values()):,} rows in {len(summary.rows)} tables in {time.monotonic() - started:.1f} s; "
        f"hidden truth in {summary.truth_path}"
    )


@app.command(name="import")
def import_(
    mapping: Annotated[str, typer.Argument(help="name of a shipped mapping, or the path of a .toml file")],
    files: Annotated[list[Path], typer.Argument(help="csv, xlsx or parquet files")],
    crm_url: CrmUrl = "",
    home: Home = None,
) -> None:
    """Load files into the CRM database; bad rows go to a quarantine file, the money reconciles to the cent."""
    from data_access.importer import import_files

    chosen = _settings(crm_url, home)
    report = import_files(
        _engine(chosen), mapping, files, quarantine=chosen.quarantine, home=chosen.home, progress=_progress
    )
    for line in report.lines():
        typer.echo(line)


@app.command()
def refresh(
    full: Annotated[bool, typer.Option("--full", help="read everything, not only what has changed")] = False,
    every: Annotated[str, typer.Option(metavar="5m", help="again and again, as a service: 90s, 5m, 1h, 1d")] = "",
    spark: Annotated[
        str,
        typer.Option(
            metavar="spark://HOST:PORT",
            envvar="MIRROR_SPARK_URL",
            help="when everything is read, let this Spark thrift server build the marts",
        ),
    ] = "",
    exchange: Annotated[
        Path | None,
        typer.Option(help="with --spark: a folder that the cluster sees under the same path [default: HOME/exchange]"),
    ] = None,
    crm_url: CrmUrl = "",
    home: Home = None,
) -> None:
    """Build a new snapshot generation from the CRM database and make it current."""
    from data_access.refresh import refresh as run
    from data_access.state.audiences import linked

    gc.freeze()  # what was imported stays: to look for garbage in it again and again takes half a second
    chosen = _settings(crm_url, home)
    marts = _marts_builder(spark, exchange or chosen.home / "exchange")
    engine = _engine(chosen)
    if every:
        if full:
            raise Problem("--full and --every do not go together: the service reads everything once a day by itself")
        _serve(engine, chosen, every, marts)
        return
    report = run(engine, chosen.home, full=full, marts=marts, progress=_progress, linked=partial(linked, chosen.state))
    for line in report.lines():
        typer.echo(line)


def _marts_builder(spark: str, exchange: Path) -> "BuildMarts":
    from data_access.marts.build import build_marts

    if not spark:
        return build_marts
    from data_access.spark.marts import marts_on_spark

    return marts_on_spark(spark, exchange)


def _serve(engine: Engine, chosen: Settings, every: str, marts: "BuildMarts") -> None:
    from data_access.refresh_service import refresh_every, stop_on_signals
    from data_access.state.audiences import linked

    seconds = duration(every).total_seconds()
    stop = stop_on_signals()
    refresh_every(
        engine,
        chosen.home,
        seconds,
        done=lambda report: _progress(next(report.lines())),
        failed=lambda problem: _progress(f"error: {problem}"),
        progress=lambda _: None,
        stop=stop,
        marts=marts,
        linked=partial(linked, chosen.state),
    )


@app.command()
def check(crm_url: CrmUrl = "", home: Home = None) -> None:
    """Compare the CRM database with the contract (what is missing or changed, what that disables); say how fresh
    the snapshot in force is."""
    from data_access.contract import check as run
    from data_access.freshness import lines
    from data_access.snapshot import current_snapshot, last_read_at

    chosen = _settings(crm_url, home)
    report = run(_engine(chosen))
    for line in report.lines():
        typer.echo(line)
    try:
        snapshot = current_snapshot(chosen.home)
        read_at = last_read_at(chosen.home, snapshot.info)
        for line in lines(snapshot, read_at, chosen.refresh_every, utc_now()):
            typer.echo(line)
    except Problem as nothing_published:
        typer.echo(f"no snapshot: {nothing_published}")
    pages = sorted({key for table in report.tables for key in table.disables if "." not in key})
    if pages:
        raise Problem(f"the CRM database lacks what these pages need: {', '.join(pages)}; see the tables named above")


@app.command(name="row-security")
def row_security(
    role: Annotated[str, typer.Option(help="the role that looks up single customers for the pages")],
    do: Annotated[bool, typer.Option("--apply", help="run it, as the owner of the tables or a superuser")] = False,
    crm_url: CrmUrl = "",
    home: Home = None,
) -> None:
    """Print the SQL that lets PostgreSQL itself keep look-ups in the CRM within their scope; --apply runs it."""
    from data_access import row_security as guard

    engine = _engine(_settings(crm_url, home))
    if do:
        guarded = guard.apply(engine, role)
        typer.echo(f"{guarded} tables are guarded: give {role} a password and name it in MIRROR_CRM_LIVE_URL")
        return
    with engine.connect() as connection:
        for statement in guard.statements(connection, role):
            typer.echo(f"{statement};")


@app.command(name="customer-data")
def customer_data(
    customer: Annotated[str, typer.Argument(help="the customer's id in the CRM, phone number or e-mail address")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="a new file for the rows, as JSON; its owner's only")],
    reason: Annotated[str, typer.Option(help="why, for the audit log")],
) -> None:
    """Everything the CRM holds on one customer, in full, to hand it to that customer; noted in the audit log."""
    from data_access import customer_data as data

    with _engine(settings()).connect() as connection:
        found = data.find(connection, customer)
        if len(found) != 1:
            raise Problem(
                f"the CRM has {'several customers' if found else 'nobody'} of this id, number or address: name one id"
            )
        rows = data.everything(connection, found[0])
    key = data.pseudonym(settings().home, found[0])
    rows |= data.ours(opened(), key)
    data.note_taken(opened(), commands._actor(), key, reason, utc_now())
    data.write(out, key, rows, utc_now())
    typer.echo(f"{sum(map(len, rows.values())):,} rows of {key} from {len(rows)} tables in {out}")


if __name__ == "__main__":
    run(app)
