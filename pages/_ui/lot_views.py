"""The parts of the page of a lot: which one, its figures, its buyers and its stores."""

import pandas as pd
import streamlit as st

from models.reports.lot import LotReport
from pages._ui import drill, empty, head
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, column, listing

PEOPLE = (
    column("customer_key"),
    Column("reach", "text"),
    column("units"),
    column("last_day"),
    column("receipts"),
    Column("store", "text"),
)
_STORES = (Column("store", "text"), column("on_shelf"), column("units"), column("nameless"))
_FIGURES = ("buyers", "reachable", "units", "nameless", "on_shelf")


def choice(report: LotReport, product_id: str) -> None:
    """Which lot of the product: the one of the URL, or another."""
    known = report.lots["lot_id"].tolist()
    offered = known if report.lot_id in known else [report.lot_id, *known]
    chosen = st.selectbox(t("column.lot_id"), offered, index=offered.index(report.lot_id), key="lot_choice", width=300)
    if chosen != report.lot_id:
        drill.open_page("lot", product=product_id, lot=str(chosen))


def figures(report: LotReport) -> list[tuple[str, str, str | None]]:
    row = report.figures.iloc[0]
    return [(t(f"lot.{name}"), fmt.count(row[name]), t(f"lot.{name}.help")) for name in _FIGURES]


def people(report: LotReport) -> pd.DataFrame:
    """The buyers with the channels of each in words."""
    rows = localized(report.people, {"store": "store.name"})
    return rows.assign(reach=[_reach(reach) for reach in rows["reach"]])


def _reach(channels: str) -> str:
    if not channels:
        return t("lot.reach.none")
    return " · ".join(t(f"lot.reach.{name}") for name in channels.split("+"))


def stores(report: LotReport) -> None:
    """Where units of it were sold and where some are left."""
    head.block(t("lot.stores"), t("lot.stores_note"))
    rows = localized(report.stores, {"store": "store.name"})
    if rows.empty:
        empty.nothing(t("lot.no_stores"))
        return
    listing(rows, _STORES, currency="", alt=t("lot.stores"), key="lot_stores", rows=8)
