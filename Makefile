# Every target does its own set-up; run `make` to see them.
#
#	make test      go vet and all tests with the race detector; on a Debian
#	               machine as root also against real sshd hosts, Windows hosts
#	               of wine, Kerberos, and reports in a browser
#	make demo      a simulated fleet of 64, and a whole campaign on it
#	make lint      gofmt and golangci-lint
#	make bench     oust beside clush, parallel-ssh, Ansible and a raw SSH loop;
#	               on simulated Windows hosts beside pywinrm and Ansible
#	make scale     5,000 simulated hosts looked at, and 5,000 with Windows:
#	               hosts a second, memory; what commands take that read a
#	               campaign of 100,000
#	make fuzz      every fuzzer for FUZZTIME (10s)
#	make build     the program, as ./bin/oust

SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help go hosts build demo test lint bench scale fuzz clean

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 10s
# No one test package may take longer than this, with two cores for all.
TIMEOUT  ?= 40m

# The race detector makes SQLite, which is C turned into Go, four times as slow,
# and no less the shell of simulated hosts, what makes a key of a passphrase, and
# the curve of signatures.
# What calls them is watched. Generic code of sync and sync/atomic is compiled
# into each package that uses it, and the linker may give one copy to all: these
# have that of a folder under an os.File alone, which no goroutines share.
UNWATCHED := $(addprefix modernc.org/,sqlite/lib libc memory) mvdan.cc/sh/v3/... golang.org/x/crypto/scrypt \
	crypto/internal/fips140/edwards25519/...
RACE      := -race $(patsubst %,-gcflags=%=-race=false,$(UNWATCHED))
# A program that the race detector watches would wait a second at its end.
export GORACE := atexit_sleep_ms=0

help:
	@sed -n 's/^#\t//p' Makefile

go:
	@command -v go >/dev/null || { \
		echo "make: there is no Go on this machine; install Go $$(sed -n 's/^go //p' go.mod) or newer, see https://go.dev/doc/install" >&2; exit 1; }

hosts:
	@testdata/hosts/setup.sh

build: go
	go build -trimpath -o bin/oust ./cmd/oust

demo: build
	./bin/oust demo

test: go hosts
	go vet ./...
	go vet ./testdata/bench/...
	go test $(RACE) -timeout $(TIMEOUT) ./... ./testdata/bench/...
	@# Too much for the race detector, which has had less of it: 2,000 hosts for 90
	@# days, 170 kills, and every column of a store that is changed.
	go test -timeout $(TIMEOUT) -v -run '^(TestWeeks|TestWeeksSeeds|TestKilledAllTheTime|TestEveryColumn|TestRows)$$' ./remediate/engine ./cmd/oust ./remediate/sqlite | \
		grep -vE '^(=== | +--- PASS)'

lint: go
	@unformatted=$$(gofmt -l cmd playbooks remediate testdata transports); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:" $$unformatted >&2; exit 1; fi
	go run $(GOLANGCI) run ./... ./testdata/bench/...

bench: build
	@testdata/hosts/setup.sh bench
	go build -trimpath -o bin/ ./testdata/bench/...
	./bin/bench -oust ./bin/oust
	./bin/winbench -oust ./bin/oust

scale: build
	go build -trimpath -o bin/ ./testdata/bench/scale ./testdata/bench/records
	./bin/scale -oust ./bin/oust
	./bin/scale -oust ./bin/oust -windows 5000
	./bin/records -oust ./bin/oust

# Go now and then takes the end of FUZZTIME itself for a failure; a real one
# names its input.
fuzz: go
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	go list -f '{{$$p := .ImportPath}}{{range .TestGoFiles}}{{$$p}} {{$$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$$p}} {{$$.Dir}}/{{.}}{{"\n"}}{{end}}' ./... | \
	while read -r package file; do \
		[ -n "$$file" ] || continue; \
		for fuzzer in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "== $$package $$fuzzer"; \
			go test -run '^$$' -fuzz "^$$fuzzer\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x "$$package" </dev/null | tee "$$log" || { \
				grep -q '^    context deadline exceeded$$' "$$log" && ! grep -q 'Failing input' "$$log"; } || exit 1; \
		done; \
	done

clean:
	rm -rf bin
