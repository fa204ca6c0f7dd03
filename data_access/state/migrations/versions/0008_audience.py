"""Saved audiences with their frozen rows and campaigns; decisions about campaigns."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.String(64)
WORD = sa.String(64)
NAME = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "audience",
        sa.Column("audience_id", ID, primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False, unique=True),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("withheld", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("reachable", sa.Integer(), nullable=False),
        sa.Column("contacted", sa.Integer(), nullable=False),
        sa.Column("held_back", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.Date(), nullable=False),
        sa.Column("base_share", sa.Float()),
        sa.Column("generation", WORD, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
    )
    op.create_table(
        "audience_member",
        sa.Column("audience_id", ID, sa.ForeignKey("audience.audience_id"), primary_key=True),
        sa.Column("customer_no", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("arm", WORD, nullable=False),
        sa.Column("assigned_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "audience_link",
        sa.Column("audience_id", ID, sa.ForeignKey("audience.audience_id"), primary_key=True),
        sa.Column("campaign_id", NAME, nullable=False, unique=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", NAME, nullable=False),
    )
    op.create_table(
        "decision",
        sa.Column("decision_id", ID, primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("about", NAME, nullable=False),
        sa.Column("decided", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("look_on", sa.Date(), nullable=False),
        sa.Column("seen", sa.Text()),
        sa.Column("seen_at", sa.DateTime()),
        sa.Column("seen_by", NAME),
    )
    op.create_index("ix_decision_look_on", "decision", ["look_on"])
