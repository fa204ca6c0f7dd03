"""The parts of the page that takes a change apart: one plain sentence, a waterfall, bars of effects."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.reports.why import BY, RATIOS, By, Ratio, WhyMixReport, WhyReport
from pages._ui import charts, compared, load, palette, session
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.device import narrow
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, in_words

_MOST = 12  # bars
_JOINED = "\u2060"  # between a sign and an amount, which a line must not end between
_TOLD = 0.15  # of the change: effects below it are not worth a word
_UNITS = {
    "traffic": "count",
    "conversion": "percent",
    "orders": "count",
    "units_per_transaction": "decimal",
    "price": "money",
    "returns": "money",
}
# The ratio that says more of a factor, and by what.
_BEHIND: dict[str, tuple[Ratio, By]] = {
    "traffic": ("conversion", "store"),
    "conversion": ("conversion", "store"),
    "orders": ("ticket", "store"),
    "units_per_transaction": ("units_per_transaction", "store"),
    "price": ("price", "category"),
    "returns": ("return_rate", "category"),
}
_RATIO_UNITS: dict[Ratio, str] = {
    "units_per_transaction": "decimal",
    "conversion": "percent",
    "return_rate": "percent",
}


def sentence(report: WhyReport) -> str:
    """What happened, and which factors make up most of it, in one sentence."""
    row = report.summary.iloc[0]
    change = float(row["change"])
    if not change:
        return t("why.unchanged")
    text = t(
        "why.rose" if change > 0 else "why.fell",
        amount=fmt.money_compact(abs(change), report.currency),
        ratio=fmt.percent(abs(row["change_ratio"])),
        against=compared.word("why.than"),
    )
    ranked = report.effects.sort_values("effect", key=abs, ascending=False)
    told = ranked[ranked["effect"].abs() >= _TOLD * abs(change)]
    for key, some in (
        ("why.because", told[told["effect"] * change > 0]),
        ("why.despite", told[told["effect"] * change < 0]),
    ):
        if len(some):
            text += t(key, what=t("why.and").join(_effect(row, report.currency) for _, row in some.iterrows()))
    return text + t("why.stop")


def _effect(row: pd.Series, currency: str) -> str:
    way = "up" if row["effect"] > 0 else "down"
    amount = _JOINED + fmt.money_compact(abs(row["effect"]), currency)
    return t(f"why.factor.{row['factor']}.{way}", amount=amount)


def periods(report: WhyReport) -> str:
    """Which days are compared with which."""
    now, other = report.period, report.other
    assert now is not None
    assert other is not None
    return t("why.periods", now=fmt.period(now.first, now.last), other=fmt.period(other.first, other.last))


def figures(report: WhyReport) -> list[tuple[str, str, str | None]]:
    """Net sales then and now, and the change."""
    row, currency = report.summary.iloc[0], report.currency
    return [
        (t("metric.net_sales"), fmt.card_value(row["net_sales"], "money", currency), t("metric.net_sales.help")),
        (t("why.compared_with"), fmt.card_value(row["compared_with"], "money", currency), t("why.compared_with.help")),
        (t("column.apart_from"), fmt.signed_card(row["change"], currency), t("why.accounting")),
        (t("column.change_ratio"), fmt.change(row["change_ratio"]), None),
    ]


def factors(report: WhyReport) -> go.Figure:
    """From the net sales then to those now: a step for each factor."""
    row = report.summary.iloc[0]
    effects = report.effects["effect"].tolist()
    begins, level = [0.0], float(row["compared_with"])
    for effect in effects:
        begins.append(min(level, level + effect))
        level += effect
    heights = [float(row["compared_with"]), *(abs(effect) for effect in effects), float(row["net_sales"])]
    names = [t("why.then"), *(t(f"why.factor.{name}") for name in report.effects["factor"]), t("why.now")]
    ids = ["then", *report.effects["factor"], "now"]
    signed = [float(row["compared_with"]), *effects, float(row["net_sales"])]
    colours = [palette.QUIET, *(palette.OWN if effect > 0 else palette.SECOND for effect in effects), palette.QUIET]
    texts = [fmt.card_value(value, "money", report.currency) for value in signed]
    figure = go.Figure(
        go.Bar(
            x=list(range(len(names))),
            y=heights,
            base=[*begins, 0.0],
            marker={"color": colours, "cornerradius": 3},
            text=[
                text if place in (0, len(texts) - 1) or value < 0 else f"+{text}"
                for place, (text, value) in enumerate(zip(texts, signed, strict=True))
            ],
            textposition="outside",
            constraintext="none",  # all of one size
            textfont={"size": 11 if narrow() else charts.NAMES["size"], "color": palette.SOFT_TEXT},
            cliponaxis=False,
            customdata=[
                [one, name, fmt.value(value, "money", report.currency)]
                for one, name, value in zip(ids, names, signed, strict=True)
            ],
            hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
            showlegend=False,
        ),
        charts.layout(height=320, margin={**charts.MARGIN, "t": 28}),
    )
    figure.update_xaxes(
        tickvals=list(range(len(names))),
        ticktext=[_wrapped(name) for name in names],
        showgrid=False,
        ticks="",
        fixedrange=True,
        tickangle=0,
    )
    highest = max(base + height for base, height in zip([*begins, 0.0], heights, strict=True))
    floor = _floor(report)
    figure.update_yaxes(visible=False, range=[floor, highest + 0.12 * (highest - floor)], fixedrange=True)
    return figure


def take_apart(factor: str) -> None:
    """Shows the ratio behind a step, by the parts that say most; for the callback of the chart."""
    if factor in _BEHIND:
        st.query_params["ratio"], st.query_params["by"] = _BEHIND[factor]


def _floor(report: WhyReport) -> float:
    """Where the axis begins. The steps are what it is about: where they are small that is above zero, which
    ``factors_note`` says."""
    row = report.summary.iloc[0]
    levels = [float(row["compared_with"]), *(row["compared_with"] + report.effects["effect"].cumsum())]
    lowest, highest = min(levels), max(levels)
    return max(0.0, lowest - (highest - lowest)) if lowest > 0 else lowest


def factors_note(report: WhyReport) -> str:
    """What the steps are of, and where their axis begins unless that is zero."""
    floor = _floor(report)
    if floor <= 0:
        return t("why.factors_note")
    return t("why.factors_note_from", floor=fmt.money_compact(floor, report.currency))


def _wrapped(name: str) -> str:
    return name.replace(" ", "<br>", 1)


def factors_in_words(report: WhyReport) -> str:
    """Each factor then and now."""
    return " · ".join(
        t(
            "why.from_to",
            factor=t(f"why.factor.{row['factor']}"),
            before=fmt.card_value(row["before"], _UNITS[row["factor"]], report.currency),
            after=fmt.card_value(row["after"], _UNITS[row["factor"]], report.currency),
        )
        for _, row in report.effects.iterrows()
    )


def effects(frame: pd.DataFrame, currency: str) -> go.Figure:
    """Effects as bars to the right (more) and to the left (less), in their own order."""
    named = frame.assign(label=[t(f"why.factor.{name}") for name in frame["factor"]])
    return changes(named, "label", "factor", currency, value="effect")


def changes(frame: pd.DataFrame, label: str, ids: str, currency: str, *, value: str = "change") -> go.Figure:
    """Changes as bars to the right (more) and to the left (less); the largest, where there are many."""
    shown = frame.head(_MOST)
    numbers = shown[value].astype(float)
    lowest, highest = min(float(numbers.min()), 0.0), max(float(numbers.max()), 0.0)
    # Beside the bars stands the amount, as wide as a quarter of a phone's chart.
    room = (0.6 if narrow() else 0.28) * ((highest - lowest) or 1.0)
    rows, height = list(range(len(shown))), charts.height_of(len(shown)) + 24
    texts = [("+" if number > 0 else "") + fmt.card_value(number, "money", currency) for number in numbers]
    figure = go.Figure(
        go.Bar(
            y=rows,
            x=numbers.tolist(),
            orientation="h",
            marker={"color": [palette.OWN if number > 0 else palette.SECOND for number in numbers], "cornerradius": 3},
            text=texts,
            textposition="outside",
            constraintext="none",
            textfont={"size": charts.NAMES["size"], "color": palette.SOFT_TEXT},
            width=charts.bar_width(len(shown), height),
            cliponaxis=False,
            customdata=list(
                zip(
                    shown[ids].astype(str),
                    shown[label].astype(str),
                    [fmt.value(number, "money", currency) for number in numbers],
                    strict=True,
                )
            ),
            hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
            showlegend=False,
        ),
        charts.layout(height=height),
    )
    figure.update_xaxes(
        visible=False,
        range=[lowest - (room if lowest else 0.04 * room), highest + (room if highest else 0.04 * room)],
        fixedrange=True,
    )
    charts.name_rows(figure, [str(name) for name in shown[label]])
    figure.add_vline(x=0, line={"color": palette.SOFT_TEXT, "width": 1})
    return figure


def movers(products: pd.DataFrame) -> pd.DataFrame:
    """The products that changed most, for the list: here the change is against what the page compares with."""
    named = localized(products, {"product": "product.name", "category": "product.category"})
    return named.assign(apart_from=named["change"], sales_then=named["compared_with"])


def ratio() -> tuple[Ratio, By]:
    """Which ratio the reader takes apart, and by what: staff only for whoever may see single people."""
    ways = [way for way in BY if way != "staff" or session.may_open("staff")]
    with st.container(horizontal=True, gap="small"):
        chosen = choice("ratio", tuple(RATIOS), words="why.ratio", width=200)
        named = next(name for name in RATIOS if name == chosen)
        by = choice("by", tuple(way for way in ways if named in BY[way]), words="why.by", width=200)
    return named, next(way for way in BY if way == by)


def ratio_sentence(report: WhyMixReport, named: Ratio) -> str:
    """How the ratio moved, within the groups and by their weights, in one sentence."""
    row = report.total.iloc[0]
    return t(
        "why.ratio_told",
        ratio=t(f"why.ratio.{named}"),
        before=_of_ratio(row["rate_before"], named, report.currency),
        now=_of_ratio(row["rate"], named, report.currency),
        rate=_signed(row["rate_effect"], named, report.currency),
        mix=_signed(row["mix_effect"], named, report.currency),
    )


def ratio_rows(report: WhyMixReport, named: Ratio, by: By) -> pd.DataFrame:
    """The groups as a list shows them: by name, the ratio and its effects as text."""
    fields = {"store": "store.name", "category": "product.category"}
    groups = report.groups
    names = groups["key"]
    if by == "store":
        places = load.places(load.generation()).set_index("store_id")["store"]
        names = names.map(places).fillna(names)
    if by in ("channel", "customers"):
        names = in_words(names, "channel" if by == "channel" else "why.customers")
    unknown = t("why.unidentified" if by == "customers" else "why.unknown")
    named_groups = groups.assign(group=names.where(groups["key"] != "", unknown))
    rows = localized(named_groups, {"group": fields[by]}) if by in fields else named_groups
    return rows.assign(
        now=[_of_ratio(value, named, report.currency) for value in rows["rate"]],
        then=[_of_ratio(value, named, report.currency) for value in rows["rate_before"]],
        within=[_signed(value, named, report.currency) for value in rows["rate_effect"]],
        mixed=[_signed(value, named, report.currency) for value in rows["mix_effect"]],
    )


def ratio_columns() -> list[Column]:
    return [
        Column("group", "text"), Column("within", "text"), Column("mixed", "text"), Column("then", "text"),
        Column("now", "text"), Column("weight_before", "percent"), Column("weight", "percent"),
    ]  # fmt: skip


def _of_ratio(value: float, named: Ratio, currency: str) -> str:
    return fmt.MISSING if fmt.is_missing(value) else fmt.value(value, _RATIO_UNITS.get(named, "money"), currency)


def _signed(value: float, named: Ratio, currency: str) -> str:
    if _RATIO_UNITS.get(named) == "percent":
        return fmt.points(value)
    sign = "+" if value > 0 else ""
    return (sign + _of_ratio(value, named, currency)).replace("+", f"+{_JOINED}").replace("-", f"-{_JOINED}")
