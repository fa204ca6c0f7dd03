"""Reports on paper: what is printed of a table, what is not, and that the file holds its fonts and fetches nothing."""

import io
import re
import zipfile

import openpyxl
import pandas as pd
import pytest

from data_access.marts.tables import UNKNOWN
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports import REPORTS, tables
from pages._gate.exports import Refused, Stamp
from pages._gate.identity import Person
from pages._ui import export, load, print_charts, printed
from pages._ui.i18n import LANGUAGES, speaking, t
from tests.test_report_command import ARGUMENTS, when
from tests.tiny import CHAIN

STAMP = Stamp("0123456789abcdef", "2026-11-20 18:40")
STORES = pd.DataFrame(
    {
        "store_id": ["S1", "S2"],
        "store": ["上海南京路旗舰店", "<b>小店</b>"],
        "net_sales": [200.0, 100.0],
        "last_year": [150.0, None],
        "movement": ["not_a_word", "nor_this"],
        "share": [2 / 3, 1 / 3],
    }
)
DAYS = pd.DataFrame(
    {"day": pd.date_range("2026-11-01", periods=20), "net_sales": [float(number) for number in range(20)]}
)
KINDS: print_charts.Kinds = {"store": "text", "net_sales": "money"}
KPIS = pd.DataFrame({"key": ["net_sales"], "value": [300.0], "previous": [150.0], "unit": ["money"]})


@pytest.fixture(autouse=True)
def no_translations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages._ui.i18n._translations", lambda field, language: {})


def page(**tables: pd.DataFrame) -> str:
    return printed.html("Overview", [("Scope", "Chain")], [printed.Part("", tables)], [], "CNY")


def test_a_table_has_its_units_and_neither_ids_nor_keys_without_words() -> None:
    written = page(by_store=STORES)
    assert "¥200<" in written  # sums of hundreds without their cents
    assert "66.7%" in written
    assert "S1" not in written
    assert "not_a_word" not in written


def test_a_report_of_one_store_does_not_name_it_in_each_row() -> None:
    shelves = pd.DataFrame({"store": ["小店", "小店"], "product": ["A", "B"], "units": [1, 2]})
    assert "小店" not in page(by_store=STORES.iloc[:1], warnings=shelves)
    assert page(by_store=STORES, warnings=shelves).count("<td>小店</td>") == 2


def test_text_of_the_data_is_never_markup() -> None:
    written = page(by_store=STORES)
    assert "<b>小店" not in written
    assert "&lt;b&gt;小店" in written


def test_key_figures_are_cards_with_what_they_are_compared_with() -> None:
    assert f"<b>¥300</b><span>{t('charts.previous')} ¥150</span>" in page(kpis=KPIS)


def test_every_page_of_the_file_says_what_it_is_whose_and_as_of_when() -> None:
    scope, days = (t("head.scope"), "East"), (t("head.period"), "Nov 1 to 20, 2026")
    lines = [scope, days, (t("head.as_of"), "Nov 20, 2026 18:40"), (t("head.currency"), "CNY")]
    written = printed.html("Overview", lines, [printed.Part("", {})], [], "CNY")
    foot = f"{t('app.name')} · Overview · East · Nov 1 to 20, 2026 · {t('head.as_of')} Nov 20, 2026 18:40"
    assert f'<div class="about">{foot}</div>' in written
    style = printed._CSS.read_text(encoding="utf-8")
    assert "string-set:about content()" in style
    assert "@bottom-left{content:string(about)" in style
    assert '@bottom-right{content:counter(page) " / " counter(pages)' in style


def test_sums_beside_other_figures_have_no_cents() -> None:
    months = pd.DataFrame({"month": ["2026-10"] * 2, "measure": ["net_sales", "nps"], "value": [1234.5, 0.25]})
    written = page(months=months)
    assert '<td class="n">¥1,235</td>' in written
    assert '<td class="n">0.25</td>' in written


