# Every command a person needs; each one sets up what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# The tests start many Pythons: what one has compiled is not to be compiled again, wherever the environment forbids it.
unexport PYTHONDONTWRITEBYTECODE

# Frameworks over llmsim, each set of them in a Python of its own: a folder with requirements.txt is such a set.
FRAMEWORKS := tests/frameworks
FRAMEWORK_VENVS := .venv-frameworks
SETS := $(patsubst $(FRAMEWORKS)/%/requirements.txt,%,$(wildcard $(FRAMEWORKS)/*/requirements.txt))
PYTHON_SETS := $(addprefix test-frameworks-,$(SETS))

.PHONY: run traffic serve fuzz attack docs examples dist sbom audit image-steps test test-workers check lint format types bench instructions soak clean test-frameworks $(PYTHON_SETS) test-frameworks-node

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

$(VENV)/.traffic: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check openai
	touch $@

traffic: $(VENV)/.traffic  ## a dozen of OpenAI's clients, for a minute, for the server on 127.0.0.1:8080
	$(BIN)/python examples/traffic.py $(ARGS)

serve: $(VENV)/.run  ## the server without a console
	$(BIN)/llmsim serve $(ARGS)

test: $(VENV)/.dev  ## the tests
	$(BIN)/python -m pytest -n auto $(ARGS)

test-workers: $(VENV)/.dev  ## the SDKs' and other black-box tests, against a server of three processes
	TEST_WORKERS=3 $(BIN)/python -m pytest -rs tests/sdks tests/dialects tests/generators tests/replay tests/mocks/imports $(ARGS)

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

$(VENV)/.fuzz: pyproject.toml $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,fuzz]' \
	  || echo "*** atheris or schemathesis cannot be had here: what needs them is NOT run" >&2
	touch $@

fuzz: $(VENV)/.fuzz  ## what nobody would send, at everything that reads; ten minutes, 25 at most; ARGS="--seconds 1" for fewer
	$(BIN)/python -m fuzz $(ARGS)

attack: $(VENV)/.dev  ## attacks on a real server of this machine, some minutes; ARGS=--quick for smaller ones
	$(BIN)/python -m fuzz.attacks $(ARGS)

bench: $(VENV)/.dev  ## speed, as ratios measured in one run
	$(BIN)/python -m bench $(ARGS)

instructions: $(VENV)/.dev  ## the processor's instructions of an exchange, by valgrind, which must be there; ten minutes
	@command -v valgrind > /dev/null || { \
	  echo "*** valgrind is not here: nothing was counted (tests/test_cost.py counts Python's instructions without it)" >&2; \
	  exit 1; }
	$(BIN)/python -m bench.instructions $(ARGS)

soak: $(VENV)/.dev  ## half an hour of streams, changes and clients that leave: what is left of it
	$(BIN)/python -m bench.soak $(ARGS)
# What makes and checks a release, in a Python of its own: the tools' packages and ours then never meet.
TOOLS := .venv-tools
$(TOOLS)/.ready: Makefile
	test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check \
	  'build>=1.2' 'check-wheel-contents>=0.6' 'cyclonedx-bom>=5' 'pip-audit>=2.7' 'twine>=6'
	touch $@

dist: $(TOOLS)/.ready  ## wheel and sdist, checked, and installed in an empty Python
	rm -rf dist build/clean
	$(TOOLS)/bin/python -m build --outdir dist
	$(TOOLS)/bin/twine check --strict dist/*
	$(TOOLS)/bin/check-wheel-contents dist/*.whl
	$(PYTHON) -m venv build/clean
	build/clean/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd build/clean && bin/llmsim --version && bin/llmsim-tui --version && bin/python -I ../../scripts/check_wheel.py

sbom: $(TOOLS)/.ready build/clean/bin/python  ## what an installation is made of, as CycloneDX
	$(TOOLS)/bin/cyclonedx-py environment build/clean --pyproject pyproject.toml --of JSON -o sbom.cdx.json

build/clean/bin/python:
	$(MAKE) dist

audit: $(TOOLS)/.ready  ## whether a package that it depends on is known to be weak
	$(TOOLS)/bin/pip-audit --strict --progress-spinner off .

image-steps:  ## the steps of the Dockerfile, where there is no Docker
	$(PYTHON) scripts/dockerfile_steps.py

# The site of the documentation, in a Python of its own.
DOCS := .venv-docs
$(DOCS)/.ready: Makefile
	test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check 'mkdocs-material>=9.6,<10' 'mkdocstrings[python]>=0.29' ruff
	touch $@

docs: $(VENV)/.run $(DOCS)/.ready  ## the documentation as a site in build/site, every link of it checked
	$(BIN)/python scripts/configuration_page.py --check
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict

examples: $(VENV)/.dev  ## every example, run in its bounds
	$(BIN)/python scripts/run_examples.py $(ARGS)

clean:
	rm -rf $(DOCS) $(TOOLS) sbom.cdx.json $(VENV) $(FRAMEWORK_VENVS) $(FRAMEWORKS)/node/node_modules .mypy_cache .ruff_cache .pytest_cache .coverage* dist build
