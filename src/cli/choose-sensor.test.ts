import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { chooseSensor } from "./choose-sensor.ts";

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

it("refuses what was asked for and can't be had, with the command that mends it", async () => {
  await expect(chooseSensor("kernel", root)).rejects.toMatchObject({
    code: "sensor-unavailable",
    exitCode: 3,
    hint: expect.stringContaining("scripts/build-sensor.sh") as string,
  });
  build("#!/bin/sh\nexit 1\n");
  await expect(chooseSensor("kernel", root)).rejects.toMatchObject({ code: "sensor-unavailable" });
});
