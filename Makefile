# Everything a developer types. Bare `make` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup run test chromium proxies test-scale bench-groups bench-edge bench-unleash bench-pages check docs pictures coverage

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Sources are checked and tested as they stand. Three at a time on two cores: one of them waits for a disk or a clock.
WORKERS ?= 3
PYTEST = $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal
# SIZE=small ROWS=100000 measures in a minute; limits hold for the full size.
SIZE ?= full
ROWS ?= 1000000
EDGE_SIZE ?= medium
# Tests start some hundred processes; without its cache each would compile thousands of modules anew.
export PYTHONDONTWRITEBYTECODE :=

help: ## List what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.complete src/muster/web/static/vendor/icons.svg ## Install everything into .venv and node_modules
	@$(BIN)/python -m scripts.compile_catalogues

run: setup ## Load the sample once, print its groups, serve the installation in var/
	$(BIN)/muster demo load
	$(BIN)/muster serve

test: check chromium proxies .libraries/.complete tests/integration/edge/node/node_modules/.complete ## Check, then run all tests, those in a browser last
	$(PYTEST) -m "not scale" --ignore=tests/browser
	$(PYTEST) -m "not scale" tests/browser

coverage: setup .libraries/.complete tests/integration/edge/node/node_modules/.complete ## Run the tests whose lines are worth counting, templates included: tracing takes half the time again
	$(PYTEST) -m "not scale and not untraced" --ignore=tests/browser --cov --cov-report=term:skip-covered

chromium: ## Debian's Chromium, in which the pages are tested
	@command -v chromium >/dev/null || (apt-get update -q && apt-get install -y -q chromium) || { echo "The tests of pages need Chromium: install Debian's package chromium."; exit 1; }

proxies: ## Debian's nginx and Caddy, which the examples of deploy/ are for
	@command -v caddy >/dev/null && test -x /usr/sbin/nginx || (apt-get update -q && apt-get install -y -q --no-install-recommends nginx-light caddy) || { echo "The tests of deploy/ need Debian's packages nginx-light and caddy."; exit 1; }

test-scale: setup ## Run the heavy tests
	$(BIN)/python -m pytest -m scale

bench-groups: setup ## Measure groups against hand-written SQL: lines `bench NAME RATIO LIMIT ok|short`
	$(BIN)/python -m bench.groups --size $(SIZE)
	$(BIN)/python -m bench.size --size $(SIZE)
	$(BIN)/python -m bench.imports --rows $(ROWS)
	$(BIN)/python -m bench.following --size $(SIZE)
	$(BIN)/python -m bench.members --rows $(ROWS)
	$(BIN)/python -m bench.memory --size $(SIZE)
	$(BIN)/python -m bench.erasure

bench-edge: setup ## Measure the data plane against bare handlers and stores, and Unleash where `make bench-unleash` put it
	$(BIN)/python -m bench.edge --size $(EDGE_SIZE)

bench-unleash: ## Unleash for `make bench-edge`, which wants PostgreSQL's programs as well
	mkdir -p var/unleash && cd var/unleash && echo "{}" > package.json && npm install --silent --no-audit --no-fund unleash-server@8.2.0

bench-pages: setup node_modules/.complete ## Measure pages against their limits: bytes, queries, time, Lighthouse
	$(BIN)/python -m bench.pages
	$(BIN)/python -m bench.pages --world generated

check: setup ## Style, types, direction of imports, templates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet src

pictures: setup chromium ## Take the pictures of the manual anew, of the sample
	MUSTER_PICTURES=docs/images $(PYTEST) tests/browser/test_pictures.py

docs: setup ## Build the manual into site/
	$(BIN)/mkdocs build --strict

# By hash: what was tested is what is installed. The project itself is linked, with the tools of the same file.
$(VENV)/.complete: requirements/dev.txt pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Unmodified programs of others, whose own requirements are not ours to choose.
.libraries/.complete: requirements/libraries.txt
	$(PYTHON) -m venv .libraries
	.libraries/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/libraries.txt
	@touch $@

tests/integration/edge/node/node_modules/.complete: tests/integration/edge/node/package-lock.json
	cd tests/integration/edge/node && npm ci --silent
	@touch $@

node_modules/.complete: package-lock.json package.json
	npm ci --silent
	@touch $@

# The menus' icons are named in Python.
src/muster/web/static/vendor/icons.svg: node_modules/.complete scripts/vendor_static.py src/muster/web/static/js/csp.js $(shell find src/muster -name '*.html' -o -name apps.py)
	$(PYTHON) -m scripts.vendor_static
