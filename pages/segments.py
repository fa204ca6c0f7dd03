"""Segments: who the customers are, by recency, frequency and spend, down to the list to act on."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, charts, empty, export, grids, head, load, members
from pages._ui.choices import choice
from pages._ui.i18n import localized, t
from pages._ui.tables import column, in_words, listing, page_of, pager

VIEWS = ("rfm", "abc", "quadrants", "lifecycle")
WINDOWS = {"all": None, "12": 12, "24": 24}
CARDS = ("champions", "loyal", "new", "at_risk", "dormant", "prospect")


def settings() -> None:
    """The choices that decide the scores."""
    choice("window", tuple(WINDOWS), words="segments.window", width=150)
    choice("monetary", ("net_sales", "gross_sales"), words="segments.monetary", width=170)
    choice("ties", ("keep_ties", "equal_size"), words="segments.ties", width=210)


page = head.begin("segments", choices="places", beside=settings)
chosen = {name: st.session_state[f"choice_{name}"] for name in ("window", "monetary", "ties")}
report = load.segments(
    page.scope, page.period.last, page.generation, WINDOWS[chosen["window"]], chosen["monetary"], chosen["ties"]
)
if report.members.empty:
    empty.state(t("segments.nobody"), t("segments.nobody_do"), ":material/group_off:")
    st.stop()
cards.plain_row(members.sizes(report.named, CARDS))

picked: members.Pick | None = None
tabs = st.tabs([t(f"segments.view.{view}") for view in VIEWS], key="segments_view", on_change="rerun")
if tabs[0].open:
    with tabs[0]:
        grid, ranking = st.columns([3, 2])
        with grid.container(border=True, height="stretch"):
            head.block(t("segments.grid"), t("segments.click"))
            rfm = report.rfm[report.rfm["tie_rule"] == report.tie_rule]
            cell = charts.clicked(
                grids.rfm(rfm, report.named_rule, page.currency), alt=t("segments.grid"), key="segments_grid"
            )
            st.caption(t("segments.grid_note"))
        with ranking.container(border=True, height="stretch"):
            head.block(t("segments.named"), t("segments.click"))
            named = report.named.assign(name=in_words(report.named["segment"], "segment"))
            bars = charts.ranked_bars(
                named, label="name", value="customers", ids="segment", unit="count", currency=page.currency
            )
            segment = charts.clicked(bars, alt=t("segments.named"), key="segments_named")
        picked = members.of_segment(segment) or members.of_cell(cell)
        with st.expander(t("segments.rule"), icon=":material/rule:"):
            st.markdown(t("segments.rule_text"))
            members.rule_table(report.named_rule)
            st.markdown(members.cuts_in_words(report.cuts, page.currency))
if tabs[1].open:
    with tabs[1]:
        curve, classes = st.columns([3, 2])
        with curve.container(border=True, height="stretch"):
            head.block(t("segments.pareto"))
            charts.show(
                grids.pareto(report.members["net_sales"], report.abc), alt=t("segments.pareto"), key="segments_pareto"
            )
        with classes.container(border=True, height="stretch"):
            head.block(t("segments.abc"), t("segments.click"))
            named = report.abc.assign(name=in_words(report.abc["class"], "abc"))
            bars = charts.ranked_bars(
                named, label="name", value="net_sales", ids="class", unit="money", currency=page.currency
            )
            picked = members.of_class(charts.clicked(bars, alt=t("segments.abc"), key="segments_abc"))
            st.caption(t("segments.abc_note"))
if tabs[2].open:
    with tabs[2], st.container(border=True):
        head.block(t("segments.quadrants"), t("segments.click"))
        grid = grids.quadrants(report.quadrants, page.currency)
        picked = members.of_quadrant(charts.clicked(grid, alt=t("segments.quadrants"), key="segments_quadrants"))
        st.caption(members.quadrant_cuts(report.cuts, page.currency))
if tabs[3].open:
    with tabs[3], st.container(border=True):
        head.block(t("segments.lifecycle"), t("segments.click"))
        named = report.lifecycle.assign(name=in_words(report.lifecycle["stage"], "stage"))
        bars = charts.ranked_bars(
            named, label="name", value="customers", ids="stage", unit="count", currency=page.currency
        )
        picked = members.of_stage(charts.clicked(bars, alt=t("segments.lifecycle"), key="segments_lifecycle"))
        st.caption(members.stage_rules(report.lifecycle_rule))

people = localized(members.narrowed(report.members, picked), {"store": "store.name"})
with st.container(border=True):
    head.block(t("segments.members"), members.in_words(picked, len(people)))
    shown = [
        column("customer_key"),
        column("segment", words="segment"),
        column("net_sales"),
        column("recency_days"),
        column("orders"),
        column("visits"),
        column("rfm"),
        column("store"),
    ]
    rows = page_of(people, key="segments_page")
    listing(rows, shown, currency=page.currency, alt=t("segments.members"), key="segments_members")
    pager(people, key="segments_page")

export.menu("segments", page.cover(*members.choices_in_words(chosen)), tables(report), people)
