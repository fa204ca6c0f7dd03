"""Sign-in with an OpenID provider: whose account a person is, and how a session began."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ISSUER = sa.String(300)
DIGEST = sa.String(64)


def off(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def upgrade() -> None:
    op.add_column("account", off("break_glass"))
    op.add_column("session", sa.Column("issuer", ISSUER))
    op.add_column("session", sa.Column("id_token", sa.LargeBinary()))
    op.add_column("session", off("second_factor"))
    op.add_column("session", sa.Column("proved_at", sa.DateTime()))
    op.add_column("one_time_token", sa.Column("proof", sa.LargeBinary()))
    op.create_table(
        "identity",
        sa.Column("issuer", ISSUER, primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column(
            "account_id",
            sa.String(64),
            sa.ForeignKey("account.account_id", ondelete="CASCADE"),
            nullable=False,
            unique=True,
        ),
        sa.Column("linked_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "provider_visit",
        sa.Column("digest", DIGEST, primary_key=True),
        sa.Column("browser", DIGEST, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
    )
