"""Every page as every role, in both languages: what it shows, and what it does not show."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from data_access.settings import settings
from pages._gate.identity import Person
from pages._ui import access, load
from pages._ui.i18n import LANGUAGES, text
from pages._ui.session import scope_of
from tests.small_chain import STORES, build

SHELL = str(Path(__file__).parents[1] / "pages" / "_shell.py")
PEOPLE = {
    "manager": Person("manager", "S1"),
    "regional": Person("regional", "east"),
    "marketing": Person("marketing"),
    "administrator": Person("administrator"),
}
# What a page needs in its URL to be about something that everybody above may see.
ABOUT = {"store": {"store": "S1"}, "product": {"product": "P1"}, "order": {"order": "S1-20261120"}}

Visit = Callable[..., AppTest]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("chain")
    build(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRROR_HOME", str(home))
        settings.cache_clear()
        st.cache_data.clear()
        yield home
    settings.cache_clear()
    st.cache_data.clear()


@pytest.fixture
def visit(chain: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """``visit("manager", "store", store="S1")`` runs a page as somebody and returns what it shows."""

    def run(role: str, page: str, language: str = "en", **query: str) -> AppTest:
        monkeypatch.setattr("pages._ui.session.identity", lambda: PEOPLE[role])
        # The test reads the options of a box outside any run, where no language has been chosen.
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.query_params["lang"] = language
        at.run()
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
CLOSED = [(role, page.key) for page in access.PAGES for role in PEOPLE if role not in page.detail]


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


@pytest.mark.parametrize(("role", "name"), CLOSED)
def test_a_page_that_a_role_may_not_open_does_not_exist_for_it(visit: Visit, role: str, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        visit(role, name)


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
    assert value == f"¥{net_sales / 1000:.3g}k"
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
    assert metric(at, "Net sales")[0] == f"¥{28 * (101 + 201) / 1000:.3g}k"
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


def test_a_click_on_a_segment_narrows_the_list(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit("regional", "segments")
    assert set(at.dataframe[0].value["segment"]) > {"Champions"}
    # A test cannot click into a chart; the browser tests do. Here the chart says that it was.
    monkeypatch.setattr(
        "pages._ui.charts.clicked",
        lambda figure, *, alt, key, then=None: "champions" if key == "segments_named" else None,
    )
    at.run()
    assert set(at.dataframe[0].value["segment"]) == {"Champions"}


def test_the_rule_of_the_segments_is_on_the_page(visit: Visit) -> None:
    said = words(visit("manager", "segments"))
    assert "Equal values share a score (default)" in said
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
    states = next(frame.value for frame in at.dataframe if "table_name" in frame.value)
    assert states["state"].iloc[0] != "Filled"  # what needs somebody comes first
    assert "Filled" in set(states["state"])


def test_a_manager_learns_of_tables_and_not_of_the_chain(visit: Visit) -> None:
    at = visit("manager", "data_health")
    assert "Every cent arrived" not in words(at)
    assert "table_name" in at.dataframe[0].value


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
