"""The first schema: places, people and customers."""

from data_access.migrations.ddl import (
    CURRENCY,
    DAY,
    FIELD,
    FLAG,
    ID,
    INSTANT,
    LANGUAGE,
    MONEY,
    MONTH_DAY,
    NAME,
    REAL,
    TEXT,
    WHOLE,
    WORD,
    column,
    create,
    index,
    key,
    needed,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create(
        "data_source",
        key("source_id", ID),
        needed("kind", WORD),
        needed("name", NAME),
        needed("loaded_at", INSTANT),
        column("rows_read", WHOLE),
        column("rows_loaded", WHOLE),
        column("rows_quarantined", WHOLE),
        column("amount_read", MONEY),
        column("amount_loaded", MONEY),
        column("amount_quarantined", MONEY),
        column("currency", CURRENCY),
        column("details", TEXT),
    )
    create(
        "translation",
        key("field", FIELD),
        key("source_text", NAME),
        key("language", LANGUAGE),
        needed("text", NAME),
    )
    create(
        "region",
        key("region_id", ID),
        needed("name", NAME),
    )
    create(
        "store",
        key("store_id", ID),
        needed("name", NAME),
        column("region_id", ID),
        column("city", NAME),
        column("city_tier", WORD),
        needed("kind", WORD),
        column("area_m2", REAL),
        column("opened_on", DAY),
        column("closed_on", DAY),
        column("latitude", REAL),
        column("longitude", REAL),
        needed("time_zone", WORD),
        needed("currency", CURRENCY),
    )
    create(
        "store_closure",
        key("store_id", ID),
        key("day", DAY),
        column("reason", WORD),
    )
    create(
        "staff",
        key("staff_id", ID),
        column("home_store_id", ID),
        column("name", NAME),
        column("role", WORD),
        column("hired_on", DAY),
        column("left_on", DAY),
    )
    create(
        "shift",
        key("shift_id", ID),
        needed("staff_id", ID),
        needed("store_id", ID),
        needed("starts_at", INSTANT),
        needed("ends_at", INSTANT),
        column("break_minutes", WHOLE),
        column("role", WORD),
    )
    create(
        "store_traffic",
        key("store_id", ID),
        key("hour_start", INSTANT),
        needed("visitors", WHOLE),
        column("valid", FLAG),
    )
    create(
        "sales_target",
        key("target_id", ID),
        needed("store_id", ID),
        column("staff_id", ID),
        needed("month", DAY),
        needed("amount", MONEY),
    )
    create(
        "customer",
        key("customer_id", ID),
        column("name", NAME),
        column("phone", NAME),
        column("email", NAME),
        column("birthday", DAY),
        column("gender", WORD),
        column("city", NAME),
        column("home_store_id", ID),
        column("owner_staff_id", ID),
        column("joined_on", DAY),
        column("source", WORD),
        column("referrer_customer_id", ID),
        column("account_type", WORD),
        column("skin_type", WORD),
        column("skin_concern", WORD),
        column("occupation", WORD),
        column("income_band", WORD),
        column("importance", WORD),
        column("profile_updated_at", INSTANT),
        column("profile_updated_by", WORD),
    )
    index("customer", "home_store_id")
    create(
        "customer_tag",
        key("customer_id", ID),
        key("tag", WORD),
        column("tagged_at", INSTANT),
    )
    create(
        "customer_metric",
        key("customer_id", ID),
        key("metric", WORD),
        key("as_of", DAY),
        column("value", NAME),
    )
    create(
        "customer_identity",
        key("channel", WORD),
        key("external_id", NAME),
        column("customer_id", ID),
        column("linked_at", INSTANT),
    )
    create(
        "customer_moment",
        key("customer_id", ID),
        key("kind", WORD),
        needed("month_day", MONTH_DAY),
    )
    create(
        "customer_event",
        key("event_id", ID),
        column("customer_id", ID),
        needed("kind", WORD),
        column("product_id", ID),
        needed("occurred_at", INSTANT),
    )
    create(
        "consent",
        key("customer_id", ID),
        key("purpose", WORD),
        key("channel", WORD),
        key("granted_at", INSTANT),
        column("withdrawn_at", INSTANT),
        column("text_version", WORD),
    )
