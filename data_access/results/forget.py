"""Taking customers who were erased out of what a batch computed, before the next batch does."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import select

from data_access import publish
from data_access.pseudonym import customer_key
from data_access.results import parts
from data_access.results.parts import KEY, NUMBER, Held
from data_access.results.tables import results
from data_access.snapshot import OpenFile, whole_results


def forget(home: Path, numbers: Collection[int]) -> bool:
    """Puts the results in force anew without the rows of these customers, and removes every older file.

    False while a batch is at work: it leaves out by itself who was erased before it ends. Results of another version
    of the program, which nobody can open, are put in force empty.
    """
    if publish.is_writing(home, publish.RESULTS):
        return False
    before = whole_results(home)
    if before is None:
        return True
    with publish.writing(home, publish.RESULTS) as draft:
        tables = results.sorted_tables
        held = parts.held(before, tables)
        # The rows lie in one file together: one of the jobs stands for all tables.
        first = next((job for job, one in held.items() if one.path), None)
        content = {job: (one, tables) if job == first else (Held(one.info, None), ()) for job, one in held.items()}
        parts.assemble(draft.path, draft.scratch, content, OpenFile(before).engine, numbers)
        parts.clear(home)
        publish.publish(home, draft, keep=1)
    return True


def names_any(path: Path, numbers: Collection[int]) -> bool:
    """Whether a results file, with its tables as they are now, has a row of one of these customers."""
    if not numbers:
        return False
    wanted: dict[str, list[Any]] = {NUMBER: list(numbers), KEY: [customer_key(number) for number in numbers]}
    with OpenFile(path).engine.connect() as connection:
        return any(
            connection.execute(select(1).select_from(table).where(table.c[name].in_(wanted[name])).limit(1)).first()
            for table in results.sorted_tables
            for name in (NUMBER, KEY)
            if name in table.c
        )
