"""Run by alembic: applies the revisions on the connection that ``upgrade`` hands over."""

from alembic import context

from data_access.schema import crm

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=crm,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
