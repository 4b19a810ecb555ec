import { PhaseTimer } from "../../src/supervisor/phase-timer.ts";

/**
 * Loaded before the command line program (`node --import`): its wall clock is set by so many milliseconds one second after
 * the agent has begun, or with `frozen` stands still from the start at a time that all processes share.
 */
const setting = process.env["OPENCODE_CAPTURE_TEST_CLOCK"] ?? "0";
const SystemDate = Date;
const FROZEN_AT_MS = SystemDate.UTC(2026, 10, 22, 16, 14, 56);
let offsetMs = 0;

function now(): number {
  return setting === "frozen" ? FROZEN_AT_MS : SystemDate.now() + offsetMs;
}

class SetDate extends SystemDate {
  constructor(...args: [] | [number | string]) {
    super(args.length === 0 ? now() : args[0]);
  }

  static override now(): number {
    return now();
  }
}
globalThis.Date = SetDate as DateConstructor;

const { measure } = PhaseTimer.prototype;
PhaseTimer.prototype.measure = function <T>(name: string, work: () => Promise<T> | T): Promise<T> {
  if (name === "agent" && setting !== "frozen") {
    setTimeout(() => {
      offsetMs = Number(setting);
    }, 1000);
  }
  return (measure<T>).call(this, name, work);
};
