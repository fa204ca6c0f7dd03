"""Run by alembic: applies the revisions on the connection that ``upgrade`` hands over."""

from alembic import context

from data_access.state.migrations import VERSION_TABLE
from data_access.state.schema import state

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=state,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
