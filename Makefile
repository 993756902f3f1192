# The project's commands. Each does its own set-up (.venv, then a real Asterisk where one is needed), without root.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run demo test check lint bench bench-pbx bench-menus bench-core bench-codec figures lock clean .runtime .dev

# The first of these that is 3.11 or newer; `make PYTHON=/path/to/python3 …` decides otherwise.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	if "$$python" -c '$(NEW_ENOUGH)' 2>/dev/null; then command -v "$$python"; break; fi; done)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
ARGS ?=
# Real sockets and processes share the processors with whatever else runs. What fails is tried once more by itself, and is
# named: it is a fault to be found, but none that hides the others. To be called with the marks of that part of the tests;
# it may have none if ARGS narrows them (-k word): exit code 5.
ONCE_MORE = || { code=$$?; $(if $(ARGS),[ $$code -eq 5 ] ||) { [ $$code -eq 1 ] && \
	echo 'Failed above, tried once more by themselves:' && \
	$(PYTEST) -m '$(1)' --last-failed --last-failed-no-failures none --maxfail 3 -v $(ARGS); }; }

help: ## show this list
	@echo 'make COMMAND [ARGS="…"]'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

setup: .dev ## make .venv with everything in it; .venv/bin/acd is the command

run: .runtime ## a real Asterisk with the engine attached; prints how to call (first time: fetches Asterisk)
	@$(BIN)/acd lab run $(ARGS)

demo: .runtime ## callers and phones of SIPp on a real Asterisk, with a live table; about a minute
	@$(BIN)/acd demo $(ARGS)

test: lint ## everything: lint, unit tests, and the tests on a real Asterisk
	$(PYTEST) -n 2 --dist loadgroup -m 'not pbx' $(ARGS) $(call ONCE_MORE,not pbx)
	$(PYTEST) -n 2 --dist loadfile -m 'pbx and not alone' $(ARGS) $(call ONCE_MORE,pbx and not alone)
	$(PYTEST) -m 'pbx and alone' $(ARGS) $(call ONCE_MORE,pbx and alone)

check: lint ## quick: lint and the tests that need no Asterisk
	$(PYTEST) -n 2 -q -m 'not pbx and not slow' $(ARGS)

lint: .dev ## ruff, mypy --strict, import contracts, unused dependencies, lock files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy tools/*.py
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/python tools/lock.py --check

bench: bench-codec bench-core bench-menus bench-pbx ## all benchmarks; tables here, JSON in bench/results

bench-pbx: .dev ## app_queue, the engine and the least possible FastAGI responder on one Asterisk
	$(BIN)/python -m bench.pbx $(ARGS)

bench-menus: .dev ## 300 callers in menus: processor time, memory and latency, beside the least possible responder
	$(BIN)/python -m bench.menus $(ARGS)

bench-core: .dev ## the core alone: events and decisions per second
	$(BIN)/python -m bench.core $(ARGS)

bench-codec: .dev ## AMI events per second: ours, pyst2, panoramisk
	$(BIN)/python -m bench.codec $(ARGS)

figures: .dev ## put the last benchmarks' figures into README.md
	$(BIN)/python tools/figures.py

lock: .dev ## write requirements/*.txt anew; ARGS=--upgrade takes newer versions
	$(BIN)/python tools/lock.py $(ARGS)

clean: ## remove what was made here (the fetched Asterisk stays in its cache)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis run dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.runtime .dev:
	@python='$(PYTHON)'; if ! "$${python:-false}" -c '$(NEW_ENOUGH)' 2>/dev/null; then \
		echo "Python 3.11 or newer is needed, but $${python:-python3} is $$("$${python:-python3}" -V 2>&1)." >&2; \
		echo 'On Debian 12 and later, as root: apt-get install python3. Or: make PYTHON=/path/to/python3' >&2; \
		exit 1; fi; "$$python" tools/setup_venv.py $(if $(filter .dev,$@),--dev)
