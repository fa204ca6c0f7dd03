"""Fixtures that every test may take."""

import os

# Every CRM a test makes is sealed with one key, wherever its home is; tests of the key file take it away.
os.environ.setdefault("MIRROR_KEYS", "test:" + "5e" * 32)

# A server that a test starts computes nothing in the background; tests of the batch run it themselves.
os.environ.setdefault("MIRROR_BATCH", "never")

pytest_plugins = ("tests.databases", "tests.import_kit", "tests.report_fixtures")
