"""Numbers and addresses are crossed out of logs; figures, days and ids are not."""

import io
import logging
from collections.abc import Iterator

import pytest

from data_access.redact import HIDDEN, in_logs, redacted


@pytest.mark.parametrize(
    "personal",
    ["13800138000", "138-0013-8000", "+86 138 0013 8000", "8613800138000", "+44 20 7946 0958", "wei.zhang@example.cn"],
)
def test_numbers_and_addresses_are_crossed_out(personal: str) -> None:
    assert redacted(f"cannot read '{personal}' of a row") == f"cannot read '{HIDDEN}' of a row"


@pytest.mark.parametrize(
    "plain",
    [
        "2026-11-20 10:00:00",
        "9,747,747.93",
        "S1-20261120",
        "orders 1138001380005",
        "incident 0A1B2C3D",
        "c013800138000ab",
    ],
)
def test_days_figures_and_ids_stay(plain: str) -> None:
    assert redacted(plain) == plain


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    before, written = logging.getLogRecordFactory(), io.StringIO()
    logging.setLogRecordFactory(logging.LogRecord)  # whatever an app that was started in this process has set
    handler = logging.StreamHandler(written)
    logging.getLogger("of somebody else").addHandler(handler)
    yield written
    logging.getLogger("of somebody else").removeHandler(handler)
    logging.setLogRecordFactory(before)


@pytest.mark.parametrize("hidden", [True, False], ids=["as it is", "without the guard"])
def test_nothing_of_a_person_gets_into_a_log(hidden: bool, logged: io.StringIO) -> None:
    if hidden:
        in_logs()
        in_logs()
    log = logging.getLogger("of somebody else")
    try:
        raise ValueError("not a number: 13800138000")
    except ValueError as error:
        log.warning("from %s: %s (%d rows)", "wei@example.cn", error, 3, exc_info=error)
    written = logged.getvalue()
    assert "(3 rows)" in written
    assert "Traceback" in written
    assert ("13800138000" in written, "wei@example.cn" in written) == (not hidden, not hidden)
