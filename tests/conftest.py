"""Fixtures that every test may take."""

pytest_plugins = ("tests.databases", "tests.import_kit", "tests.report_fixtures")
