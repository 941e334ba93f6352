# Everything runs in .venv, made by whichever Python 3.11+ is found. `make run PORT=8001`, `make test ARGS="-k claim"`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALL = @test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make $@ PYTHON=/path/to/python3" >&2; exit 1; }; \
	$(PYTHON) -I -S deploy/local/install.py

.PHONY: help run demo kafka test faults check bench install
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1	/' | awk -F'\t' '{printf "  make %-8s %s\n", $$1, $$2}'

run: ## all of it on this machine: PostgreSQL, Kafka, mail catcher, three services on 127.0.0.1:8000
	$(INSTALL) local && exec $(BIN)/complaint-loop run --end-with-parent

demo: ## real complaints through the whole loop, in a minute, printed as it happens
	$(INSTALL) local && exec $(BIN)/complaint-loop demo $(ARGS)

kafka: ## the local Kafka alone, with its address
	$(INSTALL) local && exec $(BIN)/complaint-loop kafka

test: ## every test, on a PostgreSQL and a Kafka of its own
	$(INSTALL) dev && exec $(BIN)/python -m pytest $(ARGS)

faults: ## the long campaign: outages as long as they get, SIGKILL at every fault point alone, 50,000 bad requests, long histories
	$(INSTALL) dev && COMPLAINT_LOOP_LONG=1 $(BIN)/python -m pytest tests/outage tests/unit/test_ownership_machine.py tests/unit/test_ownership_everything.py \
		tests/service/test_escalation_machine.py tests/service/test_escalation_year.py tests/service/test_promise_race.py $(ARGS)

check: ## form, types, architecture, and documents against the code
	$(INSTALL) dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/architecture tests/contracts

bench: ## the figures of speed, each with its ceiling measured in the same run
	$(INSTALL) dev && exec $(BIN)/python -m deploy.bench $(ARGS)

install: ## .venv with everything, tools for development included
	$(INSTALL) dev
