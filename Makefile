# All set-up is in here: `make run` and `make test` work on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test laws test-slow test-plain test-oldest test-textworld test-local lint bench bench-check peers docs clean

OUT := runs/$(shell date +%Y%m%d-%H%M%S)

run: $(VENV)/.run  ## play the quick scenarios, verify every episode, write reports
	$(BIN)/ludarium run mapf-quick --agent shortest --agent pibt --agent rhcr --agent lns --out $(OUT)
	$(BIN)/ludarium verify $(OUT)
	$(BIN)/ludarium run text-household-quick --agent random --agent household-expert --agent household-oracle \
		--out $(OUT)-text
	$(BIN)/ludarium verify $(OUT)-text
	@echo "reports: $(OUT)/report.html $(OUT)-text/report.html"

test: $(VENV)/.dev  ## all tests but the slow ones; what lacks a browser or Node is skipped by name
	$(BIN)/python -m pytest -q -n auto --dist worksteal

test-slow: $(VENV)/.dev  ## the slow tests: training, long searches
	$(PIP) install -q -c constraints.txt -e ".[dev,learn]"
	$(BIN)/python -m pytest -q -m slow

laws: $(VENV)/.dev  ## every environment of the suite under the laws' profile `ci`
	LUDARIUM_LAWS=ci $(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/laws/test_registered_laws.py

test-plain: $(VENV)/.dev  ## without the compiler: the kernels as plain Python
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -n auto tests/core/test_state.py tests/core/test_batch.py \
		tests/core/test_forms.py tests/core/test_rng.py tests/mapf/test_parity.py

test-oldest:  ## the adapters on the oldest Gymnasium that we support
	$(PYTHON) -m venv .venvs/oldest
	.venvs/oldest/bin/python -m pip install -q --disable-pip-version-check "gymnasium==1.2.2" -e ".[test]"
	.venvs/oldest/bin/python -m pytest -q -n auto tests/core/test_forms.py tests/core/test_gymnasium.py \
		tests/core/test_pettingzoo.py tests/properties tests/mapf/test_env.py

test-local:  ## local language models, in an environment of their own: PyTorch and transformers are heavy
	$(PYTHON) -m venv .venvs/local
	.venvs/local/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[check,local]"
	LUDARIUM_REQUIRE=transformers .venvs/local/bin/python -m pytest -q -m slow tests/agents/test_llm_local.py

lint: $(VENV)/.dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

peers:  ## virtual environments of the suites that benchmarks/ compares with
	$(PYTHON) benchmarks/peers/setup.py

test-textworld: $(VENV)/.dev  ## the tests that need TextWorld, in the environment of that peer
	$(PYTHON) benchmarks/peers/setup.py textworld
	PYTHONPATH=build/dev .venvs/textworld/bin/python -W ignore -m pytest -q -p no:cacheprovider tests/text/games

bench: $(VENV)/.dev  ## speed beside peers and the C twin; see benchmarks/README.md
	$(BIN)/python benchmarks/speed.py

bench-check: $(VENV)/.dev  ## the cheap rows against benchmarks/baseline.json
	$(BIN)/python benchmarks/speed.py --cheap --check benchmarks/baseline.json

docs: $(VENV)/.dev  ## run every code block of the documentation
	$(BIN)/python -m pytest -q tests/docs

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt hatch_build.py
	$(PIP) install -q -c constraints.txt -e ".[stats]"
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt hatch_build.py
	$(PIP) install -q -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) build dist runs .pytest_cache .mypy_cache .ruff_cache
