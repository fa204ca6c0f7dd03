"""``python -m data_access accounts ...`` and ``python -m data_access audit ...``.

Whoever may run a program on this machine with the rights of the app keeps its accounts. A password is never an
argument, where others could read it: it is typed twice, or it is the first line of standard input.
"""

import getpass
import json
import os
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from sqlalchemy import Engine, select

from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.settings import Settings, settings
from data_access.state import accounts as people
from data_access.state import audit as log
from data_access.state import identities, passwords, setup, tokens
from data_access.state import sessions as signed_in
from data_access.state.accounts import Account, Rights, Role
from data_access.state.identities import Identity
from data_access.state.store import prepare, state_engine

accounts = typer.Typer(
    no_args_is_help=True, help="People who may sign in: their roles, places, passwords and sessions."
)
audit = typer.Typer(no_args_is_help=True, help="Who did what, when; and whether the log is whole.")

Format = Literal["text", "json"]

Name = Annotated[str, typer.Argument(metavar="NAME", help="the name somebody signs in with")]
StateUrl = Annotated[str, typer.Option(help="SQLAlchemy URL of the app's own store [env MIRROR_STATE_URL]")]
Home = Annotated[Path | None, typer.Option(help="folder of the default store [env MIRROR_HOME]")]
Stores = Annotated[list[str] | None, typer.Option("--store", metavar="ID", help="a manager's store; repeatable")]
Regions = Annotated[list[str] | None, typer.Option("--region", metavar="ID", help="a head's region; repeatable")]
Staff = Annotated[str, typer.Option("--staff", metavar="ID", help="whom of the CRM's staff store staff are")]
Printed = Annotated[Format, typer.Option("--format", help="how it is printed")]
Own = Annotated[
    bool, typer.Option("--own", help="the person's own choice: it need not be changed at the first sign-in")
]
Generate = Annotated[bool, typer.Option("--generate", help="make a password and print it, to hand over")]
Issuer = Annotated[str, typer.Option("--issuer", help="the OpenID provider [env MIRROR_OIDC_ISSUER]")]


@accounts.command()
def create(
    name: Name,
    role: Annotated[Role, typer.Option(help="what the person is")],
    display_name: Annotated[str, typer.Option("--display-name", help="as others see it [default: NAME]")] = "",
    store: Stores = None,
    region: Regions = None,
    staff: Staff = "",
    may_reveal: Annotated[bool, typer.Option("--may-reveal", help="may see contact details, one by one")] = False,
    may_export: Annotated[bool, typer.Option("--may-export", help="may take lists of customers away")] = False,
    own: Own = False,
    generate: Generate = False,
    subject: Annotated[
        str, typer.Option("--subject", help="what the OpenID provider calls the person: no password then")
    ] = "",
    issuer: Issuer = "",
    state_url: StateUrl = "",
    home: Home = None,
) -> None:
    """Make an account. The password is asked for, or read from the first line of standard input."""
    chosen, engine = _store(state_url, home)
    wanted = _identity(chosen, issuer, subject) if subject else None
    rights = Rights(role, tuple(store or ()), tuple(region or ()), may_reveal, may_export, staff)
    words = _check_places(chosen, rights)
    people.checked_names(name, display_name or name)
    # One that nobody learns: the person signs in with the provider.
    password = tokens.fresh() if wanted else _password(generate)
    initial = not own and wanted is None
    made = people.create(
        engine, _actor(), name, display_name or name, rights, password, utc_now(), initial=initial, words=words
    )
    if wanted is not None:
        identities.link(engine, _actor(), made.account_id, wanted, utc_now())
    typer.echo(f"{made.sign_in_name} can sign in as {_in_words(made)}{' with the provider' if wanted else ''}")
    _say_password(made, password if generate and wanted is None else "")


@accounts.command(name="list")
def list_(printed: Printed = "text", state_url: StateUrl = "", home: Home = None) -> None:
    """Everybody, with role, places, permissions and last sign-in."""
    _, engine = _store(state_url, home)
    everyone, linked = people.everyone(engine), identities.everybodys(engine)
    if printed == "json":
        rows = [_as_row(account, linked.get(account.account_id)) for account in everyone]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for account in everyone:
        seen = (
            f"last signed in {account.signed_in_at:%Y-%m-%d %H:%M} UTC" if account.signed_in_at else "never signed in"
        )
        notes = (
            ["disabled"] * account.disabled
            + ["no codes yet"] * (account.needs_totp and not account.has_totp)
            + ["first password"] * (account.initial_until is not None)
            + ["linked to the provider"] * (account.account_id in linked)
            + ["password also without the provider"] * account.break_glass
        )
        typer.echo("; ".join([account.sign_in_name, account.display_name, _in_words(account), seen, *notes]))
    if not everyone:
        typer.echo("nobody yet: make the first administrator with accounts setup-link or accounts create")


