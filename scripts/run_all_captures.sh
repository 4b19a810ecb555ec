#!/usr/bin/env bash
# Captures every issue of tasks/issues.json, one after the other.
set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
exec "$here/setup/exec-cli.sh" run run-all "$@"
