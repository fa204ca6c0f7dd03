"""The canonical CRM: every table the product can read, on SQLite, PostgreSQL and MariaDB.

Conventions, valid for every table:

* names in full, singular; ids are strings of the source system;
* money is ``Money``: exact decimals in the currency of the store, excluding tax unless the column says
  otherwise; instants are naive UTC (``DateTime``), the store's ``time_zone`` turns them into local days;
* every table ends with ``updated_at``, the instant the source last changed the row (refresh watermark);
* references between tables are documented in ``info["references"]`` but not enforced: a real CRM holds
  orphans, and the refresh reports them instead of failing on them;
* ``info["pii"]`` marks what identifies a person: it stays in the CRM and never enters a snapshot;
  ``info["sensitive"]`` marks what needs the customer's own live consent to be used at all.

Optional tables may be empty or absent; ``data_access.contract`` says what that disables.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import mysql

crm = MetaData()

Id = String(64)
Word = String(64)
Name = String(200)
Money = Numeric(18, 4)
# MariaDB rounds instants to seconds unless told otherwise: 23:59:59.7 would become the next day.
Instant = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")

# MariaDB: any character, and ids that differ in case only stay apart.
MARIADB: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


def _key(name: str, type_: Any = Id) -> Column[Any]:
    return Column(name, type_, primary_key=True, nullable=False, autoincrement=False)


def _refers(name: str, target: str, *, needed: bool = False, key: bool = False) -> Column[Any]:
    return Column(name, Id, primary_key=key, nullable=not (needed or key), info={"references": target})


def _needed(name: str, type_: Any) -> Column[Any]:
    return Column(name, type_, nullable=False)


def _pii(name: str, type_: Any = Name) -> Column[Any]:
    return Column(name, type_, info={"pii": True})


def _sensitive(name: str, type_: Any = Word) -> Column[Any]:
    return Column(name, type_, info={"sensitive": True})


def _table(name: str, grain: str, *columns: Column[Any], indexes: tuple[tuple[str, ...], ...] = ()) -> Table:
    """A canonical table; ``grain`` says what one row is."""
    table = Table(name, crm, *columns, Column("updated_at", Instant), info={"grain": grain}, **MARIADB)
    for names in indexes:
        Index(f"ix_{name}_{'_'.join(names)}", *(table.c[column] for column in names))
    return table


def pii_columns() -> Iterator[Column[Any]]:
    """Every column that identifies a person."""
    return (c for table in crm.sorted_tables for c in table.c if c.info.get("pii"))


def sensitive_columns() -> Iterator[Column[Any]]:
    """Every column that may be used only under its own live consent."""
    return (c for table in crm.sorted_tables for c in table.c if c.info.get("sensitive"))


# --- where the rows come from ---------------------------------------------------------------------

data_source = _table(
    "data_source",
    "one load of rows into this database: the demo chain or one import",
    _key("source_id"),
    _needed("kind", Word),  # demo | import
    _needed("name", Name),  # the mapping's name, or the demo scale
    _needed("loaded_at", Instant),
    Column("rows_read", Integer),
    Column("rows_loaded", Integer),
    Column("rows_quarantined", Integer),
    Column("amount_read", Money),
    Column("amount_loaded", Money),
    Column("amount_quarantined", Money),
    Column("currency", String(3)),
    Column("details", Text),  # JSON: seed, files, the money bridge
)
translation = _table(
    "translation",
    "one text of a column in another language, e.g. ('store.name', '南京路旗舰店', 'en')",
    _key("field", String(100)),
    _key("source_text", Name),
    _key("language", String(10)),
    _needed("text", Name),
)

# --- places and people ----------------------------------------------------------------------------

region = _table("region", "one sales region", _key("region_id"), _needed("name", Name))
store = _table(
    "store",
    "one place that sells or keeps stock",
    _key("store_id"),
    _needed("name", Name),
    _refers("region_id", "region.region_id"),
    Column("city", Name),
    Column("city_tier", Word),  # 1 | new_1 | 2 | 3
    _needed("kind", Word),  # shop | online | warehouse
    Column("area_m2", Double),
    Column("opened_on", Date),
    Column("closed_on", Date),
    Column("latitude", Double),
    Column("longitude", Double),
    _needed("time_zone", Word),  # IANA name
    _needed("currency", String(3)),  # ISO 4217
)
store_closure = _table(
    "store_closure",
    "one store and day on which it stayed closed",
    _refers("store_id", "store.store_id", key=True),
    _key("day", Date),
    Column("reason", Word),
)
staff = _table(
    "staff",
    "one person who works or worked for the chain",
    _key("staff_id"),
    _refers("home_store_id", "store.store_id"),
    _pii("name"),
    Column("role", Word),  # manager | adviser | beautician | associate
    Column("hired_on", Date),
    Column("left_on", Date),
)
shift = _table(
    "shift",
    "one rostered shift of one person",
    _key("shift_id"),
    _refers("staff_id", "staff.staff_id", needed=True),
    _refers("store_id", "store.store_id", needed=True),
    _needed("starts_at", Instant),
    _needed("ends_at", Instant),
    Column("break_minutes", Integer),
    Column("role", Word),
)
store_traffic = _table(
    "store_traffic",
    "one store and hour of its door counter",
    _refers("store_id", "store.store_id", key=True),
    _key("hour_start", Instant),
    _needed("visitors", Integer),
    Column("valid", Boolean),  # false: the counter was down
)
sales_target = _table(
    "sales_target",
    "one monthly target of a store, or of one person in it",
    _key("target_id"),
    _refers("store_id", "store.store_id", needed=True),
    _refers("staff_id", "staff.staff_id"),
    _needed("month", Date),  # first day of the month
    _needed("amount", Money),
)

# --- customers ------------------------------------------------------------------------------------

customer = _table(
    "customer",
    "one registered customer (member)",
    _key("customer_id"),
    _pii("name"),
    _pii("phone"),
    _pii("email"),
    _pii("birthday", Date),
    Column("gender", Word),  # female | male | unknown
    Column("city", Name),
    _refers("home_store_id", "store.store_id"),
    _refers("owner_staff_id", "staff.staff_id"),
    Column("joined_on", Date),
    Column("source", Word),
    _refers("referrer_customer_id", "customer.customer_id"),
    Column("account_type", Word),  # person | wholesale
    _sensitive("skin_type"),
    _sensitive("skin_concern"),
    Column("occupation", Word),
    Column("income_band", Word),
    Column("importance", Word),
    Column("profile_updated_at", Instant),
    Column("profile_updated_by", Word),
    indexes=(("home_store_id",), ("updated_at",)),
)
customer_tag = _table(
    "customer_tag",
    "one tag on one customer",
    _refers("customer_id", "customer.customer_id", key=True),
    _key("tag"),
    Column("tagged_at", Instant),
)
customer_metric = _table(
    "customer_metric",
    "one imported figure of one customer, such as last year's spend",
    _refers("customer_id", "customer.customer_id", key=True),
    _key("metric"),
    _key("as_of", Date),
    Column("value", Name),
)
customer_identity = _table(
    "customer_identity",
    "one identity of a customer in one channel",
    _key("channel"),
    Column("external_id", Name, primary_key=True, nullable=False, info={"pii": True}),
    _refers("customer_id", "customer.customer_id"),
    Column("linked_at", Instant),
)
customer_moment = _table(
    "customer_moment",
    "one yearly occasion of a customer",
    _refers("customer_id", "customer.customer_id", key=True),
    _key("kind"),
    _needed("month_day", String(5)),  # MM-DD
)
customer_event = _table(
    "customer_event",
    "one thing a customer did without buying",
    _key("event_id"),
    _refers("customer_id", "customer.customer_id"),
    _needed("kind", Word),  # web | app | chat | try_on | social
    _refers("product_id", "product.product_id"),
    _needed("occurred_at", Instant),
)
consent = _table(
    "consent",
    "one consent given by a customer for one purpose and channel",
    _refers("customer_id", "customer.customer_id", key=True),
    _key("purpose"),  # marketing | service | skin_profile
    _key("channel"),
    _key("granted_at", Instant),
    Column("withdrawn_at", Instant),
    Column("text_version", Word),
)

# --- trade ----------------------------------------------------------------------------------------

product = _table(
    "product",
    "one product or service as sold",
    _key("product_id"),
    Column("sku", Word),
    _needed("name", Name),
    Column("brand", Name),
    Column("kind", Word),  # goods | service
    Column("category", Name),
    Column("subcategory", Name),
    Column("attributes", Text),  # JSON: benefits, handling, natural, exclusive, ...
    Column("pack_size", Word),
    Column("list_price", Money),  # incl. tax
    Column("cost", Money),
    Column("launched_on", Date),
    Column("shelf_life_days", Integer),
    Column("usage_days", Integer),  # how long one unit lasts
)
price_promotion = _table(
    "price_promotion",
    "one price promotion known ahead",
    _key("promotion_id"),
    _refers("store_id", "store.store_id"),
    _refers("product_id", "product.product_id"),
    Column("category", Name),
    _needed("starts_on", Date),
    _needed("ends_on", Date),
    Column("discount", Double),  # share of the list price, 0.2 = 20 % off
    Column("kind", Word),
)
sale_order = _table(
    "sale_order",
    "one receipt",
    _key("order_id"),
    _refers("customer_id", "customer.customer_id"),
    _refers("store_id", "store.store_id", needed=True),
    _refers("staff_id", "staff.staff_id"),
    _needed("channel", Word),
    Column("device", Word),
    _needed("kind", Word),  # sale | test | staff_purchase
    _needed("ordered_at", Instant),
    Column("cancelled_at", Instant),
    _needed("currency", String(3)),
    indexes=(("customer_id",), ("updated_at",)),
)
sale_line = _table(
    "sale_line",
    "one line of a receipt; quantity * list_price - discount = net + tax",
    _refers("order_id", "sale_order.order_id", key=True),
    _key("line_no", Integer),
    _refers("product_id", "product.product_id", needed=True),
    Column("lot_id", Id),
    _needed("quantity", Numeric(18, 4)),
    Column("list_price", Money),  # per unit, incl. tax
    Column("discount", Money),  # of the line, incl. tax
    _needed("net", Money),  # of the line, excl. tax, after discount
    Column("tax", Money),
    Column("cost", Money),  # of the line
    Column("coupon_code", Word),
    indexes=(("updated_at",),),
)
return_line = _table(
    "return_line",
    "one returned line",
    _key("return_id"),
    _key("line_no", Integer),
    _refers("order_id", "sale_order.order_id"),  # the original line, where it is known
    Column("order_line_no", Integer),
    _refers("store_id", "store.store_id", needed=True),  # where it was brought back
    _refers("customer_id", "customer.customer_id"),
    _refers("staff_id", "staff.staff_id"),
    _refers("product_id", "product.product_id", needed=True),
    Column("lot_id", Id),
    _needed("returned_at", Instant),
    _needed("quantity", Numeric(18, 4)),  # positive
    _needed("refund", Money),  # positive, excl. tax
    Column("reason", Word),
    Column("currency", String(3)),
    indexes=(("customer_id",), ("order_id",), ("updated_at",)),
)

# --- marketing ------------------------------------------------------------------------------------

campaign = _table(
    "campaign",
    "one campaign",
    _key("campaign_id"),
    _needed("name", Name),
    Column("type", Word),
    Column("channel", Word),
    Column("objective", Name),
    Column("audience_rule", Text),
    Column("offer", Name),
    Column("promo_code", Word),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("window_days", Integer),
    Column("cost_media", Money),
    Column("cost_message", Money),
    Column("cost_other", Money),
    Column("staff_hours", Double),
    Column("is_planned", Boolean),
    Column("platform_conversions", Integer),
)
campaign_arm = _table(
    "campaign_arm",
    "one arm of a campaign",
    _refers("campaign_id", "campaign.campaign_id", key=True),
    _key("arm"),
    _needed("is_control", Boolean),
    Column("planned_share", Double),
)
campaign_store = _table(
    "campaign_store",
    "one store that takes part in a campaign",
    _refers("campaign_id", "campaign.campaign_id", key=True),
    _refers("store_id", "store.store_id", key=True),
)
campaign_product = _table(
    "campaign_product",
    "one product that a campaign promotes",
    _refers("campaign_id", "campaign.campaign_id", key=True),
    _refers("product_id", "product.product_id", key=True),
)
campaign_member = _table(
    "campaign_member",
    "one customer assigned to one arm of a campaign",
    _refers("campaign_id", "campaign.campaign_id", key=True),
    _refers("customer_id", "customer.customer_id", key=True),
    _needed("arm", Word),
    Column("assigned_at", Instant),
    indexes=(("updated_at",),),
)
campaign_event = _table(
    "campaign_event",
    "one step of one customer in a campaign",
    _key("event_id"),
    _refers("campaign_id", "campaign.campaign_id", needed=True),
    _refers("customer_id", "customer.customer_id", needed=True),
    # sent | delivered | opened | clicked | visited | attended | claimed | redeemed | unsubscribed
    _needed("kind", Word),
    _needed("occurred_at", Instant),
    Column("channel", Word),
    Column("message", Name),
    _refers("product_id", "product.product_id"),
    Column("coupon_code", Word),
    _refers("order_id", "sale_order.order_id"),
    indexes=(("updated_at",),),
)
coupon = _table(
    "coupon",
    "one coupon of one campaign",
    _refers("campaign_id", "campaign.campaign_id", key=True),
    _key("coupon_code"),
    Column("kind", Word),
    Column("face_value", Money),
    Column("valid_from", Date),
    Column("valid_to", Date),
)
coupon_product = _table(
    "coupon_product",
    "one product that a coupon can be used for",
    _refers("campaign_id", "campaign.campaign_id", key=True),
    _key("coupon_code"),
    _refers("product_id", "product.product_id", key=True),
)

# --- loyalty --------------------------------------------------------------------------------------

tier = _table(
    "tier",
    "one membership tier",
    _key("tier_id"),
    _needed("name", Name),
    _needed("rank", Integer),
    Column("threshold", Money),
    Column("basis", Word),  # net_sales
    Column("window_months", Integer),
    Column("review_month", Integer),
    Column("benefits", Text),
)
tier_change = _table(
    "tier_change",
    "one move of a customer into a tier",
    _refers("customer_id", "customer.customer_id", key=True),
    _key("changed_at", Instant),
    _refers("tier_id", "tier.tier_id", needed=True),
    _refers("from_tier_id", "tier.tier_id"),
    Column("reason", Word),
    indexes=(("updated_at",),),
)
points_rule = _table(
    "points_rule",
    "one rule that grants points",
    _key("rule_id"),
    _needed("kind", Word),  # purchase | activity | referral | birthday
    Column("points_per_unit", Double),
    Column("value_per_point", Money),
    Column("expires_after_days", Integer),
)
points_entry = _table(
    "points_entry",
    "one booking in a customer's points ledger",
    _key("entry_id"),
    _refers("customer_id", "customer.customer_id", needed=True),
    _needed("booked_at", Instant),
    _needed("points", Integer),  # negative when spent or expired
    _needed("kind", Word),  # earn | burn | expire | adjust
    _refers("campaign_id", "campaign.campaign_id"),
    _refers("order_id", "sale_order.order_id"),
    Column("expires_on", Date),
    indexes=(("updated_at",),),
)
stored_value_entry = _table(
    "stored_value_entry",
    "one booking in a customer's stored-value ledger",
    _key("entry_id"),
    _refers("customer_id", "customer.customer_id", needed=True),
    _needed("booked_at", Instant),
    _needed("amount", Money),  # negative when spent
    _needed("kind", Word),  # top_up | spend | refund
    _refers("order_id", "sale_order.order_id"),
    Column("currency", String(3)),
)

# --- service --------------------------------------------------------------------------------------

ticket = _table(
    "ticket",
    "one service contact that was recorded",
    _key("ticket_id"),
    _refers("customer_id", "customer.customer_id"),
    _refers("store_id", "store.store_id"),
    _refers("order_id", "sale_order.order_id"),
    _refers("product_id", "product.product_id"),
    Column("lot_id", Id),
    Column("channel", Word),
    _needed("opened_at", Instant),
    Column("first_response_at", Instant),
    Column("resolved_at", Instant),
    Column("reopened_at", Instant),
    Column("category", Word),
    Column("is_complaint", Boolean),
    Column("reason", Word),
    _refers("staff_id", "staff.staff_id"),
    _sensitive("text", Text),
)
survey_invitation = _table(
    "survey_invitation",
    "one invitation to answer a survey",
    _key("invitation_id"),
    _refers("customer_id", "customer.customer_id"),
    _needed("kind", Word),  # nps | csat | product | staff
    Column("channel", Word),
    _needed("sent_at", Instant),
)
survey_answer = _table(
    "survey_answer",
    "one answered survey",
    _key("answer_id"),
    _refers("invitation_id", "survey_invitation.invitation_id"),
    _needed("kind", Word),  # nps (0-10) | csat | product | staff (1-5)
    Column("stage", Word),  # pre_sale | post_sale
    _needed("score", Integer),
    _sensitive("text", Text),
    _needed("answered_at", Instant),
    _refers("customer_id", "customer.customer_id"),
    _refers("order_id", "sale_order.order_id"),
    _refers("staff_id", "staff.staff_id"),
    _refers("product_id", "product.product_id"),
)
follow_up = _table(
    "follow_up",
    "one planned contact with a customer after a purchase or a lapse",
    _key("follow_up_id"),
    _refers("customer_id", "customer.customer_id", needed=True),
    _needed("rule", Word),  # d3 | w3 | m3 | birthday | lapse
    _needed("due_on", Date),
    _refers("staff_id", "staff.staff_id"),
    Column("channel", Word),
    Column("done_at", Instant),
    Column("outcome", Word),
)
appointment = _table(
    "appointment",
    "one booked service",
    _key("appointment_id"),
    _refers("customer_id", "customer.customer_id"),
    _refers("store_id", "store.store_id", needed=True),
    _refers("staff_id", "staff.staff_id"),
    _refers("product_id", "product.product_id"),  # the service
    _needed("booked_at", Instant),
    _needed("starts_at", Instant),
    Column("arrived_at", Instant),
    Column("served_at", Instant),
    _needed("status", Word),  # booked | served | no_show | cancelled
)

# --- people development ---------------------------------------------------------------------------

course = _table(
    "course",
    "one training course",
    _key("course_id"),
    _needed("name", Name),
    Column("skills", Name),
    Column("valid_months", Integer),
)
training_record = _table(
    "training_record",
    "one course completed by one person",
    _refers("staff_id", "staff.staff_id", key=True),
    _refers("course_id", "course.course_id", key=True),
    _key("completed_on", Date),
    Column("score", Double),
)
recognition = _table(
    "recognition",
    "one recognition of one person",
    _key("recognition_id"),
    _refers("staff_id", "staff.staff_id", needed=True),
    _needed("given_at", Instant),
    Column("reason", Name),
)

# --- supply ---------------------------------------------------------------------------------------

supplier = _table("supplier", "one supplier", _key("supplier_id"), _needed("name", Name))
supply_term = _table(
    "supply_term",
    "what one supplier agreed for one product",
    _refers("supplier_id", "supplier.supplier_id", key=True),
    _refers("product_id", "product.product_id", key=True),
    Column("lead_time_days", Integer),
    Column("order_multiple", Integer),
    Column("minimum_quantity", Integer),
)
purchase_order = _table(
    "purchase_order",
    "one order to a supplier",
    _key("purchase_order_id"),
    _refers("supplier_id", "supplier.supplier_id", needed=True),
    _refers("store_id", "store.store_id", needed=True),  # ship to
    _needed("ordered_at", Instant),
    _needed("status", Word),  # open | received | cancelled
)
purchase_order_line = _table(
    "purchase_order_line",
    "one line of an order to a supplier",
    _refers("purchase_order_id", "purchase_order.purchase_order_id", key=True),
    _key("line_no", Integer),
    _refers("product_id", "product.product_id", needed=True),
    _needed("quantity", Integer),
    Column("unit_cost", Money),
    Column("promised_on", Date),
)
goods_receipt = _table(
    "goods_receipt",
    "one receipt against a purchase order line",
    _key("receipt_id"),
    _refers("purchase_order_id", "purchase_order.purchase_order_id", needed=True),
    _needed("line_no", Integer),
    _needed("received_on", Date),
    _needed("quantity", Integer),
    Column("rejected", Integer),
)
transfer_lane = _table(
    "transfer_lane",
    "one way to move stock between two stores",
    _refers("from_store_id", "store.store_id", key=True),
    _refers("to_store_id", "store.store_id", key=True),
    Column("cost", Money),
    Column("days", Integer),
    Column("minimum_quantity", Integer),
)
stock_level = _table(
    "stock_level",
    "the latest count of one product in one store",
    _refers("store_id", "store.store_id", key=True),
    _refers("product_id", "product.product_id", key=True),
    _needed("on_hand", Integer),
    Column("reserved", Integer),
    _needed("counted_at", Instant),
)
stock_movement = _table(
    "stock_movement",
    "one change of stock; the history from which days at zero are derived",
    _key("movement_id"),
    _refers("store_id", "store.store_id", needed=True),
    _refers("product_id", "product.product_id", needed=True),
    Column("lot_id", Id),
    _needed("kind", Word),  # opening | receipt | sale | return | transfer_in | transfer_out | adjustment | write_off
    _needed("quantity", Integer),  # signed
    _needed("moved_at", Instant),
)
stock_lot = _table(
    "stock_lot",
    "one lot of one product in one store",
    _refers("store_id", "store.store_id", key=True),
    _refers("product_id", "product.product_id", key=True),
    _key("lot_id"),
    Column("expires_on", Date),
    _needed("quantity", Integer),
)
shipment = _table(
    "shipment",
    "one parcel to a customer",
    _key("shipment_id"),
    _refers("order_id", "sale_order.order_id"),
    Column("carrier", Word),
    Column("region", Name),
    Column("shipped_at", Instant),
    Column("promised_on", Date),
    Column("delivered_at", Instant),
    Column("cross_border", Boolean),
)

# --- outside view ---------------------------------------------------------------------------------

market_observation = _table(
    "market_observation",
    "one observed figure of the market",
    _key("observation_id"),
    _needed("observed_on", Date),
    _needed("metric", Word),
    Column("category", Name),
    _needed("value", Double),
    Column("unit", Word),
    Column("source", Name),
)
competitor_observation = _table(
    "competitor_observation",
    "one observed price or promotion of a competitor",
    _key("observation_id"),
    _needed("observed_on", Date),
    _needed("competitor", Name),
    _refers("product_id", "product.product_id"),  # our comparable product
    Column("price", Money),
    Column("promotion", Name),
    Column("source", Name),
)
trial = _table(
    "trial",
    "one customer invited to try a product",
    _key("trial_id"),
    _refers("product_id", "product.product_id", needed=True),
    _refers("customer_id", "customer.customer_id", needed=True),
    _needed("invited_at", Instant),
    Column("joined_at", Instant),
)
trial_feedback = _table(
    "trial_feedback",
    "one feedback from a trial",
    _key("feedback_id"),
    _refers("trial_id", "trial.trial_id", needed=True),
    _needed("given_at", Instant),
    _needed("score", Integer),  # 1-5
    _sensitive("text", Text),
)
holiday = _table(
    "holiday",
    "one day of an event in the calendar",
    _key("day", Date),
    _key("event"),
    _key("region"),  # 'all', or a region_id
    _needed("name", Name),
)

# --- governance -----------------------------------------------------------------------------------

data_incident = _table(
    "data_incident",
    "one incident with personal or business data",
    _key("incident_id"),
    _needed("detected_at", Instant),
    Column("contained_at", Instant),
    Column("notified_at", Instant),
    Column("kind", Word),
    Column("description", Text),
    Column("records_affected", Integer),
)
