import { describe, expect, it } from "vitest";
import { programsOf } from "./command-programs.ts";

describe("programsOf", () => {
  it.each([
    ["ls -la | head -n 3 && cat x; git status", ["ls", "head", "cat", "git"]],
    ["cd a && A=1 B=2 make test 2>&1 | tee log", ["make", "tee"]],
    ['x=$(base64 -w 0 f | tr a b) && echo "$x $(id -u)"', ["base64", "tr", "id"]],
    ['for f in *.txt; do wc -l "$f"; done; if grep -q a b; then rm c; else touch c; fi', ["wc", "grep", "rm", "touch"]],
    ["while read -r line; do printf '%s; rm x' \"$line\"; done < f", []],
    ["while sleep 1; do curl x; done", ["sleep", "curl"]],
    ["python3 - <<'END' && wc out\nimport os; os.system('rm x')\nEND\ncut -f1 out", ["python3", "wc", "cut"]],
    ["(setsid nohup sh -c 'sleep 2; curl y' >/dev/null 2>&1 &)", ["setsid"]],
    ["./run.sh; /usr/bin/env x; ~/bin/tool", ["run.sh", "env", "tool"]],
    ["echo $((1 + 2)); a=3; [ $a = 3 ] || exit 1", []],
    ['git commit -m "a; b" \\\n  --quiet', ["git"]],
    ["echo done >&2; : > file", []],
  ])("%j", (command, programs) => {
    expect(programsOf(command).toSorted()).toEqual(programs.toSorted());
  });
});
