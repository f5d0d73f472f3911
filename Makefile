# What a newcomer needs: make demo, make test. The rest is for those who work on virthook.

GO          ?= go
GOTEST      ?= $(GO) test -timeout 40m
STATICCHECK  = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: help demo test race cover fuzz bench generate lint man-lint browser integration

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## a guest's life fired at an example hook; needs no libvirt
	@sh examples/demo.sh

test: ## all tests; needs only Go
	$(GOTEST) $(TESTFLAGS) ./...

race: ## all tests with the race detector; needs a C compiler
	CGO_ENABLED=1 $(GOTEST) -race ./...

cover: ## statement coverage of the hand-written code
	@sh .ci/cover

fuzz: ## each fuzz test for FUZZTIME (default 1m)
	@FUZZTIME=$(or $(FUZZTIME),1m) sh .ci/fuzz

bench: ## what a hook costs, next to other ways to write one; writes docs/speed.md
	@$(GO) run ./internal/bench -write

generate: ## generated files anew, from the spec
	$(GO) generate ./...

lint: ## gofmt, go vet, staticcheck, tidiness and freshness; writes nothing
	@test -z "$$(gofmt -l .)" || { gofmt -l . >&2; echo "run gofmt -w on these" >&2; exit 1; }
	$(GO) vet -tags integration ./...
	$(STATICCHECK) -tags integration ./...
	$(GO) mod tidy -diff
	$(GO) run ./cmd/virthook generate --check
	$(GO) run ./cmd/virthook docs --check -o docs/reference

man-lint: ## the manual pages without a warning of mandoc and groff; installs them by apt
	@bash .ci/man

browser: ## the reference's HTML page driven in Chromium, which it installs by apt
	@bash .ci/browser

integration: ## the hooks on real libvirt, LIBVIRT=11.3 or 12.8 for a newer one; needs root and Debian's apt
	@GOTEST="$(GOTEST)" LIBVIRT="$(LIBVIRT)" bash .ci/integration
