# make run     install into .venv and anneal a real problem
# make check   lint, types and the quick tests, first those of what was changed: under a minute
# make test    everything that must pass
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8

.PHONY: run check test test-all lint figures docs gpu-check clean
.DEFAULT_GOAL := run

run: .venv/core
	$(BIN)/langevin-sa anneal lennard_jones --replicas 256 --steps 50000 --seed 1 --save run.npz --plot run.png

check: lint
	$(PYTEST) --dist worksteal --most 250 -m "not slow and not long"

test: lint
	$(PYTEST) --dist worksteal

test-all: lint
	$(PYTEST) --dist worksteal -m "slow or not slow" --hypothesis-profile=many

lint: .venv/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

figures: .venv/core
	MPLBACKEND=Agg $(BIN)/python demos/_figures.py

# Runs every demo; SPHINXOPTS="-D plot_gallery=0" leaves that out.
docs: .venv/docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html $(SPHINXOPTS)
	@echo "open docs/_build/html/index.html"

gpu-check: .venv/core
	for part in smoke validate speed; do $(BIN)/python benchmarks/gpu.py $$part || exit $$?; done

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache run.npz run.png docs/_build docs/gallery docs/reference
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "langevin_sa needs Python 3.11 or later: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/core: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[test,ml,jax,ase,hdf5,zarr,arviz]"
	@touch .venv/core $@

.venv/docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	@touch .venv/core $@
