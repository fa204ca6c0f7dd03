"""The history of the CRM schema. Configured in code: there is no ini file.

``upgrade`` brings any database to the newest revision. A new revision is written by hand next to the change in
``data_access.schema``; a test compares both on every supported database.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Applies every revision this database has not seen yet, in the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