@accounts.command()
def change(
    name: Name,
    sign_in_name: Annotated[str | None, typer.Option("--sign-in-name", help="another name to sign in with")] = None,
    display_name: Annotated[str | None, typer.Option("--display-name", help="another name as others see it")] = None,
    role: Annotated[Role | None, typer.Option(help="another role; its places must be given")] = None,
    store: Stores = None,
    region: Regions = None,
    staff: Staff = "",
    may_reveal: Annotated[bool | None, typer.Option("--may-reveal/--no-reveal", help="contact details")] = None,
    may_export: Annotated[bool | None, typer.Option("--may-export/--no-export", help="lists of customers")] = None,
    state_url: StateUrl = "",
    home: Home = None,
) -> None:
    """Change names, role, places (all of them, in place of the present ones) or permissions; the rest stays."""
    chosen, engine = _store(state_url, home)
    before = _named(engine, name)
    same = role is None or role == before.role
    rights = Rights(
        role or before.role,
        tuple(store) if store else before.stores if same else (),
        tuple(region) if region else before.regions if same else (),
        (before.may_reveal and same) if may_reveal is None else may_reveal,
        (before.may_export and same) if may_export is None else may_export,
        staff or (before.staff_id if same else ""),
    )
    _check_places(chosen, rights)
    after = people.change(
        engine,
        _actor(),
        before.account_id,
        utc_now(),
        sign_in_name=sign_in_name,
        display_name=display_name,
        rights=rights,
    )
    typer.echo(f"{after.sign_in_name} is {_in_words(after)}")


@accounts.command()
def password(
    name: Name, own: Own = False, generate: Generate = False, state_url: StateUrl = "", home: Home = None
) -> None:
    """Set a password; the person's sessions end."""
    chosen, engine = _store(state_url, home)
    account = _named(engine, name)
    text = _password(generate)
    words = _check_places(chosen, account.rights)
    changed = people.set_password(engine, _actor(), account.account_id, text, utc_now(), initial=not own, words=words)
    typer.echo(f"{changed.sign_in_name} has a new password and is signed out everywhere")
    _say_password(changed, text if generate else "")


@accounts.command()
def disable(name: Name, state_url: StateUrl = "", home: Home = None) -> None:
    """Lock somebody out, at once; nothing is deleted."""
    _, engine = _store(state_url, home)
    account = people.disable(engine, _actor(), _named(engine, name).account_id, utc_now())
    typer.echo(f"{account.sign_in_name} can no longer sign in and is signed out everywhere")


@accounts.command()
def enable(name: Name, state_url: StateUrl = "", home: Home = None) -> None:
    """Let somebody in again."""
    _, engine = _store(state_url, home)
    account = people.enable(engine, _actor(), _named(engine, name).account_id, utc_now())
    typer.echo(f"{account.sign_in_name} can sign in as {_in_words(account)}")


@accounts.command()
def sessions(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="of one person [default: of everybody]")] = "",
    state_url: StateUrl = "",
    home: Home = None,
) -> None:
    """Who is signed in now, from where, since when."""
    _, engine = _store(state_url, home)
    now = utc_now()
    found = signed_in.active(engine, now, _named(engine, name).account_id if name else None)
    for session in found:
        who = session.account.sign_in_name if session.account else session.actor
        since = f"since {session.begun_at:%Y-%m-%d %H:%M} UTC, seen {_ago(now - session.last_seen_at)}"
        typer.echo("; ".join([who, session.role, since, session.address or "-", session.device or "-"]))
    if not found:
        typer.echo("nobody is signed in")


@accounts.command(name="end-sessions")
def end_sessions(name: Name, state_url: StateUrl = "", home: Home = None) -> None:
    """Sign somebody out everywhere."""
    _, engine = _store(state_url, home)
    account = _named(engine, name)
    ended = signed_in.end_all(engine, _actor(), account.account_id, utc_now())
    typer.echo(f"{account.sign_in_name} is signed out; sessions ended: {ended}")


