"""The table behind a chart says what its tooltips say."""

import numpy as np
import pandas as pd
import pytest

from pages._ui import chart_data, charts, grids
from pages._ui.i18n import speaking


@pytest.fixture(autouse=True)
def english() -> object:
    with speaking("en"):
        yield


def test_a_line_and_what_it_is_compared_with_are_two_columns_over_the_days() -> None:
    days = pd.DataFrame(
        {"day": pd.date_range("2026-11-01", periods=2), "net_sales": [1.0, 2.0], "last_year": [4.0, None]}
    )
    compare = {"last_year": "Last year"}
    figure = charts.time_line(days, value="net_sales", name="Now", currency="CNY", compare=compare)
    table = chart_data.rows(figure)
    assert table.columns.tolist() == ["Mark", "Last year", "Now"]
    assert table.to_numpy().tolist() == [["Nov 1, 2026", "¥4.00", "¥1.00"], ["Nov 2, 2026", "–", "¥2.00"]]


def test_a_bar_stands_under_its_name() -> None:
    frame = pd.DataFrame({"store": ["A", "B"], "value": [10.0, 5.0], "id": ["1", "2"]})
    figure = charts.ranked_bars(frame, label="store", value="value", ids="id", currency="CNY")
    assert chart_data.rows(figure).to_numpy().tolist() == [["A", "¥10.00"], ["B", "¥5.00"]]


def test_a_cell_stands_under_its_row_and_column() -> None:
    values = np.array([[1.0, 2.0], [np.nan, 4.0]])
    texts = [["1", "2"], ["", "4"]]
    figure = grids.heat_map(values, rows=["Mon", "Tue"], columns=["10", "11"], texts=texts, hints=texts)
    assert chart_data.rows(figure).to_numpy().tolist() == [["Mon · 10", "1"], ["Mon · 11", "2"], ["Tue · 11", "4"]]
