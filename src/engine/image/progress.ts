const HEARTBEAT_MS = 15_000;

/** Says what a long build is doing, each line with the seconds since its start; a quiet step shows that it lives. */
export class BuildProgress implements Disposable {
  readonly #startedAtMs = performance.now();
  readonly #say: (line: string) => void;
  readonly #heartbeat: NodeJS.Timeout;
  #lastLine = "";
  #spokeAtMs = this.#startedAtMs;

  constructor(say: ((line: string) => void) | undefined) {
    this.#say = say ?? (() => {});
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#spokeAtMs >= HEARTBEAT_MS) this.#emit(`… ${this.#lastLine}`);
    }, HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /** Names the step that begins. Empty lines are dropped. */
  step(line: string): void {
    if (line === "") return;
    this.#lastLine = line;
    this.#emit(line);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
  }

  #emit(line: string): void {
    this.#spokeAtMs = performance.now();
    const seconds = Math.round((this.#spokeAtMs - this.#startedAtMs) / 1000);
    this.#say(`[${String(seconds).padStart(3)} s] ${line}`);
  }
}
