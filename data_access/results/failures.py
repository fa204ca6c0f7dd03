"""What ended a job or a batch, in one sentence for people."""

import errno
from concurrent.futures.process import BrokenProcessPool

import duckdb
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from data_access.errors import Problem

# What the machine may do to whoever writes results; a disk that is full shows as any of them.
OF_THE_MACHINE = (OSError, duckdb.Error, DBAPIError)


def sentence(error: Exception) -> str:
    """Why a job failed. An error of the program itself is only named: its text may hold anything."""
    match error:
        case Problem():
            return str(error)
        case BrokenProcessPool():
            return "one of its processes died, most likely for want of memory"
        case MemoryError() | duckdb.OutOfMemoryException():
            return "there was not enough memory"
        case SQLAlchemyError(orig=duckdb.BinderException() | duckdb.CatalogException()):  # type: ignore[misc]
            return "the facts are of another version of the program: run `python -m data_access refresh`"
        case OSError() | duckdb.OperationalError() | duckdb.FatalException() | SQLAlchemyError():
            return f"it could not read or write: {reason(error)}"
    return f"it ended with {type(error).__name__}; the log of the batch says where"


def reason(error: Exception) -> str:
    """The first line of what the machine said."""
    said = str(getattr(error, "orig", None) or error).strip()
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    if full or "no space left" in said.lower():
        return "the disk is full"
    return said.splitlines()[0] if said else type(error).__name__
