"""The parts of the page that lays stores beside each other: limits of chance, gaps to peers, weeks, a map."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from models.calc.calendar import Event
from models.calc.peers import LEVERS
from models.metrics import METRICS
from models.reports.stores import AT_A_GLANCE, BELOW, RATES, StoresReport
from pages._ui import charts, palette, year
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.device import narrow
from pages._ui.i18n import localized, t, tn
from pages._ui.tables import Column, badge, column

NAMES: Final = {"store": "store.name", "region": "region.name", "city": "store.city", "peer": "store.name"}
VERDICTS: Final = {"chance": "gray", "differs": "blue", "far": "orange"}
_COLOURS = {"chance": palette.QUIET, "differs": palette.OWN, "far": palette.SECOND}
_DRAWN = 100  # bars
_WEEK: Final = pd.Timedelta(days=7)
_ACROSS, _ACROSS_NARROW = 6, 2
# Of the square of a store: where its line begins from the left, how wide it is, where zero lies, how high it goes.
_LEFT, _WIDE, _GROUND, _TALL = 0.03, 0.93, 0.03, 0.65
_FEW_CITIES = 4  # so few leave a tall map empty
_MAP_HEIGHT, _MAP_HEIGHT_OF_FEW = 420, 260
_MAP, _MAP_ON_A_PHONE = 900, 310  # pixels across, at least
_MAP_ROOM = 0.12  # beyond the outermost stores, of their distance
_LEVER_COLOURS = (palette.OWN, palette.SECOND, palette.WARM, palette.QUIET)
_VIEWS = {
    "sales": ("net_sales", "growth", "last_year", "attainment", "target", "gap_to_peers"),
    "doors": ("net_sales", "traffic", "conversion", "average_ticket", "units_per_transaction", "margin_rate"),
    "work": ("net_sales", "sales_per_hour", "sales_per_m2", "in_stock_share", "return_rate", "margin_rate"),
    "customers": ("net_sales", "identified_share", "retained_share", "csat", "answers", "return_rate"),
    "peers": tuple(f"below_{name}" for name in BELOW),
}


def measure() -> str:
    """Which figures the list shows."""
    return choice("figures", tuple(_VIEWS), words="stores.figures", width=230)


def columns(chosen: str) -> list[Column]:
    """The columns of the list for a choice of ``measure``."""
    kinds = {name: Column(name, "percent") for name in _VIEWS["peers"]}
    return [column("store"), *(kinds.get(name) or column(name) for name in _VIEWS[chosen]), column("city")]


def figures(report: StoresReport) -> list[tuple[str, str, str | None]]:
    """How many stores, what they sold, how they grew where they can be compared."""
    rows, currency = report.stores, report.currency
    before = rows["net_sales"] / (1 + rows["growth"])  # shares of the growth below: by what each sold before
    known = rows["growth"].notna() & (before > 0)
    growth = (rows["growth"] * before)[known].sum() / before[known].sum() if known.any() else float("nan")
    judged = report.limits[report.limits["verdict"].isin(["differs", "far"])]
    gap = rows["gap_to_peers"].sum(min_count=1)
    return [
        (t("stores.count"), fmt.count(len(rows)), None),
        (t("metric.net_sales"), fmt.card_value(rows["net_sales"].sum(), "money", currency), t("metric.net_sales.help")),
        (t("stores.growth"), fmt.change(growth), t("stores.growth.help")),
        (t("stores.beyond"), fmt.count(judged["store_id"].nunique()), t("stores.beyond.help")),
        (t("stores.gap"), fmt.card_value(gap, "money", currency), t("metric.gap_to_peers.help")),
    ]


def rate() -> str:
    """Which rate the limits are drawn of."""
    return choice("rate", tuple(RATES), words="stores.rate", width=210)


def funnel(report: StoresReport, metric: str) -> go.Figure | None:
    """Every store's rate over its cases, within the limits of chance and those that stores usually keep; None where
    there are too few stores to learn limits from."""
    rows = localized(report.limits[report.limits["metric"] == metric], {"store": "store.name"})
    rows = rows[rows["verdict"].notna()].sort_values("cases")
    if rows.empty:
        return None
    figure = go.Figure(layout=charts.layout(height=380))
    for low, high, dash, name in (
        ("lo", "hi", "solid", t("stores.limits_chance")),
        ("lo_wide", "hi_wide", "dot", t("stores.limits_usual")),
    ):
        for side in (low, high):
            figure.add_trace(
                go.Scatter(
                    x=rows["cases"].tolist(),
                    y=rows[side].round(4).tolist(),
                    mode="lines",
                    line={"color": palette.QUIET, "width": 1.2, "dash": dash},
                    name=name,
                    showlegend=side == low,
                    hoverinfo="skip",
                )
            )
    for verdict, colour in _COLOURS.items():
        some = rows[rows["verdict"] == verdict]
        figure.add_trace(
            go.Scatter(
                x=some["cases"].tolist(),
                y=some["rate"].round(4).tolist(),
                mode="markers",
                name=t(f"stores.verdict.{verdict}"),
                marker={"color": colour, "size": 11},
                customdata=[
                    [row.store_id, row.store, fmt.percent(row.rate), fmt.count(row.cases)]
                    for row in some.itertuples(index=False)
                ],
                hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]} · %{customdata[3]}<extra></extra>",
            )
        )
    drawn = [float(rows[name].max()) for name in ("rate", "hi_wide")]
    ticks, texts = charts.axis_ticks("percent", "", min(max(drawn), 1.0))
    figure.update_yaxes(
        tickvals=ticks, ticktext=texts, gridcolor=palette.RULE, zeroline=False, ticks="", fixedrange=True
    )
    ticks, texts = charts.axis_ticks("count", "", float(rows["cases"].max()))
    cases = t(f"column.{RATES[metric][1]}") if RATES[metric][1] not in METRICS else t(f"metric.{RATES[metric][1]}")
    figure.update_xaxes(
        tickvals=ticks, ticktext=texts, showgrid=False, zeroline=False, ticks="", fixedrange=True, title={"text": cases}
    )
    figure.add_hline(y=float(rows["centre"].iloc[0]), line={"color": palette.SOFT_TEXT, "width": 1})
    charts.legend_above(figure)
    return figure


def gaps(report: StoresReport) -> go.Figure:
    """What each store would sell more with its levers at the best quarter of its peers, by lever; the largest first."""
    rows = localized(report.levers, {"store": "store.name"})
    order = rows["store_id"].drop_duplicates().head(_DRAWN).tolist()
    place = {store_id: number for number, store_id in enumerate(order)}
    names = rows.drop_duplicates("store_id").set_index("store_id")["store"]
    rows = rows[rows["store_id"].isin(order) & (rows["gain"] > 0)]
    height = charts.height_of(len(order)) + 90  # of them for the axis and the legend
    figure = go.Figure(layout=charts.layout(height=height, barmode="stack", margin={**charts.MARGIN, "r": 24}))
    levers = [lever for lever in ("orders", *LEVERS) if (rows["lever"] == lever).any()]
    for colour, lever in zip((*_LEVER_COLOURS, palette.SOFT_TEXT), levers, strict=False):
        some = rows[rows["lever"] == lever]
        figure.add_trace(
            go.Bar(
                y=[place[store_id] for store_id in some["store_id"]],
                x=some["gain"].tolist(),
                orientation="h",
                name=t(f"lever.{lever}"),
                marker={"color": colour},
                width=charts.bar_width(len(order), height),
                customdata=[
                    [row.store_id, row.store, _lever_words(row, report.currency)]
                    for row in some.itertuples(index=False)
                ],
                hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
            )
        )
    whole = rows.groupby("store_id")["gain"].sum()
    ticks, texts = charts.axis_ticks("money", report.currency, float(whole.max()) if len(whole) else 1.0)
    few = ticks[:: -(-len(ticks) // (3 if narrow() else 6))]  # zero among them
    figure.update_xaxes(
        tickvals=few,
        ticktext=[texts[ticks.index(tick)] for tick in few],
        gridcolor=palette.RULE, zeroline=False, ticks="", fixedrange=True,
    )  # fmt: skip
    charts.name_rows(figure, [str(names[store_id]) for store_id in order])
    charts.legend_above(figure)
    return figure


def _lever_words(row: Any, currency: str) -> str:
    lever = str(row.lever)
    unit = METRICS[lever].unit if lever in METRICS else "money"
    own, best = (fmt.value(value, unit, currency) for value in (row.own, row.best))
    gain = fmt.money_compact(row.gain, currency)
    return t("stores.lever_hover", lever=t(f"lever.{lever}"), own=own, best=best, gain=gain)


def weeks(report: StoresReport) -> go.Figure:
    """A small line of thirteen weeks per store, all from zero to the same height, by net sales; dotted: last year;
    shaded: events of the year, which have their names on the weeks.

    Drawn in one pair of axes, a store in each square of a grid: with axes of its own for each, fifty stores took five
    seconds to put together.
    """
    order = report.stores["store_id"].head(AT_A_GLANCE).tolist()
    rows = localized(report.weeks[report.weeks["store_id"].isin(order)], {"store": "store.name"})
    by_store = {str(store_id): some.sort_values("week_ends") for store_id, some in rows.groupby("store_id")}
    drawn = [by_store[store_id] for store_id in order if store_id in by_store]
    across = _ACROSS_NARROW if narrow() else min(_ACROSS, max(len(drawn), 1))
    down = -(-len(drawn) // across) or 1
    height = max(float(rows["net_sales"].max()), float(rows["last_year"].max() or 0), 1.0)
    lines = {name: _Path() for name in ("last_year", "net_sales")}
    shades, names = _Path(), _Path()
    year_of: dict[tuple[date, date], tuple[Event, ...]] = {}
    for number, some in enumerate(drawn):
        left, ground, ends = number % across, -(number // across) - 1.0, some["week_ends"]
        days = (ends.iloc[0] - _WEEK).date(), ends.iloc[-1].date()
        if days not in year_of:
            year_of[days] = year.events(*days, report.currency)
        events = year_of[days]
        store_id, store = str(some["store_id"].iloc[0]), str(some["store"].iloc[0])
        texts = [
            [store_id, store, fmt.day_short(day), _week_words(day, sold, events, report.currency)]
            for day, sold in zip(ends, some["net_sales"], strict=True)
        ]
        step = _WIDE / max(len(some) - 1, 1)
        places = [left + _LEFT + step * week for week in range(len(some))]
        for name, line in lines.items():
            parts = [None if fmt.is_missing(value) else float(value) / height for value in some[name]]
            line.add(places, [None if part is None else ground + _GROUND + _TALL * part for part in parts], texts)
        for event in events:
            x0, x1 = (left + _LEFT + step * week for week in _within(event, ends))
            low, high = ground + _GROUND, ground + _GROUND + _TALL
            shades.add([x0, x0, x1, x1], [low, high, high, low])
        names.add([left + _LEFT], [ground + 0.97], [[_fitting(store, across)]])
    figure = go.Figure(
        [
            go.Scatter(
                x=shades.x, y=shades.y, mode="none", fill="toself", fillcolor=palette.WARM, opacity=0.16,
                hoverinfo="skip", showlegend=False,
            ),
            _weekly(lines["last_year"], palette.QUIET, "dot", 1.2, marker={"size": 0.1}, hoverinfo="skip"),
            _weekly(
                lines["net_sales"], palette.OWN, "solid", 2.0, marker={"size": 9, "opacity": 0},
                customdata=lines["net_sales"].said,
                hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]} · %{customdata[3]}<extra></extra>",
            ),
            go.Scatter(
                x=names.x, y=names.y, mode="text", text=[said[0] if said else "" for said in names.said],
                textposition="bottom right", textfont={"size": 12, "color": palette.TEXT}, hoverinfo="skip",
                showlegend=False,
            ),
        ],
        charts.layout(height=118 * down + 16, hovermode="closest"),
    )  # fmt: skip
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, across])
    figure.update_yaxes(visible=False, fixedrange=True, range=[-down, 0])
    return figure


@dataclass
class _Path:
    """Lines one after the other in one trace, with a gap after each."""

    x: list[float | None] = field(default_factory=list)
    y: list[float | None] = field(default_factory=list)
    said: list[list[str] | None] = field(default_factory=list)

    def add(self, x: Sequence[float], y: Sequence[float | None], said: Sequence[list[str]] = ()) -> None:
        self.x += [*(round(place, 4) for place in x), None]
        self.y += [*(None if place is None else round(place, 4) for place in y), None]
        self.said += [*said, None]


def _weekly(line: _Path, colour: str, dash: str, width: float, **more: Any) -> go.Scatter:
    return go.Scatter(
        x=line.x,
        y=line.y,
        mode="lines+markers",
        line={"color": colour, "width": width, "dash": dash},
        showlegend=False,
        **more,
    )


def _week_words(day: pd.Timestamp, sold: float, events: Sequence[Event], currency: str) -> str:
    """What a week brought, and the events that fell into it."""
    names = [t(f"event.{one.key}") for one in events if one.first <= day.date() and one.last > (day - _WEEK).date()]
    return " · ".join([fmt.money_compact(sold, currency), *names])


def _within(event: Event, ends: pd.Series) -> tuple[float, float]:
    """From where to where an event lies among weeks that are drawn at 0, 1, 2, ..."""
    begin = (ends.iloc[0] - _WEEK).date()  # the day before the first week
    x0, x1 = ((day - begin).days / 7 - 0.5 for day in (event.first - timedelta(days=1), event.last))
    return max(x0, -0.5), min(x1, len(ends) - 0.5)


def _fitting(name: str, across: int) -> str:
    """A name that fits above a small chart, of so many beside each other."""
    most = 22 if narrow() else 132 // across
    wide = fmt.cells(name)
    return name if wide <= most else name[: (most - 2) // (2 if ord(name[0]) > 0x2E80 else 1)] + "…"


def located(report: StoresReport) -> pd.DataFrame:
    """The stores whose place on earth is known, and that have one."""
    return report.stores[report.stores["latitude"].notna() & (report.stores["kind"] != "online")]


def places(report: StoresReport) -> go.Figure:
    """Each store where it lies, as large as it sells, in the colour of its growth."""
    rows = localized(located(report), NAMES)
    largest = float(rows["net_sales"].max()) or 1.0
    rising = (rows["growth"].fillna(0) >= 0).tolist()
    figure = go.Figure(layout=charts.layout(height=_map_height(rows)))
    for up, colour in ((True, palette.OWN), (False, palette.SECOND)):
        some = rows[[one is up for one in rising]]
        figure.add_trace(
            go.Scatter(
                x=some["longitude"].tolist(),
                y=some["latitude"].tolist(),
                mode="markers",
                name=t("stores.map_up" if up else "stores.map_down"),
                marker={
                    "color": colour,
                    "opacity": 0.75,
                    "size": [12 + 26 * (max(value, 0) / largest) ** 0.5 for value in some["net_sales"]],
                },
                customdata=[
                    [row.store_id, row.store, fmt.money_compact(row.net_sales, report.currency), fmt.change(row.growth)]
                    for row in some.itertuples(index=False)
                ],
                hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]} · %{customdata[3]}<extra></extra>",
            )
        )
    cities = rows[rows["city"].notna()].sort_values("net_sales", ascending=False).drop_duplicates("city")
    figure.add_trace(
        go.Scatter(
            x=cities["longitude"].tolist(),
            y=cities["latitude"].tolist(),
            mode="text",
            text=_city_names(cities, rows),
            textfont={"size": 12, "color": palette.SOFT_TEXT},
            cliponaxis=False,
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for axis, name in ((figure.update_xaxes, "longitude"), (figure.update_yaxes, "latitude")):
        low, high = float(rows[name].min()), float(rows[name].max())
        room = _MAP_ROOM * (high - low) or 1.0
        below = 2 * room if name == "latitude" else room  # names stand below the marks
        axis(range=[low - below, high + room], showticklabels=False, showgrid=False, zeroline=False, ticks="", fixedrange=True)  # fmt: skip  # noqa: E501
    charts.legend_above(figure)
    return figure


def _map_height(rows: pd.DataFrame) -> int:
    return _MAP_HEIGHT if rows["city"].nunique() > _FEW_CITIES else _MAP_HEIGHT_OF_FEW


def _city_names(cities: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """The name of each city below its mark, or above it where another name lies below; '' where there is no room for
    it either, and the tooltip tells. ``cities``: the largest first."""
    taken: list[tuple[float, float, float]] = []  # middle, height and width of the names so far
    names = []
    for name, x, y in zip(cities["city"], *_pixels(cities, rows), strict=True):
        width = sum(14 if ord(letter) > 0x2E80 else 8 for letter in name)
        # Text is centred on its place: two lines lower it lies below the largest mark, 38 pixels wide.
        for off, text in ((28, f"<br><br><br><br>{name}"), (-28, f"{name}<br><br><br><br>")):
            if all(abs(y + off - other) > 16 or abs(x - at) > (width + wide) / 2 for at, other, wide in taken):
                taken.append((x, y + off, width))
                names.append(text)
                break
        else:
            names.append("")
    return names


def _pixels(cities: pd.DataFrame, rows: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Where cities lie in the map of the stores ``rows``: to the right, and down."""
    room = 1 + 2 * _MAP_ROOM
    sides = (("longitude", _MAP_ON_A_PHONE if narrow() else _MAP), ("latitude", -_map_height(rows)))
    across, down = (
        [float(at) * pixels / (room * float(rows[name].max() - rows[name].min()) or 2.0) for at in cities[name]]
        for name, pixels in sides
    )
    return across, down


