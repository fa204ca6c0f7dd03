"""The parts of the demand page: units ahead, history with forecast, why, by category and store, how good it was."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.calc.calendar import Event
from models.reports.demand import NAIVE, DemandReport
from pages._ui import cards, charts, empty, head, palette, passport
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import localized, localized_text, t
from pages._ui.tables import Column, badge, column, listing

_DRAWN_DAYS = 84  # of history beside the days ahead
_IN_VIEW = 12
_OCCASIONS = (
    Column("name", "text"),
    Column("span", "text", width=150),
    column("effect"),
    column("discount"),
)
_PRODUCTS = (
    Column("product", "text", width="medium"),
    column("next_week"),
    column("expected"),
    Column("last_year", "count"),
    column("growth"),
)
_LEAGUE = (
    Column("level", "text", width=110),
    Column("class", "text"),
    Column("model", "text", width="medium"),
    column("wape"),
    column("rmsse"),
    column("bias"),
    column("coverage80"),
    badge("standing", "demand.standing", {"ahead": "green", "naive": "orange", "compared": "gray"}),
)
_LEAGUE_IN_SHORT = (Column("name", "text"), column("wape"), column("wape_naive"))


def category_name(category: str) -> str:
    return localized_text("product.category", category) if category else t("demand.no_category")


def figures(report: DemandReport) -> None:
    """The units of the next week, month and eight weeks, each beside the same weekdays last year."""
    grid = st.grid(len(report.ahead), min_column_width=cards.CARD_WIDTH, border=True, gap="small")
    for row in report.ahead.to_dict("records"):
        grid.metric(
            t("demand.next_days", days=row["days"]),
            fmt.count(row["expected"]),
            t("cards.last_year", change=fmt.change(row["growth"])) if pd.notna(row["growth"]) else None,
            delta_color="off",
            help=t("demand.next_help"),
        )
    passport.button(
        [
            passport.Figure(t("demand.next_days", days=row["days"]), fmt.count(row["expected"]), t("demand.next_help"))
            for row in report.ahead.to_dict("records")
        ]
    )


def chart(report: DemandReport) -> None:
    """History, forecast and interval by day, with events behind and promotions below."""
    ahead = own(report)
    past = report.history.tail(_DRAWN_DAYS)
    model = " + ".join(t(f"demand.model.{name}") for name in ahead["model"].iloc[0].split("+"))
    head.block(t("demand.chart"), t("demand.chart_note", model=model), t("demand.chart_help"))
    figure = go.Figure(layout=charts.layout(height=340, hovermode="x unified"))
    days = [day.date().isoformat() for day in ahead["ds"]]
    for level, opacity in ((95, 0.12), (80, 0.22)):
        figure.add_trace(_band(days, ahead, level, opacity))
    figure.add_trace(_units(past["ds"], past["units"], t("demand.sold"), palette.SOFT_TEXT, None))
    figure.add_trace(_units(ahead["ds"], ahead["mean"], t("demand.expected"), palette.OWN, None))
    charts.forecast_axes(
        figure,
        list(past["ds"]) + list(ahead["ds"]),
        float(max(past["units"].max(), ahead["hi95"].max())),
        _events(report),
    )
    charts.show(figure, alt=t("demand.chart"), key="demand_chart")


def own(report: DemandReport) -> pd.DataFrame:
    """The days ahead of what the page is about."""
    rows = report.forecast
    if report.category is not None:
        return rows[(rows["level"] == "category") & (rows["key"] == report.category)]
    # The scope itself comes first.
    first = rows.iloc[0]
    return rows[(rows["level"] == first["level"]) & (rows["key"] == first["key"])]


def _band(days: list[str], own: pd.DataFrame, level: int, opacity: float) -> go.Scatter:
    low, high = own[f"lo{level}"], own[f"hi{level}"]
    return go.Scatter(
        x=days + days[::-1],
        y=high.round(2).tolist() + low.round(2).tolist()[::-1],
        fill="toself",
        fillcolor=palette.OWN,
        opacity=opacity,
        line={"width": 0},
        mode="lines",
        name=t("demand.interval", level=level),
        hoverinfo="skip",
    )


def _units(days: pd.Series, values: pd.Series, name: str, colour: str, dash: str | None) -> go.Scatter:
    return go.Scatter(
        x=[day.date().isoformat() for day in days],
        y=values.round(2).tolist(),
        name=name,
        mode="lines",
        line={"color": colour, "width": 2, "dash": dash or "solid"},
        customdata=[[fmt.count(value)] for value in values],
        hovertemplate="%{customdata[0]}<extra>" + name + "</extra>",
    )


def _events(report: DemandReport) -> list[Event]:
    rows = report.occasions[report.occasions["kind"] == "event"]
    return [Event(row["event"], row["starts_on"].date(), row["ends_on"].date()) for row in rows.to_dict("records")]


def parts(frame: pd.DataFrame, name: str, then: Callable[[str], None] | None = None) -> str | None:
    """The next four weeks by category or store beside last year; gives what was clicked, or calls ``then`` with it."""
    ids = "category" if name == "categories" else "store_id"
    rows = frame.assign(label=frame["category"].map(category_name)) if name == "categories" else _stores(frame)
    head.block(t(f"demand.{name}"), t("demand.parts_note"))
    figure = charts.ranked_bars(
        rows.head(_IN_VIEW), label="label", value="expected", ids=ids, currency="", unit="count", compare="last_year",
        compare_name=t("demand.last_year"),
    )  # fmt: skip
    return charts.clicked(figure, alt=t(f"demand.{name}"), key=f"demand_{name}", then=then)


def _stores(frame: pd.DataFrame) -> pd.DataFrame:
    rows = localized(frame, {"store": "store.name"})
    return rows.assign(label=rows["store"])


def products(report: DemandReport) -> str | None:
    """The next four weeks of each product beside last year; gives what was clicked."""
    head.block(t("demand.products"), t("demand.products_note"), t("demand.products_help"))
    if report.products.empty:
        empty.nothing(t("demand.products_none"))
        return None
    rows = localized(report.products, {"product": "product.name"})
    return listing(
        rows, _PRODUCTS, currency="", alt=t("demand.products"), key="demand_products", opens="product_id", rows=_IN_VIEW
    )


def reasons(report: DemandReport) -> None:
    """What the forecast is made of, in words."""
    head.block(t("demand.why"), None, t("demand.why_help"))
    parts_ = report.decomposition
    if parts_.empty:
        empty.nothing(t("demand.why_none"))
        return
    last = _last(report)
    ahead, before = parts_[parts_["ds"] > last], parts_[parts_["ds"] <= last]
    said = []
    growth = ahead["trend"].mean() / before["trend"].iloc[0] - 1
    said.append(t("demand.why_trend_up" if growth >= 0 else "demand.why_trend_down", share=fmt.percent(abs(growth), 0)))
    week = ahead.assign(weekday=ahead["ds"].dt.dayofweek).groupby("weekday")["week"].mean()
    said.append(
        t(
            "demand.why_week",
            best=fmt.weekday(int(np.argmax(week)) + 1),
            more=fmt.percent(week.max() - 1, 0),
            worst=fmt.weekday(int(np.argmin(week)) + 1),
            less=fmt.percent(1 - week.min(), 0),
        )
    )
    season = ahead["season"].mean() - 1
    said.append(
        t("demand.why_season_up" if season >= 0 else "demand.why_season_down", share=fmt.percent(abs(season), 0))
    )
    coming = report.occasions[(report.occasions["kind"] == "event") & (report.occasions["ends_on"] > last)]
    for row in coming.to_dict("records"):
        if pd.notna(row["effect"]) and abs(row["effect"]) >= 0.05:
            name, words = (
                t(f"event.{row['event']}"),
                "demand.why_event_up" if row["effect"] > 0 else "demand.why_event_down",
            )
            said.append(
                t(
                    words,
                    event=name,
                    day=fmt.day_short(pd.Timestamp(row["starts_on"])),
                    share=fmt.percent(abs(row["effect"]), 0),
                )
            )
    st.markdown("\n".join(f"- {line}" for line in said))


def occasions(report: DemandReport) -> None:
    """Events and promotions, those to come first."""
    head.block(t("demand.occasions"), t("demand.occasions_note"))
    rows = report.occasions
    if rows.empty:
        empty.nothing(t("demand.occasions_none"))
        return
    coming = rows["ends_on"] > _last(report)
    rows = pd.concat([rows[coming], rows[~coming].iloc[::-1]])
    named = rows.assign(
        name=[_occasion(row["kind"], row["event"]) for row in rows.to_dict("records")],
        span=[fmt.period(first, last) for first, last in zip(rows["starts_on"], rows["ends_on"], strict=True)],
    )
    listing(named, _OCCASIONS, currency="", alt=t("demand.occasions"), key="demand_occasions", rows=_IN_VIEW)


def _occasion(kind: str, name: str | None) -> str:
    if kind == "event":
        return t(f"event.{name}")
    return t("demand.promotion", what=t("demand.everything") if name is None or pd.isna(name) else category_name(name))


def league(report: DemandReport) -> None:
    """How the methods did at earlier times, the one in use marked, naive forecasts beside it."""
    head.block(t("demand.league"), t("demand.league_note"), t("demand.league_help"))
    if report.accuracy.empty:
        empty.nothing(t("demand.league_none"))
        return
    rows = report.accuracy.sort_values(["level", "class", "used"], ascending=[True, True, False])
    if narrow():
        listing(_in_short(rows), _LEAGUE_IN_SHORT, currency="", alt=t("demand.league"), key="demand_league")
        return
    shown = rows.assign(
        standing=[_standing(row["used"], row["model"]) for row in rows.to_dict("records")],
        level=rows["level"].map(lambda level: t(f"demand.level.{level}")),
        model=rows["model"].map(lambda names: " + ".join(t(f"demand.model.{name}") for name in names.split("+"))),
        **{"class": rows["class"].map(lambda kind: t(f"demand.class.{kind}"))},
    )
    listing(shown, _LEAGUE, currency="", alt=t("demand.league"), key="demand_league", rows=_IN_VIEW)


def _in_short(rows: pd.DataFrame) -> pd.DataFrame:
    """The error of the forecast used beside that of the naive one, by kind of series; those without any are usual."""
    by = ["level", "class"]
    naive = rows[rows["model"] == NAIVE].set_index(by)["wape"].rename("wape_naive")
    used = rows[rows["used"] & rows["wape"].notna()].join(naive, on=by)
    names = [
        t(f"demand.level.{level}") + ("" if kind == "regular" else " · " + t(f"demand.class.{kind}"))
        for level, kind in used[by].to_numpy()
    ]
    return used.assign(name=names)


def _standing(used: bool, model: str) -> str:
    if not used:
        return "compared"
    return "naive" if model == NAIVE else "ahead"


def _last(report: DemandReport) -> pd.Timestamp:
    """The last day of the history; a report that is shown has one."""
    assert report.last_day is not None
    return pd.Timestamp(report.last_day)
