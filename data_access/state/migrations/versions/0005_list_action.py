"""What people did about rows of lists: done, assigned, snoozed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.String(64)
WORD = sa.String(64)
NAME = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "list_action",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("list_key", WORD, nullable=False),
        sa.Column("subject_kind", WORD, nullable=False),
        sa.Column("subject_key", NAME, nullable=False),
        sa.Column("store_id", ID),
        sa.Column("state", WORD, nullable=False),
        sa.Column("until", sa.Date()),
        sa.Column("assignee", NAME),
        sa.Column("note", NAME, nullable=False),
    )
    op.create_index("ix_list_action_list_key", "list_action", ["list_key"])
    op.create_index("ix_list_action_subject_key", "list_action", ["subject_key"])
