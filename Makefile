# `make demo` and `make test` are all a fresh machine needs: Python 3.11+, Java 17 or 21, make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .venv-deploy
AIRFLOW := .venv-airflow
VERSIONS := 4.0 4.1
JAR_FOLDER := $(or $(METERLAKE_JARS),jars)
JARS := $(shell sed -n 's|^file = "\(.*\)"|$(JAR_FOLDER)/\1|p' jars/coordinates.toml)
# Called as modules, never by their scripts, whose first line breaks when the folder is moved.
LINT_IMPORTS := 'from importlinter.cli import lint_imports_command as lint; lint()'
USED := 'import chispa, deltalake, duckdb, fastapi, hypothesis, jinja2, matplotlib.pyplot, pandas, plotly, prometheus_client, pyarrow.fs, pydantic_settings, pyspark.sql, pytest, rich.table, statsmodels.tsa.stattools, typer, uvicorn'
# Two workers, each with a Spark session, since one keeps hardly more than one core busy; a file stays whole.
TWO := --numprocesses 2 --dist loadfile
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test deploy-tools test-cluster test-deploy test-page test-laws test-platform test-versions test-sail test-faults test-fast lint release-check bench benchmark soak clean force

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.jars $(VENV)/bin/meterlake ## create .venv with the pinned packages and `meterlake`, fetch Spark's JARs (once)

demo: setup ## write sample deliveries, run the pipeline on them, show the result
	@$(BIN)/python main.py demo

test: setup lint ## lint, then the tests that every change should pass
	@$(BIN)/python -m pytest $(TWO)

test-platform: setup .venv-client/.packages $(VENV)/postgres/.packages ## spark-submit, catalog mode, servers; every figure of a report, every version of a reading (minutes)
	@$(BIN)/python -m pytest -m slow $(TWO) $(ARGS)

# Debian's Chromium where there is one or may be one; else the build that Playwright fetches.
test-page: setup ## the page in a real browser (minutes); fetches one where there is none
	@chromium --version >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium >/dev/null && chromium --version >/dev/null 2>&1; } || $(BIN)/python -m playwright install chromium
	@$(BIN)/python -m pytest -m page

test-cluster: setup $(TOOLS)/.packages $(TOOLS)/stores/.packages ## a standalone cluster, runs killed, two at once on object stores and in a metastore, TEST_ROUNDS=20 (an hour)
	@$(BIN)/python -m pytest -m cluster $(ARGS)

deploy-tools: setup $(TOOLS)/.packages $(TOOLS)/node/.packages $(TOOLS)/typescript/.packages $(TOOLS)/prometheus/.packages $(AIRFLOW)/.packages ## what test-deploy needs beside .venv: tools of those who deploy (minutes)

test-deploy: deploy-tools ## what runs it elsewhere, validated by the tools of those who use it (minutes)
	@$(BIN)/python -m pytest -m deploy $(TWO) $(ARGS)

# Each version in an environment of its own, with the whole suite of `make test`. Unclosed sockets are the older PySparks'.
test-versions: setup $(VERSIONS:%=.venv-spark-%/.packages) .venv-connect/.packages ## the suite on Spark 4.0, 4.1 and Connect; JAVA_21=/where/one/is for Java 21 (an hour)
	@for version in $(VERSIONS); do echo "Spark $$version"; \
	METERLAKE_PINS=tests/versions/spark-$$version/coordinates.toml METERLAKE_JARS=$(CURDIR)/.venv-spark-$$version/delta \
	.venv-spark-$$version/bin/python -m pytest -q -W default::ResourceWarning -W default::pytest.PytestUnraisableExceptionWarning $(ARGS) || exit 1; done
	@echo "Spark Connect"
	@METERLAKE_TESTS=connect .venv-connect/bin/python -m pytest -q -W default tests/spark tests/scenarios tests/jobs
	@if [ -z "$(JAVA_21)" ]; then echo "Java 21: not tried, name one: make test-versions JAVA_21=/where/one/is"; \
	else echo "Java 21"; JAVA_HOME="$(JAVA_21)" $(BIN)/python -m pytest -q $(ARGS); fi

# Not the tests of who reads and writes the tables, and of what is Spark's alone.
test-sail: setup .venv-sail/.packages ## rows, clocks and laws by Sail, an engine without a JVM; its lakes against Spark's (minutes)
	@METERLAKE_TESTS=sail .venv-sail/bin/python -m pytest -q -W default -m "laws or not slow" tests/laws tests/spark/clock tests/spark/formats \
	tests/spark/layers tests/spark/test_near_ties.py tests/jobs/test_deliveries.py tests/jobs/test_files_that_change_while_read.py \
	tests/jobs/test_obis_json_deliveries.py tests/jobs/test_completeness.py
	@.venv-sail/bin/python -m pytest -q -W default -m slow tests/platform/test_sail.py $(ARGS)

