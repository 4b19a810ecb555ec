import type { Completeness, CompletenessClass } from "../schema/observations.ts";
import type { FsDiffView, NetworkView, ProcessTreeView, RunView } from "../schema/view.ts";

/** What is left of a capture of the earlier program, which never said what it could not see. */
export interface LegacyEvidence {
  run: RunView;
  processTree: ProcessTreeView | null;
  network: NetworkView | null;
  fsDiff: FsDiffView | null;
}

type Statement = Pick<CompletenessClass, "class" | "level" | "reason">;

function processStatement({ processTree }: LegacyEvidence): Statement {
  if (processTree === null) return absent("process", "observations/process_tree.json is missing or unreadable");
  const looks = processTree.snapshot_count ?? 0;
  if (looks === 0) return absent("process", "not one look was taken");
  if (processTree.processes.length === 0) {
    return absent("process", `${looks} looks show no process at all, not even the agent: the looks themselves failed`);
  }
  const reason = `${looks} looks, about one a second: processes that lived between two looks are missing, and the program's own sh and ss stand among the others`;
  return { class: "process", level: "sampled", reason };
}

function networkStatement({ network }: LegacyEvidence): Statement {
  if (network === null) return absent("network", "observations/network.json is missing or unreadable");
  const looks = network.snapshot_count ?? 0;
  if (looks === 0) return absent("network", "not one look was taken");
  if (network.connections.length === 0) {
    const reason = `${looks} looks show 0 connections. The earlier program ran ss inside the container and recorded the same where the image has no ss, so this can't be told from "no connections"`;
    return absent("network", reason);
  }
  const reason = `${looks} looks, about one a second: connections that lived between two looks are missing`;
  return { class: "network", level: "sampled", reason };
}

function workspaceStatement({ fsDiff }: LegacyEvidence): Statement {
  if (fsDiff === null) return absent("file-workspace", "observations/fs_diff.json is missing or unreadable");
  const reason = "two states were compared, before and after: what came and went in between is missing";
  return { class: "file-workspace", level: "sampled", reason };
}

function eventsStatement({ run }: LegacyEvidence): Statement {
  if (run.native_events_status === "missing") return absent("native-events", "the plugin wrote no record");
  const reason =
    "the plugin wrote into a directory that the agent could write; records were not numbered, so missing ones can't be counted";
  return { class: "native-events", level: "lossy", reason };
}

function exportStatement({ run }: LegacyEvidence): Statement {
  if (run.export_saved === true) {
    return { class: "session-export", level: "complete", reason: "the session was exported after the run" };
  }
  return absent("session-export", "no export was saved");
}

function absent(name: CompletenessClass["class"], reason: string): Statement {
  return { class: name, level: "absent", reason };
}

/** The statement about what was seen that the earlier program did not write. Pure. */
export function legacyCompleteness(evidence: LegacyEvidence): Completeness {
  const statements: Statement[] = [
    processStatement(evidence),
    networkStatement(evidence),
    workspaceStatement(evidence),
    absent("file-outside", "the earlier program did not look outside the workspace"),
    absent("dns", "the earlier program did not record names"),
    absent("model", "the earlier program did not record the traffic with the model"),
    eventsStatement(evidence),
    exportStatement(evidence),
  ];
  return {
    schema_version: 1,
    generated_at: evidence.run.finished_at ?? evidence.run.started_at ?? "",
    verdict: "absent",
    classes: statements.map((one) => ({
      ...one,
      sensor: "earlier program",
      lost: null,
      from: null,
      to: null,
      started_before_agent: false,
    })),
    gaps: [],
  };
}
