"""What people expect to sell instead of the forecast."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.String(64)
WORD = sa.String(64)
NAME = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "forecast_override",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("level", WORD, nullable=False),
        sa.Column("place_id", ID, nullable=False),
        sa.Column("category", NAME),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("said", sa.Float(), nullable=False),
        sa.Column("wished", sa.Integer()),
        sa.Column("reason", WORD, nullable=False),
    )
    op.create_index("ix_forecast_override_place_id", "forecast_override", ["place_id"])
