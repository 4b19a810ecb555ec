#!/usr/bin/env bash
# Brings a fresh clone to the point where it works: scripts/setup.sh node | browse | run | test
#   node    node packages, Node 24 among them, and the program built from them and src/
#   browse  node packages and the viewer
#   run     the same, a container engine, what the image build needs, and the kernel sensor where it can be built
#   test    the same, both engines, a browser, and strace as a second witness
# Called by every script and make target. It first looks at everything, then changes something only if all that is
# missing can be had; the second call finds nothing to do and needs no network. Everything it says goes to stderr.
# Exit codes: 0 ready, 2 usage, 3 something is missing that it cannot install.
set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."
# shellcheck source=scripts/setup/plan.sh
. scripts/setup/plan.sh
# shellcheck source=scripts/setup/install.sh
. scripts/setup/install.sh

mode=${1:-}
case "$mode" in
  node | browse | run | test) ;;
  *)
    echo "usage: scripts/setup.sh node|browse|run|test" >&2
    exit 2
    ;;
esac

plan "$mode"
if nothing_to_do; then
  build_sensor
  exit 0
fi
refuse_or_go_on

# One set-up at a time: the second one waits, looks again, and mostly finds everything done.
mkdir -p .cache/setup
if command -v flock >/dev/null; then
  exec 9>.cache/setup/lock
  if ! flock --nonblock 9; then
    say "another set-up is at work here: waiting for it"
    flock 9
    plan "$mode"
    refuse_or_go_on
  fi
fi

install_node_packages
install_system_packages
build_program_and_viewer
build_sensor
give_to_caller
plan "$mode"
# Both were built, or set-up had stopped: a source that changed meanwhile is for the next call.
need_program="" need_web=""
if ! nothing_to_do; then
  say "set-up went through, but this still does not work:"
  describe_missing
  exit 3
fi
