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

from sqlalchemy import Column, Date, DateTime, Double, Integer, MetaData, String, Table

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
    # one row per place and campaign with customers there; columns as ``models.reports.campaigns.CampaignsReport``
    Column("campaign_id", String, nullable=False),
    Column("redeeming_customers", Integer, nullable=False),
    Column("redemptions", Integer, nullable=False),
    Column("buyers", Integer, nullable=False),
    Column("new_buyers", Integer, nullable=False),
    Column("net_sales", Double),
    Column("margin", Double),
    Column("lift", Double),
    Column("lo95", Double),
    Column("hi95", Double),
    Column("incremental_margin", Double),
    Column("incremental_lo", Double),
    Column("incremental_hi", Double),
    Column("verdict", String),
)

# The next three say something of the range of the whole chain and nothing of a store (``_bounds.OPEN``).
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
recommendation_check = Table(
    "recommendation_check",
    results,
    # one row per figure of how recommendations would have done; keys as ``models.calc.affinity.check``
    Column("key", String, nullable=False),
    Column("value", Double),
)
