"""How a command line of the product ends: exit code 0, or 1 with one sentence on stderr."""

import sys

import typer
from sqlalchemy.exc import DBAPIError

from data_access import private
from data_access.errors import Problem


def run(app: typer.Typer) -> None:
    """Runs a command with private files; what is wrong is said in one sentence: what, where, what to do."""
    private.from_now_on()
    try:
        app()
    except Problem as problem:
        sentence = str(problem)
    except DBAPIError as error:
        sentence = f"the database did not answer ({error.orig}): check MIRROR_CRM_URL or MIRROR_STATE_URL"
    else:
        return
    typer.echo(f"error: {sentence}", err=True)
    sys.exit(1)
