"""From the CRM into typed staging tables.

A reader delivers a column in its canonical type or as text, and one place here turns the text into that type: a
value that cannot be read becomes null, and ``unreadable`` names its column. A staging table always has all the
columns the facts need; a column or table the CRM lacks is null or empty.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import duckdb
from sqlalchemy import Column, ColumnElement

from data_access.readers import Reader, duckdb_type
from data_access.schema import crm

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What the facts take from one CRM table.

    ``columns`` are read where they exist. Without an ``essential`` column the table counts as absent; without a
    ``core`` table there are no facts at all. ``money`` is the column the reconciliation follows. ``noted`` are said
    about a row without being read (``data_access.profiles``).
    """

    table: str
    essential: tuple[str, ...]
    optional: tuple[str, ...]
    core: bool
    money: str | None
    noted: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read; ``updated_at`` tells the next refresh where to begin."""
        return (*self.essential, *self.optional, "updated_at")

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(c.name for c in crm.tables[self.table].primary_key if c.name in self.columns)


def _source(
    table: str, essential: str, optional: str = "", *, core: bool = False, money: str | None = None, noted: str = ""
) -> Source:
    return Source(table, tuple(essential.split()), tuple(optional.split()), core, money, tuple(noted.split()))


SOURCES = (
    _source(
        "data_source",
        "source_id",
        "kind name loaded_at rows_read rows_loaded rows_quarantined amount_read amount_loaded amount_quarantined "
        "currency details",
    ),
    _source("translation", "field source_text language text"),
    _source("region", "region_id", "name"),
    _source(
        "store",
        "store_id",
        "name region_id city city_tier kind area_m2 opened_on closed_on latitude longitude time_zone currency",
        core=True,
    ),
    _source(
        "product",
        "product_id",
        "sku name brand kind category subcategory attributes pack_size list_price cost launched_on shelf_life_days "
        "usage_days",
        core=True,
    ),
    _source("store_closure", "store_id day", "reason"),
    _source("staff", "staff_id", "home_store_id role hired_on left_on"),
    _source("shift", "shift_id staff_id store_id starts_at ends_at", "break_minutes role"),
    _source("sales_target", "target_id store_id month amount", "staff_id"),
    _source(
        "customer",
        "customer_id",
        "birthday gender city home_store_id owner_staff_id joined_on source account_type skin_type skin_concern "
        "occupation income_band importance profile_updated_at profile_updated_by",
        noted="has_name has_phone has_email",
    ),
    _source("customer_tag", "customer_id tag", "tagged_at"),
    _source("tier", "tier_id", "name rank threshold basis window_months review_month"),
    _source("tier_change", "customer_id changed_at tier_id", "from_tier_id reason"),
    _source("points_rule", "rule_id kind", "points_per_unit value_per_point expires_after_days"),
    _source("points_entry", "entry_id customer_id booked_at points kind", "campaign_id order_id expires_on"),
    _source("store_traffic", "store_id hour_start visitors", "valid"),
    _source(
        "sale_order",
        "order_id store_id ordered_at",
        "customer_id staff_id channel device kind cancelled_at currency",
        core=True,
    ),
    _source(
        "sale_line",
        "order_id line_no product_id quantity net",
        "list_price discount tax cost coupon_code lot_id",
        core=True,
        money="net",
    ),
    _source(
        "return_line",
        "return_id line_no store_id product_id returned_at quantity refund",
        "order_id order_line_no customer_id reason currency",
        money="refund",
    ),
    _source(
        "campaign",
        "campaign_id",
        "name type channel objective audience_rule offer promo_code starts_on ends_on window_days cost_media "
        "cost_message cost_other staff_hours is_planned platform_conversions",
    ),
    _source("campaign_arm", "campaign_id arm", "is_control planned_share"),
    _source("campaign_store", "campaign_id store_id"),
    _source("campaign_product", "campaign_id product_id"),
    _source("coupon", "campaign_id coupon_code", "kind face_value valid_from valid_to"),
    _source("coupon_product", "campaign_id coupon_code product_id"),
    _source("price_promotion", "promotion_id starts_on ends_on", "store_id product_id category discount kind"),
    _source("holiday", "day event region name"),
    _source("market_observation", "observation_id observed_on metric value", "category"),
    _source("campaign_member", "campaign_id customer_id arm", "assigned_at"),
    _source(
        "campaign_event",
        "event_id campaign_id customer_id kind occurred_at",
        "channel product_id coupon_code order_id",
    ),
    _source("consent", "customer_id purpose channel granted_at", "withdrawn_at"),
    _source(
        "ticket",
        "ticket_id opened_at",
        "customer_id store_id order_id product_id lot_id channel first_response_at resolved_at reopened_at category "
        "is_complaint reason staff_id",
    ),
    _source("survey_answer", "answer_id kind score answered_at", "stage customer_id order_id staff_id product_id"),
    _source("follow_up", "follow_up_id customer_id rule due_on", "staff_id channel done_at outcome"),
    _source(
        "appointment",
        "appointment_id store_id booked_at starts_at status",
        "customer_id staff_id product_id arrived_at served_at",
    ),
    _source("course", "course_id name", "skills valid_months"),
    _source("training_record", "staff_id course_id completed_on", "score"),
    _source("recognition", "recognition_id staff_id given_at", "reason"),
    _source("data_incident", "incident_id detected_at", "kind contained_at notified_at records_affected"),
    _source("stock_level", "store_id product_id on_hand", "reserved counted_at"),
    _source("stock_lot", "store_id product_id lot_id quantity", "expires_on"),
    _source("stock_movement", "movement_id store_id product_id kind quantity moved_at"),
    _source("supplier", "supplier_id name"),
    _source("supply_term", "supplier_id product_id", "lead_time_days order_multiple minimum_quantity"),
    _source("transfer_lane", "from_store_id to_store_id", "cost days minimum_quantity"),
    _source("purchase_order", "purchase_order_id supplier_id store_id status", "ordered_at"),
    _source("purchase_order_line", "purchase_order_id line_no product_id quantity", "unit_cost promised_on"),
    _source("goods_receipt", "receipt_id purchase_order_id line_no received_on quantity", "rejected"),
)


def create(work: duckdb.DuckDBPyConnection, source: Source, into: str) -> None:
    """Creates the staging table ``into``, empty."""
    table = crm.tables[source.table]
    columns = [f'"{name}" {duckdb_type(table.c[name])}' for name in source.columns]
    columns += [f"{name} BOOLEAN" for name in source.noted]
    declared = ", ".join(columns)
    kind = "TEMP TABLE" if into.startswith("temp.") else "TABLE"
    work.execute(f"CREATE {kind} {into} ({declared}, unreadable VARCHAR)")


def stage(
    work: duckdb.DuckDBPyConnection,
    reader: Reader,
    source: Source,
    present: Collection[str],
    progress: Progress,
    *,
    into: str,
    where: ColumnElement[bool] | None = None,
) -> int:
    """Adds to the staging table ``into`` the columns of ``source`` that are ``present`` in the CRM; returns the rows.

    ``where`` chooses rows.
    """
    table = crm.tables[source.table]
    started = time.monotonic()
    rows = 0
    names = [name for name in source.columns if name in present]
    for batch in reader.rows(table.name, names, where):
        columns = _select([table.c[name] for name in names], batch.typed, batch.unreadable)
        work.execute(f"INSERT INTO {into} BY NAME SELECT {columns} FROM {batch.relation}")
        (added,) = work.fetchone() or (0,)
        rows += added
        seconds = max(time.monotonic() - started, 0.001)
        left = max(batch.expected - rows, 0) * seconds / max(rows, 1)
        remaining = f" of {batch.expected:,}, about {left:.0f} s left" if rows < batch.expected else ""
        progress(f"{table.name}: {rows:,} rows{remaining}, {rows / seconds:,.0f} rows/s")
    return rows


def _cast(column: Column[object], typed: Collection[str]) -> str:
    name, kind = f'"{column.name}"', duckdb_type(column)
    if kind == "VARCHAR":
        is_key = column.primary_key or "references" in column.info
        return f"nullif({name}, '')" if is_key else name
    if column.name in typed:
        return name
    if kind == "TIMESTAMP":
        # An instant written with an offset becomes UTC; one without is UTC already (the session's zone is UTC).
        return f"CAST(TRY_CAST({name} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return f"TRY_CAST({name} AS {kind})"


def _select(columns: Sequence[Column[object]], typed: Collection[str], unreadable: str) -> str:
    """What to select from a reader's rows, of which the columns in ``typed`` need no reading; ``unreadable`` names
    those of them that are null because they could not be read."""
    failed = ", ".join(
        f"CASE WHEN trim(\"{c.name}\") <> '' AND {_cast(c, typed)} IS NULL THEN '{c.name}' END"
        for c in columns
        if duckdb_type(c) != "VARCHAR" and c.name not in typed
    )
    if failed:
        unreadable = f"nullif(concat_ws(',', {failed}, {unreadable}), '')"
    return ", ".join(f'{_cast(c, typed)} AS "{c.name}"' for c in columns) + f", {unreadable} AS unreadable"
