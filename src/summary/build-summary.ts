import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { isoNow } from "../core/clock.ts";
import { derivedDirectory } from "../evidence/derived-directory.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { type OpenCapture, openCapture } from "../evidence/reader.ts";
import { streamCaptureEvents, streamExchanges, streamNativeEvents } from "../evidence/reader-streams.ts";
import { SCHEMA_VERSION } from "../schema/common.ts";
import type { Summary } from "../schema/summary.ts";
import { AttributionBuilder } from "./attribution/attribution.ts";
import { CallLog } from "./attribution/gateway-calls.ts";
import { Said } from "./discrepancies/said.ts";
import { EventTally } from "./event-tally.ts";
import { type Evidence, loadEvidence } from "./evidence.ts";
import { Exchanges } from "./exchanges.ts";
import { NativeEvents } from "./native-events.ts";
import { Reconciler } from "./reconciliation/reconcile.ts";
import { finalMessage, type Streams, summarize } from "./summarize.ts";
import { ToolUses } from "./tool-uses.ts";

/** Reads the three streams of a capture once, in bounded memory. The gateway's comes first: it knows the tool calls. */
export async function readStreams(capture: OpenCapture): Promise<Streams> {
  const native = new NativeEvents();
  const model = new Exchanges();
  const tools = new ToolUses();
  const calls = new CallLog();
  const said = new Said();
  const exchanges = await streamExchanges(capture, (one) => {
    model.add(one);
    tools.addExchange(one);
    calls.addExchange(one);
  });
  const events = await streamNativeEvents(capture, (one) => {
    native.add(one);
    tools.addEvent(one);
    said.addNative(one);
  });
  said.hear(finalMessage({ native, model }).final_message);
  const effects = new AttributionBuilder(calls.calls(), tools.failedCalls());
  const tally = new EventTally();
  const witnesses = new Reconciler();
  const kernel = await streamCaptureEvents(capture, (one) => {
    effects.add(one);
    said.add(one);
    witnesses.add(one);
    tally.add(one);
  });
  return { native, model, tools, effects, said, witnesses, tally, events, exchanges, kernel };
}

export interface BuiltSummary {
  summary: Summary;
  /** What was read for it, so that a report need not read it again. */
  evidence: Evidence;
}

/** As `buildSummary`, and returns the evidence read for it. */
export async function buildSummaryWithEvidence(capture: OpenCapture): Promise<BuiltSummary> {
  const evidence = loadEvidence(capture);
  const streams = await readStreams(capture);
  const content = summarize(evidence, streams);
  return { summary: { schema_version: SCHEMA_VERSION, generated_at: isoNow(), ...content }, evidence };
}

/**
 * Makes the summary of a capture (a directory) from its evidence; writes nothing. Damaged or missing files become anomalies.
 * @throws CaptureError `capture-not-found` when there is no such directory.
 */
export async function buildSummary(captureDir: string): Promise<Summary> {
  return (await buildSummaryWithEvidence(openCapture(captureDir))).summary;
}

/**
 * Makes the summary and writes it to derived/summary.json in one step.
 * @returns the summary.
 * @throws CaptureError `capture-not-found`, `disk-full` or `write-failed`.
 */
export async function writeSummary(captureDir: string): Promise<Summary> {
  const capture = openCapture(captureDir);
  const { summary } = await buildSummaryWithEvidence(capture);
  saveSummary(capture, summary);
  return summary;
}

/** Writes a summary that was made before; as `writeSummary`. */
export function saveSummary(capture: OpenCapture, summary: Summary): void {
  const dir = derivedDirectory(capture.dir, path.dirname(LAYOUT.summary));
  writeJsonAtomic(path.join(dir, path.basename(LAYOUT.summary)), summary);
}
