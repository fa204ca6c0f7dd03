"""From real files to reports: import, refresh, report, against figures computed elsewhere."""

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data_access.crm import crm_engine
from data_access.importer import import_files
from data_access.queries.customers import buyers
from data_access.queries.why import identified
from data_access.refresh import refresh
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot, current_snapshot
from models.calc.decomposition import mix_and_rate, price_volume_mix
from models.reports.overview import OverviewReport, overview
from models.reports.retention import RetentionReport, retention
from models.reports.segments import SegmentsReport, segments
from models.reports.why import customer_effects
from tests.report_fixtures import figure
from tests.shared_data import shared_data

CHAIN = Scope("chain")
SCORED = {"equal_size": "A", "keep_ties": "B"}  # our rule -> the golden file's method


def load(home: Path, mapping: str, files: list[Path]) -> Snapshot:
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
    import_files(engine, mapping, files, quarantine=home / "quarantine")
    refresh(engine, home)
    engine.dispose()
    return current_snapshot(home)


def whole(snapshot: Snapshot) -> Period:
    first, last = snapshot.info.first_day, snapshot.info.last_day
    assert first is not None
    assert last is not None
    return Period(first, last)


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared_data(name) / "golden.json").read_text(encoding="utf-8"))
    return content


def assert_stores_add_up(snapshot: Snapshot, total: float) -> None:
    """Gross sales: source = chain = sum of the report's stores = sum of reports of single stores; net likewise."""
    report = overview(snapshot, CHAIN, whole(snapshot))
    assert round(figure(report.kpis, "gross_sales"), 2) == total
    assert round(report.by_store["gross_sales"].sum(), 2) == total
    net = figure(report.kpis, "net_sales")
    ids = report.by_store["store_id"].head(5).tolist() + report.by_store["store_id"].tail(5).tolist()
    for store_id in dict.fromkeys(ids):
        alone = overview(snapshot, Scope("stores", (store_id,)), whole(snapshot)).kpis
        assert figure(alone, "net_sales") == report.by_store.set_index("store_id").loc[store_id, "net_sales"]
    for frame in (report.by_store, report.by_region, report.by_month, report.by_day):
        assert round(frame["net_sales"].sum(), 2) == round(net, 2)


# --- Online Retail --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def online_retail(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The snapshot of the whole file."""
    file = shared_data("online_retail") / "online_retail.parquet"
    return load(tmp_path_factory.mktemp("online_retail_reports"), "online_retail", [file])


@pytest.fixture(scope="session")
def year(online_retail: Snapshot) -> OverviewReport:
    return overview(online_retail, CHAIN, Period(date(2010, 12, 1), date(2011, 12, 9)))


@pytest.fixture(scope="session")
def scored(online_retail: Snapshot) -> SegmentsReport:
    return segments(online_retail, CHAIN, date(2011, 12, 10), monetary="gross_sales", members=10_000)


@pytest.fixture(scope="session")
def returning(online_retail: Snapshot) -> RetentionReport:
    return retention(online_retail, CHAIN, date(2011, 12, 9))


def test_the_year_of_online_retail(year: OverviewReport) -> None:
    expected = golden("online_retail")
    assert round(figure(year.kpis, "gross_sales"), 2) == expected["total_revenue"] == 10_666_684.54
    assert round(figure(year.kpis, "returns"), 2) == -expected["raw"]["cancel_amount"]
    assert figure(year.kpis, "orders") == expected["orders"] == 19_960
    assert figure(year.kpis, "buyers") == expected["customers"]
    assert figure(year.kpis, "new_customers") == expected["customers"]
    assert figure(year.kpis, "identified_share") == expected["orders_with_customer"] / expected["orders"]
    assert year.kpis[["previous", "last_year"]].isna().all(axis=None)


def test_the_thirteen_months_of_online_retail(year: OverviewReport) -> None:
    months = year.by_month.set_index("month")
    expected = golden("online_retail")["monthly"]
    assert months["gross_sales"].round(2).to_dict() == {month: sums["revenue"] for month, sums in expected.items()}
    assert months["orders"].to_dict() == {month: sums["orders"] for month, sums in expected.items()}
    assert months.index[~months["complete"]].tolist() == ["2011-12"]


def test_buyers_of_each_month_of_online_retail(online_retail: Snapshot) -> None:
    expected = golden("online_retail")["monthly"]
    months = [pd.Period(month) for month in expected]
    periods = [Period(month.start_time.date(), month.end_time.date()) for month in months]
    found = buyers(CHAIN, online_retail.engine, periods)["buyers"].tolist()
    assert found == [sums["customers"] for sums in expected.values()]


def test_the_money_of_online_retail_reconciles(online_retail: Snapshot) -> None:
    assert_stores_add_up(online_retail, golden("online_retail")["total_revenue"])


