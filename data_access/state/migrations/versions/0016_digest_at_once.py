"""Digests of what is to be told at once remember what they have told."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("digest", sa.Column("told", sa.Text()))
