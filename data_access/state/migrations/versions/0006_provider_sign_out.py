"""Sign-out that an OpenID provider asks for: which session there one here belongs to, and which words were used."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DIGEST = sa.String(64)


def upgrade() -> None:
    op.add_column("session", sa.Column("provider_session", DIGEST))
    op.create_table(
        "provider_sign_out",
        sa.Column("digest", DIGEST, primary_key=True),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
    )
