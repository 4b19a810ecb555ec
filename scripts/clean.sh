#!/usr/bin/env bash
# make clean: see scripts/clean.ts. The program is needed to find images and containers of the engines.
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."
if [ ! -d node_modules ] && [ ! -d .cache ] && [ ! -d artifacts ]; then
  echo "there is nothing to remove"
  exit 0
fi
scripts/setup.sh node
node=node_modules/.bin/node
[ -x "$node" ] || node=node
exec "$node" scripts/clean.ts
