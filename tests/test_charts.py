"""Figures: what they carry for a click, how they write numbers, where they stop."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.calc.calendar import events
from pages._ui import bands, charts, grids, palette

STORES = pd.DataFrame(
    {
        "store_id": ["S1", "S2", "S3"],
        "store": ["上海南京路旗舰店", "A shop with a name that is too long for an axis", "小店"],
        "net_sales": [62_100.0, 44_300.5, 0.0],
        "last_year": [60_000.0, np.nan, 10.0],
    }
)


def days(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "day": pd.date_range(end="2026-11-20", periods=count),
            "net_sales": [10.0 * (n % 7 + 1) for n in range(count)],
            "last_year": [np.nan] * count,
        }
    )


CAMPAIGNS = pd.DataFrame(
    {
        "name": ["618", "Members", "Later"],
        "starts_on": pd.to_datetime(["2026-11-10", "2026-11-12", "2026-11-19"]),
        "ends_on": pd.to_datetime(["2026-11-13", "2026-11-12", "2026-11-25"]),
    }
)


def rules(count: int, each: int = 1) -> list[tuple[str | None, str, str]]:
    """Where the rules below a line of so many days stand, what they say, and which days a click gives."""
    line = charts.time_line(days(count), value="net_sales", name="This period", currency="CNY")
    charts.rules_below(line, CAMPAIGNS, pd.Series(line.data[0].x), 100.0, "Campaigns", each=each)
    rule = line.data[-1]
    return [(day, said, span) for day, (span, said) in zip(rule.x, rule.customdata, strict=True)]


def test_a_rule_below_the_axis_says_which_campaigns_ran_and_gives_the_days_of_the_latest() -> None:
    first, members = "2026-11-10/2026-11-13", "2026-11-12/2026-11-12"
    later = "2026-11-19/2026-11-25"
    assert rules(14) == [
        ("2026-11-10", "618", first),
        ("2026-11-11", "618", first),
        ("2026-11-12", "618<br>Members", members),
        ("2026-11-13", "618", first),
        (None, "", ""),
        ("2026-11-19", "Later", later),
        ("2026-11-20", "Later", later),
    ]


def test_a_week_has_the_campaigns_of_all_its_days() -> None:
    assert [rule[:2] for rule in rules(126, each=7)] == [("2026-11-07", "618<br>Members"), ("2026-11-14", "Later")]


def bars(frame: pd.DataFrame = STORES, **more: object) -> object:
    return charts.ranked_bars(
        frame, label="store", value="net_sales", ids="store_id", unit="money", currency="CNY", **more
    )


def test_a_bar_carries_its_id_its_full_name_and_its_full_value() -> None:
    figure = bars()
    assert [tuple(carried) for carried in figure.data[0].customdata] == [
        ("S1", "上海南京路旗舰店", "¥62,100.00"),
        ("S2", "A shop with a name that is too long for an axis", "¥44,300.50"),
        ("S3", "小店", "¥0.00"),
    ]


def test_values_stand_beside_the_bars_and_the_margin_leaves_room_for_them() -> None:
    figure = bars()
    assert [text.strip() for text in figure.data[1].text] == ["¥62.1k", "¥44.3k", "¥0"]
    assert figure.layout.xaxis.range[1] == 62_100
    assert figure.layout.margin.r > 8 * len("¥62.1k")


def test_the_longest_bar_has_its_value_though_it_is_rounded_up() -> None:
    figure = bars(STORES.assign(net_sales=[14_100.00006, 2.0, 1.0]))
    assert max(figure.data[1].x) == 14_100.0001 <= figure.layout.xaxis.range[1]


def test_long_names_are_cut_on_the_axis_and_shorter_on_a_phone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bars().layout.yaxis.ticktext[1] == "A shop with a name that is too…"
    monkeypatch.setattr("pages._ui.charts.narrow", lambda: True)
    assert bars().layout.yaxis.ticktext[1] == "A shop with a name that is…"


def test_losses_run_to_the_left_with_their_names_on_the_right() -> None:
    figure = bars(STORES.assign(net_sales=[-10.0, -5.0, -1.0]))
    assert tuple(figure.layout.xaxis.range) == (-10, 0)
    assert figure.layout.margin.l > figure.layout.margin.r
    assert figure.layout.yaxis.side == "right"


def test_the_comparison_is_a_mark_and_an_unknown_one_is_none() -> None:
    marks = bars(compare="last_year", compare_name="Last year").data[1]
    assert list(marks.x) == [60_000.0, None, 10.0]
    # the value stands at the end of its bar, and beyond the mark only where that would lie on it
    assert list(bars(compare="last_year", compare_name="Last year").data[2].x) == [62_100.0, 44_300.5, 10.0]
    near_and_far = STORES.assign(last_year=[61_000.0, 45_000.0, 30_000.0])
    drawn = bars(near_and_far, compare="last_year", compare_name="Last year")
    assert list(drawn.data[2].x) == [62_100.0, 45_000.0, STORES["net_sales"].iloc[2]]
    # in the colour of its bar, or it would read as the mark's
    assert bars(compare="last_year", compare_name="Last year").data[2].textfont.color == palette.OWN
    assert marks.customdata[0][2] == "Last year ¥60,000.00"


def test_no_rows_give_an_empty_figure() -> None:
    assert len(bars(STORES.iloc[:0]).data[0].x) == 0


def test_a_line_keeps_its_days_and_leaves_out_a_comparison_that_is_unknown() -> None:
    figure = charts.time_line(
        days(28), value="net_sales", unit="money", currency="CNY", name="Now", compare={"last_year": "Last year"}
    )
    assert [trace.name for trace in figure.data] == ["Now"]
    assert figure.data[0].x[0] == "2026-10-24"
    assert figure.data[0].mode == "lines+markers"  # a line without markers cannot be clicked
    assert figure.layout.showlegend is False


def test_long_periods_are_summed_by_whole_weeks_that_end_with_the_data() -> None:
    frame = charts.by_week(days(16), ["net_sales"])
    # 16 days: 2 are left out, then weeks of 3 4 5 6 7 1 2 and 3 4 5 6 7 1 2, each times 10
    assert frame["net_sales"].tolist() == [280.0, 280.0]
    assert frame["day"].dt.date.tolist() == [date(2026, 11, 7), date(2026, 11, 14)]


def test_a_week_with_an_unknown_day_is_unknown() -> None:
    frame = days(14)
    frame.loc[3, "net_sales"] = np.nan
    assert charts.by_week(frame, ["net_sales"])["net_sales"].isna().tolist() == [True, False]


def test_an_event_stands_behind_the_line_with_its_name() -> None:
    figure = charts.time_line(
        days(28),
        value="net_sales",
        unit="money",
        currency="CNY",
        name="Now",
        events=events(date(2026, 10, 24), date(2026, 11, 20), "CNY"),
    )
    assert [note.text for note in figure.layout.annotations] == ["Double 11"]
    assert figure.layout.shapes[0].x0 == "2026-10-31T12:00:00"


def names_over(first: date, last: date) -> list[str]:
    frame = days((last - first).days + 1).assign(day=pd.date_range(first, last))
    figure = charts.time_line(
        frame, value="net_sales", unit="money", currency="CNY", name="Now", events=events(first, last, "CNY")
    )
    return [note.text for note in figure.layout.annotations]


def test_no_name_of_an_event_lies_on_another_and_the_greater_one_stays() -> None:
    # Valentine's (11 to 14 February) touches Spring Festival (16 to 22 February)
    assert names_over(date(2026, 2, 1), date(2026, 2, 28)) == ["Spring Festival", "Valentine's"]
    # in four months Women’s Day (4 to 8 March) has no room either, New Year has
    assert names_over(date(2026, 1, 1), date(2026, 4, 30)) == ["Spring Festival", "New Year"]


def test_several_years_name_the_peaks_only() -> None:
    named = names_over(date(2024, 1, 1), date(2026, 6, 30))
    assert named == ["Double 11", "Double 11", "618", "618", "618"]


def test_months_are_named_after_their_peak() -> None:
    frame = pd.DataFrame({"month": ["2026-05", "2026-06", "2026-07"], "new": [1, 2, 3]})
    figure = charts.columns_over_time(frame, month="month", parts={"new": "New"}, unit="count", currency="CNY")
    assert [(note.text, note.x) for note in figure.layout.annotations] == [("618", "2026-06")]


def test_events_are_those_of_a_chain_that_trades_in_yuan() -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    found = events(first, last, "CNY")
    assert [event.key for event in found][:4] == ["new_year", "valentines", "spring_festival", "womens_day"]
    # New year 2026 by the moon is 17 February, Mid-Autumn 25 September
    assert found[2].first == date(2026, 2, 16)
    assert {event.key: event.last for event in found}["mid_autumn"] == date(2026, 9, 25)
    assert events(first, last, "GBP") == ()


def test_every_colour_of_a_figure_is_one_of_the_theme() -> None:
    names = {value for value in vars(palette).values() if isinstance(value, str) and value.startswith("#")}
    figure = bars(compare="last_year", compare_name="Last year")
    assert figure.data[0].marker.color in names
    assert figure.data[1].marker.line.color in names


def written(figure: object) -> list[list[str]]:
    """The texts in the cells: weak and strong cells are drawn one after the other, with an ink each."""
    weak, strong = figure.data[0].text, figure.data[1].text
    return [[a or b for a, b in zip(*rows, strict=True)] for rows in zip(weak, strong, strict=True)]


COHORTS = pd.DataFrame(
    [
        ("2026-09", 0, 40, 40, 1.0, True),
        ("2026-09", 1, 40, 10, 0.25, True),
        ("2026-09", 2, 40, 4, 0.1, False),
        ("2026-10", 0, 20, 20, 1.0, True),
        ("2026-10", 1, 20, 3, 0.15, False),
    ],
    columns=["cohort", "month_number", "size", "customers", "rate", "complete"],
)


def test_cohorts_show_later_months_only_and_mark_the_running_one() -> None:
    figure = grids.cohorts(COHORTS)
    assert written(figure) == [["25%", "10%*"], ["15%*", ""]]
    assert [carried[0] for carried in figure.data[2].customdata] == ["2026-09|1", "2026-09|2", "2026-10|1"]
    assert list(figure.layout.yaxis.ticktext) == ["Sep 2026 · 40", "Oct 2026 · 20"]


def test_a_cell_of_the_grid_knows_its_scores_and_counts_every_customer() -> None:
    rule = pd.DataFrame(
        [(r, fm, "champions" if (r, fm) == (5, 5) else "active") for r in range(1, 6) for fm in range(1, 6)],
        columns=["r", "fm", "segment"],
    )
    scores = pd.DataFrame(
        [(5, 5, 5, 7, 70.0), (5, 4, 5, 2, 20.0), (1, 1, 2, 3, 3.0)],
        columns=["r", "f", "m", "customers", "net_sales"],
    )
    figure = grids.rfm(scores, rule, "CNY")
    cells = {carried[0]: carried[1] for carried in figure.data[2].customdata}
    assert len(cells) == 25
    # F 4 and M 5 give 4.5, rounded up to 5: 7 + 2 customers, 70 + 20 yuan
    assert cells["5-5"] == "<b>Champions</b> R5 · FM5<br>9 customers<br>Net sales ¥90.00"
    # F 1 and M 2 give 1.5, rounded up to 2
    assert "3 customers" in cells["1-2"]


def test_the_curve_of_concentration_ends_where_the_money_ends() -> None:
    classes = pd.DataFrame({"class": ["A", "B", "C"], "customers": [1, 1, 2], "customer_share": [0.25, 0.25, 0.5]})
    curve = pd.DataFrame({"customers": [1, 2, 3], "net_sales": [80.0, 80.0 + 15, 80.0 + 15 + 5]})
    figure = grids.pareto(curve, classes)
    assert list(figure.data[0].x) == [0, 0.25, 0.5, 0.75]
    assert list(figure.data[0].y) == [0, 0.8, 0.95, 1.0]


def test_hours_are_averages_of_the_days_a_weekday_occurs() -> None:
    frame = pd.DataFrame({"weekday": [1, 7], "hour": [10, 12], "orders": [6, 2], "days": [4, 4]})
    figure = grids.hours(frame)
    assert list(figure.layout.xaxis.ticktext) == ["10", "11", "12"]
    assert written(figure)[0][0] == "1.5"
    assert written(figure)[6][2] == "0.5"


def test_a_long_curve_is_drawn_by_every_so_many_days_and_to_its_last() -> None:
    days = pd.DataFrame({"days": range(366), "rate": 0.5, "lo95": 0.4, "hi95": 0.6})
    line = bands.over_days({"all": days}, value="rate").data[-1]
    assert list(line.x) == [*range(0, 366, 4), 365]
    assert len(line.customdata) == len(line.x)
