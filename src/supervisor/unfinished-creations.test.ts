import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { waitForCreations } from "./unfinished-creations.ts";

it("S09 waits for a command that is still creating a lost run's container, and for no other", async () => {
  const name = `opencode-capture-test-${process.pid}`;
  const creating = spawn("sh", ["-c", "echo up; read _", "create", "--name", name], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const starting = spawn("sh", ["-c", "echo up; read _", "start", name], { stdio: ["pipe", "pipe", "ignore"] });
  try {
    await Promise.all([once(creating.stdout, "data"), once(starting.stdout, "data")]);
    let waited = false;
    const wait = waitForCreations([name]).then(() => (waited = true));
    await delay(500);
    expect(waited).toBe(false);
    creating.stdin.end("\n");
    await wait;
    expect(starting.exitCode).toBeNull();
    await waitForCreations([`${name}-other`]);
  } finally {
    creating.kill("SIGKILL");
    starting.kill("SIGKILL");
  }
});
