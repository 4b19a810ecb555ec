import type { StreamResult } from "../evidence/reader-streams.ts";
import { bestStatements } from "../schema/best-statement.ts";
import type { Summary, SummaryFile, TimelineEntry } from "../schema/summary.ts";
import type { FsDiffView } from "../schema/view.ts";
import { findAnomalies } from "./anomalies.ts";
import type { AttributionBuilder } from "./attribution/attribution.ts";
import { type DiscrepancyFacts, findDiscrepancies } from "./discrepancies/find.ts";
import type { Said } from "./discrepancies/said.ts";
import type { EventTally } from "./event-tally.ts";
import type { Evidence } from "./evidence.ts";
import type { Exchanges } from "./exchanges.ts";
import { LIMITS, TIMELINE_SHARE } from "./limits.ts";
import type { NativeEvents } from "./native-events.ts";
import type { Reconciler } from "./reconciliation/reconcile.ts";
import {
  filesystemEntries,
  inTimeOrder,
  networkEntries,
  phasesOf,
  processEntries,
  supervisorEntries,
} from "./timeline.ts";
import type { ToolUses } from "./tool-uses.ts";

/** What was drawn from the streams of a capture. */
export interface Streams {
  native: NativeEvents;
  model: Exchanges;
  tools: ToolUses;
  effects: AttributionBuilder;
  said: Said;
  witnesses: Reconciler;
  tally: EventTally;
  events: StreamResult;
  exchanges: StreamResult;
  kernel: StreamResult;
}

export type SummaryContent = Omit<Summary, "schema_version" | "generated_at">;

/** The normalised summary of a run: a pure function of what was read. */
export function summarize(evidence: Evidence, streams: Streams): SummaryContent {
  const truncated = new Set<string>();
  const cut = <T>(list: readonly T[], name: keyof typeof LIMITS): T[] => {
    if (list.length > LIMITS[name]) truncated.add(name);
    return list.slice(0, LIMITS[name]);
  };
  const phases = phasesOf(evidence.run);
  const timeline = timelineOf(evidence, streams, phases, truncated);
  const files = filesOf(evidence.fsDiff, streams.native);
  if (streams.native.noise.truncated) truncated.add("noise");
  if (streams.tools.truncated) truncated.add("tools");
  const attribution = streams.kernel.valid === 0 ? null : streams.effects.result();
  const tools = streams.tools.list((key) => streams.effects.effectsOf(key));
  const last = finalMessage(streams);
  return {
    run: runOf(evidence, streams),
    counts: countsOf(evidence, streams, timeline.total, files.length),
    timeline: cut(timeline.entries, "timeline"),
    noise: streams.native.noise.items(),
    phases,
    tools,
    files: cut(files, "files"),
    ...last,
    observations: {
      process: evidence.processTree && {
        ...evidence.processTree,
        processes: cut(evidence.processTree.processes, "processes"),
      },
      filesystem: evidence.fsDiff && { ...evidence.fsDiff, changes: cut(evidence.fsDiff.changes, "changes") },
      network: evidence.network && {
        ...evidence.network,
        connections: cut(evidence.network.connections, "connections"),
      },
    },
    completeness: evidence.completeness,
    attribution,
    discrepancies: attribution && findDiscrepancies(discrepancyFacts(evidence, streams, { attribution, tools })),
    reconciliation:
      streams.kernel.valid === 0
        ? null
        : streams.witnesses.result({ ...evidence, brokenLines: streams.kernel.invalid }),
    anomalies: anomaliesOf(evidence, streams, attribution),
    limits: { ...LIMITS },
    truncated: [...truncated],
  };
}

function runOf({ run }: Evidence, { native, model }: Streams): Summary["run"] {
  const { settings: _, ...known } = run;
  const sessionId = run.session_id ?? native.rootSessionId ?? model.rootSessionId;
  return { ...known, session_id: sessionId, title: run.issue_title };
}

