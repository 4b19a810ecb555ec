import { isoNow } from "../core/clock.ts";
import { errorMessage } from "../core/errors.ts";
import type { CompletenessClass, Gap } from "../schema/observations.ts";
import type { KernelCounters } from "../schema/run.ts";
import type { EventSinkResult } from "../sensors/agent-events/event-sink.ts";
import type { Sensor } from "../sensors/port.ts";
import {
  exportSessions,
  type SessionExportLimits,
  type SessionExportOptions,
  type SessionExportResult,
} from "../sensors/session-store/export-sessions.ts";
import { SessionReader } from "../sensors/session-store/session-reader.ts";
import { type AgentOutputStats, outputCompleteness } from "./agent-output.ts";
import { exportInContainer } from "./export-in-container.ts";
import { runLimits } from "./run-limits.ts";
import type { RunState } from "./run-state.ts";

const NO_COUNTERS: KernelCounters = {
  oom_kills: null,
  pids_limit_hits: null,
  memory_peak_bytes: null,
  cpu_seconds: null,
};
const NO_STREAM = { bytesTotal: 0, bytesKept: 0, sha256: "", truncated: false, failure: undefined };

/** Everything that was collected at the end of a run, before it is judged. */
export interface Collected {
  output: AgentOutputStats;
  events: EventSinkResult | undefined;
  session: SessionExportResult | undefined;
  counters: KernelCounters;
  engineInspect: unknown;
  classes: CompletenessClass[];
  gaps: Gap[];
  problems: string[];
}

/** Collects what the run has left behind. A part that fails is noted, and the others still happen. */
export async function collect(run: RunState): Promise<Collected> {
  const collected: Collected = {
    output: { stdout: NO_STREAM, stderr: NO_STREAM, missing: 0 },
    events: undefined,
    session: undefined,
    counters: NO_COUNTERS,
    engineInspect: null,
    classes: [],
    gaps: [],
    problems: [],
  };
  const attempt = async (what: string, work: () => Promise<void> | void): Promise<void> => {
    try {
      await run.timer.measure(what, work);
    } catch (error) {
      collected.problems.push(`${what}: ${errorMessage(error)}`);
      collected.gaps.push({ class: what, from: run.agentStartedAt, to: isoNow(), reason: errorMessage(error) });
    }
  };
  await attempt("control group", async () => {
    await run.cgroup?.killAll();
    collected.counters = run.cgroup?.final() ?? NO_COUNTERS;
    if (run.cgroup?.basis === "last-look") collected.gaps.push(oldCounters(run));
  });
  const reader = run.sessionReader ?? new SessionReader();
  const sensorsStopped = Promise.all(
    run.sensors.map((sensor) => attempt(sensor.name, () => stopSensor(sensor, collected))),
  );
  // A second container changes the home and /tmp, which the sensors compare.
  const fallback = (sessionId: string) => sensorsStopped.then(() => exportInContainer(run, sessionId));
  await Promise.all([
    attempt("agent output", () => collectOutput(run, collected)),
    attempt("native events", () => collectEvents(run, collected)).then(() =>
      attempt("session export", () => collectSession(run, collected, { reader, fallback })),
    ),
    sensorsStopped,
    attempt("gateway", async () => void collected.classes.push(...((await run.gateway?.close()) ?? []))),
    attempt("engine record", async () => {
      if (run.container !== undefined)
        collected.engineInspect = await run.plan.engine.inspectContainer(run.container.id);
    }),
  ]);
  return collected;
}

/** A zero that was read too early must not pass for the last word. */
function oldCounters(run: RunState): Gap {
  const reason = "the control group was gone before its last look: the kernel's counters may be up to a second old";
  return { class: "kernel-counters", from: run.agentStartedAt, to: isoNow(), reason };
}

async function collectOutput(run: RunState, collected: Collected): Promise<void> {
  if (run.output === undefined) return;
  collected.output = await run.output.close();
  collected.classes.push(outputCompleteness(collected.output, run.agentStartedAt, isoNow()));
}

async function collectEvents(run: RunState, collected: Collected): Promise<void> {
  collected.events = await run.sink?.close();
  if (collected.events !== undefined) collected.classes.push(collected.events.completeness);
}

async function stopSensor(sensor: Sensor, collected: Collected): Promise<void> {
  const report = await sensor.stop();
  collected.classes.push(...report.completeness);
  collected.gaps.push(...report.gaps);
}

function exportLimits(run: RunState): Partial<SessionExportLimits> {
  const { session_store, session_export, session_exports } = runLimits(run.plan.limits);
  return { storeBytes: session_store, sessionBytes: session_export, totalBytes: session_exports };
}

type ExportWays = Required<Pick<SessionExportOptions, "reader" | "fallback">>;

async function collectSession(run: RunState, collected: Collected, ways: ExportWays): Promise<void> {
  if (run.agentStartedAt === null) return ways.reader.stop();
  const session = await exportSessions({
    homeDir: run.privateDir.home,
    captureDir: run.captureDir,
    rootSessionId: collected.events?.sessionId ?? null,
    limits: exportLimits(run),
    ...ways,
  });
  collected.session = session;
  collected.classes.push(session.completeness);
}
