# Every target does its own set-up: a virtual environment in .venv with locked packages, Node included.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PORT ?= 8080
MODEL ?= embedded
PARAMETERS ?=
PICTURES ?=
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# Where HOME can't be written to (a service account, a read-only home), caches are kept in the checkout.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export XDG_CACHE_HOME := $(CURDIR)/.cache/home
export UV_CACHE_DIR := $(CURDIR)/.cache/home/uv
export npm_config_cache := $(CURDIR)/.cache/home/npm
export CDK_HOME := $(CURDIR)/.cache/home/cdk
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.cache/home/jsii
endif

# What is interrupted is made anew next time (see venv.sh); npm and the emulator's download see to it themselves.
MAKE_VENV := sh supply_chain/venv.sh
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --root-user-action=ignore
NPM_CI := npm ci --no-audit --no-fund --no-update-notifier --loglevel=error

$(VENV)/.ready: requirements.txt requirements-uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: sudo apt install python3-venv" >&2; exit 1; }
	@echo "set-up: Python packages into $(VENV) (about a minute the first time)"
	@$(MAKE_VENV) $(VENV) $(PYTHON)
	@$(BIN)/python $(PIP_INSTALL) --require-hashes -r requirements-uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@mv $(VENV)/.making $@

node_modules/.ready: package.json package-lock.json $(VENV)/.ready
	@echo "set-up: CDK command line and Swagger UI into node_modules"
	@$(BIN)/$(NPM_CI) > /dev/null
	@touch $@

.cache/emulator.ready: local/backends/emulator.py $(VENV)/.ready
	@$(BIN)/python -m local.backends.emulator
	@mkdir -p .cache && touch $@

tests/tools/node_modules/.ready: tests/tools/package.json tests/tools/package-lock.json $(VENV)/.ready
	@echo "set-up: newman and axe for the tests"
	@cd tests/tools && "$(CURDIR)"/$(BIN)/$(NPM_CI) > /dev/null
	@touch $@

setup: $(VENV)/.ready node_modules/.ready .cache/emulator.ready  ## install everything the other targets need

# The hashed requirement files, from the lists in pyproject.toml. Versions stay where the lists allow them.
LOCK := $(BIN)/uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --generate-hashes --no-header \
  --no-emit-index-url
IMAGE_LOCK := $(LOCK) --python-version 3.12 -c requirements.txt pyproject.toml
# Of the package's own dependencies: what only the command line needs, and what the exporter does without.
# torch and torchvision: see supply_chain/torch.txt.
NOT_IN_IMAGES := httpx rich typer
# Catalogues run on Lambda alone: nobody sends a text to SageMaker.
NOT_IN_SAGEMAKER := $(NOT_IN_IMAGES) ftfy regex
NOT_IN_EXPORTER := $(NOT_IN_IMAGES) boto3 certifi pybase64 torch torchvision
without = --excludes <(printf '%s\n' $(1))
lock: $(VENV)/.ready  ## compile the requirement files from pyproject.toml: make lock [UPGRADE=1]
	$(LOCK) --python-version 3.11 pyproject.toml --extra dev --group uv -o requirements.txt
	$(LOCK) --python-version 3.11 -c requirements.txt --group uv -o requirements-uv.txt
	$(LOCK) --python-version 3.11 --group fuzz -o tests/fuzz/requirements.txt
	$(LOCK) --python-version 3.11 --group mutants -o tests/mutants/requirements.txt
	$(LOCK) --python-version 3.11 pyproject.toml --extra export $(call without,$(NOT_IN_EXPORTER)) \
	  -o supply_chain/requirements-export.txt
	$(IMAGE_LOCK) --extra lambda $(call without,$(NOT_IN_IMAGES)) -o lambda/requirements.txt
	$(IMAGE_LOCK) --extra sagemaker $(call without,$(NOT_IN_SAGEMAKER)) -o sagemaker/requirements.txt
	$(IMAGE_LOCK) --extra sagemaker-gpu $(call without,$(NOT_IN_SAGEMAKER) onnxruntime) -o sagemaker/requirements-gpu.txt
	$(MAKE) --no-print-directory lock-check

