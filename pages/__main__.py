"""What runs without a browser: ``python -m pages digests``.

Exit code 0, or 1 with one sentence on stderr: what is wrong, where, what to do.
"""

from datetime import datetime

import typer
from streamlit.logger import set_log_level

from data_access.channels import channels
from data_access.command_line import run
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.settings import settings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)


@app.callback()
def _commands() -> None:
    """What the dashboard does by itself, to be started by a timer."""


@app.command("digests")
def send_digests() -> None:
    """Sends the digests that are due and have something to tell, and those again that failed. To be run every few
    minutes."""
    # Caches of pages work without a server, and say so one by one when they are imported.
    set_log_level("ERROR")
    from pages._ui.digests import send_due

    failed = 0
    for one, outcome, is_failure in send_due(utc_now(), datetime.now()):
        failed += is_failure
        typer.echo(f"{one.digest_id} {one.page} by {one.channel}: {outcome.replace('_', ' ')}")
    if failed:
        raise Problem(f"{failed} digests were not sent: they are tried again later; the page digests says why")


@app.command("channels")
def list_channels() -> None:
    """The channels of HOME/channels.toml and whom they are for, without their addresses."""
    for one in channels(settings().home).named.values():
        typer.echo(f"{one.name}: {one.kind}, for {', '.join(sorted(one.people)) or 'nobody'}")


if __name__ == "__main__":
    run(app)
