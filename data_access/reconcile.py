"""The books of a refresh: what the CRM holds = what the facts show + what was refused, to the cent."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from data_access.errors import Problem
from data_access.marts._sql import scalar
from data_access.staging import SOURCES

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Figure:
    """One money figure, summed by the CRM itself, by the facts, and over the refused rows."""

    name: str  # sale_line.net | return_line.refund
    crm: Decimal
    snapshot: Decimal
    quarantined: Decimal

    @property
    def difference(self) -> Decimal:
        return self.crm - self.snapshot - self.quarantined

    def sentence(self, currency: str) -> str:
        return (
            f"{self.name}: CRM {self.crm:,.2f} = facts {self.snapshot:,.2f} + quarantined {self.quarantined:,.2f} "
            f"+ difference {self.difference:,.2f} {currency}"
        )


def reconcile(work: duckdb.DuckDBPyConnection, totals: Mapping[str, Decimal], everything: str) -> tuple[Figure, ...]:
    """Compares every money column with the CRM's own total, and writes ``facts.reconciliation``.

    ``everything`` is the schema or database of all staged rows.

    Problem when rows or a cent are lost. Only amounts that are no numbers may differ: what a database makes of
    them in a sum is its own business.
    """
    figures = []
    for source in SOURCES:
        if source.money is None:
            continue
        staged = scalar(work, f"SELECT count(*) FROM {everything}.{source.table}")
        kept = scalar(work, f"SELECT count(*) FROM facts.{source.table}")
        refused = scalar(work, f"SELECT count(*) FROM facts.quarantine WHERE table_name = '{source.table}'")
        if staged != kept + refused:
            raise Problem(
                f"the refresh lost rows of {source.table}: {staged:,} read, {kept:,} kept, {refused:,} quarantined; "
                "nothing was published, please report this"
            )
        figure = Figure(
            f"{source.table}.{source.money}",
            totals[source.table],
            scalar(work, f"SELECT coalesce(sum({source.money}), 0) FROM facts.{source.table}"),
            scalar(work, f"SELECT coalesce(sum(amount), 0) FROM facts.quarantine WHERE table_name = '{source.table}'"),
        )
        no_numbers = scalar(
            work,
            f"SELECT count(*) FROM {everything}.{source.table} "
            f"WHERE list_contains(string_split(unreadable, ','), '{source.money}')",
        )
        if abs(figure.difference) >= _CENT and not no_numbers:
            raise Problem(f"{figure.name} does not reconcile: {figure.sentence('')}; nothing was published")
        figures.append(figure)
    work.execute("DELETE FROM facts.reconciliation")
    work.executemany(
        "INSERT INTO facts.reconciliation BY NAME SELECT ? AS figure, ? AS crm, ? AS snapshot, ? AS quarantined, "
        "? AS difference",
        [(f.name, f.crm, f.snapshot, f.quarantined, f.difference) for f in figures],
    )
    return tuple(figures)


_IDENTITIES = {
    "receipts and their lines": (
        "SELECT sum(gross_sales) FROM facts.sale_order",
        "SELECT sum(net) FROM facts.sale_line",
    ),
    "stores by day and receipts": (
        "SELECT sum(gross_sales) FROM facts.store_day",
        "SELECT sum(gross_sales) FROM facts.sale_order WHERE exclusion IS NULL",
    ),
    "products by day and stores by day": (
        "SELECT sum(net_sales) FROM facts.product_store_day",
        "SELECT sum(net_sales) FROM facts.store_day",
    ),
    "customers by day and identified receipts": (
        "SELECT sum(gross_sales) FROM facts.customer_store_day",
        "SELECT sum(gross_sales) FROM facts.sale_order WHERE exclusion IS NULL AND customer_no IS NOT NULL",
    ),
}


def expect_identities(work: duckdb.DuckDBPyConnection) -> None:
    """Problem when two ways to the same money differ within the facts."""
    for what, (one, other) in _IDENTITIES.items():
        left, right = (scalar(work, f"SELECT coalesce(({query}), 0)") for query in (one, other))
        if left != right:
            raise Problem(f"{what} differ: {left:,.2f} and {right:,.2f}; nothing was published, please report this")