@pytest.mark.parametrize("tie_rule", SCORED)
def test_the_scores_of_online_retail(scored: SegmentsReport, tie_rule: str) -> None:
    expected = golden("online_retail")
    rfm = expected["rfm"][SCORED[tie_rule]]
    cells = scored.rfm[scored.rfm["tie_rule"] == tie_rule]
    assert cells["customers"].sum() == expected["rfm"]["customers"] == 4_338
    assert round(cells["gross_sales"].sum(), 2) == expected["revenue_with_customer"] == 8_911_407.90
    for letter in "RFM":
        assert cells.groupby(letter.lower())["customers"].sum().to_dict() == {int(k): v for k, v in rfm[letter].items()}
    pairs = cells.groupby(["r", "f"])["customers"].sum()
    assert {f"R{r}F{f}": n for (r, f), n in pairs.items()} == rfm["cells_RF"]
    corner = cells.set_index(["r", "f", "m"])["customers"]
    assert corner[(5, 5, 5)] == rfm["n_555"] == {"equal_size": 348, "keep_ties": 324}[tie_rule]
    assert corner[(1, 1, 1)] == rfm["n_111"]


def test_money_by_score_of_online_retail(scored: SegmentsReport) -> None:
    cells = scored.rfm[scored.rfm["tie_rule"] == "equal_size"]
    found = cells.groupby("m")["gross_sales"].sum().round(2).to_dict()
    assert found == {int(k): v for k, v in golden("online_retail")["rfm"]["A"]["monetary_sum_by_Mscore"].items()}


def test_the_cut_points_and_averages_of_online_retail(scored: SegmentsReport) -> None:
    rfm = golden("online_retail")["rfm"]
    for measure, cuts in (("recency_days", "cuts_R"), ("orders", "cuts_F"), ("gross_sales", "cuts_M")):
        found = scored.cuts[scored.cuts["measure"] == measure]["value"].tolist()
        assert found == pytest.approx(rfm["B"][cuts], abs=0.005)
    bought = scored.members[scored.members["orders"] > 0]
    assert bought["recency_days"].mean() == pytest.approx(rfm["recency_mean"], abs=5e-5)
    assert bought["recency_days"].median() == rfm["recency_median"]
    assert bought["orders"].mean() == pytest.approx(rfm["frequency_mean"], abs=5e-4)
    assert round(bought["gross_sales"].mean(), 2) == rfm["monetary_mean"]


def test_the_best_fifth_of_online_retail(scored: SegmentsReport) -> None:
    gross = scored.members["gross_sales"].sort_values(ascending=False)
    count = (scored.members["orders"] > 0).sum()
    for share, name in ((0.2, "top20pct_customers_share_of_revenue"), (0.1, "top10pct")):
        best = gross.head(math.ceil(share * count)).sum()
        assert best / gross.sum() == pytest.approx(golden("online_retail")["pareto"][name], abs=5e-7)


def test_the_cohorts_of_online_retail(returning: RetentionReport) -> None:
    cohorts = returning.cohorts.set_index(["cohort", "month_number"])
    expected = golden("online_retail")["cohort_retention"]["cohorts"]
    assert set(returning.cohorts["cohort"]) == set(expected)
    for cohort, known in expected.items():
        assert cohorts.loc[(cohort, 0), "size"] == known["size"]
        for month in (1, 2, 3):
            if known[f"m{month}"] is None:
                assert (cohort, month) not in cohorts.index
            else:
                assert cohorts.loc[(cohort, month), "customers"] == known[f"m{month}"]
                assert cohorts.loc[(cohort, month), "rate"] == pytest.approx(known[f"m{month}_rate"], abs=5e-7)
    assert cohorts.loc["2010-12", "customers"].tolist()[:4] == [885, 324, 286, 340]


def test_the_repeat_rate_of_online_retail(returning: RetentionReport) -> None:
    expected = golden("online_retail")["repeat_purchase_rate"]
    assert figure(returning.summary, "repeat_customers") == expected["repeat_customers"]
    assert round(figure(returning.summary, "repeat_purchase_rate"), 6) == expected["rate"]
    assert round(100 * figure(returning.summary, "repeat_purchase_rate"), 2) == 65.58


def test_new_and_returning_customers_of_online_retail(returning: RetentionReport) -> None:
    months = returning.new_returning.set_index("month")
    for month, known in golden("online_retail")["new_vs_returning"].items():
        row = months.loc[month]
        assert (row["new"], row["returning"]) == (known["new"], known["returning"])
        assert round(row["new_gross_sales"], 2) == known["revenue_new"]
        assert round(row["returning_gross_sales"], 2) == known["revenue_returning"]


# --- the other files ------------------------------------------------------------------------------


def test_the_money_of_cdnow_reconciles(tmp_path: Path) -> None:
    expected = golden("cdnow")["master_orders=distinct customer-day"]
    snapshot = load(tmp_path, "cdnow", [shared_data("cdnow") / "cdnow_master.parquet"])
    assert_stores_add_up(snapshot, expected["total_revenue"])
    months = overview(snapshot, CHAIN, whole(snapshot)).by_month.set_index("month")["gross_sales"]
    assert months.round(2).to_dict() == {month: sums["revenue"] for month, sums in expected["monthly"].items()}


