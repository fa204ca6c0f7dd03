# make run   sets everything up and serves the dashboard on http://127.0.0.1:8501
# make test  sets everything up and runs the tests
# Needs Python 3.11 or newer, git and make; everything else is installed by these targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

MIRROR_HOME ?= var
export MIRROR_HOME
HOST ?= 127.0.0.1
PORT ?= 8501
JOBS ?= 2
BASE_PYTHON ?= python3
PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: help run demo test test-slow lint format bench screenshots lock system clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: .venv/run.stamp ## serve the dashboard; makes the demo chain on first start
	@if [ ! -e "$(MIRROR_HOME)/snapshots/CURRENT" ]; then \
		if [ -z "$${MIRROR_CRM_URL:-}" ]; then $(PYTHON) -m data_access demo --if-missing; fi; \
		$(PYTHON) -m data_access refresh; \
	fi
	@exec $(PYTHON) -m streamlit run app.py --server.address $(HOST) --server.port $(PORT)

demo: .venv/run.stamp ## write the demo chain again and refresh the snapshot
	$(PYTHON) -m data_access demo
	$(PYTHON) -m data_access refresh

test: .venv/test.stamp system ## every test except the slow ones
	$(PYTHON) -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder -m "not slow" $(ARGS)

test-slow: .venv/test.stamp .venv/spark.stamp .venv/cluster.stamp ## simulations, large scale, faults and clusters
	@bash .ci/system_packages java
	$(PYTHON) -m pytest -m slow $(ARGS)

lint: .venv/test.stamp ## style, types, layers
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

format: .venv/test.stamp ## mend what ruff can mend
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: .venv/test.stamp ## print the benchmark tables as JSON lines
	$(PYTHON) -m tests.benchmarks $(ARGS)

screenshots: .venv/test.stamp system ## a picture of every page x size x language x theme into screenshots/
	$(PYTHON) -m tests.browser.screenshots --out screenshots $(ARGS)

lock: .venv/test.stamp ## pin the direct dependencies of pyproject.toml with hashes
	$(PYTHON) -m pip install --quiet uv
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url pyproject.toml -o requirements.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --group test -c requirements.txt pyproject.toml -o requirements-test.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --extra spark -c requirements.txt pyproject.toml -o requirements-spark.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --extra cluster -c requirements.txt pyproject.toml -o requirements-cluster.txt

system: ## Chromium, PostgreSQL, MariaDB, nginx and Chinese fonts, which some tests need
	@bash .ci/system_packages

clean: ## remove the virtual environment, the demo chain and the snapshots
	rm -rf .venv var screenshots

.venv/bin/python:
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(BASE_PYTHON) is older. Set BASE_PYTHON=..." >&2; exit 1; }
	@bash .ci/make_venv $(BASE_PYTHON)

.venv/run.stamp: requirements.txt | .venv/bin/python
	@echo "installing the packages of requirements.txt"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/test.stamp: requirements-test.txt .venv/run.stamp
	@echo "installing the packages of requirements-test.txt"
	@$(PIP) -r requirements-test.txt
	@touch $@

.venv/spark.stamp: requirements-spark.txt .venv/run.stamp
	@echo "installing the packages of requirements-spark.txt"
	@$(PIP) -r requirements-spark.txt
	@touch $@

.venv/cluster.stamp: requirements-cluster.txt .venv/run.stamp
	@echo "installing the packages of requirements-cluster.txt"
	@$(PIP) -r requirements-cluster.txt
	@touch $@
