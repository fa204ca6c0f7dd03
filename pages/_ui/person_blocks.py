"""Blocks of the customer page: what runs out, the axis of time, what is usual and liked, and everything as a list."""

import pandas as pd

from models.reports.customer import DIMENSIONS, CustomerReport
from pages._ui import advice, cards, charts, drill, empty, head, person, session
from pages._ui.choices import choice
from pages._ui.i18n import t
from pages._ui.tables import listing


def run_outs(report: CustomerReport, currency: str, today: pd.Timestamp) -> None:
    """What will be used up when."""
    head.block(t("advice.run_outs"), t("advice.run_outs_note"), t("run_out.list_help"))
    things = advice.run_outs(report, today)
    if things.empty:
        empty.nothing(t("advice.no_run_outs"))
    else:
        listing(
            things, advice.RUN_OUTS, currency=currency, alt=t("advice.run_outs"), key="customer_out", rows=8, half=True
        )


def axis_of_time(report: CustomerReport, currency: str, today: pd.Timestamp) -> None:
    """Everything that happened on one axis; a click on a purchase opens its receipt."""
    head.block(t("customer.timeline"), t("charts.click_order_mark") if session.may_open("order") else None)
    if report.timeline.empty:
        empty.nothing(t("customer.nothing_yet"))
        return
    figure = person.axis_of_time(report.timeline, currency, today)
    _open(report, charts.clicked(figure, alt=t("customer.timeline"), key="customer_axis"))


def habits(report: CustomerReport, currency: str) -> None:
    """How often, how much, how many, how cheap."""
    head.block(t("customer.habits"), t("customer.habits_note"))
    cards.plain_row(person.habits(report, currency))


def favourites(report: CustomerReport, currency: str) -> None:
    """What is bought most, by what the reader asks for."""
    head.block(t("customer.favourites"), t("customer.favourites_note"))
    # What the CRM says nothing of comes last, so that the first view is one with something in it.
    known = set(report.favourites["dimension"])
    dimensions = sorted(DIMENSIONS, key=lambda name: name not in known)
    liked = person.favourites(report, choice("by", dimensions, words="customer.by", width=190))
    if liked.empty:
        empty.nothing(t("customer.nothing_known"))
        return
    bars = charts.ranked_bars(liked, label="name", value="net_sales", ids="name", currency=currency)
    charts.show(bars, alt=t("customer.favourites"), key="customer_favourites")


def events(report: CustomerReport, rows: pd.DataFrame, currency: str) -> None:
    """Everything that happened as a list; a click on a purchase opens its receipt."""
    may_open = session.may_open("order")
    head.block(t("customer.events"), t("charts.click_order") if may_open else None)
    opens = "order_id" if may_open else None
    alt, key = t("customer.events"), "customer_events"
    _open(report, listing(rows, person.EVENTS, currency=currency, alt=alt, key=key, opens=opens, rows=12))


def _open(report: CustomerReport, order: str | None) -> None:
    if session.may_open("order") and person.is_order(report.timeline, order):
        drill.open_page("order", order=order, store=drill.asked("store"))
