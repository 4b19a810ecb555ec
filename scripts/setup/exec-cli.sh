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
# Entering a container's network namespace needs root.
if [ "$mode" = run ] && [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
  echo "error: a run needs root, to enter the container's network namespace, and there is no sudo" >&2
  echo "  → run it as root, or install sudo and allow this user to use it" >&2
  exit 3
fi
"$root/scripts/setup.sh" "$mode"
# What Node has compiled is kept, so that the next start is fast; the entry file itself only when Node is told here.
export NODE_COMPILE_CACHE=$root/.cache/compile
node=$root/node_modules/.bin/node
# Where npm has no Node for the machine, set-up has made sure that the system's is new enough.
[ -x "$node" ] || node=node

# What a run under sudo writes is given back to the user at its end.
as_root=()
if [ "$mode" = run ] && [ "$(id -u)" -ne 0 ]; then
  kept=()
  # Where models and proxies are, and their keys. Not as arguments of sudo, which every user of the machine can read.
  secret='(_API_KEY|_BASE_URL|^(HTTPS?|ALL|NO)_PROXY|^(https?|all|no)_proxy)$'
  preserved=$(compgen -e | grep -E "$secret" | paste -sd, || true)
  while IFS= read -r name; do kept+=("$name=${!name}"); done < <(compgen -e | grep -E '^(OPENCODE_CAPTURE_|DOCKER_|XDG_CACHE_HOME$|NODE_COMPILE_CACHE$|NODE_EXTRA_CA_CERTS$|NODE_USE_SYSTEM_CA$)' | grep -Ev "$secret")
  as_root=(sudo ${preserved:+--preserve-env="$preserved"} env "${kept[@]}")
fi
exec "${as_root[@]}" "$node" "$root/dist/main.js" "$@"