def test_both_ends_of_a_range_are_one_column_in_the_unit_of_their_figure() -> None:
    rates = pd.DataFrame({"month": ["2026-10"], "churn_rate": [0.075], "lo95": [0.061], "hi95": [0.09]})
    written = page(rate=rates)
    assert f'<th class="n">{t("column.between")}</th></tr>' in written
    assert f'<td class="n">{t("number.between", low="6.1%", high="9.0%")}</td></tr>' in written
    assert t("column.lo95") not in written


def test_what_nobody_reads_as_rows_is_left_to_the_workbook() -> None:
    cuts = pd.DataFrame({"measure": ["net_sales"], "quantile": [0.2], "value": [14.0]})
    checks = pd.DataFrame({"key": ["popular_precision", "net_sales"], "value": [0.42, 300.0]})
    assert printed.readable({"cuts": cuts, "held": cuts, "nothing": cuts.head(0)}) == {"held": cuts}
    written = page(cuts=cuts, summary=checks)
    assert t("export.sheet.cuts") not in written
    assert "popular_precision" not in written


def test_a_step_before_is_a_word_where_other_tables_have_an_amount_before() -> None:
    # "previous" is an amount in the tables of the overview
    steps = pd.DataFrame({"step": ["sent", "opened"], "customers": [10, 4], "previous": ["targeted", "sent"]})
    assert printed.layout.kind("steps", "previous", steps) == "text"
    assert f"<td>{t('step.opened')}</td>" in page(steps=steps)


def test_effects_of_factors_are_amounts_and_those_of_courses_shares() -> None:
    factors = pd.DataFrame({"factor": ["orders"], "before": [1603.0], "after": [1805.0], "effect": [95208.0]})
    written = page(effects=factors)
    assert '<td class="n">1,603</td>' in written
    assert '<td class="n">+95,208</td>' in written
    assert '<td class="n">+9.5%</td>' in page(effects=pd.DataFrame({"course_name": ["Skin"], "effect": [0.095]}))


def test_lists_of_customers_say_which() -> None:
    rows = pd.DataFrame({"customer_key": ["c1"], "store_id": ["S1"], "store": ["小店"], "value_at_risk": [1_200.0]})
    written = page(at_risk=rows)
    assert "<td>c1</td>" in written
    assert "S1" not in written


def test_first_purchases_are_shaded_by_month() -> None:
    cohorts = pd.DataFrame(
        {"cohort": ["2026-09"] * 3, "month_number": [0, 1, 2], "size": [50] * 3, "rate": [1.0, 0.5, 0.25]}
    )
    written = page(cohorts=cohorts)
    # 0.06 + 0.5 x 0.5 / 0.5, and half of that half
    assert '0.56)">50%</td>' in written
    assert '0.31)">25%</td>' in written


def test_a_file_of_several_places_begins_with_where_each_is() -> None:
    parts = [printed.Part(name, {"by_day": DAYS}) for name in ("East", "South")]
    written = printed.html("Overview", [], parts, [], "CNY")
    assert '<li><a href="#part1">South</a></li>' in written
    assert '<h1 id="part1">South</h1>' in written


def test_days_are_a_line_and_the_last_fourteen_of_them_figures() -> None:
    written = page(by_day=DAYS)
    assert "<svg" in written
    assert written.count("<tr>") == 1 + 14
    assert "The last 14 of 20 rows" in written


def test_months_end_with_the_latest_one() -> None:
    months = [f"{year}-{month:02}" for year in (2024, 2025, 2026) for month in range(1, 13)]
    written = page(by_month=pd.DataFrame({"month": months, "net_sales": [1.0] * 36}))
    assert "<td>Dec 2026</td>" in written
    assert "<td>Jan 2024</td>" not in written


def test_a_bar_is_as_long_as_its_share_of_the_longest() -> None:
    drawn = print_charts.chart(STORES, "CNY", KINDS)
    # 660 wide without 190 for the names and 90 for the values: 380, and half of it
    assert 'width="380.0"' in drawn
    assert 'width="190.0"' in drawn


def test_a_table_of_one_row_has_no_chart() -> None:
    assert print_charts.chart(STORES.head(1), "CNY", KINDS) == ""