def benchmark_rows(benchmark: pd.DataFrame, currency: str) -> pd.DataFrame:
    """A benchmark as a list shows it: figures by name in the order of the registry, numbers as text, of how
    many peers they lie above."""

    def number(value: object, metric: str) -> str:
        unit = METRICS[metric].unit if metric in METRICS else "money"
        return fmt.listed(value, unit, currency)

    place = {key: number for number, key in enumerate(METRICS)}
    benchmark = benchmark.sort_values("metric", key=lambda keys: keys.map(place), kind="stable")
    pairs: list[Any] = list(benchmark.itertuples(index=False))
    return benchmark.assign(
        figure=[t(f"lever.{row.metric}") if row.metric == "price" else t(f"metric.{row.metric}") for row in pairs],
        own=[number(row.value, row.metric) for row in pairs],
        middle=[number(row.median, row.metric) for row in pairs],
        half=[fmt.between(number(row.q25, row.metric), number(row.q75, row.metric)) for row in pairs],
        peers_below=[
            fmt.MISSING
            if fmt.is_missing(row.below)
            else t("stores.peers_of", below=fmt.count(row.below * row.peers), peers=fmt.count(row.peers))
            for row in pairs
        ],
    )


def peers_in_words(named: pd.DataFrame, benchmark: pd.DataFrame) -> str:
    """Which stores the peers are: those the reader may open by name, of the others how many."""
    names = t("advice.between").join(localized(named, NAMES)["peer"].astype(str))
    others = int(benchmark["peers"].max()) - len(named)
    if not len(named):
        return tn("stores.peers_unnamed", others)
    return t("stores.peers_named", names=names) + (" " + tn("stores.peers_others", others) if others > 0 else "")


def benchmark_columns() -> list[Column]:
    return [
        Column("figure", "text"), Column("own", "text"), Column("peers_below", "text"), Column("middle", "text"),
        Column("half", "text"),
    ]  # fmt: skip


def judged_columns() -> list[Column]:
    """The list behind the limits."""
    return [column("store"), column("rate"), column("cases"), badge("verdict", "stores.verdict", VERDICTS)]