# Python 3.12 and the C library of AWS's base, on both processors: a lock that could not be installed there fails.
ON_IMAGE := $(BIN)/uv pip install --quiet --dry-run --python-version 3.12 --only-binary :all: --require-hashes \
  --target .cache/none
lock-check: $(VENV)/.ready
	for lock in lambda/requirements.txt sagemaker/requirements.txt; do for processor in x86_64 aarch64; do \
	  $(ON_IMAGE) --python-platform $$processor-manylinux_2_28 -r $$lock || exit 1; done; done
	$(ON_IMAGE) --python-platform x86_64-manylinux_2_28 -r sagemaker/requirements-gpu.txt

run: setup  ## the whole API on this machine: make run [PORT=8080] [PARAMETERS="..."] [MODEL=...] [PICTURES=folder]
	@$(BIN)/python -m local --port $(PORT) --model $(MODEL) --parameters "$(PARAMETERS)" \
	  $(if $(PICTURES),--pictures "$(PICTURES)")

# What is above a fifth of a second and not marked `slow` is listed at the end. schemathesis is for the contract's tests, and
# costs each process a second. Bytecode is kept, whatever the environment wants: compiling takes a third of the time.
unit: export PYTHONDONTWRITEBYTECODE :=
unit: export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode
unit: setup  ## the inner loop: tests/unit without what is marked slow (less than half a minute)
	$(BIN)/python -m pytest tests/unit -m "not slow" -n 2 --dist worksteal -q -p no:schemathesis --durations=5 \
	  --durations-min=0.2

test: setup tests/tools/node_modules/.ready  ## every test that needs no container engine and no browser
	$(BIN)/python -m pytest -m "not browser and not container and not export" -n 2 --dist loadfile -q

/usr/bin/chromium:
	@test "$$(id -u)" = 0 || { echo "Chromium is missing: sudo apt-get install chromium" >&2; exit 1; }
	apt-get update -q && apt-get install -y -q --no-install-recommends chromium

# OkHttp, with which the tests run Java samples; without it they are skipped and say so.
/usr/share/java/okhttp.jar:
	apt-get update -q && apt-get install -y -q --no-install-recommends libokhttp-java \
	  $(if $(shell command -v java),,default-jdk-headless)

test-browser: setup tests/tools/node_modules/.ready /usr/bin/chromium  ## the API Explorer in a real browser; screenshots in test-results/
	$(BIN)/python -m pytest tests/browser -m browser -n 2 --dist worksteal -q

test-container: setup  ## builds both images and runs the contract through them (root: starts an engine of its own)
	$(BIN)/python -m pytest -m container -q -s -x --timeout 900 tests/container

INTO_IMAGE := $(BIN)/uv pip install --quiet --python-version 3.12 --python-platform x86_64-manylinux_2_28 \
  --only-binary :all: --require-hashes
sbom: setup  ## the parts of both images with their licences, as CycloneDX files in sbom/
	@for image in lambda sagemaker; do \
	  rm -rf .cache/sbom/$$image; \
	  $(INTO_IMAGE) --target .cache/sbom/$$image -r $$image/requirements.txt || exit 1; \
	  $(BIN)/python -m supply_chain.sbom .cache/sbom/$$image $$image sbom || exit 1; done

