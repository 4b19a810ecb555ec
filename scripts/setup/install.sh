# Sourced by setup.sh: installs what plan.sh found missing. Each step is safe to repeat.

# step TITLE LOG COMMAND…: runs it with its output in LOG, says how long it took, shows the log's ends when it fails.
# The lock (fd 9) is closed for the command, so that nothing it leaves running keeps the lock.
step() {
  local title=$1 log=$2 started=$SECONDS
  shift 2
  say "$title …"
  if ! "$@" >"$log" 2>&1 9>&-; then
    say "$title failed after $((SECONDS - started)) s; from $PWD/$log:"
    show_ends "$log" >&2
    return 1
  fi
  say "$title: done in $((SECONDS - started)) s"
}

# npm says the reason first, apt last.
show_ends() {
  if [ "$(wc -l <"$1")" -le 30 ]; then
    cat "$1"
  else
    head -n 12 "$1"
    echo "  […]"
    tail -n 16 "$1"
  fi
}

install_node_packages() {
  [ -n "$need_node_packages" ] || return 0
  local key
  key=$(node_packages_key)
  rm -f .cache/setup/node-packages
  step "node packages (npm ci, half a gigabyte in node_modules)" .cache/setup/npm.log \
    npm ci --no-audit --no-fund --no-progress --loglevel=error || exit 3
  # A wrong machine or a blocked optional package shows here and not at the first use.
  node_modules/.bin/node -e 0 2>/dev/null || have_node_24 || {
    say "npm ci went through, but the Node 24 it should have brought (node_modules/.bin/node) does not run"
    exit 3
  }
  echo "$key" >.cache/setup/node-packages
}

apt_install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@" -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3
}

# Package lists that are missing or too old both show as a failed install.
apt_with_update() {
  if apt-get install --simulate --no-install-recommends "${packages[@]}" &&
    apt_install install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${packages[@]}"; then
    return 0
  fi
  echo "--- once more with fresh package lists"
  apt_install update &&
    apt_install install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${packages[@]}"
}

install_system_packages() {
  [ ${#packages[@]} -gt 0 ] || return 0
  find_root
  case " ${packages[*]} " in
    *" docker.io "*) say "note: with systemd, Debian's docker.io starts its daemon; the tests use one of their own" ;;
  esac
  step "system packages: ${packages[*]} (apt-get)" .cache/setup/apt.log apt_with_update || exit 3
  printf '%s\n' "${packages[@]}" >>.cache/setup/system-packages
}

# build NAME TITLE: runs the npm script of that name. The key is taken before, so that a file that changes meanwhile
# is seen the next time.
build() {
  local name=$1 title=$2 key
  key=$(build_key "$name")
  rm -f ".cache/setup/$name"
  step "$title" ".cache/setup/$name.log" npm run --silent "build:$name" || exit 3
  echo "$key $(build_outputs "$name" | sha256sum | cut -d' ' -f1)" >".cache/setup/$name"
}

build_program_and_viewer() {
  # The keys cover the lock file, which may have changed while this set-up waited for another.
  plan "$mode"
  [ -z "$need_program" ] || build program "program (vite build)"
  if [ -n "$need_web" ]; then build web "viewer (vite build)"; fi
}

# A run goes on without it, and says what it then does not see: so nothing about it stops set-up.
build_sensor() {
  case "$mode" in
    run | test) ;;
    *) return 0 ;;
  esac
  [ -f native/sensor/Makefile ] || return 0
  scripts/build-sensor.sh || say "captures are made without the kernel sensor: processes and connections are then polled"
}

# Under sudo: what was made belongs to the user who called, so that later calls without sudo can work on it.
give_to_caller() {
  if [ "$(id -u)" -ne 0 ] || [ -z "${SUDO_UID:-}" ] || [ "$(stat -c %u .)" != "$SUDO_UID" ]; then return 0; fi
  local path
  for path in .cache node_modules dist web/dist native/*/build; do
    if [ -e "$path" ]; then chown -R --no-dereference "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$path"; fi
  done
}