def test_the_money_of_complete_journey_reconciles(tmp_path: Path) -> None:
    files = sorted(shared_data("complete_journey").glob("*.parquet"))
    snapshot = load(tmp_path, "complete_journey", files)
    assert_stores_add_up(snapshot, golden("complete_journey")["sample_2017"]["total_revenue"])


def test_the_money_of_hillstrom_reconciles(tmp_path: Path) -> None:
    arms = golden("hillstrom")["arms"].values()
    snapshot = load(tmp_path, "hillstrom", [shared_data("hillstrom") / "hillstrom.parquet"])
    assert_stores_add_up(snapshot, round(sum(arm["spend_total"] for arm in arms), 2))


def test_what_moved_online_retail_from_october_to_november(online_retail: Snapshot) -> None:
    """Known customers, gross sales: the published effects, to the pound."""
    months = (Period(date(2011, 10, 1), date(2011, 10, 31)), Period(date(2011, 11, 1), date(2011, 11, 30)))
    before, after = identified(CHAIN, online_retail.engine, months)
    effects = customer_effects(before, after).set_index("factor")["effect"]
    assert effects.round().to_dict() == {
        "buyers": 219_895,
        "orders_per_customer": 134_370,
        "units_per_transaction": -223_201,
        "price": -8_566,
    }
    assert round(effects.sum(), 2) == round(after["gross_sales"] - before["gross_sales"], 2)


@pytest.fixture(scope="session")
def known_lines(online_retail: Snapshot) -> pd.DataFrame:
    """What known customers paid for in October and November 2011, line by line: month, product_id, order_id, store_id
    (the country), units, sales (GBP)."""
    query = """SELECT month(day) AS month, product_id, order_id, store_id, quantity AS units, net AS sales
        FROM sale_line WHERE exclusion IS NULL AND customer_no IS NOT NULL AND net <> 0
        AND day BETWEEN '2011-10-01' AND '2011-11-30'"""
    with online_retail.engine.connect() as connection:
        rows = pd.DataFrame(connection.exec_driver_sql(query).mappings().all())
    return rows.astype({"units": float, "sales": float})


def test_price_volume_and_mix_of_online_retail_from_october_to_november(known_lines: pd.DataFrame) -> None:
    """The published effects, to the pound; at the units of the beginning the effect of prices even has another sign."""
    sums = known_lines.groupby(["product_id", "month"])[["units", "sales"]].sum().unstack(fill_value=0.0)
    products = pd.DataFrame(
        {
            f"{name}{ending}": sums[name][month]
            for name in ("units", "sales")
            for month, ending in ((11, ""), (10, "_before"))
        }
    )
    kept = products[(products["units"] > 0) & (products["units_before"] > 0)]
    dearer = kept["sales"] / kept["units"] - kept["sales_before"] / kept["units_before"]
    more = kept["units"].sum() - kept["units_before"].sum()
    change = kept["sales"].sum() - kept["sales_before"].sum()
    # All published at the prices of October and the units of November, the price at three bases.
    assert round((dearer * kept["units_before"]).sum()) == 7_503
    at_the_end = (dearer * kept["units"]).sum()
    volume_at_the_beginning = more * kept["sales_before"].sum() / kept["units_before"].sum()
    assert round(at_the_end) == -74_515
    assert round(volume_at_the_beginning) == 131_239
    assert round(change - at_the_end - volume_at_the_beginning) == 63_080

    effects = price_volume_mix(products)
    assert round(effects["price"]) == -33_506
    assert round(effects["new_products"]) == 15_545
    assert round(effects["lost_products"]) == -12_850
    # What the three add up to is the same whatever the base.
    assert round(effects["price"] + effects["volume"] + effects["mix"]) == -74_515 + 131_239 + 63_080
    assert round(sum(effects.values())) == 122_499


def test_the_mean_receipt_of_online_retail_by_rate_and_mix(known_lines: pd.DataFrame) -> None:
    """The published effects at midpoint weights: the United Kingdom and all other countries."""
    home = known_lines["store_id"].eq("United Kingdom").map({True: "UK", False: "other"})
    group = known_lines.groupby([home, known_lines["month"]])
    top, bottom = group["sales"].sum().unstack(), group["order_id"].nunique().unstack()
    sums = pd.DataFrame({"top": top[11], "bottom": bottom[11], "top_before": top[10], "bottom_before": bottom[10]})
    effects = mix_and_rate(sums)
    assert effects["rate_effect"].round(2).to_dict() == {"UK": -64.80, "other": -31.55}
    assert effects["mix_effect"].round(2).to_dict() == {"UK": -0.57, "other": -4.59}
    now, before = (sums[f"top{ending}"].sum() / sums[f"bottom{ending}"].sum() for ending in ("", "_before"))
    assert (round(before, 2), round(now, 2), round(now - before, 2)) == (538.79, 437.27, -101.52)
    assert effects[["rate_effect", "mix_effect"]].sum().sum() == pytest.approx(now - before)
