"""Digests that people get."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.String(64)
WORD = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "digest",
        sa.Column("digest_id", ID, primary_key=True),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("page", WORD, nullable=False),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("language", WORD, nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("slot", sa.DateTime()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime()),
        sa.Column("sent_at", sa.DateTime()),
        sa.Column("failure", WORD),
    )
    op.create_index("ix_digest_account_id", "digest", ["account_id"])
