import { describe, expect, it } from "vitest";
import type { MachineFacts } from "../../core/machine.ts";
import type { EngineAttempt } from "../../engine/select.ts";
import { checkEngines, checkImage, checkUnusableEngine } from "./engine-checks.ts";
import { checkListener } from "./listener-check.ts";
import * as machine from "./machine-checks.ts";
import { type DoctorCheck, renderDoctorReport } from "./report.ts";
import { checkSensor, trySensor } from "./sensor-check.ts";
import { checkWitness, tryWitness } from "./witness-check.ts";

const FACTS: MachineFacts = {
  platform: "linux",
  arch: "x64",
  kernel: "6.1.0",
  distribution: { id: "debian", versionId: "12", name: "Debian GNU/Linux 12 (bookworm)" },
  uid: 0,
  cores: 2,
  memoryTotalBytes: 2 ** 34,
  memoryAvailableBytes: 2 ** 33,
  cgroupVersion: "v2",
};

const noDocker: EngineAttempt = { kind: "docker", bin: "docker", failure: "no daemon answers" };
const noPodman: EngineAttempt = { kind: "podman", bin: "podman", failure: "it is not installed" };

describe("machine checks", () => {
  it.each([
    ["24.21.0", "yes"],
    ["26.0.0", "yes"],
    ["20.20.2", "no"],
  ])("Node %s: %s", (version, ok) => {
    expect(machine.checkNode(version).ok).toBe(ok);
  });

  it.each<[string, Partial<MachineFacts>, string]>([
    ["Debian 12", {}, "yes"],
    ["Debian 11", { distribution: { id: "debian", versionId: "11", name: "Debian 11" } }, "warn"],
    ["another distribution", { distribution: { id: "fedora", versionId: "43", name: "Fedora 43" } }, "warn"],
    ["no os-release", { distribution: undefined }, "warn"],
    ["another processor", { arch: "riscv64" }, "warn"],
    ["macOS", { platform: "darwin" }, "no"],
  ])("%s", (_name, facts, ok) => {
    expect(machine.checkSystem({ ...FACTS, ...facts }).ok).toBe(ok);
  });

  it("knows root, sudo and neither", () => {
    expect(machine.checkRights(FACTS, false)).toMatchObject({ ok: "yes", detail: "root" });
    expect(machine.checkRights({ ...FACTS, uid: 1000 }, true).ok).toBe("yes");
    expect(machine.checkRights({ ...FACTS, uid: 1000 }, false).ok).toBe("warn");
  });

  it("grades the disk by what the image needs", () => {
    expect(machine.checkDisk("/a", 2 ** 33).ok).toBe("yes");
    expect(machine.checkDisk("/a", 2 ** 31).ok).toBe("warn");
    expect(machine.checkDisk("/a", 2 ** 20)).toMatchObject({
      ok: "no",
      fix: expect.stringContaining("--capture-root"),
    });
    expect(machine.checkDisk("/a", undefined).ok).toBe("no");
  });

  it("warns of little memory and one core, but refuses neither", () => {
    expect(machine.checkMemory(2 ** 34, 2 ** 31).ok).toBe("warn");
    expect(machine.checkMemory(2 ** 34, undefined).ok).toBe("yes");
    expect(machine.checkCores(1).ok).toBe("warn");
  });

  it("says why the namespace or the captures are out of reach", () => {
    expect(machine.checkNamespaceEntry("Operation not permitted")).toMatchObject({ ok: "no" });
    expect(machine.checkCaptureRoot("/a", "EROFS")).toMatchObject({
      ok: "no",
      detail: expect.stringContaining("EROFS"),
    });
  });
});

describe("engine checks", () => {
  it("say 'no' with a command where no engine works", () => {
    const checks = checkEngines([noDocker, noPodman]);
    expect(checks.map((check) => check.ok)).toEqual(["no", "no", "no"]);
    expect(checks.every((check) => (check.fix ?? "") !== "")).toBe(true);
  });

  it("tell of a program that is no engine", () => {
    expect(checkUnusableEngine("/bin/true is no docker", "give --docker-bin")).toMatchObject({ ok: "no" });
  });

  it("a missing image is no obstacle", () => {
    expect(checkImage(undefined, undefined)).toMatchObject({ ok: "warn" });
    expect(checkImage("localhost/a:b", "no mmdebstrap")).toMatchObject({ ok: "yes" });
  });
});

describe("sensor check", () => {
  const ready = { kind: "ready", timeNs: 1, programs: 7, refused: [], ringBytes: 4096 } as const;

  it("is well where the kernel sensor loads, and a warning where it sees less", () => {
    expect(checkSensor({ ...ready, refused: [] })).toMatchObject({
      ok: "yes",
      detail: expect.stringContaining("7 programs"),
    });
    expect(checkSensor({ ...ready, refused: ["on_tcp_state"] })).toMatchObject({
      ok: "warn",
      detail: expect.stringContaining("on_tcp_state"),
    });
  });

  it("says how to build it, and that polling takes over", async () => {
    expect(checkSensor(await trySensor("/nowhere/capture-sensor"))).toMatchObject({
      ok: "warn",
      detail: expect.stringMatching(/^polling.*not built/),
      fix: "scripts/build-sensor.sh",
    });
  });
});

describe("file witness check", () => {
  it("is well where the witness sees, else a warning with what is missing and how to build it", async () => {
    expect(checkWitness("sees")).toMatchObject({ id: "file-witness", ok: "yes" });
    expect(checkWitness(await tryWitness("/nowhere/capture-witness"))).toMatchObject({
      ok: "warn",
      detail: expect.stringMatching(/^the contents of files.*not built/),
      fix: "scripts/build-sensor.sh",
    });
  });
});

describe("seccomp layer check", () => {
  it("is well where runtime and kernel are able, else a warning with what is used instead", () => {
    expect(checkListener(undefined)).toMatchObject({ id: "seccomp-listener", ok: "yes" });
    const problem = { message: "docker can't", hint: "use Podman" };
    const detail = expect.stringMatching(/polled; docker can't$/) as string;
    expect(checkListener(problem)).toMatchObject({ ok: "warn", detail, fix: "use Podman" });
  });
});

describe("the text", () => {
  const check: DoctorCheck = {
    id: "a",
    title: "Engine",
    ok: "no",
    detail: "evil\u001b[2Jtext\nsecond line",
    fix: "mend it",
  };

  it("shows each check on a line, its command below, and the verdict", () => {
    const text = renderDoctorReport({ generated_at: "", tool_version: "1", ready: false, checks: [check] });
    expect(text).toContain("  no    Engine  evil");
    expect(text).toMatch(/^ +→ mend it$/m);
    expect(text).toContain("Not ready");
  });

  it("lets no control character of a program through", () => {
    const text = renderDoctorReport({ generated_at: "", tool_version: "1", ready: true, checks: [check] });
    expect(text).not.toContain("\u001b");
    expect(text).toContain("text; second line");
  });
});
