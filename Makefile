# Everything is installed into $(VENV), at the exact versions of $(CONSTRAINTS).
# Other versions: make test VENV=.venv-oldest PYTHON=python3.11 \
#                           CONSTRAINTS=.github/constraints-oldest.txt

PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
PYTEST_WORKERS ?= 2
PYTEST_ARGS ?=
BENCHMARKS ?= benchmarks/speed.py

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check

EXTRAS_demo := plot
EXTRAS_bench := bench
EXTRAS_test := onnx,plot,test
EXTRAS_lint := lint
EXTRAS_docs := docs
EXTRAS_release := release,test

# One process per core already fills the machine; scikit-learn's array API check needs the flag.
TEST_ENV := OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1

# Examples only show their pictures; make demo keeps the last one.
define DRAW
import runpy, sys
import matplotlib.pyplot as plt
runpy.run_path(sys.argv[1], run_name="__main__")
plt.savefig(sys.argv[2], dpi=120)
print("The picture is in", sys.argv[2])
endef
export DRAW

.DEFAULT_GOAL := help
.PHONY: help demo test slow lint api dist docs bench clean
.NOTPARALLEL:
.SECONDARY:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-%: pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	$(PIP) -c $(CONSTRAINTS) -e ".[$(EXTRAS_$*)]"
	@touch $@

demo: $(VENV)/.installed-demo ## fit California Housing and draw the result
	MPLBACKEND=Agg $(BIN)/python -c "$$DRAW" examples/plot_california_housing.py demo.png

test: $(VENV)/.installed-test ## run the tests and doctests
	$(TEST_ENV) $(BIN)/python -m pytest -n $(PYTEST_WORKERS) $(PYTEST_ARGS)

slow: $(VENV)/.installed-test ## run the long scientific reproductions
	$(TEST_ENV) $(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m slow $(PYTEST_ARGS)

lint: $(VENV)/.installed-lint ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

api: $(VENV)/.installed-test ## list the public names anew in tests/public_api.txt
	$(BIN)/python tests/test_public_api.py

dist: $(VENV)/.installed-release ## build wheel and sdist, try each in a clean environment
	$(BIN)/python -m pytest -m slow tests/test_release.py

docs: $(VENV)/.installed-docs ## build the documentation into docs/_build/html
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/.installed-bench ## compare speed with the peers (others: BENCHMARKS=...)
	set -e; for script in $(BENCHMARKS); do $(BIN)/python $$script; done

clean: ## remove what the other targets made, the environment included
	rm -rf $(VENV) build dist docs/_build docs/auto_examples docs/api/generated demo.png
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
