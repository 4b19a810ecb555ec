#!/usr/bin/env bash
# The whole command line program, set up first for what the command needs:
#   scripts/opencode_capture.sh list | show | report | tasks | doctor | image | …   (--help lists them)
set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
case "${1:-}" in
  run | run-all | image) mode=run ;;
  browse | report) mode=browse ;;
  *) mode=node ;;
esac
exec "$here/setup/exec-cli.sh" "$mode" "$@"
