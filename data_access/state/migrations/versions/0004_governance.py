"""Incidents with data, requests to be forgotten, how long what is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(64)
WORD = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("incident_id", ID, primary_key=True),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("records_affected", sa.Integer()),
        sa.Column("detected_at", sa.DateTime(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("contained_at", sa.DateTime()),
        sa.Column("authority_told_at", sa.DateTime()),
        sa.Column("people_told_at", sa.DateTime()),
        sa.Column("closed_at", sa.DateTime()),
    )
    op.create_table(
        "erasure_request",
        sa.Column("request_id", ID, primary_key=True),
        sa.Column("customer_key", WORD, nullable=False),
        sa.Column("customer_id", sa.String(200)),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("outcome", WORD),
    )
    op.create_index("ix_erasure_request_customer_key", "erasure_request", ["customer_key"])
    op.create_table(
        "retention_rule",
        sa.Column("subject", WORD, primary_key=True),
        sa.Column("months", sa.Integer(), nullable=False),
    )
