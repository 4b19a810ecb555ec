import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LAYOUT } from "../evidence/layout.ts";
import { network, processTree } from "../schema/observations.ts";
import { EventWriter } from "../sensors/kernel/event-writer.ts";
import { exec, head, inet, socketCall, testBench } from "../sensors/kernel/test-records.ts";
import { rebuildObservations } from "./rebuild-observations.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oc-rebuild-"));
  fs.mkdirSync(path.join(dir, "observations"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const read = (file: string): unknown => JSON.parse(fs.readFileSync(path.join(dir, file), "utf8"));

it("makes the process tree and the connections from the events of a lost run, also when its last line is cut", async () => {
  const { normaliser, events } = testBench();
  normaliser.add(exec(["a", "b"]));
  normaliser.add(socketCall("connect", inet("192.0.2.7", 443), 0, { timeNs: 8_200_000_000 }));
  normaliser.add({ ...head(100, 9e9), kind: "exit", code: 0, signal: 0, coreDumped: false });
  const writer = new EventWriter(path.join(dir, LAYOUT.events));
  for (const event of events) writer.write(event);
  writer.close();
  fs.appendFileSync(path.join(dir, LAYOUT.events), '{"seq":3,"kind":"process.ex');
  await rebuildObservations(dir);
  const tree = processTree.parse(read(LAYOUT.processTree));
  expect(tree.processes).toMatchObject([{ args: "a b", exit_code: 0 }]);
  expect(tree.snapshots.length).toBeGreaterThan(0);
  expect(network.parse(read(LAYOUT.network)).connections).toMatchObject([
    { remote: "192.0.2.7:443", role: "external" },
  ]);
});

it("leaves alone what the supervisor wrote itself", async () => {
  for (const file of [LAYOUT.processTree, LAYOUT.network]) fs.writeFileSync(path.join(dir, file), "{}");
  await rebuildObservations(dir);
  expect(read(LAYOUT.processTree)).toEqual({});
});
