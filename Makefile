# The front door. Everything that is not a file of its own is a target here, with a sentence.
.DEFAULT_GOAL := help
.PHONY: help setup build test test-rust test-python check lint types docs fuzz demo bench clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXECUTABLE := $(CURDIR)/python/s6x/_native/bin/s6x
CRATES := -p s6x-core -p s6x-multicall
# What the tests run is what people get: the static executable in the installed package.
export S6X_EXECUTABLE ?= $(EXECUTABLE)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(VENV)/installed ## Install what this machine lacks (root: by apt-get; else: say what), and make .venv

# pip builds the package once, which checks the way that users take; from then on maturin does, in place.
$(VENV)/installed: pyproject.toml tools/setup.sh
	@tools/setup.sh
	@echo "making $(VENV), and s6x in it: half a minute"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

build: setup ## Build the extension and the static executable into python/s6x, where .venv finds them
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --skip-install \
	  >target/build.log 2>&1 || { cat target/build.log >&2; exit 1; }
	@echo "built $(EXECUTABLE:$(CURDIR)/%=%)"

test: test-rust test-python ## Run all tests, beside the originals where they are installed

test-rust: setup ## Run the tests of the crates
	timeout 1500 cargo test -q $(CRATES)

test-python: build ## Run the tests of the installed package (ARGS='-k svstat -x' goes to pytest)
	timeout 2400 $(BIN)/python -m pytest -q $(ARGS)

check: lint types test ## Everything that must hold before a change goes in

lint: build ## Formatting and lints of both languages
	cargo fmt --check
	cargo clippy -q --workspace --all-targets -- -D warnings
	$(BIN)/ruff check -q
	$(BIN)/ruff format -q --check

types: build ## Types of the package, the tests and the benches, and the stub of the extension
	$(BIN)/mypy python tests benches demo tools
	$(BIN)/python -m mypy.stubtest s6x._core

docs: build ## Write the pages of all commands (docs/commands) and manual pages for man (target/man)
	S6X_WRITE_PAGES=1 cargo test -q -p s6x-multicall --test pages
	$(BIN)/python tools/manual.py

# The compiler's counters say which inputs reach something new; overflow is checked as in a debug build.
fuzz: export RUSTFLAGS = -C instrument-coverage --cfg s6x_coverage
fuzz: export LLVM_PROFILE_FILE = /dev/null
fuzz: export CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS = true
fuzz: export CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS = true
fuzz: export CARGO_PROFILE_RELEASE_LTO = off
fuzz: export S6X_FUZZ_SECONDS = $(or $(SECONDS),10)
fuzz: export S6X_FUZZ_PARSER = $(PARSER)
fuzz: export S6X_FUZZ_SEED = $(or $(SEED),1)
fuzz: ## Throw hostile input at every parser (SECONDS=600 for each, PARSER=bencode for one, SEED=2)
	cargo test -q --release --target-dir target/fuzz -p s6x-multicall --test hostile

demo: build ## Boot a container with real daemons, kill one, stop it (no docker; root or not)
	@$(BIN)/python -m demo

bench: build ## Measure speed and memory beside the originals (ARGS='boot memory' picks some)
	@$(BIN)/python -m benches $(ARGS)

clean: ## Remove everything that was built
	rm -rf target dist $(VENV) python/s6x/_native python/s6x/*.so benches/results
	find . -name __pycache__ -prune -exec rm -rf {} +
