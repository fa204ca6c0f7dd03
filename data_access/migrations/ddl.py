"""What the revisions are written with. Frozen: a later change of the schema must not change an old revision."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

ID = sa.String(64)
WORD = sa.String(64)
NAME = sa.String(200)
FIELD = sa.String(100)
LANGUAGE = sa.String(10)
MONTH_DAY = sa.String(5)
CURRENCY = sa.String(3)
TEXT = sa.Text()
WRAPPED = sa.String(200)
DIGEST = sa.String(32)
MONEY = sa.Numeric(18, 4)
WHOLE = sa.Integer()
REAL: sa.Double[float] = sa.Double()
FLAG = sa.Boolean()
DAY = sa.Date()
INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")

_MARIADB = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


def key(name: str, kind: Any) -> sa.Column[Any]:
    """A part of the primary key."""
    return sa.Column(name, kind, primary_key=True, nullable=False, autoincrement=False)


def needed(name: str, kind: Any) -> sa.Column[Any]:
    """A column that is never null."""
    return sa.Column(name, kind, nullable=False)


def column(name: str, kind: Any) -> sa.Column[Any]:
    """A column that may be null."""
    return sa.Column(name, kind)


def create(name: str, *columns: sa.Column[Any], dated: bool = True) -> None:
    """Creates a table unless the database already has one of that name, as a CRM of one's own may."""
    last = [column("updated_at", INSTANT)] if dated else []
    op.create_table(name, *columns, *last, if_not_exists=True, **_MARIADB)


def index(table: str, *columns: str) -> None:
    """Creates an index unless it is there."""
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), if_not_exists=True)
