"""The history of the app's own store, apart from that of the CRM. Configured in code: there is no ini file.

A new revision is written by hand next to the change in ``data_access.state.schema``; a test compares both.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

VERSION_TABLE = "state_version"


def upgrade(connection: Connection) -> None:
    """Applies every revision this store has not seen yet, in the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
