# Every command a person needs; each one sets up what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# Frameworks over llmsim, each set of them in a Python of its own: a folder with requirements.txt is such a set.
FRAMEWORKS := tests/frameworks
FRAMEWORK_VENVS := .venv-frameworks
SETS := $(patsubst $(FRAMEWORKS)/%/requirements.txt,%,$(wildcard $(FRAMEWORKS)/*/requirements.txt))
PYTHON_SETS := $(addprefix test-frameworks-,$(SETS))

.PHONY: run serve test check lint format types bench clean test-frameworks $(PYTHON_SETS) test-frameworks-node

$(VENV)/.run: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/.run

run: $(VENV)/.run  ## the console, with the server on 127.0.0.1:8080
	$(BIN)/llmsim-tui $(ARGS)

serve: $(VENV)/.run  ## the server without a console
	$(BIN)/llmsim serve $(ARGS)

test: $(VENV)/.dev  ## the tests
	$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev  ## mends what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev
	$(BIN)/mypy

check: lint types  ## lint, format, types, and the tests with their coverage
	$(MAKE) test ARGS="--cov --cov-report= $(ARGS)"
	$(BIN)/coverage report --include='llmsim/*' --fail-under=90 --skip-covered
	$(BIN)/coverage report --include='tui/*' --fail-under=80 --skip-covered

$(FRAMEWORK_VENVS)/%/.ready: $(FRAMEWORKS)/%/requirements.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@echo $(@D): installing what $< names
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $< \
	  || { echo "*** $<: these packages cannot be had, so the frameworks are NOT tested" >&2; exit 1; }
	touch $@

$(FRAMEWORKS)/node/node_modules/.ready: $(FRAMEWORKS)/node/package.json
	@echo $(@D): installing what $< names
	@npm install --prefix $(<D) --no-package-lock --no-audit --no-fund --loglevel=error \
	  || { echo "*** $<: these packages cannot be had, so the frameworks are NOT tested" >&2; exit 1; }
	touch $@

test-frameworks: $(PYTHON_SETS) test-frameworks-node  ## the SDKs and frameworks people use, each as they use it

$(PYTHON_SETS): test-frameworks-%: $(VENV)/.run $(FRAMEWORK_VENVS)/%/.ready
	LLMSIM_PYTHON=$(abspath $(BIN))/python $(FRAMEWORK_VENVS)/$*/bin/python -m pytest $(FRAMEWORKS)/$* $(ARGS)

ifeq ($(shell node -p 'parseInt(process.versions.node) >= 20' 2>/dev/null),true)
test-frameworks-node: $(VENV)/.run $(FRAMEWORKS)/node/node_modules/.ready
	cd $(FRAMEWORKS)/node && LLMSIM_PYTHON=$(abspath $(BIN))/python node --test --test-reporter=spec --test-timeout=300000
else
test-frameworks-node:
	@echo "*** there is no node of version 20 or newer: the npm packages in $(FRAMEWORKS)/node are NOT tested" >&2
endif

bench: $(VENV)/.dev  ## speed, as ratios measured in one run
	$(BIN)/python -m bench $(ARGS)

clean:
	rm -rf $(VENV) $(FRAMEWORK_VENVS) $(FRAMEWORKS)/node/node_modules .mypy_cache .ruff_cache .pytest_cache .coverage* dist build
