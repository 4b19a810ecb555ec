#!/usr/bin/env bash
# Builds the kernel sensor, native/sensor/build/capture-sensor, a static program with its BPF object inside; and the small
# programs beside it, each in native/<name>/build/, which need no more than a C compiler.
#   scripts/build-sensor.sh           builds when sources changed; installs what the build needs on Debian 12 and newer
#   scripts/build-sensor.sh --check   says whether it is built from the sources that are here; changes nothing
# Where it can't be built it says why and ends with 0: processes and connections are then polled, and `doctor` tells.
# Exit codes: 0 built, or can't be built here; 1 the build failed, or with --check: it is not built; 2 usage.
set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."
# shellcheck source=scripts/setup/plan.sh
. scripts/setup/plan.sh
# shellcheck source=scripts/setup/install.sh
. scripts/setup/install.sh

DIRECTORY=native/sensor
PROGRAM=$DIRECTORY/build/capture-sensor
# Directories below native/, each with a Makefile that makes build/capture-<name>.
SMALL=(witness packets seccomp-listener)
STAMP=sensor

# Sources, and what is not in them: the machine.
sensor_key() {
  local files
  mapfile -t files < <(find "$DIRECTORY" "${SMALL[@]/#/native/}" -maxdepth 1 -type f \( -name '*.[ch]' -o -name Makefile \) | LC_ALL=C sort)
  echo "$(hash_of native/program.mk "${files[@]}") $(uname -sm)"
}

programs_hash() {
  local files=("$PROGRAM") name
  for name in "${SMALL[@]}"; do files+=("native/$name/build/capture-$name"); done
  hash_of "${files[@]}"
}

is_built() { [ -x "$PROGRAM" ] && [ "$(sensor_key) $(programs_hash)" = "$(read_stamp "$STAMP")" ]; }

# Each stands for itself: one that can't be built is missed by the runs that would use it, and they say so.
build_small_programs() {
  local name failed=""
  if ! have make || ! have gcc; then return 1; fi
  for name in "${SMALL[@]}"; do
    step "capture-$name (make)" ".cache/setup/$name.log" make -C "native/$name" all 8>&- || failed=yes
  done
  [ -z "$failed" ]
}

# Sets `packages`: what the build lacks, under Debian's names.
find_missing() {
  packages=()
  have clang || packages+=(clang)
  have llvm-strip || packages+=(llvm)
  have gcc || packages+=(gcc libc6-dev)
  have make || packages+=(make)
  [ -e /usr/include/bpf/libbpf.h ] || packages+=(libbpf-dev)
  [ -e /usr/include/libelf.h ] || packages+=(libelf-dev)
  [ -e /usr/include/zlib.h ] || packages+=(zlib1g-dev)
}

go_on_without() {
  say "the kernel sensor is not built: $1"
  say "  captures are made without it: processes and connections are then polled, once a second"
  mkdir -p .cache/setup
  build_small_programs || true
  exit 0
}

case "${1:-}" in
  "") ;;
  --check) if is_built; then exit 0; else exit 1; fi ;;
  *)
    echo "usage: scripts/build-sensor.sh [--check]" >&2
    exit 2
    ;;
esac

if is_built; then exit 0; fi
[ "$(uname -s)" = Linux ] || exit 0
case "$(uname -m)" in
  x86_64 | aarch64) ;;
  *) go_on_without "it knows x86-64 and arm64 only" ;;
esac

mkdir -p .cache/setup
# One build at a time; the second one finds it done.
if have flock; then
  exec 8>.cache/setup/sensor-lock
  flock 8
  if is_built; then exit 0; fi
fi
faults=() mode=run
find_missing
if [ ${#packages[@]} -gt 0 ]; then
  read_distribution
  if ! can_install_here || ! find_root; then
    command=$(install_command) || command="(under Debian's names) ${packages[*]}"
    go_on_without "missing: ${packages[*]}; install them as root, then call scripts/build-sensor.sh: $command"
  fi
  step "system packages for the kernel sensor: ${packages[*]} (apt-get)" .cache/setup/apt-sensor.log apt_with_update 8>&- ||
    go_on_without "its packages can't be installed"
  printf '%s\n' "${packages[@]}" >>.cache/setup/system-packages
fi

rm -f ".cache/setup/$STAMP"
step "kernel sensor (make)" .cache/setup/sensor.log make -C "$DIRECTORY" all 8>&- || exit 1
build_small_programs || exit 0
echo "$(sensor_key) $(programs_hash)" >".cache/setup/$STAMP"
