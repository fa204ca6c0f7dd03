"""The list of customers behind the segments: who is meant by a click, in rows and in words."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard

import pandas as pd
import streamlit as st

from data_access.marts.segment_rules import Preset
from data_access.queries.segments import Choice
from models.reports.segments import USUAL, Move, Part, Rule
from pages._ui import format as fmt
from pages._ui.i18n import exists, t, tn

_CELL = re.compile("[1-5]-[1-5]")


@dataclass(frozen=True, slots=True)
class Pick:
    """Part of the customers, and that part in words. ``move``: who moved; customers: how many, where that is known."""

    choice: Choice | None
    words: str
    move: Move | None = None
    customers: int | None = None
    is_usual: bool = False  # by the usual rule, whatever the reader has chosen

    def part(self, rule: Rule) -> Part:
        return Part(USUAL if self.is_usual else rule, self.choice, self.move, self.customers)


def of_segment(segment: str | None) -> Pick | None:
    return Pick(Choice("segment", segment), t(f"segment.{segment}")) if _is_word(segment, "segment") else None


def of_cell(cell: str | None) -> Pick | None:
    """The customers of one cell of the grid, ``"r-fm"``."""
    if not cell or not _CELL.fullmatch(cell):
        return None
    r, fm = cell.split("-")
    return Pick(Choice("cell", cell), f"R{r} · FM{fm}")


def of_class(name: str | None) -> Pick | None:
    return Pick(Choice("abc", name), t(f"abc.{name}")) if _is_word(name, "abc") else None


def of_quadrant(quadrant: str | None) -> Pick | None:
    return Pick(Choice("quadrant", quadrant), t(f"quadrant.{quadrant}")) if _is_word(quadrant, "quadrant") else None


def of_stage(preset: Preset, stage: str | None) -> Pick | None:
    return Pick(Choice(preset, stage), t(f"stage.{stage}")) if _is_word(stage, "stage") else None


def _is_word(value: str | None, prefix: str) -> TypeGuard[str]:
    """Whether a click told something there is; a browser can send anything, and that narrows nothing."""
    return bool(value) and str(value).isidentifier() and exists(f"{prefix}.{value}")


def with_scores(members: pd.DataFrame) -> pd.DataFrame:
    """The members with their three scores as one column ``rfm`` ("5-4-5"; missing without an order)."""
    scores = members[["r", "f", "m"]].astype("Int64").astype("string")
    return members.assign(rfm=(scores["r"] + "-" + scores["f"] + "-" + scores["m"]).astype(object))


def in_words(pick: Pick | None, people: int) -> str:
    """Which customers a list holds and how many."""
    many = tn("segments.people", people, n=fmt.count(people))
    return f"{pick.words} · {many}" if pick else f"{t('segments.everybody')} · {many}"


def sizes(named: pd.DataFrame, segments: Sequence[str]) -> list[tuple[str, str, str | None]]:
    """Cards for the sizes of ``segments``: name, customers, what the name means with its share."""
    counts = named.set_index("segment")["customers"]
    total = float(counts.sum())
    return [
        (
            t(f"segment.{segment}"),
            fmt.compact(counts.get(segment, 0)),
            t(
                "segments.size",
                meaning=t(f"segment.{segment}.help"),
                customers=fmt.count(counts.get(segment, 0)),
                share=fmt.percent(counts.get(segment, 0) / total if total else None),
            ),
        )
        for segment in segments
    ]


def rule_table(rule: pd.DataFrame) -> None:
    """The rule of the named segments as the grid that the reader sees above. ``rule``: r, fm, segment."""
    grid = rule.pivot(index="r", columns="fm", values="segment").sort_index(ascending=False)
    shown = grid.map(lambda segment: t(f"segment.{segment}"))
    shown.index, shown.columns = [f"R{r}" for r in shown.index], [f"FM{fm}" for fm in shown.columns]
    st.table(shown, border="horizontal")


def cuts_in_words(cuts: pd.DataFrame, currency: str) -> str:
    """The cut points of the scores in force. ``cuts``: measure, quantile, value, as in the segments report."""
    lines = []
    for measure in ("recency_days", "orders", "net_sales", "gross_sales"):
        values = cuts[(cuts["measure"] == measure) & (cuts["quantile"] != 0.5)]["value"]
        if len(values):
            counted = "count" if (values == values.round()).all() else "decimal"
            unit = {"recency_days": "days", "orders": counted}.get(measure, "money")
            texts = [fmt.value(value, unit, currency) for value in values]
            lines.append(t("segments.cut", measure=t(f"metric.{measure}"), values=" / ".join(texts)))
    return t("segments.cuts") + "\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def quadrant_cuts(cuts: pd.DataFrame, currency: str) -> str:
    """Where the quadrants are cut, in words."""
    middle = cuts[cuts["quantile"] == 0.5].set_index("measure")["value"]
    return t(
        "segments.quadrant_note",
        visits=fmt.decimal(middle.get("visits"), 0),
        spend=fmt.money(middle.get("net_sales"), currency),
    )


_BOUNDS: dict[str, Callable[[Any], str]] = {
    "min_visits": fmt.count,
    "max_visits": fmt.count,
    "began_within": partial(fmt.decimal, digits=1),
    "late_up_to": partial(fmt.decimal, digits=1),
    "late_over": partial(fmt.decimal, digits=1),
    "gaps_fall_by": partial(fmt.percent, digits=0),
    "amounts_rise_by": partial(fmt.percent, digits=0),
}


def stage_rules(rules: pd.DataFrame) -> str:
    """The rules of one preset, in the order they are tried, as one line each."""
    lines = []
    for rule in rules.sort_values("position").to_dict("records"):
        parts = []
        for bound, said in _BOUNDS.items():
            if not fmt.is_missing(rule[bound]):
                word = "no_visits" if (bound, rule[bound]) == ("max_visits", 0) else bound
                parts.append(t(f"segments.rule.{word}", n=said(rule[bound])))
        words = t("number.and").join(parts) or t("segments.rest")
        lines.append("- " + t("segments.stage_rule", stage=t(f"stage.{rule['stage']}"), rule=words))
    return "\n".join(lines)


def choices_in_words(chosen: Mapping[str, str]) -> list[tuple[str, str]]:
    """The reader's choices for the cover of an export."""
    return [(t(f"segments.{name}"), t(f"segments.{name}.{value}")) for name, value in chosen.items()]


def newest_whole_cohort(cohorts: pd.DataFrame) -> str:
    """The newest cohort with a year behind it, or the oldest there is."""
    reach = cohorts.groupby("cohort")["month_number"].max()
    seasoned = reach[reach >= 12]
    return str((seasoned if len(seasoned) else reach.iloc[:1]).index[-1])


def after_first_month(curve: pd.DataFrame) -> pd.DataFrame:
    """The average curve without month 0, in which everybody bought."""
    return curve[curve["month_number"] > 0]


def cohort_rows(cohorts: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """One cohort, month by month after the first order."""
    return cohorts[(cohorts["cohort"] == cohort) & (cohorts["month_number"] > 0)].reset_index(drop=True)
