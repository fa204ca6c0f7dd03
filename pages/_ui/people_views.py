"""The parts of the staff pages about service, praise, the chain's people, and what to talk about with one person."""

import pandas as pd
import streamlit as st

from models.metrics import METRICS
from models.reports.staff import StaffMemberReport
from models.reports.training import TrainingReport
from pages._ui import empty, head, recognition_views
from pages._ui import format as fmt
from pages._ui.i18n import exists, localized, t
from pages._ui.literal import literal
from pages._ui.tables import Column, column, label, listing

_UNITS = {"raw_per_hour": "money", "first_contact": "percent", "follow_up_rate": "percent"}
_APART = 0.05  # of own sales, from which a category is worth a word


def service_figures(person: pd.Series) -> list[tuple[str, str, str | None]]:
    """How one person served customers in the period."""
    texts = {
        "tickets": fmt.count(person["tickets"]),
        "response_hours": fmt.decimal(person["response_hours"], 1),
        "resolution_hours": fmt.decimal(person["resolution_hours"], 1),
        "first_contact": fmt.percent(person["first_contact"]),
        "follow_up_rate": fmt.percent(person["follow_up_rate"]),
    }
    return [(label(name), text, t("people.service_help")) for name, text in texts.items()]


def among(report: StaffMemberReport) -> None:
    """Where the person stands among those of the chain, by tenths."""
    head.block(t("people.among"), t("people.among_note"), t("people.among_help"))
    if report.among.empty:
        empty.nothing(t("people.no_among"))
        return
    rows = report.among.assign(
        measure=[_name(figure) for figure in report.among["measure"]],
        value=[
            fmt.value(value, _unit(figure), report.currency)
            for figure, value in zip(report.among["measure"], report.among["value"], strict=True)
        ],
        standing_in_chain=[t("people.tenths", n=int(tenths)) for tenths in report.among["tenths"]],
    )
    shown = [column("measure"), Column("standing_in_chain", "text"), Column("value", "text"), Column("people", "count")]
    listing(rows, shown, currency=report.currency, alt=t("people.among"), key="staff_among", half=True)


def _unit(figure: str) -> str:
    return METRICS[figure].unit if figure in METRICS else _UNITS[figure]


def _name(figure: str) -> str:
    named = f"metric.{figure}"
    return t(named) if exists(named) else t(f"column.{figure}")


def talk(report: StaffMemberReport, training: TrainingReport) -> None:
    """What stands out about one person, as points for a conversation: what goes well first."""
    head.block(t("people.talk"))
    low = localized(training.needs, {"course_name": "course.name"})
    lines = [*_praised(report), *_mix(report), *needs(_of(report, low), report.currency)]
    lines += _certificates(report, training)
    person = report.person.iloc[0]
    if person["follow_ups_due"] > person["follow_ups_done"]:
        left = fmt.count(person["follow_ups_due"] - person["follow_ups_done"])
        lines.append(t("people.talk.follow_up", open=left, due=fmt.count(person["follow_ups_due"])))
    if not lines:
        empty.nothing(t("people.nothing_to_talk"))
        return
    st.markdown("\n".join(f"- {literal(line)}" for line in lines))


def _praised(report: StaffMemberReport) -> list[str]:
    recent = recognition_views.told(
        report.praise[report.praise["given_on"] >= pd.Timestamp(report.period.first)].head(1)
    )
    return [
        t("people.talk.praise", day=fmt.day(day), reason=reason or "")
        for day, reason in zip(recent["given_on"], recent["reason"], strict=True)
    ]


def _mix(report: StaffMemberReport) -> list[str]:
    """The category sold most beyond the team's share, and the one sold least."""
    mix = localized(report.strengths, {"category": "product.category"})
    mix = mix.assign(more=mix["share"] - mix["team_share"]).dropna(subset=["more", "category"]).sort_values("more")
    said = []
    for kind, rows in (("strength", mix[mix["more"] >= _APART].tail(1)), ("gap", mix[mix["more"] <= -_APART].head(1))):
        for category, share, team in zip(rows["category"], rows["share"], rows["team_share"], strict=True):
            texts = {"category": category, "share": fmt.percent(share, 0), "team": fmt.percent(team, 0)}
            said.append(t(f"people.talk.{kind}", **texts))
    return said


def needs(rows: pd.DataFrame, currency: str) -> list[str]:
    """Figures below the colleagues' mean, each with the course that addresses it."""
    return [
        t(
            "people.talk.need",
            figure=_name(figure),
            value=fmt.value(value, _unit(figure), currency),
            team=fmt.value(team, _unit(figure), currency),
            course=t("training.no_course") if fmt.is_missing(course) else course,
        )
        for figure, value, team, course in zip(
            rows["measure"], rows["value"], rows["team_value"], rows["course_name"], strict=True
        )
    ]


def _certificates(report: StaffMemberReport, training: TrainingReport) -> list[str]:
    records = localized(training.records, {"course_name": "course.name"})
    rows = _of(report, records[records["state"] != "valid"])
    return [
        t("people.talk.certificate", course=course, day=fmt.day(day))
        for course, day in zip(rows["course_name"], rows["expires_on"], strict=True)
    ]


def _of(report: StaffMemberReport, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["staff_id"] == report.person["staff_id"].iloc[0]]
