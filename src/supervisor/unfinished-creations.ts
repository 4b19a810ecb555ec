import * as fs from "node:fs";
import { monotonicMs, sleep } from "../core/clock.ts";

const LOOK_EVERY_MS = 50;
/** To create a container takes seconds on a machine that is very busy. */
const MOST_MS = 30_000;

/**
 * Waits for commands of the engine that outlive their supervisor and are still creating one of its containers: that would
 * come into being after everything was cleaned up. Gives up on one that hangs.
 */
export async function waitForCreations(containerNames: readonly string[]): Promise<void> {
  const startMs = monotonicMs();
  while (containerNames.length > 0 && monotonicMs() - startMs < MOST_MS && isCreating(containerNames)) {
    await sleep(LOOK_EVERY_MS);
  }
}

function isCreating(containerNames: readonly string[]): boolean {
  return fs.readdirSync("/proc").some((pid) => {
    const args = /^\d+$/.test(pid) ? argumentsOf(pid) : [];
    return args.includes("create") && containerNames.some((name) => args.some((argument) => argument.includes(name)));
  });
}

function argumentsOf(pid: string): string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
  } catch {
    // Processes come and go.
    return [];
  }
}
