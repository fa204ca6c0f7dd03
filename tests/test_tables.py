"""Lists, cards and drills: kinds from the registry, changes with their verdict, links that carry the filters."""

import math
from typing import get_type_hints

import pandas as pd
import pytest

from data_access.queries.segments import Choice
from models.metrics import METRICS
from models.reports import REPORTS as REGISTRY
from models.reports._shape import declared_tables
from models.reports.funnel import FunnelReport
from models.reports.why import WhyMixReport
from pages._ui import cards, drill, i18n, members, tables
from pages._ui import format as fmt

# No page shows these as they are.
NOWHERE = {FunnelReport, WhyMixReport}
REPORTS = sorted(
    {get_type_hints(report.function)["return"] for report in REGISTRY.values()} - NOWHERE,
    key=lambda report: str(report.__name__),
)
COLUMNS = sorted({name for report in REPORTS for columns in declared_tables(report).values() for name in columns})


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_of_every_report_has_a_heading(name: str, language: str) -> None:
    key = f"metric.{name}" if name in METRICS else f"column.{name}"
    assert i18n.text(language, key)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("key", METRICS)
def test_every_metric_has_a_name_and_a_definition(key: str, language: str) -> None:
    assert i18n.text(language, f"metric.{key}")
    assert len(i18n.text(language, f"metric.{key}.help")) > 8


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.__name__)
def test_every_table_of_a_report_has_a_name_for_its_sheet(report: type, language: str) -> None:
    assert get_type_hints(report)
    for name in declared_tables(report):
        assert i18n.text(language, f"export.sheet.{name}")


def test_kinds_come_from_the_registry_and_from_names() -> None:
    assert tables.kind_of("net_sales") == "money"
    assert tables.kind_of("previous") == "money"
    assert tables.kind_of("conversion") == "percent"
    assert tables.kind_of("recency_days") == "days"
    assert tables.kind_of("ordered_at") == "instant"
    assert tables.kind_of("product") == "text"


def test_a_list_has_at_most_eight_columns() -> None:
    nine = [tables.column(name) for name in COLUMNS[:9]]
    with pytest.raises(ValueError, match="at most 8 columns"):
        tables.listing(pd.DataFrame(), nine, currency="CNY", alt="", key="nine")


def fitted(frame: pd.DataFrame, room: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    monkeypatch.setattr(tables, "narrow", lambda: True)
    columns = [tables.column(name) for name in frame]
    shown = tables._fitted(frame, columns[:3], "CNY", room)
    return {column.name: int(str(column.width)) for column in shown}


def test_a_phone_cuts_a_name_but_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "a product with a name that is longer than any phone is wide"
    frame = pd.DataFrame({"product": [name], "went_up": ["24.8% (22.4% - 27.3%)"], "customers": [1_173]})
    widths = fitted(frame, 326, monkeypatch)
    assert sum(widths.values()) == 326
    assert widths["went_up"] >= tables._pixels("24.8% (22.4% - 27.3%)")
    # where even the least of a name leaves no room for all, the last column is left to the row that opens
    assert list(fitted(frame, 282, monkeypatch)) == ["product", "went_up"]


def test_a_short_name_leaves_its_room_to_a_long_text(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "a text that is longer than half of a phone"
    frame = pd.DataFrame({"customer_key": ["c0123456789abcdef"], "reason": [said], "orders": [3]})
    widths = fitted(tables._short_keys(frame), 326, monkeypatch)
    assert widths["reason"] > widths["customer_key"] > tables._pixels("c01234567")
    drawn, _ = tables._drawn(frame, [tables.column(name) for name in frame], "CNY", None, 35, room=326)
    assert drawn["customer_key"].tolist() == ["c01234567"]


def test_a_page_shows_every_column_and_cuts_names_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "narrow", lambda: False)
    said = "Treatment Weeks for customers who have not been here for long, Nov 20"
    frame = pd.DataFrame({"customer_key": ["c0123456789abcdef"], "reason": [said], "orders": [3], "units": [5]})
    columns = [tables.column(name) for name in frame]
    whole, _ = tables._drawn(frame, columns, "CNY", None, 35, room=tables._PAGE)
    assert whole.iloc[0].tolist() == ["c0123456789abcdef", said, 3.0, 5.0]
    short, _ = tables._drawn(frame, columns, "CNY", None, 35, room=tables._HALF)
    assert list(short) == ["customer_key", "reason", "orders", "units"]
    assert short["customer_key"].tolist() == ["c01234567"]
    assert short["reason"].iloc[0].endswith("…, Nov 20")


def test_on_a_phone_a_row_names_whom_and_what_in_two_lines_beside_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "narrow", lambda: True)
    frame = pd.DataFrame(
        {
            "customer_key": ["c0123456789abcdef", "cfedcba9876543210"],
            "call_why": ["Not here for 56 days", None],
            "expected_on": pd.to_datetime(["2026-12-02", "2026-11-30"]),
            "amount": [1_500.0, 80.0],
        }
    )
    columns = [
        tables.Column("customer_key", "text", under="call_why"),
        tables.Column("call_why", "text"),
        tables.Column("expected_on", "near_day"),
        tables.Column("amount", "money"),
    ]
    drawn, settings = tables._drawn(frame, columns, "CNY", None, 44, room=282)
    assert drawn["customer_key"].tolist() == ["c01234567 · Not here for\xa056\xa0days", "cfedcba98"]
    assert list(drawn) == ["customer_key", "expected_on", "amount"]
    assert drawn["expected_on"].tolist() == [fmt.day_short(day) for day in frame["expected_on"]]
    assert settings["row_height"] > 64  # from there on texts are broken into lines


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Treatment Weeks 2025-05", "Treatment Weeks 2025-05"),
        ("Treatment Weeks 2025-05", "Treatm… 2025-05"),
        ("护理体验周2025-05", "护理…2025-05"),
    ],
)
def test_a_name_that_does_not_fit_a_phone_keeps_the_month_it_ends_in(name: str, shown: str) -> None:
    assert tables.shortened(name, room=tables._pixels(shown)) == shown


