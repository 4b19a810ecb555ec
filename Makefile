# Every target sets itself up on a fresh clone (scripts/setup.sh); the second call finds everything done.
.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

ISSUE ?= fix_math_utils
BROWSER_HOST ?= 127.0.0.1
BROWSER_PORT ?= 8765
# More options for the program, for example: make capture ARGS="--engine podman --keep-workspace"
ARGS ?=

.PHONY: help capture capture-all capture-all-keep browse doctor test test-full check bench docs clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

capture: ## Capture one run, offline with the scripted model (ISSUE=fix_math_utils, ARGS=…)
	@scripts/run_opencode_capture.sh --issue "$(ISSUE)" $(ARGS)

capture-all: ## Capture every issue of tasks/issues.json, one after the other
	@scripts/run_all_captures.sh $(ARGS)

capture-all-keep: ## The same, keeping every working copy
	@scripts/run_all_captures.sh --keep-workspace $(ARGS)

browse: ## Serve the captures to a browser (BROWSER_HOST, BROWSER_PORT)
	@scripts/run_capture_browser.sh --host "$(BROWSER_HOST)" --port "$(BROWSER_PORT)" $(ARGS)

doctor: ## What this machine can do, and the command that mends each "no"
	@scripts/opencode_capture.sh doctor $(ARGS)

test: ## Every test: the gate, both engines, the browser
	@scripts/test.sh

test-full: ## The same from a clean clone of HEAD, twice, then the measurements
	@scripts/test-full.sh

check: ## The gate: format, lint, types, dead code, generated documents, unit tests
	@scripts/setup.sh browse && scripts/check.sh

bench: ## Measure what README's figures come from
	@scripts/setup.sh test && NODE_COMPILE_CACHE="$$PWD/.cache/compile" npm run --silent bench

docs: ## Write the generated documents again
	@scripts/setup.sh node && npm run --silent docs

clean: ## Remove what set-up and runs made, after asking (YES=1: without asking)
	@scripts/clean.sh