@accounts.command(name="reset-totp")
def reset_totp(name: Name, state_url: StateUrl = "", home: Home = None) -> None:
    """Forget somebody's one-time codes, when phone and recovery codes are lost. They are set up anew at sign-in."""
    _, engine = _store(state_url, home)
    account = people.reset_totp(engine, _actor(), _named(engine, name).account_id, utc_now())
    typer.echo(f"{account.sign_in_name} signs in with the password alone until new codes are set up")


@accounts.command()
def link(
    name: Name,
    subject: Annotated[str, typer.Option("--subject", help="what the provider calls the person (sub)")],
    issuer: Issuer = "",
    state_url: StateUrl = "",
    home: Home = None,
) -> None:
    """Let somebody sign in with the OpenID provider, in the place of whoever could before."""
    chosen, engine = _store(state_url, home)
    wanted = _identity(chosen, issuer, subject)
    account = identities.link(engine, _actor(), _named(engine, name).account_id, wanted, utc_now())
    typer.echo(f"{account.sign_in_name} signs in with {wanted.issuer} as {wanted.subject}")


@accounts.command()
def unlink(name: Name, state_url: StateUrl = "", home: Home = None) -> None:
    """Take back link; the person's sessions end."""
    _, engine = _store(state_url, home)
    account = _named(engine, name)
    if not identities.unlink(engine, _actor(), account.account_id, utc_now()):
        raise Problem(f"{account.sign_in_name} is not linked to anybody: see python -m data_access accounts list")
    typer.echo(f"{account.sign_in_name} no longer signs in with the provider and is signed out everywhere")


@accounts.command(name="break-glass")
def break_glass(
    name: Name,
    on: Annotated[bool, typer.Option("--on/--off", help="give or take it away")] = True,
    state_url: StateUrl = "",
    home: Home = None,
) -> None:
    """Let an administrator sign in with the password also where people sign in with the OpenID provider."""
    _, engine = _store(state_url, home)
    account = people.set_break_glass(engine, _actor(), _named(engine, name).account_id, utc_now(), on=on)
    way = "also without the provider" if on else "no longer without the provider"
    typer.echo(f"the password of {account.sign_in_name} opens {way}")


@accounts.command(name="setup-link")
def setup_link(
    url: Annotated[str, typer.Option(help="where people reach the app")] = "http://127.0.0.1:8501",
    state_url: StateUrl = "",
    home: Home = None,
) -> None:
    """Print a link that makes the first administrator, once, within 15 minutes."""
    _, engine = _store(state_url, home)
    token = setup.make_token(engine, _actor(), utc_now())
    typer.echo(f"{url.rstrip('/')}/setup?token={token}")
    minutes = setup.LIVES // timedelta(minutes=1)
    typer.echo(f"open it within {minutes} minutes; it works once, and an earlier link no longer does", err=True)


@audit.command(name="list")
def list_entries(
    person: Annotated[str, typer.Option(help="by or about somebody: a sign-in name, or an actor as printed")] = "",
    action: Annotated[str, typer.Option(help=f"one of {', '.join(log.ACTIONS)}")] = "",
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first day, UTC")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last day, UTC")] = None,
    page: Annotated[int, typer.Option(min=1, help=f"{log.PAGE} entries each, the newest first")] = 1,
    printed: Printed = "text",
    state_url: StateUrl = "",
    home: Home = None,
) -> None:
    """Print entries, the newest first."""
    _, engine = _store(state_url, home)
    if action and action not in log.ACTIONS:
        raise Problem(f"there is no action {action!r}: take one of {', '.join(log.ACTIONS)}")
    known = people.find_by_name(engine, person) if person else None
    last = None if until is None else datetime.combine(date(until.year, until.month, until.day), time()) + _DAY
    found = log.search(engine, log.Filter(known.account_id if known else person, action, since, last), page)
    names = {account.account_id: account.sign_in_name for account in people.everyone(engine)}
    for entry in found.entries:
        row = {
            "number": entry.number,
            "at": f"{entry.at:%Y-%m-%d %H:%M:%S}",
            "actor": names.get(entry.actor, entry.actor),
            "action": entry.action,
            "subject": names.get(entry.subject, entry.subject),
        }
        if printed == "json":
            typer.echo(json.dumps({**row, "detail": entry.detail}))
        else:
            typer.echo("  ".join([*(str(value) or "-" for value in row.values()), json.dumps(entry.detail)]))
    typer.echo(f"page {found.page} of {found.pages}, {found.total} entries", err=True)


