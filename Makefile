# Everything runs in .venv, which the first target that needs it makes. A stamp file says what is installed there,
# so a second run starts at once.

SYSTEM_PYTHON := $(shell command -v python3.11 2>/dev/null || command -v python3 2>/dev/null)
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip install -qq --disable-pip-version-check
STATIC := $(VENV)/.installed-static
RUNTIME := $(VENV)/.installed-runtime
DEVELOPMENT := $(VENV)/.installed-development
PICTURE := build/probe.png

.PHONY: help demo demo-static demo-runtime test lint format bench clean
# The parts of the demo are read one after the other.
.NOTPARALLEL:

help:
	@echo "make demo    check examples/, then show a guarded model and a probe at work"
	@echo "make test    run every test"
	@echo "make lint    ruff, mypy --strict, import-linter"
	@echo "make format  let ruff put the code in order"
	@echo "make bench   how fast the checker and others are, on TREES or on what is installed in .venv"
	@echo "make clean   remove .venv and caches"

$(PYTHON):
	@test -n "$(SYSTEM_PYTHON)" || { echo "make: Python 3.11 or later is needed, and neither python3.11 nor python3 was found" >&2; exit 1; }
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or later is needed, $(SYSTEM_PYTHON) is older" >&2; exit 1; }
	@echo "making $(VENV)"
	@$(SYSTEM_PYTHON) -m venv $(VENV)

# The static half alone: no torch.
$(STATIC): pyproject.toml | $(PYTHON)
	@echo "installing rnnshape_guard in $(VENV)"
	@$(PIP) --editable .
	@touch $@

# What the guard and the probe need. torch comes first, so that what depends on it finds the pinned one.
$(RUNTIME): pyproject.toml requirements-dev.txt | $(PYTHON)
	@echo "installing torch in $(VENV) (once, it is large)"
	@$(PIP) --requirement requirements-dev.txt
	@echo "installing rnnshape_guard[runtime,plot] in $(VENV)"
	@$(PIP) --editable '.[runtime,plot]'
	@touch $@ $(STATIC)

$(DEVELOPMENT): pyproject.toml requirements-dev.txt | $(PYTHON)
	@echo "installing torch in $(VENV) (once, it is large)"
	@$(PIP) --requirement requirements-dev.txt
	@echo "installing rnnshape_guard and its development tools in $(VENV)"
	@$(PIP) --editable '.[dev]'
	@touch $@ $(STATIC) $(RUNTIME)

demo: demo-static demo-runtime

demo-static: $(STATIC)
	@echo
	@echo "== Before the code runs: the checker"
	@echo
	@echo "The programs in examples/broken hold the commonest mistakes, so findings are expected here."
	@echo
	@echo "$$ rnnshape-guard check examples"
	@$(VENV)/bin/rnnshape-guard check --exit-zero --output-format full examples
	@echo
	@echo "Findings are expected: they all lie in examples/broken. Try: $(VENV)/bin/rnnshape-guard rule RSG201"
	@echo

# The static half comes first, and is shown before torch is fetched.
demo-runtime: demo-static $(RUNTIME)
	@echo
	@echo "== While it runs: the guard. This model's mistake stands in its settings, so the guard is expected to raise."
	@echo
	@echo "$$ python examples/guarded_class.py"
	@$(PYTHON) examples/guarded_class.py
	@echo
	@echo "== As a proof: the probe, on examples/broken/batch_first_forgotten.py. It is expected to find samples mixed."
	@echo
	@mkdir -p $(dir $(PICTURE))
	@echo "$$ python examples/probed.py $(PICTURE)"
	@$(PYTHON) examples/probed.py $(PICTURE)
	@echo
	@echo "All of it went as expected. More in examples/README.md, docs/guard.md and docs/probe.md."

test: $(DEVELOPMENT)
	$(PYTHON) -m pytest -q -n 2

lint: $(DEVELOPMENT)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(DEVELOPMENT)
	$(PYTHON) benchmarks/speed.py $(TREES)

format: $(DEVELOPMENT)
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .rnnshape_guard_cache
