"""A recall: from a lot to its buyers, whom of them one may tell, and what is left on shelves."""

from datetime import date, datetime

import pandas as pd
import pytest

from data_access.scope import Scope
from data_access.snapshot import GenerationInfo, Snapshot
from models.reports.lot import lot
from tests import tiny, two_chains
from tests.tiny import CHAIN, ONLY_A

GRANTED = datetime(2026, 1, 1)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The tiny chain: every line of P1 is of lot L1; who bought it in A agrees to a call, 3 units are left in B."""
    content = tiny._rows()
    for line in content["sale_line"]:
        line["lot_id"] = "L1" if line["product_id"] == "P1" else None
    buyer = next(line["customer_no"] for line in content["sale_line"] if _bought(line) and line["store_id"] == "A")
    agreed = {"customer_no": buyer, "purpose": "service", "granted_at": GRANTED}
    content["consent"] = [
        {**agreed, "channel": "phone", "withdrawn_at": None},
        {**agreed, "channel": "sms", "withdrawn_at": datetime(2026, 2, 1)},
        {**agreed, "channel": "email", "purpose": "marketing", "withdrawn_at": None},
    ]
    content["stock_lot"] = [{"store_id": "B", "product_id": "P1", "lot_id": "L1", "expires_on": None, "quantity": 3}]
    engine = two_chains.build(tmp_path_factory.mktemp("lot") / "facts.duckdb", content)
    built = datetime(2026, 3, 21)
    info = GenerationInfo(7, built, built, date(2025, 3, 1), date(2026, 3, 20), "CNY", False)
    return Snapshot("7", engine, info, None)


def _bought(line: dict[str, object]) -> bool:
    return line["product_id"] == "P1" and line["exclusion"] is None and line["customer_no"] is not None


def _lines() -> list[dict[str, object]]:
    return [line for line in tiny._rows()["sale_line"] if line["product_id"] == "P1" and line["exclusion"] is None]


def test_every_identified_buyer_is_listed_and_the_others_are_counted(facts: Snapshot) -> None:
    found = lot(facts, CHAIN, "P1", "L1")
    buyers = {line["customer_no"] for line in _lines() if line["customer_no"] is not None}
    figures = found.figures.iloc[0]
    assert figures["buyers"] == len(found.people) == len(buyers) > 0
    assert figures["units"] == sum(float(str(line["quantity"])) for line in _lines())
    assert figures["nameless"] == sum(float(str(line["quantity"])) for line in _lines() if line["customer_no"] is None)
    assert found.people["units"].sum() == figures["named"]


def test_only_a_living_consent_to_service_counts(facts: Snapshot) -> None:
    found = lot(facts, CHAIN, "P1", "L1")
    assert found.people["reach"].value_counts().get("phone", 0) == 1
    assert set(found.people["reach"]) <= {"", "phone"}
    assert found.figures["reachable"].tolist() == [1]


def test_a_store_sees_its_buyers_and_its_shelf(facts: Snapshot) -> None:
    mine, other = lot(facts, ONLY_A, "P1", "L1"), lot(facts, Scope("stores", ("B",)), "P1", "L1")
    assert set(mine.stores["store_id"]) == {"A"}
    assert other.figures["on_shelf"].tolist() == [3]
    assert mine.figures["on_shelf"].tolist() == [0]
    assert set(mine.people["store_id"]) == {"A"}


def test_the_latest_lot_is_shown_first_and_no_lot_is_said(facts: Snapshot) -> None:
    assert lot(facts, CHAIN, "P1").lot_id == "L1"
    found = lot(facts, CHAIN, "P404")
    assert found.lot_id is None
    assert all(isinstance(frame, pd.DataFrame) and frame.empty for frame in (found.people, found.stores, found.lots))