# Of the other two no page has a file with all their tables.
@pytest.mark.parametrize("name", [name for name in REPORTS if name not in ("why_mix", "funnel")])
def test_every_report_is_laid_out_in_whole_rows_of_words(name: str, tiny_snapshot: Snapshot) -> None:
    report = REPORTS[name].function(tiny_snapshot, CHAIN, *when(name), **ARGUMENTS.get(name, {}))
    written = printed.html(name, [], [printed.Part("", tables(report))], [], "CNY", page=name)
    for table in re.findall(r"<table.*?</table>", written, re.DOTALL):
        assert len({len(re.findall(r"<t[hd][ >]", row)) for row in table.split("<tr>")[1:]}) == 1
    texts = re.findall(r">([^<>]+)<", written.partition("<body>")[2])
    assert [text for text in texts if re.fullmatch(r"nan|NaT|None|inf|[a-z_]+(\.[a-z_]+)+", text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_a_pdf_with_chinese_letters_in_it(language: str) -> None:
    with speaking(language):
        file = printed.pdf("总览", [("范围", "全部")], [printed.Part("", {"by_store": STORES})], [], "CNY")
    assert file.startswith(b"%PDF-")
    assert len(file) > 10_000  # the shapes of the letters are inside


def test_a_server_without_pango_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", _Broken("weasyprint"))
    with pytest.raises(Refused, match="no_pango"):
        printed.pdf("Overview", [], [], [], "CNY")


class _Broken(type(pd)):  # type: ignore[misc]
    def __getattr__(self, name: str) -> object:
        raise OSError(f"cannot load library: {name}")


def test_each_store_gets_its_own_rows_and_nobody_elses(
    tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_at", lambda generation: tiny_snapshot)
    monkeypatch.setattr("pages._ui.session.identity", lambda: Person("regional", ("R1",), "a1", "王芳"))
    first, last = tiny_snapshot.info.first_day, tiny_snapshot.info.last_day
    assert first is not None
    assert last is not None
    stores = load.places(tiny_snapshot.generation)
    stray = stores.head(1).assign(store_id="S999", store="S999", kind=UNKNOWN)  # only receipts mention it
    monkeypatch.setattr(load, "places", lambda generation: pd.concat([stores, stray]))
    two = Scope("stores", tuple(stores["store_id"].head(2)))
    cover = export.Cover(
        "Overview",
        ((t("head.scope"), "2"),),
        "CNY",
        "overview",
        "full",
        Scope("stores", (*two.store_ids, "S999")),
        Period(first, last),
        tiny_snapshot.generation,
    )
    parts = export._of_places(cover)["store"]()
    assert [part.title for part in parts] == stores["store"].head(2).tolist()
    assert [part.tables["by_store"]["store_id"].tolist() for part in parts] == [[store] for store in two.store_ids]
    file = io.BytesIO()
    written = export._paper(cover, lambda: parts, 12)(file, STAMP)
    assert file.getvalue().startswith(b"%PDF-")
    assert "customer_key" not in written.columns

    pack = io.BytesIO()
    assert export._books(cover, lambda: parts)(pack, STAMP).columns == written.columns
    opened = zipfile.ZipFile(pack)
    assert opened.namelist() == [f"{number:02} {part.title}.xlsx" for number, part in enumerate(parts, start=1)]
    for part, name in zip(parts, opened.namelist(), strict=True):
        cover, *sheets = openpyxl.load_workbook(io.BytesIO(opened.read(name))).worksheets
        assert (t("head.scope"), part.title) in cover.values
        assert [sheet.title for sheet in sheets] == [
            printed.worded.heading("overview", table)[:31] for table in part.tables
        ]


def test_months_that_are_complete_are_told_from_others_only_where_there_is_one() -> None:
    months = pd.DataFrame({"month": ["2026-10", "2026-11"], "net_sales": [20.0, 10.0], "complete": [True, False]})
    assert f"<th>{t('column.complete')}</th>" in page(by_month=months)
    assert t("column.complete") not in page(by_month=months.assign(complete=False))
