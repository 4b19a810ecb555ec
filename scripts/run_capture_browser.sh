#!/usr/bin/env bash
# Serves the captures to a browser: scripts/run_capture_browser.sh --host 127.0.0.1 --port 8765
set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
exec "$here/setup/exec-cli.sh" browse browse "$@"
