"""One receipt, where every drill ends."""

import pytest

from data_access.errors import Problem
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.order import order
from tests.tiny import CHAIN, NOTHING, ONLY_A, key


def test_a_receipt_with_its_lines_and_what_came_back(tiny_snapshot: Snapshot) -> None:
    report = order(tiny_snapshot, ONLY_A, "O4")
    header = report.header.iloc[0]
    assert header[["store", "customer_key", "lines"]].tolist() == ["Alder Road", key(2), 2]
    assert header[["gross_sales", "returns", "net_sales"]].tolist() == [100 + 30, 30, 100 + 30 - 30]
    assert report.lines[["line_no", "product", "net"]].to_numpy().tolist() == [[1, "Cream", 100], [2, "Lipstick", 30]]
    assert report.returns[["return_id", "order_line_no", "refund"]].to_numpy().tolist() == [["R1", 2, 30]]


def test_a_receipt_that_counts_nowhere_says_why(tiny_snapshot: Snapshot) -> None:
    assert order(tiny_snapshot, CHAIN, "O14").header["exclusion"].tolist() == ["test"]


@pytest.mark.parametrize(("scope", "order_id"), [(CHAIN, "O99"), (Scope("stores", ("B",)), "O4"), (NOTHING, "O4")])
def test_a_receipt_outside_the_scope_is_as_unknown_as_one_that_is_not_there(
    tiny_snapshot: Snapshot, scope: Scope, order_id: str
) -> None:
    with pytest.raises(Problem, match=f"no order '{order_id}' in your scope"):
        order(tiny_snapshot, scope, order_id)
