import type { CallEffects } from "../../schema/attribution.ts";
import type { AttributedEvent } from "./attribute.ts";
import { BoundedMap, FirstOf } from "./bounded.ts";
import type { CallCause } from "./cause.ts";
import type { Effect } from "./effect.ts";
import { FileTouches } from "./file-touches.ts";

const MOST = { calls: 5_000, commands: 50, files: 100, contacts: 50, other: 20 } as const;

/** What one tool call did. */
class OneCall {
  readonly cause: CallCause;
  readonly #commands = new FirstOf<string>(MOST.commands);
  readonly #files = new FileTouches(MOST.files);
  readonly #contacts = new BoundedMap<{ remote: string; outcome: string }>(MOST.contacts);
  readonly #other = new FirstOf<string>(MOST.other);
  processes = 0;
  startedAt: string | null = null;
  finishedAt: string | null = null;
  lastEffectAt: string | null = null;
  exitCode: number | null = null;
  signal: string | null = null;

  constructor(cause: CallCause) {
    this.cause = cause;
  }

  add(effect: Effect, time: string): void {
    this.startedAt ??= time;
    this.lastEffectAt = time;
    switch (effect.class) {
      case "command":
        this.#commands.add(effect.text);
        return;
      case "file":
        for (const one of effect.paths) this.#files.add(one, effect.operation, effect.sensitive);
        return;
      case "contact": {
        const { remote, outcome } = effect;
        this.#contacts.get(`${remote} ${outcome}`, () => ({ remote, outcome }));
        return;
      }
      default:
        this.#other.add(effect.text);
    }
  }

  result(): CallEffects {
    return {
      processes: this.processes,
      commands: this.#commands.items,
      commands_total: this.#commands.total,
      files: this.#files.list(),
      files_total: this.#files.total,
      contacts: this.#contacts.values(),
      contacts_total: this.#contacts.size + this.#contacts.missed,
      other: this.#other.items,
      other_total: this.#other.total,
      exit_code: this.exitCode,
      signal: this.signal,
      started_at: this.startedAt,
      finished_at: this.finishedAt,
      last_effect_at: this.lastEffectAt,
      method: this.cause.method,
      confidence: this.cause.confidence,
    };
  }
}

/** Effects by tool call. */
export class EffectsByCall {
  readonly #calls = new BoundedMap<OneCall>(MOST.calls);

  /** An event that was tied to a call, and its effect where it has one. */
  add({ event, isShell }: AttributedEvent, cause: CallCause, effect: Effect | undefined): void {
    const call = this.#calls.get(cause.call.key, () => new OneCall(cause));
    if (call === undefined) return;
    if (event.kind === "process.exec") {
      if (isShell) call.startedAt = event.time;
    }
    if (event.kind === "process.exit" && isShell) {
      call.finishedAt = event.time;
      call.exitCode = event.code;
      call.signal = event.signal;
    }
    if (effect !== undefined) call.add(effect, event.time);
  }

  /** A process began that belongs to the call. */
  countProcess(cause: CallCause): void {
    const call = this.#calls.get(cause.call.key, () => new OneCall(cause));
    if (call !== undefined) call.processes++;
  }

  get(key: string): CallEffects | undefined {
    return this.#calls.peek(key)?.result();
  }
}
