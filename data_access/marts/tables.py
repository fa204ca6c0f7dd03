"""The tables of a facts file (DuckDB): what every query reads. Each states its grain.

Nothing here identifies a person: customers appear only as ``customer_no``, a keyed hash of the CRM's id
(``data_access.pseudonym``), which people see as a customer key. Days are store-local. Money is ``DECIMAL(18, 4)`` in
the chain's currency, excluding tax, so sums are exact. ``gross_sales`` is net of discounts and tax but before returns;
``net_sales`` is gross sales minus the refunds booked on that day.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
)

facts = MetaData()

Money = Numeric(18, 4)

# Kind of a store that only receipts mention, and region of a store that has none.
UNKNOWN = "unknown"
MONEY_UNIT = 10_000  # queries that leave sums to the models hand over whole ten-thousandths, which add up exactly

generation_info = Table(
    "generation_info",
    facts,
    # one row per generation file (exactly one)
    Column("generation", Integer, nullable=False),
    Column("built_at", DateTime, nullable=False),  # UTC
    Column("as_of", DateTime, nullable=False),  # store-local instant of the newest order or return
    Column("first_day", Date),  # first and last store-local day with an order or return
    Column("last_day", Date),
    Column("currency", String, nullable=False),
    Column("is_demo", Boolean, nullable=False),
    Column("read_at", DateTime),  # UTC instant at which the CRM was read: the start of that one transaction
    Column("mode", String),  # full: every row was read | changes: only what changed since the generation before
    Column("seconds", Double),  # from the start of the refresh until the file was ready to be published
    Column("rows_read", Integer),  # rows that left the CRM
    Column("rows_changed", Integer),  # of those, rows that differ from the generation before; all of them when full
    Column("previous", Integer),  # the generation this one was built from; null when full
)
table_load = Table(
    "table_load",
    facts,
    # one row per CRM table that was read
    Column("table_name", String, nullable=False),
    Column("mode", String, nullable=False),  # full | changes, of this table
    Column("rows_read", Integer, nullable=False),
    Column("rows_changed", Integer, nullable=False),
    Column("rows_deleted", Integer, nullable=False),
    Column("seconds", Double, nullable=False),  # how long reading it took
    Column("newest", DateTime),  # newest updated_at, UTC; null where the table has none
)
table_status = Table(
    "table_status",
    facts,
    # one row per canonical CRM table
    Column("table_name", String, nullable=False),
    Column("state", String, nullable=False),  # ok | empty | absent | columns_missing
    Column("rows", Integer),
    Column("missing_columns", String),  # comma separated
    Column("changed_columns", String),  # comma separated: of another type than the contract's
    Column("disables", String),  # comma separated page keys
    Column("newest", DateTime),  # newest updated_at
)
reconciliation = Table(
    "reconciliation",
    facts,
    # one row per money figure compared between the CRM and this file
    Column("figure", String, nullable=False),  # sale_line.net | return_line.refund
    Column("crm", Money),
    Column("snapshot", Money),
    Column("quarantined", Money),
    Column("difference", Money),  # crm - snapshot - quarantined
)
quarantine = Table(
    "quarantine",
    facts,
    # one row per CRM row that was refused, so that nothing disappears without a reason
    Column("table_name", String, nullable=False),
    Column("row_key", String),  # the row's key, its parts joined by '/'
    Column("reason", String, nullable=False),  # null_key | unreadable | duplicate | no_order | order_refused | ...
    Column("amount", Money),  # net or refund of the row
)
data_source = Table(
    "data_source",
    facts,
    # one row per load of rows into the CRM database, as the CRM records it
    Column("source_id", String),
    Column("kind", String),
    Column("name", String),
    Column("loaded_at", DateTime),
    Column("rows_read", Integer),
    Column("rows_loaded", Integer),
    Column("rows_quarantined", Integer),
    Column("amount_read", Money),
    Column("amount_loaded", Money),
    Column("amount_quarantined", Money),
    Column("currency", String),
    Column("details", Text),
)
translation = Table(
    "translation",
    facts,
    # one row per text, field and language
    Column("field", String, nullable=False),
    Column("source_text", String, nullable=False),
    Column("language", String, nullable=False),
    Column("text", String, nullable=False),
)

store = Table(
    "store",
    facts,
    # one row per store; region_id and region_name are 'unknown' where the CRM has none
    Column("store_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("region_id", String, nullable=False),
    Column("region_name", String, nullable=False),
    Column("city", String),
    Column("city_tier", String),
    Column("kind", String, nullable=False),
    Column("area_m2", Double),
    Column("opened_on", Date),
    Column("closed_on", Date),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("time_zone", String),
    Column("currency", String),
)
product = Table(
    "product",
    facts,
    # one row per product
    Column("product_id", String, nullable=False),
    Column("sku", String),
    Column("name", String, nullable=False),
    Column("brand", String),
    Column("kind", String),
    Column("category", String),
    Column("subcategory", String),
    Column("attributes", String),
    Column("pack_size", String),
    Column("list_price", Money),
    Column("cost", Money),
    Column("launched_on", Date),
    Column("shelf_life_days", Integer),
    Column("usage_days", Integer),
)
store_closure = Table(
    "store_closure",
    facts,
    # one row per store and day on which it stayed closed
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("reason", String),
)
staff = Table(
    "staff",
    facts,
    # one row per person who works or worked for the chain; no name
    Column("staff_id", String, nullable=False),
    Column("home_store_id", String),
    Column("role", String),
    Column("hired_on", Date),
    Column("left_on", Date),
)
shift = Table(
    "shift",
    facts,
    # one row per rostered shift of one person
    Column("shift_id", String, nullable=False),
    Column("store_id", String, nullable=False),
    Column("staff_id", String, nullable=False),
    Column("starts_at", DateTime, nullable=False),  # store-local, like the next two
    Column("ends_at", DateTime, nullable=False),
    Column("day", Date, nullable=False),
    Column("hours", Double, nullable=False),  # less breaks
    Column("role", String),
)
sales_target = Table(
    "sales_target",
    facts,
    # one row per monthly target of a store, or of one person in it
    Column("target_id", String, nullable=False),
    Column("store_id", String, nullable=False),
    Column("staff_id", String),  # null: the store's
    Column("month", Date, nullable=False),  # its first day
    Column("amount", Money, nullable=False),
)
course = Table(
    "course",
    facts,
    # one row per training course
    Column("course_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("skills", String),
    Column("valid_months", Integer),
)
training_record = Table(
    "training_record",
    facts,
    # one row per course that a person completed
    Column("staff_id", String, nullable=False),
    Column("store_id", String),  # where the person works
    Column("course_id", String, nullable=False),
    Column("completed_on", Date, nullable=False),
    Column("score", Double),
)
recognition = Table(
    "recognition",
    facts,
    # one row per recognition of a person
    Column("recognition_id", String, nullable=False),
    Column("staff_id", String, nullable=False),
    Column("store_id", String),  # where the person works
    Column("given_at", DateTime, nullable=False),  # UTC
    Column("reason", String),
)
customer = Table(
    "customer",
    facts,
    # one row per registered customer, pseudonymous
    Column("customer_no", BigInteger, nullable=False),
    Column("home_store_id", String),
    Column("owner_staff_id", String),  # the adviser who looks after the customer
    Column("gender", String),
    Column("age_band", String),  # '18-24', '25-34', ...; null when the birthday is unknown
    Column("is_adult", Boolean, nullable=False),  # unknown age is not adult
    Column("birth_month_day", String),  # MM-DD
    Column("city", String),
    Column("joined_on", Date),
    Column("source", String),
    Column("account_type", String),
    Column("occupation", String),
    Column("income_band", String),
    Column("importance", String),
    Column("tier", String),  # current tier's name
    Column("profile_updated_on", Date),  # UTC
    Column("profile_updated_by_customer", Boolean),  # null: nobody says who did
    # what the customer said of their skin; null unless they agree to it being kept
    Column("skin_type", String),
    Column("skin_concern", String),
    # whether the CRM has the field at all filled, its value stays there; null where it has no such column
    Column("has_name", Boolean),
    Column("has_phone", Boolean),
    Column("has_email", Boolean),
    Column("has_birthday", Boolean),
    Column("birthday_implausible", Boolean),  # before 1920 or in the future
)
shared_contact = Table(
    "shared_contact",
    facts,
    # one row per customer of a group that has the same phone number or the same address
    Column("kind", String, nullable=False),  # phone | email
    Column("group_no", BigInteger, nullable=False),  # the lowest customer_no of the group
    Column("customer_no", BigInteger, nullable=False),
)
customer_tag = Table(
    "customer_tag",
    facts,
    # one row per tag on a customer
    Column("customer_no", BigInteger, nullable=False),
    Column("tag", String, nullable=False),
    Column("tagged_on", Date),  # UTC
)
tier = Table(
    "tier",
    facts,
    # one row per membership tier
    Column("tier_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("rank", Integer),
    Column("threshold", Money),  # of ``basis`` within the last ``window_months``
    Column("basis", String),  # net_sales
    Column("window_months", Integer),
    Column("review_month", Integer),
)
tier_change = Table(
    "tier_change",
    facts,
    # one row per move of a customer into a tier
    Column("customer_no", BigInteger, nullable=False),
    Column("changed_at", DateTime, nullable=False),  # UTC
    Column("tier_id", String, nullable=False),
    Column("from_tier_id", String),
    Column("reason", String),
)
points_rule = Table(
    "points_rule",
    facts,
    # one row per rule that grants points
    Column("rule_id", String, nullable=False),
    Column("kind", String, nullable=False),  # purchase | activity | referral | birthday
    Column("points_per_unit", Double),
    Column("value_per_point", Money),
    Column("expires_after_days", Integer),
)
points_entry = Table(
    "points_entry",
    facts,
    # one row per booking in a customer's points ledger
    Column("entry_id", String, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("booked_at", DateTime, nullable=False),  # UTC
    Column("points", Integer, nullable=False),  # negative when spent or expired
    Column("kind", String, nullable=False),  # earn | burn | expire | adjust
    Column("campaign_id", String),
    Column("order_id", String),
    Column("expires_on", Date),
)

customer_rank = Table(
    "customer_rank",
    facts,
    # one row per customer that occurs anywhere, registered or not
    Column("customer_no", BigInteger, nullable=False),
    # place (from 1) of the CRM's id among all ids, numeric ids in numeric order: the equal-sized RFM groups
    # break ties by customer id, an order the hash does not keep
    Column("id_rank", Integer, nullable=False),
)

sale_order = Table(
    "sale_order",
    facts,
    # one row per receipt, excluded ones too; every figure of sales filters ``exclusion IS NULL``
    Column("order_id", String, nullable=False),
    Column("store_id", String, nullable=False),
    Column("customer_no", BigInteger),  # null: not identified
    Column("staff_id", String),
    Column("channel", String),
    Column("device", String),
    Column("ordered_at", DateTime, nullable=False),  # store-local
    Column("utc", DateTime),  # the same instant, comparable over time zones and with campaign events
    Column("day", Date, nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("tax", Money),
    Column("discount", Money),
    Column("cost", Money),
    Column("units", Numeric(18, 4), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("exclusion", String),  # cancelled | test | staff_purchase | zero_value
)
sale_line = Table(
    "sale_line",
    facts,
    # one row per line of a receipt; day, store and exclusion repeat those of the receipt
    Column("order_id", String, nullable=False),
    Column("line_no", Integer, nullable=False),
    Column("store_id", String, nullable=False),
    Column("customer_no", BigInteger),
    Column("product_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("channel", String),
    Column("quantity", Numeric(18, 4), nullable=False),
    Column("list_price", Money),  # per unit, incl. tax
    Column("discount", Money),
    Column("net", Money, nullable=False),
    Column("tax", Money),
    Column("cost", Money),
    Column("coupon_code", String),
    Column("lot_id", String),
    Column("exclusion", String),
)
return_line = Table(
    "return_line",
    facts,
    # one row per returned line, booked in the store and on the day of the return; lines whose original
    # receipt is excluded carry its exclusion and leave the figures with it
    Column("return_id", String, nullable=False),
    Column("line_no", Integer, nullable=False),
    Column("order_id", String),
    Column("order_line_no", Integer),
    Column("store_id", String, nullable=False),
    Column("customer_no", BigInteger),
    Column("product_id", String, nullable=False),
    Column("returned_at", DateTime, nullable=False),  # store-local
    Column("day", Date, nullable=False),
    Column("quantity", Numeric(18, 4), nullable=False),
    Column("refund", Money, nullable=False),
    Column("reason", String),
    Column("exclusion", String),
    # store and day of the sale that is taken back: of the linked receipt, or, without a link, the return's own;
    # null where the linked receipt does not exist
    Column("sale_store_id", String),
    Column("sale_day", Date),
    Column("sale_channel", String),  # of the linked receipt; null without a link
)
store_traffic = Table(
    "store_traffic",
    facts,
    # one row per store and local hour with a valid door count; a counter that was down counted nothing, not zero
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("visitors", Integer, nullable=False),
)
campaign = Table(
    "campaign",
    facts,
    # one row per campaign
    Column("campaign_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("type", String),
    Column("channel", String),
    Column("objective", String),
    Column("audience_rule", String),
    Column("offer", String),
    Column("promo_code", String),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("window_days", Integer),
    # the last store-local day on which an order counts for the campaign: its end (or start) plus window_days
    Column("window_last", Date),
    Column("cost_media", Money),
    Column("cost_message", Money),
    Column("cost_other", Money),
    Column("staff_hours", Double),
    Column("is_planned", Boolean, nullable=False),
    Column("platform_conversions", Integer),
)
campaign_arm = Table(
    "campaign_arm",
    facts,
    # one row per arm of a campaign
    Column("campaign_id", String, nullable=False),
    Column("arm", String, nullable=False),
    Column("is_control", Boolean, nullable=False),
    Column("planned_share", Double),
)
campaign_store = Table(
    "campaign_store",
    facts,
    # one row per store that takes part in a campaign
    Column("campaign_id", String, nullable=False),
    Column("store_id", String, nullable=False),
)
campaign_product = Table(
    "campaign_product",
    facts,
    # one row per product that a campaign promotes
    Column("campaign_id", String, nullable=False),
    Column("product_id", String, nullable=False),
)
coupon = Table(
    "coupon",
    facts,
    # one row per coupon of a campaign
    Column("campaign_id", String, nullable=False),
    Column("coupon_code", String, nullable=False),
    Column("kind", String),
    Column("face_value", Money),
    Column("valid_from", Date),
    Column("valid_to", Date),
)
coupon_product = Table(
    "coupon_product",
    facts,
    # one row per product that a coupon can be used for
    Column("campaign_id", String, nullable=False),
    Column("coupon_code", String, nullable=False),
    Column("product_id", String, nullable=False),
)
price_promotion = Table(
    "price_promotion",
    facts,
    # one row per price promotion and store where it holds
    Column("promotion_id", String, nullable=False),
    Column("store_id", String, nullable=False),
    Column("product_id", String),  # null: of the category; both null: of everything
    Column("category", String),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("discount", Double),  # share of the list price
    Column("kind", String),
)
holiday = Table(
    "holiday",
    facts,
    # one row per day of an event in the calendar
    Column("day", Date, nullable=False),
    Column("event", String, nullable=False),
    Column("region", String, nullable=False),  # 'all', or a region_id
    Column("name", String, nullable=False),
)
market_observation = Table(
    "market_observation",
    facts,
    # one row per metric of the market, category and day on which it was observed
    Column("metric", String, nullable=False),
    Column("category", String),  # null: of no category
    Column("observed_on", Date, nullable=False),
    Column("value", Double, nullable=False),  # the mean where several sources say something
)
campaign_member = Table(
    "campaign_member",
    facts,
    # one row per campaign and customer that was assigned to one of its arms
    Column("campaign_id", String, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("arm", String, nullable=False),
    Column("assigned_at", DateTime),  # UTC
)
campaign_event = Table(
    "campaign_event",
    facts,
    # one row per step of a customer in a campaign
    Column("event_id", String, nullable=False),
    Column("campaign_id", String, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    # sent | delivered | opened | clicked | visited | attended | claimed | redeemed | unsubscribed
    Column("kind", String, nullable=False),
    Column("occurred_at", DateTime, nullable=False),  # UTC
    Column("channel", String),
    Column("order_id", String),
    Column("product_id", String),
    Column("coupon_code", String),
)
consent = Table(
    "consent",
    facts,
    # one row per consent that a customer gave for one purpose and channel
    Column("customer_no", BigInteger, nullable=False),
    Column("purpose", String, nullable=False),  # marketing | service | skin_profile
    Column("channel", String, nullable=False),
    Column("granted_at", DateTime, nullable=False),  # UTC
    Column("withdrawn_at", DateTime),  # UTC; null: lives
)
ticket = Table(
    "ticket",
    facts,
    # one row per service contact that was recorded; instants are UTC
    Column("ticket_id", String, nullable=False),
    Column("customer_no", BigInteger),
    Column("store_id", String),
    Column("order_id", String),
    Column("product_id", String),
    Column("lot_id", String),
    Column("channel", String),
    Column("opened_at", DateTime, nullable=False),
    Column("day", Date, nullable=False),  # on which it was opened, store-local
    Column("first_response_at", DateTime),
    Column("resolved_at", DateTime),
    Column("reopened_at", DateTime),
    Column("category", String),
    Column("is_complaint", Boolean, nullable=False),
    Column("reason", String),
    Column("staff_id", String),
)
survey_answer = Table(
    "survey_answer",
    facts,
    # one row per answered survey
    Column("answer_id", String, nullable=False),
    Column("kind", String, nullable=False),  # nps (0-10) | csat | product | staff (1-5)
    Column("stage", String),  # pre_sale | post_sale
    Column("score", Integer, nullable=False),
    Column("answered_at", DateTime, nullable=False),  # UTC
    Column("customer_no", BigInteger),
    Column("order_id", String),
    Column("staff_id", String),
    Column("product_id", String),
    Column("store_id", String),  # where the person works who was judged; null: nobody was
)
follow_up = Table(
    "follow_up",
    facts,
    # one row per planned contact with a customer
    Column("follow_up_id", String, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("rule", String, nullable=False),  # d3 | w3 | m3 | birthday | lapse
    Column("due_on", Date, nullable=False),
    Column("staff_id", String),
    Column("channel", String),
    Column("done_at", DateTime),  # UTC; null: not yet
    Column("outcome", String),
)
appointment = Table(
    "appointment",
    facts,
    # one row per booked service
    Column("appointment_id", String, nullable=False),
    Column("customer_no", BigInteger),
    Column("store_id", String, nullable=False),
    Column("staff_id", String),
    Column("product_id", String),  # the service
    Column("booked_at", DateTime, nullable=False),  # UTC
    Column("starts_at", DateTime, nullable=False),  # store-local, like the next two
    Column("arrived_at", DateTime),
    Column("served_at", DateTime),
    Column("status", String, nullable=False),  # booked | served | no_show | cancelled
)
incident = Table(
    "incident",
    facts,
    # one row per incident with data that the CRM records; what it was stays there
    Column("incident_id", String, nullable=False),
    Column("kind", String),
    Column("detected_at", DateTime, nullable=False),  # UTC
    Column("contained_at", DateTime),
    Column("notified_at", DateTime),
    Column("records_affected", Integer),
)
stock_level = Table(
    "stock_level",
    facts,
    # one row per store and product: the latest count
    Column("store_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("on_hand", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("counted_at", DateTime),  # store-local
)
stock_lot = Table(
    "stock_lot",
    facts,
    # one row per lot of a product in a store
    Column("store_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("lot_id", String, nullable=False),
    Column("expires_on", Date),
    Column("quantity", Integer, nullable=False),
)
stock_movement = Table(
    "stock_movement",
    facts,
    # one row per store, product, store-local day and kind: what came or went in all
    Column("store_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("day", Date, nullable=False),
    # opening | receipt | sale | return | transfer_in | transfer_out | adjustment | write_off
    Column("kind", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),  # signed
)
supplier = Table(
    "supplier",
    facts,
    # one row per supplier
    Column("supplier_id", String, nullable=False),
    Column("name", String, nullable=False),
)
supply_term = Table(
    "supply_term",
    facts,
    # one row per supplier and product: what was agreed
    Column("supplier_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("lead_time_days", Integer),
    Column("order_multiple", Integer),
    Column("minimum_quantity", Integer),
)
transfer_lane = Table(
    "transfer_lane",
    facts,
    # one row per way to move goods between two stores
    Column("from_store_id", String, nullable=False),
    Column("to_store_id", String, nullable=False),
    Column("cost", Money),
    Column("days", Integer),
    Column("minimum_quantity", Integer),
)
purchase_line = Table(
    "purchase_line",
    facts,
    # one row per line of an order to a supplier; supplier, store and status are null without the order
    Column("purchase_order_id", String, nullable=False),
    Column("line_no", Integer, nullable=False),
    Column("supplier_id", String),
    Column("store_id", String),  # ship to
    Column("product_id", String, nullable=False),
    Column("ordered_on", Date),
    Column("status", String),  # open | received | cancelled
    Column("quantity", Integer, nullable=False),
    Column("unit_cost", Money),
    Column("promised_on", Date),
    Column("received", Integer, nullable=False),  # units so far, the rejected ones too
    Column("rejected", Integer, nullable=False),
    Column("first_received_on", Date),
    Column("last_received_on", Date),
    Column("open_quantity", Integer, nullable=False),  # units still to come
)
