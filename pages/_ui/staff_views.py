"""The parts of the staff pages: the ranges beside the expected sales, the coaching card, the words for a standing."""

import pandas as pd
import plotly.graph_objects as go

from models.reports.staff import LEAST_HOURS, LEAST_SHIFTS, StaffReport
from pages._ui import charts, palette
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import exists, t, word

_COLOURS = {"above": palette.OWN, "as_expected": palette.QUIET, "below": palette.SECOND}
_MONTHS = 24
_MOST_DRAWN = 40  # people; more are told apart in the list


def figures(report: StaffReport) -> list[tuple[str, str, str | None]]:
    """How many people, hours and sales, and how far people truly differ."""
    known = report.summary.set_index("key")["value"]
    money = report.currency
    judged = t("staff.judged", judged=fmt.count(known["judged"]), people=fmt.count(known["people"]))
    least = t("staff.judged.help", shifts=LEAST_SHIFTS, hours=fmt.count(LEAST_HOURS))
    return [
        (t("staff.people"), judged, least),
        (t("column.hours"), fmt.compact(known["hours"]), t("staff.hours.help")),
        (t("metric.net_sales"), fmt.card_value(known["net_sales"], "money", money), t("staff.net_sales.help")),
        (
            t("metric.sales_per_hour"),
            fmt.card_value(known["sales_per_hour"], "money", money),
            t("metric.sales_per_hour.help"),
        ),
        (t("staff.spread"), fmt.percent(known["spread"]), t("staff.spread.help")),
    ]


def judged(people: pd.DataFrame) -> pd.DataFrame:
    """Those who worked enough to be compared, best first."""
    return people[people["adjusted"].notna()]


def compared_note(people: pd.DataFrame) -> str:
    """How many are above, as and below expected, in words; and how many of the best cannot be told apart."""
    many = people["standing"].value_counts()
    parted = {name: fmt.count(many.get(name, 0)) for name in ("above", "as_expected", "below")}
    leading = fmt.count((people["rank_low"] == 1).sum())
    return t("staff.compared_note", **parted, leading=leading)


def intervals(people: pd.DataFrame) -> go.Figure:
    """A dot with its 95 % range per judged person, best on top; where there are many, the best and the last."""
    drawn = judged(people)
    if len(drawn) > _MOST_DRAWN:
        drawn = pd.concat([drawn.head(_MOST_DRAWN // 2), drawn.tail(_MOST_DRAWN // 2)])
    drawn = drawn.iloc[::-1].reset_index(drop=True)
    rows = drawn.index
    figure = go.Figure(layout=charts.layout(height=charts.height_beside(len(drawn))))
    for standing, colour in _COLOURS.items():
        some = drawn[drawn["standing"] == standing]
        figure.add_trace(
            go.Scatter(
                x=some["adjusted"],
                y=some.index,
                customdata=some[["staff_id"]].to_numpy().tolist(),
                mode="markers",
                name=t(f"standing.{standing}"),
                marker={"color": colour, "size": 10},
                error_x=charts.whiskers(some["adjusted"], some["lo95"], some["hi95"], colour),
                text=[_hover(row) for _, row in some.iterrows()],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    names = drawn["staff_id"] if narrow() else drawn["staff_id"] + "  " + drawn["store"].astype("str")
    figure.update_yaxes(
        tickvals=list(rows), ticktext=names.tolist(), range=[-0.6, len(drawn) - 0.4], showgrid=False, zeroline=False,
        tickfont=charts.NAMES,
    )  # fmt: skip
    figure.update_xaxes(
        tickformat=".0%", title={"text": t("staff.of_expected"), "standoff": 6}, showgrid=True, gridcolor=palette.RULE
    )
    figure.add_vline(x=1, line={"color": palette.SOFT_TEXT, "width": 1, "dash": "dot"})
    charts.legend_above(figure)
    return figure


def _hover(row: pd.Series) -> str:
    return t(
        "staff.hover",
        who=row["staff_id"],
        store=row["store"],
        ratio=fmt.percent(row["adjusted"]),
        range=range_of(row),
        shifts=fmt.count(row["shifts"]),
    )


def range_of(row: pd.Series) -> str:
    """The 95 % range of one person in words."""
    return t("staff.range", low=fmt.percent(row["lo95"]), high=fmt.percent(row["hi95"]))


def sentence(person: pd.Series) -> str:
    """Where one person stands, as a sentence anybody can use."""
    if fmt.is_missing(person["adjusted"]):
        return t("staff.sentence.too_few", shifts=LEAST_SHIFTS, hours=fmt.count(LEAST_HOURS))
    return t(f"staff.sentence.{person['standing']}", ratio=fmt.percent(person["adjusted"]), range=range_of(person))


def facts(person: pd.Series) -> list[tuple[str, str]]:
    """What is known about a person, as label and text."""
    role = person["role"]
    known = "" if fmt.is_missing(role) else word("role_at_work", str(role))
    return [
        (t("column.staff_id"), str(person["staff_id"])),
        (t("column.store"), str(person["store"])),
        (t("column.role"), known),
        (t("column.hired_on"), fmt.day(person["hired_on"])),
    ]


def person_figures(person: pd.Series, currency: str) -> list[tuple[str, str, str | None]]:
    """The figures of one person in the period."""
    units = {
        "net_sales": "money",
        "raw_per_hour": "money",
        "average_ticket": "money",
        "units_per_transaction": "decimal",
        "return_rate": "percent",
        "csat": "decimal",
    }
    named = {"raw_per_hour": "sales_per_hour"}
    found: list[tuple[str, str, str | None]] = []
    for key, unit in units.items():
        metric = named.get(key, key)
        told = t(f"metric.{metric}.help")
        if key == "csat" and not fmt.is_missing(person["answers"]):
            told += "\n\n" + t("staff.answers", n=fmt.count(person["answers"]))
        name = f"metric.{metric}.short" if exists(f"metric.{metric}.short") else f"metric.{metric}"
        found.append((t(name), fmt.card_value(person[key], unit, currency), told))
    return found


def months(frame: pd.DataFrame, currency: str) -> go.Figure:
    """The sales an hour of a person, month by month, as many months as can be told apart."""
    parts = {"sales_per_hour": t("metric.sales_per_hour")}
    latest = frame.tail(_MONTHS)
    return charts.columns_over_time(latest, month="month", parts=parts, unit="money", currency=currency)


def strengths(frame: pd.DataFrame) -> go.Figure:
    """How much of a person's sales each category is, beside the team's: the strongest on top."""
    ordered = frame.assign(more=frame["share"] - frame["team_share"]).sort_values("more")
    names = ordered["category"].fillna(t("staff.no_category"))
    figure = go.Figure(layout=charts.layout(height=charts.height_beside(len(ordered))))
    for column_name, colour, name in (
        ("team_share", palette.QUIET, t("staff.team")),
        ("share", palette.OWN, t("staff.own")),
    ):
        figure.add_trace(
            go.Bar(
                x=ordered[column_name],
                y=names,
                orientation="h",
                name=name,
                marker={"color": colour},
                text=[fmt.percent(value) for value in ordered[column_name]],
                textposition="outside",
                hovertemplate="%{y}: %{text}<extra>%{fullData.name}</extra>",
            )
        )
    figure.update_xaxes(visible=False, range=[0, float(ordered[["share", "team_share"]].max().max()) * 1.18])
    figure.update_yaxes(tickfont=charts.NAMES)
    figure.update_layout(barmode="group")
    charts.legend_above(figure, order="reversed")
    return figure
