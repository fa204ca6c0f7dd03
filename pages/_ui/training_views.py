"""The parts of the training page: what courses did, who needs which, how new people come up, where who holds what."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from models.metrics import METRICS
from models.reports.training import TrainingReport
from pages._ui import charts, grids, palette
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import t
from pages._ui.tables import Column, badge, column

_TONES = {"worked": "green", "no_evidence": "gray", "hurt": "red", "drifted": "orange", "too_few": "gray"}
_COLOURS = {"worked": palette.OWN, "no_evidence": palette.QUIET, "hurt": palette.SECOND, "drifted": palette.QUIET}
STATES = {"expired": "red", "expiring": "orange", "valid": "green"}
_MOST_STORES = 12  # drawn beside one another; of more the chart shows the courses alone


def figures(report: TrainingReport) -> list[tuple[str, str, str | None]]:
    """Courses, people, how much of the courses is held, what ends, who needs one."""
    known = report.summary.set_index("key")["value"]
    return [
        (t("training.courses"), fmt.count(known["courses"]), None),
        (t("training.people"), fmt.count(known["people"]), t("training.people.help")),
        (t("training.current"), fmt.percent(known["current"]), t("training.current.help")),
        (t("training.due"), fmt.count(known["due"]), t("training.due.help")),
        (t("training.needs"), fmt.count(known["needs"]), t("training.needs_help")),
    ]


def told(effects: pd.DataFrame) -> pd.DataFrame:
    """The courses that enough people took."""
    return effects[effects["verdict"] != "too_few"]


def effects(frame: pd.DataFrame) -> go.Figure:
    """A dot with its 95 % range per course, the largest effect on top."""
    drawn = told(frame).sort_values("effect").reset_index(drop=True)
    figure = go.Figure(layout=charts.layout(height=charts.height_beside(len(drawn))))
    for verdict, some in drawn.groupby("verdict"):
        texts = [
            t("training.hover", course=name, effect=fmt.change(value), range=_range(low, high))
            for name, value, low, high in zip(
                some["course_name"], some["effect"], some["lo95"], some["hi95"], strict=True
            )
        ]
        colour = _COLOURS[str(verdict)]
        figure.add_trace(
            go.Scatter(
                x=some["effect"],
                y=some.index,
                mode="markers",
                marker={"color": colour, "size": 10},
                error_x=charts.whiskers(some["effect"], some["lo95"], some["hi95"], colour),
                text=texts,
                hovertemplate="%{text}<extra></extra>",
                name=t(f"training.verdict.{verdict}"),
            )
        )
    figure.update_yaxes(
        tickvals=list(drawn.index), ticktext=_wrapped(drawn["course_name"]), range=[-0.6, len(drawn) - 0.4],
        showgrid=False, zeroline=False, automargin=True, tickfont=charts.NAMES,
    )  # fmt: skip
    ticks, texts = fmt.percent_ticks(float(drawn["hi95"].max()), float(drawn["lo95"].min()))
    figure.update_xaxes(
        tickvals=ticks, ticktext=texts, title={"text": t("training.axis"), "standoff": 16}, gridcolor=palette.RULE
    )
    figure.add_vline(x=0, line={"color": palette.SOFT_TEXT, "width": 1, "dash": "dot"})
    charts.legend_above(figure)
    return figure


def _wrapped(names: pd.Series) -> list[str]:
    most = 16 if narrow() else 40
    return [name if len(name) <= most else name[: most - 1] + "…" for name in names.astype(str)]


def _range(low: float, high: float) -> str:
    return t("training.range", low=fmt.change(low), high=fmt.change(high))


def effect_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Courses as the list shows them, the largest effect first: ranges in words."""
    ordered = frame.sort_values("effect", ascending=False, na_position="last")
    texts = [
        "" if fmt.is_missing(low) else _range(low, high)
        for low, high in zip(ordered["lo95"], ordered["hi95"], strict=True)
    ]
    return ordered.assign(between=texts)


def effect_columns() -> list[Column]:
    """What the list of courses shows."""
    return [
        column("course_name"),
        badge("verdict", "training.verdict", _TONES),
        column("effect"),
        Column("between", "text"),
        Column("people", "count"),
        Column("colleagues", "count"),
        Column("stores", "count"),
        Column("drift", "percent"),
    ]


