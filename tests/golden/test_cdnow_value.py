"""CDNOW against the figures of Fader, Hardie and Lee: parameters, likelihood, their first customer, the holdout."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import models.__main__ as command
from data_access.crm import crm_engine
from data_access.importer import import_files
from data_access.refresh import refresh
from tests.shared_data import shared_data

END = date(1997, 9, 30)
PARAMETERS = {
    ("bg_nbd", "r"): 0.2426,
    ("bg_nbd", "alpha"): 4.4135,
    ("bg_nbd", "a"): 0.7929,
    ("bg_nbd", "b"): 2.4258,
    ("gamma_gamma", "p"): 6.249,
    ("gamma_gamma", "q"): 3.745,
    ("gamma_gamma", "v"): 15.448,
}
# Visits per customer in the 39 weeks after, by visits after the first before them: expected and actual.
BY_REPEATS = {
    0: (0.225, 0.237),
    1: (0.523, 0.697),
    2: (1.044, 1.393),
    3: (1.520, 1.560),
    4: (2.164, 2.532),
    5: (2.654, 2.947),
    6: (3.504, 3.862),
    7: (6.157, 6.359),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The tables that the command line prints for the imported sample."""
    file: Path = shared_data("cdnow") / "cdnow_sample.parquet"
    home = tmp_path_factory.mktemp("cdnow_value")
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
    import_files(engine, "cdnow", [file], quarantine=home / "quarantine")
    refresh(engine, home)
    engine.dispose()
    said = CliRunner().invoke(
        command.app, ["report", "value", "--as-of", END.isoformat(), "--home", str(home)], catch_exceptions=False
    )
    assert said.exit_code == 0, said.output
    tables: dict[str, list[dict[str, Any]]] = json.loads(said.stdout)["tables"]
    return tables


def test_the_parameters_are_the_published_ones(printed: dict[str, list[dict[str, Any]]]) -> None:
    found = {(row["model"], row["name"]): row["value"] for row in printed["parameters"]}
    assert found == {key: pytest.approx(value, rel=1e-3) for key, value in PARAMETERS.items()}
    # the amounts to the digit: means in cents, as published
    assert [round(found["gamma_gamma", name], 3) for name in "pqv"] == [6.249, 3.745, 15.448]


def test_the_likelihoods_and_who_they_are_of(printed: dict[str, list[dict[str, Any]]]) -> None:
    visits, amounts = printed["fit"]
    assert (visits["model"], visits["customers"]) == ("bg_nbd", 2357)
    assert visits["log_likelihood"] >= -9582.43
    assert (amounts["model"], amounts["customers"]) == ("gamma_gamma", 946)  # with a mean repeat visit above 0
    assert amounts["log_likelihood"] == pytest.approx(-4055.923, abs=5e-4)


def test_the_holdout_as_it_was_and_the_customer_of_the_paper(printed: dict[str, list[dict[str, Any]]]) -> None:
    figures = {row["key"]: row["value"] for row in printed["holdout"]}
    assert figures["days"] == 39 * 7
    assert round(figures["expected_visits"]) == 1653
    assert figures["actual_visits"] == 1882
    assert figures["correlation"] == pytest.approx(0.626, abs=5e-4)
    assert figures["mean_absolute_error"] == pytest.approx(0.785, abs=5e-4)
    weeks = [round(figures[f"example_{name}"], 2) for name in ("repeat_visits", "recency_weeks", "age_weeks")]
    assert weeks == [2, 30.43, 38.86]
    assert round(figures["example_expected_visits"], 3) == 1.226
    assert round(figures["example_probability_active"], 4) == 0.7266


def test_the_calibration_by_number_of_visits(printed: dict[str, list[dict[str, Any]]]) -> None:
    found = {row["repeat_visits"]: (row["expected_visits"], row["actual_visits"]) for row in printed["calibration"]}
    assert found == {n: pytest.approx(means, abs=6e-4) for n, means in BY_REPEATS.items()}