# TAG: what is about to be tagged; docs/releasing.md.
release: sbom  ## the notes and the lists of parts of a release, in release/: make release TAG=v1.2.3
	rm -rf release
	$(BIN)/python -m supply_chain.release "$(TAG)" release
	cp sbom/*.cdx.json release/

docs: setup  ## the documentation as a site in .cache/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

audit: setup  ## known vulnerabilities of locked packages, Python's and npm's; fails if a service does not answer
	$(BIN)/python -m supply_chain.audit

pin: setup  ## record digests and hashes of bases and weights: make pin [ONLY_MISSING=1] [WEIGHTS=MODEL/TAG=SOURCE] [INT8=exported-model]
	$(BIN)/python -m supply_chain.pin $(if $(ONLY_MISSING),--only-missing) $(if $(WEIGHTS),--add "$(WEIGHTS)") $(if $(INT8),--int8 "$(INT8)")

# By form (keys of AWS and others, tokens, private keys): by entropy it would report every picture and hash.
SECRETS := $(BIN)/detect-secrets-hook --no-verify --exclude-lines 'user:(secret|password)@' \
  $(addprefix --disable-plugin ,Base64HighEntropyString HexHighEntropyString KeywordDetector)

secrets: setup  ## keys and tokens in what git tracks
	git ls-files -z ':!tests/fuzz/corpus' ':!*requirements*.txt' | xargs -0 $(SECRETS)

check: setup  ## lint, types, import rules, secrets, workflows, documentation, vulnerabilities; the template by cdk-nag, CDK and cfn-lint (China too)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(MAKE) --no-print-directory secrets
	$(BIN)/zizmor --offline --no-progress --quiet .github
	$(MAKE) --no-print-directory docs
	@$(SYNTHESIZING)
	CDK_OUTDIR=.cache/check.out $(BIN)/python app.py
	$(BIN)/cfn-lint .cache/check.out/ImageSimilarity.template.json --regions us-east-1 cn-north-1 cn-northwest-1
	$(BIN)/python -m supply_chain.audit --offline-ok

# FLAGS="-c backend=sagemaker -c authorization=NONE": context flags, for one command. A deployed stack keeps its
# parameter values unless flags are given. Lambda refuses images with BuildKit's attestations.
FLAGS ?=
CDK := BUILDX_NO_DEFAULT_ATTESTATIONS=1 node_modules/.bin/cdk --no-notices

SYNTHESIZING := echo "synthesizing the CloudFormation template (half a minute the first time)"
synth: setup  ## the CloudFormation template into cdk.out: make synth [FLAGS="-c backend=sagemaker ..."]
	@$(SYNTHESIZING)
	@$(CDK) synth --quiet $(FLAGS)

deploy: setup  ## deploy or update the stack: make deploy [FLAGS="-c backend=sagemaker ..."]
	-$(BIN)/python -m supply_chain.pin --only-missing  # a build that needs what is still missing refuses by itself
	@$(SYNTHESIZING)
	$(CDK) deploy $(if $(FLAGS),--no-previous-parameters $(FLAGS))

publish: setup  ## template and images into the account's own bootstrap, and a link for the console: make publish [FLAGS=]
	-$(BIN)/python -m supply_chain.pin --only-missing  # as in deploy
	@$(SYNTHESIZING)
	$(CDK) publish-assets --unstable=publish-assets --all --concurrency=1 $(FLAGS)  # the model is exported once
	@echo "Opening this link creates a stack from what was published, in the console (docs/platform-teams.md):"
	@cat cdk.out/quick-create.txt

destroy: setup  ## delete the stack and everything that it created
	@$(SYNTHESIZING)
	$(CDK) destroy

# A stack in an account, or with LOCAL=1 the tests' CloudFormation engine: docs/first-deployment.md.
VERIFY_FLAGS = $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)") $(if $(WITH),--with "$(WITH)") \
  $(if $(PICTURE),--picture "$(PICTURE)")
VERIFY_STACK = --stack "$(STACK)" $(if $(REGION),--region "$(REGION)") $(if $(PROFILE),--profile "$(PROFILE)") \
  $(if $(DELETE),--delete) $(if $(YES),--yes)
verify: setup  ## verify a deployed stack: make verify STACK=name [QUICK=1] [WITH="NAME=value"], or LOCAL=1 without one
	@$(if $(LOCAL)$(STACK),,echo "make verify STACK=name, or make verify LOCAL=1" >&2; exit 1)
	@$(if $(LOCAL),$(BIN)/python -m tests.verification $(VERIFY_FLAGS),$(BIN)/python -m verify $(VERIFY_FLAGS) $(VERIFY_STACK))

# torch and open_clip, for the exporter alone. TORCH_INDEX: where pip also looks for the CPU builds.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
EXPORT_PIP := .venv-export/bin/python $(PIP_INSTALL) --retries 1
.venv-export/.ready: supply_chain/requirements-export.txt supply_chain/torch.txt
	@echo "set-up: torch and open_clip into .venv-export (about 1.2 GB, a few minutes the first time)"
	@$(MAKE_VENV) .venv-export $(PYTHON)
	@$(EXPORT_PIP) --no-deps --require-hashes -r supply_chain/requirements-export.txt
	@$(EXPORT_PIP) --no-deps --extra-index-url $(TORCH_INDEX) -r supply_chain/torch.txt
	@mv .venv-export/.making $@

model: .venv-export/.ready  ## rebuild the bundled model from its published weights (installs torch)
	.venv-export/bin/python -m image_similarity.inference.export --model embedded --output image_similarity/models/embedded

test-export: setup .venv-export/.ready  ## the exporter: rebuilds artifacts and compares them (installs torch)
	$(BIN)/python -m pytest -m export -q tests

.venv-export/.bench: .venv-export/.ready bench/baseline/requirements.txt
	@$(EXPORT_PIP) -r bench/baseline/requirements.txt
	@touch $@

bench: setup .venv-export/.bench  ## measure everything: make bench [FULL=1] [PREVIOUS=git-revision] (quiet machine; installs torch)
	$(BIN)/python -m bench $(if $(FULL),--full) $(if $(PREVIOUS),--previous $(PREVIOUS))

bench-clients: setup  ## the serving process under 1 to 256 clients that never wait (quiet machine)
	$(BIN)/python -m bench.report.clients

# With bench-catalogue's and bench-clients' records and the last full run's. Exit code 1: an aim is missed.
bench-aims: setup  ## batches and the protection's cost, then every aim: met or missed (quiet machine)
	$(BIN)/python -m bench.measure.aims
	$(BIN)/python -m bench.report.aims

# Exit code 1: a row is slower by more than the noise; 2: the noise hides whether it is.
bench-check: setup  ## is the working tree slower than a revision: make bench-check REVISION=v1.2.3 [ROUNDS=21]
	@$(if $(REVISION),,echo "make bench-check REVISION=a tag, a branch or a hash" >&2; exit 1)
	$(BIN)/python -m bench.report.check "$(REVISION)" $(if $(ROUNDS),--rounds $(ROUNDS))

bench-catalogue: setup  ## a million vectors, folders, and with PHOTOGRAPHS=folder what is found (quiet machine, 8 GB)
	$(BIN)/python -m bench.measure.catalogue.scale
	$(BIN)/python -m bench.measure.catalogue.folders
	$(if $(PHOTOGRAPHS),$(BIN)/python -m bench.measure.catalogue.quality --photographs $(PHOTOGRAPHS))
	$(BIN)/python -m bench.report.catalogue_page

# Other readers of JPEG, beside the product's Pillow.
.venv-decoders/.ready: bench/baseline/decoders.txt
	@$(MAKE_VENV) .venv-decoders $(PYTHON)
	@.venv-decoders/bin/python $(PIP_INSTALL) -r $<
	@mv .venv-decoders/.making $@

bench-decoding: .venv-decoders/.ready  ## readers of JPEG compared: time and pixels (quiet machine)
	.venv-decoders/bin/python -m bench.measure.decoding

bench-infinity: $(VENV)/.ready  ## install infinity-emb (6 GB), which `make bench` then compares too
	@$(MAKE_VENV) .venv-infinity $(PYTHON)
	@.venv-infinity/bin/python $(PIP_INSTALL) -r bench/baseline/infinity.txt
	@mv .venv-infinity/.making .venv-infinity/.ready

# The hashes, in an environment of their own. 10,000 files take half an hour.
.venv-imagededup/.ready: bench/baseline/imagededup.txt
	@$(MAKE_VENV) .venv-imagededup $(PYTHON)
	@.venv-imagededup/bin/python $(PIP_INSTALL) -r $<
	@mv .venv-imagededup/.making $@

bench-duplicates: setup .venv-imagededup/.ready  ## the command line compared with imagededup's hashes: make bench-duplicates [PHOTOGRAPHS=folder]
	$(BIN)/python -m bench.measure.duplicates $(if $(PHOTOGRAPHS),--photographs "$(PHOTOGRAPHS)")
	$(BIN)/python -m bench.report.duplicates_page

calibrate: setup  ## what a score means: make calibrate [IMAGES=your-pictures] [MODEL_DIR=exported-model] [RECORD=1]
	$(BIN)/python -m bench.report.calibration $(if $(IMAGES),--images $(IMAGES)) $(if $(MODEL_DIR),--model $(MODEL_DIR)) \
	  $(if $(RECORD),--record)

# The file's lines: a picture's path from the file's folder on, a tab, and what the picture shows.
calibrate-words: setup  ## what a score for words means: make calibrate-words MODEL_DIR=exported-model CAPTIONS=file.tsv
	$(BIN)/python -m bench.report.words --model "$(MODEL_DIR)" --captions "$(CAPTIONS)"

exactness: .venv-export/.ready  ## cosine of each artifact to open_clip's pipeline: make exactness [IMAGES=more]
	.venv-export/bin/python -m bench.report.exactness $(if $(IMAGES),--images $(IMAGES))

# atheris, for fuzzing alone; it runs with the packages of .venv.
.venv-fuzz/.ready: tests/fuzz/requirements.txt
	@$(MAKE_VENV) .venv-fuzz $(PYTHON)
	@.venv-fuzz/bin/python $(PIP_INSTALL) --require-hashes -r $<
	@mv .venv-fuzz/.making $@

TIME ?= 300
fuzz: setup .venv-fuzz/.ready  ## coverage-guided fuzzing of everything that reads strangers' bytes: make fuzz [TIME=seconds] [JOBS=2]
	@PYTHONPATH="$(CURDIR):$$(echo "$(CURDIR)"/$(VENV)/lib/python3.*/site-packages)" \
	  .venv-fuzz/bin/python -m tests.fuzz.run --time $(TIME) $(if $(JOBS),--jobs $(JOBS))