function timelineOf(
  evidence: Evidence,
  { native, model }: Streams,
  phases: Summary["phases"],
  truncated: Set<string>,
): { entries: TimelineEntry[]; total: number } {
  const processes = processEntries(evidence.processTree);
  const connections = networkEntries(evidence.network);
  const own = [...supervisorEntries(evidence.run, phases), ...filesystemEntries(evidence.fsDiff)];
  const lists = [
    own,
    model.timeline.items(),
    processes.slice(0, TIMELINE_SHARE.processes),
    connections.slice(0, TIMELINE_SHARE.connections),
    native.timeline.items(),
  ];
  const total = own.length + model.timeline.total + processes.length + connections.length + native.timeline.total;
  const entries = inTimeOrder(lists);
  if (entries.length < total) truncated.add("timeline");
  return { entries, total };
}

function filesOf(fsDiff: FsDiffView | null, native: NativeEvents): SummaryFile[] {
  return (fsDiff?.changes ?? []).map((change) => ({
    path: change.path,
    change_type: change.change_type,
    sensitive_path: change.sensitive_path,
    claimed: native.claims(change.path),
  }));
}

function countsOf(
  evidence: Evidence,
  { native, model, tools, events, tally }: Streams,
  timelineTotal: number,
  filesTotal: number,
): Summary["counts"] {
  const observed = tally.counts();
  return {
    by_type: native.byType(),
    significant_total: native.timeline.total,
    noise_total: events.valid - native.timeline.total,
    noise_by_type: native.noiseByType(),
    timeline_total: timelineTotal,
    tools_total: tools.total,
    files_total: evidence.fsDiff?.counts?.total ?? filesTotal,
    processes_total: evidence.processTree?.processes.length ?? 0,
    connections_total: evidence.network?.connections.length ?? 0,
    exchanges_total: model.total,
    ...(observed === undefined ? {} : { events: observed }),
  };
}

/** The agent's last words, and whose record has them. */
export function finalMessage({
  native,
  model,
}: Pick<Streams, "native" | "model">): Pick<Summary, "final_message" | "final_message_source"> {
  if (model.lastText !== undefined) return { final_message: model.lastText, final_message_source: "gateway" };
  if (native.lastText !== undefined) return { final_message: native.lastText.text, final_message_source: "agent" };
  return { final_message: null, final_message_source: null };
}

/** Classes in which "not seen" means that it did not happen, when they are complete. */
const SEEN_BY_KERNEL: ReadonlySet<string> = new Set(["process", "file-workspace"]);

/** Everything that say and do are compared on. */
export function discrepancyFacts(
  { completeness, fsDiff }: Pick<Evidence, "completeness" | "fsDiff">,
  { tools, effects, said, kernel, exchanges }: Streams,
  known: Pick<DiscrepancyFacts, "attribution" | "tools">,
): DiscrepancyFacts {
  const levels = bestStatements(completeness?.classes ?? []).filter((one) => SEEN_BY_KERNEL.has(one.class));
  const isComplete = levels.length === SEEN_BY_KERNEL.size && levels.every((one) => one.level === "complete");
  return {
    ...known,
    statement: said.statement(),
    claimedExits: tools.claimedExits(),
    testRuns: effects.testRuns,
    changed: (fsDiff?.changes ?? []).map((change) => change.path),
    sawEverything: isComplete && kernel.invalid === 0,
    heardEverything: exchanges.problem === undefined && exchanges.invalid === 0,
  };
}

function anomaliesOf(
  evidence: Evidence,
  { native, model, events, exchanges, kernel }: Streams,
  attribution: Summary["attribution"],
): Summary["anomalies"] {
  const problems = [...evidence.problems];
  if (events.problem !== undefined && events.problem.code !== "missing") problems.push(events.problem);
  if (kernel.problem !== undefined && kernel.problem.code !== "missing") problems.push(kernel.problem);
  const expectsExchanges = (evidence.run.model?.exchange_count ?? 0) > 0;
  if (exchanges.problem !== undefined && (exchanges.problem.code !== "missing" || expectsExchanges)) {
    problems.push(exchanges.problem);
  }
  return findAnomalies({
    run: evidence.run,
    fsDiff: evidence.fsDiff,
    completeness: evidence.completeness,
    attribution,
    events,
    exchanges,
    failedExchanges: model.errors,
    providerTools: model.providerTools,
    agentErrors: native.errors,
    rejectedPermissions: native.rejectedPermissions,
    problems,
  });
}
