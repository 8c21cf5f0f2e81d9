# Two commands do all: `make demo` and `make test`. Both work offline from the second time on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint smoke table bench spark torture model lock clean

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/python -m simulations.demo

test: $(STAMP) lint
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Are the detectors as good as the committed baseline says? What got better on purpose: add --accept once, and commit.
smoke: $(STAMP)
	rm -rf build/smoke
	$(BIN)/stillwatch benchmark smoke --out build/smoke --cache build/smoke-cache --baseline .ci/smoke.baseline.json --quiet

# The result table of README.md, from half an hour of benchmarking; cut off, it goes on where it was.
table: $(STAMP)
	rm -rf build/full
	$(BIN)/stillwatch benchmark full --out build/full --cache build/full-cache
	$(BIN)/python -m simulations.benchmark.publish build/full/benchmark.json README.md

bench: $(STAMP)
	$(BIN)/python -m pytest tests/benchmarks --override-ini addopts="-q --strict-markers -p no:cacheprovider" -W default

# The engine past one machine, on a cluster of its own; needs a Java runtime.
spark: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$($(BIN)/python -m tests.spark.extra)"
	$(BIN)/python -m pytest tests/spark --override-ini addopts="-q --strict-markers -p no:cacheprovider"

# Hostile files, damaged logs and failing disks; takes minutes, and ends with a table of goal, figure and bound.
torture: $(STAMP)
	$(BIN)/python -m pytest tests/torture --override-ini addopts="-q --strict-markers -p no:cacheprovider" -W default

# The shipped model anew: make model REPLAYS="DIR DIR DIR DIR" MODEL=DIR, MODEL a new folder, each replay a folder of
# events.parquet, truth.parquet and accounts.csv, in this order.
model: $(STAMP)
	$(BIN)/stillwatch generate configs/scenarios/training.toml --seed 201 --out $(MODEL)/generated
	$(BIN)/stillwatch fit $(REPLAYS:%=%/events.parquet) $(MODEL)/generated/events.parquet \
	  $(patsubst %,--truth %/truth.parquet,$(REPLAYS) $(MODEL)/generated) \
	  $(patsubst %,--accounts %/accounts.csv,$(REPLAYS)) --accounts $(MODEL)/generated/accounts.parquet \
	  --leave-out licensed_data --leave-out framing_victim --out $(MODEL)/combined.json

lock: $(STAMP)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev --output-file requirements.lock pyproject.toml requirements.build

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache
