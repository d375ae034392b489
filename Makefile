# Run "make help" for the list of targets.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BENCH   ?= .
FUZZ    ?= 30s

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests models run build test check-format vet lint unit soak bench fuzz docs web check-web screenshots screenshot image check-deploy clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: Tesseract, Leptonica, traineddata, a C compiler, pip
	@scripts/setup

setup-tests:
	@scripts/setup tests

models: setup ## fetch the models of the second recogniser, where they are missing
	@scripts/models

run: build ## build and run the service on http://127.0.0.1:8000
	@scripts/models || echo "run: going on without the second recogniser" >&2
	@bin/glyphbox serve

build: setup ## build bin/glyphbox
	go build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/glyphbox ./cmd/glyphbox

test: setup check-format vet lint check-web check-deploy unit ## check everything: format, vet, lint, all tests, generated documents

check-format:
	@files=$$(gofmt -l cmd internal tools web/*.go); test -z "$$files" || { echo "not formatted; run gofmt -w: $$files"; exit 1; }

vet:
	go vet ./...

lint: bin/golangci-lint ## run the linters
	bin/golangci-lint run ./...

# Built once for each version of the tools, which have a module of their own.
bin/golangci-lint: tools/go.mod tools/go.sum
	cd tools && go build -buildvcs=false -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# The server that speaks MongoDB's protocol in tests has a module of its own too.
bin/ferretdb: tools/ferretdb/main.go tools/ferretdb/go.mod tools/ferretdb/go.sum
	cd tools/ferretdb && go build -trimpath -buildvcs=false -tags ferretdb_no_postgresql -o ../../bin/ferretdb .

# So have the programs that know what Compose and Kubernetes take.
bin/compose-spec bin/kustomize bin/kubectl-validate: tools/deploy/go.mod tools/deploy/go.sum
	cd tools/deploy && go build -buildvcs=false -o ../../$@ $(PROGRAM)
bin/compose-spec: PROGRAM = github.com/compose-spec/compose-go/v2/cmd
bin/kustomize: PROGRAM = sigs.k8s.io/kustomize/kustomize/v5
bin/kubectl-validate: PROGRAM = sigs.k8s.io/kubectl-validate

check-deploy: build bin/compose-spec bin/kustomize bin/kubectl-validate ## check the files in deploy/ without starting anything
	@scripts/check-deploy

# Firefox and WebKit as programs of tests are packages of Debian.
REQUIRED := libheif,mariadb,mongodb,models,nginx,browser,curl,pdftotext,qpdf,tesseract,xmllint$(shell grep -qsx ID=debian /etc/os-release && echo ,firefox,webkit)

# The race detector makes what draws, reads and writes pages, and SQLite, several times slower: these tests have it in make soak only.
UNRACED := ./internal/app ./internal/bench ./internal/porttest ./internal/adapter/engine/... ./internal/adapter/sqlstore/... ./internal/adapter/transcript/...

# Each package's tests are linked anew each time: without tables for debuggers in two thirds of the time.
TESTS := GLYPHBOX_TEST_REQUIRE=$(REQUIRED),$$GLYPHBOX_TEST_REQUIRE go test -ldflags=-w -timeout 40m -p 1

unit: setup-tests models bin/ferretdb ## run all tests, on real servers and in real browsers, most of them with the race detector
	@$(MAKE) --no-print-directory --jobs=2 unit-app unit-others

# These wait as long as they work, so that the others run beside them.
.PHONY: unit-app unit-others
unit-app:
	$(TESTS) ./internal/app
unit-others:
	$(TESTS) $(filter-out ./internal/app,$(UNRACED))
	$(TESTS) -race $$(go list ./... | grep -vxF "$$(go list $(UNRACED))")

soak: setup-tests models bin/ferretdb ## run in full the tests that have a small form in make test, such as kills at every step and long load; takes an hour
	GLYPHBOX_TEST_REQUIRE=$(REQUIRED),$$GLYPHBOX_TEST_REQUIRE go test -race -timeout 0 $(UNRACED)
	GLYPHBOX_TEST_SOAK=1 GLYPHBOX_TEST_REQUIRE=$(REQUIRED),$$GLYPHBOX_TEST_REQUIRE go test -timeout 0 ./...

bench: setup ## run the benchmarks; BENCH=regexp picks some
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 0 ./...

fuzz: setup ## fuzz every parser of foreign bytes; FUZZ=5m for longer
	scripts/fuzz $(FUZZ)

docs: setup ## regenerate the documents that are made from the program
	go run ./cmd/glyphbox config --markdown > docs/configuration.md

web: web/node_modules/.package-lock.json ## build the web page into web/dist, which is kept in the repository; needs Node
	cd web && npm run -s build

check-web: ## check the sources of the web page, and that web/dist is what they make; needs Node where GLYPHBOX_TEST_REQUIRE has node
	@command -v npm >/dev/null || { case ",$$GLYPHBOX_TEST_REQUIRE," in \
		*,node,*) echo "check-web: GLYPHBOX_TEST_REQUIRE has node, but there is no npm"; exit 1 ;; \
		*) echo "check-web: there is no Node here, so web/dist is taken as it is"; exit 0 ;; esac; }; \
	$(MAKE) --no-print-directory rebuilt-web

.PHONY: rebuilt-web
rebuilt-web: web/node_modules/.package-lock.json
	cd web && npm run -s types && npm run -s check && npm run -s test && npx vite build --outDir ../bin/web --emptyOutDir --logLevel warn
	@diff -r web/dist bin/web || { echo "web/dist is not what the sources make; run make web"; exit 1; }

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci
	@touch $@

screenshots: setup-tests ## make pictures of each screen of the web page in bin/screenshots
	@mkdir -p bin/screenshots
	GLYPHBOX_TEST_REQUIRE=browser GLYPHBOX_TEST_SCREENSHOTS=$(CURDIR)/bin/screenshots go test -count=1 -run 'TestBrowser($$|Uploads|ManyImages|Selection|SignIn|Account|Admin)' ./internal/app

screenshot: setup-tests ## make docs/screenshot.png, the picture in the READMEs, anew
	@mkdir -p bin/screenshots
	GLYPHBOX_TEST_REQUIRE=browser GLYPHBOX_TEST_SCREENSHOTS=$(CURDIR)/bin/screenshots go test -count=1 -run 'TestBrowserDemonstration$$' ./internal/app
	cp bin/screenshots/demonstration.png docs/screenshot.png

image: models ## build the container image, start it and use it; needs buildah, podman and more, see scripts/image
	@scripts/image

clean: ## remove what was built
	rm -rf bin
