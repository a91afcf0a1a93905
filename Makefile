# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: run test check unit format screenshots bench clean

run: $(STAMP)  ## install what is missing, and open the app with a real training at work
	$(BIN)/qlora-ui --demo $(ARGS)

test: check  ## every check and every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/ui tests/worker tests/e2e $(ARGS)

check: $(STAMP)  ## lint, types, import rules, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/unit $(ARGS)

unit: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/unit $(ARGS)

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: $(STAMP)  ## pictures of every page into docs/screenshots
	$(BIN)/python scripts/screenshots.py

bench: $(STAMP)  ## timings on this machine; they gate nothing
	$(BIN)/python benchmarks/start_time.py
	$(BIN)/python benchmarks/compare_training.py

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "qlora-ui needs Python 3.11 or newer: make run PYTHON=python3.11")'
	@echo "Installing into $(VENV): about 2 GB, a minute or more."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
