import type { Attribution, CallEffects } from "../../schema/attribution.ts";
import type { CaptureEvent } from "../../schema/event.ts";
import { type AttributedEvent, Attributor, type MarkConflict } from "./attribute.ts";
import { FirstOf } from "./bounded.ts";
import { EffectsByCall } from "./call-effects.ts";
import type { Cause, NoCause } from "./cause.ts";
import { type Effect, effectOf } from "./effect.ts";
import type { GatewayCall } from "./gateway-calls.ts";
import { EffectTables } from "./tables.ts";
import { TestRuns } from "./test-runs.ts";

const MOST = { unattributed: 500, conflicts: 200 } as const;

/** Reads the kernel's events once, in their order, and keeps who caused what. Bounded memory. */
export class AttributionBuilder {
  readonly #attributor: Attributor;
  readonly #calls = new EffectsByCall();
  readonly #tables = new EffectTables();
  readonly #unattributed = new FirstOf<Attribution["unattributed_effects"][number]>(MOST.unattributed);
  readonly #conflicts = new FirstOf<Attribution["mark_conflicts"][number]>(MOST.conflicts);
  readonly testRuns = new TestRuns();
  readonly #byMethod: Record<string, number> = {};
  #attributed = 0;
  #agentOwn = 0;

  /**
   * @param calls all tool calls of the run, in the order in which the model asked for them.
   * @param failed keys of calls that failed by the agent's word.
   */
  constructor(calls: readonly GatewayCall[], failed?: ReadonlySet<string>) {
    this.#attributor = new Attributor(calls, failed);
  }

  add(event: CaptureEvent): AttributedEvent {
    const attributed = this.#attributor.add(event);
    this.testRuns.add(event);
    if (event.kind === "net.dns-answer") this.#tables.answer(event);
    if (event.kind === "process.exit") this.#tables.exit(event);
    if (attributed.conflict !== undefined) this.#keepConflict(attributed.conflict);
    if (attributed.started?.kind === "call") this.#calls.countProcess(attributed.started);
    const { cause } = attributed;
    if (cause === undefined) return attributed;
    const effect = effectOf(event);
    if (cause.kind === "call") this.#calls.add(attributed, cause, effect);
    this.#tables.add(attributed, cause, effect);
    if (effect !== undefined) this.#count(event, cause, effect);
    return attributed;
  }

  /** What the call with that key did; undefined: nothing was seen. */
  effectsOf(key: string): CallEffects | undefined {
    return this.#calls.get(key);
  }

  result(): Attribution {
    return {
      attributed: this.#attributed,
      agent_own: this.#agentOwn,
      unattributed: this.#unattributed.total,
      by_method: this.#byMethod,
      unattributed_effects: this.#unattributed.items,
      mark_conflicts: this.#conflicts.items,
      mark_conflicts_total: this.#conflicts.total,
      ...this.#tables.result(),
    };
  }

  #count(event: CaptureEvent, cause: Cause, effect: Effect): void {
    if (cause.kind === "agent") this.#agentOwn++;
    else if (cause.kind === "none") this.#keepUnattributed(event, cause, effect);
    else {
      this.#attributed++;
      this.#byMethod[cause.method] = (this.#byMethod[cause.method] ?? 0) + 1;
    }
  }

  #keepUnattributed(event: CaptureEvent, { why }: NoCause, { text }: Effect): void {
    const process = "process" in event ? event.process : "";
    this.#unattributed.add(() => ({ seq: event.seq, at: event.time, process, kind: event.kind, text: text(), why }));
  }

  #keepConflict({ kind, seq, process, mark, cause }: MarkConflict): void {
    const call = cause.kind === "call" ? cause.call.key : null;
    this.#conflicts.add(() => ({ kind, seq, process, mark, call }));
  }
}
