# Latchstring. `make` alone explains the targets.

export CGO_ENABLED ?= 0
BIN     := bin
MODULE  := github.com/latchstring/latchstring
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0-dev)
HOSTS   := remote-support send-bundle rss support plugincheck
ARGS    ?=
# Directories named testdata are passed over by ./... alone.
PKGS    := ./... ./testdata/infinibox/... ./testdata/until

.DEFAULT_GOAL := help
.PHONY: help build run test quick race chaos lint fuzz bench accuracy packages generate clean deps

help: ## explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The plugins are built first: the hosts carry the SHA-256 of that binary and
# start no other as built in.
build: ## build all binaries into bin/
	@mkdir -p $(BIN)
	go build -trimpath -ldflags '-s -w' -o $(BIN)/latchstring-plugins ./plugins
	@sum=$$(sha256sum $(BIN)/latchstring-plugins | cut -d' ' -f1) && \
	flags="-s -w -X $(MODULE)/cmd/internal/cmdline.Version=$(VERSION) -X $(MODULE)/core/host/catalog.builtinSHA256=$$sum" && \
	for b in $(HOSTS); do \
	  echo "go build $$b"; go build -trimpath -ldflags "$$flags" -o $(BIN)/$$b ./cmd/$$b || exit 1; \
	done

run: build ## bring the whole system up on this machine and show its main job (ARGS=--once ends by itself)
	@go build -o $(BIN)/fakebox ./testdata/infinibox/fakebox
	@go build -o $(BIN)/tour ./tools/tour && exec $(BIN)/tour -bin $(BIN) $(ARGS)

test: deps build ## install what the tests need and run them all
	go vet $(PKGS)
	go test -timeout 10m $(PKGS)

quick: ## run the short tests only
	go test -short $(PKGS)

race: ## run the tests with the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -timeout 20m $(PKGS)

chaos: build ## kill -9 the programs at random moments and check the truth (ARGS=-rounds 100)
	@go run ./tools/chaos -bin $(BIN) $(ARGS)

lint: ## vet and staticcheck
	go vet $(PKGS)
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

fuzz: ## run every fuzz target for FUZZTIME (default 20s each)
	@.ci/fuzz $(or $(FUZZTIME),20s)

bench: build ## measure, beside the named peers, in the same run
	@bench/run

accuracy: ## what the sanitizer hides and keeps (CASES=DIR of *.jsonl)
	@go run ./bench/accuracy $(CASES)

packages: build ## make .deb and .rpm packages in dist/
	@packaging/build dist

generate: ## make generated files anew
	go generate ./...

deps: ## install the Debian packages that tests use as real peers
	@.ci/deps

clean: ## remove what was built
	rm -rf $(BIN) dist
