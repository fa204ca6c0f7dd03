"""The events of the year behind charts whose axis of time is their own: a customer's, weeks of stores, days ahead."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from pages._ui import person, run_out_views, stores_views
from pages._ui.i18n import t

DOUBLE_11 = "event.double_11"  # 1 to 11 November


def names(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_a_customers_axis_of_time_names_the_events() -> None:
    rows = {"kind": "purchase", "at": pd.to_datetime(["2026-10-20 12:00", "2026-11-18 12:00"]), "amount": [100.0, 50.0]}
    timeline = pd.DataFrame(rows).assign(order_id=["O1", "O2"], text="", detail="", store="S", store_id="S1")
    figure = person.axis_of_time(timeline, "CNY", pd.Timestamp("2026-11-20"))
    assert t(DOUBLE_11) in names(figure)
    assert person.axis_of_time(timeline, "GBP", pd.Timestamp("2026-11-20")).layout.shapes == ()  # not their days


def test_weeks_of_stores_are_shaded_where_an_event_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores_views, "localized", lambda rows, _: rows)
    ends = pd.date_range("2026-10-23", periods=4, freq="7D")  # 17 October to 13 November
    weeks = pd.DataFrame({"store_id": "S1", "store": "S", "week_ends": ends, "net_sales": 10.0, "last_year": 9.0})
    report: Any = SimpleNamespace(stores=weeks.head(1), weeks=weeks, currency="CNY")
    figure = stores_views.weeks(report)
    shade, _, line, store = figure.data
    assert (store.text, store.x) == (("S", ""), (0.03, None))
    # Weeks 0 to 3 from 0.03 to 0.96. The first day drawn is half a week before 0; November begins 15 days later and
    # its 11th ends 26 days later.
    begin, end = (0.03 + 0.93 / 3 * (day / 7 - 0.5) for day in (15, 26))
    assert shade.x == (round(begin, 4), round(begin, 4), round(end, 4), round(end, 4), None)
    told = [t(DOUBLE_11) in carried[3] for carried in line.customdata if carried]
    assert told == [False, False, True, True]  # the third week ends on 6 November


def test_days_ahead_name_the_events() -> None:
    by_day = pd.DataFrame({"day": pd.date_range("2026-11-05", periods=14), "customers": 3})
    report: Any = SimpleNamespace(by_day=by_day)
    figure = run_out_views.by_day(report, "CNY")
    assert t(DOUBLE_11) in names(figure)
    assert figure.data[0].x[0] == figure.data[0].customdata[0][0] == "2026-11-05"
