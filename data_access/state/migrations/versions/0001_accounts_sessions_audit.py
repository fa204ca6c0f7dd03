"""The first schema: accounts, sessions, sign-in, audit."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(64)
WORD = sa.String(64)
NAME = sa.String(200)
DIGEST = sa.String(64)
LONG = sa.BigInteger().with_variant(sa.Integer, "sqlite")

SQLITE_GUARDS = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
)
POSTGRESQL_GUARDS = (
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_head_no_delete BEFORE DELETE OR TRUNCATE ON audit_head "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
)


def needed(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def account_id(**options: Any) -> sa.Column[Any]:
    return sa.Column("account_id", ID, sa.ForeignKey("account.account_id", ondelete="CASCADE"), **options)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", ID, primary_key=True),
        needed("sign_in_name", NAME),
        sa.Column("sign_in_key", NAME, nullable=False, unique=True),
        needed("display_name", NAME),
        needed("role", WORD),
        needed("may_reveal", sa.Boolean()),
        needed("may_export", sa.Boolean()),
        needed("password", sa.Text()),
        sa.Column("initial_until", sa.DateTime()),
        sa.Column("totp_key", sa.LargeBinary()),
        sa.Column("totp_offered", sa.LargeBinary()),
        sa.Column("totp_step", sa.BigInteger()),
        needed("disabled", sa.Boolean()),
        needed("epoch", sa.Integer()),
        needed("created_at", sa.DateTime()),
        sa.Column("signed_in_at", sa.DateTime()),
        sa.Column("signed_in_from", WORD),
    )
    op.create_table(
        "account_scope",
        account_id(primary_key=True),
        sa.Column("kind", WORD, primary_key=True),
        sa.Column("place_id", ID, primary_key=True),
    )
    op.create_table(
        "recovery_code",
        sa.Column("digest", DIGEST, primary_key=True),
        account_id(nullable=False),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id"])
    op.create_table(
        "session",
        sa.Column("session_id", ID, primary_key=True),
        sa.Column("digest", DIGEST, nullable=False, unique=True),
        account_id(),
        sa.Column("epoch", sa.Integer()),
        needed("role", WORD),
        needed("home", ID),
        needed("begun_at", sa.DateTime()),
        needed("last_seen_at", sa.DateTime()),
        needed("address", WORD),
        needed("device", NAME),
    )
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_table(
        "one_time_token",
        sa.Column("digest", DIGEST, primary_key=True),
        needed("purpose", WORD),
        account_id(),
        sa.Column("epoch", sa.Integer()),
        needed("ends_at", sa.DateTime()),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("subject", DIGEST, primary_key=True),
        needed("wrong", sa.Integer()),
        needed("free_at", sa.DateTime()),
        needed("ends_at", sa.DateTime()),
    )
    op.create_table(
        "audit",
        sa.Column("number", LONG, primary_key=True, autoincrement=False),
        needed("at", sa.DateTime()),
        needed("actor", NAME),
        needed("action", WORD),
        needed("subject", NAME),
        needed("detail", sa.Text()),
        needed("hash", DIGEST),
    )
    for column in ("at", "actor", "subject"):
        op.create_index(f"ix_audit_{column}", "audit", [column])
    head = op.create_table(
        "audit_head",
        sa.Column("only", sa.Integer(), primary_key=True, autoincrement=False),
        needed("number", LONG),
        needed("hash", DIGEST),
    )
    op.bulk_insert(head, [{"only": 1, "number": 0, "hash": "0" * 64}])
    for guard in SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_GUARDS:
        op.execute(guard)
