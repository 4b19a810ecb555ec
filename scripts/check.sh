#!/usr/bin/env bash
# The one gate: format, lint, types, dead code, generated documents, unit tests.
#   scripts/check.sh            every tool
#   scripts/check.sh lint types only these
# Says one line a tool; the output of a tool is shown only when it fails. Every tool runs, whatever failed before.
set -uo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." || exit 2
export PATH="$PWD/node_modules/.bin:$PATH"
export NO_COLOR=1

ALL_TOOLS="format lint types dead-code lock docs unit"

usage() {
  echo "usage: scripts/check.sh [TOOL…]   tools: $ALL_TOOLS" >&2
  exit 2
}

# Only what exists: a tool that is told of a missing folder may do nothing and say it is fine.
existing() {
  local path
  for path in "$@"; do
    if [ -e "$path" ]; then printf '%s\n' "$path"; fi
  done
}

# A tool that looked at nothing has not checked anything: its own count of files must be above zero.
require_count() {
  local output=$1 pattern=$2
  if ! grep -Eq "$pattern" <<<"$output"; then
    echo "the tool did not say that it looked at any file:"
    echo "$output"
    return 1
  fi
}

check_format() {
  local output
  output=$(biome check --error-on-warnings --max-diagnostics=50 . 2>&1) || { echo "$output"; return 1; }
  require_count "$output" 'Checked [1-9][0-9]* files?'
}

check_lint() {
  local output paths
  mapfile -t paths < <(existing src web tests bench scripts .opencode ./*.config.ts)
  output=$(oxlint "${paths[@]}" 2>&1) || { echo "$output"; return 1; }
  require_count "$output" 'on [1-9][0-9]* files? with [1-9][0-9]* rules'
}

check_types() {
  local config failed=0
  for config in $(existing tsconfig.json web/tsconfig.json .opencode/tsconfig.json); do
    tsc -p "$config" || { echo "types: $config"; failed=1; }
  done
  return "$failed"
}

check_dead-code() {
  knip --no-progress --no-config-hints
}

check_lock() {
  node scripts/lock.ts
}

check_docs() {
  if ! npm pkg get scripts.docs:check | grep -q '^"'; then
    echo "package.json has no script docs:check"
    return 1
  fi
  npm run --silent docs:check
}

check_unit() {
  vitest run --project unit --reporter=dot --reporter=./tests/support/tally-reporter.ts
}

# For scripts/test.sh: each tool is one, the unit tests count by themselves.
tally() {
  local tool=$1 status=$2 file
  [ -n "${OPENCODE_CAPTURE_TALLY_DIR:-}" ] || return 0
  file=$OPENCODE_CAPTURE_TALLY_DIR/$tool.tally
  if [ "$tool" = unit ] && [ -s "$file" ]; then return 0; fi
  if [ "$status" -eq 0 ]; then echo "1 0" >"$file"; return 0; fi
  echo "0 1" >"$file"
  echo "gate: $tool" >"$file.failures"
}

run_tool() {
  local tool=$1 started output status=0 seconds
  started=$EPOCHREALTIME
  export OPENCODE_CAPTURE_TALLY_FILE=${OPENCODE_CAPTURE_TALLY_DIR:+$OPENCODE_CAPTURE_TALLY_DIR/$tool.tally}
  output=$("check_$tool" 2>&1) || status=$?
  tally "$tool" "$status"
  seconds=$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
  if [ "$status" -eq 0 ]; then
    printf '  ok    %-10s %5ss\n' "$tool" "$seconds"
    return 0
  fi
  printf '%s\n' "$output"
  printf '  FAIL  %-10s %5ss\n' "$tool" "$seconds"
  return 1
}

tools=${*:-$ALL_TOOLS}
for tool in $tools; do
  case " $ALL_TOOLS " in
    *" $tool "*) ;;
    *) usage ;;
  esac
done

failed=""
for tool in $tools; do
  run_tool "$tool" || failed="$failed $tool"
done
if [ -n "$failed" ]; then
  echo "check failed:$failed"
  exit 1
fi
echo "check passed"
