import { type CaptureEvent, captureEvent } from "../schema/event.ts";
import { type Exchange, exchange } from "../schema/exchange.ts";
import { nativeEvent } from "../schema/native-event.ts";
import { LAYOUT } from "./layout.ts";
import type { OpenCapture } from "./reader.ts";
import { parseJson, type ReadProblem } from "./reader-json.ts";
import { type Line, readLines } from "./reader-lines.ts";

/** Longest line of events/opencode_events.jsonl that is looked into. */
const MAX_EVENT_BYTES = 8 << 20;
/** Longest line of observations/events.jsonl: a command line of 128 KiB and an environment, escaped. */
const MAX_CAPTURE_EVENT_BYTES = 4 << 20;
/** Exchanges carry the bodies of requests and answers. */
const MAX_EXCHANGE_BYTES = 64 << 20;

/** One native event as any version wrote it. Everything in it is a claim of the agent's side. */
export interface NativeEventRecord {
  /** Line of events/opencode_events.jsonl, from 1. */
  line: number;
  timestamp: string;
  type: string;
  input: unknown;
  output: unknown;
}

/** What became of the lines of one JSONL file. */
export interface StreamResult {
  lines: number;
  valid: number;
  invalid: number;
  /** Numbers of the first broken lines. */
  firstInvalid: number[];
  problem: ReadProblem | undefined;
}

const MAX_NAMED_LINES = 20;

async function streamJson(
  capture: OpenCapture,
  file: string,
  maxLineBytes: number,
  take: (value: unknown, line: number) => boolean,
): Promise<StreamResult> {
  const result: StreamResult = { lines: 0, valid: 0, invalid: 0, firstInvalid: [], problem: undefined };
  const onLine = (line: Line): void => {
    // An empty line holds nothing that could be lost.
    if (line.text === "") return;
    result.lines++;
    const parsed = line.text === undefined ? undefined : parseJson(line.text);
    if (parsed?.ok === true && take(parsed.value, line.number)) {
      result.valid++;
      return;
    }
    result.invalid++;
    if (result.firstInvalid.length < MAX_NAMED_LINES) result.firstInvalid.push(line.number);
  };
  result.problem = await readLines(capture.dir, file, maxLineBytes, onLine);
  return result;
}

/** Streams events/opencode_events.jsonl; broken lines are counted and left out. */
export function streamNativeEvents(
  capture: OpenCapture,
  onEvent: (event: NativeEventRecord) => void,
): Promise<StreamResult> {
  return streamJson(capture, LAYOUT.nativeEvents, MAX_EVENT_BYTES, (value, line) => {
    const parsed = nativeEvent.safeParse(value);
    if (!parsed.success) return false;
    const { timestamp, native_event_type: type, raw_input: input, raw_output: output } = parsed.data;
    onEvent({ line, timestamp, type, input, output });
    return true;
  });
}

/** Streams model/exchanges.jsonl; broken lines are counted and left out. */
export function streamExchanges(capture: OpenCapture, onExchange: (one: Exchange) => void): Promise<StreamResult> {
  return streamJson(capture, LAYOUT.exchanges, MAX_EXCHANGE_BYTES, (value) => {
    const parsed = exchange.safeParse(value);
    if (parsed.success) onExchange(parsed.data);
    return parsed.success;
  });
}

/** Streams observations/events.jsonl in the order of the file; broken lines are counted and left out. */
export function streamCaptureEvents(
  capture: OpenCapture,
  onEvent: (event: CaptureEvent) => void,
): Promise<StreamResult> {
  return streamJson(capture, LAYOUT.events, MAX_CAPTURE_EVENT_BYTES, (value) => {
    const parsed = captureEvent.safeParse(value);
    if (parsed.success) onEvent(parsed.data);
    return parsed.success;
  });
}
