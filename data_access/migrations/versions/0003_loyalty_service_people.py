"""The first schema: loyalty, service and people development."""

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
    key,
    needed,
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create(
        "tier",
        key("tier_id", ID),
        needed("name", NAME),
        needed("rank", WHOLE),
        column("threshold", MONEY),
        column("basis", WORD),
        column("window_months", WHOLE),
        column("review_month", WHOLE),
        column("benefits", TEXT),
    )
    create(
        "tier_change",
        key("customer_id", ID),
        key("changed_at", INSTANT),
        needed("tier_id", ID),
        column("from_tier_id", ID),
        column("reason", WORD),
    )
    create(
        "points_rule",
        key("rule_id", ID),
        needed("kind", WORD),
        column("points_per_unit", REAL),
        column("value_per_point", MONEY),
        column("expires_after_days", WHOLE),
    )
    create(
        "points_entry",
        key("entry_id", ID),
        needed("customer_id", ID),
        needed("booked_at", INSTANT),
        needed("points", WHOLE),
        needed("kind", WORD),
        column("campaign_id", ID),
        column("order_id", ID),
        column("expires_on", DAY),
    )
    create(
        "stored_value_entry",
        key("entry_id", ID),
        needed("customer_id", ID),
        needed("booked_at", INSTANT),
        needed("amount", MONEY),
        needed("kind", WORD),
        column("order_id", ID),
        column("currency", CURRENCY),
    )
    create(
        "ticket",
        key("ticket_id", ID),
        column("customer_id", ID),
        column("store_id", ID),
        column("order_id", ID),
        column("product_id", ID),
        column("lot_id", ID),
        column("channel", WORD),
        needed("opened_at", INSTANT),
        column("first_response_at", INSTANT),
        column("resolved_at", INSTANT),
        column("reopened_at", INSTANT),
        column("category", WORD),
        column("is_complaint", FLAG),
        column("reason", WORD),
        column("staff_id", ID),
        column("text", TEXT),
    )
    create(
        "survey_invitation",
        key("invitation_id", ID),
        column("customer_id", ID),
        needed("kind", WORD),
        column("channel", WORD),
        needed("sent_at", INSTANT),
    )
    create(
        "survey_answer",
        key("answer_id", ID),
        column("invitation_id", ID),
        needed("kind", WORD),
        column("stage", WORD),
        needed("score", WHOLE),
        column("text", TEXT),
        needed("answered_at", INSTANT),
        column("customer_id", ID),
        column("order_id", ID),
        column("staff_id", ID),
        column("product_id", ID),
    )
    create(
        "follow_up",
        key("follow_up_id", ID),
        needed("customer_id", ID),
        needed("rule", WORD),
        needed("due_on", DAY),
        column("staff_id", ID),
        column("channel", WORD),
        column("done_at", INSTANT),
        column("outcome", WORD),
    )
    create(
        "appointment",
        key("appointment_id", ID),
        column("customer_id", ID),
        needed("store_id", ID),
        column("staff_id", ID),
        column("product_id", ID),
        needed("booked_at", INSTANT),
        needed("starts_at", INSTANT),
        column("arrived_at", INSTANT),
        column("served_at", INSTANT),
        needed("status", WORD),
    )
    create(
        "course",
        key("course_id", ID),
        needed("name", NAME),
        column("skills", NAME),
        column("valid_months", WHOLE),
    )
    create(
        "training_record",
        key("staff_id", ID),
        key("course_id", ID),
        key("completed_on", DAY),
        column("score", REAL),
    )
    create(
        "recognition",
        key("recognition_id", ID),
        needed("staff_id", ID),
        needed("given_at", INSTANT),
        column("reason", NAME),
    )
