import { isoNow } from "../core/clock.ts";
import type { Gap } from "../schema/observations.ts";
import type { RunState } from "./run-state.ts";

/** Below this the clock is only being kept right. */
const SMALL_MS = 2000;

/**
 * Says when the wall clock was set during a run: then its times can't be compared across that moment. Durations and the
 * order of numbered records come from elsewhere and hold.
 */
export function clockGap(run: Pick<RunState, "startedAt" | "timer">): Gap | undefined {
  const jumpMs = Date.now() - run.startedAt.getTime() - run.timer.elapsedMs();
  if (Math.abs(jumpMs) < SMALL_MS) return undefined;
  const direction = jumpMs > 0 ? "forward" : "back";
  const reason = `the wall clock was set ${direction} by ${Math.round(Math.abs(jumpMs) / 1000)} s during the run: timestamps before and after it do not compare`;
  return { class: "clock", from: run.startedAt.toISOString(), to: isoNow(), reason };
}