@audit.command()
def verify(
    head: Annotated[str, typer.Option(metavar="NUMBER:HASH", help="an end of the log printed earlier")] = "",
    state_url: StateUrl = "",
    home: Home = None,
) -> None:
    """Compute every hash anew. Keep the printed head elsewhere: with it, a log that was written anew shows, too."""
    _, engine = _store(state_url, home)
    number, _, digest = head.partition(":")
    if head and not (number.isdecimal() and digest):
        raise Problem(f"{head!r} is not the head of a log: give it as audit verify printed it, NUMBER:HASH")
    broken = log.verify(engine, log.Head(int(number), digest) if head else None)
    if broken is not None:
        raise Problem(
            f"entry {broken.number} of the audit log {broken.reason}: find out who could write to the store, and keep "
            "a copy of it as it is"
        )
    end = log.head(engine)
    typer.echo(f"the audit log is whole: {end.number} entries, head {end.number}:{end.hash}")


_DAY = timedelta(days=1)


def _store(state_url: str, home: Path | None) -> tuple[Settings, Engine]:
    flags = {"state_url": state_url or None, "home": home}
    chosen = settings().model_copy(update={key: value for key, value in flags.items() if value is not None})
    engine = state_engine(chosen.state)
    prepare(engine)
    return chosen, engine


def _actor() -> str:
    """Who runs this command."""
    try:
        return f"terminal:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as containers have
        return f"terminal:{os.getuid()}"


def _identity(chosen: Settings, issuer: str, subject: str) -> Identity:
    if not (issuer or chosen.oidc_issuer):
        raise Problem("no provider is set: name it with --issuer, or set MIRROR_OIDC_ISSUER")
    return Identity(issuer or chosen.oidc_issuer, subject)


def _named(engine: Engine, name: str) -> Account:
    found = people.find_by_name(engine, name)
    if found is None:
        raise Problem(f"there is no account {name!r}: see python -m data_access accounts list")
    return found


def _password(generate: bool) -> str:
    if generate:
        return passwords.generated()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed = getpass.getpass("password: ")
    if getpass.getpass("the same again: ") != typed:
        raise Problem("the two passwords are not the same: nothing was changed")
    return typed


def _say_password(account: Account, generated: str) -> None:
    if generated:
        typer.echo(f"password: {generated}")
    if account.initial_until:
        typer.echo(f"to be changed at the first sign-in, before {account.initial_until:%Y-%m-%d %H:%M} UTC")


def _check_places(chosen: Settings, rights: Rights) -> tuple[str, ...]:
    """Warns of places the snapshot does not know; the names of brands and stores, for passwords."""
    from data_access.marts import tables
    from data_access.queries import places, staff
    from data_access.scope import Scope
    from data_access.snapshot import current_snapshot

    try:
        snapshot = current_snapshot(chosen.home)
    except Problem:  # accounts can be made before there are data
        return ()
    frame = places.stores(Scope("chain"), snapshot.engine)
    unknown = (set(rights.stores) - set(frame["store_id"])) | (set(rights.regions) - set(frame["region_id"]))
    if rights.staff_id and staff.works_in(Scope("chain"), snapshot.engine, rights.staff_id) is None:
        unknown.add(rights.staff_id)
    for place in sorted(unknown):
        typer.echo(f"note: the snapshot knows no {place}; nothing is seen of it until there is one", err=True)
    with snapshot.engine.connect() as connection:
        brands = connection.scalars(
            select(tables.product.c.brand).distinct().where(tables.product.c.brand.is_not(None))
        )
        return (*brands, *frame["store"], *frame["region"].unique())


def _in_words(account: Account) -> str:
    permissions = ["may reveal"] * account.may_reveal + ["may export"] * account.may_export
    return ", ".join([" ".join([account.role, *account.homes]), *permissions])


def _as_row(account: Account, linked: Identity | None) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "sign_in_name": account.sign_in_name,
        "display_name": account.display_name,
        "role": account.role,
        "stores": account.stores,
        "regions": account.regions,
        "staff": account.staff_id,
        "may_reveal": account.may_reveal,
        "may_export": account.may_export,
        "has_totp": account.has_totp,
        "disabled": account.disabled,
        "break_glass": account.break_glass,
        "issuer": linked.issuer if linked else None,
        "subject": linked.subject if linked else None,
        "signed_in_at": account.signed_in_at.isoformat() if account.signed_in_at else None,
    }


def _ago(span: timedelta) -> str:
    return f"{max(0, span // timedelta(minutes=1))} min ago"
