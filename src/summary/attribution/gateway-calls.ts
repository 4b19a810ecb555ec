import type { Exchange } from "../../schema/exchange.ts";
import { argumentsOf, type CallArguments } from "./call-arguments.ts";

/** A tool call as the gateway saw the model ask for it: evidence from outside the container. */
export interface GatewayCall extends CallArguments {
  /** `<exchange>.<index>`: names the call also where the wire format has no ids, or a model gives one twice. */
  readonly key: string;
  readonly sessionId: string | null;
  readonly callId: string | null;
  readonly tool: string;
  /** Nothing of it can have begun before the first byte of the answer, epoch milliseconds. */
  readonly fromMs: number;
  /** The agent had the results when it asked the model again, epoch milliseconds; Infinity: it never did. */
  readonly untilMs: number;
}

/** Clocks of gateway and kernel are the same machine's; this is for the rounding of both. */
export const SLACK_MS = 100;

/** Calls that are looked at for one effect, the latest that were asked for before it: without a bound equal calls would cost their square. */
const MOST_LOOKED_AT = 1_000;

/**
 * The calls that were open at a time. One that was over a moment before counts only where no other was open: a scripted model answers
 * within that moment, and its next call may ask for the same.
 * @param calls in the order in which they were asked for.
 */
export function openAt(calls: readonly GatewayCall[], atMs: number): GatewayCall[] {
  const asked = calls.length > MOST_LOOKED_AT ? lastAskedBefore(calls, atMs + SLACK_MS) : calls;
  const open = asked.filter((call) => isOpen(call, atMs, 0));
  return open.length > 0 ? open : asked.filter((call) => isOpen(call, atMs, SLACK_MS));
}

function lastAskedBefore(calls: readonly GatewayCall[], atMs: number): GatewayCall[] {
  let [low, high] = [0, calls.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((calls[middle]?.fromMs ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return calls.slice(Math.max(0, low - MOST_LOOKED_AT), low);
}

function isOpen(call: GatewayCall, atMs: number, slackMs: number): boolean {
  return atMs >= call.fromMs - slackMs && atMs <= call.untilMs + slackMs;
}

interface Asked {
  seq: number;
  sessionId: string | null;
  startMs: number;
  firstByteMs: number;
  endMs: number;
  calls: Exchange["tool_calls"];
}

/** Most calls that effects are tied to; a run with more has the later ones in no list. */
const MAX_CALLS = 50_000;

/** Collects the tool calls of a run from its exchanges, which come in the order of their ends. */
export class CallLog {
  readonly #asked: Asked[] = [];
  #total = 0;
  truncated = false;

  addExchange(exchange: Exchange): void {
    const startMs = Date.parse(exchange.started_at);
    if (Number.isNaN(startMs)) return;
    const room = Math.max(0, MAX_CALLS - this.#total);
    if (exchange.tool_calls.length > room) this.truncated = true;
    const calls = exchange.tool_calls.slice(0, room);
    this.#total += calls.length;
    const { seq, session_id: sessionId, first_byte_ms: firstByte, duration_ms: duration } = exchange;
    const endMs = startMs + (duration ?? 0);
    this.#asked.push({ seq, sessionId, startMs, firstByteMs: startMs + (firstByte ?? 0), endMs, calls });
  }

  /** The calls in the order in which they were asked for. */
  calls(): GatewayCall[] {
    const asked = this.#asked.toSorted((a, b) => a.startMs - b.startMs || a.seq - b.seq);
    const nextStart = nextStarts(asked);
    return asked.flatMap((one) =>
      one.calls.map((call, index) => ({
        key: `${one.seq}.${index}`,
        sessionId: one.sessionId,
        callId: call.id,
        tool: call.name,
        fromMs: one.firstByteMs,
        untilMs: nextStart.get(one) ?? Number.POSITIVE_INFINITY,
        ...argumentsOf(call.name, call.arguments),
      })),
    );
  }
}

/** For each exchange the beginning of the next one of its session that began after its end. `asked` is in time order. */
function nextStarts(asked: readonly Asked[]): Map<Asked, number> {
  const next = new Map<Asked, number>();
  const waiting = new Map<string | null, Asked[]>();
  for (const one of asked) {
    const earlier = waiting.get(one.sessionId) ?? [];
    const still = earlier.filter((before) => {
      if (one.startMs < before.endMs) return true;
      next.set(before, one.startMs);
      return false;
    });
    if (one.calls.length > 0) still.push(one);
    waiting.set(one.sessionId, still);
  }
  return next;
}
