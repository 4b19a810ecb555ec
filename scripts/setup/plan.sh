# Sourced by setup.sh: finds out what is missing, without changing anything.
# Results: need_node_packages, need_program, need_web (yes or empty), packages (to install), faults (what no package mends).

say() { printf 'set-up: %s\n' "$*" >&2; }

# Docker's client may wait for minutes for a daemon on a dead address.
answers() { timeout --kill-after=1 8 "$@" >/dev/null 2>&1; }

have() { command -v "$1" >/dev/null 2>&1; }

hash_of() { cat -- "$@" 2>/dev/null | sha256sum | cut -d' ' -f1; }

read_stamp() { cat ".cache/setup/$1" 2>/dev/null || true; }

# What `npm ci` depends on. The machine is in it because the packages bring programs for one kind of machine.
node_packages_key() { echo "$(hash_of package-lock.json) $(uname -sm)"; }

# What each of the two builds reads, and what it makes.
build_inputs() {
  case "$1" in
    program) find src vite.program.config.ts -type f -not -name '*.test.ts' ;;
    web) find web src/schema -type f -not -path 'web/dist/*' -not -path '*/node_modules/*' -not -name '*.test.ts*' ;;
  esac | LC_ALL=C sort
}

build_outputs() {
  case "$1" in
    program) find dist -type f ;;
    web) find web/dist -type f ;;
  esac 2>/dev/null | LC_ALL=C sort
}

build_key() {
  local files
  mapfile -t files < <(build_inputs "$1")
  echo "$(printf '%s\n' "${files[@]}" | sha256sum | cut -d' ' -f1) $(hash_of package-lock.json "${files[@]}")"
}

# With the names of the built files: a deleted one is built again.
build_state() { echo "$(build_key "$1") $(build_outputs "$1" | sha256sum | cut -d' ' -f1)"; }

plan() {
  local mode=$1
  packages=() faults=() need_node_packages="" need_program="" need_web=""
  plan_node
  plan_program
  if [ "$mode" = node ]; then return 0; fi
  plan_web
  # Elsewhere captures can be looked at, but not made: the program says so.
  if [ "$mode" != browse ] && [ "$(uname -s)" = Linux ]; then plan_engine "$mode"; fi
}

