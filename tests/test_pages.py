"""Every page as every role, in both languages: what it shows, and what it does not show."""

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data_access.freshness import utc_now
from data_access.schema import crm
from data_access.snapshot import Unusable
from pages._gate import exports
from pages._gate.identity import Person
from pages._ui import access, load, printed
from pages._ui.i18n import LANGUAGES, text
from pages._ui.session import scope_of
from tests.small_chain import STORES, served

SHELL = str(Path(__file__).parents[1] / "pages" / "_shell.py")
PEOPLE = {
    "manager": Person("manager", ("S1",)),
    "regional": Person("regional", ("east",)),
    "marketing": Person("marketing"),
    "administrator": Person("administrator"),
}
# What a page needs in its URL to be about something that everybody above may see.
ABOUT = {
    "store": {"store": "S1"},
    "category": {"goods": "护肤"},
    "product": {"product": "P1"},
    "lot": {"product": "P1"},
    "product_demand": {"product": "P1"},
    "order": {"order": "S1-20261120"},
}

# Pages whose report the small chain has: no campaigns, no stock, too few customers for others.
PRINTED = (
    "overview", "segments", "run_out", "retention", "lapse", "value", "stores", "store", "why", "targets", "category",
    "product", "order", "data_health", "scorecard", "privacy",
)  # fmt: skip

Visit = Callable[..., AppTest]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield home


