"""``python -m models report``: shapes, formats and sentences. The reports' figures have tests of their own."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import models.__main__ as command
from data_access.errors import Problem
from data_access.snapshot import Snapshot
from models.output import to_csv, to_json, to_xlsx
from models.reports import REPORTS, find, tables
from tests.tiny import AS_OF, CHAIN, MARCH, NOTHING, ONLY_A, key

Run = Callable[..., str]

ARGUMENTS: dict[str, dict[str, Any]] = {
    "campaign": {"campaign": "K1"},
    "coupons": {"campaign": "K1"},
    "campaign_stock": {"campaign": "K1"},
    "funnel_detail": {"campaign": "K1", "step": "clicked"},
    "store": {"store_id": "A"},
    "staff_member": {"staff_id": "E1"},
    "own": {"staff_id": "E1"},
    "category": {"category_": "skin care"},
    "product": {"product_id": "P1"},
    "lot": {"product_id": "P1"},
    "product_demand": {"product_id": "P1"},
    "order": {"order_id": "O7"},
    "customer": {"customer_key": key(1)},
}


@pytest.fixture
def run(tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command over the tiny snapshot and returns what it prints; a Problem passes through."""
    monkeypatch.setattr(command, "current_snapshot", lambda _home: tiny_snapshot)

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(command.app, ["report", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


def when(name: str) -> tuple[Any, ...]:
    return {"period": (MARCH,), "as_of": (AS_OF,), "nothing": ()}[REPORTS[name].over]


@pytest.mark.parametrize("scope", [CHAIN, ONLY_A], ids=["chain", "one store"])
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_returns_the_tables_and_columns_it_declares(name: str, scope: Any, tiny_snapshot: Snapshot) -> None:
    chosen = REPORTS[name]
    report = chosen.function(tiny_snapshot, scope, *when(name), **ARGUMENTS.get(name, {}))
    assert isinstance(report, chosen.result)
    assert {table: tuple(frame) for table, frame in tables(report).items()} == chosen.tables


@pytest.mark.parametrize("name", ["overview", "segments", "retention", "health"])
def test_a_report_over_no_stores_keeps_its_columns(name: str, tiny_snapshot: Snapshot) -> None:
    report = REPORTS[name].function(tiny_snapshot, NOTHING, *when(name))
    assert {table: tuple(frame) for table, frame in tables(report).items()} == REPORTS[name].tables


def test_the_list_names_every_report_table_and_column(run: Run) -> None:
    text = run("--list")
    for name, report in REPORTS.items():
        assert f"{name}  (" in text
        for table, columns in report.tables.items():
            assert f"{table}: {', '.join(columns)}" in text
        for parameter in report.parameters:
            assert f"--param {parameter.name}=" in text


def test_json_has_the_documented_shape(run: Run) -> None:
    printed = json.loads(run("overview", "--from", "2026-03-01", "--to", "2026-03-20", "--store", "B", "--store", "A"))
    assert {key: value for key, value in printed.items() if key != "tables"} == {
        "report": "overview",
        "as_of": "2026-03-20",
        "scope": {"kind": "stores", "store_ids": ["A", "B"]},
        "filters": {"from": "2026-03-01", "to": "2026-03-20"},
        "generation": "7",
    }
    kpis = {row["key"]: row for row in printed["tables"]["kpis"]}
    assert kpis["gross_sales"]["value"] == 190 + 30 + 205 + 31 + 105 + 58 + 110.25
    assert kpis["average_ticket"]["value"] == round((190 + 30 + 205 + 31 + 105 + 58 + 110.25 - 30) / 7, 2)
    assert printed["tables"]["by_day"][0]["day"] == "2026-03-01"
    assert [row["store_id"] for row in printed["tables"]["by_store"]] == ["B", "A"]


def test_a_missing_comparison_is_null(run: Run) -> None:
    printed = json.loads(run("overview", "--from", "2025-03-01", "--to", "2025-03-20"))
    assert printed["tables"]["kpis"][0]["previous"] is None
    assert printed["tables"]["products"][0]["compared_with"] is None


def test_the_default_period_is_the_last_28_days_of_the_data(run: Run) -> None:
    assert json.loads(run("overview"))["filters"] == {"from": "2026-02-21", "to": "2026-03-20"}
    assert json.loads(run("overview", "--as-of", "2026-03-10"))["filters"] == {"from": "2026-02-11", "to": "2026-03-10"}
    assert json.loads(run("segments"))["as_of"] == "2026-03-20"


def test_parameters_reach_the_report_and_the_output(run: Run) -> None:
    printed = json.loads(run("segments", "--as-of", "2026-03-20", "--param", "monetary=gross_sales"))
    assert printed["filters"] == {"monetary": "gross_sales"}
    assert "gross_sales" in {row["measure"] for row in printed["tables"]["cuts"]}
    months = json.loads(run("retention", "--param", "months=1"))["tables"]["new_returning"]
    assert [row["month"] for row in months] == ["2026-03"]


def test_instants_and_missing_cells(run: Run) -> None:
    header = json.loads(run("order", "--param", "order=O10"))["tables"]["header"][0]
    assert header["ordered_at"] == "2026-03-06T11:00:00"
    assert header["customer_key"] is None
    members = json.loads(run("segments"))["tables"]["members"]
    prospect = next(row for row in members if row["customer_key"] == key(5))
    assert (prospect["r"], prospect["last_day"], prospect["segment"]) == (None, None, "prospect")
    assert isinstance(members[0]["recency_days"], int)


def test_csv_is_one_table_or_named_blocks(run: Run) -> None:
    one = pd.read_csv(io.StringIO(run("overview", "--format", "csv", "--table", "by_store")))
    assert list(one) == list(REPORTS["overview"].tables["by_store"])
    blocks = run("overview", "--format", "csv").split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [f"# {table}" for table in REPORTS["overview"].tables]


def test_a_file_can_be_written_in_every_format(run: Run, tmp_path: Path) -> None:
    for name in ("out.json", "out.csv", "out.xlsx"):
        assert run("overview", "--format", name.split(".")[1], "--out", str(tmp_path / name)) == ""
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["report"] == "overview"
    assert (tmp_path / "out.csv").read_bytes().startswith("\ufeff# kpis".encode())
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["about", *REPORTS["overview"].tables]
    assert book["kpis"]["A1"].value == "key"
    assert isinstance(book["kpis"]["B2"].value, float | int)


def test_text_never_becomes_a_formula(tmp_path: Path) -> None:
    frame = {"list": pd.DataFrame({"product": ["=1+1", "@cmd", "-2", "plain", "+x"], "change": [-1.0, 2, 3, 4, None]})}
    lines = to_csv(frame).splitlines()
    assert lines[1:] == ["'=1+1,-1.0", "'@cmd,2.0", "'-2,3.0", "plain,4.0", "'+x,"]
    path = tmp_path / "book.xlsx"
    path.write_bytes(to_xlsx({"report": "x"}, frame))
    cell = openpyxl.load_workbook(path)["list"]["A2"]
    assert (cell.value, cell.data_type) == ("'=1+1", "s")


def test_money_is_rounded_to_cents_and_nothing_else_is() -> None:
    frame = pd.DataFrame({"net_sales": [1.005, 2.675000001], "rate": [1 / 3, 2 / 3]})
    printed = json.loads(to_json({}, {"t": frame}))["tables"]["t"]
    assert [row["net_sales"] for row in printed] == [1.0, 2.68]
    assert [row["rate"] for row in printed] == [1 / 3, 2 / 3]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name a report: overview, segments, "),
        (("sales",), "no report 'sales': the reports are overview"),
        (("overview", "--format", "pdf"), "json, csv, xlsx"),
        (("overview", "--format", "xlsx"), "--out"),
        (("overview", "--store", "Z"), "no store 'Z': the stores are A, B, C"),
        (("stores", "--param", "x=1"), "no parameter 'x'; its parameters: none"),
        (("overview", "--param", "x=1"), "its parameters: category"),
        (("overview", "--table", "cohorts"), "its tables are kpis"),
        (("overview", "--from", "2026-03-02", "--to", "2026-03-01"), "ends before it begins"),
        (("overview", "--to", "2026-03-02", "--as-of", "2026-03-01"), "--as-of"),
        (("segments", "--from", "2026-03-02"), "use --as-of"),
        (("segments", "--param", "tie_rule=luck"), "equal_size, keep_ties"),
        (("segments", "--param", "window_months=few"), "a whole number"),
        (("segments", "--param", "abc_a=much"), "between 0 and 1"),
        (("segments", "--param", "monetary"), "key=value"),
        (("store",), "needs --param store="),
        (("order", "--to", "2026-03-02", "--param", "order=O7"), "takes no dates"),
        (("overview", "--out", "/no/such/folder/x.json"), "folder that exists"),
    ],
)
def test_what_is_wrong_is_one_sentence(run: Run, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(Problem) as problem:
        run(*arguments)
    assert says in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_problem_ends_on_stderr_with_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["models", "report", "sales"])
    with pytest.raises(SystemExit) as stopped:
        command.run(command.app)
    assert stopped.value.code == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: there is no report 'sales'")


def test_find_knows_the_reports() -> None:
    assert find("store").name == "store"
