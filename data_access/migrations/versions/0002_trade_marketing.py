"""The first schema: trade and marketing."""

from data_access.migrations.ddl import (
    CURRENCY,
    DAY,
    FLAG,
    ID,
    INSTANT,
    MONEY,
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

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create(
        "product",
        key("product_id", ID),
        column("sku", WORD),
        needed("name", NAME),
        column("brand", NAME),
        column("kind", WORD),
        column("category", NAME),
        column("subcategory", NAME),
        column("attributes", TEXT),
        column("pack_size", WORD),
        column("list_price", MONEY),
        column("cost", MONEY),
        column("launched_on", DAY),
        column("shelf_life_days", WHOLE),
        column("usage_days", WHOLE),
    )
    create(
        "price_promotion",
        key("promotion_id", ID),
        column("store_id", ID),
        column("product_id", ID),
        column("category", NAME),
        needed("starts_on", DAY),
        needed("ends_on", DAY),
        column("discount", REAL),
        column("kind", WORD),
    )
    create(
        "sale_order",
        key("order_id", ID),
        column("customer_id", ID),
        needed("store_id", ID),
        column("staff_id", ID),
        needed("channel", WORD),
        column("device", WORD),
        needed("kind", WORD),
        needed("ordered_at", INSTANT),
        column("cancelled_at", INSTANT),
        needed("currency", CURRENCY),
    )
    index("sale_order", "customer_id")
    index("sale_order", "updated_at")
    create(
        "sale_line",
        key("order_id", ID),
        key("line_no", WHOLE),
        needed("product_id", ID),
        column("lot_id", ID),
        needed("quantity", MONEY),
        column("list_price", MONEY),
        column("discount", MONEY),
        needed("net", MONEY),
        column("tax", MONEY),
        column("cost", MONEY),
        column("coupon_code", WORD),
    )
    create(
        "return_line",
        key("return_id", ID),
        key("line_no", WHOLE),
        column("order_id", ID),
        column("order_line_no", WHOLE),
        needed("store_id", ID),
        column("customer_id", ID),
        column("staff_id", ID),
        needed("product_id", ID),
        column("lot_id", ID),
        needed("returned_at", INSTANT),
        needed("quantity", MONEY),
        needed("refund", MONEY),
        column("reason", WORD),
        column("currency", CURRENCY),
    )
    index("return_line", "order_id")
    index("return_line", "customer_id")
    create(
        "campaign",
        key("campaign_id", ID),
        needed("name", NAME),
        column("type", WORD),
        column("channel", WORD),
        column("objective", NAME),
        column("audience_rule", TEXT),
        column("offer", NAME),
        column("promo_code", WORD),
        column("starts_on", DAY),
        column("ends_on", DAY),
        column("window_days", WHOLE),
        column("cost_media", MONEY),
        column("cost_message", MONEY),
        column("cost_other", MONEY),
        column("staff_hours", REAL),
        column("is_planned", FLAG),
        column("platform_conversions", WHOLE),
    )
    create(
        "campaign_arm",
        key("campaign_id", ID),
        key("arm", WORD),
        needed("is_control", FLAG),
        column("planned_share", REAL),
    )
    create(
        "campaign_store",
        key("campaign_id", ID),
        key("store_id", ID),
    )
    create(
        "campaign_product",
        key("campaign_id", ID),
        key("product_id", ID),
    )
    create(
        "campaign_member",
        key("campaign_id", ID),
        key("customer_id", ID),
        needed("arm", WORD),
        column("assigned_at", INSTANT),
    )
    create(
        "campaign_event",
        key("event_id", ID),
        needed("campaign_id", ID),
        needed("customer_id", ID),
        needed("kind", WORD),
        needed("occurred_at", INSTANT),
        column("channel", WORD),
        column("message", NAME),
        column("product_id", ID),
        column("coupon_code", WORD),
        column("order_id", ID),
    )
    create(
        "coupon",
        key("campaign_id", ID),
        key("coupon_code", WORD),
        column("kind", WORD),
        column("face_value", MONEY),
        column("valid_from", DAY),
        column("valid_to", DAY),
    )
    create(
        "coupon_product",
        key("campaign_id", ID),
        key("coupon_code", WORD),
        key("product_id", ID),
    )
