"""``python -m data_access vault ...``: what is sealed, sealing what is not, and newer keys."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from data_access.crm import crm_engine
from data_access.readers import refuse_missing_file
from data_access.settings import Settings, settings
from data_access.vault import keys
from data_access.vault.inplace import broken_rows, rotate, seal_all
from data_access.vault.people import status

vault = typer.Typer(no_args_is_help=True, help="Names, numbers and birthdays in our own CRM, and the keys to them.")

CrmUrl = Annotated[str, typer.Option(help="SQLAlchemy URL of the CRM database [env MIRROR_CRM_URL]")]
Home = Annotated[Path | None, typer.Option(help="folder with vault.keys [env MIRROR_HOME]")]


def _chosen(crm_url: str, home: Path | None) -> tuple[Engine, Path]:
    flags = {"crm_url": crm_url or None, "home": home}
    chosen: Settings = settings().model_copy(update={key: value for key, value in flags.items() if value is not None})
    engine = crm_engine(chosen.crm)
    refuse_missing_file(engine)
    return engine, chosen.home


def _progress(text: str) -> None:
    typer.echo(text, err=True)


@vault.command(name="status")
def status_(
    all_: Annotated[bool, typer.Option("--all", help="also open every value, and name the rows that do not")] = False,
    crm_url: CrmUrl = "",
    home: Home = None,
) -> None:
    """Say how many rows of customers, identities and staff are sealed, and with which keys."""
    engine, place = _chosen(crm_url, home)
    found = status(engine)
    if not found.is_ours:
        typer.echo(f"a CRM of another program, only read: {found.plain:,} rows with personal data, as it keeps them")
        return
    typer.echo(f"sealed: {found.sealed:,} rows")
    for key_id, rows in sorted(found.keys.items()):
        typer.echo(f"  with key {key_id}: {rows:,} rows")
    typer.echo(f"open: {found.plain:,} rows" + ("; run `python -m data_access vault seal`" if found.plain else ""))
    if not all_:
        return
    broken = broken_rows(engine, place)
    for row in broken:
        typer.echo(f"  does not open: {row}")
    typer.echo(f"opened: {found.sealed - len(broken):,} rows, {len(broken):,} do not open")


@vault.command(name="seal")
def seal_(crm_url: CrmUrl = "", home: Home = None) -> None:
    """Seal what lies open, such as what an older version wrote. Can be stopped and started again."""
    engine, place = _chosen(crm_url, home)
    typer.echo(f"sealed {seal_all(engine, place, _progress):,} rows; nothing identifying lies open")


@vault.command(name="rotate")
def rotate_(
    new_key: Annotated[bool, typer.Option("--new-key", help="first add a fresh key to HOME/vault.keys")] = False,
    crm_url: CrmUrl = "",
    home: Home = None,
) -> None:
    """Wrap the key of every row with the newest key of the ring. Can be stopped and started again."""
    engine, place = _chosen(crm_url, home)
    if new_key:
        typer.echo(f"new key {keys.add_key(place)} in {place / keys.FILE}: put a copy where the other one is")
    rows = rotate(engine, place, _progress)
    typer.echo(f"wrapped {rows:,} rows with key {keys.ring(place).newest}; older keys are needed for backups only")
