"""Another year of the same export: nothing in a mapping or a report knows the dates of the file."""

from pathlib import Path

import pandas as pd
import pytest

from data_access.scope import Scope
from models.reports.overview import overview
from models.reports.retention import retention
from models.reports.segments import segments
from tests.golden.test_reports_golden import load, whole
from tests.report_fixtures import figure
from tests.shared_data import shared_data

ROWS = 60_000
LATER = pd.Timedelta(days=731)


@pytest.fixture(scope="module")
def export() -> pd.DataFrame:
    """The first months of Online Retail, two years later."""
    rows = pd.read_parquet(shared_data("online_retail") / "online_retail.parquet").head(ROWS)
    return rows.assign(InvoiceDate=rows["InvoiceDate"] + LATER)


def test_the_reports_run_unchanged_on_another_year(export: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "another_year.parquet"
    export.to_parquet(file)
    snapshot = load(tmp_path, "online_retail", [file])
    sold = export[~export["Invoice"].str.startswith("C") & (export["Quantity"] > 0) & (export["Price"] > 0)]
    gross = (sold["Quantity"] * sold["Price"]).sum()
    last = export["InvoiceDate"].max().date()

    report = overview(snapshot, Scope("chain"), whole(snapshot))
    assert snapshot.info.last_day == last
    assert figure(report.kpis, "gross_sales") == pytest.approx(gross, abs=0.005)
    assert figure(report.kpis, "orders") == sold["Invoice"].nunique()
    assert report.by_month["month"].tolist() == sorted(sold["InvoiceDate"].dt.strftime("%Y-%m").unique())
    buyers = sold["Customer ID"].nunique()
    named = segments(snapshot, Scope("chain"), last).named.set_index("segment")["customers"]
    assert named.drop("prospect").sum() == buyers
    cohorts = retention(snapshot, Scope("chain"), last).cohorts
    assert cohorts.loc[cohorts["month_number"] == 0, "customers"].sum() == buyers
