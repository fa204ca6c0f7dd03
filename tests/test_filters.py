"""The shared filters: what the URL says, cut to what the person may see."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from data_access.scope import Period, Scope
from models.calc.periods import PRESETS, possible
from pages._ui.filters import CUSTOM, DEFAULT, chosen_period, default_period
from tests.small_chain import EAST, FIRST_DAY, LAST_DAY, SOUTH, served

ALL = [*EAST, *SOUTH]


def page() -> None:
    import streamlit as st

    from data_access.scope import Scope
    from pages._ui import filters, load, params
    from pages._ui.i18n import use_language

    params.mount()
    use_language(params.get("lang") or "zh_CN")
    kind, stores = st.session_state["given"]
    scope, period = filters.apply(Scope(kind, tuple(stores)), load.snapshot(), page="overview")
    st.text(" ".join([scope.kind, *scope.store_ids]))
    st.text(f"{period.first} {period.last}")
    st.text(" · ".join(filter(None, (filters.whose(), filters.days()))))
    other = period.last_year()
    st.text(f"{other.first} {other.last}")


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as folder:
        yield folder


def opened(scope: Scope, **url: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["given"] = (scope.kind, list(scope.store_ids))
    for name, value in url.items():
        app.query_params[name.rstrip("_")] = value
    return run(app)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def shown(app: AppTest) -> list[str]:
    return [text.value for text in app.text[:3]]


def test_without_a_word_everything_the_person_may_see_for_28_days() -> None:
    assert shown(opened(Scope("chain"))) == [
        "chain",
        "2026-10-24 2026-11-20",
        "全连锁 · 5 家门店 · 近 28 天，对比去年同期",
    ]
    assert shown(opened(Scope("stores", EAST)))[0] == "stores S1 S2"
    assert shown(opened(Scope("stores", ("S2",))))[2] == "杭州万象城店 · 近 28 天，对比去年同期"
    assert shown(opened(Scope("chain"), lang="en"))[2] == (
        "Whole chain · 5 stores · Last 28 days, against the same days last year"
    )


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        ("7d", date(2026, 11, 14), date(2026, 11, 20)),
        ("28d", date(2026, 10, 24), date(2026, 11, 20)),
        ("90d", date(2026, 8, 23), date(2026, 11, 20)),
        ("month", date(2026, 11, 1), date(2026, 11, 20)),
        ("last_month", date(2026, 10, 1), date(2026, 10, 31)),
        ("quarter", date(2026, 10, 1), date(2026, 11, 20)),
        ("year", date(2026, 1, 1), date(2026, 11, 20)),
        ("12m", date(2025, 11, 21), date(2026, 11, 20)),
        ("all", date(2025, 9, 1), date(2026, 11, 20)),
    ],
)
def test_presets_end_with_the_data(preset: str, first: date, last: date) -> None:
    assert set(PRESETS) == {"7d", "28d", "90d", "month", "last_month", "quarter", "year", "12m", "all"}
    assert shown(opened(Scope("chain"), period=preset))[1] == f"{first} {last}"


def test_a_preset_longer_than_the_data_is_all_of_them() -> None:
    assert default_period(date(2026, 11, 10), LAST_DAY) == Period(date(2026, 11, 10), LAST_DAY)
    one_day = Period(LAST_DAY, LAST_DAY)
    assert all(LAST_DAY == preset.last == preset.first for preset in (default_period(LAST_DAY, LAST_DAY), one_day))


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("28d", "近 28 天，对比去年同期"),
        ("90d", "近 90 天，对比上期"),  # a year earlier the data had not begun
        ("all", "全部数据"),
    ],
)
def test_the_summary_promises_only_comparisons_that_exist(preset: str, words: str) -> None:
    assert shown(opened(Scope("chain"), period=preset))[2] == f"全连锁 · 5 家门店 · {words}"


def test_own_dates() -> None:
    app = opened(Scope("chain"), period=CUSTOM, from_="2026-06-01", to="2026-06-18")
    assert shown(app)[1] == "2026-06-01 2026-06-18"
    assert shown(app)[2].endswith("2026年6月1日至18日，对比上期")
    # cut to the days there are
    assert (
        shown(opened(Scope("chain"), period=CUSTOM, from_="2020-01-01", to="2030-01-01"))[1]
        == f"{FIRST_DAY} {LAST_DAY}"
    )


@pytest.mark.parametrize(
    "url",
    [
        {"period": "forever"},
        {"period": CUSTOM},
        {"period": "2026-06-18..2026-06-01"},
        {"period": "2026-06-01..2026-06-18..2026-06-20"},
        {"period": CUSTOM, "from_": "2026-06-18", "to": "2026-06-01"},
        {"period": CUSTOM, "from_": "2026-02-30", "to": "2026-03-01"},
        {"period": CUSTOM, "from_": "2020-01-01", "to": "2020-12-31"},
        {"period": "'; drop table store"},
    ],
    ids=str,
)
def test_days_that_make_no_sense_are_the_default(url: dict[str, str]) -> None:
    assert shown(opened(Scope("chain"), **url))[1] == "2026-10-24 2026-11-20"


@pytest.mark.parametrize(
    ("scope", "url", "seen"),
    [
        (Scope("chain"), {"region": "south"}, "stores S3 S4 S5"),
        (Scope("chain"), {"stores": "S1,S4"}, "stores S1 S4"),
        (Scope("chain"), {"region": "east", "stores": "S2,S3"}, "stores S2"),
        (Scope("stores", EAST), {"stores": "S2"}, "stores S2"),
        # never wider than the scope, whatever the URL says
        (Scope("stores", EAST), {"region": "south"}, "stores S1 S2"),
        (Scope("stores", EAST), {"stores": "S3"}, "stores S1 S2"),
        (Scope("stores", EAST), {"stores": "S2,S3"}, "stores S2"),
        (Scope("stores", ("S1",)), {"stores": "S2", "region": "east"}, "stores S1"),
        (Scope("stores", ()), {"stores": "S2", "region": "east"}, "stores"),
        (Scope("chain"), {"region": "nowhere", "stores": "x,y"}, "chain"),
    ],
    ids=str,
)
def test_places_from_the_url_narrow_and_never_widen(scope: Scope, url: dict[str, str], seen: str) -> None:
    assert shown(opened(scope, **url))[0] == seen


def offered(app: AppTest) -> dict[str, list[str]]:
    widgets: list[Any] = [*app.selectbox, *app.multiselect]
    return {widget.key: list(widget.options) for widget in widgets}


def test_the_bar_names_only_places_the_person_may_see() -> None:
    chain = offered(opened(Scope("chain")))
    assert chain["filter_region"] == ["全部区域", "华东区", "华南区"]
    assert len(chain["filter_stores"]) == 5
    east = offered(opened(Scope("stores", EAST)))
    assert set(east) == {"filter_period", "filter_compare", "filter_stores"}
    assert east["filter_stores"] == ["上海南京路旗舰店", "杭州万象城店"]
    assert set(offered(opened(Scope("stores", ("S1",))))) == {"filter_period", "filter_compare"}


def test_choosing_writes_the_url_in_words_that_both_languages_share() -> None:
    app = opened(Scope("chain"), lang="en")
    app.selectbox(key="filter_period").select("90d")
    assert shown(run(app))[1] == "2026-08-23 2026-11-20"
    assert app.query_params["period"] == "90d"
    app.selectbox(key="filter_region").select("east")
    assert shown(run(app))[0] == "stores S1 S2"
    app.multiselect(key="filter_stores").select("S2")
    assert shown(run(app)) == [
        "stores S2",
        "2026-08-23 2026-11-20",
        "Hangzhou Mixc · Last 90 days, against the period before",
    ]
    assert (app.query_params["region"], app.query_params["stores"]) == ("east", "S2")
    # another region empties the stores
    app.selectbox(key="filter_region").select("south")
    assert shown(run(app))[0] == "stores S3 S4 S5"
    app.selectbox(key="filter_period").select(DEFAULT)
    run(app)
    assert "period" not in app.query_params


def test_own_dates_begin_with_what_is_on_the_screen() -> None:
    app = opened(Scope("chain"), period="7d", lang="en")
    app.selectbox(key="filter_period").select(CUSTOM)
    assert shown(run(app))[1] == "2026-11-14 2026-11-20"
    app.date_input(key="filter_dates").set_value((date(2026, 11, 1), date(2026, 11, 11)))
    assert shown(run(app))[1] == "2026-11-01 2026-11-11"
    assert list(app.query_params) == ["period", "lang"]  # one step for Back
    assert app.query_params["period"] == "2026-11-01..2026-11-11"


def test_the_days_of_a_url_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.filters.params.get", {"period": "quarter"}.get)
    assert chosen_period(FIRST_DAY, LAST_DAY, "CNY") == ("quarter", Period(date(2026, 10, 1), LAST_DAY))


def compares(app: AppTest) -> list[str]:
    return offered(app).get("filter_compare", [])


def test_days_are_compared_only_with_days_that_the_data_cover() -> None:
    usual = ["对比去年同期", "对比上期", "对比去年双11"]
    assert compares(opened(Scope("chain"))) == usual
    # a year earlier the data had not begun
    assert compares(opened(Scope("chain"), period="90d")) == []
    assert compares(opened(Scope("chain"), period="all")) == []
    app = opened(Scope("chain"), period="90d", compare="last_year")
    assert shown(app)[2] == "全连锁 · 5 家门店 · 近 90 天，对比上期"


def test_a_festival_is_compared_with_itself() -> None:
    app = opened(Scope("chain"), period="double_11", lang="en")
    assert shown(app)[1:] == [
        "2026-11-01 2026-11-11",
        "Whole chain · 5 stores · Double 11, against Double 11 last year",
    ]
    assert app.text[3].value == "2025-11-01 2025-11-11"
    app.selectbox(key="filter_compare").select("previous")
    assert shown(run(app))[2].endswith("Double 11, against the period before")
    assert app.query_params["compare"] == "previous"


def test_stores_of_a_channel_only() -> None:
    app = opened(Scope("chain"), lang="en", channel="online")
    assert shown(app)[0] == "stores S4"
    app.selectbox(key="filter_channel").select("shop")
    assert shown(run(app))[0] == "stores S1 S2 S3 S5"
    # the east has shops only, so it offers no channel, and one of a link says nothing
    east = opened(Scope("chain"), region="east", channel="online")
    assert "filter_channel" not in offered(east)
    assert shown(east)[0] == "stores S1 S2"


def test_one_category_is_said_and_a_forged_one_is_none() -> None:
    assert shown(opened(Scope("chain"), category="护肤"))[2].endswith(" · 护肤 · 近 28 天，对比去年同期")
    app = opened(Scope("chain"), category="护肤", lang="en")
    assert shown(app)[2].count(" · ") == 3
    app.selectbox(key="filter_category").select("")
    assert shown(run(app))[2].endswith(", against the same days last year")
    assert "category" not in app.query_params
    forged = opened(Scope("chain"), category="' or 1=1")
    assert "1=1" not in shown(forged)[2]
    # the chain of this test has one category, so that there is nothing to choose
    assert "filter_category" not in offered(forged)


def test_a_page_without_figures_of_a_category_offers_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.filters.BY_CATEGORY", ("stock",))
    app = opened(Scope("chain"), category="护肤")
    assert "filter_category" not in offered(app)
    assert "护肤" not in shown(app)[2]


def test_one_segment_is_said_where_a_page_shows_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "filter_segment" not in offered(opened(Scope("chain"), segment="loyal"))  # the overview is of receipts
    monkeypatch.setattr("pages._ui.filters.BY_SEGMENT", ("overview",))
    app = opened(Scope("chain"), lang="en")
    used = offered(app)["filter_segment"]
    assert used[0] == "All segments"
    assert len(used) > 1
    app.selectbox(key="filter_segment").select_index(1)
    assert f" · {used[1]} · " in shown(run(app))[2]
    assert app.query_params["segment"]
    assert "1=1" not in shown(opened(Scope("chain"), segment="' or 1=1"))[2]


def test_days_that_the_data_do_not_fill_are_not_offered() -> None:
    days = offered(opened(Scope("chain"), lang="en"))["filter_period"]
    assert "Last 12 months" in days
    assert "Spring Festival" in days
    assert possible(date(2026, 11, 1), LAST_DAY) == ["7d", "month", "all"]


def test_one_click_goes_back_to_what_is_usual() -> None:
    assert not opened(Scope("chain")).button
    app = opened(Scope("chain"), period="7d", region="east", compare="previous", lang="en")
    app.button(key="filter_reset").click()
    assert shown(run(app)) == [
        "chain",
        "2026-10-24 2026-11-20",
        "Whole chain · 5 stores · Last 28 days, against the same days last year",
    ]
    assert list(app.query_params) == ["lang"]
