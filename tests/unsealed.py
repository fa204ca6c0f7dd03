"""Tables of our own CRM as they were before what identifies a person was sealed."""

import pandas as pd
from sqlalchemy import Engine, select

from data_access.schema import crm, customer_identity
from data_access.settings import settings
from data_access.vault.rows import KEPT, open_fields, open_identities, open_vault


def unsealed(engine: Engine, name: str) -> pd.DataFrame:
    """One canonical table, with names, numbers, days and identities as they were written."""
    with engine.connect() as connection:
        frame = pd.read_sql(select(crm.tables[name]), connection)
        vault = open_vault(connection, settings().home)
        if vault and (kept := KEPT.get(name)):
            found = open_fields(connection, vault, kept, frame[kept.key].tolist(), kept.fields).set_index(kept.key)
            for field in kept.fields:
                frame[field] = frame[field].astype(object).fillna(frame[kept.key].map(found[field]))
        if vault and name == customer_identity.name:
            pairs = list(zip(frame["channel"], frame["external_id"], strict=True))
            frame["external_id"] = open_identities(connection, vault, pairs)
    return frame