plan_node() {
  local program
  for program in node npm; do
    have "$program" || faults+=("$program is missing: install Node 20 or newer with npm (https://nodejs.org)")
  done
  [ ${#faults[@]} -eq 0 ] || return 0
  if [ "$(node_packages_key)" != "$(read_stamp node-packages)" ] || [ ! -d node_modules ]; then
    need_node_packages=yes
    brings_own_node || have_node_24 ||
      faults+=("Node 24 is needed on $(uname -sm) and here is $(node --version): install it (https://nodejs.org)")
  fi
}

# Linux with glibc on these two machines gets Node 24 as an npm package.
brings_own_node() {
  case "$(uname -sm)" in
    "Linux x86_64" | "Linux aarch64") ! ls /lib/ld-musl-* >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac
}

have_node_24() { node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)'; }

plan_program() {
  [ -f vite.program.config.ts ] || return 0
  if [ "$(build_state program)" != "$(read_stamp program)" ]; then need_program=yes; fi
}

plan_web() {
  [ -f web/vite.config.ts ] || return 0
  if [ "$(build_state web)" != "$(read_stamp web)" ]; then need_web=yes; fi
}

# Debian's podman takes crun unless told otherwise; runc works on more kernels. uidmap: rootless podman and mmdebstrap.
plan_engine() {
  local mode=$1 works=""
  if answers docker version; then works=yes; fi
  if [ -z "$works" ] || [ "$mode" = test ]; then
    if ! have podman; then
      packages+=(podman runc uidmap)
    elif ! have runc && ! have crun; then
      packages+=(runc)
    # `podman info` says more, but takes 0.2 s; this one opens the same configuration and storage.
    elif answers podman ps --quiet; then
      works=yes
    else
      faults+=("podman is installed and does not work; \`podman ps\` says: $(podman ps --quiet 2>&1 | tail -n 1)")
    fi
  fi
  have nsenter || packages+=(util-linux)
  if [ "$mode" = test ]; then
    have mmdebstrap || packages+=(mmdebstrap)
    have dockerd || packages+=(docker.io)
    have chromium || packages+=(chromium)
    have strace || packages+=(strace)
  elif ! have mmdebstrap; then
    # With a working engine and no right to install, the image can still come from a registry.
    if [ -z "$works" ] || can_install_quietly; then packages+=(mmdebstrap); fi
  fi
}

read_distribution() {
  distribution=$(uname -s) distribution_name=$(uname -s) distribution_version="" distribution_like=""
  [ -r /etc/os-release ] || return 0
  # In a subshell: the file sets variables of any name.
  IFS='|' read -r distribution distribution_version distribution_like distribution_name < <(
    . /etc/os-release && echo "${ID:-linux}|${VERSION_ID:-}|${ID_LIKE:-}|${PRETTY_NAME:-${ID:-Linux}}"
  )
}

nothing_to_do() {
  [ -z "$need_node_packages$need_program$need_web" ] && [ ${#packages[@]} -eq 0 ] && [ ${#faults[@]} -eq 0 ]
}

# Debian 12 and newer: what we install by ourselves. Elsewhere names and contents of packages differ.
can_install_here() { [ "$distribution" = debian ] && [ "${distribution_version%%.*}" -ge 12 ] 2>/dev/null; }

can_install_quietly() {
  read_distribution
  can_install_here && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}

# Sets `as_root` (array): how to run a command as root, or returns 1.
find_root() {
  as_root=()
  if [ "$(id -u)" -eq 0 ]; then return 0; fi
  have sudo || return 1
  if sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  elif [ -t 0 ] && [ -t 2 ]; then
    as_root=(sudo)
  else
    return 1
  fi
}

# The command that installs what is missing, for the families where the names are known to be right.
install_command() {
  local names=()
  case " $distribution $distribution_like " in
    *" debian "* | *" ubuntu "*) echo "apt-get install -y --no-install-recommends ${packages[*]}" && return ;;
    *" fedora "* | *" rhel "*) names=(dnf install -y) ;;
    *" suse "* | *" opensuse "*) names=(zypper install -y) ;;
    *" arch "*) names=(pacman -S --needed) ;;
    *" alpine "*) names=(apk add) ;;
    *) return 1 ;;
  esac
  # The image comes from a registry there, and docker.io is Debian's name.
  local package
  for package in "${packages[@]}"; do
    case "$package" in
      mmdebstrap | uidmap) ;;
      docker.io) case "$distribution $distribution_like" in *fedora* | *rhel*) names+=(moby-engine) ;; *) names+=(docker) ;; esac ;;
      *) names+=("$package") ;;
    esac
  done
  echo "${names[*]}"
}

describe_missing() {
  local fault command
  read_distribution
  for fault in "${faults[@]}"; do say "  $fault"; done
  [ ${#packages[@]} -gt 0 ] || return 0
  if command=$(install_command); then
    say "  missing: ${packages[*]}"
    say "  install it as root, then call this again:"
    say "    $command"
  else
    say "  missing, under Debian's names: ${packages[*]}; install what your distribution calls so, then call this again"
  fi
}

# Stops before anything is changed when not everything that is missing can be had.
refuse_or_go_on() {
  read_distribution
  if [ ${#faults[@]} -eq 0 ]; then
    [ ${#packages[@]} -gt 0 ] || return 0
    if can_install_here && find_root; then return 0; fi
    if ! can_install_here; then
      say "this is $distribution_name, where set-up installs nothing by itself (it does on Debian 12 and newer)"
    else
      say "installing needs root, and there is no sudo that works without a terminal"
    fi
  fi
  say "nothing was changed; what is missing:"
  describe_missing
  exit 3
}
