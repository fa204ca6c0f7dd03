"""The first schema: supply, the outside view and governance."""

from data_access.migrations.ddl import (
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
    key,
    needed,
)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create(
        "supplier",
        key("supplier_id", ID),
        needed("name", NAME),
    )
    create(
        "supply_term",
        key("supplier_id", ID),
        key("product_id", ID),
        column("lead_time_days", WHOLE),
        column("order_multiple", WHOLE),
        column("minimum_quantity", WHOLE),
    )
    create(
        "purchase_order",
        key("purchase_order_id", ID),
        needed("supplier_id", ID),
        needed("store_id", ID),
        needed("ordered_at", INSTANT),
        needed("status", WORD),
    )
    create(
        "purchase_order_line",
        key("purchase_order_id", ID),
        key("line_no", WHOLE),
        needed("product_id", ID),
        needed("quantity", WHOLE),
        column("unit_cost", MONEY),
        column("promised_on", DAY),
    )
    create(
        "goods_receipt",
        key("receipt_id", ID),
        needed("purchase_order_id", ID),
        needed("line_no", WHOLE),
        needed("received_on", DAY),
        needed("quantity", WHOLE),
        column("rejected", WHOLE),
    )
    create(
        "transfer_lane",
        key("from_store_id", ID),
        key("to_store_id", ID),
        column("cost", MONEY),
        column("days", WHOLE),
        column("minimum_quantity", WHOLE),
    )
    create(
        "stock_level",
        key("store_id", ID),
        key("product_id", ID),
        needed("on_hand", WHOLE),
        column("reserved", WHOLE),
        needed("counted_at", INSTANT),
    )
    create(
        "stock_movement",
        key("movement_id", ID),
        needed("store_id", ID),
        needed("product_id", ID),
        column("lot_id", ID),
        needed("kind", WORD),
        needed("quantity", WHOLE),
        needed("moved_at", INSTANT),
    )
    create(
        "stock_lot",
        key("store_id", ID),
        key("product_id", ID),
        key("lot_id", ID),
        column("expires_on", DAY),
        needed("quantity", WHOLE),
    )
    create(
        "shipment",
        key("shipment_id", ID),
        column("order_id", ID),
        column("carrier", WORD),
        column("region", NAME),
        column("shipped_at", INSTANT),
        column("promised_on", DAY),
        column("delivered_at", INSTANT),
        column("cross_border", FLAG),
    )
    create(
        "market_observation",
        key("observation_id", ID),
        needed("observed_on", DAY),
        needed("metric", WORD),
        column("category", NAME),
        needed("value", REAL),
        column("unit", WORD),
        column("source", NAME),
    )
    create(
        "competitor_observation",
        key("observation_id", ID),
        needed("observed_on", DAY),
        needed("competitor", NAME),
        column("product_id", ID),
        column("price", MONEY),
        column("promotion", NAME),
        column("source", NAME),
    )
    create(
        "trial",
        key("trial_id", ID),
        needed("product_id", ID),
        needed("customer_id", ID),
        needed("invited_at", INSTANT),
        column("joined_at", INSTANT),
    )
    create(
        "trial_feedback",
        key("feedback_id", ID),
        needed("trial_id", ID),
        needed("given_at", INSTANT),
        needed("score", WHOLE),
        column("text", TEXT),
    )
    create(
        "holiday",
        key("day", DAY),
        key("event", WORD),
        key("region", WORD),
        needed("name", NAME),
    )
    create(
        "data_incident",
        key("incident_id", ID),
        needed("detected_at", INSTANT),
        column("contained_at", INSTANT),
        column("notified_at", INSTANT),
        column("kind", WORD),
        column("description", TEXT),
        column("records_affected", WHOLE),
    )
