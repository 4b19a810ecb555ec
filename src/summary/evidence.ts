import {
  type IssueView,
  type OpenCapture,
  readCompleteness,
  readContainer,
  readFsDiff,
  readIssue,
  readNetwork,
  readProcessTree,
  readRun,
} from "../evidence/reader.ts";
import { readFlows } from "../evidence/reader-flows.ts";
import type { Loaded, ReadProblem } from "../evidence/reader-json.ts";
import { legacyCompleteness } from "../evidence/upgrade-completeness.ts";
import type { Flows } from "../schema/flows.ts";
import type { Completeness } from "../schema/observations.ts";
import { runRecord } from "../schema/run.ts";
import type { ContainerView, FsDiffView, NetworkView, ProcessTreeView, RunView } from "../schema/view.ts";

/** The small files of a capture, all in their newest form. `null`: missing or unusable, see `problems`. */
export interface Evidence {
  run: RunView;
  issue: IssueView | null;
  container: ContainerView | null;
  processTree: ProcessTreeView | null;
  network: NetworkView | null;
  fsDiff: FsDiffView | null;
  flows: Flows | null;
  completeness: Completeness | null;
  problems: ReadProblem[];
}

const NOTHING_KNOWN: RunView = {
  // Every key, each null: the type says so, Object.fromEntries can't.
  ...(Object.fromEntries(Object.keys(runRecord.shape).map((key) => [key, null])) as unknown as RunView),
  schema_version: 1,
};

/** Reads them; faults are collected and never thrown. */
export function loadEvidence(capture: OpenCapture): Evidence {
  const problems: ReadProblem[] = [];
  const take = <T>(loaded: Loaded<T>, optional = false): T | null => {
    problems.push(...loaded.problems.filter((one) => !(optional && one.code === "missing")));
    return loaded.value;
  };
  const run = take(readRun(capture)) ?? NOTHING_KNOWN;
  const legacy = run.schema_version === 0;
  // A run that has not ended has not written its observations yet.
  const early = legacy || run.finished_at === null;
  const evidence = {
    run,
    issue: take(readIssue(capture)),
    container: take(readContainer(capture), early || run.run_status === "infra_error"),
    processTree: take(readProcessTree(capture), early),
    network: take(readNetwork(capture), early),
    fsDiff: take(readFsDiff(capture), early),
    flows: take(readFlows(capture), true),
  };
  const stated = take(readCompleteness(capture), true);
  const completeness = stated ?? (legacy ? legacyCompleteness(evidence) : null);
  return { ...evidence, completeness, problems };
}
