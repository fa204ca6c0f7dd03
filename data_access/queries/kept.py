"""Tables of reports that the batch has computed for every place."""

import pandas as pd
from sqlalchemy import Engine, false, select

from data_access.queries._frame import fetch
from data_access.queries._places import place_of
from data_access.results.tables import kept_frame
from data_access.scope import Scope


def frames(scope: Scope, engine: Engine, report: str, choice: str) -> pd.DataFrame:
    """The tables of a report with one choice of its parameters; ``engine``: of the results.

    Columns: name, rows (as ``results.frames``).
    """
    place, c = place_of(scope, engine), kept_frame.c
    query = select(c.name, c.rows).where(c.report == report, c.choice == choice).order_by(c.name)
    return fetch(scope, engine, query.where(false() if place is None else place.rows(kept_frame)))
