"""What people change of the events that forecasts know."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.String(64)
WORD = sa.String(64)
NAME = sa.String(200)


def upgrade() -> None:
    op.create_table(
        "event_change",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("event", NAME, nullable=False),
        sa.Column("about", sa.Date(), nullable=False),
        sa.Column("day", sa.Date()),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("region_id", ID),
        sa.Column("kind", WORD),
    )