def need_rows(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Needs as the list shows them: a figure and the colleagues' in words."""
    units = {name: METRICS[name].unit for name in frame["measure"].unique()}
    said = {
        name: [fmt.value(value, units[key], currency) for key, value in zip(frame["measure"], frame[name], strict=True)]
        for name in ("value", "team_value")
    }
    names = frame["measure"].map({name: t(f"metric.{name}") for name in units})
    courses = frame["course_name"].astype(object).where(frame["course_name"].notna(), t("training.no_course"))
    return frame.assign(**said, measure=names, course_name=courses)


def need_columns() -> list[Column]:
    """What the list of needs shows."""
    return [
        column("staff_id"),
        column("measure"),
        column("course_name"),
        Column("value", "text"),
        Column("team_value", "text"),
        Column("completed_on", "day"),
        column("store"),
    ]


def record_columns() -> list[Column]:
    """What the list of certificates shows."""
    return [
        column("staff_id"),
        column("course_name"),
        column("expires_on"),
        badge("state", "certificate", STATES),
        Column("completed_on", "day"),
        Column("score", "tenth"),
        column("store"),
    ]


def ramp(frame: pd.DataFrame) -> go.Figure:
    """How new people come up, with the range of their mean."""
    figure = go.Figure(layout=charts.layout(height=300, hovermode="x unified"))
    months = frame["month"].tolist()
    figure.add_trace(
        go.Scatter(
            x=months + months[::-1], y=frame["hi95"].tolist() + frame["lo95"].tolist()[::-1],
            fill="toself", fillcolor=palette.QUIET, opacity=0.25, line={"width": 0}, hoverinfo="skip", showlegend=False,
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=months,
            y=frame["ratio"].tolist(),
            mode="lines+markers",
            line={"color": palette.OWN, "width": 2.4},
            customdata=[
                [t("training.ramp_hover", ratio=fmt.percent(row.ratio, 0), people=fmt.count(row.people))]
                for row in frame.itertuples()
            ],
            hovertemplate="%{customdata[0]}<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_hline(y=1, line={"color": palette.SOFT_TEXT, "width": 1, "dash": "dot"})
    figure.update_yaxes(tickformat=".0%", showgrid=True, gridcolor=palette.RULE, zeroline=False, fixedrange=True)
    figure.update_xaxes(
        dtick=1, title={"text": t("training.months_since"), "standoff": 6}, showgrid=False, zeroline=False,
        fixedrange=True,
    )  # fmt: skip
    return figure


def coverage(frame: pd.DataFrame) -> go.Figure:
    """Which share of the people of each store holds each course; of many stores, of all together."""
    courses = list(dict.fromkeys(frame["course"]))
    names = frame.drop_duplicates("course").set_index("course")["course_name"]
    if frame["store_id"].nunique() > (4 if narrow() else _MOST_STORES):
        sums = frame.groupby("course", sort=False)[["current", "people"]].sum()
        bars = sums.assign(share=sums["current"] / sums["people"], name=names.reindex(sums.index)).reset_index()
        return charts.ranked_bars(bars, label="name", value="share", ids="course", currency="", unit="percent")
    stores = list(dict.fromkeys(frame["store_id"]))
    shares = frame.pivot(index="course", columns="store_id", values="share").loc[courses, stores]
    store_names = frame.drop_duplicates("store_id").set_index("store_id")["store"]
    counts = frame.set_index(["course", "store_id"])[["current", "people"]]
    hints = [
        [
            t(
                "training.cell",
                course=names[course],
                store=store_names[store],
                current=fmt.count(counts.loc[(course, store), "current"]),
                people=fmt.count(counts.loc[(course, store), "people"]),
            )
            for store in stores
        ]
        for course in courses
    ]
    return grids.heat_map(
        shares.to_numpy(dtype=np.float64),
        rows=_wrapped(names[courses]),
        columns=[_in_lines(store_names[store]) for store in stores],
        texts=[[fmt.percent(value, 0) for value in row] for row in shares.to_numpy()],
        hints=hints,
        row_height=40,
        top=1.0,
    )


def _in_lines(name: str) -> str:
    """A store's name in short lines."""
    if " " in name:
        return "<br>".join(name.split(" ")[:3])
    step = 4 if narrow() else 5
    return "<br>".join(name[start : start + step] for start in range(0, len(name), step))
