"""The parts of the readiness page: how thin the coming days are, what is missing, and what to do about it."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.reports.readiness import BAND, THIN, ReadinessReport
from pages._ui import charts, grids
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import t
from pages._ui.tables import Column, badge, column

_MOST_DRAWN = 20  # stores: the thinnest
_NOBODY = "×"
_TONES = {"thin": "orange", "closed": "red", "ready": "green"}


def figures(report: ReadinessReport) -> list[tuple[str, str, str | None]]:
    """Thin days, what they miss, and how far the forecast of visitors can be trusted."""
    known = report.summary.set_index("key")["value"]
    thin = t("readiness.of", part=fmt.count(known["thin"]), whole=fmt.count(known["store_days"]))
    trusted = t(
        "readiness.wape.help",
        n=fmt.count(known["checked"]),
        last_week=fmt.percent(known["last_week"]),
        own=fmt.percent(known["wape"]),
    )
    return [
        (t("readiness.thin"), thin, t("readiness.thin.help", over=fmt.percent(THIN - 1, 0))),
        (t("readiness.missing"), fmt.count(known["missing_hours"]), t("readiness.missing.help")),
        (t("readiness.visitors"), fmt.count(report.days["visitors"].sum()), t("readiness.visitors.help")),
        (t("readiness.tickets"), fmt.count(report.days["tickets"].sum()), t("readiness.tickets.help")),
        (t("readiness.wape"), fmt.percent(known["wape"]), trusted),
    ]


def roster_note(report: ReadinessReport) -> None:
    """Says up to which day shifts are known, and what stands in for them after that."""
    planned = int((report.days["roster"] == "planned").sum())
    if planned == len(report.days):
        return
    if planned == 0:
        st.info(t("readiness.no_roster", day=fmt.day(report.last_day)), icon=":material/event_busy:")
    else:
        st.caption(t("readiness.some_roster", n=fmt.count(planned), whole=fmt.count(len(report.days))))


def loads_note(days: pd.DataFrame) -> str:
    """What a row of the picture is."""
    return t("readiness.loads_note.bands" if _is_one(days) else "readiness.loads_note.stores")


def loads(days: pd.DataFrame, bands: pd.DataFrame) -> go.Figure:
    """How thin each day is: of several stores one row each, of one store a row per band of hours."""
    if _is_one(days):
        used = bands.groupby("hour")["visitors"].sum()
        some = bands[bands["hour"].isin(used[used > 0].index)]
        rows = some.assign(name=[t("readiness.band", first=hour, last=hour + BAND) for hour in some["hour"]])
        return _grid(rows.sort_values("hour"))
    worst = days.groupby("store_id")["load"].max().nlargest(_MOST_DRAWN).index
    rows = days[days["store_id"].isin(worst)].assign(name=days["store"].astype("str"))
    return _grid(
        rows.assign(order=rows["store_id"].map({key: at for at, key in enumerate(worst)})).sort_values("order")
    )


def nobody(rows: pd.DataFrame) -> pd.DataFrame:
    """Days (or bands of hours) with visitors to expect and nobody rostered."""
    return rows[(rows["hours"] == 0) & (rows["visitors"].round() > 0)]


def shows_nobody(days: pd.DataFrame, bands: pd.DataFrame) -> bool:
    """Whether a cell of ``loads`` says that nobody is rostered."""
    return len(nobody(bands if _is_one(days) else days)) > 0


def _is_one(days: pd.DataFrame) -> bool:
    return bool(days["store_id"].nunique() == 1)


def _grid(rows: pd.DataFrame) -> go.Figure:
    wide = rows.pivot_table(index="name", columns="day", values="load", sort=False, observed=True, dropna=False)
    wide = wide.reindex(columns=sorted(rows["day"].unique()))
    store = rows.drop_duplicates("name").set_index("name")["store_id"].reindex(wide.index)
    values = wide.to_numpy(dtype=np.float64)
    bare = nobody(rows).pivot_table(index="name", columns="day", values="visitors", observed=True)
    bare = bare.reindex(index=wide.index, columns=wide.columns)
    empty = bare.notna().to_numpy()
    texts = [
        [
            _NOBODY if alone else "" if np.isnan(value) else fmt.percent(value, 0)
            for value, alone in zip(*row, strict=True)
        ]
        for row in zip(values, empty, strict=True)
    ]
    hints = [
        [
            t("readiness.hint_nobody", name=name, day=fmt.day(day), visitors=fmt.count(coming))
            if text == _NOBODY
            else t("readiness.hint", name=name, day=fmt.day(day), load=text or fmt.MISSING)
            for day, text, coming in zip(wide.columns, row, expected, strict=True)
        ]
        for name, row, expected in zip(wide.index, texts, bare.to_numpy(), strict=True)
    ]
    return grids.heat_map(
        values,
        rows=[_short(str(name)) for name in wide.index],
        columns=[_axis(pd.Timestamp(day)) for day in wide.columns],
        texts=texts,
        hints=hints,
        ids=[[str(store_id)] * values.shape[1] for store_id in store],
        top=2 * THIN - 0.5,
        numbers=not narrow(),
    )


def _axis(day: pd.Timestamp) -> str:
    if narrow():
        return str(day.day)
    return t("readiness.axis", weekday=fmt.weekday(day.day_of_week + 1), day=day.day)


def _short(name: str) -> str:
    if not narrow():
        return charts.short(name)
    return name if len(name) <= 14 else name[:13] + "…"


def rows(days: pd.DataFrame) -> pd.DataFrame:
    """Days as the list shows them: what is thin, and what to do, in words."""
    return days.assign(
        ready=[_state(row) for _, row in days.iterrows()],
        todo=[_todo(row) for _, row in days.iterrows()],
    )


def _state(row: pd.Series) -> str:
    if not row["hours"] > 0:
        return "closed"
    return "thin" if row["is_thin"] else "ready"


def _todo(row: pd.Series) -> str:
    if not row["is_thin"]:
        return ""
    if fmt.is_missing(row["peak_hour"]):
        return t("readiness.add", hours=fmt.decimal(row["missing_hours"], 1))
    first = int(row["peak_hour"])
    return t("readiness.add_at", hours=fmt.decimal(row["missing_hours"], 1), first=first, last=first + BAND)


def columns() -> list[Column]:
    """What the list of days shows."""
    return [
        column("store"),
        Column("day", "day"),
        badge("ready", "readiness.state", _TONES),
        Column("load", "percent"),
        Column("todo", "text"),
        Column("visitors", "count"),
        Column("hours", "tenth"),
        Column("roster", "text", words="roster"),
    ]
