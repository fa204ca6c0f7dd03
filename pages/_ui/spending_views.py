"""The parts of the page on spending power: bands, who moved between them, advisers and whom nobody looks after."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.reports.spending import BANDS, MOST_MEMBERS, SpendingReport
from pages._ui import bands, cards, charts, customer_lists, empty, grids, head
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, column, listing

_TOLD_FROM = 10  # customers: a share of fewer says nothing
_WORDS = {"band": "price_band", "ready_band": "price_band", "has_left": "adviser_state"}


def figures(report: SpendingReport) -> None:
    """How many customers traded up, down or neither, with the ranges."""
    if not report.bands["customers"].sum():
        return
    rows = bands.ranges(report.direction)
    items = [
        (
            t(f"spending.{row['direction']}"),
            fmt.percent(row["share"]),
            t("spending.direction_help", n=fmt.count(row["customers"]), likely=row["likely"] or fmt.MISSING),
        )
        for _, row in rows.iterrows()
    ]
    cards.plain_row(items)
    st.caption(t("spending.chance"))


def power(report: SpendingReport, currency: str) -> None:
    """The bands customers buy in, and how much of it at a discount."""
    head.block(t("spending.bands"), note_help=t("spending.bands_help"))
    if not report.bands["customers"].sum():
        empty.nothing(t("spending.none_do"))
        return
    rows = bands.ranges(report.bands)
    names = ("customers", "share", "discounted_share", "likely")
    shown = [column("band", words="price_band"), *(column(name) for name in names)]
    listing(rows, shown, currency=currency, alt=t("spending.bands"), key="spending_bands", half=True)


def migration(report: SpendingReport) -> None:
    """From the band of the year before to that of this year."""
    head.block(t("spending.migration"), t("spending.migration_note"), t("spending.migration_help"))
    if not report.migration["pairs"].sum():
        empty.nothing(t("spending.migration_none"))
        return
    charts.show(_matrix(report.migration), alt=t("spending.migration"), key="spending_migration")


def _matrix(rows: pd.DataFrame) -> go.Figure:
    # The report gives every pair of bands, row by row.
    shares = rows["share"].to_numpy("float64").reshape(len(BANDS), len(BANDS))
    counts = rows["pairs"].map(fmt.count).to_numpy().reshape(len(BANDS), len(BANDS))
    names = [t(f"price_band.{name}") for name in BANDS]
    hints = [
        [
            t("spending.cell", before=names[y], now=names[x], n=counts[y, x], share=fmt.percent(shares[y, x]))
            for x in range(len(BANDS))
        ]
        for y in range(len(BANDS))
    ]
    return grids.heat_map(
        shares,
        rows=[t("spending.was", band=name) for name in names],
        columns=names,
        texts=[[fmt.percent(value, 0) for value in row] for row in shares],
        hints=hints,
        row_height=64,
        column_name=t("spending.now"),
    )


def by_category(report: SpendingReport, currency: str) -> None:
    """Category by category: who buys a band higher or lower than the year before."""
    head.block(t("spending.by_category"), note_help=t("spending.by_category_help"))
    if report.by_category.empty:
        empty.nothing(t("spending.none_do"))
        return
    rows = localized(report.by_category.astype({"category": object}), {"category": "product.category"})
    shown = rows.assign(
        **{
            f"went_{way}": _shares(rows[f"{way}_share"], rows[f"{way}_lo95"], rows[f"{way}_hi95"]).where(
                rows["customers"] >= _TOLD_FROM, t("spending.too_few")
            )
            for way in ("up", "down")
        }
    )
    columns = [column(name) for name in ("category", "went_up", "went_down", "customers")]
    listing(shown, columns, currency=currency, alt=t("spending.by_category"), key="spending_category", rows=10)


def _shares(values: pd.Series, lows: pd.Series, highs: pd.Series) -> pd.Series:
    texts = [
        t("retention.rate_of", rate=fmt.percent(value), **bands.bounds(low, high))
        for value, low, high in zip(values, lows, highs, strict=True)
    ]
    return pd.Series(texts, index=values.index, dtype=object)


def has_advisers(report: SpendingReport) -> bool:
    """Whether the CRM says of anybody who looks after them."""
    return bool((report.advisers["staff_id"] != "").any())


def advisers(report: SpendingReport, currency: str) -> None:
    """How many customers each adviser looks after."""
    head.block(t("spending.advisers"), note_help=t("spending.advisers_help"))
    if not has_advisers(report):
        empty.nothing(t("spending.advisers_none"))
        return
    rows = localized(report.advisers, {"store": "store.name"})
    rows = rows.assign(staff_id=rows["staff_id"].where(rows["staff_id"] != "", t("spending.nobody")))
    rows = rows.assign(has_left=rows["has_left"].map({True: "left", False: None}))
    names = ("staff_id", "store", "customers", "customers_to_mean", "buyers", "net_sales", "has_left")
    shown = [_column(name) for name in names if name != "store" or rows["store"].nunique() > 1]
    listing(rows, shown, currency=currency, alt=t("spending.advisers"), key="spending_advisers", rows=12)


def people(rows: pd.DataFrame, names: Sequence[str], list_key: str, key: str, generation: str, currency: str) -> None:
    """A list of customers to act on, page by page."""
    texts = {"store": "store.name", "category": "product.category", "ready_category": "product.category"}
    worded = rows.assign(has_left=rows["has_left"].map({True: "left", False: "none"})) if "has_left" in rows else rows
    customer_lists.listing(
        localized(worded, {name: field for name, field in texts.items() if name in rows}),
        [_column(name) for name in names],
        list_key,
        key=key,
        generation=generation,
        currency=currency,
        most=MOST_MEMBERS,
    )


def _column(name: str) -> Column:
    return column(name, words=_WORDS.get(name, ""))
