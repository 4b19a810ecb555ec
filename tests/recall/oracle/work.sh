#!/bin/sh
# Everyday work of an agent, for two witnesses at once. Arguments: what to do. It ends with a line for each that was done.
set -eu
export HOME=/home/agent GIT_CONFIG_NOSYSTEM=1 PIP_DISABLE_PIP_VERSION_CHECK=1
here=/workspace/work
mkdir -p "$here"

do_shell() {
  mkdir -p one/two
  echo a >'one/a b' && cp 'one/a b' one/two/c && mv one/two/c one/d && ln -s d one/e && ln one/d one/f
  printf 'x\377' >"$(printf 'one/\377')"
  chmod 600 one/d && truncate -s 3 one/d && rm -rf one/two && rmdir nowhere 2>/dev/null || true
  env no-such-program 2>/dev/null || true
  (cd one && ls | sort | tail -n 2 >../list)
}

do_git() {
  git -c init.defaultBranch=main init --quiet source
  cd source
  for n in 1 2 3 4 5; do echo "text $n" >"file$n"; done
  git add . && git -c user.name=x -c user.email=x@example.invalid commit --quiet -m one
  cd ..
  git clone --quiet source clone
  git clone --quiet "file://$PWD/source" packed
}

do_make() {
  printf 'all: a.out b.out\n%%.out: %%.in\n\ttr a-z A-Z <$< >$@\nclean:\n\trm -f *.out\n' >Makefile
  echo abc >a.in && echo def >b.in
  make --silent -j2 all && make --silent clean
}

do_pytest() {
  cat >test_work.py <<'END'
import subprocess


def test_file(tmp_path):
    (tmp_path / "x").write_text("x")
    assert subprocess.run(["cat", tmp_path / "x"], capture_output=True).stdout == b"x"


def test_sum():
    assert sum([1, 2]) == 3
END
  python3 -m pytest -q test_work.py
}

do_connect() {
  python3 - <<'END'
import http.server, socket, threading, urllib.request
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8123), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for _ in range(3):
    urllib.request.urlopen("http://127.0.0.1:8123/").read()
for family, address in (
    (socket.AF_INET, ("127.0.0.1", 9)),
    (socket.AF_INET6, ("::1", 9)),
    (socket.AF_INET, ("192.0.2.1", 443)),
    (socket.AF_UNIX, "/tmp/no-such-socket"),
    (socket.AF_UNIX, "\0abstract"),
):
    with socket.socket(family) as one:
        print(address, one.connect_ex(address))
server.shutdown()
END
}

do_pip() {
  mkdir -p package/oracle_package
  printf '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "oracle-package"\nversion = "1.0"\n[project.scripts]\noracle-hello = "oracle_package:hello"\n' >package/pyproject.toml
  printf 'def hello():\n    print("hello")\n' >package/oracle_package/__init__.py
  python3 -m pip install --quiet --no-index --no-build-isolation --no-deps --prefix "$PWD/prefix" ./package
}

do_npm() {
  for name in left right; do
    mkdir -p "parts/$name"
    printf '{"name":"%s","version":"1.0.0","bin":{"%s":"cli.js"}}' $name $name >parts/$name/package.json
    printf '#!/usr/bin/env node\nconsole.log("%s")\n' $name >parts/$name/cli.js
    (cd parts && npm pack --silent ./$name)
  done
  mkdir -p project served && cp parts/*.tgz served/
  python3 -m http.server --bind 127.0.0.1 --directory served 8124 2>/dev/null &
  server=$!
  cd project
  printf '{"name":"project","version":"1.0.0","dependencies":{"left":"http://127.0.0.1:8124/left-1.0.0.tgz","right":"file:../parts/right-1.0.0.tgz"},"scripts":{"build":"left && right","postinstall":"echo installed"}}' >package.json
  until python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8124))' 2>/dev/null; do sleep 0.2; done
  npm install --silent --no-audit --no-fund --package-lock-only
  npm ci --silent --no-audit --no-fund
  npm run --silent build
  kill $server
}

for what in "$@"; do
  mkdir -p "$here/$what"
  (cd "$here/$what" && "do_$what")
  echo "done: $what"
done
