"""Many people at one server process: ``python -m tests.load``. Never part of the tests: the machines are noisy."""
