import picomatch from "picomatch";
import type { CaptureEvent } from "../../src/schema/event.ts";
import type { GroundTruth, TruthChange } from "../../src/schema/ground-truth.ts";
import type { FileChange, FsDiff } from "../../src/schema/observations.ts";

/** What OpenCode itself leaves in home and in /tmp, whatever the task is. */
const MACHINERY = [
  "/home/agent/.cache/opencode/**",
  "/home/agent/.local/share/opencode/**",
  "/home/agent/.local/state/opencode/**",
  "/home/agent/.local/state/opencode",
  "/tmp/opencode/**",
  "/tmp/opencode",
  "/tmp/.*-????????.so",
  "/tmp/.*-????????.node",
];

interface Seen {
  path: string;
  change: FileChange;
}

/** All changes of a capture, with paths as ground truth writes them. */
function seenChanges(diff: FsDiff): Seen[] {
  const outside = diff.outside_workspace.flatMap(({ root, changes }) =>
    changes.map((change) => ({ path: `${root}/${change.path}`, change })),
  );
  return [...diff.changes.map((change) => ({ path: change.path, change })), ...outside];
}

/**
 * Compares what the truth says was changed with what the capture saw.
 * @returns one sentence for each thing that is in one and not in the other.
 */
export function changeMismatches(truth: GroundTruth, diff: FsDiff): string[] {
  const seen = seenChanges(diff);
  const byPath = new Map(seen.map((one) => [one.path, one.change]));
  const missing = truth.changes.flatMap((change) => mismatchOf(change, byPath.get(change.path)));
  const patterns = [...truth.by_products.map((one) => one.path), ...MACHINERY];
  const isExplained = picomatch(patterns, { dot: true });
  const told = new Set(truth.changes.map((change) => change.path));
  const unexplained = seen
    .filter((one) => !told.has(one.path) && !isExplained(one.path))
    .map((one) => `${one.path} was ${one.change.change_type}, and the truth does not explain it`);
  return [...missing, ...unexplained];
}

function mismatchOf(told: TruthChange, seen: FileChange | undefined): string[] {
  if (told.kind === "temporary" || told.kind === "refused") {
    return seen === undefined ? [] : [`${told.path} is told as ${told.kind} and was ${seen.change_type}`];
  }
  if (seen === undefined) return [`${told.path} is told as ${told.kind} and is not among the changes`];
  return seen.change_type === told.kind ? [] : [`${told.path} is told as ${told.kind} and was ${seen.change_type}`];
}

/** What OpenCode itself starts: git for its own view of the project, ripgrep for its tools, a shell for each command. */
const OWN_PROGRAMS: ReadonlySet<string> = new Set(["opencode", "git", "rg", "bash"]);

function baseName(path: string | undefined): string {
  return path?.split("/").at(-1) ?? "";
}

/** Compares the programs that the truth names with those that the kernel saw begin. */
export function programMismatches(truth: GroundTruth, events: readonly CaptureEvent[]): string[] {
  const told = new Set(truth.runs.flatMap((one) => one.programs));
  const seen = new Set<string>();
  const unexplained = new Set<string>();
  for (const event of events) {
    if (event.kind !== "process.exec") continue;
    const names = [event.exe, event.filename, event.script, event.argv[0]].map(baseName).filter((name) => name !== "");
    for (const name of names) seen.add(name);
    if (!names.some((name) => told.has(name) || OWN_PROGRAMS.has(name))) unexplained.add(names.join(", "));
  }
  return [
    ...[...told].filter((name) => !seen.has(name)).map((name) => `${name} is told and was not run`),
    ...[...unexplained].map((names) => `${names} was run, and the truth does not explain it`),
  ];
}

/** Compares whom the truth names with whom the kernel saw being tried. Names are looked up before anything else. */
export function contactMismatches(truth: GroundTruth, events: readonly CaptureEvent[]): string[] {
  const addresses = new Set<string>();
  const names = new Set<string>();
  for (const event of events) {
    if (event.kind === "net.connect" || event.kind === "net.datagram") addresses.add(event.remote);
    if (event.kind !== "net.dns-query") continue;
    addresses.add(event.server);
    for (const { name } of event.questions) names.add(name.toLowerCase().replace(/\.$/, ""));
  }
  const isSeen = (host: string, port: number | null): boolean =>
    /^[\d.]+$/.test(host)
      ? addresses.has(`${host}:${port}`)
      : [...names].some((name) => name === host || name.endsWith(`.${host}`));
  const missing = truth.contacts
    .filter(({ host, port }) => !isSeen(host, port))
    .map(({ host, port }) => `${host}:${port} is told and was not tried`);
  const told = new Set(truth.contacts.map(({ host, port }) => `${host}:${port}`));
  const external = events.flatMap((event) =>
    event.kind === "net.connect" && event.role === "external" ? [event.remote] : [],
  );
  const unexplained = new Set(external.filter((remote) => !told.has(remote)));
  return [...missing, ...[...unexplained].map((one) => `${one} was tried, and the truth does not explain it`)];
}
