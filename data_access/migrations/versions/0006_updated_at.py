"""A refresh finds the few rows of a large table that are new without reading it."""

from data_access.migrations.ddl import index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in (
        "customer",
        "tier_change",
        "points_entry",
        "sale_line",
        "return_line",
        "campaign_member",
        "campaign_event",
    ):
        index(table, "updated_at")