@pytest.fixture
def visit(chain: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """``visit("manager", "store", store="S1")`` runs a page as somebody and returns what it shows."""

    def run(role: str, page: str, language: str = "en", **query: str) -> AppTest:
        monkeypatch.setattr("pages._ui.session.identity", lambda: PEOPLE[role])
        # The test reads the options of a box outside any run, where no language has been chosen.
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.query_params["lang"] = language
        for name, value in query.items():
            at.query_params[name] = value
        at.switch_page(f"{page}.py").run()
        return at

    return run


def words(at: AppTest) -> str:
    """Everything a page says, tables and charts included."""
    said = [element.value for element in (*at.title, *at.markdown, *at.caption, *at.info, *at.warning, *at.error)]
    said += [f"{metric.label} {metric.value} {metric.delta} {metric.help}" for metric in at.metric]
    said += [frame.value.to_csv() for frame in at.dataframe]
    said += [element.proto.spec for element in at.get("plotly_chart")]
    said += [" ".join(map(str, box.options)) for box in at.selectbox]
    return "\n".join(map(str, said))


def figure(at: AppTest, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(at.get_by_key(key).proto.spec)
    return found


def metric(at: AppTest, label: str) -> tuple[str, str]:
    found = next(metric for metric in at.metric if metric.label == label)
    return found.value, found.delta


CASES = [(role, page.key) for page in access.PAGES for role in PEOPLE if role in page.detail]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("role", "name"), CASES)
def test_every_page_opens_for_every_role_that_may_open_it(visit: Visit, role: str, name: str, language: str) -> None:
    at = visit(role, name, language, **ABOUT.get(name, {}))
    assert not at.exception
    assert at.title
    assert "⟦" not in words(at)  # the mark of a missing text
    assert "None" not in "".join(metric.value for metric in at.metric)
    assert "nan" not in "".join(f"{metric.value} {metric.delta}" for metric in at.metric)
    if name not in ABOUT:
        assert at.title[0].value == text(language, f"page.{name}")
    else:
        assert at.title[0].value != text(language, f"page.{access.first_page(PEOPLE[role].role)}")


REPORTS = [(role, name) for role, name in CASES if name in PRINTED and role == next(iter(access.BY_KEY[name].detail))]


@pytest.mark.parametrize(("role", "name"), REPORTS)
def test_every_report_can_be_printed(visit: Visit, role: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offered: dict[str, exports.Offer] = {}
    monkeypatch.setattr(
        exports.offers, "put", lambda token, offer: offered.update({f"{offer.page} {offer.name}": offer})
    )
    monkeypatch.setattr(printed, "_drawn", lambda document: document.encode())  # drawing it takes a second
    visit(role, name, "zh_CN", **ABOUT.get(name, {}))
    file = io.BytesIO()
    offered[f"{name} {name}"].write(file, exports.Stamp("0123456789abcdef", "2026-11-20 18:40"))
    assert "<section" in file.getvalue().decode()


@pytest.mark.parametrize("role", PEOPLE)
def test_a_page_that_a_role_may_not_open_does_not_exist_for_it(visit: Visit, role: str) -> None:
    at = visit(role, access.first_page(PEOPLE[role].role))
    closed = [page.key for page in access.PAGES if PEOPLE[role].role not in page.detail]
    assert closed
    for name in closed:
        with pytest.raises(ValueError, match=name):
            at.switch_page(f"{name}.py")


# 28 days to 20 November 2026; one order of 100 x the store's number + 1 a day, of 100 x the number a year before,
# when the fifth store was still open.
SALES = [
    ("manager", 28 * 101, 28 * 100, 28),
    ("regional", 28 * (101 + 201), 28 * (100 + 200), 2 * 28),
    ("marketing", 28 * (101 + 201 + 301 + 401), 28 * (100 + 200 + 300 + 400 + 500), 4 * 28),
]


@pytest.mark.parametrize(("role", "net_sales", "last_year", "orders"), SALES)
def test_the_overview_adds_up_what_each_role_may_see(
    visit: Visit, role: str, net_sales: int, last_year: int, orders: int
) -> None:
    at = visit(role, "overview")
    value, change = metric(at, "Net sales")
    assert value == (f"¥{net_sales:,}" if net_sales < 10_000 else f"¥{net_sales / 1000:.3g}k")
    assert change == f"YoY {(net_sales / last_year - 1) * 100:+.1f}%"
    assert metric(at, "Orders")[0] == str(orders)
    assert f"¥{net_sales:,}.00" in next(card.help for card in at.metric if card.label == "Net sales")


def test_a_card_in_chinese_counts_in_ten_thousands(visit: Visit) -> None:
    assert metric(visit("marketing", "overview", "zh_CN"), "净销售额") == ("¥2.81万", "同比 -33.1%")


def test_a_manager_sees_nothing_of_another_store_on_any_page(visit: Visit) -> None:
    foreign = [name for key, (_, name, _, _) in STORES.items() if key != "S1"] + ["S2", "S3", "S4", "S5"]
    for page in ("overview", "segments", "retention", "store", "product", "order"):
        said = words(visit("manager", page, "zh_CN", **ABOUT.get(page, {})))
        assert not [name for name in foreign if name in said], page


def test_the_bars_of_the_overview_are_the_stores_in_scope(visit: Visit) -> None:
    carried = figure(visit("regional", "overview"), "overview_stores")["data"][0]["customdata"]
    assert [row[0] for row in carried] == ["S2", "S1"]
    assert [row[1] for row in carried] == ["Hangzhou Mixc", "Shanghai Nanjing Road"]


def test_the_line_of_the_overview_is_the_net_sales_of_each_day(visit: Visit) -> None:
    lines = figure(visit("manager", "overview"), "overview_days")["data"]
    assert [line["name"] for line in lines] == ["Last year", "This period"]
    assert lines[1]["y"] == [101] * 28
    assert lines[0]["y"] == [100] * 28


@pytest.mark.parametrize(("role", "store"), [("manager", "S2"), ("regional", "S3"), ("marketing", "no such store")])
def test_a_store_out_of_reach_is_refused_in_one_sentence(visit: Visit, role: str, store: str) -> None:
    at = visit(role, "store", store=store)
    assert not at.exception
    assert "No such store" in words(at)
    assert not at.metric
    assert not at.get("plotly_chart")
    assert STORES.get(store, ("", store))[1] not in words(at)


def test_the_store_page_is_about_the_store_of_its_url(visit: Visit) -> None:
    at = visit("regional", "store", store="S2")
    assert at.title[0].value == "Hangzhou Mixc"
    assert metric(at, "Orders")[0] == "28"
    assert at.dataframe[0].value["net_sales"].tolist() == [201.0] * 28


def test_the_store_page_begins_with_the_first_store_in_scope(visit: Visit) -> None:
    assert visit("manager", "store").title[0].value == "Shanghai Nanjing Road"


def test_marketing_sees_a_store_without_its_orders(visit: Visit) -> None:
    at = visit("marketing", "store", store="S1")
    assert metric(at, "Orders")[0] == "28"
    assert "S1-2026" not in words(at)


@pytest.mark.parametrize(
    ("role", "order"), [("manager", "S2-20261120"), ("regional", "S3-20261120"), ("manager", "unknown-1")]
)
def test_a_receipt_out_of_reach_is_refused(visit: Visit, role: str, order: str) -> None:
    at = visit(role, "order", order=order)
    assert "No such order" in words(at)
    assert order not in words(at)
    assert not at.dataframe


def test_a_receipt_shows_its_lines_and_no_customer_but_a_key(visit: Visit) -> None:
    at = visit("manager", "order", order="S1-20261120")
    assert at.title[0].value == "Order S1-20261120"
    assert metric(at, "Net sales")[0] == "¥101.00"
    assert at.dataframe[0].value["net"].tolist() == [101.0]
    assert at.dataframe[0].value["quantity"].tolist() == [2.0]
    # customer ids of the CRM are C0 to C39
    assert not any(f"C{number} " in words(at) for number in range(40))


def test_a_product_shows_only_the_stores_in_scope(visit: Visit) -> None:
    at = visit("regional", "product", product="P1")
    assert metric(at, "Net sales")[0] == f"¥{28 * (101 + 201):,}"
    assert {row[0] for row in figure(at, "product_stores")["data"][0]["customdata"]} == {"S1", "S2"}


def test_an_unknown_product_is_refused(visit: Visit) -> None:
    at = visit("regional", "product", product="P404")
    assert "No such product" in words(at)
    assert not at.metric


def test_the_segments_are_those_of_the_report(visit: Visit) -> None:
    at = visit("regional", "segments")
    report = load.segments(scope_of(PEOPLE["regional"]), load.snapshot().info.last_day, load.generation())
    sizes = report.named.set_index("segment")["customers"]
    assert metric(at, "Champions")[0] == str(sizes["champions"])
    bars = figure(at, "segments_named")["data"][0]
    assert [row[0] for row in bars["customdata"]] == report.named["segment"].tolist()
    assert bars["x"] == sizes.tolist()
    cells = figure(at, "segments_grid")["data"][2]["customdata"]
    assert len(cells) == 25


def test_what_was_clicked_stands_in_the_url_and_narrows_the_list(visit: Visit) -> None:
    at = visit("regional", "segments")
    assert set(at.dataframe[0].value["segment"]) > {"Champions"}
    picked = visit("regional", "segments", pick="segments_named.champions")
    assert set(picked.dataframe[0].value["segment"]) == {"Champions"}
    # anybody can write a URL
    forged = visit("regional", "segments", pick="segments_named.nobody")
    assert len(forged.dataframe[0].value) == len(at.dataframe[0].value)


def test_the_rule_of_the_segments_is_on_the_page(visit: Visit) -> None:
    said = words(visit("manager", "segments"))
    assert "Ties share a score (default)" in said
    assert "Five equal groups" in said


def test_retention_shows_every_cohort_and_the_repeat_rate_of_the_report(visit: Visit) -> None:
    at = visit("regional", "retention")
    report = load.retention(scope_of(PEOPLE["regional"]), load.snapshot().info.last_day, load.generation())
    rate = report.summary.set_index("key")["value"]["repeat_purchase_rate"]
    assert metric(at, text("en", "metric.repeat_purchase_rate"))[0] == f"{rate * 100:.1f}%"
    cells = figure(at, "retention_cohorts")["data"][2]["customdata"]
    later = report.cohorts[report.cohorts["month_number"] > 0]
    assert len(cells) == len(later)


def test_a_word_narrows_the_glossary(visit: Visit) -> None:
    at = visit("administrator", "glossary")
    at.text_input(key="glossary_search").set_value("average ticket").run()
    assert "net sales ÷ orders" in words(at)
    assert "Units returned" not in words(at)


def test_data_health_says_that_every_cent_arrived(visit: Visit) -> None:
    at = visit("administrator", "data_health")
    assert "Every cent arrived" in words(at)
    assert metric(at, "Money off")[0] == "¥0.00"
    assert re.fullmatch(r"just now|\d+m ago", metric(at, "CRM read")[0])
    assert metric(at, "Next reading")[0] == "in 23h"
    assert metric(at, "Data as of")[0] == "Nov 20"  # where the demo chain ends
    assert "None: every row of the CRM is in use." in words(at)
    states = next(frame.value for frame in at.dataframe if len(frame.value) == len(crm.tables))
    # What takes something away from a page comes before what is in order.
    place = {name: i for i, name in enumerate(states["table_name"])}
    filled = [i for i, state in enumerate(states["state"]) if state == ["Filled"]]
    assert states["table"][place["return_line"]] == "Return lines"
    assert states["state"][place["return_line"]] == ["Empty"]
    assert max(place["return_line"], place["store_traffic"]) < min(filled)
    assert ["Filled"] in states["state"].tolist()


def test_data_health_says_how_every_table_was_read(visit: Visit) -> None:
    at = visit("administrator", "data_health")
    loads = next(frame.value for frame in at.dataframe if "lag" in frame.value).set_index("table")
    days = 446  # 1 September 2025 to 20 November 2026
    closed = 234  # the days of them after 31 March 2026, on which the fifth store has no receipt
    assert loads.loc["Receipts", "rows_read"] == 5 * days - closed
    assert loads.loc["Stores", ["rows_read", "rows_changed", "rows_deleted"]].tolist() == [5, 5, 0]
    assert set(loads["mode"]) == {"All rows"}


def test_refused_rows_are_shown_by_reason_and_taken_away_by_administrators_only(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = load.health
    refused = pd.DataFrame(
        {
            "table_name": ["sale_line", "customer"],
            "reason": ["no_order", "duplicate"],
            "rows": [3, 1],
            "amount": [30.5, float("nan")],
        }
    )
    monkeypatch.setattr(
        "pages._ui.load.health", lambda scope, generation: replace(real(scope, generation), quarantined=refused)
    )
    at = visit("administrator", "data_health")
    shown = next(frame.value for frame in at.dataframe if "why" in frame.value)
    assert shown[["table", "why", "rows"]].to_numpy().tolist() == [
        ["Receipt lines", "Its receipt does not exist", 3],
        ["Customers", "Key occurs twice; the first row counts", 1],
    ]
    assert "4 rows were left out, worth ¥30.50." in words(at)
    assert metric(at, "Quarantined")[0] == "4"
    files = {"administrator": 2, "marketing": 0}
    for role, more in files.items():
        offered = "".join(element.proto.body for element in visit(role, "data_health").get("html"))
        assert offered.count("(4 rows)") == more / 2, role


def test_lists_of_customers_are_offered_to_those_who_may_take_them_away(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for may_export, lists in ((True, 2), (False, 0)):
        monkeypatch.setitem(PEOPLE, "marketing", Person("marketing", (), "a1", "Li Na", may_export))
        at = visit("marketing", "segments")
        offered = "".join(element.proto.body for element in at.get("html"))
        assert offered.count("This list as ") == lists
        assert "The whole report as Excel" in offered
        assert ("Lists that name customers are left out" in words(at)) is not may_export


def test_a_manager_learns_of_tables_and_not_of_the_chain(visit: Visit) -> None:
    at = visit("manager", "data_health")
    said = words(at)
    assert "Every cent arrived" not in said
    assert "rows read" not in said
    assert all("rows" not in frame.value for frame in at.dataframe)
    assert [card.label for card in at.metric] == ["Data as of", "CRM read", "Next reading", "Tables filled"]
    assert "**Door counts**" in said
    assert "takes away Store · traffic and conversion" in said


def test_every_page_says_when_the_reading_is_too_old_and_what_to_do(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = utc_now() + timedelta(days=3)
    monkeypatch.setattr("pages._ui.freshness.utc_now", lambda: later)
    for page in ("overview", "segments", "store", "data_health"):
        said = words(visit("manager", page))
        assert "last read 3 days ago instead of every 24 hours" in said, page
        assert "ask the administrator" in said, page
    assert "run python -m data_access refresh" in words(visit("administrator", "data_health"))
    assert "CRM 上次读取是 3 天前" in words(visit("manager", "overview", "zh_CN"))


def test_a_reading_is_news_only_when_the_next_one_is_late(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "CRM read" not in words(visit("manager", "overview"))
    later = utc_now() + timedelta(hours=25)
    monkeypatch.setattr("pages._ui.freshness.utc_now", lambda: later)
    said = words(visit("manager", "overview"))
    assert "CRM read 25 hours ago" in said
    assert "ask the administrator" not in said


def test_a_clock_that_is_behind_shows_no_nonsense(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = utc_now() - timedelta(hours=2)
    monkeypatch.setattr("pages._ui.freshness.utc_now", lambda: earlier)
    at = visit("administrator", "data_health")
    assert metric(at, "CRM read")[0] == metric(at, "Next reading")[0] == "–"
    assert "lies in the future: compare the clocks" in words(at)
    assert "in the future" not in words(visit("manager", "data_health"))


def test_a_generation_that_cannot_be_opened_is_named_to_administrators(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages._ui.load.unusable", lambda: Unusable("facts_9.duckdb", "its bytes differ"))
    said = words(visit("administrator", "data_health"))
    assert "The newer data file facts_9.duckdb cannot be opened (its bytes differ)" in said
    assert "facts_9" not in words(visit("marketing", "data_health"))


def test_a_page_says_which_part_a_gap_in_the_crm_takes_away(visit: Visit) -> None:
    # the small chain has no door counts
    assert "Not available: traffic and conversion. The table store_traffic is empty." in words(
        visit("manager", "store", store="S1")
    )


def test_a_page_whose_table_is_missing_says_what_to_do(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    report = load.health(scope_of(PEOPLE["manager"]), load.snapshot().generation)
    gap = report.table_status.assign(
        state=report.table_status["state"].where(report.table_status["table_name"] != "sale_line", "absent"),
        disables=report.table_status["disables"].where(report.table_status["table_name"] != "sale_line", "segments"),
    )
    monkeypatch.setattr("pages._ui.load.health", lambda scope, generation: replace(report, table_status=gap))
    at = visit("manager", "segments")
    assert "The CRM database has no table sale_line." in words(at)
    assert "python -m data_access refresh" in words(at)
    assert not at.metric
