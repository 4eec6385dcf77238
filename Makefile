# The two commands are `make demo` and `make test`; the other targets are their parts.
.PHONY: demo demo-component test bench bench-edge bench-vector build component clean setup-build setup-demo setup-test \
	test-rust test-browser test-runtimes test-js test-gateway test-security test-package test-worker test-component test-hosts test-workspace test-peers test-page test-page-component test-fallback

export PATH := $(HOME)/.cargo/bin:$(PATH)
CHROMEDRIVER ?= $(shell command -v chromedriver)

# The assistant on the local workspace, or on a real one when DATABRICKS_HOST is set (see www/README.md).
demo: setup-demo build $(if $(filter component,$(EDGE)),demo-component)
	npm run --silent start --workspace lakelet-www

test: test-rust test-browser test-runtimes test-js test-gateway test-security test-package test-worker test-component test-hosts test-workspace test-peers test-page test-fallback
	@echo "make test: every suite passed"

bench: setup-build build
	node benches/run.mjs

# The Worker and the component under load, with cold start and memory: docs/edge-benchmarks.md is written by it.
bench-edge: setup-test build
	node wit/build.mjs server
	node benches/edge.mjs

# The vector search of the local workspace, for minutes; SIZES=1000000 takes longer. See docs/vector-benchmarks.md.
SIZES ?= 1000,10000,100000
bench-vector: setup-demo build
	node benches/vector.mjs --sizes $(SIZES)

setup-build setup-demo setup-test: setup-%:
	@.ci/setup $*

# The npm package, the local workspace and the page; each builder skips what is up to date.
build: setup-build
	npm run --silent build --workspace lakelet --workspace lakelet-workspace --workspace lakelet-www

test-rust: setup-test
	cargo fmt --check
	cargo clippy --all-targets --quiet -- --deny warnings
	for door in web optimize databricks component server; do cargo clippy --target wasm32-unknown-unknown --features $$door --quiet -- --deny warnings || exit 1; done
	cargo test --quiet

test-browser: setup-test
	CHROMEDRIVER=$(CHROMEDRIVER) wasm-pack test --headless --chrome --mode no-install -- --features web --test web

# DSPy's recorded answers and the tests of programs in every runtime, against the table in docs/runtimes.md.
test-runtimes: setup-test
	node tests/runtimes/run.mjs

test-js: setup-test build
	npm test --silent --workspace lakelet

# One protocol: the table of calls that `test-rust` holds the core's gateway to, against the gateway of the npm package.
test-gateway: setup-test build
	node --test tests/gateway/

# The gateway as an attacker would have it; SECURITY.md says which test shows what.
test-security: setup-test build component
	node --test tests/security/

# The tarball, as its users get it: Node, Deno, Bun, types, Vite, a plain script tag.
test-package: setup-test build
	node --test tests/package/

# The components of WASI 0.2, in build/component; what is up to date is left as it is.
component: setup-build
	node wit/build.mjs
	node wit/build.mjs server

# The Worker in workerd, and the plain gateway in Node, Deno and Bun.
test-worker: setup-test build
	node --test tests/worker/*.test.mjs

# The page and the server's component in one, for EDGE=component.
demo-component: build
	node wit/build.mjs server
	node www/component/build.mjs

test-component: setup-test build component
	node tests/component/transpile.mjs
	node --test tests/component/

# Hosts that embed the component, in Python, Rust and Node, and what its limits do to a run.
test-hosts: setup-test component
	cargo fmt --check --manifest-path examples/rust-host/Cargo.toml
	.ci/tool-cargo test --quiet --release --locked --manifest-path examples/rust-host/Cargo.toml --test limits
	$${LAKELET_CACHE:-$$HOME/.cache/lakelet}/peers/bin/python -m unittest discover --start-directory tests/hosts

test-workspace: setup-test build
	npm test --silent --workspace lakelet-workspace

test-peers: setup-test build
	node tests/peers/run.mjs

test-page: setup-test build
	node --test tests/page/
	EDGE=worker node --test tests/page/page.test.mjs
	@if command -v wasmtime >/dev/null && command -v wac >/dev/null; then $(MAKE) --no-print-directory test-page-component; \
	else echo 'test-page: skipped for EDGE=component, there is no wasmtime or no wac'; fi

test-page-component: demo-component
	EDGE=component node --test tests/page/page.test.mjs

# Where rustup cannot add the wasm target, Debian's Rust builds the core: in a clone of its own, as the choice is by folder.
test-fallback: setup-test
	@.ci/test-fallback

clean:
	rm -rf target build js/dist js/workspace/dist www/dist
