"""Digests that leave only when a figure has passed a limit."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("digest", sa.Column("metric", sa.String(64)))
    op.add_column("digest", sa.Column("threshold", sa.Float()))
    op.add_column("digest", sa.Column("falls", sa.Boolean()))
    op.add_column("digest", sa.Column("passed", sa.Boolean()))
