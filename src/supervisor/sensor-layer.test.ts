import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sensorProcesses } from "../sensors/kernel/sensor-process.ts";
import { createSensorLayer } from "./sensor-layer.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oc-layer-"));
  fs.mkdirSync(path.join(dir, "observations"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

/** A container that is this very process: enough to be told that there is nothing of its own to look at. */
const TARGET = { pid: process.pid, containerId: "x", cgroupDirs: {} };

function planWith(requested: string) {
  const sensor = { requested, used: "kernel", reason: "planned" };
  return { sensor, sensitivePatterns: [], kernelSensor: sensorProcesses({ program: "/bin/false" }) };
}

it("with auto, polls when the kernel sensor does not start, and says why", async () => {
  const plan = planWith("auto");
  const layer = createSensorLayer(plan, dir);
  await layer.prepare();
  await layer.attach(TARGET);
  const report = await layer.stop();
  expect(plan.sensor).toMatchObject({ requested: "auto", used: "polling" });
  expect(plan.sensor.reason).toContain("/bin/false");
  expect(report.completeness.map((one) => one.sensor)).toEqual(["polling", "polling"]);
  expect(fs.readdirSync(path.join(dir, "observations")).toSorted()).toEqual(["network.json", "process_tree.json"]);
});

it("with kernel, fails when the sensor does not start", async () => {
  const layer = createSensorLayer(planWith("kernel"), dir);
  await layer.prepare();
  await expect(layer.attach(TARGET)).rejects.toMatchObject({ code: "sensor-unavailable" });
  const report = await layer.stop();
  expect(report.completeness.every(({ level }) => level === "absent")).toBe(true);
});
