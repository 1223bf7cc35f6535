# PandaFuzz: set-up, build and checks. Everything is installed in this folder, apart
# from Debian packages (the compiler for targets, libfaketime, glog, Abseil and bubblewrap for the
# tests) and cargo's own cache of crates.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Node: the machine's own where it is new enough, otherwise one from npm's
# registry, in .tools/.
NODE_VERSION := 24.21.0
NODE_NEEDED := 22.13
# What meets the way beneath grpc-js: `make test` runs it with and without; `make test-nodes` all of test/rpc.
beneath := beneath connections deadlines fuzz heartbeat overload shutdown streams
# What takes its steps by a seed.
random_tests := dist/test/property dist/test/rpc/fuzz dist/test/state/crashes/stories dist/test/faults/rows
# The suite of test/rpc runs on each of these.
NODES_TESTED := 22.23.3 24.21.0 26.12.1
node_package := node-$(shell uname -s | tr A-Z a-z)-$(shell uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
node_is_enough := $(shell node -e 'const [a, b] = process.versions.node.split(".").map(Number), \
  [c, d] = "$(NODE_NEEDED)".split("."); process.stdout.write(a > c || a == c && b >= d ? "yes" : "")' 2>/dev/null)
ifneq ($(node_is_enough),yes)
NODE := .tools/node_modules/$(node_package)/bin/node
export PATH := $(CURDIR)/$(dir $(NODE)):$(PATH)
endif

BIN := node_modules/.bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
NPM := npm --no-audit --no-fund --no-update-notifier --loglevel=error
JEST := NODE_COMPILE_CACHE=$(CURDIR)/.tools/compile-cache test/in-memory.sh node --experimental-vm-modules --disable-warning=ExperimentalWarning $(BIN)/jest

# Runs a command beside a PostgreSQL server of its own, in memory where that is possible.
ON_POSTGRES := test/in-memory.sh node dist/test/postgres/with-server.js env
# Tests that `make test` runs there as well, and those that `make test-postgres` adds.
on_postgres := store/store store/bots store/find-jobs
more_on_postgres := store/postgres store/crash-limits store/queue property/store integration/postgres \
  rpc/services rpc/heartbeat rpc/scheduling rpc/corpora rpc/corpus rpc/crash-groups rpc/every-list

installed := node_modules/.package-lock.json
generated := src/gen/.done
built := dist/.done
# The page: what web/ becomes, and what it is made of.
page := dist/web/index.html
page_sources := $(shell find web -name gen -prune -o -type f -print) src/core/figures.ts src/core/unseen.ts
clients := .tools/clients.done
tested_nodes := $(NODES_TESTED:%=.tools/node-%/node_modules/$(node_package)/bin/node)
GHZ_VERSION := v0.121.0
ghz := .tools/ghz-$(GHZ_VERSION).done

# The contract of the last release: it may grow, and nothing of it may change.
released := proto/pandafuzz-0.1.0.binpb
protos := $(shell find proto -name '*.proto')
sources := $(shell find src test examples bench -name gen -prune -o -name results -prune -o -type f -print)

## demo: set up everything, run a campaign on the demo target, end with its report (KEEP=1: its page stays)
.PHONY: demo
demo: $(built)
	@exec node dist/examples/demo/demo.js

## build: set up and build, nothing more
.PHONY: build
build: $(built)

## test: set up, build and run every test (ONLY=path for some of them)
.PHONY: test
test: $(built) $(clients)
	@examples/demo/build-target.sh --tools-only
	@test/integration/set-up.sh
	@$(JEST) $(ONLY)
ifndef ONLY
	@echo "$(beneath:%=test/rpc/%) test/abuse once more, with grpc.fast_path off"
	@PANDAFUZZ_GRPC_FAST_PATH=off FUZZ_RUNS=$${FUZZ_RUNS:-10} $(JEST) $(beneath:%=dist/test/rpc/%) dist/test/abuse
	@echo "test/store once more, on PostgreSQL"
	@$(ON_POSTGRES) $(JEST) $(on_postgres:%=dist/test/%)
endif

## test-postgres: tests of the store, random stories and the contract on a PostgreSQL server (ONLY=path; POSTGRES_BIN=its bin)
.PHONY: test-postgres
test-postgres: $(built)
	@test/integration/set-up.sh
	@$(ON_POSTGRES) $(JEST) $(or $(ONLY),$(on_postgres:%=dist/test/%) $(more_on_postgres:%=dist/test/%))

## explore: the random tests with a seed that is new each time, and more of each (SEED=n repeats one)
.PHONY: explore
explore: $(built) $(clients)
	@SEED=$${SEED:-random} STORIES=$${STORIES:-100} FUZZ_RUNS=$${FUZZ_RUNS:-300} SCHEDULES=$${SCHEDULES:-1500} \
	  $(JEST) $(or $(ONLY),$(random_tests))

## test-nodes: test/rpc and test/abuse on each Node from 22 to 26, with grpc.fast_path auto and off
.PHONY: test-nodes
test-nodes: $(built) $(clients) $(tested_nodes)
	@for node in $(tested_nodes); do for way in auto off; do \
	  echo "test/rpc and test/abuse on Node $$($$node --version), grpc.fast_path $$way"; \
	  PATH=$(CURDIR)/$$(dirname $$node):$$PATH PANDAFUZZ_GRPC_FAST_PATH=$$way \
	    $(JEST) $(or $(ONLY),dist/test/rpc dist/test/abuse) || exit; \
	done; done

## package: the npm package in data/package/, installed in empty folders and tried on each Node there is
.PHONY: package
package: $(built)
	@test/package/try.sh data/package "$$(command -v node)" $(wildcard $(tested_nodes))

## sdk: set up the bots of sdk/ in Python and Go, and check them by "pandafuzz conformance"
.PHONY: sdk
sdk: $(built)
	@sdk/python/set-up.sh
	@sdk/go/set-up.sh
	@PYTHONPATH=sdk/python/generated node dist/src/cli/main.js conformance \
	  --bot "exec sdk/python/.venv/bin/python sdk/python/bot.py"
	@node dist/src/cli/main.js conformance --bot "exec sdk/go/bot"

## deploy-check: the manifests for Kubernetes against the schemas of its API
.PHONY: deploy-check
deploy-check:
	@test/deploy/check-manifests.sh

## check: types, lint, format, the contract's lint and breaking changes, the import rules, dependencies
.PHONY: check
check: $(generated)
	@$(BIN)/tsc --project . --noEmit --incremental false
	@$(BIN)/tsc --project web
	@$(BIN)/biome ci .
	@$(BIN)/buf lint
	@$(BIN)/buf format --diff --exit-code
	@$(BIN)/buf breaking --against $(released)
	@$(BIN)/depcruise --config .dependency-cruiser.mjs --output-type null src web || \
	  $(BIN)/depcruise --config .dependency-cruiser.mjs src web
	@.ci/dependencies
	@echo "check: types, lint, format, contract, import rules and the lock file are fine"

## sbom: every part by the lock file, as CycloneDX, into data/pandafuzz.cdx.json
.PHONY: sbom
sbom: $(installed)
	@mkdir -p data
# Without --omit=dev, which leaves out what a development package needs as well.
	@npm sbom --sbom-format=cyclonedx --package-lock-only >data/pandafuzz.cdx.json
	@echo "sbom: data/pandafuzz.cdx.json"

## release-contract: keep the contract as it is now, for check to compare with
.PHONY: release-contract
release-contract: $(installed)
	@$(BIN)/buf build --exclude-source-info --output $(released)

## bench: figures beside their limits, into docs/benchmarks.md (ONLY="fleet --bots 20000" for some)
.PHONY: bench
bench: $(built) $(ghz)
	@node dist/bench/main.js $(ONLY)

## bench-quick: the same with fewer rows, bots and rounds, without the soak, in two minutes
.PHONY: bench-quick
bench-quick: $(built) $(ghz)
	@node dist/bench/main.js --quick $(ONLY)

## faults: eighteen faults under load beside their promises, into docs/reliability.md (ONLY="5 7" SEED=n for some)
.PHONY: faults
faults: $(built)
	@test/integration/set-up.sh
	@ONLY="$(ONLY)" node dist/test/faults/main.js

## crash-groups: build small programs with many bugs, and print how well crashes are grouped
.PHONY: crash-groups
crash-groups: $(built)
	@examples/demo/build-target.sh --tools-only
	@test/crash/labelled/collect.sh data/crash-groups
	@node dist/test/crash/labelled/main.js data/crash-groups

## engines-speed: executions of each engine under a bot beside those by hand (ONLY="aflplusplus --rounds 3")
.PHONY: engines-speed
engines-speed: $(built)
	@examples/demo/build-target.sh --tools-only
	@test/integration/set-up.sh
	@node dist/test/speed/main.js $(ONLY)

## simulate: the master's rules on a virtual clock, with every fault (SEEDS=1000 FROM=1; or SEED=7, STEPS of it)
.PHONY: simulate
simulate: $(built)
	@node dist/test/simulation/main.js

## simulate-campaigns: shares and forecasts on invented campaigns, by the product's code (SEEDS=50)
.PHONY: simulate-campaigns
simulate-campaigns: $(built)
	@node dist/bench/campaigns/main.js

## soak: everything at once against a real master, which must not grow (MINUTES=30)
.PHONY: soak
soak: $(built)
	@node dist/bench/soak/main.js

## bench-page: the page in Chromium, with 10,000 bots and 1,000,000 jobs (ONLY="--bots 1000 --jobs 10000")
.PHONY: bench-page
bench-page: $(built)
	@node dist/bench/page/main.js $(ONLY)

## format: put sources and protos into the one format
.PHONY: format
format: $(generated)
	@$(BIN)/biome check --write .
	@$(BIN)/buf format --write

## clean: remove the build and the demo's data
.PHONY: clean
clean:
	rm -rf dist src/gen web/gen data/demo-*

## distclean: clean, and remove everything installed
.PHONY: distclean
distclean: clean
	rm -rf node_modules .tools

## help: this list
.PHONY: help
help:
	@echo "PandaFuzz. Targets:"
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

ifdef NODE
$(NODE):
	@echo "node: this machine's is older than $(NODE_NEEDED); bringing $(NODE_VERSION) into .tools/"
	@$(NPM) install --prefix .tools --no-save --no-package-lock $(node_package)@$(NODE_VERSION) >/dev/null
	@touch $@
endif

$(tested_nodes): .tools/node-%/node_modules/$(node_package)/bin/node: | $(NODE)
	@echo "node: bringing $* into .tools/"
	@$(NPM) install --prefix .tools/node-$* --no-save --no-package-lock $(node_package)@$* >/dev/null
	@touch $@

# Not `npm ci`: it refuses a lock file that lacks optional packages of other
# platforms, which a registry mirror may not have. Versions are exact all the same.
$(installed): package.json package-lock.json | $(NODE)
	@echo "npm: installing locked dependencies"
	@$(NPM) install --no-save >/dev/null
	@touch $@

asOwn = enumerable: true, configurable: true, writable: true

$(generated): $(protos) buf.yaml buf.gen.yaml $(installed)
	@echo "buf: generating code from proto/"
	@$(BIN)/buf generate
# Maps of callers' names: an assignment to "__proto__" would be lost without a word.
	@sed -i -E \
	  -e 's/(message\.\w+)\[(entry[0-9]*\.key)\] = (.*);$$/globalThis.Object.defineProperty(\1, \2, { value: \3, $(asOwn) });/' \
	  -e 's/(obj\.\w+)\[(k)\] = (.*);$$/globalThis.Object.defineProperty(\1, \2, { value: \3, $(asOwn) });/' \
	  -e 's/(acc)\[(key)\] = (.*);$$/globalThis.Object.defineProperty(\1, \2, { value: \3, $(asOwn) });/' \
	  src/gen/pandafuzz/v1/*.ts
	@mkdir -p src/gen/descriptors
	@$(BIN)/buf build proto --as-file-descriptor-set --output src/gen/descriptors/pandafuzz.binpb
	@$(BIN)/buf build node_modules/grpc-health-check/proto --as-file-descriptor-set \
	  --output src/gen/descriptors/health.binpb
	@$(BIN)/buf build node_modules/google-proto-files --path node_modules/google-proto-files/google/rpc/error_details.proto \
	  --as-file-descriptor-set --output src/gen/descriptors/errors.binpb
	@touch $@

$(clients): $(shell find test/languages -type f)
	@test/languages/set-up.sh

# Go 1.21 and later fetch the newer Go that ghz needs by themselves.
$(ghz):
	@command -v go >/dev/null || { echo "bench: ghz needs Go 1.23 or newer, and there is none: install it \
	(Debian 13: golang-go; otherwise go.dev/dl), then run this again"; exit 69; }
	@echo "bench: bringing ghz $(GHZ_VERSION)"
	@GOBIN=$(CURDIR)/.tools/bin go install github.com/bojand/ghz/cmd/ghz@$(GHZ_VERSION)
	@touch $@

$(page): $(generated) $(page_sources)
	@echo "vite: building the page"
	@$(BIN)/vite build --config web/vite.config.ts --logLevel warn
	@touch $@

# The page is part of the build, and is built anew when its own files change alone.
$(built): $(generated) $(sources) tsconfig.json | $(page)
	@echo "tsc: building"
	@find dist -mindepth 1 -maxdepth 1 ! -name web -exec rm -rf {} +
	@$(BIN)/tsc --project .
	@cp -R src/store/sqlite/migrations dist/src/store/sqlite/
	@cp src/store/postgres/schema.sql dist/src/store/postgres/
	@cp -R src/gen/descriptors dist/src/gen/
	@chmod +x dist/src/cli/main.js
	@touch $@
