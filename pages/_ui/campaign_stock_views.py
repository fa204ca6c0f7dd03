"""The stock of a campaign as one block of its page: whether its shelves ran empty, and which will before it is over."""

import pandas as pd
import streamlit as st

from models.reports.campaign_stock import LEAST_CAMPAIGNS, CampaignStockReport
from pages._ui import drill, head, session
from pages._ui import format as fmt
from pages._ui.i18n import localized, t, tn
from pages._ui.tables import Column, column, listing

_NAMED = 3  # stores and products in a sentence
_LITTLE = 0.02  # of the shelf days empty: no reason for a result


def block(report: CampaignStockReport) -> None:
    """What stock did to a campaign or will do; nothing where no stock is counted or nothing is promoted."""
    if report.summary.empty:
        return
    known = {str(key): float(value) for key, value in zip(report.summary["key"], report.summary["value"], strict=True)}
    with st.container(border=True):
        head.block(t("campaign_stock.title"), t("campaign_stock.note"), t("campaign_stock.help"))
        if "shelf_days" in known:
            _was_empty(report, known)
        if "needed" in known:
            _will_do(report, known)


def _was_empty(report: CampaignStockReport, known: dict[str, float]) -> None:
    shelves = {"shelves": fmt.count(known["shelves"]), "days": fmt.count(known["days"])}
    if not known["empty_days"]:
        st.markdown(f":green[:material/check_circle:] {t('campaign_stock.never_empty', **shelves)}")
        return
    share = known["empty_days"] / known["shelf_days"]
    texts = shelves | {
        "empty": fmt.count(known["empty_days"]),
        "share": fmt.percent(share),
        "lost": fmt.money_compact(known["lost_sales"], report.currency),
        "low": fmt.money_compact(known["lost_sales_lo"], report.currency),
        "high": fmt.money_compact(known["lost_sales_hi"], report.currency),
        "units": fmt.count(round(known["lost_units"])),
    }
    key = "campaign_stock.hardly_empty" if share < _LITTLE else "campaign_stock.was_empty"
    icon = ":green[:material/check_circle:]" if share < _LITTLE else ":orange[:material/warning:]"
    st.markdown(f"{icon} {t(key, **texts)}")
    shown = [
        Column("product", "text"),
        Column("store", "text"),
        Column("empty_days", "count"),
        Column("days", "count"),
        Column("lost_units", "decimal"),
        Column("lost_range", "text"),
        column("lost_sales"),
    ]
    rows = report.empty_shelves.assign(lost_range=_ranges(report.empty_shelves, "lost_units"))
    _list(rows, shown, report.currency, "empty")


def _will_do(report: CampaignStockReport, known: dict[str, float]) -> None:
    rows = report.short_shelves
    many, needed = int((rows["short_units"] > 0).sum()), fmt.count(round(known["needed"]))
    if not many:
        st.markdown(f":green[:material/check_circle:] {t('campaign_stock.will_do', needed=needed)}")
    else:
        said = tn("campaign_stock.short", many, n=fmt.count(many), units=fmt.count(known["short_units"]), needed=needed)
        st.markdown(f":orange[:material/warning:] {said}")
        st.markdown(_where(rows))
    if len(rows) > many:
        more = len(rows) - many
        uplift = fmt.decimal(known["uplift_hi"])
        st.caption(tn("campaign_stock.may_run_short", more, n=fmt.count(more), uplift=uplift))
    if len(rows):
        shown = [
            Column("product", "text"),
            Column("store", "text"),
            Column("short_units", "count"),
            Column("short_range", "text"),
            Column("runs_out_on", "day"),
            Column("on_hand", "count"),
            Column("short_sales", "money"),
        ]
        _list(rows.assign(short_range=_ranges(rows, "short_units")), shown, report.currency, "short")
    if known["uplift_campaigns"] >= LEAST_CAMPAIGNS:
        campaigns = fmt.count(known["uplift_campaigns"])
        ends = {"low": fmt.decimal(known["uplift_lo"]), "high": fmt.decimal(known["uplift_hi"])}
        uplift = fmt.decimal(known["uplift"])
        st.caption(t("campaign_stock.uplift", uplift=uplift, campaigns=campaigns, **ends))
    else:
        st.caption(t("campaign_stock.no_uplift"))


def _where(rows: pd.DataFrame) -> str:
    """The stores and the products that miss most, in a sentence."""
    named = localized(rows[rows["short_units"] > 0], {"product": "product.name", "store": "store.name"})
    most = {
        f"{name}s": t("campaign_stock.between").join(
            t("campaign_stock.misses", name=one, units=fmt.count(units))
            for one, units in named.groupby(name)["short_units"].sum().nlargest(_NAMED).items()
        )
        for name in ("store", "product")
    }
    return t("campaign_stock.most", **most)


def _ranges(rows: pd.DataFrame, name: str) -> list[str]:
    """From where to where a number of units may lie."""
    ends = zip(rows[f"{name}_lo"], rows[f"{name}_hi"], strict=True)
    return [fmt.between(fmt.count(low), fmt.count(high)) for low, high in ends]


def _list(rows: pd.DataFrame, shown: list[Column], currency: str, name: str) -> None:
    """Shelves; a click opens the product in its store."""
    named = localized(rows, {"product": "product.name", "store": "store.name"}).assign(position=range(len(rows)))
    opens = "position" if session.may_open("product") else None
    row = listing(
        named, shown, currency=currency, alt=t(f"campaign_stock.{name}_list"), key=f"campaign_stock_{name}",
        opens=opens, rows=8,
    )  # fmt: skip
    if row is not None:
        chosen = rows.iloc[int(row)]
        drill.open_page("product", product=chosen["product_id"], store=chosen["store_id"])
