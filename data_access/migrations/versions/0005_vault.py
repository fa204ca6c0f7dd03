"""What identifies a person goes into tables of its own, encrypted. Rows that are there move by `vault seal`."""

from data_access.migrations.ddl import DIGEST, ID, NAME, TEXT, WORD, WRAPPED, column, create, index, key, needed

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create("vault_key", key("key_id", WORD), needed("index_key", WRAPPED))
    create(
        "customer_vault",
        key("customer_id", ID),
        needed("key_id", WORD),
        needed("wrapped_key", WRAPPED),
        column("name", TEXT),
        column("phone", TEXT),
        column("email", TEXT),
        column("birthday", TEXT),
    )
    create("customer_index", key("kind", WORD), key("digest", DIGEST), key("customer_id", ID), dated=False)
    index("customer_index", "customer_id")
    create(
        "identity_vault",
        key("channel", WORD),
        key("external_id", NAME),
        needed("key_id", WORD),
        needed("wrapped_key", WRAPPED),
        column("value", TEXT),
    )
    create(
        "staff_vault",
        key("staff_id", ID),
        needed("key_id", WORD),
        needed("wrapped_key", WRAPPED),
        column("name", TEXT),
    )
