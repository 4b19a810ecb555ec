import { shorten } from "../schema/display.ts";
import type { Phase, TimelineEntry } from "../schema/summary.ts";
import type { FsDiffView, NetworkView, ProcessTreeView, RunView } from "../schema/view.ts";
import { TEXT_LIMITS } from "./limits.ts";
import { isoFromMs } from "./unknown-value.ts";

function entry(
  source: TimelineEntry["source"],
  type: string,
  id: string,
  timestamp: string,
  title: string,
  detail: string | null = null,
): TimelineEntry {
  return {
    id,
    timestamp,
    source,
    type,
    title: shorten(title, TEXT_LIMITS.title),
    detail: detail === null ? null : shorten(detail, TEXT_LIMITS.detail),
    session_id: null,
    call_id: null,
  };
}

/** The supervisor's phases with wall-clock times: the start of the run plus its monotonic clock. */
export function phasesOf(run: RunView): Phase[] {
  const startMs = run.started_at === null ? Number.NaN : Date.parse(run.started_at);
  if (!Number.isFinite(startMs)) return [];
  return (run.phases ?? []).flatMap((one) => {
    const started = isoFromMs(startMs + one.started_ms);
    if (started === null) return [];
    return [
      {
        name: one.name,
        started_at: started,
        finished_at: isoFromMs(startMs + one.started_ms + one.duration_ms),
        duration_seconds: one.duration_ms / 1000,
      },
    ];
  });
}

export function supervisorEntries(run: RunView, phases: readonly Phase[]): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  if (run.started_at !== null) {
    entries.push(
      entry("supervisor", "run.started", "run:start", run.started_at, run.issue_title ?? run.issue_id ?? ""),
    );
  }
  for (const [index, one] of phases.entries()) {
    const seconds = one.duration_seconds === null ? null : `${one.duration_seconds.toFixed(3)} s`;
    entries.push(entry("supervisor", "phase", `phase:${index}`, one.started_at, one.name, seconds));
  }
  if (run.finished_at !== null) {
    const title = [run.run_status, run.end_reason].filter((one) => one !== null).join(" · ");
    entries.push(entry("supervisor", "run.finished", "run:end", run.finished_at, title, run.end_detail));
  }
  return entries;
}

export function processEntries(tree: ProcessTreeView | null): TimelineEntry[] {
  const met = new Map<string, number>();
  return (tree?.processes ?? []).map((one) => {
    const process = one.start_time === null ? `process:${one.pid}` : `process:${one.pid}@${one.start_time}`;
    // A process that runs another program in place is met again, under the same pid and start.
    const times = (met.get(process) ?? 0) + 1;
    met.set(process, times);
    const id = times === 1 ? process : `${process}#${times}`;
    return entry("process", "process.seen", id, one.first_seen_at, one.args || one.command, `pid ${one.pid}`);
  });
}

export function networkEntries(network: NetworkView | null): TimelineEntry[] {
  return (network?.connections ?? []).map((one, index) => {
    const title = `${one.proto} ${one.remote} ${one.state}`;
    return entry("network", "connection.seen", `connection:${index}`, one.first_seen_at, title, one.role);
  });
}

export function filesystemEntries(diff: FsDiffView | null): TimelineEntry[] {
  if (!diff?.generated_at || diff.counts === null) return [];
  const { created, modified, deleted } = diff.counts;
  const title = `+${created} ~${modified} -${deleted}`;
  return [entry("filesystem", "workspace.compared", "fs:diff", diff.generated_at, title)];
}

/** In time order; what has no usable time keeps its place behind what was recorded before it. */
export function inTimeOrder(lists: readonly (readonly TimelineEntry[])[]): TimelineEntry[] {
  const timed = lists.flatMap((list) => {
    let last = Number.NEGATIVE_INFINITY;
    return list.map((one) => {
      const ms = Date.parse(one.timestamp);
      if (Number.isFinite(ms)) last = ms;
      return { one, ms: Number.isFinite(ms) ? ms : last };
    });
  });
  return timed.sort((a, b) => a.ms - b.ms).map(({ one }) => one);
}
