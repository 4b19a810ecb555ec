import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { type FileContents, fileContents } from "../../src/schema/file-contents.ts";
import { FileWitness } from "../../src/sensors/fanotify/file-witness.ts";
import { witnessProgram } from "../../src/sensors/fanotify/witness-process.ts";
import type { SensorReport } from "../../src/sensors/port.ts";
import { MountedBox } from "../support/mounted-box.ts";

const PROGRAM = witnessProgram(path.resolve(import.meta.dirname, "..", ".."));
/** The kernel keeps 16,384 that nobody takes. */
const MANY_CLOSES = 18_000;

beforeAll(() => {
  if (!fs.existsSync(PROGRAM)) throw new Error("build the witness first: scripts/build-sensor.sh");
});

interface Watched {
  box: MountedBox;
  witness: FileWitness;
  state: { used: boolean; reason: string } | undefined;
}

async function watched(
  box: MountedBox,
  options: {
    program?: string;
    keptBytes?: number;
    roomBytes?: number;
    startMs?: number;
    hashes?: ReadonlySet<string>;
  } = {},
): Promise<Watched> {
  const {
    program = PROGRAM,
    keptBytes = 1 << 20,
    roomBytes = 1 << 30,
    startMs = 60_000,
    hashes = new Set<string>(),
  } = options;
  const result: Watched = { box, state: undefined, witness: undefined as never };
  result.witness = new FileWitness({
    captureDir: path.join(box.dir, "capture"),
    scratchDir: path.join(box.dir, "scratch"),
    program,
    directories: [{ root: box.inside, hostDir: box.hostDir }],
    keptBytes,
    fileBytes: 1 << 16,
    startMs,
    roomBytes: () => roomBytes,
    hashesAtEnd: () => Promise.resolve(hashes),
    onState: (state) => {
      result.state = state;
    },
  });
  await result.witness.prepare();
  await result.witness.attach({ pid: box.pid, containerId: "", cgroupDirs: {} });
  return result;
}

function statementOf(report: SensorReport) {
  const [statement, ...others] = report.completeness;
  expect(others).toEqual([]);
  expect(statement).toMatchObject({ class: "file-contents", sensor: "fanotify" });
  return statement;
}

