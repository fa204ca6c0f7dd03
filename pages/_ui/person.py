"""One customer as the page shows one: found by the URL within the scope, in words, and drawn on one axis of time."""

import math
from dataclasses import replace
from typing import NoReturn

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data_access.errors import Problem
from data_access.scope import Scope
from models.reports.customer import CustomerReport
from pages._ui import charts, drill, i18n, load, palette, session
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import localized, localized_text, t, tn
from pages._ui.literal import literal
from pages._ui.tables import Column, column

NAMES = {"store": "store.name"}
DATA_TEXTS = {"category": "product.category", "brand": "product.brand", "product": "product.name"}

EVENTS = (
    Column("at", "instant"),
    column("text"),
    column("amount"),
    column("kind", words="customer.kind"),
    column("units"),
    Column("points", "count"),
    column("store"),
)

# From the best to the lost, as colours of badges.
_TONES = {
    "champions": "violet", "loyal": "violet", "active": "green", "new": "blue", "promising": "blue",
    "needs_attention": "orange", "at_risk": "red", "previously_loyal": "red", "almost_lost": "orange",
    "dormant": "gray", "prospect": "gray",
}  # fmt: skip

# The lanes of the chart from the ground up, and what lies in each.
_LANES: dict[str, tuple[str, ...]] = {
    "message": ("message", "unsubscribed"),
    "answer": ("opened", "clicked", "claimed", "visited", "redeemed"),
    "loyalty": ("points_earned", "points_spent", "points_expired", "points_adjusted", "tier", "tier_up", "tier_down"),
    "contact": ("call", "appointment", "ticket"),
    "complaint": ("complaint",),
    "return": ("return",),
    "purchase": ("purchase",),
}
_COLOURS = {
    "purchase": palette.OWN, "return": palette.FALL, "complaint": palette.WARM, "contact": palette.SECOND,
    "loyalty": palette.SECOND, "answer": palette.SECOND, "message": palette.QUIET,
}  # fmt: skip
_SMALLEST, _LARGEST, _PLAIN = 7.0, 26.0, 8.0  # pixels of a mark
_TALL = 46  # pixels of a lane


def chosen(scope: Scope) -> CustomerReport | None:
    """The customer that ``?customer=`` names, without receipts for who opens none; None when there is none in scope."""
    try:
        with load.working(t("page.customer")):
            found = load.customer(scope, drill.asked("customer") or "", load.generation())
    except Problem:
        return None
    if session.may_open("order"):
        return found
    return replace(found, timeline=found.timeline.assign(order_id=None, return_id=None))


def badges(header: pd.Series) -> None:
    """Segment, stage, class and tier in a row."""
    found = []
    if isinstance(header["segment"], str):
        found.append(
            (t(f"segment.{header['segment']}"), _TONES[header["segment"]], t(f"segment.{header['segment']}.help"))
        )
    if isinstance(header["stage"], str):
        found.append((t(f"stage.{header['stage']}"), "gray", t("customer.stage_help")))
    if isinstance(header["abc"], str):
        found.append((t(f"abc.{header['abc']}"), "gray", t("customer.abc_help")))
    if isinstance(header["tier"], str):
        found.append((localized_text("tier.name", header["tier"]), "yellow", t("customer.tier_help")))
    with st.container(horizontal=True, gap="xsmall"):
        for words, tone, hint in found:
            st.badge(literal(words), color=tone, help=hint)  # type: ignore[arg-type]


def facts(header: pd.Series) -> list[tuple[str, str]]:
    """What is known about a customer, as label and text; ``header``: a row of the report's header."""
    return [
        (t("column.joined_on"), fmt.day(header["joined_on"])),
        (t("customer.home"), _text(header["store"])),
        (t("column.city"), localized_text("store.city", _text(header["city"]))),
        (t("column.age_band"), _age(header["age_band"])),
        (t("column.gender"), word("gender", header["gender"])),
        (t("column.source"), word("source", header["source"])),
        (t("column.importance"), word("importance", header["importance"])),
        (t("column.account_type"), word("customer.account", header["account_type"])),
        (t("column.occupation"), word("occupation", header["occupation"])),
        (t("column.owner_staff_id"), _text(header["owner_staff_id"])),
        (t("column.rfm"), _scores(header)),
    ]


def ago(days: float) -> str:
    """How long ago in words: today, yesterday, 12 days ago."""
    if days < 2:
        return t("customer.today") if days < 1 else t("customer.yesterday")
    return t("customer.ago", days=fmt.days(days))