# cosmic-ray, which makes mutants; they are tested with the packages of .venv.
.venv-mutants/.ready: tests/mutants/requirements.txt
	@$(MAKE_VENV) .venv-mutants $(PYTHON)
	@.venv-mutants/bin/python $(PIP_INSTALL) --require-hashes -r $<
	@mv .venv-mutants/.making $@

mutants: setup .venv-mutants/.ready  ## mutation tests of the request path: make mutants [COUNT=150] [SEED=1] [PARTS="request image"]
	@.venv-mutants/bin/python -m tests.mutants.run \
	  $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(PARTS),--parts $(PARTS))

slow: setup  ## search for the files that cost the most CPU time: make slow [TIME=seconds a reader]
	@$(BIN)/python -m tests.fuzz.slow --time $(TIME)

strangers: setup  ## run a folder of pictures through our reader and others: make strangers FOLDER=... [SEEN=folder]
	@$(BIN)/python -W ignore -m tests.strangers "$(FOLDER)" $(if $(SEEN),--show --save "$(SEEN)")

soak: setup  ## load at capacity with faults, both backends: make soak [TIME=seconds]
	@$(BIN)/python -m tests.soak.run --time $(TIME)

clean:  ## remove what the other targets made
	rm -rf $(VENV) .venv-export .venv-infinity .venv-fuzz .venv-mutants release verify-results node_modules .cache cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

.PHONY: docs mutants release secrets unit verify soak slow strangers synth deploy publish destroy fuzz help setup lock run test test-browser check bench bench-aims bench-clients bench-check bench-catalogue bench-decoding bench-duplicates bench-infinity calibrate calibrate-words exactness model test-export clean lock-check test-container sbom audit pin
