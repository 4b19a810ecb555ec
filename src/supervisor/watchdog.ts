import { monotonicMs } from "../core/clock.ts";
import type { StopCause } from "./judge.ts";

export interface WatchdogOptions {
  timeoutSeconds: number;
  idleSeconds: number;
  /** CPU seconds used so far by the whole container; undefined when it can't be read just now. */
  cpuSeconds(): number | undefined;
  /** Monotonic time of the last model traffic or output. */
  lastActivityMs(): number;
  /** True when a request to the model was refused because the run has used up what it may. */
  modelLimitReached?(): boolean;
  /** Called once, when a limit is reached. */
  onLimit(cause: StopCause): void;
}

const LOOK_EVERY_MS = 1000;
/** Below this share of one CPU the container counts as doing nothing: an idle OpenCode uses about 0.5 %. */
const IDLE_CPU_SHARE = 0.03;

/** Watches the time limit and the idle limit of one run. Starts at once; `stop` ends it. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #startedMs = monotonicMs();
  readonly #timer: NodeJS.Timeout;
  #busyMs = monotonicMs();
  #lastLookMs = monotonicMs();
  #lastCpu: number | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = monotonicMs();
    if (now - this.#startedMs >= this.#options.timeoutSeconds * 1000) return this.#reach("time-limit");
    if (this.#options.modelLimitReached?.() === true) return this.#reach("token-limit");
    this.#noteCpu(now);
    const activeMs = Math.max(this.#busyMs, this.#options.lastActivityMs());
    if (now - activeMs >= this.#options.idleSeconds * 1000) this.#reach("idle-limit");
  }

  #noteCpu(now: number): void {
    const cpu = this.#options.cpuSeconds();
    const elapsedSeconds = (now - this.#lastLookMs) / 1000;
    // An unreadable counter must not end a run that may be working.
    const busy =
      cpu === undefined || this.#lastCpu === undefined || cpu - this.#lastCpu > IDLE_CPU_SHARE * elapsedSeconds;
    if (busy) this.#busyMs = now;
    this.#lastCpu = cpu;
    this.#lastLookMs = now;
  }

  #reach(cause: StopCause): void {
    this.stop();
    this.#options.onLimit(cause);
  }
}
