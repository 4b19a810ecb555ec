import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { EngineDescription } from "../engine/port.ts";
import { sensorProgram } from "../sensors/kernel/sensor-process.ts";
import { listenerProgram } from "../sensors/seccomp/listener-process.ts";
import { chooseSensor } from "./choose-sensor.ts";
import { SensorMemory } from "./sensor-memory.ts";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oc-choose-"));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function build(script: string): void {
  const dir = path.join(root, "native", "sensor", "build");
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, "capture-sensor"), script, { mode: 0o755 });
}

it("polls where the kernel sensor is not built, and says what builds it", async () => {
  const choice = (await chooseSensor("auto", root))();
  expect(choice).toMatchObject({ sensor: { requested: "auto", used: "polling" }, kernelSensor: undefined });
  expect(choice.sensor.reason).toContain("scripts/build-sensor.sh");
});

it("takes the kernel sensor where it is built, unless polling was asked for", async () => {
  build("#!/bin/sh\nexit 1\n");
  expect((await chooseSensor("auto", root))().sensor.used).toBe("kernel");
  expect((await chooseSensor("polling", root))().sensor).toMatchObject({ requested: "polling", used: "polling" });
});

it("does not try again what worked, as long as it is the same program", async () => {
  buildListener(0);
  const memoryFile = path.join(root, "memory");
  const tries = path.join(root, "tries");
  const count = () => fs.readFileSync(tries, "utf8").split("\n").length - 1;
  // A sensor that never gets ready is known by what it said; one that was remembered is not even started.
  build(`#!/bin/sh\necho x >>'${tries}'\nexit 1\n`);
  expect((await chooseSensor("auto", root, PODMAN, memoryFile))().sensor.used).toBe("seccomp");
  expect(count()).toBe(1);
  new SensorMemory(memoryFile, sensorProgram(root)).remember();
  expect((await chooseSensor("auto", root, PODMAN, memoryFile))().sensor.used).toBe("kernel");
  expect((await chooseSensor("kernel", root, PODMAN, memoryFile))().sensor.used).toBe("kernel");
  expect(count()).toBe(1);
  build(`#!/bin/sh\necho another >>'${tries}'\nexit 1\n`);
  expect((await chooseSensor("auto", root, PODMAN, memoryFile))().sensor.used).toBe("seccomp");
  expect(count()).toBe(2);
});

it("refuses what was asked for and can't be had, with the command that mends it", async () => {
  await expect(chooseSensor("kernel", root)).rejects.toMatchObject({
    code: "sensor-unavailable",
    exitCode: 3,
    hint: expect.stringContaining("scripts/build-sensor.sh") as string,
  });
  build("#!/bin/sh\nexit 1\n");
  await expect(chooseSensor("kernel", root)).rejects.toMatchObject({ code: "sensor-unavailable" });
});

const PODMAN: EngineDescription = {
  kind: "podman",
  bin: "podman",
  version: "4.3.1",
  runtime: "runc",
  runtimeVersion: "1.1.5+ds1",
  rootless: false,
  cgroupVersion: "v1",
  storageDriver: "overlay",
};

/** A listener whose trial ends with this code. */
function buildListener(code: number): void {
  const program = listenerProgram(root);
  fs.mkdirSync(path.dirname(program), { recursive: true });
  fs.writeFileSync(program, `#!/bin/sh\necho no notifications >&2\nexit ${code}\n`, { mode: 0o755 });
}

it("takes the seccomp layer where the kernel sensor is not built or does not work, and says why", async () => {
  buildListener(0);
  const unbuilt = (await chooseSensor("auto", root, PODMAN))();
  expect(unbuilt).toMatchObject({ sensor: { used: "seccomp" }, seccompListener: { program: listenerProgram(root) } });
  expect(unbuilt.sensor.reason).toContain("not built");
  build("#!/bin/sh\necho no rights >&2\nexit 1\n");
  const broken = (await chooseSensor("auto", root, PODMAN))();
  expect(broken).toMatchObject({ sensor: { requested: "auto", used: "seccomp" }, kernelSensor: undefined });
  expect(broken.sensor.reason).toContain("no rights");
});

it.each([
  ["docker", { kind: "docker" }, 0, "docker's seccomp profiles"],
  ["an old runc", { runtimeVersion: "1.0.3" }, 0, "too old"],
  ["another runtime", { runtime: "/usr/bin/kata" }, 0, "kata"],
  ["a kernel that can't", {}, 1, "no notifications"],
] as const)("polls with %s, and refuses seccomp with the reason", async (_, changes, code, why) => {
  buildListener(code);
  const engine = { ...PODMAN, ...changes };
  const choice = (await chooseSensor("auto", root, engine))();
  expect(choice).toMatchObject({ sensor: { used: "polling" }, seccompListener: undefined });
  expect(choice.sensor.reason).toContain(why);
  await expect(chooseSensor("seccomp", root, engine)).rejects.toMatchObject({
    code: "sensor-unavailable",
    message: expect.stringContaining(why) as string,
  });
});