test-faults: setup ## commands that are killed, damaged lakes, full disks, fuzzed files, 400 histories (hours)
	@$(BIN)/python -m pytest -m "faults or fuzz" $(ARGS)

test-laws: setup ## the laws of time over every zone and clock change (minutes)
	@$(BIN)/python -m pytest -m laws $(TWO)

test-fast: setup ## the tests that need no Spark
	@$(BIN)/python -m pytest $(TWO) tests/unit

lint: setup ## ruff, mypy and the import rules
	@$(BIN)/python -m ruff check --quiet .
	@$(BIN)/python -m ruff format --quiet --check . >/dev/null || { echo "error: not formatted: run $(BIN)/python -m ruff format ." >&2; exit 1; }
	@$(BIN)/python -m mypy --no-error-summary
	@$(BIN)/python -c $(LINT_IMPORTS) --no-logo --no-cache >$(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log >&2; exit 1; }
	@echo "ruff, mypy and the import rules: clean"

release-check: setup $(TOOLS)/.packages ## build, check, install where nothing is, run there; dist/ with SBOM and licences (minutes)
	@$(TOOLS)/bin/python .ci/release.py

bench: setup ## measure a first run and one more day; ARGS="--size M" for more
	@$(BIN)/python benchmarks/measure.py $(ARGS)

benchmark: setup .venv-sail/.packages ## measure ours and the peers, write docs/performance.md; ARGS="--sizes S M L" (an hour)
	@$(BIN)/python benchmarks/benchmark.py $(ARGS)

soak: setup ## a thousand batches through one `watch`: latency and memory (an hour)
	@$(BIN)/python benchmarks/soak.py $(ARGS)

clean: ## remove caches and build leftovers; .venv, the JARs and the lake stay
	@rm -rf build dist *.egg-info spark-warehouse metastore_db derby.log .mypy_cache .ruff_cache .pytest_cache .schemathesis .hypothesis .import_linter_cache
	@find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +

# Each step leaves a stamp in .venv, so that it is not done twice.

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { echo "error: no $(PYTHON) on PATH: install Python 3.11 or newer, or name one: make setup PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: $(PYTHON) is Python %d.%d: Meterlake needs 3.11 or newer; install one and name it: make setup PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: $(PYTHON) cannot make a virtual environment: install its venv package (python3-venv on Debian and Ubuntu)" >&2; exit 1; }
	@$(PYTHON) -m pipeline.fetch_jars --check-java
	@echo "Creating $(VENV) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# -qq: older pips warn at length about PySpark's setup.py. --no-compile: half the time; what is used is compiled by
# importing it once, here, because a later process may be forbidden to keep byte code.
$(VENV)/.packages: requirements.txt | $(VENV)/.created
	@echo "Installing packages (about a minute) …"
	@$(BIN)/python -m pip install -qq --no-compile --requirement requirements.txt
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c $(USED)
	@touch $@

# The command line for any folder.
$(VENV)/bin/meterlake: conf/meterlake.sh | $(VENV)/.packages
	@install -m 755 $< $@

# Tools of the tests of deployment, away from the packages that Meterlake pins.
$(TOOLS)/.packages: tests/deploy/requirements.txt | $(VENV)/.created
	@echo "Installing the tools of the deployment tests …"
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install -qq --requirement tests/deploy/requirements.txt
	@! command -v go >/dev/null || GOBIN=$(CURDIR)/$(TOOLS)/bin go install github.com/zegl/kube-score/cmd/kube-score@v1.20.0
	@! command -v go >/dev/null || (cd tests/deploy/grafana_schema && go build -o $(CURDIR)/$(TOOLS)/bin/grafana_schema .)
	@touch $@

# Prometheus of the distribution, unpacked and not installed: no service starts, and root is not needed. Where there is
# another one on PATH, that one is used; where there is no apt-get either, its tests are skipped.
$(TOOLS)/prometheus/.packages: $(TOOLS)/.packages
	@command -v prometheus >/dev/null || ! command -v apt-get >/dev/null || { mkdir -p $(@D) && cd $(@D) && \
	{ apt-get -qq download prometheus 2>/dev/null || { apt-get -qq update && apt-get -qq download prometheus; }; } && \
	for package in prometheus_*.deb; do dpkg-deb --extract $$package . && rm $$package; done; } || echo "no Prometheus to be had"
	@mkdir -p $(@D) && touch $@

# PostgreSQL of the distribution, unpacked like Prometheus, with the libraries that this machine lacks. Where one is
# installed that is used, and where none is to be had its tests are skipped.
$(VENV)/postgres/.packages: | $(VENV)/.packages
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || ! command -v apt-get >/dev/null || { mkdir -p $(@D) && cd $(@D) && \
	wanted() { apt-get -s -qq install --no-install-recommends postgresql | awk '/^Inst/ { print $$2 }'; } && \
	{ apt-get -qq download $$(wanted) 2>/dev/null || { apt-get -qq update && apt-get -qq download $$(wanted); }; } && \
	for package in *.deb; do dpkg-deb --extract $$package . && rm $$package; done; } || echo "no PostgreSQL to be had"
	@mkdir -p $(@D) && touch $@

