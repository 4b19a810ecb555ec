import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { sleep } from "../../core/clock.ts";
import { ProcessTable } from "./process-table.ts";

const NO_INIT = -1;

describe("the process table", () => {
  it("takes an exec in place as another program of the same process", async () => {
    const child = spawn("/bin/sh", ["-c", "read _; exec sleep 30"], { stdio: ["pipe", "ignore", "ignore"] });
    const pid = child.pid ?? 0;
    const table = new ProcessTable(NO_INIT);
    await sleep(50);
    table.look([pid], 0);
    child.stdin.end("\n");
    await sleep(200);
    table.look([pid], 1000);
    child.kill("SIGKILL");
    const { processes } = table.result();
    expect(processes.map(({ argv }) => argv)).toEqual([
      ["/bin/sh", "-c", "read _; exec sleep 30"],
      ["sleep", "30"],
    ]);
    expect(new Set(processes.map(({ start_time }) => start_time)).size).toBe(1);
    expect(processes[1]).toMatchObject({ pid: String(pid), command: "sleep", cwd: process.cwd(), samples: 1 });
  });

  it("leaves out what the first process was before the agent", async () => {
    const child = spawn("/bin/sh", ["-c", "read _; exec sleep 30"], { stdio: ["pipe", "ignore", "ignore"] });
    const pid = child.pid ?? 0;
    const table = new ProcessTable(pid);
    await sleep(50);
    table.look([pid], 0);
    table.look([pid], 1);
    child.stdin.end("\n");
    await sleep(200);
    table.look([pid], 2);
    child.kill("SIGKILL");
    expect(table.result().processes.map(({ argv }) => argv)).toEqual([["sleep", "30"]]);
  });

  it("does not take one process for another that got its pid", () => {
    const table = new ProcessTable(NO_INIT);
    table.look([process.pid], 0);
    table.look([0x7fffffff], 1);
    table.look([process.pid], 2);
    expect(table.result().processes.map(({ samples }) => samples)).toEqual([1, 1]);
  });

  it("keeps descriptors only for the living, and none at the end", () => {
    const open = () => fs.readdirSync("/proc/self/fd").length;
    const before = open();
    const table = new ProcessTable(NO_INIT);
    for (let look = 0; look < 50; look++) table.look([process.pid, process.ppid], look);
    expect(open()).toBe(before + 2);
    table.look([process.pid], 50);
    expect(open()).toBe(before + 1);
    table.result();
    expect(open()).toBe(before);
  });
});
