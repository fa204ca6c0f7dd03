"""What stores are to sell in a month."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.String(64)
NAME = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "store_target",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("store_id", ID, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer()),
    )
    op.create_index("ix_store_target_month", "store_target", ["month"])
