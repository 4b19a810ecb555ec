#!/usr/bin/env bash
# Captures one run of OpenCode: scripts/run_opencode_capture.sh --issue fix_math_utils
set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
exec "$here/setup/exec-cli.sh" run run "$@"
