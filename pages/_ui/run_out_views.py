"""The parts of the run-out page: cards, what runs out on which day, how such expectations held, the list in words."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.reports.run_out import ALL, HOLDOUT_DAYS, MEDIAN, RunOutReport
from pages._ui import charts, head, palette
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, badge, column

_TONES = {"own": "green", "pace": "blue", "usage": "gray", "usual": "gray"}
_COLUMNS = (
    column("customer_key"),
    Column("said", "text"),
    Column("expected_on", "day"),
    badge("call", "run_out.call", {"yes": "green", "no": "gray"}),
    Column("in_stock", "count"),
    Column("amount", "money"),
    badge("basis", "run_out.basis", _TONES),
    column("range"),
)
_ON_A_PHONE = (
    Column("customer_key", "text", under="product"),
    Column("product", "text"),
    Column("expected_on", "near_day"),
    Column("amount", "money"),
)
_NAMES = {
    "product": "product.name",
    "need": "product.subcategory",
    "category": "product.category",
    "store": "store.name",
    "last_store": "store.name",
}
_TALL = 250
_ENOUGH = 30  # judged expectations, before their share is drawn


def columns() -> tuple[Column, ...]:
    """The columns of the list; on a phone who, with what they bought, when it ends and what they paid."""
    return _ON_A_PHONE if narrow() else _COLUMNS


def figures(report: RunOutReport, currency: str, *, narrowed: bool) -> list[tuple[str, str, str | None]]:
    """Cards: how many people, how many purchases, worth what, and how often that came true, which is judged over all
    goods and customers: ``narrowed`` says that the rest is of some."""
    known = report.summary.set_index("key")["value"]
    held = report.held[report.held["basis"] == ALL].iloc[0]
    said = {"days": fmt.days(report.ahead_days)}
    return [
        (t("run_out.customers"), fmt.count(known["run_out_customers"]), t("run_out.customers_help", **said)),
        (t("run_out.needs"), fmt.count(known["run_outs"]), t("run_out.needs_help")),
        (t("run_out.amount"), fmt.card_value(known["run_out_amount"], "money", currency), t("run_out.amount_help")),
        (
            t("run_out.hit_of_all" if narrowed else "metric.hit_rate"),
            fmt.percent(held["hit_rate"]),
            t("run_out.hit_help", **_judged(held)),
        ),
    ]


def by_day(report: RunOutReport, currency: str) -> go.Figure:
    """One bar per day ahead, with the events behind; a click gives the day."""
    days = report.by_day
    dates = days["day"].dt.strftime("%Y-%m-%d").tolist()
    texts = [fmt.day(day) for day in days["day"]]
    bars = go.Bar(
        x=dates,
        y=days["customers"].tolist(),
        marker={"color": palette.OWN, "cornerradius": 3},
        customdata=list(zip(dates, texts, strict=True)),
        hovertemplate="<b>%{customdata[1]}</b><br>%{y}<extra></extra>",
        showlegend=False,
    )
    figure = go.Figure(bars, charts.layout(height=_TALL, bargap=0.25))
    step = -(-len(days) // (4 if narrow() else 7))
    ticks, said = charts.axis_ticks("count", "", float(days["customers"].max()))
    figure.update_xaxes(
        tickvals=dates[::step],
        ticktext=[fmt.day_short(day) for day in days["day"][::step]],
        showgrid=False,
        ticks="",
        fixedrange=True,
        automargin=True,
    )
    figure.update_yaxes(
        tickvals=ticks,
        ticktext=said,
        range=[0, 1.1 * ticks[-1]],  # names of events stand above
        gridcolor=palette.RULE,
        zeroline=False,
        ticks="",
        fixedrange=True,
        automargin=True,
    )
    charts.mark_events(figure, days["day"].iloc[0], days["day"].iloc[-1], currency, ticks[-1])
    return figure


def held(report: RunOutReport) -> None:
    """How often customers came back about the expected day, by what the expectation was made from."""
    known = report.summary.set_index("key")["value"]
    window = fmt.days(known["hit_days"])
    head.block(
        t("run_out.held"), t("run_out.held_note", days=window), t("run_out.held_help", past=fmt.days(HOLDOUT_DAYS))
    )
    rows = report.held[(report.held["judged"] >= _ENOUGH) & (report.held["basis"] != ALL)]
    bars = rows.assign(name=[t(f"run_out.basis.{basis}") for basis in rows["basis"]])
    figure = charts.ranked_bars(bars, label="name", value="hit_rate", ids="basis", currency="", unit="percent")
    figure.data[0].marker.color = [palette.QUIET if basis == MEDIAN else palette.OWN for basis in rows["basis"]]
    for data, (_, row) in zip(figure.data[0].customdata, rows.iterrows(), strict=True):
        data[2] = t("run_out.hits", **_judged(row))
    charts.show(figure, alt=t("run_out.held"), key="run_out_held")
    st.caption(
        t(
            "run_out.error",
            own=fmt.days(round(known["error_days"])),
            median=fmt.days(round(known["median_error_days"])),
            n=fmt.count(known["gaps"]),
            covered=fmt.percent(known["covered"], 0),
        )
    )


def people(due: pd.DataFrame) -> pd.DataFrame:
    """Rows of the list in the language of the run."""
    rows = localized(due, _NAMES)
    return rows.assign(
        said=[bought(row) for _, row in rows.iterrows()],
        range=[
            fmt.days_between(first, last, beside=day)
            for first, last, day in zip(rows["from_on"], rows["until_on"], rows["expected_on"], strict=True)
        ],
        call=rows["may_be_called"].map({True: "yes", False: "no"} if rows["may_be_called"].any() else {}),
    )


def consents(people: pd.DataFrame) -> None:
    """Says so where nobody on the page of the list is known to agree to calls."""
    if len(people) and not people["may_be_called"].any():
        st.caption(t("run_out.no_consents"))


def bought(row: pd.Series) -> str:
    """What was bought, how many, and when; that the customer goes to another store by now, or belongs to one."""
    said = {"product": row["product"], "day": fmt.day_near(row["last_day"], row["expected_on"])}
    if row["units"] > 1:
        words = t("run_out.bought_several", units=fmt.count(row["units"]), **said)
    else:
        words = t("run_out.bought", **said)
    if isinstance(row["last_store"], str):
        return f"{words} · {t('run_out.last_in', store=row['last_store'])}"
    return f"{words} · {t('run_out.home_elsewhere')}" if row["home_elsewhere"] else words


def when(report: RunOutReport, day: str | None) -> str:
    """The days of the list."""
    return fmt.period(report.by_day["day"].iloc[0], report.by_day["day"].iloc[-1]) if day is None else fmt.day(day)


def _judged(row: pd.Series) -> dict[str, str]:
    shares = {name: fmt.percent(row[name]) for name in ("hit_rate", "lo95", "hi95")}
    return {"hits": fmt.count(row["hits"]), "judged": fmt.count(row["judged"]), **shares}
