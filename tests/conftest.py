"""Fixtures that every test may take, and which tests share a process."""

import os

import pytest
from xdist.scheduler import LoadScopeScheduling

# Every CRM a test makes is sealed with one key, wherever its home is; tests of the key file take it away.
os.environ.setdefault("MIRROR_KEYS", "test:" + "5e" * 32)

# A server that a test starts computes nothing in the background; tests of the batch run it themselves.
os.environ.setdefault("MIRROR_BATCH", "never")

pytest_plugins = ("tests.databases", "tests.import_kit", "tests.report_fixtures")


class OneFileOneProcess(LoadScopeScheduling):
    """What a file sets up is dear, so its tests stay in one process; all that drives a browser share one server."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "browser" if file.startswith("tests/browser/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneFileOneProcess:
    return OneFileOneProcess(config, log)  # type: ignore[arg-type]
