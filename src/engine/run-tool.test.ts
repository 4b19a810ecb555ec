import { expect, test } from "vitest";
import { runTool } from "./run-tool.ts";

const sh = (script: string, options = {}) => runTool("sh", ["-c", script], options);

test("lines of both streams arrive printable, and the last ones stay", async () => {
  const lines: string[] = [];
  const script = "for i in $(seq 100); do echo line $i; done; printf 'a\\033[31mred\\r\\nno end' >&2";
  const result = await sh(script, { onLine: (line: string) => lines.push(line) });
  expect(result.ok).toBe(true);
  expect(lines.slice(0, 2)).toEqual(["line 1", "line 2"]);
  expect(lines).toContain("a [31mred");
  expect(lines).toContain("no end");
  expect(result.tail).toHaveLength(25);
});

test("failures say how", async () => {
  expect(await sh("echo why; exit 4")).toEqual({ ok: false, failure: "exit code 4", tail: ["why"] });
  expect(await runTool("/no/such/tool", [])).toMatchObject({ ok: false, failure: expect.stringContaining("ENOENT") });
  expect(await sh("kill -9 $$")).toMatchObject({ failure: "ended by SIGKILL" });
  expect(await sh("true", { signal: AbortSignal.abort() })).toMatchObject({ ok: false, failure: "interrupted" });
});

test("the environment is added to this process's own", async () => {
  const result = await sh('echo "$ADDED"; test -n "$PATH"', { env: { ADDED: "a b\tc" } });
  expect(result).toEqual({ ok: true, failure: "", tail: ["a b c"] });
});

test("an abort ends what the tool started too, and does not wait for what escaped", async () => {
  const lines: string[] = [];
  const onLine = (line: string): void => void lines.push(line);
  const script = "sleep 61 & setsid sleep 3 & echo $!; wait";
  const startedAtMs = performance.now();
  const result = await sh(script, { onLine, signal: AbortSignal.timeout(300) });
  expect(result.ok).toBe(false);
  expect(performance.now() - startedAtMs).toBeLessThan(2_500);
});

test("a tool that is asked to end can clean up", async () => {
  const lines: string[] = [];
  const script = "trap 'echo cleaned; exit 1' TERM; echo up; while :; do sleep 0.05; done";
  const options = {
    killSignal: "SIGTERM",
    onLine: (line: string) => lines.push(line),
    signal: AbortSignal.timeout(300),
  };
  expect((await sh(script, options)).ok).toBe(false);
  expect(lines).toContain("cleaned");
});

test("a flood without line ends stays bounded", async () => {
  const result = await sh("head -c 20000000 /dev/zero | tr '\\0' x");
  expect(result.ok).toBe(true);
  expect(result.tail.join("").length).toBeLessThan(20_000);
});