/** What was listed, by the name below the watched directory; contents read back by their hash. */
function listed(box: MountedBox): {
  value: FileContents;
  byName: Map<string, { at_end: string; text: string | null }[]>;
} {
  const captureDir = path.join(box.dir, "capture");
  const value = fileContents.parse(JSON.parse(fs.readFileSync(path.join(captureDir, LAYOUT.fileContents), "utf8")));
  const byName = new Map<string, { at_end: string; text: string | null }[]>();
  for (const { path: name, at_end, content, sha256 } of value.versions) {
    const bytes = content === null ? null : fs.readFileSync(path.join(captureDir, content));
    if (bytes !== null) expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    const key = name.replace(`${box.inside}/`, "");
    byName.set(key, [...(byName.get(key) ?? []), { at_end, text: bytes?.toString() ?? null }]);
  }
  return { value, byName };
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("the second witness of files", { timeout: 300_000 }, () => {
  it("keeps what was written and is gone or overwritten at the end, and nothing of what stands", async () => {
    await using box = await MountedBox.open();
    const { witness, state } = await watched(box, { hashes: new Set([hashOf("moved\n")]) });
    expect(state).toMatchObject({ used: true });
    await box.run(`
      echo gone > short-lived; rm short-lived
      echo first > twice; sleep 0.2; echo second > twice
      echo moved > before; mv before after
      echo stands > stands
      mkdir deep; echo 'in a directory' > deep/file; rm -r deep
      printf 'x' > "$(printf 'odd\\n\\377')"; rm odd*
      mkfifo pipe; (echo into > pipe) & cat pipe > /dev/null; wait; rm pipe
      ln -s /etc/passwd link; rm link
      python3 - <<'END'
import os
unnamed = os.open(".", os.O_TMPFILE | os.O_WRONLY)
os.write(unnamed, b"never had a name")
os.close(unnamed)
late = os.open("late", os.O_WRONLY | os.O_CREAT)
os.write(late, b"before")
os.unlink("late")
os.write(late, b" and after")
os.close(late)
END`);
    const report = await witness.stop();
    const statement = statementOf(report);
    expect(statement, statement?.reason).toMatchObject({ level: "complete", lost: 0, started_before_agent: true });
    expect(report.gaps).toEqual([]);
    const { value, byName } = listed(box);
    expect(value).toMatchObject({ truncated: false, directories: [box.inside] });
    const { [[...byName.keys()].find((name) => name.startsWith("#")) ?? ""]: unnamed, ...named } =
      Object.fromEntries(byName);
    expect(unnamed).toEqual([{ at_end: "gone", text: "never had a name" }]);
    expect(named).toEqual({
      "short-lived": [{ at_end: "gone", text: "gone\n" }],
      twice: [{ at_end: "replaced", text: "first\n" }],
      before: [{ at_end: "elsewhere", text: "moved\n" }],
      "deep/file": [{ at_end: "gone", text: "in a directory\n" }],
      "odd\n\uFFFD": [{ at_end: "gone", text: "x" }],
      late: [{ at_end: "gone", text: "before and after" }],
    });
    const odd = value.versions.find((one) => one.path_b64 !== undefined);
    expect(odd?.path_b64).toBe(Buffer.from(`${box.inside}/odd\n\xff`, "latin1").toString("base64"));
    expect(value.versions.find((one) => one.path.endsWith("/late"))).toMatchObject({ unlinked: true, size_bytes: 16 });
  });

  it("watches for longer than it may take to begin", async () => {
    await using box = await MountedBox.open();
    const { witness } = await watched(box, { startMs: 4000 });
    await box.run("sleep 4.5; echo late > late; rm late");
    expect(statementOf(await witness.stop())).toMatchObject({ level: "complete" });
    expect([...listed(box).byName]).toEqual([["late", [{ at_end: "gone", text: "late\n" }]]]);
  });

  it("knows the names of files also when the container is gone before they are read", async () => {
    await using box = await MountedBox.open();
    const { witness } = await watched(box);
    process.kill(witness.pid, "SIGSTOP");
    await box.run("mkdir deep; echo last > deep/last; rm deep/last; echo stands > deep/stands; echo old > deep/new");
    await box.end();
    fs.writeFileSync(path.join(box.hostDir, "deep", "new"), "new\n");
    process.kill(witness.pid, "SIGCONT");
    expect(statementOf(await witness.stop())).toMatchObject({ level: "complete" });
    // Not the first content of `new`, which was gone when it was read.
    expect([...listed(box).byName]).toEqual([["deep/last", [{ at_end: "gone", text: "last\n" }]]]);
  });

  it("says what it does not keep: too large, no room", async () => {
    await using box = await MountedBox.open();
    const { witness } = await watched(box, { keptBytes: 20_000 });
    await box.run(`
      head -c 70000 /dev/zero > large; rm large
      head -c 70000 /dev/zero > large-that-stands
      for i in 1 2 3; do (head -c 9000 /dev/zero; echo $i) > file-$i; rm file-$i; done`);
    const statement = statementOf(await witness.stop());
    expect(statement).toMatchObject({ level: "lossy", lost: 2 });
    const { value } = listed(box);
    expect(value.versions.map(({ path: name, content_omitted }) => [path.basename(name), content_omitted])).toEqual([
      ["large", "too-large"],
      ["file-1", undefined],
      ["file-2", undefined],
      ["file-3", "no-room"],
    ]);
    expect(fs.readdirSync(path.join(box.dir, "capture", LAYOUT.contents))).toHaveLength(2);
  });

  it("takes no room on a disk that has none to spare, and says so", async () => {
    await using box = await MountedBox.open();
    const { witness } = await watched(box, { roomBytes: -1 });
    await box.run("echo text > file; rm file");
    expect(statementOf(await witness.stop())).toMatchObject({ level: "lossy", lost: 1 });
    expect(listed(box).value.versions).toMatchObject([{ content: null, content_omitted: "no-room", size_bytes: 5 }]);
  });

  it("says that the kernel's queue was full, and the writers did not wait", async () => {
    await using box = await MountedBox.open();
    const { witness } = await watched(box);
    process.kill(witness.pid, "SIGSTOP");
    await box.run(`i=0; while [ $i -lt ${MANY_CLOSES} ]; do : > flood-$i; i=$((i + 1)); done`);
    process.kill(witness.pid, "SIGCONT");
    const report = await witness.stop();
    const statement = statementOf(report);
    expect(statement).toMatchObject({ level: "lossy", lost: null });
    expect(statement?.reason).toContain("queue was full");
    expect(report.gaps).toMatchObject([{ class: "file-contents" }]);
  });

  it("says when it was killed, and the run goes on", async () => {
    await using box = await MountedBox.open();
    const { witness } = await watched(box);
    await box.run("echo seen > one; rm one; sleep 0.3");
    process.kill(witness.pid, "SIGKILL");
    await box.run("echo unseen > two; rm two");
    const report = await witness.stop();
    expect(statementOf(report)).toMatchObject({ level: "sampled", lost: null });
    expect(report.gaps).toMatchObject([{ class: "file-contents", to: null }]);
    expect([...listed(box).byName]).toEqual([["one", [{ at_end: "gone", text: "seen\n" }]]]);
  });

  it("says that it is not there, and why", async () => {
    await using box = await MountedBox.open();
    const notBuilt = await watched(box, { program: "/nonexistent/capture-witness" });
    expect(notBuilt.state).toMatchObject({ used: false, reason: expect.stringContaining("not built") as string });
    expect(statementOf(await notBuilt.witness.stop())).toMatchObject({ level: "absent" });
    expect(fs.existsSync(path.join(box.dir, "capture", LAYOUT.fileContents))).toBe(false);
    const noRights = path.join(box.dir, "no-rights");
    fs.writeFileSync(noRights, `#!/bin/sh\nexec setpriv --bounding-set -sys_admin ${PROGRAM} "$@"\n`, { mode: 0o755 });
    const refused = await watched(box, { program: noRights });
    expect(refused.state?.used).toBe(false);
    expect(statementOf(await refused.witness.stop())?.reason).toContain("fanotify");
  });
});
