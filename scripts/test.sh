#!/usr/bin/env bash
# Every test. Goes on after a failing suite, so that one call shows everything; ends with the plain line
# "N passed, N failed" over all suites, in which each tool of the gate counts as one.
# With CI set, a skipped test is a failure (tests/support/tally-reporter.ts).
set -uo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." || exit 2
scripts/setup.sh test || exit $?
export PATH="$PWD/node_modules/.bin:$PATH"

out=.cache/test
rm -rf "$out"
mkdir -p "$out"
started=$SECONDS
failed=0

echo "== gate"
OPENCODE_CAPTURE_TALLY_DIR=$out scripts/check.sh || failed=1
for project in integration e2e; do
  echo "== $project"
  OPENCODE_CAPTURE_TALLY_FILE=$out/$project.tally vitest run --project "$project" \
    --reporter=default --reporter=./tests/support/tally-reporter.ts || failed=1
  # A suite that died before its end has no tally: that is one failure.
  [ -s "$out/$project.tally" ] || echo "0 1" >"$out/$project.tally"
done

line=$(cat "$out"/*.tally | awk '{ p += $1; f += $2 } END { printf "%d passed, %d failed", p, f }')
echo "$line" >"$out/closing-line"
echo "== all suites: $((SECONDS - started)) s"
# Last, where it is found in a long log.
if compgen -G "$out/*.failures" >/dev/null; then
  echo "== failed"
  cat "$out"/*.failures
fi
# .ci/run prints it itself, as its very last line.
[ -n "${CLOSING_LINE_LATER:-}" ] || echo "$line"
exit "$failed"