def agreements(report: CustomerReport) -> None:
    """What may be said on which channel: one line per purpose, the channels by whether the customer still agrees."""
    found = report.consents
    st.markdown(f":small[:gray[{t('customer.agreed')}]]", help=t("customer.agreed_help"))
    if found.empty:
        st.markdown(f":gray[{t('customer.agreed_nothing')}]")
    for purpose, rows in found.groupby("purpose", sort=False):
        said = []
        for channel, lives in zip(rows["channel"], rows["lives"], strict=True):
            icon, tone = ("check", "green") if lives else ("block", "gray")
            said.append(f":{tone}-badge[:material/{icon}: {literal(word('customer.reach', channel))}]")
        st.markdown(f"{word('customer.purpose', purpose)} " + " ".join(said))


def events(timeline: pd.DataFrame) -> pd.DataFrame:
    """The timeline for a list: what happened in words, in the language of the run."""
    return localized(timeline, NAMES).assign(
        text=[what(row) or t(f"customer.kind.{row['kind']}") for _, row in timeline.iterrows()],
    )


def favourites(report: CustomerReport, dimension: str) -> pd.DataFrame:
    """The names of one dimension with their share, in the language of the run."""
    found = report.favourites[report.favourites["dimension"] == dimension].reset_index(drop=True)
    if dimension in DATA_TEXTS:
        return localized(found, {"name": DATA_TEXTS[dimension]})
    if dimension in ("price_band", "channel"):
        prefix = "customer.price_band" if dimension == "price_band" else "channel"
        return found.assign(name=[word(prefix, name) for name in found["name"]])
    return found


def habits(report: CustomerReport, currency: str) -> list[tuple[str, str, str | None]]:
    """Cards: how often, how much, how many, how cheap; the quartiles as their help."""
    units = {
        "days_between_visits": "days",
        "ticket": "money",
        "units_per_order": "decimal",
        "discount_share": "percent",
    }
    cards: list[tuple[str, str, str | None]] = []
    for key, value, low, high in report.habits[report.habits["key"].isin(units)].itertuples(index=False):
        shown = fmt.card_value(
            round(value) if units[key] == "days" and not fmt.is_missing(value) else value, units[key], currency
        )
        hint = t(f"habit.{key}.help")
        if not fmt.is_missing(low):
            ends = {"low": fmt.value(low, units[key], currency), "high": fmt.value(high, units[key], currency)}
            hint += "  \n" + t("habit.quartiles", **ends)
        cards.append((t(f"habit.{key}"), shown, hint))
    return cards


def axis_of_time(timeline: pd.DataFrame, currency: str, today: pd.Timestamp) -> go.Figure:
    """Everything that happened to a customer on one axis: a lane each for purchases, returns, complaints, contacts,
    loyalty, answers and messages. What lies ahead is beyond a line; events of the year are marked behind.

    Marks of purchases and returns grow with their amounts; a click on a purchase gives its order.
    """
    lanes = [lane for lane, kinds in _LANES.items() if timeline["kind"].isin(kinds).any()]
    top = max(len(lanes), 2) - 0.4
    figure = go.Figure(layout=charts.layout(height=round(_TALL * (top + 0.9)) + 42))
    highest = float(timeline["amount"].astype(float).max())
    for position, lane in enumerate(lanes):
        rows = timeline[timeline["kind"].isin(_LANES[lane])]
        amounts = rows["amount"].astype(float)
        sizes = _SMALLEST + (_LARGEST - _SMALLEST) * (amounts / highest if highest > 0 else amounts * math.nan) ** 0.5
        figure.add_trace(
            go.Scatter(
                x=[at.isoformat() for at in rows["at"]],
                y=[position] * len(rows),
                mode="markers",
                marker={
                    "size": sizes.fillna(_PLAIN).round(1).tolist(),
                    "color": _COLOURS[lane],
                    "opacity": 0.8,
                    "line": {"width": 1, "color": palette.GROUND},
                },
                cliponaxis=False,
                customdata=[[_opens(row), _hint(row, currency)] for _, row in rows.iterrows()],
                hovertemplate="%{customdata[1]}<extra></extra>",
                showlegend=False,
            )
        )
    first, last = timeline["at"].min(), timeline["at"].max()
    if last > today + pd.Timedelta(days=1):
        figure.add_vline(x=today.isoformat(), line={"color": palette.SOFT_TEXT, "width": 1, "dash": "dot"})
    margin = max((last - first) * 0.03, pd.Timedelta(days=3))
    ticks = _months(first, last, 3 if narrow() else 8)
    axis = {"zeroline": False, "ticks": "", "fixedrange": True, "automargin": True, "title": None}
    figure.update_yaxes(
        tickvals=list(range(len(lanes))),
        ticktext=[t(f"customer.lane.{lane}") for lane in lanes],
        range=[-0.6, top + 0.5],  # names of events stand above the lanes
        showgrid=True,
        gridcolor=palette.RULE,
        tickfont=charts.NAMES,
        **axis,
    )
    figure.update_xaxes(
        range=[(first - margin).isoformat(), (last + margin).isoformat()],
        tickvals=[tick.isoformat() for tick in ticks],
        ticktext=[fmt.month(tick) for tick in ticks],
        tickangle=0,
        showgrid=False,
        **axis,
    )
    charts.mark_events(figure, first - margin, last + margin, currency, top)
    return figure


