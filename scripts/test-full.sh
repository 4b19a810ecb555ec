#!/usr/bin/env bash
# What a stranger meets: a clean clone of HEAD, every test in it, and once more to see that the second call sets up
# nothing; then the measurements. Takes over two hours.
set -euo pipefail
export OPENCODE_CAPTURE_RANDOM_PROPERTIES=1 OPENCODE_CAPTURE_ALL_TASKS=1 OPENCODE_CAPTURE_ALL_FAULTS=1
export OPENCODE_CAPTURE_FULL_RECALL=1 OPENCODE_CAPTURE_FULL_ATTRIBUTION=1 OPENCODE_CAPTURE_FULL_ORACLE=1
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
git clone --quiet . "$scratch/clone with spaces"
cd "$scratch/clone with spaces"
echo "== first call, in a clean clone"
# Each parser of what an agent has made gets mutated inputs for a minute (tests/fuzz).
OPENCODE_CAPTURE_FUZZ_SECONDS=60 make test
echo "== second call"
second=$(make test 2>&1) || { printf '%s\n' "$second"; exit 1; }
printf '%s\n' "$second" | tail -n 1
if grep -q '^set-up:' <<<"$second"; then
  printf '%s\n' "$second" | grep '^set-up:'
  echo "the second call set something up again"
  exit 1
fi
echo "== measurements"
make bench
