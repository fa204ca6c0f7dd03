"""Pages with their filters, saved under a name."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.String(64)
WORD = sa.String(64)
NAME = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("view_id", ID, primary_key=True),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("page", WORD, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_saved_view_actor", "saved_view", ["actor"])
