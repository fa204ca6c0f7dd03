"""The command line as scripts use it: what a person can mend is one sentence on stderr and exit code 1."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(home: Path, *arguments: str, crm_url: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MIRROR_HOME": str(home), "MIRROR_CRM_URL": crm_url}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the tiny demo chain and its snapshot, both made by the commands."""
    home = tmp_path_factory.mktemp("chain")
    for arguments in (("data_access", "demo", "--scale", "tiny"), ("data_access", "refresh")):
        done = run(home, *arguments)
        assert done.returncode == 0, done.stderr
    return home


def test_from_nothing_to_a_report_in_three_commands(chain: Path) -> None:
    done = run(chain, "models", "report", "overview", "--format", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["report"] == "overview"
    kpis = {row["key"]: row["value"] for row in report["tables"]["kpis"]}
    assert kpis["net_sales"] > 0
    assert round(sum(row["net_sales"] for row in report["tables"]["by_store"]), 2) == kpis["net_sales"]


def test_the_hidden_truth_lies_beside_the_database(chain: Path) -> None:
    assert json.loads((chain / "demo_truth.json").read_text(encoding="utf-8"))


def test_check_reports_every_table_of_a_sound_database(chain: Path) -> None:
    done = run(chain, "data_access", "check")
    assert done.returncode == 0, done.stderr
    assert "sale_order" in done.stdout
    assert "snapshot" in done.stdout.splitlines()[-1]


def test_demo_if_missing_leaves_a_filled_database_alone(chain: Path) -> None:
    before = (chain / "demo_truth.json").stat().st_mtime_ns
    assert run(chain, "data_access", "demo", "--scale", "tiny", "--if-missing").returncode == 0
    assert (chain / "demo_truth.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("data_access", "import", "no_such_mapping", "nothing.csv"), "no_such_mapping"),
        (("data_access", "import", "online_retail", "no_such_file.csv"), "no_such_file.csv"),
        (("data_access", "demo", "--scale", "huge"), "huge"),
        (("data_access", "demo", "--scale", "tiny", "--null", "gravity"), "gravity"),
        (("data_access", "refresh"), "CRM"),
        (("models", "report", "overview"), "refresh"),
    ],
    ids=["unknown mapping", "missing file", "unknown scale", "unknown effect", "empty database", "no snapshot"],
)
def test_what_a_person_can_mend_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()[-1]) < 400


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nonsense",), "nonsense"),
        (("overview", "--param", "colour=red"), "colour"),
        (("overview", "--store", "NOWHERE"), "NOWHERE"),
        (("overview", "--from", "2026-02-30"), "2026-02-30"),
        (("overview", "--from", "2026-03-01", "--to", "2026-02-01"), "2026-03-01"),
    ],
    ids=["report", "parameter", "store", "day", "order of days"],
)
def test_a_report_names_what_it_cannot_take(chain: Path, arguments: tuple[str, ...], says: str) -> None:
    done = run(chain, "models", "report", *arguments)
    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "data_access", "check", crm_url="postgresql+psycopg://nobody@127.0.0.1:9/none")
    assert done.returncode == 1
    assert "check that it runs" in done.stderr
    assert "Traceback" not in done.stderr
