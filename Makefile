# Every target does its own set-up: a virtual environment in .venv with locked packages, Node included.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PORT ?= 8080
MODEL ?= embedded
PARAMETERS ?=
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV)/.ready: requirements.txt requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: sudo apt install python3-venv" >&2; exit 1; }
	@echo "set-up: Python packages into $(VENV) (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	@touch $@

node_modules/.ready: package.json package-lock.json $(VENV)/.ready
	@echo "set-up: CDK command line and Swagger UI into node_modules"
	@$(BIN)/npm ci --no-audit --no-fund --loglevel=error
	@touch $@

setup: $(VENV)/.ready node_modules/.ready  ## install everything the other targets need

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url
lock: $(VENV)/.ready  ## pin every requirements file anew
	$(LOCK) --python-version 3.11 requirements.in -o requirements.txt
	echo uv | $(LOCK) --python-version 3.11 -c requirements.txt - -o requirements-uv.txt

run: setup  ## the whole API on this machine: make run [PORT=8080] [PARAMETERS="..."] [MODEL=...]
	@$(BIN)/python -m local --port $(PORT) --model $(MODEL) --parameters "$(PARAMETERS)"

test: setup  ## every test that needs no container engine and no browser
	$(BIN)/python -m pytest -m "not browser and not container and not export" -n 2 -q

check: setup  ## lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## remove what the other targets made
	rm -rf $(VENV) node_modules .cache cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

.PHONY: help setup lock run test check clean
