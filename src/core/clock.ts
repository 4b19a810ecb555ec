import { performance } from "node:perf_hooks";

/** Wall-clock time, ISO 8601 in UTC with milliseconds. */
export function isoNow(): string {
  return new Date().toISOString();
}

/** Milliseconds on a clock that never jumps; only differences mean something. */
export function monotonicMs(): number {
  return performance.now();
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The same for a wait that must not keep the process alive when everything else is done: time limits on other work. */
export function sleepInBackground(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
