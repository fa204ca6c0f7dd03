"""Single look-ups in the CRM itself, for what no snapshot may hold: within one scope, to read only, within seconds.

On PostgreSQL with row security (``data_access.row_security``) the database shows each transaction the rows of its
scope and no others, whatever a statement asks for. On every other database the statement says what belongs to the
scope; statements here do so on PostgreSQL, too.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from data_access import row_security
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.readers import refuse_missing_file
from data_access.scope import Scope
from data_access.settings import settings

SECONDS = 3  # that a look-up may take the CRM; a person is waiting

_opened: dict[str, Engine] = {}
_opening = threading.Lock()

# What every connection begins with, where the database keeps it for all its transactions.
_SESSION = {
    "sqlite": ("PRAGMA query_only = ON",),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_statement_time = {SECONDS}"),
}
# What every transaction on PostgreSQL begins with; it ends with the transaction, and the next one sees nothing.
_TRANSACTION = text(
    "SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', :wait, true), "
    "set_config('lock_timeout', :wait, true), set_config('app.scope', :kind, true), "
    "set_config('app.stores', CAST(CAST(:stores AS text[]) AS text), true)"
)


def opened() -> Engine:
    """The CRM for look-ups, as ``MIRROR_CRM_LIVE_URL`` names it, else the CRM of the refresh.

    Problem when it does not answer, or when its row security would not hold for this role.
    """
    url = settings().crm_live
    with _opening:
        if url not in _opened:
            engine = live_engine(url)
            refuse_missing_file(engine)
            with _answering(engine), engine.connect() as connection:
                row_security.check(connection)
            _opened[url] = engine
        return _opened[url]


def live_engine(url: str) -> Engine:
    """An engine on the CRM at ``url`` that only reads. Problem as in ``crm_engine``."""
    engine = crm_engine(url)
    statements = _SESSION.get("mysql" if engine.dialect.name == "mariadb" else engine.dialect.name, ())

    def begin(connection, _record) -> None:  # type: ignore[no-untyped-def]
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    def in_time(_dialect, _record, _arguments, parameters) -> None:  # type: ignore[no-untyped-def]
        parameters["connect_timeout"] = SECONDS

    event.listen(engine, "connect", begin)
    if engine.dialect.name not in ("sqlite", "duckdb"):
        event.listen(engine, "do_connect", in_time)
    return engine


@contextmanager
def looking(scope: Scope, engine: Engine | None = None) -> Iterator[Connection]:
    """A transaction for look-ups within ``scope``. Problem when the CRM does not answer in time."""
    chosen = opened() if engine is None else engine
    with _answering(chosen), chosen.connect() as connection:
        if chosen.dialect.name == "postgresql":
            wait, stores = f"{SECONDS}s", list(scope.store_ids)
            connection.execute(_TRANSACTION, {"wait": wait, "kind": scope.kind, "stores": stores})
        yield connection


@contextmanager
def _answering(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # The statement and its parameters stay out of it: they may hold what identifies a person.
        raise Problem(
            f"the CRM at {engine.url.render_as_string(hide_password=True)} does not answer "
            f"({type(error.orig).__name__}): try again, and look after the database if that does not help"
        ) from None