def link(receipt: pd.Series) -> None:
    """The way from a receipt to its customer, where there is one whom the reader may open."""
    if not fmt.is_missing(receipt["customer_key"]) and fmt.is_missing(receipt["exclusion"]):
        query = drill.link("customer", customer=str(receipt["customer_key"]), store=str(receipt["store_id"]))
        st.page_link("customer.py", label=t("customer.open"), icon=":material/person:", query_params=query)


def open_from(orders: pd.DataFrame, order_id: str, *, key: str, **ids: str | None) -> NoReturn:
    """After a click on a list of orders: opens the customer where it was on a customer's key, else the order."""
    column_name = st.session_state[drill.clickable(key)]["selection"]["cells"][0][1]
    known = orders.loc[orders["order_id"] == order_id, "customer_key"].dropna()
    if column_name == "customer_key" and len(known) and session.may_open("customer"):
        drill.open_page("customer", customer=str(known.iloc[0]), store=ids.get("store"))
    drill.open_page("order", order=order_id, **ids)


def is_order(timeline: pd.DataFrame, order_id: str | None) -> bool:
    """Whether a click was on a purchase of this customer."""
    return order_id is not None and order_id in set(timeline.loc[timeline["kind"] == "purchase", "order_id"])


def _months(first: pd.Timestamp, last: pd.Timestamp, most: int) -> list[pd.Timestamp]:
    """The first days of months between two instants, at most ``most`` and evenly spread."""
    months = list(pd.date_range(first.normalize().replace(day=1), last, freq="MS"))
    step = -(-len(months) // most)
    return months[::step] if len(months) > 1 else [first.normalize()]


def what(row: pd.Series) -> str:
    """The text of a row of the timeline in the language of the run."""
    kind, text = str(row["kind"]), _text(row["text"])
    match kind:
        case "purchase" if text:
            name = localized_text("product.name", text)
            return t("customer.and_more", product=name, lines=fmt.count(row["more"] + 1)) if row["more"] > 0 else name
        case "complaint" | "ticket":
            return _joined(word("customer.reason", text), localized_text("product.name", _text(row["detail"])))
        case "call":
            return _joined(word("customer.rule", text), word("customer.outcome", row["detail"]))
        case "appointment":
            return _joined(localized_text("product.name", text), word("customer.status", row["detail"]))
        case "tier" | "tier_up" | "tier_down":
            return localized_text("tier.name", text)
        case _ if kind.startswith("points"):
            return tn("advice.points", int(row["points"]), n=fmt.count(row["points"]))
    return localized_text("campaign.name", text) if text else ""


def _joined(*texts: str) -> str:
    return " · ".join(text for text in texts if text)


def _hint(row: pd.Series, currency: str) -> str:
    kind = t(f"customer.kind.{row['kind']}")
    said = [f"<b>{kind}</b> {fmt.day(row['at'])}"]
    said += [text for text in (what(row), _money(row["amount"], currency)) if text]
    return "<br>".join(said)


def _money(amount: object, currency: str) -> str:
    return "" if fmt.is_missing(amount) else fmt.money(amount, currency)


def _opens(row: pd.Series) -> str:
    return str(row["order_id"]) if row["kind"] == "purchase" and not fmt.is_missing(row["order_id"]) else ""


def _age(band: object) -> str:
    if fmt.is_missing(band):
        return ""
    return t("customer.minor") if band == "under 18" else t("customer.age", band=str(band).replace("-", "–"))


def _scores(header: pd.Series) -> str:
    scores = [header[letter] for letter in ("r", "f", "m")]
    return "" if any(map(fmt.is_missing, scores)) else "-".join(fmt.count(score) for score in scores)


def word(prefix: str, value: object) -> str:
    """A key as the word for it; as it is where there is none."""
    return i18n.word(prefix, _text(value))


def _text(value: object) -> str:
    return "" if fmt.is_missing(value) else str(value)
