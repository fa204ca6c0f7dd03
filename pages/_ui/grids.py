"""Heat maps with their numbers, and the picture of how concentrated sales are.

Heat maps tell the browser nothing about clicks, so each carries a layer of invisible markers that does.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages._ui import charts, palette
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import t

# Of the scale: in stronger cells the colour of the ground reads better than that of text, in light and dark. Between
# the two shades around it neither reads well enough, so no cell has one: the scale jumps there.
_STRONG = 0.6
_JUMP = (0.44, 0.66)


def heat_map(
    values: np.ndarray,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    texts: Sequence[Sequence[str]],
    hints: Sequence[Sequence[str]],
    ids: Sequence[Sequence[str]] | None = None,
    row_height: int = 30,
    column_name: str = "",
    top: float | None = None,
    numbers: bool = True,
) -> go.Figure:
    """Cells coloured by ``values`` with ``texts`` in them and ``hints`` as tooltips, first row on top. NaN: no cell,
    but where it has a text that says why.

    A click gives the cell's ``ids``. ``top`` is the value of the strongest colour (default: the highest).
    """
    height, width = values.shape
    known = np.isfinite(values)
    highest = top or (float(values[known].max()) if known.any() else 1.0)
    scale = highest or 1.0
    layers = [
        _cells(np.where(values <= _STRONG * scale, values, np.nan), texts if numbers else None, scale, palette.TEXT),
        _cells(np.where(values > _STRONG * scale, values, np.nan), texts if numbers else None, scale, palette.GROUND),
    ]
    unknown = [(x, y) for y in range(height) for x in range(width) if not known[y, x] and texts[y][x]]
    if unknown:
        layers.append(
            {
                "type": "scatter",
                "x": [x for x, _ in unknown],
                "y": [y for _, y in unknown],
                "mode": "text",
                "text": [texts[y][x] for x, y in unknown],
                "textfont": {"size": 14, "color": palette.FALL},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    cells = [(x, y) for y in range(height) for x in range(width) if known[y, x] or texts[y][x]]
    layers.append(
        {
            "type": "scatter",
            "x": [x for x, _ in cells],
            "y": [y for _, y in cells],
            "mode": "markers",
            "marker": {"size": max(row_height - 4, 8), "symbol": "square", "opacity": 0},
            "selected": {"marker": {"opacity": 0}},
            "unselected": {"marker": {"opacity": 0}},
            "customdata": [[ids[y][x] if ids else "", hints[y][x]] for x, y in cells],
            "hovertemplate": "%{customdata[1]}<extra></extra>",
            "showlegend": False,
        }
    )
    axis = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True, "automargin": True}
    across = {
        "tickvals": list(range(width)),
        "ticktext": list(columns),
        "side": "top",
        "title": {"text": column_name or None, "standoff": 6},
        "range": [-0.5, width - 0.5],
        "tickangle": 0,
        **axis,
    }
    down = {"tickvals": list(range(height)), "ticktext": list(rows), "range": [height - 0.5, -0.5], **axis}
    more = {"hoverdistance": 30, "xaxis": across, "yaxis": down}
    return go.Figure(layers, charts.layout(height=row_height * height + (52 if column_name else 30), **more))


def _cells(values: np.ndarray, texts: Sequence[Sequence[str]] | None, scale: float, ink: str) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": [[_shade(value / scale) if np.isfinite(value) else None for value in row] for row in values],
        "zmin": 0,
        "zmax": 1,
        "colorscale": palette.SCALE,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        # Plotly writes the text of an empty cell, too.
        "text": [
            [text if np.isfinite(value) else "" for text, value in zip(*pair, strict=True)]
            for pair in zip(texts, values, strict=True)
        ]
        if texts is not None
        else None,
        "texttemplate": "%{text}" if texts is not None else None,
        "textfont": {"size": 12, "color": ink},
        "hoverinfo": "skip",
    }


def _shade(share: float) -> float:
    """Where on the scale of colours a share of the strongest lies: in order, and never within the jump."""
    low, high = _JUMP
    if share <= _STRONG:
        return float(share * low / _STRONG)
    return float(min(high + (share - _STRONG) * (1 - high) / (1 - _STRONG), 1.0))


def hours(frame: pd.DataFrame) -> go.Figure:
    """Orders in an average hour of the week. ``frame``: weekday (1 = Monday), hour, orders and days."""
    first, last = int(frame["hour"].min()), int(frame["hour"].max())
    values = np.zeros((7, last - first + 1))
    for weekday, hour, orders, days in frame[["weekday", "hour", "orders", "days"]].itertuples(index=False):
        values[int(weekday) - 1, int(hour) - first] = float(orders) / float(days) if days else np.nan
    names = [fmt.weekday(day) for day in range(1, 8)]
    times = [str(hour) for hour in range(first, last + 1)]
    texts = [["" if np.isnan(value) else fmt.decimal(value, 1) for value in row] for row in values]
    hints = [
        [
            t("charts.hour_hint", day=day, hour=hour, orders=fmt.decimal(value, 1))
            for hour, value in zip(times, row, strict=True)
        ]
        for day, row in zip(names, values, strict=True)
    ]
    return heat_map(
        values,
        rows=names,
        columns=times,
        texts=texts,
        hints=hints,
        column_name=t("charts.hour_of_day"),
        numbers=not narrow(),
    )


def cohorts(frame: pd.DataFrame) -> go.Figure:
    """Share of each cohort that bought again, by months since the first order; a click gives ``"cohort|month"``.

    ``frame``: cohort, month_number, size, customers, rate, complete, as in the retention report. The running month
    is marked, because it can only grow.
    """
    later = frame[frame["month_number"] > 0]
    names = list(dict.fromkeys(later["cohort"]))
    months = {name: fmt.month(name) for name in names}
    firsts = frame.drop_duplicates("cohort").set_index("cohort")["size"]
    sizes = {name: fmt.count(firsts[name]) for name in names}
    reach = int(later["month_number"].max()) if len(later) else 1
    if narrow():
        reach = min(reach, 6)
    values = np.full((len(names), reach), np.nan)
    texts = [["" for _ in range(reach)] for _ in names]
    hints = [["" for _ in range(reach)] for _ in names]
    position = {name: row for row, name in enumerate(names)}
    for cell in later.to_dict("records"):
        row, step = position[cell["cohort"]], cell["month_number"] - 1
        if step >= reach:
            continue
        values[row, step] = cell["rate"]
        texts[row][step] = fmt.percent(cell["rate"], 0) + ("" if cell["complete"] else "*")
        hints[row][step] = t(
            "charts.cohort_hint" if cell["complete"] else "charts.cohort_hint_running",
            cohort=months[cell["cohort"]],
            month=cell["month_number"],
            rate=fmt.percent(cell["rate"]),
            customers=fmt.count(cell["customers"]),
            size=sizes[cell["cohort"]],
        )
    return heat_map(
        values,
        rows=[f"{months[name]} · {sizes[name]}" for name in names],
        columns=[str(step) for step in range(1, reach + 1)],
        texts=texts,
        hints=hints,
        ids=[[f"{name}|{step}" for step in range(1, reach + 1)] for name in names],
        row_height=26,
        column_name=t("charts.months_since"),
    )


def rfm(frame: pd.DataFrame, rule: pd.DataFrame, currency: str) -> go.Figure:
    """Customers by recency (rows) and frequency with spend (columns), named; a click gives ``"r-fm"``.

    ``frame``: r, f, m, customers, net_sales of one tie rule; ``rule``: r, fm, segment, as in the segments report.
    """
    named = {(int(r), int(fm)): segment for r, fm, segment in rule[["r", "fm", "segment"]].itertuples(index=False)}
    people, money = np.zeros((5, 5)), np.zeros((5, 5))
    for r, f, m, customers, net_sales in frame[["r", "f", "m", "customers", "net_sales"]].itertuples(index=False):
        row, column = 5 - int(r), fm_score(int(f), int(m)) - 1
        people[row, column] += customers
        money[row, column] += float(net_sales)
    keys = [[f"{r}-{fm}" for fm in range(1, 6)] for r in range(5, 0, -1)]
    names = [[t(f"segment.{named[r, fm]}") for fm in range(1, 6)] for r in range(5, 0, -1)]
    small = narrow()
    texts = [
        [fmt.compact(people[y, x]) if small else f"{names[y][x]}<br>{fmt.count(people[y, x])}" for x in range(5)]
        for y in range(5)
    ]
    hints = [
        [
            t(
                "charts.rfm_hint",
                segment=names[y][x],
                r=5 - y,
                fm=x + 1,
                customers=fmt.count(people[y, x]),
                net_sales=fmt.money(money[y, x], currency),
            )
            for x in range(5)
        ]
        for y in range(5)
    ]
    return heat_map(
        people,
        rows=[f"R{r}" for r in range(5, 0, -1)],
        columns=[f"FM{fm}" for fm in range(1, 6)],
        texts=texts,
        hints=hints,
        ids=keys,
        row_height=62,
    )


def fm_score(f: int, m: int) -> int:
    """Frequency and spend as one score, half a point rounded up."""
    return (f + m + 1) // 2


def quadrants(frame: pd.DataFrame, currency: str) -> go.Figure:
    """Visits against spend, two by two; a click gives the quadrant. ``frame``: quadrant, customers, net_sales."""
    places = [["rare_high", "frequent_high"], ["rare_low", "frequent_low"]]
    known = frame.set_index("quadrant")
    people = np.array([[float(known["customers"].get(key, 0)) for key in row] for row in places])
    total = max(people.sum(), 1.0)
    texts, hints = [], []
    for row, counts in zip(places, people, strict=True):
        names = [t(f"quadrant.{key}") for key in row]
        money = [float(known["net_sales"].get(key, 0)) for key in row]
        texts.append(
            [
                t("charts.quadrant", name=name, customers=fmt.count(n), share=fmt.percent(n / total))
                for name, n in zip(names, counts, strict=True)
            ]
        )
        hints.append(
            [
                t("charts.quadrant_hint", name=name, customers=fmt.count(n), net_sales=fmt.money(m, currency))
                for name, n, m in zip(names, counts, money, strict=True)
            ]
        )
    return heat_map(
        people,
        rows=[t("charts.spend_high"), t("charts.spend_low")],
        columns=[t("charts.visits_low"), t("charts.visits_high")],
        texts=texts,
        hints=hints,
        ids=places,
        row_height=130,
    )


def pareto(curve: pd.DataFrame, classes: pd.DataFrame) -> go.Figure:
    """How much of net sales the best customers bring: shares of customers against shares of net sales.

    ``curve``: customers, net_sales (so many of the best together); ``classes``: class, customers, customer_share; as
    in the segments report. Customers without net sales are not drawn.
    """
    people, amounts = ([0.0, *curve[name].astype(float)] for name in ("customers", "net_sales"))
    x = np.array(people) / max(float(classes["customers"].sum()), 1)
    y = np.array(amounts) / (amounts[-1] or 1.0)
    figure = go.Figure(
        go.Scatter(
            x=x.round(4).tolist(),
            y=y.round(4).tolist(),
            mode="lines",
            line={"color": palette.OWN, "width": 2.4},
            customdata=[
                [t("charts.pareto_hint", customers=fmt.percent(a), net_sales=fmt.percent(b))]
                for a, b in zip(x, y, strict=True)
            ],
            hovertemplate="%{customdata[0]}<extra></extra>",
        ),
        charts.layout(height=300),
    )
    start = 0.0
    shares = classes.set_index("class")["customer_share"].astype(float)
    for name, strength in (("A", 0.16), ("B", 0.09), ("C", 0.04)):
        end = start + float(shares.get(name, 0.0))
        if end > start:
            figure.add_vrect(x0=start, x1=end, fillcolor=palette.OWN, opacity=strength, line_width=0, layer="below")
            figure.add_annotation(
                x=(start + end) / 2, y=0.04, yanchor="bottom", text=f"<b>{name}</b>", showarrow=False,
                font={"size": 14, "color": palette.SOFT_TEXT},
            )  # fmt: skip
        start = end
    figure.update_layout(margin_r=24)
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(**share_axis())
    figure.update_xaxes(title={"text": t("charts.share_of_customers"), "standoff": 6}, showgrid=False)
    figure.update_yaxes(title={"text": t("charts.share_of_net_sales"), "standoff": 6})
    return figure


def share_axis() -> dict[str, Any]:
    """An axis from nothing to all."""
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    return {
        "tickvals": ticks,
        "ticktext": [fmt.percent(tick, 0) for tick in ticks],
        "range": [0, 1.01],
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
        "gridcolor": palette.RULE,
    }
