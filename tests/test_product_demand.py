"""Demand of a product: its weeks in one store and in several, and promotions on the chart and in words."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from data_access.errors import Problem
from data_access.results.tables import demand_accuracy, demand_product
from data_access.snapshot import Snapshot
from models.jobs.job import Job
from models.reports import demand
from models.reports.product_demand import product_demand
from pages._ui import charts, demand_views, forecast_charts, product_demand_views
from pages._ui import format as fmt
from pages._ui.i18n import t
from tests.results_kit import one_job
from tests.tiny import CHAIN, NOTHING, ONLY_A

AHEAD = pd.date_range("2026-03-21", periods=8, freq="7D")  # the day after the last day of the tiny chain


def rows(store: str, mean: float, low: float, high: float) -> pd.DataFrame:
    whose = {"store_id": store, "product_id": "P1", "category": "Face"}
    return pd.DataFrame({"ds": AHEAD, "mean": mean, "lo80": low, "hi80": high}).assign(**whose)


@pytest.fixture(scope="module")
def forecast(tiny_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """3 units a week in store A, 2 in B."""

    def run(_: Snapshot, write: Any, __: Any) -> None:
        write(demand_product, pd.concat([rows("B", 2.0, 0.0, 4.0), rows("A", 3.0, 1.0, 5.0)]))

    job = Job("forecast", (demand_product, demand_accuracy), lambda _: "", run)
    return one_job(tiny_snapshot, job, tmp_path_factory.mktemp("results"))


def test_a_store_has_a_range_and_several_have_none(forecast: Snapshot) -> None:
    alone, both = (product_demand(forecast, scope, "P1") for scope in (ONLY_A, CHAIN))
    assert alone.weeks[["mean", "lo80", "hi80"]].iloc[0].tolist() == [3, 1, 5]
    assert both.weeks["mean"].tolist() == [3 + 2] * 8
    assert both.weeks[["lo80", "hi80"]].isna().all(axis=None)
    assert both.ahead["expected"].tolist() == [1 * 5, 4 * 5, 8 * 5]
    assert both.stores[["store_id", "next_week", "hi80", "expected"]].to_numpy().tolist() == [
        ["A", 3, 5, 4 * 3],
        ["B", 2, 4, 4 * 2],
    ]


def test_weeks_of_the_past_end_on_the_last_day(forecast: Snapshot) -> None:
    history = product_demand(forecast, CHAIN, "P1").history
    assert history["ds"].iloc[-1] == pd.Timestamp("2026-03-14")
    assert set(history["ds"].diff().dropna().dt.days) == {7}
    assert history["units"].iloc[0] > 0


def test_a_product_nobody_forecast_says_so(forecast: Snapshot, tiny_snapshot: Snapshot) -> None:
    assert product_demand(forecast, CHAIN, "P2").last_day is None
    assert product_demand(tiny_snapshot, CHAIN, "P1").weeks.empty
    for scope, product in ((CHAIN, "P9"), (NOTHING, "P1")):
        with pytest.raises(Problem, match="no product"):
            product_demand(forecast, scope, product)


def test_a_promotion_is_set_against_days_without_one() -> None:
    days = pd.date_range("2026-01-01", periods=6)
    known = pd.Series([0.9, 0.9, 1.08, 1.17, 0.9, 0.9], days)  # its own mean is near 1
    offers = pd.DataFrame({"starts_on": [days[2]], "ends_on": [days[3]]})
    usual = demand._without(known, offers)
    assert usual == 0.9
    assert demand._strongest(known / usual, date(2026, 1, 3), date(2026, 1, 4)) == pytest.approx(1.17 / 0.9 - 1)


def offer(starts: str, ends: str, effect: float = np.nan) -> pd.DataFrame:
    days = {"starts_on": pd.to_datetime([starts]), "ends_on": pd.to_datetime([ends])}
    return pd.DataFrame({"kind": "promotion", "event": [None], **days, "discount": 0.2, "effect": effect})


def test_promotions_lie_below_the_axis_with_a_stroke_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[go.Figure] = []
    monkeypatch.setattr(charts, "show", lambda figure, **_: drawn.append(figure))
    past = pd.DataFrame({"ds": pd.date_range("2026-03-01", periods=20), "units": 5.0})
    ahead = pd.DataFrame({"ds": pd.date_range("2026-03-21", periods=5), "mean": 6.0})
    occasions = pd.concat([offer("2026-03-10", "2026-03-12"), offer("2026-03-22", "2026-04-30")])
    forecast_charts.show(past, ahead, occasions, alt="", key="")
    rule = drawn[0].data[-1]
    assert rule.x == ("2026-03-10", "2026-03-11", "2026-03-12", None, *(f"2026-03-{day}" for day in (22, 23, 24, 25)))
    assert max(y for y in rule.y if y is not None) < 0
    assert rule.marker.size == (9, 0.1, 9, 0.1, 9, 0.1, 0.1, 9)
    assert rule.customdata[0][1] == t("demand.everything") + " −20%"
    assert drawn[0].layout.yaxis.range[0] < min(y for y in rule.y if y is not None)


def test_a_range_that_says_nothing_is_not_drawn_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[go.Figure] = []
    told: list[str] = []
    monkeypatch.setattr(charts, "show", lambda figure, **_: drawn.append(figure))
    monkeypatch.setattr("pages._ui.forecast_charts.st.caption", told.append)
    past = pd.DataFrame({"ds": pd.date_range("2026-03-01", periods=20), "units": 5.0})
    ranges = {"lo80": 1.0, "hi80": 20 * 6.0, "lo95": 0.0, "hi95": 20 * 6.0 + 1}
    ahead = pd.DataFrame({"ds": pd.date_range("2026-03-21", periods=5), "mean": 6.0, **ranges})
    forecast_charts.show(past, ahead, offer("2026-03-10", "2026-03-12").iloc[:0], alt="", key="")
    names = [t("demand.interval", level=80), t("demand.sold"), t("demand.expected")]
    assert [trace.name for trace in drawn[0].data] == names
    assert told == [t("demand.too_wide", ranges=t("demand.interval", level=95), times=20)]


@pytest.mark.parametrize(("effect", "said"), [(0.09, "demand.why_offers_up"), (np.nan, "demand.why_offers")])
def test_promotions_ahead_are_said_with_what_they_do(effect: float, said: str) -> None:
    sentence = demand_views._offers_said(offer("2026-03-22", "2026-03-24", effect))
    days = fmt.period(date(2026, 3, 22), date(2026, 3, 24))
    text = t(said, days=days, offers=t("demand.everything") + " −20%", share="9%")
    assert sentence == text


def test_the_league_goes_from_the_chain_down_and_says_where_naive_wins() -> None:
    league = pd.DataFrame(
        [
            ("product", "intermittent", "seasonal_naive", True, 0.9),
            ("chain", "regular", "seasonal_naive", False, 0.2),
            ("chain", "regular", "lightgbm", True, 0.1),
            ("store", "regular", "prophet", True, 0.3),
        ],
        columns=["level", "class", "model", "used", "wape"],
    )
    shown = demand_views._in_order(league)
    assert shown["level"].tolist() == ["chain", "chain", "store", "product"]
    assert shown["used"].tolist() == [True, False, True, True]
    where = t("demand.level.product") + " · " + t("demand.class.intermittent")
    assert demand_views._won(shown) == t("demand.won", n="2", all="3") + " " + t("demand.naive_wins", where=where)


def test_few_units_are_not_rounded_to_none() -> None:
    assert [product_demand_views.units(value) for value in (0.4, 9.96, 12.4)] == ["0.4", "10.0", "12"]
    report: Any = SimpleNamespace(weeks=rows("A", 1, 0, 2))
    assert product_demand_views._ranged(report)
