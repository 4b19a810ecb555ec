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
/**
 * Below this share of one CPU, over the whole time of the idle limit, the container counts as doing nothing: an idle
 * OpenCode uses about 0.5 %, with single seconds of ten times as much on a busy machine.
 */
const IDLE_CPU_SHARE = 0.03;

interface CpuLook {
  atMs: number;
  cpuSeconds: number;
}

/** Watches the time limit and the idle limit of one run. Starts at once; `stop` ends it. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #startedMs = monotonicMs();
  readonly #timer: NodeJS.Timeout;
  /** Since the counter could be read without a break; the first is the youngest that is as old as the idle limit. */
  #looks: CpuLook[] = [];

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
    const idleMs = this.#options.idleSeconds * 1000;
    const isQuiet = this.#usesNoCpu(now, idleMs);
    if (isQuiet && now - this.#options.lastActivityMs() >= idleMs) this.#reach("idle-limit");
  }

  /** Whether almost no CPU was used during the last `idleMs`; false while that much is not known. */
  #usesNoCpu(now: number, idleMs: number): boolean {
    const cpuSeconds = this.#options.cpuSeconds();
    if (cpuSeconds === undefined) {
      // An unreadable counter must not end a run that may be working.
      this.#looks = [];
      return false;
    }
    this.#looks.push({ atMs: now, cpuSeconds });
    const since = this.#looks.findLastIndex(({ atMs }) => now - atMs >= idleMs);
    const before = this.#looks[since];
    if (before === undefined) return false;
    this.#looks.splice(0, since);
    return cpuSeconds - before.cpuSeconds <= (IDLE_CPU_SHARE * (now - before.atMs)) / 1000;
  }

  #reach(cause: StopCause): void {
    this.stop();
    this.#options.onLimit(cause);
  }
}
