import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENGINE_KINDS, EngineUnderTest, startAndRead } from "../support/engines.ts";

/** 1 MB of text in which characters of one to four bytes lie across every kind of buffer border. */
function longText(): string {
  const unit = "a ß 漢字 🙂 \u0001\u0010\u0011\\ \"'$x\n";
  return unit.repeat(Math.ceil(1_000_000 / Buffer.byteLength(unit)));
}

describe.each(ENGINE_KINDS)("%s", (kind) => {
  let under: EngineUnderTest;
  let dir: string;

  beforeAll(async () => {
    under = await EngineUnderTest.start(kind);
    dir = mkdtempSync(path.join(tmpdir(), "oc-engine-"));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await under?.stop();
  });

  const bind = (source: string, target = "/data") => ({ kind: "bind" as const, source, target, readOnly: false });

  test("a prepared container lives, and its program has not run", async () => {
    mkdirSync(path.join(dir, "early"), { mode: 0o777 });
    const command = ["sh", "-c", "echo ran > /data/file; sleep 0.2"];
    const spec = under.spec(command, { mounts: [bind(path.join(dir, "early"))], user: "0:0" });
    const container = await under.engine.prepare(spec);
    const mark = path.join(dir, "early/file");
    await sleep(500);
    expect(existsSync(mark)).toBe(false);
    const status = readFileSync(`/proc/${container.pid}/status`, "utf8");
    // Pid 1 of a namespace of its own.
    expect(status).toMatch(/^NSpid:\s+\d+\s+1$/m);
    expect(container.name).toBe(spec.name);
    const { exitCode } = await startAndRead(container);
    expect(exitCode).toBe(0);
    expect(readFileSync(mark, "utf8")).toBe("ran\n");
    await under.engine.removeContainer(container.id);
  });

  test("one megabyte reaches standard input byte for byte, and its end is seen", async () => {
    const text = longText();
    const { stdout, exitCode } = await under.run(["sh", "-c", "sleep 0.3; cat"], {}, text);
    expect(stdout.equals(Buffer.from(text))).toBe(true);
    expect(exitCode).toBe(0);
  });

  test("output is not lost when nobody reads until after the end", async () => {
    const container = await under.engine.prepare(under.spec(["sh", "-c", "echo out; echo err >&2; exit 5"]));
    const running = container.start();
    running.stdin.end();
    expect((await running.exited).exitCode).toBe(5);
    await sleep(200);
    expect([await text(running.stdout), await text(running.stderr)]).toEqual(["out\n", "err\n"]);
    await under.engine.removeContainer(container.id);
  });

  test("empty standard input ends at once", async () => {
    const { stdout } = await under.run(["wc", "-c"]);
    expect(stdout.toString()).toBe("0\n");
  });

  test("input that nobody reads does no harm", async () => {
    const { exitCode } = await under.run(["sh", "-c", "exit 3"], {}, longText());
    expect(exitCode).toBe(3);
  });

  test("both output streams are separate, complete and exact beyond one megabyte", async () => {
    const script =
      "awk 'BEGIN { for (i = 0; i < 300000; i++) printf \"%09d\\n\", i }' & yes errör | head -c 2000000 >&2; wait";
    const { stdout, stderr } = await under.run(["sh", "-c", script], {}, longText());
    const numbers = Array.from({ length: 300_000 }, (_, index) => `${String(index).padStart(9, "0")}\n`).join("");
    expect(stdout.toString() === numbers).toBe(true);
    expect(stderr.length).toBe(2_000_000);
    expect(stderr.toString().startsWith("errör\nerrör\n")).toBe(true);
  });

  test("bytes that are no text pass unchanged", async () => {
    const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7) % 256));
    const { stdout } = await under.run(["cat"], {}, bytes);
    expect(stdout.equals(bytes)).toBe(true);
  });

  test.each([0, 1, 7, 125, 126, 127, 137, 255])("exit code %i comes through", async (code) => {
    const { exitCode, engineError } = await under.run(["sh", "-c", `exit ${code}`]);
    expect({ exitCode, engineError }).toEqual({ exitCode: code, engineError: undefined });
  });

  test("arguments and environment arrive as they are", async () => {
    const odd = ["", " ", "a b", "$HOME", "`id`", 'q"q', "q'q", "new\nline", "漢字", "-n", "--name", "\\n", "*"];
    const env = { LINES_IN_IT: "one\ntwo\n", EMPTY: "", QUOTES: `"'\\$x`, EQUALS: "a=b=c", LONG: "x".repeat(100_000) };
    const script =
      'for a in "$@"; do printf "%s|" "$a"; done; printf "%s;%s;%s;%s;%s" "$LINES_IN_IT" "$EMPTY" "$QUOTES" "$EQUALS" "$LONG"';
    const { stdout } = await under.run(["sh", "-c", script, "name", ...odd], { env });
    const { LINES_IN_IT, EMPTY, QUOTES, EQUALS, LONG } = env;
    const values = [LINES_IN_IT, EMPTY, QUOTES, EQUALS, LONG].join(";");
    expect(stdout.toString()).toBe(odd.map((one) => `${one}|`).join("") + values);
  });

  test.each(["with,comma", "with:colon", 'with"quote', "with,all: of' \"them", "漢字", "with space", "back\\slash"])(
    "a directory named %j can be mounted",
    async (name) => {
      const source = path.join(dir, "odd", name);
      mkdirSync(source, { recursive: true });
      writeFileSync(path.join(source, "file"), name);
      const { stdout } = await under.run(["cat", "/data/file"], { mounts: [bind(source)] });
      expect(stdout.toString()).toBe(name);
    },
  );

  test.each<[string, Parameters<EngineUnderTest["spec"]>[1], RegExp]>([
    ["a mount source with a line break", { mounts: [bind("/tmp/a\nb")] }, /mount source/],
    ["a relative mount source", { mounts: [bind("data")] }, /mount source/],
    ["a mount source that does not exist", { mounts: [bind("/nowhere/at/all")] }, /nowhere/],
    ["an environment value beyond the kernel's limit", { env: { LONG: "x".repeat(131_072) } }, /environment value/],
    ["a NUL in an environment value", { env: { NUL: "a\0b" } }, /environment value/],
    ["a broken environment name", { env: { "A=B": "c" } }, /environment variable name/],
    ["an option in place of an image", { image: "--privileged" }, /image name/],
  ])("%s is refused and nothing is left", async (_, changes, message) => {
    await expect(under.engine.prepare(under.spec(["true"], changes))).rejects.toThrow(message);
    expect(await under.engine.listContainers(under.label)).toEqual([]);
  });

  test("a missing image is named", async () => {
    const spec = under.spec(["true"], { image: "localhost/no-such-image:1" });
    await expect(under.engine.prepare(spec)).rejects.toMatchObject({ code: "image-missing" });
    expect(await under.engine.listContainers(under.label)).toEqual([]);
  });

  test("a program that is not in the image fails before the start and leaves nothing", async () => {
    const preparing = under.engine.prepare(under.spec(["no-such-program"]));
    await expect(preparing).rejects.toMatchObject({
      code: "engine-failed",
      message: expect.stringContaining("no-such-program"),
    });
    expect(await under.engine.listContainers(under.label)).toEqual([]);
  });

  test("an aborted preparation leaves nothing", async () => {
    const signal = AbortSignal.timeout(60);
    await expect(under.engine.prepare(under.spec(["true"]), signal)).rejects.toThrow();
    expect(await under.engine.listContainers(under.label)).toEqual([]);
  });

  test("a name in use is refused and its owner stays", async () => {
    const first = await under.engine.prepare(under.spec(["sleep", "60"]));
    await expect(under.engine.prepare(under.spec(["true"], { name: first.name }))).rejects.toThrow(/in use/);
    expect(await under.engine.listContainers(under.label)).toMatchObject([{ id: first.id, name: first.name }]);
    await under.engine.removeContainer(first.id);
  });

  test("labels find a container in every state", async () => {
    const labels = { "org.opencode-capture.run": 'run,with "odd" = signs' };
    const container = await under.engine.prepare(under.spec(["sh", "-c", "echo up; exec sleep 1000"], { labels }));
    expect(await under.engine.listContainers(under.label)).toMatchObject([{ id: container.id, labels }]);
    expect(await under.engine.listContainers("org.opencode-capture.test=other")).toEqual([]);
    const running = container.start();
    // The engine refuses to kill what has not begun, and begins it afterwards all the same.
    await new Promise((resolve) => running.stdout.once("data", resolve));
    await under.engine.killContainer(container.id);
    expect(await running.exited).toEqual({ exitCode: 137, engineError: undefined });
    expect(await under.engine.listContainers(under.label)).toMatchObject([{ state: "exited" }]);
    expect(await under.engine.inspectContainer(container.id)).toMatchObject({ State: { ExitCode: 137 } });
    await under.engine.removeContainer(container.id);
    expect(await under.engine.listContainers(under.label)).toEqual([]);
  });

  test("a kill ends daemons too, and killing or removing what is gone is quiet", async () => {
    const script = "setsid sleep 1000 & (setsid sleep 1000 &) ; echo up; sleep 1000";
    const container = await under.engine.prepare(under.spec(["sh", "-c", script]));
    const running = container.start();
    await new Promise((resolve) => running.stdout.once("data", resolve));
    const namespace = pidNamespace(container.pid);
    await under.engine.killContainer(container.id);
    await running.exited;
    expect(processesIn(namespace)).toEqual([]);
    await under.engine.killContainer(container.id);
    await under.engine.removeContainer(container.id);
    await under.engine.removeContainer(container.id);
    await under.engine.killContainer(container.id);
  });

  test("a client that dies is told from a program that ends", async () => {
    const container = await under.engine.prepare(under.spec(["sleep", "1000"]));
    const running = container.start();
    await sleep(300);
    for (const pid of clientsOf(container.id)) process.kill(pid, "SIGKILL");
    const { exitCode, engineError } = await running.exited;
    expect(exitCode).toBe(null);
    expect(engineError).toMatch(/SIGKILL; the container is running/);
    await under.engine.removeContainer(container.id);
  });

  test("removing a running container ends its streams", async () => {
    const container = await under.engine.prepare(under.spec(["sleep", "1000"]));
    const running = container.start();
    await sleep(200);
    await under.engine.removeContainer(container.id);
    const { exitCode } = await running.exited;
    expect(exitCode === null || exitCode === 137).toBe(true);
  });
});

test("a daemon that dies is told from a program that ends", async () => {
  const under = await EngineUnderTest.start("docker");
  try {
    const container = await under.engine.prepare(under.spec(["sleep", "1000"]));
    const running = container.start();
    await sleep(300);
    await under.daemon?.crash();
    const { exitCode, engineError } = await running.exited;
    expect(exitCode).toBe(null);
    expect(engineError).toMatch(/does not know the container/);
  } finally {
    await under.stop();
  }
});

function pidNamespace(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/pid`);
}

/** Attached engine clients of a container, all of them started by this test. */
function clientsOf(id: string): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return argv.includes("--attach") && argv.includes(id);
    } catch {
      return false;
    }
  });
}

function processesIn(namespace: string): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      return pidNamespace(pid) === namespace;
    } catch {
      return false;
    }
  });
}
