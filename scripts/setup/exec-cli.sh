#!/usr/bin/env bash
# exec-cli.sh MODE COMMAND [ARGUMENT…]: sets up for MODE (see setup.sh), then becomes the command line program.
# The caller's directory stays: relative paths in the arguments are the caller's.
set -euo pipefail
root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../..
root=$(readlink -f -- "$root")
mode=$1
shift
# Help needs no engine.
for argument in "$@"; do
  case "$argument" in
    --help | -h) mode=node ;;
    --) break ;;
  esac
done
"$root/scripts/setup.sh" "$mode"
node=$root/node_modules/.bin/node
# Where npm has no Node for the machine, set-up has made sure that the system's is new enough.
[ -x "$node" ] || node=node
exec "$node" "$root/src/cli/main.ts" "$@"
