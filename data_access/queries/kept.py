"""Tables of reports that the batch has computed for every place."""

import pandas as pd
from sqlalchemy import Engine, Table, false, select

from data_access.queries._frame import fetch
from data_access.queries._places import place_of
from data_access.scope import Scope


def frames(scope: Scope, engine: Engine, table: Table, report: str, choice: str) -> pd.DataFrame:
    """The tables of a report with one choice of its parameters, out of ``table``; ``engine``: of the results.

    Columns: name, rows (as ``results.frames``).
    """
    place, c = place_of(scope, engine), table.c
    query = select(c.name, c.rows).where(c.report == report, c.choice == choice).order_by(c.name)
    return fetch(scope, engine, query.where(false() if place is None else place.rows(table)))
