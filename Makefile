# Every target works in a fresh clone with Python 3.11 or newer and nothing else installed.
#   make demo     install into .venv and take the tour on real data
#   make test     install the test tools too and run the tests
#   make check    all that CI checks: lint, types, layers, generated files, tests, examples
#   make bench    lake beside its peers, small sizes; benchmarks/README.md has the full ones
#   make lock     choose the newest dependencies again and pin them by hash

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test check lint bench lock clean
.DEFAULT_GOAL := demo

$(VENV)/.installed: requirements.lock pyproject.toml .ci/venv
	@bash .ci/venv $(VENV) $(PYTHON) requirements.lock
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@bash .ci/venv $(VENV) $(PYTHON) requirements-dev.lock
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/python examples/digits_tour.py

test: $(VENV)/.installed-dev
	@bash .ci/servers $(VENV)
	$(BIN)/python -m pytest tests/unit
	$(BIN)/python -m pytest --ignore=tests/unit

check: $(VENV)/.installed-dev
	@bash .ci/servers $(VENV)
	@bash .ci/check $(VENV)

lint: $(VENV)/.installed-dev
	@bash .ci/check $(VENV) --static

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks --small

lock:
	@bash .ci/lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache demo