def test_a_name_without_a_number_that_does_not_fit_a_phone_shows_that_it_goes_on() -> None:
    assert tables.shortened("Treatment Weeks", room=tables._pixels("Treatm…")) == "Treatm…"


def test_the_sums_of_a_list_have_cents_together_and_an_amount_per_order_by_itself() -> None:
    frame = pd.DataFrame(
        {"net_sales": [36_722.0], "previous": [1_616.82], "average_ticket": [408.18], "hours": [110.0]}
    )
    columns = [tables.column(name) for name in frame]
    assert tables._digits(frame, columns) == {"net_sales": 0, "previous": 0, "average_ticket": 2, "hours": 0}
    small = frame.assign(net_sales=[9_999.0], hours=[16.5])
    assert tables._digits(small, columns) == {"net_sales": 2, "previous": 2, "average_ticket": 2, "hours": 1}


def test_an_amount_below_zero_has_its_currency_in_the_heading() -> None:
    frame = pd.DataFrame({"net_sales": [-1_154.0, 20.0], "previous": [1_616.82, 0.0]})
    _, settings = tables._drawn(frame, [tables.column(name) for name in frame], "CNY", None, 35, room=326)
    below, above = settings["column_config"]["net_sales"], settings["column_config"]["previous"]
    assert (below["type_config"]["format"], above["type_config"]["format"]) == ("%,.2f", "¥%,.2f")
    assert "¥" in below["label"]


CHANGES = [
    # value, base, unit, direction -> text, arrow, better
    (110.0, 100.0, "money", 1, ("+10.0%", "up", True)),
    (90.0, 100.0, "money", 1, ("-10.0%", "down", False)),
    (90.0, 100.0, "money", -1, ("-10.0%", "down", True)),
    (90.0, 100.0, "money", 0, ("-10.0%", "down", None)),
    (100.0, 100.0, "money", 1, ("0.0%", "off", None)),
    (0.05, 0.03, "percent", -1, ("+2.0 pp", "up", False)),
    (5.0, math.nan, "count", 1, ("–", "off", None)),
    (math.nan, 5.0, "count", 1, ("–", "off", None)),
    (5.0, 0.0, "count", 1, ("–", "off", None)),
]


@pytest.mark.parametrize(("value", "base", "unit", "direction", "expected"), CHANGES)
def test_a_change_says_whether_it_is_good(
    value: float, base: float, unit: str, direction: int, expected: tuple[str, str, bool | None]
) -> None:
    change = cards.change_of(value, base, unit, direction)
    assert (change.text, change.arrow, change.better) == expected


DRILLS: list[tuple[str, dict[str, str | None], dict[str, str], dict[str, str]]] = [
    # page, ids -> what the page is about, and the query of a link to it; filters stay in the URL by themselves
    ("overview", {}, {}, {}),
    ("overview", {"region": "east"}, {}, {"region": "east", "stores": ""}),
    ("overview", {"region": "east", "stores": "S1,S2"}, {}, {"region": "east", "stores": "S1,S2"}),
    ("store", {"store": "S1", "order": "1"}, {"store": "S1"}, {"store": "S1"}),
    ("product", {"product": "P1", "store": None}, {"product": "P1"}, {"product": "P1"}),
    ("campaigns", {"by_type": "event", "campaign": "K1"}, {"by_type": "event"}, {"by_type": "event"}),
    ("order", {"order": "O 1&x=2"}, {"order": "O 1&x=2"}, {"order": "O 1&x=2"}),
]


@pytest.mark.parametrize(("name", "ids", "about", "link"), DRILLS)
def test_a_drill_names_only_the_ids_its_page_knows(
    name: str, ids: dict[str, str | None], about: dict[str, str], link: dict[str, str]
) -> None:
    assert drill.query(name, **ids) == about
    assert drill.link(name, **ids) == link


MEMBERS = pd.DataFrame(
    {
        "customer_key": ["a", "b", "c", "d"],
        "segment": ["champions", "loyal", "prospect", "champions"],
        "r": pd.array([5, 4, pd.NA, 5], dtype="Int64"),
        "f": pd.array([5, 4, pd.NA, 4], dtype="Int64"),
        "m": pd.array([5, 3, pd.NA, 4], dtype="Int64"),
        "abc": ["A", "B", "U", "A"],
    }
)


def test_a_click_means_a_part_of_the_customers() -> None:
    assert members.of_segment("champions") == members.Pick(Choice("segment", "champions"), "Champions")
    assert members.of_cell("5-4") == members.Pick(Choice("cell", "5-4"), "R5 · FM4")
    assert members.of_class(None) is None


def test_scores_are_one_word_and_missing_for_a_prospect() -> None:
    scores = members.with_scores(MEMBERS)["rfm"]
    assert scores.tolist()[:2] == ["5-5-5", "4-4-3"]
    assert pd.isna(scores.iloc[2])