# Google's and Azure's object stores on this machine. Where there is no Go or no npm their tests are skipped.
$(TOOLS)/stores/.packages: tests/cluster/package.json $(TOOLS)/.packages
	@! command -v go >/dev/null || { echo "Installing fake-gcs-server …" && GOBIN=$(CURDIR)/$(TOOLS)/bin go install github.com/fsouza/fake-gcs-server@v1.56.1; }
	@! command -v npm >/dev/null || { echo "Installing Azurite …" && mkdir -p $(@D) && cp $< $(@D)/package.json && \
	npm install --prefix $(@D) --silent --no-audit --no-fund --no-package-lock; }
	@mkdir -p $(@D) && touch $@

# Mermaid's own command, which draws the diagrams of the documents. Where there is no npm their test is skipped.
$(TOOLS)/node/.packages: tests/deploy/package.json $(TOOLS)/.packages
	@command -v npm >/dev/null || { echo "no npm: the diagrams of the documents are not drawn"; exit 0; }; \
	echo "Installing Mermaid …" && mkdir -p $(@D) && cp $< $(@D)/package.json && \
	PUPPETEER_SKIP_DOWNLOAD=1 npm install --prefix $(@D) --silent --no-audit --no-fund --no-package-lock && touch $@

# What makes a TypeScript client of the read API and compiles it, as its lock file says. Where there is no npm its test is
# skipped.
$(TOOLS)/typescript/.packages: tests/deploy/typescript/package-lock.json tests/deploy/typescript/package.json $(TOOLS)/.packages
	@command -v npm >/dev/null || { echo "no npm: no TypeScript client is made"; exit 0; }; \
	echo "Installing TypeScript …" && mkdir -p $(@D) && cp $(filter %.json,$^) $(@D) && \
	npm ci --prefix $(@D) --silent --no-audit --no-fund && touch $@

.venv-spark-%/.packages: tests/versions/spark-%/requirements.txt tests/versions/spark-%/coordinates.toml requirements.txt | $(VENV)/.created
	@echo "Installing Spark $* …"
	@$(PYTHON) -m venv --clear $(@D)
	@{ grep -vE '^(pyspark|delta-spark)==' requirements.txt; cat $<; } > $(@D)/requirements.txt
	@$(@D)/bin/python -m pip install -qq --no-compile --requirement $(@D)/requirements.txt
	@METERLAKE_PINS=tests/versions/spark-$*/coordinates.toml $(@D)/bin/python -m pipeline.fetch_jars $(@D)/delta
	@touch $@

.venv-connect/.packages: tests/versions/connect-requirements.txt requirements.txt | $(VENV)/.created
	@echo "Installing Spark Connect …"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --no-compile --requirement requirements.txt --requirement $<
	@touch $@

.venv-sail/.packages: tests/versions/sail-requirements.txt tests/versions/connect-requirements.txt requirements.txt | $(VENV)/.created
	@echo "Installing Sail …"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --no-compile --requirement requirements.txt $(patsubst %,--requirement %,$(filter tests/%,$^))
	@PYTHONDONTWRITEBYTECODE= $(@D)/bin/python -c $(USED)
	@touch $@

# What a client of Spark Connect has: no JVM, no gateway to one, no Delta.
.venv-client/.packages: tests/versions/client-requirements.txt tests/versions/connect-requirements.txt requirements.txt | $(VENV)/.created
	@echo "Installing a client of Spark Connect …"
	@$(PYTHON) -m venv --clear $(@D)
	@{ grep -vE '^(pyspark|delta-spark|py4j)==' requirements.txt; cat $(filter tests/%,$^); } > $(@D)/requirements.txt
	@$(@D)/bin/python -m pip install -qq --no-compile --requirement $(@D)/requirements.txt
	@touch $@

$(AIRFLOW)/.packages: tests/deploy/airflow-requirements.txt | $(VENV)/.created
	@echo "Installing Airflow for the deployment tests …"
	@$(PYTHON) -m venv --clear $(AIRFLOW)
	@$(AIRFLOW)/bin/python -m pip install -qq --requirement tests/deploy/airflow-requirements.txt
	@touch $@

# A JAR that changed or is not there brings the step back whatever the stamp says.
$(VENV)/.jars: $(VENV)/.packages jars/coordinates.toml $(wildcard $(JARS)) $(if $(filter-out $(wildcard $(JARS)),$(JARS)),force)
	@echo "Fetching Spark's JARs …"
	@$(BIN)/python -m pipeline.fetch_jars $(JAR_FOLDER)
	@touch $@
