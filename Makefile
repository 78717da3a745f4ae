# Everything there is to do with Parcours, one word each. `make` alone lists them.

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
STAMP := .venv/.installed-$(shell cat pyproject.toml constraints.txt 2>/dev/null | cksum | tr ' ' '-')
.DEFAULT_GOAL := help

# What is imported is compiled then, once, and not everything when it is installed; so it has to be kept.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install run test lint bench clean check-python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

install: $(STAMP)-dev ## Install everything, also what tests need, into .venv

run: $(STAMP) ## Start the server with its own PostgreSQL and Valkey (ARGS="--port 8080")
	@exec $(BIN)/parcours up $(ARGS)

test: $(STAMP)-dev ## Run all tests (ARGS="tests/kit -x")
	@$(BIN)/pytest -n auto --maxprocesses=4 $(ARGS)

lint: $(STAMP)-dev ## Check style, format and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: $(STAMP) ## Measure how fast it is (ARGS="…")
	@$(BIN)/python -m bench $(ARGS)

clean: ## Remove what was installed, but no data
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Parcours needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another one:"; \
		echo "    make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make a virtual environment. On Debian and Ubuntu:"; \
		echo "    apt install python3-venv"; exit 1; }

$(STAMP): EXTRAS :=
$(STAMP)-dev: EXTRAS := [dev]
$(STAMP) $(STAMP)-dev:
	@$(MAKE) -s check-python
	@echo "Installing (once, or when the list of libraries has changed) ..."
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -q --disable-pip-version-check --no-compile -c constraints.txt -e '.$(EXTRAS)'
	@test -f $(STAMP) || rm -f .venv/.installed-*
	@touch $(STAMP) $@
