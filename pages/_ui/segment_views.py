"""Who the customers are, in four ways: each draws its charts and gives what a click narrows the list to."""

from typing import cast

import streamlit as st

from data_access.marts.segment_rules import PRESETS, PRIOR_GAPS, QUADRANTS, RULES_CHANGED_ON, STAGES, Preset
from models.reports.segments import SegmentsReport
from pages._ui import charts, grids, head, members
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.i18n import t
from pages._ui.members import Pick
from pages._ui.tables import column, in_words, listing

ABC_A = ("80", "60", "70", "75", "85", "90")
ABC_B = ("95", "92", "97", "99")
BY = ("rfm", "lifecycle", "abc", "quadrants")


def who(report: SegmentsReport, currency: str) -> Pick | None:
    """The customers by one of the rules."""
    return {"rfm": rfm, "lifecycle": lifecycle, "abc": abc, "quadrants": quadrants}[
        choice("by", BY, words="segments.by", width=240)
    ](report, currency)


def rfm(report: SegmentsReport, currency: str) -> Pick | None:
    """Recency against frequency with spend, the named segments, and the rule behind both."""
    grid, ranking = st.columns([3, 2])
    with grid.container(border=True, height="stretch"):
        head.block(t("segments.grid"), t("segments.click"))
        scores = report.rfm[report.rfm["tie_rule"] == report.tie_rule]
        cell = charts.kept(grids.rfm(scores, report.named_rule, currency), alt=t("segments.grid"), key="segments_grid")
        st.caption(t("segments.grid_note"))
    with ranking.container(border=True, height="stretch"):
        head.block(t("segments.named"), t("segments.click"))
        named = report.named.assign(name=in_words(report.named["segment"], "segment"))
        bars = charts.ranked_bars(
            named, label="name", value="customers", ids="segment", unit="count", currency=currency
        )
        segment = charts.kept(bars, alt=t("segments.named"), key="segments_named")
    picked = members.of_segment(segment) or members.of_cell(cell)
    with st.expander(t("segments.rule"), icon=":material/rule:"):
        st.markdown(t("segments.rule_text"))
        members.rule_table(report.named_rule)
        st.markdown(members.cuts_in_words(report.cuts, currency))
        _changed()
    return picked


def abc(report: SegmentsReport, currency: str) -> Pick | None:
    """Who brings most of net sales, up to shares that the reader may set."""
    curve, classes = st.columns([3, 2])
    with curve.container(border=True, height="stretch"):
        head.block(t("segments.pareto"))
        charts.show(grids.pareto(report.pareto, report.abc), alt=t("segments.pareto"), key="segments_pareto")
    with classes.container(border=True, height="stretch"):
        head.block(t("segments.abc"), t("segments.click"))
        named = report.abc.assign(name=in_words(report.abc["class"], "abc"))
        bars = charts.ranked_bars(named, label="name", value="net_sales", ids="class", unit="money", currency=currency)
        picked = members.of_class(charts.kept(bars, alt=t("segments.abc"), key="segments_abc"))
        a, b = (fmt.percent(share, 0) for share in (report.question.abc_a, report.question.abc_b))
        st.caption(t("segments.abc_note", a=a, b=b))
        with st.container(horizontal=True, gap="small"):
            choice("abc_a", ABC_A, words="segments.abc_a", width=150)
            choice("abc_b", ABC_B, words="segments.abc_b", width=150)
    return picked


def quadrants(report: SegmentsReport, currency: str) -> Pick | None:
    """Visits against spend, cut at the medians, with what each quadrant brings."""
    with st.container(border=True):
        head.block(t("segments.quadrants"), t("segments.click"))
        grid = grids.quadrants(report.quadrants, currency)
        picked = members.of_quadrant(charts.kept(grid, alt=t("segments.quadrants"), key="segments_quadrants"))
        st.caption(members.quadrant_cuts(report.cuts, currency))
        shown = [column("quadrant", words="quadrant"), *map(column, ("customers", "net_sales", "historic_margin"))]
        listing(report.quadrants, shown, currency=currency, alt=t("segments.quadrants"), key="segments_quadrant_table")
    return picked if picked is None or picked.choice is None or picked.choice.value in QUADRANTS else None


def lifecycle(report: SegmentsReport, currency: str) -> Pick | None:
    """From registered to loyal, or to lost, by each customer's own rhythm."""
    with st.container(border=True):
        head.block(t("segments.lifecycle"), t("segments.click"))
        preset = cast(Preset, choice("lifecycle", PRESETS, words="segments.preset"))
        stages = report.lifecycle[report.lifecycle["preset"] == preset]
        named = stages.assign(name=in_words(stages["stage"], "stage"))
        bars = charts.ranked_bars(named, label="name", value="customers", ids="stage", unit="count", currency=currency)
        stage = charts.kept(bars, alt=t("segments.lifecycle"), key=f"segments_{preset}")
    with st.expander(t("segments.stage_how"), icon=":material/rule:"):
        usual = fmt.decimal(report.cuts.set_index("measure")["value"]["usual_gap_days"], 0)
        st.markdown(t("segments.rhythm", days=usual, prior=PRIOR_GAPS))
        st.markdown(members.stage_rules(report.lifecycle_rule[report.lifecycle_rule["preset"] == preset]))
        if preset == "four_stage":
            st.caption(t("segments.rhythm_four"))
        if preset == "with_maintenance":
            st.caption(t("segments.rhythm_maintenance"))
        _changed()
    return members.of_stage(preset, stage if stage in STAGES[preset] else None)


def _changed() -> None:
    st.caption(t("segments.changed", day=fmt.day(RULES_CHANGED_ON)))
