# Building and checking. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
VENV := .venv/bin
# Files stay whole, for what they share is made once a file; tests/conftest.py gives their order.
AT_ONCE := -n auto --maxprocesses=4 --dist loadfile --no-loadscope-reorder --durations=15
WORKFLOWS := $(wildcard .github/workflows/*.yml .github/workflows/*.yaml)
EXAMPLES := $(wildcard examples/*.yml examples/*.yaml examples/*/*.yml)
ACTIONS := action.yml $(wildcard */action.yml)

.PHONY: help setup engine demo demo-local test check format lock

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv from the lock, with this checkout in it; quick when nothing changed
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing; install Python 3.11 or newer" >&2; exit 2; }
	@command -v git >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends git >/dev/null; } \
	  || { echo "make: git is missing; install it" >&2; exit 2; }
	@scripts/setup $(PYTHON) .venv requirements-dev.txt --editable

engine: ## Make a container engine answer; as root on Debian or Ubuntu install one if need be
	@scripts/engine

demo: setup ## Run the whole pipeline on the sample repository that comes with patchmark
	@engine="$$(scripts/engine)"; env "$$engine" $(VENV)/python -I -m patchmark demo

demo-local: setup ## Have a small open model on this machine solve TASKS of its tasks: 1.1 GB, minutes each
	@engine="$$(scripts/engine)"; env "$$engine" scripts/demo-local $(PYTHON) $(or $(TASKS),5)

test: setup ## Run all tests, as many at once as there are processors; ARGS="-n0 …" is one process
	@engine="$$(scripts/engine)"; env "$$engine" $(VENV)/python -m pytest $(AT_ONCE) $(ARGS)

check: setup ## Formatting, lint, types, import directions, shell, workflows and action.yml
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/python -m pytest -q tests/test_imports.py tests/test_tracked_files.py tests/test_action_yml.py
	$(VENV)/shellcheck .ci/run $(filter-out %.py,$(wildcard scripts/*))
	$(VENV)/actionlint $(WORKFLOWS) $(EXAMPLES)
	$(VENV)/check-jsonschema --builtin-schema vendor.github-actions $(ACTIONS)
	$(VENV)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS) $(EXAMPLES)
	$(VENV)/zizmor --offline --quiet $(ACTIONS) $(WORKFLOWS) $(EXAMPLES)

format: setup ## Put all files into the one format
	$(VENV)/ruff check --fix-only --quiet .
	$(VENV)/ruff format .

lock: setup ## Remake the locks from pyproject.toml; ARGS=--upgrade moves to newer versions
	@scripts/lock $(ARGS)
