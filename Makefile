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

$(BIN)/image-similarity: $(VENV)/.ready
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" -P -m cli "$$@"\n' '$(CURDIR)' '$(CURDIR)/$(BIN)/python' > $@
	@chmod +x $@

node_modules/.ready: package.json package-lock.json $(VENV)/.ready
	@echo "set-up: CDK command line and Swagger UI into node_modules"
	@$(BIN)/npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.cache/emulator.ready: local/emulator.py $(VENV)/.ready
	@$(BIN)/python -m local.emulator
	@mkdir -p .cache && touch $@

tests/tools/node_modules/.ready: tests/tools/package.json tests/tools/package-lock.json $(VENV)/.ready
	@echo "set-up: newman and axe for the tests"
	@cd tests/tools && $(CURDIR)/$(BIN)/npm ci --no-audit --no-fund --loglevel=error
	@touch $@

setup: $(VENV)/.ready $(BIN)/image-similarity node_modules/.ready .cache/emulator.ready  ## install everything the other targets need

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url
lock: $(VENV)/.ready  ## pin every requirements file anew
	$(LOCK) --python-version 3.11 requirements.in -o requirements.txt
	echo uv | $(LOCK) --python-version 3.11 -c requirements.txt - -o requirements-uv.txt

run: setup  ## the whole API on this machine: make run [PORT=8080] [PARAMETERS="..."] [MODEL=...]
	@$(BIN)/python -m local --port $(PORT) --model $(MODEL) --parameters "$(PARAMETERS)"

test: setup tests/tools/node_modules/.ready  ## every test that needs no container engine and no browser
	$(BIN)/python -m pytest -m "not browser and not container and not export" -n 2 --dist loadfile -q

/usr/bin/chromium:
	@test "$$(id -u)" = 0 || { echo "Chromium is missing: sudo apt-get install chromium" >&2; exit 1; }
	apt-get update -q && apt-get install -y -q --no-install-recommends chromium

test-browser: setup tests/tools/node_modules/.ready /usr/bin/chromium  ## the API Explorer in a real browser; screenshots in test-results/
	$(BIN)/python -m pytest tests/browser -m browser -q

check: setup  ## lint, types, import rules; the template by cdk-nag, CDK's validation and cfn-lint (China too)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	CDK_OUTDIR=.cache/check.out $(BIN)/python app.py
	$(BIN)/cfn-lint .cache/check.out/ImageSimilarity.template.json --regions us-east-1 cn-north-1 cn-northwest-1

# FLAGS="backend=sagemaker authorization=NONE": context flags, for one command. A deployed stack keeps its
# parameter values unless flags are given. Lambda refuses images with BuildKit's attestations.
FLAGS ?=
CDK := BUILDX_NO_DEFAULT_ATTESTATIONS=1 node_modules/.bin/cdk
CONTEXT = $(addprefix -c ,$(FLAGS))

synth: setup  ## the CloudFormation template into cdk.out: make synth [FLAGS="backend=sagemaker ..."]
	@$(CDK) synth --quiet $(CONTEXT)

deploy: setup  ## deploy or update the stack: make deploy [FLAGS="backend=sagemaker ..."]
	$(CDK) deploy $(if $(FLAGS),--no-previous-parameters $(CONTEXT))

destroy: setup  ## delete the stack and all that it made
	$(CDK) destroy

# torch and open_clip, for the exporter alone. TORCH_INDEX: where pip also looks for the CPU builds.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
EXPORT_PIP := .venv-export/bin/python -m pip install --quiet --disable-pip-version-check --retries 1
.venv-export/.ready: inference/export/requirements.txt inference/export/torch.txt
	@echo "set-up: torch and open_clip into .venv-export (about 1.2 GB, a few minutes the first time)"
	@test -x .venv-export/bin/python || $(PYTHON) -m venv .venv-export
	@$(EXPORT_PIP) --require-hashes -r inference/export/requirements.txt
	@$(EXPORT_PIP) --no-deps --extra-index-url $(TORCH_INDEX) -r inference/export/torch.txt
	@touch $@

model: .venv-export/.ready  ## rebuild models/embedded from its published weights (installs torch)
	.venv-export/bin/python -m inference.export --model embedded --output models/embedded

test-export: setup .venv-export/.ready  ## the exporter: rebuilds artifacts and compares them (installs torch)
	$(BIN)/python -m pytest -m export -q tests

lock-export: $(VENV)/.ready  ## pin the exporter's packages anew
	$(LOCK) --python-version 3.11 --override inference/export/without_torch.txt \
	  inference/export/requirements.in -o inference/export/requirements.txt

# atheris, for fuzzing alone; it runs with the packages of .venv.
.venv-fuzz/.ready: tests/fuzz/requirements.txt
	@test -x .venv-fuzz/bin/python || $(PYTHON) -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

TIME ?= 300
fuzz: setup .venv-fuzz/.ready  ## coverage-guided fuzzing of what reads strangers' bytes: make fuzz [TIME=seconds]
	@PYTHONPATH=$(CURDIR):$$(echo $(CURDIR)/$(VENV)/lib/python3.*/site-packages) \
	  .venv-fuzz/bin/python -m tests.fuzz.run --time $(TIME)

clean:  ## remove what the other targets made
	rm -rf $(VENV) .venv-export .venv-fuzz node_modules .cache cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

.PHONY: synth deploy destroy fuzz help setup lock run test test-browser check model test-export lock-export clean
