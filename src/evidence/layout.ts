/**
 * Where everything stands in a capture directory. Paths are relative to it, with `/`.
 * The names are fixed: users' scripts rely on them.
 */
export const LAYOUT = {
  run: "meta/run.json",
  container: "meta/container.json",
  issue: "input/issue.json",
  containerLog: "logs/container.log",
  stdoutLog: "logs/opencode.stdout.log",
  stderrLog: "logs/opencode.stderr.log",
  exportStdoutLog: "logs/opencode_export.stdout.log",
  exportStderrLog: "logs/opencode_export.stderr.log",
  processTree: "observations/process_tree.json",
  fsDiff: "observations/fs_diff.json",
  network: "observations/network.json",
  completeness: "observations/completeness.json",
  events: "observations/events.jsonl",
  packets: "observations/packets.pcapng",
  flows: "observations/flows.json",
  fileContents: "observations/file_contents.json",
  /** Contents that `fileContents` refers to, each named by its hash. */
  contents: "observations/contents",
  nativeEvents: "events/opencode_events.jsonl",
  exchanges: "model/exchanges.jsonl",
  summary: "derived/summary.json",
  report: "report/index.html",
  sessionExport: "session/export.json",
  workspace: "workspace",
} as const;

/** Directories that exist in every capture from its first moment. */
export const CAPTURE_DIRECTORIES = [
  "meta",
  "input",
  "logs",
  "observations",
  "events",
  "model",
  "derived",
  "report",
  "session",
] as const;

/** The files whose presence makes a capture valid (besides meta/run.json itself). */
export const REQUIRED_OBSERVATIONS = [LAYOUT.processTree, LAYOUT.fsDiff, LAYOUT.network] as const;

/** Private directories of runs that go on (home, /tmp, pipes, configuration), below the capture root. */
export const RUNS_DIRECTORY = ".runs";
