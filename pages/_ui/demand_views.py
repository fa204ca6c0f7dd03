"""The parts of the demand page: units ahead, history with forecast, why, by category and store, how good it was."""

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from models.reports.demand import NAIVE, DemandReport
from pages._ui import blocks, cards, empty, forecast_charts, head, passport
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import localized, localized_text, t
from pages._ui.tables import Column, badge, column, listing

_DRAWN_DAYS = 84  # of history beside the days ahead
_IN_VIEW = 12
_LEVELS = ["chain", "region", "store", "category", "product"]
_CLASSES = ["regular", "short", "intermittent"]
_LEAST_SAID = 0.02  # a smaller effect is not worth a sentence of its own
_OCCASIONS = (
    Column("name", "text"),
    Column("span", "text"),
    column("effect"),
    column("discount"),
)
_PRODUCTS = (
    Column("product", "text"),
    column("next_week"),
    column("expected"),
    Column("last_year", "count"),
    column("growth"),
)
_LEAGUE = (
    Column("level", "text"),
    Column("class", "text"),
    Column("model", "text"),
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
    """History, forecast and intervals by day, with events and promotions."""
    ahead = own(report)
    past = report.history.tail(_DRAWN_DAYS)
    head.block(
        t("demand.chart"), t("demand.chart_note", model=model_name(ahead["model"].iloc[0])), t("demand.chart_help")
    )
    if ahead["model"].iloc[0] == NAIVE:
        st.caption(t("demand.naive_here"))
    forecast_charts.show(past, ahead, report.occasions, alt=t("demand.chart"), key="demand_chart")


def model_name(names: str) -> str:
    """The methods whose mean a forecast is."""
    return " + ".join(t(f"demand.model.{name}") for name in names.split("+"))


def own(report: DemandReport) -> pd.DataFrame:
    """The days ahead of what the page is about."""
    rows = report.forecast
    if report.category is not None:
        return rows[(rows["level"] == "category") & (rows["key"] == report.category)]
    # The scope itself comes first.
    first = rows.iloc[0]
    return rows[(rows["level"] == first["level"]) & (rows["key"] == first["key"])]


def parts(frame: pd.DataFrame, name: str, then: Callable[[str], None] | None = None) -> str | None:
    """The next four weeks by category or store beside last year; gives what was clicked, or calls ``then`` with it."""
    ids = "category" if name == "categories" else "store_id"
    rows = frame.assign(label=frame["category"].map(category_name)) if name == "categories" else _stores(frame)
    return blocks.ranked(
        rows, t(f"demand.{name}"), t("demand.parts_note"), key=f"demand_{name}", then=then, label="label",
        value="expected", ids=ids, currency="", unit="count", compare="last_year", compare_name=t("demand.last_year"),
    )  # fmt: skip


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
    coming = report.occasions[report.occasions["ends_on"] > last]
    said += [_event_said(row) for row in coming[coming["kind"] == "event"].to_dict("records") if _felt(row["effect"])]
    offers = coming[coming["kind"] == "promotion"]
    said += [_offers_said(rows) for _, rows in offers.groupby(["starts_on", "ends_on"])]
    st.markdown("\n".join(f"- {line}" for line in said))


def _felt(effect: float) -> bool:
    return bool(pd.notna(effect)) and abs(effect) >= _LEAST_SAID


def _event_said(row: dict[Hashable, Any]) -> str:
    words = "demand.why_event_up" if row["effect"] > 0 else "demand.why_event_down"
    share = fmt.percent(abs(row["effect"]), 0)
    return t(words, event=t(f"event.{row['event']}"), day=fmt.day_short(row["starts_on"]), share=share)


def _offers_said(rows: pd.DataFrame) -> str:
    """Promotions of the same days, and what they do together where the forecast knows."""
    first = rows.iloc[0]
    names = [forecast_charts.offer_name(row) for row in rows.to_dict("records")]
    days = fmt.period(first["starts_on"], first["ends_on"])
    if not _felt(first["effect"]):
        return t("demand.why_offers", days=days, offers=t("demand.and").join(names))
    words = "demand.why_offers_up" if first["effect"] > 0 else "demand.why_offers_down"
    return t(words, days=days, offers=t("demand.and").join(names), share=fmt.percent(abs(first["effect"]), 0))


def occasions(report: DemandReport) -> None:
    """Events and promotions, those to come first."""
    head.block(t("demand.occasions"), t("demand.occasions_note"))
    rows = report.occasions
    if rows.empty:
        empty.nothing(t("demand.occasions_none"))
        return
    coming = rows["ends_on"] > _last(report)
    rows = pd.concat([rows[coming], rows[~coming].iloc[::-1]])
    ends = zip(rows["starts_on"], rows["ends_on"], strict=True)
    named = rows.assign(
        name=[occasion(row["kind"], row["event"]) for row in rows.to_dict("records")],
        span=[fmt.period(first, last, beside=_last(report)) for first, last in ends],
    )
    listing(named, _OCCASIONS, currency="", alt=t("demand.occasions"), key="demand_occasions", rows=_IN_VIEW, half=True)


def occasion(kind: str, name: str | None) -> str:
    """An event or a promotion by name."""
    return t(f"event.{name}") if kind == "event" else forecast_charts.promotion_name(kind, name)


def league(report: DemandReport) -> None:
    """How the methods did at earlier times, the one in use marked, naive forecasts beside it."""
    head.block(t("demand.league"), t("demand.league_note"), t("demand.league_help"))
    if report.accuracy.empty:
        empty.nothing(t("demand.league_none"))
        return
    rows = _in_order(report.accuracy)
    st.markdown(_won(rows))
    if narrow():
        listing(_in_short(rows), _LEAGUE_IN_SHORT, currency="", alt=t("demand.league"), key="demand_league")
        return
    shown = rows.assign(
        standing=[_standing(row["used"], row["model"]) for row in rows.to_dict("records")],
        level=rows["level"].map(lambda level: t(f"demand.level.{level}")),
        model=rows["model"].map(model_name),
        **{"class": rows["class"].map(lambda kind: t(f"demand.class.{kind}"))},
    )
    listing(shown, _LEAGUE, currency="", alt=t("demand.league"), key="demand_league", rows=_IN_VIEW)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """From the chain down to products, series that sell every day first, the forecast in use before the others."""
    ranks = {"level": _LEVELS, "class": _CLASSES}
    keyed = rows.assign(**{f"_{name}": rows[name].map(order.index) for name, order in ranks.items()})
    keyed = keyed.sort_values(["_level", "_class", "used", "wape"], ascending=[True, True, False, True])
    return keyed[rows.columns].reset_index(drop=True)


def _won(rows: pd.DataFrame) -> str:
    """In how many groups of series the forecast beats the naive one, and where the naive one is used."""
    used = rows[rows["used"] & rows["wape"].notna()]
    naive = used[used["model"] == NAIVE]
    said = t("demand.won", n=fmt.count(len(used) - len(naive)), all=fmt.count(len(used)))
    if naive.empty:
        return said
    return (
        said
        + " "
        + t(
            "demand.naive_wins",
            where=t("demand.and").join(_group(*one) for one in naive[["level", "class"]].to_numpy()),
        )
    )


def _group(level: str, kind: str) -> str:
    name = t(f"demand.level.{level}")
    return name if kind == "regular" else f"{name} · " + t(f"demand.class.{kind}")


def _in_short(rows: pd.DataFrame) -> pd.DataFrame:
    """The error of the forecast used beside that of the naive one, by kind of series; those without any are usual."""
    by = ["level", "class"]
    naive = rows[rows["model"] == NAIVE].set_index(by)["wape"].rename("wape_naive")
    used = rows[rows["used"] & rows["wape"].notna()].join(naive, on=by)
    return used.assign(name=[_group(level, kind) for level, kind in used[by].to_numpy()])


def _standing(used: bool, model: str) -> str:
    if not used:
        return "compared"
    return "naive" if model == NAIVE else "ahead"


def _last(report: DemandReport) -> pd.Timestamp:
    """The last day of the history; a report that is shown has one."""
    assert report.last_day is not None
    return pd.Timestamp(report.last_day)
