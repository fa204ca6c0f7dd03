"""Members that the app's own audiences give to campaigns of which the CRM names none (``data_access.state.audiences``).

The rows lie beside the staged copy of the CRM as ``audience_member``, so that a refresh of the changes knows whether
they are still the same: an audience that was linked since, or members that the CRM has now, have everything read.
"""

from collections.abc import Callable

import duckdb
import pandas as pd
import pyarrow as pa

from data_access.collect import ReadEverything
from data_access.marts._sql import scalar

COLUMNS = "campaign_id VARCHAR, customer_no BIGINT, arm VARCHAR, is_control BOOLEAN, planned_share DOUBLE, " \
    "assigned_at TIMESTAMP"  # fmt: skip

# The same, said to whoever makes the rows: without any there is nothing to tell the types by.
_TYPES = pa.schema(
    {
        "campaign_id": pa.string(),
        "customer_no": pa.int64(),
        "arm": pa.string(),
        "is_control": pa.bool_(),
        "planned_share": pa.float64(),
        "assigned_at": pa.timestamp("us"),
    }
)

# What gives the linked rows at the start of a refresh; columns as ``COLUMNS``.
Linked = Callable[[], pd.DataFrame]


def nobody() -> pd.DataFrame:
    """No audience is linked to a campaign."""
    return pd.DataFrame(columns=[column.split()[0] for column in COLUMNS.split(", ")])


def keep(work: duckdb.DuckDBPyConnection, linked: pd.DataFrame) -> None:
    """``stage.audience_member``: what campaigns of ``stage`` without members of their own get; and what is clean."""
    _register(work, linked, "stage.campaign", "stage.campaign_member")
    work.execute(f"CREATE TABLE stage.audience_member ({COLUMNS})")
    work.execute("INSERT INTO stage.audience_member FROM given")
    _arms(work, "stage")
    work.execute("CREATE VIEW clean.audience_member AS FROM stage.audience_member")


def expect_same(work: duckdb.DuckDBPyConnection, linked: pd.DataFrame) -> None:
    """ReadEverything when the campaigns as they are now would get other rows than those kept.

    ``changed`` says what of ``kept`` the CRM has changed.
    """
    key = "campaign_id, customer_id, arm"
    members = (
        f"(SELECT campaign_id FROM kept.campaign_member ANTI JOIN changed.campaign_member_deleted USING ({key}) "
        "UNION ALL SELECT campaign_id FROM changed.campaign_member_new)"
    )
    campaigns = (
        "(SELECT campaign_id FROM kept.campaign ANTI JOIN changed.campaign_deleted USING (campaign_id) "
        "UNION ALL SELECT campaign_id FROM changed.campaign_new)"
    )
    _register(work, linked, campaigns, members)
    if scalar(
        work,
        "SELECT count(*) FROM ((FROM given EXCEPT FROM kept.audience_member) UNION ALL "
        "(FROM kept.audience_member EXCEPT FROM given))",
    ):
        raise ReadEverything("an audience has become the members of a campaign, or is so no longer")


def of_people(work: duckdb.DuckDBPyConnection, people: str) -> None:
    """What is clean of the customers in the table ``people`` (customer_id), and of all arms, of the kept rows."""
    work.execute(
        "CREATE VIEW clean.audience_member AS SELECT a.* FROM kept.audience_member a SEMI JOIN "
        f"(SELECT customer_no FROM kept.customer_number SEMI JOIN {people} USING (customer_id)) USING (customer_no)"
    )
    _arms(work, "kept")


def expect_all(work: duckdb.DuckDBPyConnection) -> None:
    """ReadEverything when the facts lack a kept row of a customer who is known, or have one of another."""
    wanted = (
        "SELECT campaign_id, customer_no FROM kept.audience_member SEMI JOIN kept.customer_number USING (customer_no)"
    )
    there = (
        "SELECT campaign_id, customer_no FROM facts.campaign_member SEMI JOIN "
        "(SELECT DISTINCT campaign_id FROM kept.audience_member) USING (campaign_id)"
    )
    if scalar(work, f"SELECT count(*) FROM (({wanted} EXCEPT {there}) UNION ALL ({there} EXCEPT {wanted}))"):
        raise ReadEverything("a customer of an audience has come or gone")


def _register(work: duckdb.DuckDBPyConnection, linked: pd.DataFrame, campaigns: str, members: str) -> None:
    """``given``: the linked rows of ``campaigns`` that are not among those of ``members``."""
    rows = pa.Table.from_pandas(linked, _TYPES, preserve_index=False)
    work.register("linked", rows)
    work.execute(f"CREATE OR REPLACE TEMP TABLE given ({COLUMNS})")
    work.execute(
        "INSERT INTO given BY NAME SELECT l.* FROM linked l "
        f"SEMI JOIN {campaigns} c USING (campaign_id) ANTI JOIN {members} m USING (campaign_id)"
    )
    work.unregister("linked")


def _arms(work: duckdb.DuckDBPyConnection, kept: str) -> None:
    work.execute(
        "CREATE VIEW clean.audience_arm AS SELECT DISTINCT campaign_id, arm, is_control, planned_share "
        f"FROM {kept}.audience_member"
    )
