"""The tables of a results file (DuckDB): what the jobs of a batch computed from one generation of the facts.

A file belongs to facts by its generation but not to their file: it stays in force under newer facts until a batch
replaces it, so whoever reads a table asks ``data_access.results.info`` for which facts it was computed. Each table
states its grain. Rows are those of a place (``level``, ``place_id``: the chain, a region, a store, as marts by place),
of a store (``store_id``), or of nobody's store; a query of a page is held to its scope by the same rules as one of the
facts (``data_access.queries._bounds``). ``place_store`` of the facts is in the file, too.

A job fills its own tables (``models.jobs``). Rows stay in the order in which it writes them: what a page asks for
belongs first, so that few blocks of the file are read.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

ResultTable = Table  # for whoever names tables without asking a database
results = MetaData()

result_info = Table(
    "result_info",
    results,
    # one row per job that was ever tried
    Column("job", String, nullable=False),
    # of the rows in this file, all null when the job never came to an end
    Column("generation", Integer),  # the facts they were computed from, or would be computed from in the same way
    Column("as_of", DateTime),  # of these facts: store-local instant of the newest receipt
    Column("last_day", Date),  # of these facts
    Column("built_at", DateTime),  # UTC
    Column("seconds", Double),  # that computing them took
    Column("fingerprint", String),  # of inputs, parameters and code
    # of the last attempt
    Column("state", String, nullable=False),  # done | failed
    Column("detail", String),  # failed: why, in one sentence
)


def _by_place(name: str, *columns: Column[Any]) -> Table:
    """A table with rows of places."""
    level = Column("level", String, nullable=False)  # chain | region | store
    place_id = Column("place_id", String, nullable=False)  # 'chain', region_id or store_id
    return Table(name, results, level, place_id, *columns)


campaign_result = _by_place(
    "campaign_result",
    # one row per place and campaign with customers there; columns as ``models.reports.campaigns.CampaignsReport``.
    # Once the window of a campaign has closed its rows, here and in the tables below, are frozen: every later batch
    # carries them over as they are.
    Column("campaign_id", String, nullable=False),
    Column("redeeming_customers", Integer, nullable=False),
    Column("redemptions", Integer, nullable=False),
    Column("buyers", Integer, nullable=False),
    Column("new_buyers", Integer, nullable=False),
    Column("net_sales", Double),
    Column("units", Double),  # null: frozen before they were counted
    Column("margin", Double),
    Column("lift", Double),
    Column("lo95", Double),
    Column("hi95", Double),
    Column("incremental_margin", Double),
    Column("incremental_lo", Double),
    Column("incremental_hi", Double),
    Column("verdict", String),
    Column("money", String),  # what the verdict looks at: margin | spend; null without an experiment
    Column("sample_ratio_p", Double),
    Column("frozen_at", DateTime),  # as-of instant of the facts they were frozen from; null: provisional
    Column("method", String),  # version of the code that computed it
    # of which campaign of which data this is: a result of others is not carried over
    Column("origin", String, nullable=False),
    Column("starts_on", Date),
    Column("window_last", Date),
)


def _of_campaign(name: str, *columns: Column[Any]) -> Table:
    """Rows of a campaign in a place, as ``models.reports.campaign.CampaignReport`` has them, in their order."""
    campaign_id = Column("campaign_id", String, nullable=False)
    return _by_place(name, campaign_id, Column("position", Integer, nullable=False), *columns)


campaign_arms = _of_campaign(
    "campaign_arms",
    Column("arm", String, nullable=False),
    Column("is_control", Boolean, nullable=False),
    Column("planned_share", Double),
    Column("people", Integer, nullable=False),
    Column("visitors", Integer, nullable=False),
    Column("buyers", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
)
campaign_lift = _of_campaign(
    "campaign_lift",
    Column("arm", String, nullable=False),
    Column("metric", String, nullable=False),
    *(Column(name, Double) for name in ("treated", "control", "difference", "lo95", "hi95")),
    *(Column(name, Double) for name in ("relative", "relative_lo", "relative_hi")),
    Column("method", String),
    Column("p_value", Double),
    Column("p_holm", Double),
)
campaign_verdict = _of_campaign(
    "campaign_verdict",
    Column("arm", String, nullable=False),
    Column("verdict", String, nullable=False),
    *(Column(name, Double) for name in ("people_needed", "smallest_detectable", "worth")),
    *(Column(name, Double) for name in ("incremental", "incremental_lo", "incremental_hi")),
)


campaign_checks = _of_campaign(
    "campaign_checks",
    Column("key", String, nullable=False),
    Column("value", Double),
)
campaign_adjusted = _of_campaign(
    "campaign_adjusted",
    Column("metric", String, nullable=False),
    Column("kind", String, nullable=False),
    *(Column(name, Double) for name in ("treated", "expected", "naive", "difference", "lo95", "hi95")),
)
campaign_balance = _of_campaign(
    "campaign_balance",
    Column("trait", String, nullable=False),
    *(Column(name, Double) for name in ("treated", "others", "weighted", "apart_before", "apart_after")),
)

campaign_stores = _of_campaign(
    "campaign_stores",
    # of a campaign of some stores without assigned customers
    Column("stores", Integer, nullable=False),
    Column("others", Integer, nullable=False),
    *(Column(name, Double) for name in ("difference", "lo95", "hi95", "p_value", "before_difference", "before_p")),
    Column("money", String),
    *(Column(name, Double) for name in ("incremental", "incremental_lo", "incremental_hi")),
    Column("verdict", String),
)

campaign_segment = _by_place(
    "campaign_segment",
    # one row per place, campaign and segment that its customers were in the day before it, as ``campaign_result``.
    # Frozen like those.
    Column("campaign_id", String, nullable=False),
    Column("segment", String, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("targeted", "held_back")),
    *(Column(name, Integer) for name in ("reached", "engaged")),  # null: nobody notes that
    Column("buyers", Integer, nullable=False),
    *(Column(name, Double) for name in ("net_sales", "margin", "lift", "lo95", "hi95")),
    *(Column(name, Double) for name in ("incremental_margin", "incremental_lo", "incremental_hi")),
    Column("verdict", String, nullable=False),  # of the money, after Holm over the segments of the campaign
    Column("frozen_at", DateTime),
    Column("origin", String, nullable=False),
    Column("starts_on", Date),
    Column("window_last", Date),
)
campaign_segment_path = _by_place(
    "campaign_segment_path",
    # one row per place, campaign, segment and set of steps that the treated took in order, without a limit of days
    Column("campaign_id", String, nullable=False),
    Column("part", String, nullable=False),  # the segment
    Column("taken", Integer, nullable=False),
    Column("customers", Integer, nullable=False),
)

# What ``data_access.queries.attribution`` credits to campaigns, over all days.
credited_order = Table(
    "credited_order",
    results,
    # one row per counted order that came soon after a touch of a campaign
    Column("order_id", String, nullable=False),
    Column("store_id", String, nullable=False),  # of the order
    Column("member_store_id", String),  # of the customer in the campaign
    Column("customer_no", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("campaign_id", String, nullable=False),
    Column("channel", String),
    Column("touch", String, nullable=False),
    Column("gross_sales", Double, nullable=False),
    Column("margin", Double),
)

# Whom messages reached in the last days of the facts, and how often: grouping a million customers takes too long.
contacted_customer = Table(
    "contacted_customer",
    results,
    # one row per number of days (``data_access.queries.attribution.DAYS``) and customer to whom a campaign wrote then,
    # by days, those with most messages first
    Column("days", SmallInteger, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("store_id", String),
    Column("contacts", SmallInteger, nullable=False),
    Column("lately", SmallInteger, nullable=False),
    Column("left_lately", SmallInteger, nullable=False),
    Column("reacted", SmallInteger, nullable=False),
    Column("last_contact", DateTime, nullable=False),
    Column("channel_set", String, nullable=False),
)


def _of_report(name: str, *columns: Column[Any]) -> Table:
    """A table of a report, once per place; ``position``: which row of the report it is."""
    return _by_place(name, Column("position", Integer, nullable=False), *columns)


# What ``models.reports.value.ValueReport`` holds as of the last day of the facts, for its usual horizon.
value_readiness = _of_report(
    "value_readiness",
    Column("requirement", String, nullable=False),
    Column("needed", Double, nullable=False),
    Column("found", Double),
    Column("met", Boolean, nullable=False),
)
value_parameter = _of_report(
    "value_parameter",
    Column("model", String, nullable=False),
    Column("name", String, nullable=False),
    Column("value", Double),
    Column("standard_error", Double),
    Column("lo95", Double),
    Column("hi95", Double),
)
value_fit = _of_report(
    "value_fit",
    Column("model", String, nullable=False),
    Column("log_likelihood", Double),
    Column("customers", Integer),
)
value_summary = _of_report(
    "value_summary",
    Column("key", String, nullable=False),
    Column("value", Double),
    Column("lo95", Double),
    Column("hi95", Double),
    Column("unit", String),
)
value_concentration = _of_report(
    "value_concentration",
    Column("customers", Integer, nullable=False),
    Column("customer_share", Double),
    Column("net_sales", Double),
    Column("net_sales_share", Double),
)
value_grid = _of_report(
    "value_grid",
    Column("value_class", String, nullable=False),
    Column("loyalty", String, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("net_sales", Double),
    Column("expected_value", Double),
)
value_rule = _of_report("value_rule", Column("value_class", String, nullable=False), Column("above", Double))
value_check = _by_place(
    "value_check",
    # one row per place: the day on which its check of the forecasts begins; null: the past is too short for one
    Column("starts_on", Date),
)
value_holdout = _of_report("value_holdout", Column("key", String, nullable=False), Column("value", Double))
value_calibration = _of_report(
    "value_calibration",
    Column("repeat_visits", Integer, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("expected_visits", Double),
    Column("actual_visits", Double),
)
value_score = _by_place(
    "value_score",
    # one row per place and customer with a visit there, where the place has a forecast; the highest expected value
    # first. Visits elsewhere do not count, so a customer has other rows in other places.
    Column("position", Integer, nullable=False),
    Column("customer_no", BigInteger, nullable=False),
    Column("cell", SmallInteger, nullable=False),  # of the grid, row by row
    Column("repeat_visits", Integer, nullable=False),
    Column("recency_days", Integer, nullable=False),  # from the first visit to the last
    Column("age_days", Integer, nullable=False),  # from the first visit to the day of the question
    Column("amount", Double, nullable=False),  # of a repeat visit on average
    Column("net_sales", Double, nullable=False),
    Column("probability_active", Double, nullable=False),
    Column("expected_visits", Double, nullable=False),  # in 365 days
    Column("expected_value", Double),  # in 365 days; null where no spending can be expected
    Column("store_id", String),  # of the last order; null: orders of zero value only
    Column("historic_margin", Double),  # so far; null where no cost is known
)

segment_history = _by_place(
    "segment_history",
    # one row per place and customer who was one there on one of the days: the last days of the twelve months before
    # that of the last day of the facts, as far as they reach, and that day; by number
    Column("customer_no", BigInteger, nullable=False),
    Column("net_sales", Double, nullable=False),  # up to the last day
    # one letter per day: A is the first group of ``queries.crossing.GROUPS``, the one after the last of them is nobody
    Column("segment", String, nullable=False),
    Column("abc", String, nullable=False),
    Column("four_stage", String, nullable=False),
    Column("five_phase", String, nullable=False),
    Column("with_maintenance", String, nullable=False),
)

# What ``models.reports.crossing`` asks for on the last day of the facts.
crossing_cell = _by_place(
    "crossing_cell",
    # one row per place, two dimensions of ``queries._groups.DIMENSIONS`` in their order, and pair of their groups
    Column("row_dimension", String, nullable=False),
    Column("column_dimension", String, nullable=False),
    Column("row_group", String, nullable=False),
    Column("column_group", String, nullable=False),
    Column("customers", BigInteger, nullable=False),
    # in ten-thousandths
    Column("net_sales", BigInteger, nullable=False),
    Column("costed_sales", BigInteger, nullable=False),
    Column("margin", BigInteger, nullable=False),
)


JOB = "job"  # in the ``info`` of a table: a file that knows nothing of this job may be without the table


def _of_reports(name: str) -> Table:
    """One row per place, report, choice of its parameters and table of it, as of the last day of the facts; none of the
    tables names a customer."""
    return _by_place(
        name,
        Column("report", String, nullable=False),
        Column("choice", String, nullable=False),
        Column("name", String, nullable=False),
        Column("rows", LargeBinary, nullable=False),  # ``results.frames``
    )


kept_frame = _of_reports("kept_frame")  # of groups of customers (job ``presets``)
team_frame = _of_reports("team_frame")  # of stores and their people
team_frame.info[JOB] = "teams"
campaign_frame = _of_reports("campaign_frame")  # of the customers of all campaigns
campaign_frame.info[JOB] = "campaign_sums"

reason_lapsed = _of_report(
    "reason_lapsed",
    # who lapsed, as ``models.reports.reasons.ReasonsReport`` has them on the last day of the facts
    Column("customer_key", String, nullable=False),
    Column("store_id", String),
    Column("store", String),
    Column("reason", String, nullable=False),
    Column("event_day", DateTime),
    Column("visits", BigInteger, nullable=False),
    Column("days_since", BigInteger, nullable=False),
    Column("net_sales", Double, nullable=False),
)

# The lists of ``models.reports.spending.SpendingReport`` on the last day of the facts.
spending_ready = _of_report(
    "spending_ready",
    Column("customer_key", String, nullable=False),
    Column("store_id", String),
    Column("store", String),
    Column("category", String, nullable=False),
    Column("band", String, nullable=False),
    Column("ready_category", String, nullable=False),
    Column("ready_band", String, nullable=False),
    Column("gross_sales", Double, nullable=False),
)
spending_unassigned = _of_report(
    "spending_unassigned",
    Column("customer_key", String, nullable=False),
    Column("store_id", String),
    Column("store", String),
    Column("has_left", Boolean, nullable=False),
    Column("orders", BigInteger, nullable=False),
    Column("net_sales", Double, nullable=False),
    Column("last_day", DateTime),
)

# The next four say something of the range of the whole chain and nothing of a store (``_bounds.OPEN``).
product_pair = Table(
    "product_pair",
    results,
    # one row per product and another that its buyers buy, too, more often than popularity and appetite explain; at
    # most 50 of a product, each of at least ``models.calc.affinity.LEAST`` customers
    Column("product_id", String, nullable=False),
    Column("also_id", String, nullable=False),
    # customers
    Column("both", Integer, nullable=False),
    Column("buyers", Integer, nullable=False),  # of product_id
    Column("also_buyers", Integer, nullable=False),  # of also_id
    Column("expected", Double, nullable=False),  # of both, were there no affinity
    Column("lift_low", Double, nullable=False),  # lower bound of both / expected
)
product_season = Table(
    "product_season",
    results,
    # one row per need (subcategory, or a product without one) and month of the year (1 to 12)
    Column("need", String, nullable=False),
    Column("month", Integer, nullable=False),
    Column("season", Double, nullable=False),  # sold in the month to what is sold in an average one
)
category_next = Table(
    "category_next",
    results,
    # one row per two categories: of the visits after one for the first, which share were for the other
    Column("category", String, nullable=False),
    Column("next_category", String, nullable=False),
    Column("share", Double, nullable=False),
)
recommendation_check = Table(
    "recommendation_check",
    results,
    # one row per figure of how recommendations would have done; keys as ``models.calc.affinity.check`` and
    # ``models.calc.next_category.check``
    Column("key", String, nullable=False),
    Column("value", Double),
)

_SHELF_TEXTS = ("product_id", "product", "category", "supplier_id", "supplier", "item_class", "reason")
_SHELF_NUMBERS = (
    "on_hand", "reserved", "on_order", "available", "unit_price", "unit_cost", "lead_time_days", "lead_time_sd",
    "review_days", "order_multiple", "minimum_quantity", "sold_year", "net_sales_year", "z", "daily_demand",
    "wished", "until_receipt", "expiring_units", "expired_units", "expected_demand", "safety_stock", "reorder_point",
    "order_up_to", "sellable", "suggested_quantity", "order_value", "stockout_probability", "expected_lost",
    "money_at_risk", "days_of_cover", "surplus", "overstock_units", "overstock_value", "sold", "offered",
    "average_value", "cost_year", "margin_year", "stock_value", "empty_days", "lost_units", "lost_sales",
    "month_mean", "month_variance", "quarter_mean",
)  # fmt: skip
stock_shelf = Table(
    "stock_shelf",
    results,
    # one row per store and product with a position; columns as ``models.reports.shelves``
    Column("store_id", String, nullable=False),
    *(Column(name, String) for name in _SHELF_TEXTS),
    Column("next_promised_on", Date),
    *(Column(name, Double) for name in _SHELF_NUMBERS),
)
stock_lot_left = Table(
    "stock_lot_left",
    results,
    # one row per lot that has expired or will soon, with the units that will not be sold in time
    Column("store_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("product", String),
    Column("lot_id", String, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("days_left", Integer, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unsold_units", Double, nullable=False),
    Column("unsold_value", Double),
)
stock_transfer = Table(
    "stock_transfer",
    results,
    # one row per transfer of the best plan of the chain: the receiving store's, which is told who gives
    Column("store_id", String, nullable=False),
    Column("from_store", String, nullable=False),
    Column("from_name", String, nullable=False),
    Column("to_store", String, nullable=False),
    Column("to_name", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("product", String),
    Column("quantity", Integer, nullable=False),
    Column("near_expiry", Integer, nullable=False),
    Column("gain", Double, nullable=False),
    Column("lane_cost", Double, nullable=False),
    Column("saving", Double, nullable=False),
)
stock_class = Table(
    "stock_class",
    results,
    # one row per class of shelves of the chain: how its safety was calibrated
    Column("item_class", String, nullable=False),
    Column("items", Integer, nullable=False),
    Column("z", Double, nullable=False),
    Column("plain_z", Double, nullable=False),
    Column("attained", Double),
    Column("measure", String, nullable=False),
)

demand_forecast = _by_place(
    "demand_forecast",
    # one row per place, category (null: all of them; '': products without one) and day ahead: units that will be sold
    Column("category", String),
    Column("ds", Date, nullable=False),
    *(Column(name, Double, nullable=False) for name in ("mean", "lo80", "hi80", "lo95", "hi95")),
    Column("model", String, nullable=False),
)
demand_component = _by_place(
    "demand_component",
    # one row per place and day of the last year and ahead: the units expected, and what multiplies their trend
    Column("ds", Date, nullable=False),
    *(Column(name, Double, nullable=False) for name in ("expected", "trend", "week", "season", "event", "known")),
)
demand_product = Table(
    "demand_product",
    results,
    # one row per store, product and week ahead (ds: its first day): units; they add up to those of the store's category
    Column("store_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("category", String, nullable=False),  # '': none
    Column("ds", Date, nullable=False),
    *(Column(name, Double, nullable=False) for name in ("mean", "lo80", "hi80")),
)
demand_accuracy = Table(
    "demand_accuracy",
    results,
    # one row per class of series, level and method, over all stores; columns as ``models.forecasting.engine.LEAGUE``
    Column("class", String, nullable=False),  # regular | short | intermittent
    Column("level", String, nullable=False),  # chain | region | store | category | product
    Column("model", String, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("series", Integer, nullable=False),
    *(Column(name, Double) for name in ("wape", "rmsse", "bias", "coverage80", "coverage95")),
)

# What ``models.reports.run_out`` needs as of the last day of the facts, once per place.
run_out_due = _of_report(
    "run_out_due",
    # one row per customer and need that will be used up in the 30 days after the last day of the facts
    Column("customer_no", BigInteger, nullable=False),
    Column("need", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("category", String),
    Column("last_day", DateTime, nullable=False),
    Column("units", Double, nullable=False),
    Column("amount", Double, nullable=False),
    Column("expected_on", DateTime, nullable=False),
    Column("from_on", DateTime, nullable=False),
    Column("until_on", DateTime, nullable=False),
    Column("basis", String, nullable=False),
    Column("store_id", String, nullable=False),
)
run_out_held = _of_report(
    "run_out_held",
    # one row per basis of an expectation
    Column("basis", String, nullable=False),
    Column("judged", Integer, nullable=False),
    Column("hits", Integer, nullable=False),
)
run_out_usual = _of_report(
    "run_out_usual",
    # one row per need
    Column("need", String, nullable=False),
    Column("median_gap", Double, nullable=False),  # days
    Column("by_usage", Boolean, nullable=False),
)
run_out_pace = _of_report(
    "run_out_pace",
    # one row per number of gaps known of a customer: logarithms of gap to expectation
    Column("low", Double, nullable=False),
    Column("middle", Double, nullable=False),
    Column("high", Double, nullable=False),
)
run_out_figure = _of_report("run_out_figure", Column("key", String, nullable=False), Column("value", Double))

# What ``models.reports.lapse.LapseReport`` holds as of the last day of the facts.
lapse_rate = _of_report(
    "lapse_rate",
    Column("month", String, nullable=False),
    Column("active", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    *(Column(name, Double) for name in ("churn_rate", "lo95", "hi95")),
)
lapse_place = _of_report(
    "lapse_place",
    Column("of_level", String, nullable=False),  # region | store, within the place
    Column("of_place_id", String, nullable=False),
    Column("place", String),
    Column("active", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    *(Column(name, Double) for name in ("churn_rate", "lo95", "hi95")),
    Column("verdict", String, nullable=False),
)
lapse_state = _of_report(
    "lapse_state",
    Column("state", String, nullable=False),
    Column("customers", Integer, nullable=False),
    *(Column(name, Double) for name in ("share", "net_sales")),
)
lapse_rule = _of_report("lapse_rule", Column("key", String, nullable=False), Column("value", Double))
lapse_check = _of_report(
    "lapse_check",
    Column("method", String, nullable=False),
    *(Column(name, Double) for name in ("auc", "lo95", "hi95")),
    Column("customers", Integer, nullable=False),
)
lapse_calibration = _of_report(
    "lapse_calibration",
    Column("method", String, nullable=False),
    Column("bin", Integer, nullable=False),
    Column("customers", Integer, nullable=False),
    *(Column(name, Double) for name in ("predicted", "actual", "lo95", "hi95")),
)
lapse_return = _of_report(
    "lapse_return",
    Column("own_gaps", Double, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("returned", Integer, nullable=False),
    *(Column(name, Double) for name in ("rate", "lo95", "hi95")),
)
lapse_at_risk = _of_report(
    "lapse_at_risk",
    Column("customer_key", String, nullable=False),
    Column("store_id", String),
    Column("store", String),
    Column("state", String, nullable=False),
    Column("visits", Integer, nullable=False),
    Column("usual_gap", Double, nullable=False),
    Column("days_since", Integer, nullable=False),
    *(Column(name, Double) for name in ("own_gaps", "probability_gone", "probability_active")),
    *(Column(name, Double) for name in ("net_sales", "value_at_risk")),
    Column("few_visits", Boolean, nullable=False),
)

# What courses did and how new people come up, over the whole chain: nothing of a store (``_bounds.OPEN``).
training_effect = Table(
    "training_effect",
    results,
    # one row per course; columns as ``models.calc.training.CourseEffect``
    Column("course_id", String, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("people", "colleagues", "stores")),
    *(Column(name, Double) for name in ("effect", "lo95", "hi95", "p_value", "drift", "drift_p")),
    Column("bootstrap", Boolean, nullable=False),
    Column("verdict", String, nullable=False),
)
training_path = Table(
    "training_path",
    results,
    # one row per course with enough people and month from the training (-6 to 6 without 0)
    Column("course_id", String, nullable=False),
    Column("month", Integer, nullable=False),
    *(Column(name, Double) for name in ("effect", "lo95", "hi95")),
)
# What each person sold in the days that people mostly ask for, judged among all of the chain.
staff_result = Table(
    "staff_result",
    results,
    # one row per period (its days), store and person; columns as ``models.reports.staff.StaffReport.staff``
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("store_id", String, nullable=False),
    Column("staff_id", String, nullable=False),
    Column("role", String),
    Column("hired_on", Date),
    Column("standing", String, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("shifts", "orders")),
    *(Column(name, Double, nullable=False) for name in ("hours", "gross_sales", "units", "net_sales")),
    *(
        Column(name, Double)
        for name in (
            *("raw_per_hour", "adjusted", "lo95", "hi95", "reliability", "average_ticket", "units_per_transaction"),
            *("identified_share", "return_rate", "csat", "answers", "tickets", "response_hours"),
            *("resolution_hours", "first_contact", "follow_ups_due", "follow_ups_done", "follow_up_rate"),
        )
    ),
)
staff_category = Table(
    "staff_category",
    results,
    # one row per period (its days), store, person and category of which the person sold something there
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("store_id", String, nullable=False),
    Column("staff_id", String, nullable=False),
    Column("category", String),
    Column("gross_sales", Double, nullable=False),
)
staff_month = Table(
    "staff_month",
    results,
    # one row per store, person and month (its first day) in which goods of the person's receipts came back there
    Column("store_id", String, nullable=False),
    Column("staff_id", String, nullable=False),
    Column("month", Date, nullable=False),
    Column("returns", Double, nullable=False),
)
staff_spread = Table(
    "staff_spread",
    results,
    # one row per period of which ``staff_result`` has the people: nothing of a store
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("spread", Double),  # how far people of the chain truly differ: one standard deviation of the logarithm
)
staff_quantile = Table(
    "staff_quantile",
    results,
    # one row per figure of people and tenth of the people of the chain: nine values, none where fewer than
    # ``models.reports.staff.LEAST_PEERS`` have the figure
    Column("figure", String, nullable=False),
    Column("tenth", Integer, nullable=False),  # 1 to 9: so many tenths of the people have at most value
    Column("value", Double, nullable=False),
    Column("people", Integer, nullable=False),
)
newcomer_ramp = Table(
    "newcomer_ramp",
    results,
    # one row per month since being hired, as ``models.calc.ramp``
    Column("month", Integer, nullable=False),
    Column("people", Integer, nullable=False),
    *(Column(name, Double) for name in ("ratio", "lo95", "hi95")),
)

# Stores beside each other (job ``stores``): of the last 13 weeks of the facts, and of their latest days.
store_peer = Table(
    "store_peer",
    results,
    # one row per store and store that is most like it, nearest first; columns as ``models.calc.peers.nearest``
    Column("store_id", String, nullable=False),
    Column("peer_store_id", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("distance", Double, nullable=False),
)
store_benchmark = Table(
    "store_benchmark",
    results,
    # one row per store and figure; columns as ``models.calc.peers.benchmark``
    Column("store_id", String, nullable=False),
    Column("metric", String, nullable=False),
    Column("value", Double),
    Column("peers", Integer, nullable=False),
    *(Column(name, Double) for name in ("q10", "q25", "median", "q75", "q90", "below")),
)
store_figure = Table(
    "store_figure",
    results,
    # one row per period that people mostly ask for (its days) and store with a figure in it; columns as
    # ``models.reports.stores.KEPT``
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("store_id", String, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("orders", "identified_orders", "counted_day_orders")),
    Column("net_sales", Double, nullable=False),
    *(
        Column(name, Double)
        for name in (
            *("last_year", "growth", "comparable_days", "traffic", "conversion", "average_ticket", "margin_rate"),
            *("units_per_transaction", "identified_share", "return_rate", "sales_per_hour", "sales_per_m2"),
            *("in_stock_share", "csat", "answers"),
        )
    ),
)
store_figure.info[JOB] = "teams"
store_gap = Table(
    "store_gap",
    results,
    # one row per store and lever; columns as ``models.calc.peers.gaps``
    Column("store_id", String, nullable=False),
    Column("lever", String, nullable=False),
    *(Column(name, Double, nullable=False) for name in ("own", "best", "gain")),
)


def _of_series(name: str, *columns: Column[Any]) -> Table:
    """Rows of a figure of a store on a day, or in the week that ends on it, beside what was to be expected."""
    return Table(
        name,
        results,
        Column("store_id", String, nullable=False),
        Column("metric", String, nullable=False),
        Column("grain", String, nullable=False),  # day | week
        Column("day", Date, nullable=False),
        Column("value", Double),  # null: nothing was counted
        *(Column(name, Double) for name in ("expected", "lo", "hi")),
        *columns,
    )


store_band = _of_series("store_band")
store_alert = _of_series(
    "store_alert",
    Column("chance", Double, nullable=False),  # of a value so far out on an ordinary day, two-sided
    Column(
        "kind", String, nullable=False
    ),  # alert: counted with the others of its day | odd: outside its own band only
)
store_watch = Table(
    "store_watch",
    results,
    # one row per grain: what was looked at, and how often an ordinary day looks odd
    Column("grain", String, nullable=False),
    Column("series", Integer, nullable=False),
    Column("looked_at", Integer, nullable=False),  # values of series in the days kept
    Column("outside", Integer, nullable=False),  # of them, those outside their band
    Column("found", Integer, nullable=False),  # of them, alerts
    Column("expected_a_week", Double, nullable=False),  # values outside their band in a week in which all is as usual
)
